package cpu

import (
	"unsafe"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// depthwise is a convolution whose filters read one channel each, several
// filters a channel when the depth multiplier is above one.
type depthwise struct {
	op            network.Conv
	set           *simd.Set
	epilogue      epilogue
	multiplier    int
	weights, bias []float32 // as the set packs them
}

func newDepthwise(op network.Conv, act activation, set *simd.Set) *depthwise {
	k := &depthwise{
		op:         op,
		set:        set,
		epilogue:   newEpilogue(op.Act, act),
		multiplier: op.Filters() / op.Groups,
	}
	k.weights, k.bias = set.PackDepthwise(op.Weights.Data().([]float32), op.Bias, op.Filters(), op.Taps())
	return k
}

// packed implements packing.
func (k *depthwise) packed() [][]float32 { return [][]float32{k.weights, k.bias} }

// reads implements reader.
func (k *depthwise) reads(out region.Rect) region.Rect {
	return region.Rect{Y: k.op.Y.Input(out.Y), X: k.op.X.Input(out.X)}
}

func (k *depthwise) forward(w *worker, tasks []task) error {
	for i := range tasks {
		t := &tasks[i]
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
func (k *depthwise) strip(w *worker, t *task, out operators.Tile) error {
	if w.stopped() {
		return errStopped
	}
	in, at, copied := inPiece(w, t.in[0], k.reads(out.Rect))
	defer func() { w.release(copied) }()
	if k.multiplier > 1 {
		repeated := k.repeat(w, in, at, out.Rect)
		w.release(copied)
		in, at, copied = repeated.tile, 0, repeated.block
	}
	r := out.Rect
	low, high := k.epilogue.bounds(t)
	d := &w.depthwise
	taps := d.Taps[:0]
	for y := range k.op.Y.Kernel {
		for x := range k.op.X.Kernel {
			taps = append(taps, 4*(y*k.op.Y.Dilation*in.Stride+x*k.op.X.Dilation*in.C))
		}
	}
	*d = simd.Depthwise{
		In: unsafe.Pointer(&in.Data[at]), Step: k.op.X.Stride * in.C * 4, InRow: k.op.Y.Stride * in.Stride * 4,
		Taps: taps, Weights: &k.weights[0], Bias: &k.bias[0],
		Out: unsafe.Pointer(&out.Data[0]), OutRow: out.Stride * 4,
		Rows: r.H(), Cells: r.W(), Channels: out.C, Low: low, High: high,
	}
	if k.op.Residual {
		add, at, residual := inPiece(w, t.in[1], r)
		defer w.release(residual)
		d.Add, d.AddRow = unsafe.Pointer(&add.Data[at]), add.Stride*4
	}
	k.set.Depthwise(d)
	*d = simd.Depthwise{Taps: taps[:0]} // lets go of the memory
	k.epilogue.finish(w, t, out)
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
	r := k.reads(out)
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
