package cpu

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// Pools work one axis after the other: the rows of a window are folded into one
// row, then that row's columns into cells. Cells outside the map are left out.

// maxPool takes the largest value of each window.
type maxPool struct{ win network.Window }

func (k maxPool) forward(w *worker, tasks []task) error {
	return slide(w, tasks, k.win, float32(math.Inf(-1)), maxRow, func(_, _ int, _ []float32) {})
}

// averagePool takes the mean of each window.
type averagePool struct{ op network.Pool }

func (k averagePool) forward(w *worker, tasks []task) error {
	if len(tasks) == 0 {
		return nil
	}
	in := tasks[0].in[0].Shape
	return slide(w, tasks, k.op.Window, 0, addRow, func(y, x int, cell []float32) {
		n := float32(k.count(k.op.Y, y, in.H, k.op.After.Y) * k.count(k.op.X, x, in.W, k.op.After.X))
		for i := range cell {
			cell[i] /= n
		}
	})
}

// count is the number of taps along an axis of n cells that the average at
// output index o divides by. Those behind the padding, which rounding the size
// up brings in, never count.
func (k averagePool) count(win region.Window, o, n, after int) int {
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

// slide folds the cells of every window, starting with none, and lets finish
// have the last word on each output cell.
func slide(w *worker, tasks []task, win network.Window, none float32, fold func(dst, src []float32), finish func(y, x int, cell []float32)) error {
	for _, t := range tasks {
		r, s := t.out.Rect, t.in[0]
		read := win.X.Input(r.X).Clip(s.Shape.W)
		column := w.scratch(read.Len() * s.Shape.C)
		buf := w.scratch(read.Len() * s.Shape.C)
		err := slideRows(w, t, win, none, fold, finish, read, column.data, buf.data)
		w.release(buf)
		w.release(column)
		if err != nil {
			return err
		}
	}
	return nil
}

func slideRows(w *worker, t task, win network.Window, none float32, fold func(dst, src []float32), finish func(y, x int, cell []float32), read region.Interval, column, buf []float32) error {
	r, s := t.out.Rect, t.in[0]
	c := s.Shape.C
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		if w.stopped() {
			return errStopped
		}
		foldRows(s, win.Y, y, none, fold, read, column, buf)
		row := t.out.Row(y, r.X.Lo, r.X.Hi)
		for x := r.X.Lo; x < r.X.Hi; x++ {
			cell := row[(x-r.X.Lo)*c:][:c]
			taps := inside(win.X, x, 0, s.Shape.W)
			first := x*win.X.Stride - win.X.Pad - read.Lo
			fill(cell, none)
			for i := taps.Lo; i < taps.Hi; i++ {
				fold(cell, column[(first+i*win.X.Dilation)*c:][:c])
			}
			finish(y, x, cell)
		}
	}
	return nil
}

// foldRows folds the rows under the windows of output row y into column.
func foldRows(s operators.Source, win region.Window, y int, none float32, fold func(dst, src []float32), read region.Interval, column, buf []float32) {
	fill(column, none)
	if read.Empty() {
		return
	}
	taps := inside(win, y, 0, s.Shape.H)
	for i := taps.Lo; i < taps.Hi; i++ {
		fold(column, s.Row(y*win.Stride-win.Pad+i*win.Dilation, read.Lo, read.Hi, buf))
	}
}

func maxRow(dst, src []float32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] = max(dst[i], src[i])
	}
}

func addRow(dst, src []float32) {
	src = src[:len(dst)]
	for i := range dst {
		dst[i] += src[i]
	}
}
