package cpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// Base implements operators.Program. Local layers are cut into bands of rows,
// one for each thread; no result depends on where they are cut.
func (p *Program) Base(ctx context.Context, image *tensor.Dense, threads int) (*operators.Views, error) {
	in := p.net.Input().Shape
	if s := image.Shape(); len(s) != 3 || s[0] != in.H || s[1] != in.W || s[2] != in.C {
		return nil, fmt.Errorf("image of %v for a network that takes %s", image.Shape(), in)
	}
	if image.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("image of %s values for a network that takes float32", image.Dtype())
	}
	views := &operators.Views{Layers: make([]*tensor.Dense, len(p.net.Layers)), Sums: make([][]float32, len(p.net.Layers))}
	views.Layers[0] = image
	workers := make([]*worker, max(threads, 1))
	for i := range workers {
		workers[i] = p.newWorker()
		defer workers[i].watch(ctx)()
		defer workers[i].Release()
	}
	for i, l := range p.net.Layers {
		if c, ok := l.Op.(network.Const); ok {
			views.Layers[i] = c.Value
		}
		if p.kernels[i] == nil {
			continue
		}
		s := l.Shape
		out := make([]float32, s.Len())
		if d, ok := p.kernels[i].(*dense); ok && d.linear(l.In[0].Shape) {
			views.Sums[i] = make([]float32, s.Len())
		}
		start := time.Now()
		bands, err := p.compute(ctx, workers, l, views.Tile, out, views.Sums[i])
		if err != nil {
			return nil, err
		}
		done := share(l, s.Whole())
		done.Nanos = time.Since(start).Nanoseconds() * int64(bands)
		workers[0].stats[i].Add(done)
		views.Layers[i] = tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(out))
	}
	for _, w := range workers {
		views.Stats = views.Stats.Plus(w.Stats())
	}
	return views, nil
}

// compute runs the whole of a layer into out, from the values that the function
// gives of the layers below by their Index, and tells in how many bands.
func (p *Program) compute(ctx context.Context, workers []*worker, l *network.Layer, values func(int) operators.Tile, out, sums []float32) (bands int, err error) {
	whole := task{out: operators.WholeTile(l.Shape, out), sums: sums, in: make([]operators.Source, len(l.In))}
	for j, in := range l.In {
		whole.in[j] = operators.Source{Shape: in.Shape, View: values(in.Index)}
	}
	cut := p.cut(l, len(workers))
	err = p.runBands(workers, l, cut, whole)
	switch {
	case err == nil:
		return len(cut), nil
	case ctx.Err() != nil:
		return 0, context.Cause(ctx)
	}
	return 0, fmt.Errorf("%s: %w", l, err)
}

// bandWork is the least that a band is worth a goroutine for, in multiply-adds or
// element steps.
const bandWork = 1 << 18

// cut divides a layer's output into at most n bands of rows, at multiples of
// what its kernel computes together.
func (p *Program) cut(l *network.Layer, n int) []region.Rect {
	s := l.Shape
	work := l.Work(s.Whole())
	if n = min(n, int((work.MACs+work.Steps)/bandWork)); n <= 1 || isGlobal(l) {
		return []region.Rect{s.Whole()}
	}
	grain := 1
	if g, ok := p.kernels[l.Index].(grainy); ok {
		grain = g.grain()
	}
	units := (s.H + grain - 1) / grain
	n = min(n, units)
	bands := make([]region.Rect, n)
	for i := range bands {
		lo, hi := i*units/n*grain, min((i+1)*units/n*grain, s.H)
		bands[i] = region.Of(0, lo, s.W, hi-lo)
	}
	return bands
}

// isGlobal tells whether a single output cell needs the whole input.
func isGlobal(l *network.Layer) bool {
	switch l.Op.(type) {
	case network.InstanceNorm, network.Unflatten, network.Reshaped, network.Function:
		return true
	}
	return false
}

// runBands computes the whole of a layer, a goroutine for each band.
func (p *Program) runBands(workers []*worker, l *network.Layer, bands []region.Rect, whole task) error {
	k := p.kernels[l.Index]
	errs := make([]error, len(bands))
	var wg sync.WaitGroup
	for i, band := range bands {
		wg.Go(func() {
			defer defect.Recover(&errs[i])
			t := whole
			t.out = whole.out.Sub(band)
			errs[i] = k.forward(workers[i], []task{t})
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
