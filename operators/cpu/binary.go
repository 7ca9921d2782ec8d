package cpu

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// binary combines two maps. An input that is repeated along columns or channels
// is spread into a row first, once for all rows where it is repeated along
// those too, so the loops that do the arithmetic see two plain rows.
type binary struct {
	do       func(out, a, b []float32, low, high float32)
	epilogue epilogue
}

// arithmetic is the functions of a Binary that sets have loops for.
var arithmetic = map[string]simd.Operation{
	network.Add: simd.Add,
	network.Sub: simd.Subtract,
	network.Mul: simd.Multiply,
	network.Div: simd.Divide,
	network.Max: simd.Maximum,
	network.Min: simd.Minimum,
}

// newBinary makes the kernel of op, nil for a function that is not known.
func newBinary(op network.Binary, act activation, set *simd.Set) kernel {
	e := newEpilogue(op.Act, act)
	if code, ok := arithmetic[op.Fn]; ok {
		return binary{func(out, a, b []float32, low, high float32) { set.Combine(code, out, a, b, low, high) }, e}
	}
	if op.Fn == network.Pow {
		return binary{func(out, a, b []float32, low, high float32) {
			for i := range out {
				out[i] = float32(math.Pow(float64(a[i]), float64(b[i])))
			}
			set.Apply(simd.Clamp, out, out, low, high)
		}, e}
	}
	return nil
}

func (k binary) forward(w *worker, tasks []task) error {
	for i := range tasks {
		t := &tasks[i]
		r := t.out.Rect
		low, high := k.epilogue.bounds(t)
		n := r.W() * t.out.C
		buf := w.scratch(4 * n)
		a := operand{source: t.in[0], buf: buf.data[:n], spread: buf.data[n : 2*n]}
		b := operand{source: t.in[1], buf: buf.data[2*n : 3*n], spread: buf.data[3*n : 4*n]}
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			if w.stopped() {
				w.release(buf)
				return errStopped
			}
			out := t.out.Row(y, r.X.Lo, r.X.Hi)
			k.do(out, a.row(y, r.X, t.out.C)[:len(out)], b.row(y, r.X, t.out.C)[:len(out)], low, high)
			k.epilogue.row(w, t, y, r.X.Lo, out)
		}
		w.release(buf)
	}
	return nil
}

// operand is an input of a binary layer as the rows of its output see it.
type operand struct {
	source      operators.Source
	buf, spread []float32 // room for a row each
	last        []float32 // the row, where all rows are the same
}

// row is the operand's values for output row y, columns x, of c channels.
func (o *operand) row(y int, x region.Interval, c int) []float32 {
	if o.last != nil {
		return o.last
	}
	s := o.source.Shape
	from := x
	if s.W == 1 {
		from = region.Interval{Lo: 0, Hi: 1}
	}
	if s.H == 1 {
		y = 0
	}
	row := o.source.Row(y, from.Lo, from.Hi, o.buf)
	if len(row) != x.Len()*c {
		row = spread(o.spread, row, x.Len(), c, s.C)
	}
	if s.H == 1 {
		o.last = row
	}
	return row
}

// spread repeats cells of n channels, or a single one of them, until there are
// w cells of c channels.
func spread(dst, cells []float32, w, c, n int) []float32 {
	for x := range w {
		from := cells[:n]
		if len(cells) > n {
			from = cells[x*n:][:n]
		}
		to := dst[x*c : (x+1)*c]
		if n == c {
			copy(to, from)
		} else {
			fill(to, from[0])
		}
	}
	return dst
}
