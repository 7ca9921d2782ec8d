package executor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"occlude/operators"
	"occlude/operators/lattice"
	"occlude/operators/region"
	"occlude/planner"
)

// computation computes positions of one heat map, as often as it is asked to. Its
// workers keep their memory from one time to the next.
type computation struct {
	query  *query
	result *HeatMap
	// growing is the map, for those who watch it.
	growing *Growing
	views   *operators.Views
	seen    *operators.Views // those, and others that are kept but not read
	cover   *occluder

	odds     odds
	batchers []*batcher
	done     []bool // positions that were computed
	count    int    // of them
	computed int    // positions, once for each time and way that they were
	fits     int    // positions that a GPU had memory for together when it had not for more, else 0
	silent   bool   // nobody is told of what is computed, nor does it count
	// values are the log-odds of those, by class and position; nil where nobody asks.
	values [][]float64

	// What was held, in bytes: all views here and on a GPU, the gradients while there were
	// any, and by what the map is estimated.
	all, resident, gradients, estimating int64
}

// estimates are log-odds of positions that were computed in one way, less than
// exactly.
type estimates struct {
	rects  planner.Rectangles
	done   []bool      // by position
	values [][]float64 // by class and position
}

// job is a position to compute, an index of Grid.Positions, and how.
type job struct {
	at    int32
	rects *planner.Rectangles
	into  *estimates // of its rectangles; nil for what goes into the map
}

// jobs are positions that are computed alike, for the map or into estimates.
func jobs(positions []int32, rects planner.Rectangles, into *estimates) []job {
	list := make([]job, len(positions))
	for i, at := range positions {
		list[i] = job{at, &rects, into}
	}
	return list
}

// newEstimates is room for estimates.
func (c *computation) newEstimates(rects planner.Rectangles) *estimates {
	return &estimates{rects: rects, done: make([]bool, len(c.done)), values: c.table()}
}

// jobs are those that add to the estimates.
func (e *estimates) jobs(positions []int32) []job { return jobs(positions, e.rects, e) }

// table is room for a value by class and position.
func (c *computation) table() [][]float64 {
	t := make([][]float64, len(c.result.Classes))
	for k := range t {
		t[k] = make([]float64, len(c.done))
	}
	return t
}

func newComputation(q *query, h *HeatMap, views *operators.Views, cover *occluder) *computation {
	if q.plan.Chosen().Device != nil {
		views.Cover = cover.whole() // of which every patch would be a copy
	}
	return &computation{query: q, result: h, growing: grow(h), views: views, cover: cover,
		odds: newOdds(q.plan.Model.Output, q.plan.Net), done: make([]bool, len(h.States))}
}

// run runs the plan.
func (c *computation) run(ctx context.Context) error {
	chosen := c.query.plan.Chosen()
	if progress := c.query.session.Progress; progress != nil {
		progress.Start(c.result.Image, chosen.Positions())
		defer progress.Finish()
		if watcher, ok := progress.(Watcher); ok {
			watcher.Watch(c.growing)
		}
	}
	answer := c.stages
	if chosen.Adaptive != nil {
		answer = c.adapt
	}
	if err := answer(ctx); err != nil {
		return err
	}
	if goals := c.query.plan.Goals; goals.Approximates() && c.result.Quality == nil { // by an exact plan
		c.result.Quality = &Quality{Target: goals.SSIM, Reached: true, Classes: flawless(c.result.Classes)}
	}
	return c.verify(ctx)
}

// stages runs the plan's stages one after the other.
func (c *computation) stages(ctx context.Context) error {
	chosen := c.query.plan.Chosen()
	for _, s := range chosen.Stages {
		start, before := time.Now(), c.stats().MACs()
		positions := s.Order
		if positions == nil {
			positions = planner.InOrder(chosen.Order, c.largest(s.Largest))
		}
		if err := c.compute(ctx, jobs(positions, chosen.Rects, nil), chosen.Batch); err != nil {
			return err
		}
		if s.Enlarge != nil {
			c.enlarge(s.Enlarge)
		}
		c.result.Actual.Stages = append(c.result.Actual.Stages, planner.StageActuals{
			Positions: len(positions), Seconds: time.Since(start).Seconds(), MACs: c.stats().MACs() - before,
		})
	}
	return nil
}

