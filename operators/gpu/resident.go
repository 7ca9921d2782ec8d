package gpu

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"gorgonia.org/tensor"

	"occlude/internal/defect"
	"occlude/operators"
	"occlude/operators/gpu/driver"
)

// resident is the views of one image on the device. It implements operators.Resident.
type resident struct {
	heap   *heap
	layers []*buffer // by Index, nil where the view was not kept
	sums   []*buffer // of layers that are linear, before their activation
	// largest holds the bits of the largest finite |value| of each layer's view, of those that
	// are measured; it is kept as long as some view is.
	largest  *buffer
	measured []bool
	// plain tells that the image is not computed on tensor cores.
	plain bool
}

func newResident(p *Program) *resident {
	n := len(p.net.Layers)
	return &resident{heap: p.device.heap, layers: make([]*buffer, n), sums: make([]*buffer, n), measured: make([]bool, n)}
}

// Bytes implements operators.Resident.
func (r *resident) Bytes() int64 {
	n := r.largest.size()
	for i := range r.layers {
		n += r.layers[i].size() + r.sums[i].size()
	}
	return n
}

// Drop implements operators.Resident. The memory goes when no other views share it.
func (r *resident) Drop(keep func(layer int) bool) {
	for i := range r.layers {
		if !keep(i) {
			r.layers[i].release()
			r.sums[i].release()
			r.layers[i], r.sums[i] = nil, nil
		}
	}
	if !slices.ContainsFunc(r.layers, func(b *buffer) bool { return b != nil }) {
		r.largest.release()
		r.largest, r.measured = nil, make([]bool, len(r.layers))
	}
}

// Shared implements operators.Resident.
func (r *resident) Shared() operators.Resident {
	shared := *r
	shared.layers, shared.sums = slices.Clone(r.layers), slices.Clone(r.sums)
	shared.largest.share()
	for i := range shared.layers {
		shared.layers[i].share()
		shared.sums[i].share()
	}
	return &shared
}

// nothing is what keeps no view.
func nothing(int) bool { return false }

// view is where layer i's view lies, zero where there is none. Constants are the
// program's.
func (p *Program) view(r *resident, i int) driver.Pointer {
	if c := p.consts[i]; c != nil {
		return c.at
	}
	if r == nil {
		return 0
	}
	return r.layers[i].pointer()
}

// Base implements operators.Program: a batch of one position at which everything
// changes, and whose updates are the views. The device needs no threads. Layers of the
// views holds the image, the constants and the output; the rest is Resident.
func (p *Program) Base(ctx context.Context, image *tensor.Dense, _ int) (views *operators.Views, err error) {
	defer defect.Recover(&err)
	in := p.net.Input().Shape
	if s := image.Shape(); len(s) != 3 || s[0] != in.H || s[1] != in.W || s[2] != in.C {
		return nil, fmt.Errorf("image of %v for a network that takes %s", image.Shape(), in)
	}
	if image.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("image of %s values for a network that takes float32", image.Dtype())
	}
	n := len(p.net.Layers)
	views = &operators.Views{Layers: make([]*tensor.Dense, n), Sums: make([][]float32, n)}
	out := p.net.Output
	score := make([]float32, out.Shape.Len())
	u := operators.Update{Patch: operators.WholeTile(in, image.Data().([]float32)), Rects: p.wholes(), Out: score}
	w := p.newWorker()
	defer w.Release()
	r := newResident(p)
	if err := w.run(ctx, views, r, []operators.Update{u}, true); err != nil {
		r.Drop(nothing)
		return nil, err
	}
	for i, l := range p.net.Layers {
		if p.consts[i] != nil {
			views.Layers[i] = constant(l)
		}
	}
	views.Layers[0], views.Resident, views.Stats = image, r, w.Stats()
	if views.Layers[out.Index] == nil {
		views.Layers[out.Index] = dense3(out.Shape.H, out.Shape.W, out.Shape.C, score)
	}
	return views, nil
}

// View copies the view of a layer to the host; nil where it was not kept.
func (p *Program) View(ctx context.Context, views *operators.Views, layer int) (t *tensor.Dense, err error) {
	defer defect.Recover(&err)
	if t := views.Layers[layer]; t != nil {
		return t, nil
	}
	r, ok := views.Resident.(*resident)
	if !ok || r.layers[layer] == nil {
		return nil, nil
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	release, err := p.device.bind()
	if err != nil {
		return nil, err
	}
	defer release()
	stream, err := p.device.driver.NewStream()
	if err != nil {
		return nil, p.device.heard(err)
	}
	defer runtime.KeepAlive(r) // else its memory may be given back before it was read
	s := p.net.Layers[layer].Shape
	values := make([]float32, s.Len())
	if err := stream.Download(bytesOf(values), r.layers[layer].at); err != nil {
		_ = stream.Close() // the error is known
		return nil, fmt.Errorf("the view of %s: %w", p.net.Layers[layer], p.device.heard(err))
	}
	return dense3(s.H, s.W, s.C, values), p.device.heard(stream.Close())
}

// allocate takes memory for all views.
func (r *resident) allocate(p *Program) (err error) {
	for i, l := range p.net.Layers {
		if p.consts[i] != nil {
			continue
		}
		bytes := 4 * int64(l.Shape.Len())
		if r.layers[i], err = r.heap.take(bytes); err != nil {
			return fmt.Errorf("the view of %s: %w", l, err)
		}
		if k, ok := p.kernels[i].(*dense); ok && k.linear() {
			if r.sums[i], err = r.heap.take(4 * int64(k.columns)); err != nil {
				return fmt.Errorf("the sums of %s: %w", l, err)
			}
		}
	}
	return nil
}
