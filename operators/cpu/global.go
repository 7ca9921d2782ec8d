package cpu

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
)

// globalPool makes a vector of a map. A mean or a sum whose map has changed in
// a part is the clean image's one and the difference that the part makes.
type globalPool struct {
	set *simd.Set
	fn  string
}

func (k globalPool) forward(w *worker, tasks []task) error {
	for _, t := range tasks {
		if w.stopped() {
			return errStopped
		}
		out := t.out.Cell(0, 0)
		switch {
		case k.fn == network.Largest:
			inf := float32(math.Inf(1))
			fill(out, -inf)
			eachPiece(t.in[0], func(cells []float32) {
				for ; len(cells) > 0; cells = cells[len(out):] {
					k.set.Combine(simd.Maximum, out, out, cells, -inf, inf)
				}
			})
		case !k.adjust(w, t, out):
			sums := w.doubles(len(out))
			sumChannels(k.set, sums, t.in[0])
			n := k.divisor(t.in[0].Shape)
			for c, s := range sums {
				out[c] = float32(s / n)
			}
		}
	}
	return nil
}

// divisor is what the sum is divided by.
func (k globalPool) divisor(s network.Shape) float64 {
	if k.fn == network.Sum {
		return 1
	}
	return float64(s.Cells())
}

// cancelled is how small a sum may become against the one it was taken from: the
// clean result was rounded to float32, and what is left would be rounding.
const cancelled = 1. / 1024

// adjust adds to the clean image's result what the update changes. It declines
// when there is nothing to start from, when the whole map changed, when values
// are not finite, for infinities cannot be taken back, and when nearly all of
// the result would go.
func (k globalPool) adjust(w *worker, t task, out []float32) bool {
	s := t.in[0]
	r := s.Update.Rect
	if t.base.Empty() || s.View.Empty() || r == s.Shape.Whole() {
		return false
	}
	sums := w.doubles(s.Shape.C)
	clear(sums)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		k.set.SumDifference(sums, s.Update.Row(y, r.X.Lo, r.X.Hi), s.View.Row(y, r.X.Lo, r.X.Hi))
	}
	n := k.divisor(s.Shape)
	for c, v := range t.base.Cell(0, 0) {
		sum := float64(v) + sums[c]/n
		if math.IsNaN(sum) || math.IsInf(sum, 0) || math.Abs(sum) < math.Abs(float64(v))*cancelled {
			return false
		}
		out[c] = float32(sum)
	}
	return true
}

// sumChannels sums every channel over the map.
func sumChannels(set *simd.Set, sums []float64, s operators.Source) {
	clear(sums)
	eachPiece(s, func(cells []float32) { set.Sum(sums, cells) })
}

// eachPiece shows all cells of a source, row by row, in pieces that lie in the
// update or in the view.
func eachPiece(s operators.Source, do func(cells []float32)) {
	u := s.Update.Rect
	for y := range s.Shape.H {
		if y < u.Y.Lo || y >= u.Y.Hi {
			do(s.View.Row(y, 0, s.Shape.W))
			continue
		}
		if u.X.Lo > 0 {
			do(s.View.Row(y, 0, u.X.Lo))
		}
		do(s.Update.Row(y, u.X.Lo, u.X.Hi))
		if u.X.Hi < s.Shape.W {
			do(s.View.Row(y, u.X.Hi, s.Shape.W))
		}
	}
}

// instanceNorm normalizes each channel by its mean and variance over the map.
type instanceNorm struct {
	set *simd.Set
	op  network.InstanceNorm
}

func (k instanceNorm) forward(w *worker, tasks []task) error {
	for i := range tasks {
		t := &tasks[i]
		s := t.in[0]
		n := float64(s.Shape.Cells())
		c := s.Shape.C
		moments := w.doubles(2 * c)
		mean, variance := moments[:c], moments[c:]
		sumChannels(k.set, mean, s)
		for i := range mean {
			mean[i] /= n
		}
		clear(variance)
		eachPiece(s, func(cells []float32) {
			for ; len(cells) > 0; cells = cells[c:] {
				for i, v := range cells[:c] {
					d := float64(v) - mean[i]
					variance[i] += d * d
				}
			}
		})
		scale := variance
		for i, v := range variance {
			scale[i] = float64(k.op.Scale[i]) / math.Sqrt(v/n+float64(k.op.Epsilon))
		}
		err := eachRow(w, t, func(_ int, out, in []float32) {
			for ; len(out) > 0; out, in = out[c:], in[c:] {
				for i, v := range in[:c] {
					out[i] = float32((float64(v)-mean[i])*scale[i] + float64(k.op.Shift[i]))
				}
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// flatten puts a map's values into ONNX's order: channel, row, column.
type flatten struct{}

func (flatten) forward(w *worker, tasks []task) error {
	return eachWhole(w, tasks, func(t task, in []float32) {
		s := t.in[0].Shape
		out := t.out.Cell(0, 0)
		for i := range s.Cells() {
			for c, v := range in[i*s.C : (i+1)*s.C] {
				out[c*s.Cells()+i] = v
			}
		}
	})
}

// unflatten is flatten's inverse.
type unflatten struct{ to network.Shape }

func (k unflatten) forward(w *worker, tasks []task) error {
	return eachWhole(w, tasks, func(t task, in []float32) {
		r := t.out.Rect
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			for x := r.X.Lo; x < r.X.Hi; x++ {
				cell := t.out.Cell(y, x)
				for c := range cell {
					cell[c] = in[c*k.to.Cells()+y*k.to.W+x]
				}
			}
		}
	})
}

// reshaped copies the values in stored order.
type reshaped struct{ to network.Shape }

func (k reshaped) forward(w *worker, tasks []task) error {
	return eachWhole(w, tasks, func(t task, in []float32) {
		r := t.out.Rect
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			row := in[y*k.to.W*k.to.C : (y+1)*k.to.W*k.to.C]
			copy(t.out.Row(y, r.X.Lo, r.X.Hi), row[r.X.Lo*k.to.C:])
		}
	})
}

// eachWhole shows each task with all values of its input in stored order.
func eachWhole(w *worker, tasks []task, do func(t task, in []float32)) error {
	for _, t := range tasks {
		if w.stopped() {
			return errStopped
		}
		buf := w.scratch(t.in[0].Shape.Len())
		do(t, whole(t.in[0], buf.data))
		w.release(buf)
	}
	return nil
}

// function calls a layer's own code.
type function struct{ op network.Function }

func (k function) forward(w *worker, tasks []task) error {
	for _, t := range tasks {
		if w.stopped() {
			return errStopped
		}
		if err := k.call(w, t); err != nil {
			return err
		}
	}
	return nil
}

func (k function) call(w *worker, t task) error {
	in := make([][]float32, len(t.in))
	for i, s := range t.in {
		buf := w.scratch(s.Shape.Len())
		defer w.release(buf)
		in[i] = whole(s, buf.data)
	}
	out, err := k.op.Call(in)
	if err != nil {
		return err
	}
	if len(out) != k.op.Out {
		return fmt.Errorf("gave %d values instead of %d", len(out), k.op.Out)
	}
	copy(t.out.Cell(0, 0), out)
	return nil
}
