package cpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// concat puts the channels of its inputs one behind the other.
type concat struct{}

func (concat) forward(w *worker, tasks []task) error {
	for _, t := range tasks {
		r := t.out.Rect
		buf := w.scratch(r.W() * t.out.C)
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			if w.stopped() {
				w.release(buf)
				return errStopped
			}
			out := t.out.Row(y, r.X.Lo, r.X.Hi)
			first := 0
			for _, s := range t.in {
				c := s.Shape.C
				row := s.Row(y, r.X.Lo, r.X.Hi, buf.data)
				for x := range r.W() {
					copy(out[x*t.out.C+first:][:c], row[x*c:])
				}
				first += c
			}
		}
		w.release(buf)
	}
	return nil
}

// channels picks channels.
type channels struct {
	set   *simd.Set
	index []int32
	run   bool // they are one run in order
}

func newChannels(op network.Channels, set *simd.Set) channels {
	k := channels{set: set, run: op.Contiguous()}
	for _, c := range op.Index {
		k.index = append(k.index, int32(c))
	}
	return k
}

func (k channels) forward(w *worker, tasks []task) error {
	return eachCell(w, tasks, func(out, in []float32) {
		if k.run {
			copy(out, in[k.index[0]:])
		} else {
			k.set.Gather(out, in, k.index)
		}
	})
}

// slice crops and skips rows and columns.
type slice struct{ op network.Slice }

func (k slice) forward(w *worker, tasks []task) error {
	for _, t := range tasks {
		r, c := t.out.Rect, t.out.C
		first, step := k.op.X.Start+r.X.Lo*k.op.X.Step, k.op.X.Step
		last := first + (r.W()-1)*step
		buf := w.scratch((last + 1 - first) * c)
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			if w.stopped() {
				w.release(buf)
				return errStopped
			}
			out := t.out.Row(y, r.X.Lo, r.X.Hi)
			in := t.in[0].Row(k.op.Y.Start+y*k.op.Y.Step, first, last+1, buf.data)
			if step == 1 {
				copy(out, in)
				continue
			}
			for x := range r.W() {
				copy(out[x*c:(x+1)*c], in[x*step*c:])
			}
		}
		w.release(buf)
	}
	return nil
}

// pad surrounds a map with cells.
type pad struct{ op network.Pad }

func (k pad) forward(w *worker, tasks []task) error {
	for _, t := range tasks {
		r, s := t.out.Rect, t.in[0].Shape
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			if w.stopped() {
				return errStopped
			}
			k.row(t.out.Row(y, r.X.Lo, r.X.Hi), r.X, t.in[0], k.op.Source(y, s.H, k.op.Top))
		}
	}
	return nil
}

// row makes the columns x of an output row that shows the source's row y, or
// none when y is below zero.
func (k pad) row(out []float32, x region.Interval, s operators.Source, y int) {
	if y < 0 {
		fill(out, k.op.Value)
		return
	}
	c := s.Shape.C
	middle := x.Intersect(region.Interval{Lo: k.op.Left, Hi: k.op.Left + s.Shape.W})
	if !middle.Empty() {
		to := out[(middle.Lo-x.Lo)*c : (middle.Hi-x.Lo)*c]
		copyRow(to, s, y, middle.Lo-k.op.Left, middle.Hi-k.op.Left)
	}
	for o := x.Lo; o < x.Hi; o++ {
		if o >= middle.Lo && o < middle.Hi {
			o = middle.Hi - 1
			continue
		}
		to := out[(o-x.Lo)*c : (o-x.Lo+1)*c]
		if from := k.op.Source(o, s.Shape.W, k.op.Left); from >= 0 {
			copyRow(to, s, y, from, from+1)
		} else {
			fill(to, k.op.Value)
		}
	}
}

// copyRow copies a piece of a source's row.
func copyRow(dst []float32, s operators.Source, y, x0, x1 int) {
	if got := s.Row(y, x0, x1, dst); &got[0] != &dst[0] {
		copy(dst, got)
	}
}
