package cpu

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// worker implements operators.Worker.
type worker struct {
	program *Program
	memory  arena
	stop    *atomic.Bool // of the present run
	stats   []operators.LayerStats

	// Reused from batch to batch.
	views     []operators.Tile // by layer
	updates   [][]update       // by layer, by position
	tasks     []task
	sources   []operators.Source
	sums      []float64 // of doubles
	conv      convScratch
	dense     denseScratch
	winograd  winogradScratch
	pool      poolScratch
	depthwise simd.Depthwise
}

// update is what a layer became at one position.
type update struct {
	tile   operators.Tile // what was computed
	around operators.Tile // with the cells around it that readers want
	memory block
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

// Release implements operators.Worker.
func (w *worker) Release() {
	p := w.program
	p.idle.Lock()
	defer p.idle.Unlock()
	p.arenas = append(p.arenas, w.memory)
	w.memory = arena{}
}

// Stats implements operators.Worker.
func (w *worker) Stats() operators.Stats {
	return operators.Stats{Layers: append([]operators.LayerStats(nil), w.stats...), Peak: w.memory.peak + w.notes()}
}

// Run implements operators.Worker.
func (w *worker) Run(ctx context.Context, views *operators.Views, batch []operators.Update) error {
	defer w.watch(ctx)()
	if n := len(w.program.net.Layers); views != nil && len(views.Layers) != n {
		return fmt.Errorf("%d views for %d layers", len(views.Layers), n)
	}
	for b := range batch {
		if err := batch[b].Check(w.program.net, views.Patch(&batch[b])); err != nil {
			return fmt.Errorf("update %d of the batch: %w", b, err)
		}
	}
	if err := w.program.checkEstimates(views, batch); err != nil {
		return err
	}
	w.reset(len(batch))
	defer w.free()
	for b := range batch {
		w.updates[0][b] = update{tile: views.Patch(&batch[b])}
	}
	for i := range w.views {
		w.views[i] = views.Tile(i)
	}
	for b := range batch {
		if len(batch[b].Estimates) > 0 {
			w.begin(views, &batch[b])
		}
	}
	for _, s := range w.program.stages(batch) {
		for lo := 0; lo < len(batch); lo += s.Group {
			if err := w.stage(ctx, s, views, batch, lo, min(lo+s.Group, len(batch))); err != nil {
				return err
			}
		}
	}
	out := w.program.net.Output
	for b := range batch {
		s := operators.Source{Shape: out.Shape, View: w.views[out.Index], Update: w.updates[out.Index][b].tile}
		s.Gather(batch[b].Out, out.Shape.Whole(), 0)
	}
	return nil
}

// stage runs the layers of a stage for the positions from lo up to hi.
func (w *worker) stage(ctx context.Context, s operators.Stage, views *operators.Views, batch []operators.Update, lo, hi int) error {
	for _, l := range w.program.net.Layers[s.From:s.To] {
		err := errStopped
		if !w.stopped() {
			err = w.layer(l, views, batch, lo, hi)
		}
		switch {
		case err == nil:
			w.freeRead(l, lo, hi)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return fmt.Errorf("%s: %w", l, err)
		}
	}
	return nil
}

// layer runs one layer for those of the positions at which it changes.
func (w *worker) layer(l *network.Layer, views *operators.Views, batch []operators.Update, lo, hi int) error {
	i := l.Index
	start := time.Now()
	w.tasks, w.sources = w.tasks[:0], w.sources[:0]
	if need := (hi - lo) * len(l.In); cap(w.sources) < need {
		w.sources = make([]operators.Source, 0, need)
	}
	done := operators.LayerStats{}
	for b := lo; b < hi; b++ {
		r := batch[b].Rects[i]
		if r.Empty() {
			continue
		}
		first := len(w.sources)
		for j, in := range l.In {
			u := w.updates[in.Index][b]
			s := operators.Source{Shape: in.Shape, View: w.views[in.Index], Update: u.tile, Around: u.around}
			if reads := batch[b].Reads; reads != nil && j == 0 && !reads[i].Contains(u.tile.Rect) {
				s.Update, s.Around = u.tile.Sub(reads[i]), operators.Tile{}
			}
			if s.View.Empty() && !s.Update.Rect.Contains(l.Reads(j, r)) {
				return fmt.Errorf("computing %s needs the view of %s, which was not kept", r, in)
			}
			w.sources = append(w.sources, s)
		}
		u := w.room(l, batch[b].Rects)
		w.updates[i][b] = u
		t := task{in: w.sources[first:len(w.sources):len(w.sources)], out: u.tile, base: w.views[i]}
		if !t.base.Empty() {
			t.sums = views.SumsOf(i)
		}
		if e := batch[b].Estimates; len(e) > 0 {
			t.departure, t.estimates, t.shape = views.Compensation.Layers[i], e, l.Shape
		}
		w.tasks = append(w.tasks, t)
		done.Add(share(l, r))
	}
	if len(w.tasks) == 0 {
		return nil
	}
	if err := w.program.kernels[i].forward(w, w.tasks); err != nil {
		return err
	}
	for i := range w.tasks {
		if w.tasks[i].departure != nil {
			w.depart(&w.tasks[i])
		}
	}
	for b := lo; b < hi; b++ {
		if u := &w.updates[i][b]; u.around.Rect != u.tile.Rect {
			surround(u.around, u.tile.Rect, w.views[i], l.Shape)
		}
	}
	done.Nanos = time.Since(start).Nanoseconds()
	w.stats[i].Add(done)
	return nil
}

// room takes memory for a layer's update, and for what is around it in the
// largest rectangle that a reader wants, so that the layer's kernel writes where
// its readers read.
func (w *worker) room(l *network.Layer, rects []region.Rect) update {
	r := rects[l.Index]
	outer := r
	for _, c := range w.program.consumers[l.Index] {
		outer = outer.Union(c.wants(rects[c.layer.Index]))
	}
	if w.views[l.Index].Empty() && !outer.Clip(l.Shape.H, l.Shape.W).Empty() && !r.Contains(outer.Clip(l.Shape.H, l.Shape.W)) {
		outer = r // what is around it in the map is not known; a reader that needs it says so
	}
	memory := w.memory.take(outer.Area() * l.Shape.C)
	around := operators.NewTile(outer, l.Shape.C, memory.data)
	return update{tile: around.Sub(r), around: around, memory: memory}
}

// surround fills a tile around its inner rectangle: from the view, with zeros
// outside of the map.
func surround(around operators.Tile, inner region.Rect, view operators.Tile, s network.Shape) {
	outer := around.Rect
	fillRow := func(y int, x region.Interval) {
		if x.Empty() {
			return
		}
		row := around.Row(y, x.Lo, x.Hi)
		in := x.Clip(s.W)
		if y < 0 || y >= s.H || in.Empty() {
			clear(row)
			return
		}
		left, right := (in.Lo-x.Lo)*s.C, (in.Hi-x.Lo)*s.C
		clear(row[:left])
		copy(row[left:right], view.Row(y, in.Lo, in.Hi))
		clear(row[right:])
	}
	for y := outer.Y.Lo; y < outer.Y.Hi; y++ {
		if y < inner.Y.Lo || y >= inner.Y.Hi {
			fillRow(y, outer.X)
			continue
		}
		fillRow(y, region.Interval{Lo: outer.X.Lo, Hi: inner.X.Lo})
		fillRow(y, region.Interval{Lo: inner.X.Hi, Hi: outer.X.Hi})
	}
}

// share is what computing a rectangle of a layer once counts for, but the time.
func share(l *network.Layer, r region.Rect) operators.LayerStats {
	work := l.Work(r)
	return operators.LayerStats{MACs: work.MACs, Steps: work.Steps, Cells: int64(r.Area()), Runs: 1}
}

// notes is what the worker keeps of positions beside their values, in bytes.
func (w *worker) notes() int64 {
	n := uintptr(cap(w.tasks))*unsafe.Sizeof(task{}) + uintptr(cap(w.sources))*unsafe.Sizeof(operators.Source{})
	for _, u := range w.updates {
		n += uintptr(cap(u)) * unsafe.Sizeof(update{})
	}
	return int64(n)
}

// reset makes room for a batch of n positions.
func (w *worker) reset(n int) {
	layers := len(w.program.net.Layers)
	if len(w.updates) != layers {
		w.views = make([]operators.Tile, layers)
		w.updates = make([][]update, layers)
	}
	for i := range w.updates {
		if cap(w.updates[i]) < n {
			w.updates[i] = make([]update, n)
		}
		w.updates[i] = w.updates[i][:n]
	}
}

// freeRead gives back the memory of the layers that layer l read last, for the
// positions from lo up to hi.
func (w *worker) freeRead(l *network.Layer, lo, hi int) {
	for _, in := range l.In {
		if w.program.lastRead[in.Index] == l.Index {
			w.freeLayer(in.Index, lo, hi)
		}
	}
	if w.program.lastRead[l.Index] == l.Index {
		w.freeLayer(l.Index, lo, hi)
	}
}

func (w *worker) freeLayer(i, lo, hi int) {
	for b := lo; b < hi; b++ {
		w.memory.give(w.updates[i][b].memory)
		w.updates[i][b] = update{}
	}
}

// free gives everything back, also after an error, and lets go of the views.
func (w *worker) free() {
	for i := range w.updates {
		w.freeLayer(i, 0, len(w.updates[i]))
	}
	clear(w.views)
	clear(w.tasks[:cap(w.tasks)])
	clear(w.sources[:cap(w.sources)])
}
