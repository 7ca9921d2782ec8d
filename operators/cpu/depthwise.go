package cpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// depthwise is a convolution whose filters read one channel each, several
// filters a channel when the depth multiplier is above one. Eight channels are
// computed at a time, over all taps of the window.
type depthwise struct {
	op         network.Conv
	act        activation
	multiplier int
	// weights are [channels/8][taps][8], then [rest][taps] for the channels
	// that do not fill eight.
	weights []float32
	bias    []float32
}

// lanes is how many channels are computed at once.
const lanes = 8

func newDepthwise(op network.Conv, act activation) *depthwise {
	filters, taps := op.Filters(), op.Taps()
	k := &depthwise{
		op:         op,
		act:        act,
		multiplier: filters / op.Groups,
		weights:    make([]float32, filters*taps),
		bias:       make([]float32, filters),
	}
	copy(k.bias, op.Bias)
	from := op.Weights.Data().([]float32)
	blocked := filters / lanes * lanes
	copy(k.weights[blocked*taps:], from[blocked*taps:])
	for f := range blocked {
		for t := range taps {
			k.weights[(f/lanes*taps+t)*lanes+f%lanes] = from[f*taps+t]
		}
	}
	return k
}

func (k *depthwise) forward(w *worker, tasks []task) error {
	for _, t := range tasks {
		r := t.out.Rect
		step := stripRows(r, r.W()*t.out.C*(1+k.op.X.Stride*k.op.Y.Stride))
		for y := r.Y.Lo; y < r.Y.Hi; y += step {
			rows := region.Interval{Lo: y, Hi: min(y+step, r.Y.Hi)}
			if err := k.strip(w, t, t.out.Sub(region.Rect{Y: rows, X: r.X})); err != nil {
				return err
			}
		}
	}
	return nil
}

// strip computes a part of a task that fits into the cache.
func (k *depthwise) strip(w *worker, t task, out operators.Tile) error {
	in, at, copied := reach(w, t.in[0], k.op.Window, out.Rect)
	defer func() { w.release(copied) }()
	if k.multiplier > 1 {
		repeated := k.repeat(w, in, at, out.Rect)
		w.release(copied)
		in, at, copied = repeated.tile, 0, repeated.block
	}
	offsets := w.conv.segments[:0]
	for y := range k.op.Y.Kernel {
		for x := range k.op.X.Kernel {
			offsets = append(offsets, y*k.op.Y.Dilation*in.Stride+x*k.op.X.Dilation*in.C)
		}
	}
	w.conv.segments = offsets[:0]

	r := out.Rect
	var residual block
	if k.op.Residual {
		residual = w.scratch(r.W() * out.C)
		defer func() { w.release(residual) }()
	}
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		if w.stopped() {
			return errStopped
		}
		row := out.Row(y, r.X.Lo, r.X.Hi)
		from := in.Data[at+(y-r.Y.Lo)*k.op.Y.Stride*in.Stride:]
		for x := range r.W() {
			k.cell(row[x*out.C:(x+1)*out.C], from[x*k.op.X.Stride*in.C:], offsets)
		}
		if k.op.Residual {
			for i, v := range t.in[1].Row(y, r.X.Lo, r.X.Hi, residual.data)[:len(row)] {
				row[i] += v
			}
		}
		k.act(row)
	}
	return nil
}

// held is a tile in a block of the worker's memory.
type held struct {
	tile  operators.Tile
	block block
}

// repeat copies the read-in context of the rectangle out, whose top left is at
// in.Data[at], with every channel repeated for each filter that reads it.
func (k *depthwise) repeat(w *worker, in operators.Tile, at int, out region.Rect) held {
	r := region.Rect{Y: k.op.Y.Input(out.Y), X: k.op.X.Input(out.X)}
	c := in.C * k.multiplier
	b := w.scratch(r.Area() * c)
	tile := operators.NewTile(r, c, b.data)
	for y := range r.H() {
		to := tile.Row(r.Y.Lo+y, r.X.Lo, r.X.Hi)
		for i, v := range in.Data[at+y*in.Stride:][:r.W()*in.C] {
			fill(to[i*k.multiplier:(i+1)*k.multiplier], v)
		}
	}
	return held{tile, b}
}

// cell computes all channels of an output cell whose window starts at in.
func (k *depthwise) cell(out, in []float32, offsets []int) {
	w := k.weights
	c := 0
	for ; c+lanes <= len(out); c += lanes {
		s := *(*[lanes]float32)(k.bias[c:])
		s0, s1, s2, s3, s4, s5, s6, s7 := s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7]
		for _, at := range offsets {
			x, v := (*[lanes]float32)(in[c+at:]), (*[lanes]float32)(w)
			s0 += x[0] * v[0]
			s1 += x[1] * v[1]
			s2 += x[2] * v[2]
			s3 += x[3] * v[3]
			s4 += x[4] * v[4]
			s5 += x[5] * v[5]
			s6 += x[6] * v[6]
			s7 += x[7] * v[7]
			w = w[lanes:]
		}
		*(*[lanes]float32)(out[c:]) = [lanes]float32{s0, s1, s2, s3, s4, s5, s6, s7}
	}
	for ; c < len(out); c++ {
		s := k.bias[c]
		for t, at := range offsets {
			s += in[c+at] * w[t]
		}
		out[c] = s
		w = w[len(offsets):]
	}
}
