package executor

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"occlude/internal/defect"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
)

// occlude runs a heat map query, image by image.
func (s *Session) occlude(ctx context.Context, p *planner.Occlude, emit func(*HeatMap) error) error {
	program, err := s.program(ctx, p.Model, p.Net, p.Kernels, p.Chosen().Algorithms)
	if err != nil {
		return err
	}
	planning := p.Planning.Seconds()
	for _, image := range p.Images {
		q := &query{session: s, plan: p, program: program}
		h, err := q.run(ctx, image)
		if err != nil {
			return err
		}
		// Loading and planning happened once: the first image accounts for them.
		h.Actual.Load, h.Actual.Plan = s.takeLoading(p.Model).Seconds(), planning
		planning = 0
		if err := emit(h); err != nil {
			return err
		}
	}
	return nil
}

// query is one image's heat map in the making.
type query struct {
	session *Session
	plan    *planner.Occlude
	program operators.Program
}

func (q *query) run(ctx context.Context, image string) (*HeatMap, error) {
	start := time.Now()
	p := q.plan
	pixels, normal, err := input(p.Model, image)
	if err != nil {
		return nil, err
	}
	cover, err := newOccluder(p.Fill, p.Model.Spec, pixels)
	if err != nil {
		return nil, err
	}
	base := time.Now()
	views, err := q.program.Base(ctx, normal, p.Threads)
	if err != nil {
		return nil, q.interrupted(ctx, err, image, 0)
	}
	h := &HeatMap{Plan: p, Image: image, Pixels: pixels}
	h.Actual = planner.Actuals{Image: image, BaseSeconds: time.Since(base).Seconds(), Base: views.Stats, Positions: len(p.Grid.Positions)}
	output := p.Net.Output.Index
	p0, err := scores(p.Model, views, output, image)
	if err != nil {
		return nil, err
	}
	for _, c := range targets(p.Target, p0) {
		h.Classes = append(h.Classes, ClassMap{
			ID: c, Label: p.Model.Label(c), P0: p0[c], P: make([]float32, len(p.Grid.Positions)),
		})
	}
	if p.Chosen().Name == planner.PlanFull {
		// Full inference reads no view but the image's and those of constants.
		views.Drop(func(i int) bool {
			_, constant := p.Net.Layers[i].Op.(network.Const)
			return constant || i == 0 || i == output
		})
	}
	h.Actual.ViewBytes = views.Bytes()
	updates := time.Now()
	if err := q.positions(ctx, h, views, cover); err != nil {
		return nil, err
	}
	h.Actual.UpdateSeconds = time.Since(updates).Seconds()
	h.Actual.Class, h.Actual.P0 = h.Classes[0].Label, float64(h.Classes[0].P0)
	for _, o := range p.Outputs {
		path := o.For(image)
		if err := write(o.Format, path, h); err != nil {
			return nil, err
		}
		h.Written = append(h.Written, path)
	}
	h.Actual.Run = time.Since(start).Seconds()
	return h, nil
}

// positions computes every position with the plan's number of workers.
func (q *query) positions(ctx context.Context, h *HeatMap, views *operators.Views, cover *occluder) error {
	p := q.plan
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	progress := q.session.Progress
	if progress != nil {
		progress.Start(h.Image, len(p.Grid.Positions))
		defer progress.Finish()
	}
	var done atomic.Int64
	stats := make([]operators.Stats, max(1, min(p.Threads, len(p.Grid.Positions))))
	share := &share{total: len(p.Grid.Positions), batch: p.Chosen().Batch, workers: len(stats)}
	work := func(i int) (err error) {
		defer defect.Recover(&err)
		b := q.newBatcher(h, views, cover)
		defer func() { stats[i] = b.worker.Stats() }()
		for {
			from, to := share.take()
			if from == to {
				return nil
			}
			if err := b.run(ctx, from, to); err != nil {
				return err
			}
			done.Add(int64(to - from))
			if progress != nil {
				progress.Add(to - from)
			}
		}
	}
	var wg sync.WaitGroup
	for i := range stats {
		wg.Go(func() {
			if err := work(i); err != nil {
				cancel(err) // the first error ends the others
			}
		})
	}
	wg.Wait()
	for _, s := range stats {
		h.Actual.Updates = h.Actual.Updates.Plus(s)
	}
	h.Actual.PeakBytes = h.Actual.ViewBytes + h.Actual.Updates.Peak
	if n := int(done.Load()); n < len(p.Grid.Positions) { // else the context ended too late to matter
		return q.interrupted(ctx, context.Cause(ctx), h.Image, n)
	}
	return nil
}

// interrupted makes an *Interrupted of an error that a context's end caused.
func (q *query) interrupted(ctx context.Context, err error, image string, done int) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return &Interrupted{Image: image, Done: done, Total: len(q.plan.Grid.Positions), Cause: err}
	}
	return fmt.Errorf("image %q: %w", image, err)
}

// batcher fills one worker's batches.
type batcher struct {
	query  *query
	worker operators.Worker
	result *HeatMap
	views  *operators.Views
	cover  *occluder

	updates []operators.Update
	rects   [][]region.Rect
	patches [][]float32
	scores  [][]float32
}

func (q *query) newBatcher(h *HeatMap, views *operators.Views, cover *occluder) *batcher {
	p := q.plan
	b := &batcher{
		query: q, worker: q.program.NewWorker(), result: h, views: views, cover: cover,
	}
	size := p.Chosen().Batch
	b.updates = make([]operators.Update, size)
	b.rects = make([][]region.Rect, size)
	b.patches = make([][]float32, size)
	b.scores = make([][]float32, size)
	for i := range size {
		b.patches[i] = make([]float32, p.Grid.PatchW*p.Grid.PatchH*cover.shape.C)
		b.scores[i] = make([]float32, p.Net.Output.Shape.Len())
	}
	return b
}

// run computes the positions from (included) to (not included) in the plan's
// order.
func (b *batcher) run(ctx context.Context, from, to int) error {
	p := b.query.plan
	order := p.Chosen().Order[from:to]
	for i, at := range order {
		pos := p.Grid.Positions[at]
		patch := p.Grid.Rect(pos)
		b.rects[i] = p.Rects(pos, b.rects[i])
		tile := operators.NewTile(patch, b.cover.shape.C, b.patches[i])
		b.cover.patch(patch, tile)
		b.updates[i] = operators.Update{Patch: tile, Rects: b.rects[i], Out: b.scores[i]}
	}
	if err := b.worker.Run(ctx, b.views, b.updates[:to-from]); err != nil {
		return err
	}
	for i, at := range order {
		for j := range b.result.Classes {
			c := &b.result.Classes[j]
			v := b.scores[i][c.ID]
			if v != v {
				pos := p.Grid.Positions[at]
				return fmt.Errorf("model %q gives NaN for class %s with the patch at (%d, %d)", p.Model.Name, c.Label, pos.X, pos.Y)
			}
			c.P[at] = v
		}
	}
	return nil
}