// largest lists those of the n positions with the largest p_drop over all classes
// that were not computed yet.
func (c *computation) largest(n int) []int32 {
	drops := make([]float32, len(c.done))
	for i := range drops {
		for j, m := range c.result.Classes {
			if drop := m.P0 - m.P[i]; j == 0 || drop > drops[i] {
				drops[i] = drop
			}
		}
	}
	var list []int32
	for _, i := range lattice.Largest(drops, n) {
		if !c.done[i] {
			list = append(list, i)
		}
	}
	return list
}

// enlarge fills in what was not computed.
func (c *computation) enlarge(l *lattice.Lattice) {
	c.growing.change(func() {
		for _, m := range c.result.Classes {
			l.Enlarge(m.P)
		}
		for i, done := range c.done {
			if !done {
				c.result.States[i] = Interpolated
			}
		}
	})
}

// compute does jobs in their order with the plan's number of workers, each up to
// batch of them together. No position may come twice with the same rectangles.
// What a position becomes depends on them alone. After an error those that are done
// are marked so all the same.
func (c *computation) compute(ctx context.Context, list []job, batch int) error {
	if len(list) == 0 {
		return nil
	}
	p := c.query.plan
	progress := c.query.session.Progress
	if c.silent {
		progress = nil
	}
	workers := min(max(1, p.Threads), len(list))
	for len(c.batchers) < workers {
		c.batchers = append(c.batchers, c.newBatcher())
	}
	if c.fits > 0 {
		batch = min(batch, c.fits)
	}
	share := &share{total: len(list), batch: max(1, min(batch, p.Chosen().Batch)), workers: workers, first: c.first(list)}
	done, err := share.deal(ctx, func(ctx context.Context, worker, from, to int) error {
		if err := c.batchers[worker].run(ctx, list[from:to], share); err != nil {
			return err
		}
		if progress != nil {
			progress.Add(to - from)
		}
		return nil
	})
	c.fits = share.fits
	c.count = marked(c.done)
	if !c.silent {
		c.computed += done
	}
	if err != nil {
		return c.query.interrupted(ctx, err, c.result.Image, c.computed)
	}
	return nil
}

// first is how many jobs at the front of a list are those that a map begins with, if it
// goes from coarse to fine.
func (c *computation) first(list []job) int {
	levels := c.query.plan.Chosen().Levels
	if levels == nil || c.count > 0 {
		return 0
	}
	n := 0
	for n < len(list) && levels.Coarsest(list[n].at) {
		n++
	}
	return n
}

// marked counts marks.
func marked(marks []bool) int {
	n := 0
	for _, m := range marks {
		if m {
			n++
		}
	}
	return n
}

// partial makes a map of what is known when an error has ended the computation: nothing,
// unless a context's end is that error and some position was computed.
func (c *computation) partial(err error) bool {
	h := c.result
	if stopped := (*Interrupted)(nil); !errors.As(err, &stopped) || h.Count(Missing) == len(h.States) {
		return false
	}
	c.growing.change(h.fill) // of several images the last one may still be watched
	h.Partial = true
	return true
}

// stats sums up what the workers did so far.
func (c *computation) stats() (sum operators.Stats) {
	for _, b := range c.batchers {
		sum = sum.Plus(b.worker.Stats())
	}
	return sum
}

// account writes what was done into the result.
func (c *computation) account() {
	a := &c.result.Actual
	a.Positions, a.Updates = c.computed, c.stats()
	a.Memory, a.OnDevice = c.memory(), c.deviceMemory()
	a.PeakBytes = a.Memory.Total()
}

// release leaves the workers' memory to those of the next image.
func (c *computation) release() {
	for _, b := range c.batchers {
		b.worker.Release()
	}
}

// batcher fills one worker's batches.
type batcher struct {
	*computation
	worker operators.Worker

	updates []operators.Update
	rects   [][]region.Rect
	reads   [][]region.Rect
	exact   []bool
	patches [][]float32
	scores  [][]float32
	// estimates are by position of the batch and class; nil where nobody asks.
	estimates [][]float64
}

