package cpu

import (
	"fmt"
	"math"

	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// What layers add to the estimates of updates that want them: see package
// compensation for the terms. Each is summed row by row from the top of the
// task, so that it does not depend on the other tasks, nor on how kernels divide
// their work. Activations' terms and those of max pools are added by the kernels
// that compute them, as long as the values are at hand; all others here.

// checkEstimates tells whether a batch's updates want estimates that the views
// can give.
func (p *Program) checkEstimates(views *operators.Views, batch []operators.Update) error {
	for b := range batch {
		n := len(batch[b].Estimates)
		switch {
		case (n > 0) != (len(batch[0].Estimates) > 0):
			return fmt.Errorf("update %d of the batch: estimates are wanted of some updates, not of all", b)
		case n == 0:
		case views == nil || views.Compensation == nil:
			return fmt.Errorf("update %d of the batch: estimates without a compensation", b)
		case n != len(views.Compensation.Values):
			return fmt.Errorf("update %d of the batch: room for %d estimates of %d objectives", b, n, len(views.Compensation.Values))
		case len(views.Compensation.Layers) != len(p.net.Layers):
			return fmt.Errorf("a compensation of %d layers for a network of %d", len(views.Compensation.Layers), len(p.net.Layers))
		}
	}
	return nil
}

// begin sets a position's estimates to what its patch does to first order.
func (w *worker) begin(views *operators.Views, u *operators.Update) {
	c := views.Compensation
	copy(u.Estimates, c.Values)
	s := w.program.net.Input().Shape
	w.change(operators.Source{Shape: s, Update: u.Patch}, s.Whole(), operators.WholeTile(s, c.Image), c.Gradients, u.Estimates, 1)
}

// change adds to the estimates the sum of gradients times what changed of a
// source inside a rectangle, times sign.
func (w *worker) change(s operators.Source, r region.Rect, clean operators.Tile, gradients [][]float32, estimates []float64, sign float64) {
	r = s.Update.Rect.Intersect(r)
	if r.Empty() {
		return
	}
	set := w.program.set
	buf := w.scratch(r.W() * s.Shape.C)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		unlimited(set, simd.Subtract, buf.data, s.Update.Row(y, r.X.Lo, r.X.Hi), clean.Row(y, r.X.Lo, r.X.Hi))
		at := (y*s.Shape.W + r.X.Lo) * s.Shape.C
		for k, g := range gradients {
			estimates[k] += sign * set.Dot(buf.data, g[at:])
		}
	}
	w.release(buf)
}

// depart adds the terms of a layer that its kernel does not add.
func (w *worker) depart(t *task) {
	d := t.departure
	if d.Product != nil {
		w.product(t)
	}
	if b := d.Balance; b != nil {
		shape := t.shape
		out := operators.Source{Shape: shape, Update: t.out}
		w.change(out, t.out.Rect, operators.WholeTile(shape, b.Clean), b.Out, t.estimates, 1)
		for j, s := range t.in {
			if b.Edges[j] != nil {
				w.change(s, s.Shape.Whole(), operators.WholeTile(s.Shape, b.Inputs[j]), b.Edges[j], t.estimates, -1)
			}
		}
	}
	if e := d.End; e != nil && !e.Before {
		w.end(t, t.out.Cell(0, 0))
	}
}

// end adds the terms of the last values z.
func (w *worker) end(t *task, z []float32) {
	buf := w.scratch(len(z))
	t.departure.End.Depart(z, buf.data, t.estimates)
	w.release(buf)
}

// product adds the products of what changed of both inputs.
func (w *worker) product(t *task) {
	p := t.departure.Product
	r := t.out.Rect
	for _, s := range t.in {
		u := s.Update.Rect
		if s.Shape.H != t.shape.H && !u.Empty() {
			u.Y = r.Y
		}
		if s.Shape.W != t.shape.W && !u.Empty() {
			u.X = r.X
		}
		r = r.Intersect(u)
	}
	if r.Empty() {
		return
	}
	set := w.program.set
	n := r.W() * t.shape.C
	buf := w.scratch(8 * n)
	defer w.release(buf)
	part := func(i int) []float32 { return buf.data[i*n : (i+1)*n] }
	var now, clean [2]operand
	for j, s := range t.in {
		now[j] = operand{source: s, buf: part(4 * j), spread: part(4*j + 1)}
		before := operators.Source{Shape: s.Shape, View: operators.WholeTile(s.Shape, p.Clean[j])}
		clean[j] = operand{source: before, buf: part(4*j + 2), spread: part(4*j + 3)}
	}
	changes := w.scratch(2 * n)
	defer w.release(changes)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		for j := range now {
			c := t.shape.C
			unlimited(set, simd.Subtract, changes.data[j*n:(j+1)*n], now[j].row(y, r.X, c), clean[j].row(y, r.X, c))
		}
		unlimited(set, simd.Multiply, changes.data[:n], changes.data[:n], changes.data[n:])
		at := (y*t.shape.W + r.X.Lo) * t.shape.C
		for k, g := range p.Gradients {
			t.estimates[k] += set.Dot(changes.data[:n], g[at:])
		}
	}
}

// clamp applies an activation that is a clamp to a row of a task's output that
// begins with the cell (y, x), and adds its term.
func (w *worker) clamp(t *task, y, x int, row []float32, low, high float32) {
	set := w.program.set
	at := (y*t.shape.W + x) * t.shape.C
	marked := t.departure.Clamp
	last := len(marked) - 1
	if last > 0 {
		buf := w.scratch(len(row))
		for k, g := range marked[:last] {
			t.estimates[k] += set.ClampDeparture(buf.data, row, g[at:], low, high)
		}
		w.release(buf)
	}
	t.estimates[last] += set.ClampDeparture(row, row, marked[last][at:], low, high)
}

// tangent adds the term of an activation that made the row out of in.
func (w *worker) tangent(t *task, y, x int, out, in []float32) {
	set := w.program.set
	d := t.departure.Tangent
	if d == nil {
		return
	}
	at := (y*t.shape.W + x) * t.shape.C
	buf := w.scratch(len(out))
	copy(buf.data, out)
	set.TangentDeparture(buf.data, in, d.Slopes[at:], d.Offsets[at:])
	for k, g := range d.Gradients {
		t.estimates[k] += set.Dot(buf.data, g[at:])
	}
	w.release(buf)
}

// unlimited is an operation without limits.
func unlimited(set *simd.Set, op simd.Operation, out, a, b []float32) {
	inf := float32(math.Inf(1))
	set.Combine(op, out, a, b, -inf, inf)
}
