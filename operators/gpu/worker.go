package gpu

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// worker implements operators.Worker: a stream, an arena, and what one batch at a time
// needs on the host. Two workers keep a device busy: while one's batch is on its way, the
// other's is computed.
type worker struct {
	program *Program
	queue   queue
	arena   *buffer
	peak    int64
	stats   []operators.LayerStats

	// Of the present batch.
	layout *layout
	data   []driver.Pointer // of layers' updates, by Index
	views  *resident
	plain  bool // without tensor cores

	// Reused from batch to batch.
	upload, scores *host
	cover          cover
	host           hostViews
}

// cover is an image that patches are cut from, on the device.
type cover struct {
	of *tensor.Dense
	at *buffer
}

// hostViews are views that came in host memory, on the device.
type hostViews struct {
	of *operators.Views
	at *resident
}

// forget lets go of the copies.
func (h hostViews) forget() {
	if h.at != nil {
		h.at.Drop(nothing)
	}
}

// Stats implements operators.Worker.
func (w *worker) Stats() operators.Stats {
	d := w.queue.counts
	d.Peak = w.peak
	return operators.Stats{Layers: append([]operators.LayerStats(nil), w.stats...), Peak: w.upload.size() + w.scores.size(), Device: d}
}

// Release implements operators.Worker.
func (w *worker) Release() {
	w.program.keep(w.arena)
	w.cover.at.free()
	w.host.forget()
	w.upload.free()
	w.scores.free()
	w.arena, w.cover, w.host, w.upload, w.scores = nil, cover{}, hostViews{}, nil, nil
	w.queue.close(w.program.device)
}

// Run implements operators.Worker.
func (w *worker) Run(ctx context.Context, views *operators.Views, batch []operators.Update) (err error) {
	defer defect.Recover(&err)
	if len(batch) == 0 {
		return nil
	}
	if views != nil && len(views.Layers) != len(w.program.net.Layers) {
		return fmt.Errorf("%d views for %d layers", len(views.Layers), len(w.program.net.Layers))
	}
	return w.run(ctx, views, nil, batch, false)
}

