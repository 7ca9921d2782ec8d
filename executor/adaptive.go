package executor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gorgonia.org/tensor"

	"occlude/operators/gradient"
	"occlude/operators/region"
	"occlude/operators/sampling"
	"occlude/planner"
)

// sampler runs an adaptive plan on one image: it computes the positions that the
// estimator asks for, until the map is good enough or the time is up.
type sampler struct {
	*computation
	plan      *planner.Adaptive
	estimator *sampling.Estimator
	positions []int32 // by cell of the grid, -1 where there is none
	clock     *clock

	last      *sampling.Result // nil before the first
	estimated time.Duration    // by the last estimate
	notes     []string
}

// adapt runs the plan's adaptive operator and fills in the map and its quality.
func (c *computation) adapt(ctx context.Context) error {
	s, err := c.newSampler(ctx)
	if err != nil {
		return err
	}
	if err := s.sample(ctx); err != nil {
		return err
	}
	s.fill()
	return nil
}

func (c *computation) newSampler(ctx context.Context) (*sampler, error) {
	p := c.query.plan
	g, a := p.Grid, p.Chosen().Adaptive
	s := &sampler{computation: c, plan: a, positions: make([]int32, g.Rows()*g.Cols())}
	missing := make([]bool, len(s.positions))
	for cell := range s.positions {
		s.positions[cell], missing[cell] = -1, true
	}
	for i, at := range g.Positions {
		cell := at.Row*g.Cols() + at.Col
		s.positions[cell], missing[cell] = int32(i), false
	}
	s.clock = newClock(p, c.query.images, a)
	options := sampling.Options{
		Classes: len(c.result.Classes), Link: c.odds.link(), Seed: uint64(p.Seed), Threads: p.Threads,
		SSIM: a.SSIM, Pearson: a.Pearson, Top10Overlap: a.Top10Overlap,
	}
	var err error
	if options.Features, err = s.features(ctx); err != nil {
		return nil, err
	}
	s.values = make([][]float64, len(c.result.Classes))
	for k := range s.values {
		s.values[k] = make([]float64, len(g.Positions))
	}
	s.estimator, err = sampling.New(sampling.Grid{X: g.X, Y: g.Y, Missing: missing}, g.PatchW, g.PatchH, options)
	return s, err
}

// features are, for each class, the Taylor expansion of its log-odds at the clean
// image, at every cell: what covering the cell does to first order. A network with
// a layer whose derivative is unknown has none.
func (s *sampler) features(ctx context.Context) ([][]float64, error) {
	start := time.Now()
	q, p := s.query, s.query.plan
	program, err := q.session.gradients(p)
	if unknown := (*gradient.UnknownError)(nil); errors.As(err, &unknown) {
		s.notes = append(s.notes, fmt.Sprintf("no backward pass: %v", err))
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	objectives := make([]gradient.Objective, len(s.result.Classes))
	for k, c := range s.result.Classes {
		objectives[k] = gradient.Objective{Kind: s.odds.objective(p.Net), Class: c.ID}
	}
	all, err := program.Run(ctx, s.views, objectives, gradient.Inputs(), p.Threads)
	if err != nil {
		return nil, q.interrupted(ctx, err, s.result.Image, 0)
	}
	image := s.views.Layers[0]
	var cover *tensor.Dense
	if s.cover.cover != nil {
		cover = tensor.New(tensor.WithShape(image.Shape()...), tensor.WithBacking(s.cover.cover))
	}
	g := p.Grid
	features := make([][]float64, len(all))
	for k, gradients := range all {
		taylor, err := gradient.NewTaylor(gradients.Out[0], image, cover)
		if err != nil {
			return nil, err
		}
		features[k] = make([]float64, 0, len(s.positions))
		for _, y := range g.Y {
			for _, x := range g.X {
				features[k] = append(features[k], taylor.At(region.Of(x, y, g.PatchW, g.PatchH)))
			}
		}
		for _, v := range features[k] {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				features[k] = nil // gradients beyond float32 tell nothing
				break
			}
		}
	}
	s.result.Actual.BackwardSeconds = time.Since(start).Seconds()
	return features, nil
}

// sample goes through the stages.
func (s *sampler) sample(ctx context.Context) error {
	for s.count < len(s.done) && (s.last == nil || !s.last.Stop) {
		cells := s.next()
		if len(cells) == 0 {
			s.notes = append(s.notes, "the time was used up")
			return nil
		}
		if err := s.stage(ctx, cells); err != nil {
			return err
		}
		s.query.session.expect(max(s.last.Needed, s.count))
	}
	return nil
}