func (c *computation) newBatcher() *batcher {
	p := c.query.plan
	size := p.Chosen().Batch
	b := &batcher{
		computation: c, worker: c.query.program.NewWorker(),
		updates: make([]operators.Update, size), rects: make([][]region.Rect, size), reads: make([][]region.Rect, size), exact: make([]bool, size),
		patches: make([][]float32, size), scores: make([][]float32, size),
	}
	for i := range size {
		if c.views.Cover == nil {
			b.patches[i] = make([]float32, p.Grid.PatchW*p.Grid.PatchH*c.cover.shape.C)
		}
		b.scores[i] = make([]float32, p.Net.Output.Shape.Len())
	}
	return b
}

// run does a batch of jobs, in halves where a GPU has too little memory left for all.
func (b *batcher) run(ctx context.Context, list []job, s *share) error {
	err := b.together(ctx, list)
	if len(list) == 1 || !scarce(err) {
		return err
	}
	half := (len(list) + 1) / 2
	s.shrink(half)
	for part := range slices.Chunk(list, half) {
		if err := b.run(ctx, part, s); err != nil {
			return err
		}
	}
	return nil
}

// together does a batch of jobs.
func (b *batcher) together(ctx context.Context, list []job) error {
	p := b.query.plan
	// Where one of them is a sketch the others are estimated, too, for a batch is
	// of one kind; of those that leave nothing out the estimate is what it is.
	estimates := slices.ContainsFunc(list, func(j job) bool { return j.into != nil })
	for i, j := range list {
		patch := p.Grid.Rect(p.Grid.Positions[j.at])
		b.rects[i], b.exact[i] = j.rects.At(p.Net, patch, b.rects[i])
		tile := operators.Tile{Rect: patch} // of the views' cover
		if b.views.Cover == nil {
			tile = operators.NewTile(patch, b.cover.shape.C, b.patches[i])
			b.cover.patch(patch, tile)
		}
		b.reads[i] = j.rects.Reads(p.Net, b.rects[i], b.reads[i])
		b.updates[i] = operators.Update{Patch: tile, Rects: b.rects[i], Reads: b.reads[i], Out: b.scores[i]}
		if estimates {
			b.updates[i].Estimates = b.estimate(i)
		}
	}
	err := b.worker.Run(ctx, b.views, b.updates[:len(list)])
	if err != nil {
		return b.query.session.onDevice(ctx, p, err)
	}
	b.growing.change(func() { err = b.keepAll(list) })
	return err
}

// keepAll puts what the jobs of a batch came to where it belongs.
func (b *batcher) keepAll(list []job) error {
	for i, j := range list {
		if j.into != nil {
			for k, v := range b.estimates[i] {
				j.into.values[k][j.at] = b.odds.from(v)
			}
			j.into.done[j.at] = true // of this worker alone
			continue
		}
		if err := b.keep(i, j.at); err != nil {
			return err
		}
	}
	return nil
}

// keep puts the scores of the i-th job into the map.
func (b *batcher) keep(i int, at int32) error {
	p := b.query.plan
	for k := range b.result.Classes {
		c := &b.result.Classes[k]
		v := b.scores[i][c.ID]
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			pos := p.Grid.Positions[at]
			return unusable{fmt.Errorf("model %q gives %v for class %s with the patch at (%d, %d)", p.Model.Name, v, c.Label, pos.X, pos.Y)}
		}
		c.P[at] = v
		if b.values != nil {
			b.values[k][at] = b.odds.of(b.scores[i], c.ID)
		}
	}
	b.result.States[at] = Approximate
	if b.exact[i] {
		b.result.States[at] = Exact
	}
	b.done[at] = true
	return nil
}

// estimate is room for the estimates of the i-th position of a batch.
func (b *batcher) estimate(i int) []float64 {
	for len(b.estimates) <= i {
		b.estimates = append(b.estimates, make([]float64, len(b.result.Classes)))
	}
	return b.estimates[i]
}
