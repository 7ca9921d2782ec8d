package cpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// Program is a network with its kernels. It implements operators.Program.
type Program struct {
	net     *network.Network
	kernels []kernel
	// lastRead is, by layer Index, the last layer that reads the layer; the
	// output is read by nobody and kept to the end.
	lastRead []int
}

// Options are how a program computes what any program computes. The zero value
// is the best that this processor has, every convolution direct.
type Options struct {
	// Kernels names a set of loops, see simd.Named; "" is the best one.
	Kernels string
	// Algorithms is how each layer is computed, by Index; nil, or "" for a
	// layer, is Direct.
	Algorithms []operators.Algorithm
}

// New packs the network's weights. The network must be sorted, and must not
// change afterwards.
func New(net *network.Network, o Options) (*Program, error) {
	set := simd.Best()
	if o.Kernels != "" {
		var err error
		if set, err = simd.Named(o.Kernels); err != nil {
			return nil, err
		}
	}
	if n := len(o.Algorithms); n != 0 && n != len(net.Layers) {
		return nil, fmt.Errorf("%d algorithms for %d layers", n, len(net.Layers))
	}
	p := &Program{net: net, kernels: make([]kernel, len(net.Layers)), lastRead: make([]int, len(net.Layers))}
	for i, l := range net.Layers {
		var how operators.Algorithm
		if o.Algorithms != nil {
			how = o.Algorithms[i]
		}
		k, err := newKernel(l, set, how)
		if err != nil {
			return nil, err
		}
		p.kernels[i] = k
		p.lastRead[i] = i
		for _, in := range l.In {
			p.lastRead[in.Index] = i
		}
	}
	p.lastRead[net.Output.Index] = len(net.Layers)
	return p, nil
}

// NewWorker implements operators.Program.
func (p *Program) NewWorker() operators.Worker { return p.newWorker() }

func (p *Program) newWorker() *worker {
	return &worker{program: p, stats: make([]operators.LayerStats, len(p.net.Layers))}
}

// Base implements operators.Program. Local layers are cut into bands of rows,
// one for each thread; a band's result does not depend on where it is cut.
func (p *Program) Base(ctx context.Context, image *tensor.Dense, threads int) (*operators.Views, error) {
	in := p.net.Input().Shape
	if s := image.Shape(); len(s) != 3 || s[0] != in.H || s[1] != in.W || s[2] != in.C {
		return nil, fmt.Errorf("image of %v for a network that takes %s", image.Shape(), in)
	}
	if image.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("image of %s values for a network that takes float32", image.Dtype())
	}
	views := &operators.Views{Layers: make([]*tensor.Dense, len(p.net.Layers))}
	views.Layers[0] = image
	workers := make([]*worker, max(threads, 1))
	for i := range workers {
		workers[i] = p.newWorker()
		defer workers[i].watch(ctx)()
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
		tile := operators.WholeTile(s, out)
		sources := make([]operators.Source, len(l.In))
		for j, r := range l.In {
			sources[j] = operators.Source{Shape: r.Shape, View: views.Tile(r.Index)}
		}
		bands := cut(l, len(workers))
		start := time.Now()
		if err := p.runBands(workers, l, bands, sources, tile); err != nil {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			return nil, fmt.Errorf("%s: %w", l, err)
		}
		count(&workers[0].stats[i], l, s.Whole(), time.Since(start)*time.Duration(len(bands)))
		views.Layers[i] = tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(out))
	}
	for _, w := range workers {
		views.Stats = views.Stats.Plus(w.Stats())
	}
	return views, nil
}