// leastSamples is the least number of positions that a map is made of, whatever
// the time.
const leastSamples = 16

// next is the cells to compute next: none once the time is up, all that are left
// where that is as good as sampling.
func (s *sampler) next() []int {
	left := len(s.done) - s.count
	switch {
	case s.last == nil:
		cells := s.estimator.Next()
		return cells[:min(len(cells), max(leastSamples, s.clock.affords(len(cells), 0)))]
	case s.last.Rough && s.clock.unlimited():
		s.notes = append(s.notes, fmt.Sprintf("the map is rough: about %d of %d positions would have to be sampled, so all were computed",
			s.last.Needed, len(s.done)))
	case s.clock.unlimited() || s.clock.affords(left, s.estimated) < left:
		cells := s.estimator.Next()
		return cells[:s.clock.affords(len(cells), s.estimated)]
	}
	var cells []int
	for cell, at := range s.positions {
		if at >= 0 && !s.done[at] {
			cells = append(cells, cell)
		}
	}
	return cells
}

// stage computes the positions of some cells and estimates the map from all that
// is known. When the time is up before all are computed, those that are count.
func (s *sampler) stage(ctx context.Context, cells []int) error {
	start, before := time.Now(), s.stats().MACs()
	positions := make([]int32, len(cells))
	for i, cell := range cells {
		positions[i] = s.positions[cell]
	}
	if err := s.timed(ctx, planner.InOrder(s.query.plan.Chosen().Order, positions)); err != nil {
		return err
	}
	var known []int
	values := make([][]float64, len(s.values))
	for i, at := range positions {
		if s.done[at] {
			known = append(known, cells[i])
			for k := range values {
				values[k] = append(values[k], s.values[k][at])
			}
		}
	}
	s.clock.measured(len(known), time.Since(start))
	if err := s.estimator.Observe(known, values); err != nil {
		return err
	}
	estimating := time.Now()
	r, err := s.estimator.Estimate(ctx)
	if err != nil {
		return s.query.interrupted(ctx, err, s.result.Image, s.count)
	}
	s.last, s.estimated = r, time.Since(estimating)
	found := planner.StageActuals{
		Positions: len(known), Seconds: time.Since(start).Seconds(), MACs: s.stats().MACs() - before,
		EstimateSeconds: s.estimated.Seconds(), SSIM: 1, SSIMLower: 1,
	}
	for _, c := range r.Classes {
		found.SSIM, found.SSIMLower = min(found.SSIM, c.SSIM), min(found.SSIMLower, c.SSIMLower)
	}
	s.result.Actual.Stages = append(s.result.Actual.Stages, found)
	return nil
}

// timed computes positions until the time is up, which is no error. But a map
// needs leastSamples.
func (s *sampler) timed(ctx context.Context, positions []int32) error {
	rects, batch := s.query.plan.Chosen().Rects, s.clock.batch()
	if s.clock.unlimited() {
		return s.compute(ctx, positions, rects, batch)
	}
	if s.last == nil {
		n := min(leastSamples, len(positions))
		if err := s.compute(ctx, positions[:n], rects, batch); err != nil {
			return err
		}
		positions = positions[n:]
	}
	limited, cancel := context.WithDeadline(ctx, s.clock.last(s.estimated))
	defer cancel()
	err := s.compute(limited, positions, rects, batch)
	if ctx.Err() == nil && errors.Is(limited.Err(), context.DeadlineExceeded) {
		return nil
	}
	return err
}

// fill puts the estimates into the map where nothing was computed, and says how
// good it is.
func (s *sampler) fill() {
	q := &Quality{Target: s.plan.SSIM, Reached: true, Notes: s.notes}
	s.result.Quality = q
	if s.count == len(s.done) {
		q.Classes = flawless(s.result.Classes)
		return
	}
	for k, c := range s.last.Classes {
		m := &s.result.Classes[k]
		for cell, at := range s.positions {
			if at >= 0 && !s.done[at] {
				m.P[at] = float32(c.P[cell])
				s.result.States[at] = Interpolated
			}
		}
		q.Classes = append(q.Classes, ClassQuality{
			Class: m.Label, SSIM: c.SSIM, SSIMLower: c.SSIMLower, Pearson: c.Pearson, NRMSE: c.NRMSE, Top10Overlap: c.Top10Overlap,
		})
	}
	q.Verified, q.Reached = s.last.Checks, s.last.Stop
	if q.Target > 0 && !q.Reached {
		q.Notes = append(q.Notes, fmt.Sprintf("SSIM >= %g was not reached in the time", q.Target))
	}
}
