package cpu

import (
	"math"
	"unsafe"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// pool takes the largest value or the mean of each window. Cells outside the map
// are left out, so the cells of an output row are of two kinds: inner ones, whose
// windows have all columns and are computed together, and those at the borders,
// each by itself.
type pool struct {
	op  network.Pool
	in  network.Shape
	set *simd.Set
}

// poolScratch is a worker's memory for pools, kept between runs.
type poolScratch struct {
	rows [][]float32 // under the windows of an output row
	taps []unsafe.Pointer
	// departure is an output row's from what it shows on the clean image, nil where
	// nobody wants estimates.
	departure []float32
}

// reads implements reader. What lies outside the map is left out.
func (k pool) reads(out region.Rect) region.Rect {
	return region.Rect{Y: k.op.Y.Input(out.Y).Clip(k.in.H), X: k.op.X.Input(out.X).Clip(k.in.W)}
}

func (k pool) forward(w *worker, tasks []task) error {
	for i := range tasks {
		t := &tasks[i]
		columns := k.op.X.Input(t.out.Rect.X).Clip(k.in.W)
		n := columns.Len() * k.in.C
		buf := w.scratch(k.op.Y.Kernel * n)
		var departure block
		if t.departure != nil {
			departure = w.scratch(t.out.Rect.W() * t.out.C)
		}
		w.pool.departure = departure.data
		err := k.rows(w, t, columns, buf.data, n)
		w.release(buf)
		w.release(departure)
		w.pool.departure = nil
		clear(w.pool.rows[:cap(w.pool.rows)]) // at borders there are fewer than before
		clear(w.pool.taps[:cap(w.pool.taps)])
		if err != nil {
			return err
		}
	}
	return nil
}

// rows computes a task row by row; buf has room for as many rows of n values,
// the columns of the input, as a window has.
func (k pool) rows(w *worker, t *task, columns region.Interval, buf []float32, n int) error {
	r := t.out.Rect
	inner := k.inner().Intersect(r.X)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		if w.stopped() {
			return errStopped
		}
		under := w.pool.rows[:0]
		if taps := inside(k.op.Y, y, 0, k.in.H); n > 0 {
			for i := taps.Lo; i < taps.Hi; i++ {
				under = append(under, t.in[0].Row(y*k.op.Y.Stride-k.op.Y.Pad+i*k.op.Y.Dilation, columns.Lo, columns.Hi, buf[i*n:]))
			}
		}
		w.pool.rows = under
		for x := r.X.Lo; x < r.X.Hi; {
			cells := 1
			if x == inner.Lo && !inner.Empty() {
				cells = inner.Len()
			}
			k.cells(w, t, y, x, cells, columns.Lo)
			x += cells
		}
		if t.departure != nil {
			at := (y*t.shape.W + r.X.Lo) * t.shape.C
			for i, g := range t.departure.Shown.Gradients {
				t.estimates[i] += k.set.Dot(w.pool.departure, g[at:])
			}
		}
	}
	return nil
}

// inner is the interval of output columns whose windows have all columns.
func (k pool) inner() region.Interval {
	a := k.op.X
	last := k.in.W - 1 - (a.Kernel-1)*a.Dilation + a.Pad // where the last window begins at most, in the padded map
	if last < 0 {
		return region.Interval{}
	}
	return region.Interval{Lo: (a.Pad + a.Stride - 1) / a.Stride, Hi: last/a.Stride + 1}
}

// cells computes cells of output row y from column x on, whose windows have the
// same columns; the worker's rows begin with column first.
func (k pool) cells(w *worker, t *task, y, x, cells, first int) {
	taps := w.pool.taps[:0]
	across := inside(k.op.X, x, 0, k.in.W)
	for _, row := range w.pool.rows {
		for i := across.Lo; i < across.Hi; i++ {
			at := x*k.op.X.Stride - k.op.X.Pad + i*k.op.X.Dilation - first
			taps = append(taps, unsafe.Pointer(&row[at*k.in.C]))
		}
	}
	w.pool.taps = taps
	n := k.count(k.op.Y, y, k.in.H, k.op.After.Y) * k.count(k.op.X, x, k.in.W, k.op.After.X)
	row := t.out.Row(y, x, x+cells)
	p := simd.Pool{Taps: taps, Step: k.op.X.Stride * k.in.C * 4, Out: unsafe.Pointer(&row[0]), Cells: cells, Channels: k.in.C}
	switch {
	case len(taps) == 0 && k.op.Max:
		fill(row, float32(math.Inf(-1)))
	case len(taps) == 0:
		fill(row, 0/float32(n))
	case k.op.Max:
		k.set.Maximum(p)
	default:
		k.set.Mean(p, 1/float32(n))
	}
	if t.departure == nil {
		return
	}
	departure := w.pool.departure[(x-t.out.Rect.X.Lo)*k.in.C:][:len(row)]
	if len(taps) == 0 {
		clear(departure)
		return
	}
	copy(departure, row)
	p.Out = unsafe.Pointer(&departure[0])
	k.set.PoolDeparture(p, t.departure.Shown.Taps[(y*t.shape.W+x)*k.in.C:])
}

// count is the number of taps along an axis of n cells that the mean at output
// index o divides by. Those behind the padding, which rounding the size up
// brings in, never count.
func (k pool) count(win region.Window, o, n, after int) int {
	lo, hi := 0, n
	if k.op.CountPad {
		lo, hi = -win.Pad, n+after
	}
	return inside(win, o, lo, hi).Len()
}

// inside is the interval of the taps of output index o that lie in [lo, hi).
func inside(win region.Window, o, lo, hi int) region.Interval {
	first := o*win.Stride - win.Pad
	i := region.Interval{Lo: 0, Hi: win.Kernel}
	for i.Lo < i.Hi && first+i.Lo*win.Dilation < lo {
		i.Lo++
	}
	for i.Hi > i.Lo && first+(i.Hi-1)*win.Dilation >= hi {
		i.Hi--
	}
	return i
}