// cut divides a layer's output into bands of rows.
func cut(l *network.Layer, n int) []region.Rect {
	s := l.Shape
	if n = min(n, s.H); n <= 1 || s.Cells() < 64 || isGlobal(l) {
		return []region.Rect{s.Whole()}
	}
	bands := make([]region.Rect, n)
	for i := range bands {
		bands[i] = region.Of(0, i*s.H/n, s.W, (i+1)*s.H/n-i*s.H/n)
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

func (p *Program) runBands(workers []*worker, l *network.Layer, bands []region.Rect, in []operators.Source, out operators.Tile) error {
	k := p.kernels[l.Index]
	if len(bands) == 1 {
		return k.forward(workers[0], []task{{in: in, out: out}})
	}
	errs := make([]error, len(bands))
	var wg sync.WaitGroup
	for i, band := range bands {
		wg.Go(func() {
			defer defect.Recover(&errs[i])
			errs[i] = k.forward(workers[i], []task{{in: in, out: out.Sub(band)}})
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// worker implements operators.Worker.
type worker struct {
	program *Program
	memory  arena
	stop    *atomic.Bool // of the present run
	stats   []operators.LayerStats

	// Reused from batch to batch.
	views   []operators.Tile   // by layer
	patches [][]operators.Tile // by layer, by position
	blocks  []block            // by layer
	tasks   []task
	sources []operators.Source
	vectors [][]float32 // of dense
	sums    []float64   // of doubles
	conv    convScratch
}

// stopped tells whether the context ended. Kernels ask at least every few
// million multiply-adds.
func (w *worker) stopped() bool { return w.stop.Load() }

// watch makes stopped follow the context until the returned function is called.
// Every run has a flag of its own, so that a late call cannot stop the next one.
func (w *worker) watch(ctx context.Context) (done func() bool) {
	stop := new(atomic.Bool)
	stop.Store(ctx.Err() != nil)
	w.stop = stop
	return context.AfterFunc(ctx, func() { stop.Store(true) })
}

// scratch takes a buffer of n values with unspecified contents.
func (w *worker) scratch(n int) block { return w.memory.take(n) }

// doubles is n float64 values with unspecified contents, until the next call.
func (w *worker) doubles(n int) []float64 {
	if cap(w.sums) < n {
		w.sums = make([]float64, n)
	}
	return w.sums[:n]
}

// release gives a scratch buffer back.
func (w *worker) release(b block) { w.memory.give(b) }

// Stats implements operators.Worker.
func (w *worker) Stats() operators.Stats {
	return operators.Stats{Layers: append([]operators.LayerStats(nil), w.stats...), Peak: w.memory.peak}
}

// Run implements operators.Worker.
func (w *worker) Run(ctx context.Context, views *operators.Views, batch []operators.Update) error {
	defer w.watch(ctx)()
	if n := len(w.program.net.Layers); views != nil && len(views.Layers) != n {
		return fmt.Errorf("%d views for %d layers", len(views.Layers), n)
	}
	for b := range batch {
		if err := w.program.check(&batch[b]); err != nil {
			return fmt.Errorf("update %d of the batch: %w", b, err)
		}
	}
	w.reset(len(batch))
	defer w.free()
	for b := range batch {
		w.patches[0][b] = batch[b].Patch
	}
	for i := range w.views {
		w.views[i] = views.Tile(i)
	}
	for _, l := range w.program.net.Layers[1:] {
		err := errStopped
		if !w.stopped() {
			err = w.layer(l, batch)
		}
		switch {
		case err == nil:
			w.freeRead(l)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	out := w.program.net.Output
	for b := range batch {
		s := operators.Source{Shape: out.Shape, View: w.views[out.Index], Update: w.patches[out.Index][b]}
		s.Gather(batch[b].Out, out.Shape.Whole(), 0)
	}
	return nil
}

// check tells whether an update fits the network.
func (p *Program) check(u *operators.Update) error {
	in, out := p.net.Input().Shape, p.net.Output.Shape
	switch {
	case len(u.Rects) != len(p.net.Layers):
		return fmt.Errorf("%d rectangles for %d layers", len(u.Rects), len(p.net.Layers))
	case len(u.Out) != out.Len():
		return fmt.Errorf("room for %d values, but the network gives %d", len(u.Out), out.Len())
	case !u.Patch.Empty() && (u.Patch.C != in.C || !in.Whole().Contains(u.Patch.Rect)):
		return fmt.Errorf("a patch of %d channels, %s, does not lie in an image of %s", u.Patch.C, u.Patch.Rect, in)
	case !u.Patch.Empty() && len(u.Patch.Data) < (u.Patch.Rect.H()-1)*u.Patch.Stride+u.Patch.Rect.W()*u.Patch.C:
		return fmt.Errorf("a patch of %s with %d values", u.Patch.Rect, len(u.Patch.Data))
	}
	for i, l := range p.net.Layers {
		if !l.Shape.Whole().Contains(u.Rects[i]) {
			return fmt.Errorf("a rectangle of %s for %s of %s", u.Rects[i], l, l.Shape)
		}
	}
	return nil
}

// layer runs one layer for the positions at which it changes.
func (w *worker) layer(l *network.Layer, batch []operators.Update) error {
	i := l.Index
	values, changed := 0, 0
	for b := range batch {
		if r := batch[b].Rects[i]; !r.Empty() {
			values += aligned(r.Area() * l.Shape.C)
			changed++
		}
	}
	if changed == 0 {
		return nil
	}
	start := time.Now()
	w.blocks[i] = w.memory.take(values)
	rest := w.blocks[i].data
	w.tasks, w.sources = w.tasks[:0], w.sources[:0]
	need := changed * len(l.In)
	if cap(w.sources) < need {
		w.sources = make([]operators.Source, 0, need)
	}
	work := network.Work{}
	cells := 0
	for b := range batch {
		r := batch[b].Rects[i]
		if r.Empty() {
			continue
		}
		out := operators.NewTile(r, l.Shape.C, rest)
		rest = rest[min(aligned(r.Area()*l.Shape.C), len(rest)):]
		w.patches[i][b] = out
		first := len(w.sources)
		for j, in := range l.In {
			s := operators.Source{Shape: in.Shape, View: w.views[in.Index], Update: w.patches[in.Index][b]}
			if s.View.Empty() && !s.Update.Rect.Contains(l.Reads(j, r)) {
				return fmt.Errorf("computing %s needs the view of %s, which was not kept", r, in)
			}
			w.sources = append(w.sources, s)
		}
		w.tasks = append(w.tasks, task{in: w.sources[first:len(w.sources):len(w.sources)], out: out, base: w.views[i]})
		work = work.Plus(l.Work(r))
		cells += r.Area()
	}
	err := w.program.kernels[i].forward(w, w.tasks)
	s := &w.stats[i]
	s.Nanos += time.Since(start).Nanoseconds()
	s.MACs += work.MACs
	s.Steps += work.Steps
	s.Cells += int64(cells)
	s.Runs += int64(changed)
	return err
}

func count(s *operators.LayerStats, l *network.Layer, r region.Rect, d time.Duration) {
	work := l.Work(r)
	s.Nanos += d.Nanoseconds()
	s.MACs += work.MACs
	s.Steps += work.Steps
	s.Cells += int64(r.Area())
	s.Runs++
}

// reset makes room for a batch of n positions.
func (w *worker) reset(n int) {
	layers := len(w.program.net.Layers)
	if len(w.patches) != layers {
		w.views = make([]operators.Tile, layers)
		w.patches = make([][]operators.Tile, layers)
		w.blocks = make([]block, layers)
	}
	for i := range w.patches {
		if cap(w.patches[i]) < n {
			w.patches[i] = make([]operators.Tile, n)
		}
		w.patches[i] = w.patches[i][:n]
	}
}

// freeRead gives back the memory of the layers that layer l read last.
func (w *worker) freeRead(l *network.Layer) {
	for _, in := range l.In {
		if w.program.lastRead[in.Index] == l.Index {
			w.freeLayer(in.Index)
		}
	}
	if w.program.lastRead[l.Index] == l.Index {
		w.freeLayer(l.Index)
	}
}

func (w *worker) freeLayer(i int) {
	w.memory.give(w.blocks[i])
	w.blocks[i] = block{}
}

// free gives everything back, also after an error, and lets go of the views.
func (w *worker) free() {
	for i := range w.blocks {
		w.freeLayer(i)
	}
	clear(w.views)
	clear(w.tasks[:cap(w.tasks)])
	clear(w.sources[:cap(w.sources)])
	clear(w.vectors[:cap(w.vectors)])
	for _, p := range w.patches {
		clear(p)
	}
}
