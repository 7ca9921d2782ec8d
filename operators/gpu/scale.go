package gpu

import (
	"slices"

	"occlude/operators"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// largestOf is where the largest value of a layer's view is, zero where it is not known.
func (r *resident) largestOf(layer int) driver.Pointer {
	if !r.measured[layer] {
		return 0
	}
	return r.largest.at + driver.Pointer(4*layer)
}

// unmeasured makes the views' largest values zero, of a program that uses any.
func (w *worker) unmeasured(r *resident) (err error) {
	p := w.program
	if !p.tensor() {
		return nil
	}
	if r.largest == nil {
		if r.largest, err = r.heap.take(p.largestBytes()); err != nil {
			return err
		}
	}
	return w.queue.upload(r.largest.at, make([]byte, r.largest.bytes))
}

// measure queues what finds the largest value of a layer's view, or constant map, if that is
// there and used.
func (w *worker) measure(r *resident, layer int) error {
	p := w.program
	from := p.view(r, layer)
	if !p.scaled[layer] || from == 0 {
		return nil
	}
	r.measured[layer] = true
	values := int64(p.net.Layers[layer].Shape.Len())
	a := &kernels.Largest{From: from, Values: kernels.Int(values), To: r.largestOf(layer)}
	return w.launch(a, [3]int{blocks(values), 1, 1})
}

// again computes the positions of a batch once more, without tensor cores, that came to
// something that is not a number. So does every value that does not fit: split into two, it
// is an infinite one and what that is too much. No layer hides one, so whoever depends on it
// is found; and who is not a number by the definitions is no other afterwards.
func (w *worker) again(views *operators.Views, batch []operators.Update, base bool) error {
	var some []operators.Update
	for _, u := range batch {
		if slices.ContainsFunc(u.Out, func(v float32) bool { return v != v }) {
			some = append(some, u)
		}
	}
	if len(some) == 0 {
		return nil
	}
	w.plain = true
	if base {
		w.views.plain = true
	}
	if err := w.queue.open(w.queue.ctx, w.program); err != nil {
		return err
	}
	return w.batch(views, some, base)
}