// run computes a batch. In the base pass, that of views to come, updates go where into
// says; else into is nil.
func (w *worker) run(ctx context.Context, views *operators.Views, into *resident, batch []operators.Update, base bool) (err error) {
	p := w.program
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	release, err := p.device.bind()
	if err != nil {
		return err
	}
	defer release()
	defer func() { err = p.device.heard(err) }()
	if err := w.queue.open(ctx, p); err != nil {
		return err
	}
	w.views = into
	defer func() { w.views, w.layout = nil, nil }()
	if err = w.compute(views, batch, base); err != nil {
		// What is queued still reads and writes; nothing may be given away before.
		if waited := w.queue.stream.Wait(); waited != nil && !errors.Is(err, waited) && ctx.Err() == nil {
			err = errors.Join(err, waited)
		}
	}
	if p.device.heard(err) != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// compute is run, bound to the device. Where it fails it may leave something queued.
func (w *worker) compute(views *operators.Views, batch []operators.Update, base bool) error {
	p := w.program
	if base {
		if err := w.views.allocate(p); err != nil {
			return err
		}
	} else if err := w.bring(views); err != nil {
		return err
	}
	w.plain = w.views != nil && w.views.plain
	if err := w.batch(views, batch, base); err != nil || w.plain || !p.tensor() {
		return err
	}
	return w.again(views, batch, base)
}

// batch is what is computed at once: everything, or the positions for which tensor cores do not do.
func (w *worker) batch(views *operators.Views, batch []operators.Update, base bool) error {
	p := w.program
	for b := range batch {
		if err := p.check(views, &batch[b], (batch[b].Patch.Data == nil) == (batch[0].Patch.Data == nil)); err != nil {
			return fmt.Errorf("update %d of the batch: %w", b, err)
		}
	}
	if len(batch) > maxPositions {
		return fmt.Errorf("%d positions in a batch, of which a GPU takes %d", len(batch), maxPositions)
	}
	size := p.sizeOf(stretches(batch))
	if !base {
		if err := w.sees(batch, size); err != nil {
			return err
		}
	}
	l, err := p.lay(size, base)
	if err != nil {
		return err
	}
	w.layout = l
	if err := w.room(l.bytes); err != nil {
		return err
	}
	if err := w.send(views, batch, size); err != nil {
		return err
	}
	if err := w.layers(batch, size, base); err != nil {
		return err
	}
	return w.receive(batch)
}

// bring makes the views ready: those that are on the device, or copies of those that are
// not, and the cover.
func (w *worker) bring(views *operators.Views) error {
	p := w.program
	if views == nil {
		return nil
	}
	if c := views.Cover; c != nil && w.cover.of != c {
		s := p.net.Input().Shape
		if c.Dtype() != tensor.Float32 || c.DataSize() != s.Len() {
			return fmt.Errorf("a cover of %v for a network that takes %s", c.Shape(), s)
		}
		at, err := w.put(c)
		if err != nil {
			return fmt.Errorf("the cover: %w", err)
		}
		w.cover.at.free()
		w.cover = cover{c, at}
	}
	if r, ok := views.Resident.(*resident); ok && r.heap == p.device.heap && len(r.layers) == len(p.net.Layers) {
		w.views = r
		return nil
	}
	if w.host.of != views {
		r := newResident(p)
		for i, t := range views.Layers {
			if t == nil || p.consts[i] != nil {
				continue
			}
			if w.queue.ctx.Err() != nil {
				return context.Cause(w.queue.ctx)
			}
			if t.Dtype() != tensor.Float32 || t.DataSize() != p.net.Layers[i].Shape.Len() {
				return fmt.Errorf("a view of %v for %s of %s", t.Shape(), p.net.Layers[i], p.net.Layers[i].Shape)
			}
			var err error
			if r.layers[i], err = w.put(t); err != nil {
				return fmt.Errorf("the view of %s: %w", p.net.Layers[i], err)
			}
		}
		w.host.forget()
		if err := w.unmeasured(r); err != nil {
			return err
		}
		for i := range p.net.Layers {
			if err := w.measure(r, i); err != nil {
				return err
			}
		}
		w.host = hostViews{views, r}
	}
	w.views = w.host.at
	return nil
}

// put copies a map to the device.
func (w *worker) put(t *tensor.Dense) (*buffer, error) {
	values := t.Data().([]float32)
	at, err := w.program.device.heap.take(4 * int64(len(values)))
	if err != nil {
		return nil, err
	}
	return at, w.queue.upload(at.at, bytesOf(values))
}

// room makes the arena large enough, by an eighth more than it was at least.
func (w *worker) room(bytes int64) error {
	if w.arena.size() >= bytes {
		return nil
	}
	bytes = max(bytes, w.arena.size()*9/8)
	w.arena.free()
	w.arena = nil
	arena, err := w.program.device.heap.take(bytes)
	if err != nil {
		return fmt.Errorf("a batch of %d positions: %w", w.layout.size.positions, err)
	}
	w.arena = arena
	w.peak = max(w.peak, arena.bytes)
	return nil
}

// send uploads tables and patches, and says where everything is.
func (w *worker) send(views *operators.Views, batch []operators.Update, size size) error {
	p, l := w.program, w.layout
	w.upload = p.device.heap.room(w.upload, l.uploaded)
	upload := w.upload.memory[:l.uploaded]
	l.tables(p.net, batch, upload)
	c := p.net.Input().Shape.C
	if size.patches {
		to := floats(upload, int(size.cells[0])*c)
		for b := range batch {
			patch := batch[b].Patch
			for y := patch.Rect.Y.Lo; y < patch.Rect.Y.Hi && !patch.Empty(); y++ {
				to = to[copy(to, patch.Row(y, patch.Rect.X.Lo, patch.Rect.X.Hi)):]
			}
		}
	}
	w.data = w.data[:0]
	for i := range l.layers {
		w.data = append(w.data, w.arena.at+driver.Pointer(l.layers[i].at))
	}
	if err := w.queue.upload(w.arena.at, upload); err != nil {
		return fmt.Errorf("%d bytes to the device: %w", len(upload), err)
	}
	if size.patches || size.cells[0] == 0 {
		return nil
	}
	at := l.layers[0]
	a := &kernels.Place{
		Out: kernels.Out{Data: w.data[0], Table: w.table(at.table), Positions: kernels.Int(l.size.positions), Pitch: kernels.Int(c)},
		In:  kernels.Source{View: w.cover.at.at, Table: w.unchanged(), W: kernels.Int(p.net.Input().Shape.W), C: kernels.Int(c)},
		N:   kernels.Int(c), Ending: open,
	}
	return w.launch(a, grid(at.most, c, l.size.positions))
}

// table is where a table of the layout is.
func (w *worker) table(at int64) driver.Pointer { return w.arena.at + driver.Pointer(at) }

// unchanged is the table of layers that change nowhere.
func (w *worker) unchanged() driver.Pointer { return w.table(w.layout.unchanged) }

// layers queues all layers, one after the other.
func (w *worker) layers(batch []operators.Update, size size, base bool) error {
	if base {
		if err := w.unmeasured(w.views); err != nil {
			return err
		}
		for i := range w.data {
			if b := w.views.layers[i]; b != nil && i > 0 {
				w.data[i] = b.at
			}
		}
	}
	if err := w.queue.mark(0); err != nil {
		return err
	}
	for i, l := range w.program.net.Layers {
		switch {
		case i == 0 && base: // the image's view is a copy of the patch
			if err := w.queue.upload(w.views.layers[0].at, bytesOf(batch[0].Patch.Data)); err != nil {
				return err
			}
		case i > 0 && size.cells[i] > 0:
			if err := w.layer(l, base); err != nil {
				if w.queue.ctx.Err() != nil {
					return err
				}
				return fmt.Errorf("%s: %w", l, err)
			}
		}
		if base {
			if err := w.measure(w.views, i); err != nil {
				return err
			}
		}
	}
	return nil
}

// layer queues a layer.
func (w *worker) layer(l *network.Layer, base bool) error {
	p, i := w.program, l.Index
	err := p.steps(l, w.layout.size.batch, w.layout.layers[i].cells, func(s *step, lo, hi int) error {
		w.stats[i].Add(operators.LayerStats{MACs: s.work.MACs, Steps: s.work.Steps, Cells: s.rows, Runs: int64(s.runs)})
		w.fill(s, lo, hi, base)
		if err := p.kernels[i].run(s); err != nil {
			return err
		}
		return w.queue.did(s.cost)
	})
	if err != nil {
		return err
	}
	return w.queue.mark(i)
}

// fill says where a step's positions, from lo up to hi, are.
func (w *worker) fill(s *step, lo, hi int, base bool) {
	l, p := s.layer, w.program
	v := w.layout.layers[l.Index]
	s.launcher, s.size, s.unchanged = w, &w.layout.size, w.unchanged()
	skip := driver.Pointer(int64(lo) * kernels.EntryBytes)
	s.out = kernels.Out{
		Data: w.data[l.Index], Table: w.table(v.table) + skip, Positions: kernels.Int(hi - lo), Pitch: kernels.Int(v.pitch),
	}
	s.source = func(in *network.Layer) kernels.Source {
		from := w.layout.layers[in.Index]
		source := kernels.Source{
			View: p.view(w.views, in.Index), Data: w.data[in.Index], Table: w.table(from.table) + skip,
			W: kernels.Int(in.Shape.W), C: kernels.Int(in.Shape.C), Pitch: kernels.Int(from.pitch),
		}
		if base && p.consts[in.Index] == nil {
			source.View = 0
		}
		return source
	}
	for j, in := range l.In {
		source := s.source(in)
		if j == 0 {
			s.made = source.Table
			if v.reads != 0 {
				source.Table = w.table(v.reads) + skip
			}
		}
		s.in = append(s.in, source)
	}
	s.scratch = w.arena.at + driver.Pointer(v.scratch)
	s.plain = w.plain
	if w.views != nil {
		s.largest = w.views.largestOf(l.In[0].Index)
		s.sums = w.views.sums[l.Index].pointer()
		if !base {
			s.base = w.views.layers[l.Index].pointer()
		}
	}
}

// receive brings the outputs back, all in one piece, and waits for them.
func (w *worker) receive(batch []operators.Update) error {
	p, l := w.program, w.layout
	out := p.net.Output
	n := out.Shape.Len()
	from := w.data[out.Index]
	if l.layers[out.Index].cells != int64(l.size.positions)*int64(out.Shape.Cells()) {
		from = w.arena.at + driver.Pointer(l.outputs)
		c := out.Shape.C
		a := &kernels.Place{
			Out: kernels.Out{Data: from, Table: w.table(l.whole), Positions: kernels.Int(l.size.positions), Pitch: kernels.Int(c)}, N: kernels.Int(c),
			In: kernels.Source{
				View: p.view(w.views, out.Index), Data: w.data[out.Index], Table: w.table(l.layers[out.Index].table),
				W: kernels.Int(out.Shape.W), C: kernels.Int(c), Pitch: kernels.Int(c),
			},
			Ending: open,
		}
		if err := w.launch(a, grid(out.Shape.Cells(), c, l.size.positions)); err != nil {
			return err
		}
	}
	if err := w.queue.finish(); err != nil {
		return err
	}
	down := 4 * n * len(batch)
	w.scores = p.device.heap.room(w.scores, int64(down))
	if err := w.queue.download(w.scores.memory[:down], from); err != nil {
		return fmt.Errorf("%d bytes from the device: %w", down, err)
	}
	scores := floats(w.scores.memory, n*len(batch))
	for b := range batch {
		copy(batch[b].Out, scores[b*n:])
	}
	return w.queue.times(func(layer int, spent time.Duration) { w.stats[layer].Nanos += spent.Nanoseconds() })
}

// launch queues a kernel with its arguments.
func (w *worker) launch(a kernels.Args, grid [3]int) error {
	tile := kernels.TileOf(a.Kernel())
	return w.queue.launch(w.program.ready[a.Kernel()], driver.Launch{Grid: grid, Block: tile.Threads, Shared: tile.Shared, Args: kernels.Words(a)})
}

// constant is the map of a layer that is one.
func constant(l *network.Layer) *tensor.Dense { return l.Op.(network.Const).Value }

// dense3 is a map of values.
func dense3(h, w, c int, values []float32) *tensor.Dense {
	return tensor.New(tensor.WithShape(h, w, c), tensor.WithBacking(values))
}
