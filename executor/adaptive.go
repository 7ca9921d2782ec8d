package executor

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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
	// coarse and fine are sketches of samples and of whole maps; nil without a
	// backward pass.
	coarse, fine *estimates

	last  *sampling.Result // nil before the first
	notes []string
}

// adapt runs the plan's adaptive operator and fills in the map and its quality.
func (c *computation) adapt(ctx context.Context) error {
	s, err := c.newSampler(ctx)
	if err != nil {
		return err
	}
	err = s.sample(ctx)
	s.estimating = s.estimator.Bytes()
	if err != nil {
		return err
	}
	s.grade()
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
		SSIM: a.SSIM, Pearson: a.Pearson, Top10Overlap: a.Top10Overlap, StageCost: a.StageCost,
	}
	if a.SSIM == 0 {
		options.SSIM = similarity // which nobody waits for
	}
	if a.Sketches() {
		features, err := s.backward(ctx)
		if err != nil {
			return nil, err
		}
		options.Features = s.odds.bounded(features)
	}
	if s.views.Compensation != nil {
		options.SketchCost, options.WholeCost = a.SketchCost, a.WholeCost
		s.coarse, s.fine = s.newEstimates(a.Sketch), s.newEstimates(a.Whole)
	}
	s.values = s.table()
	var err error
	s.estimator, err = sampling.New(sampling.Grid{X: g.X, Y: g.Y, Missing: missing}, g.PatchW, g.PatchH, options)
	return s, err
}

// similarity is the structural similarity by which the estimator decides what to compute
// next where only the time is limited.
const similarity = 0.95

// good tells whether the map is as good as was asked for.
func (s *sampler) good() bool { return s.plan.SSIM > 0 && s.last != nil && s.last.Stop }

// sample goes through the stages.
func (s *sampler) sample(ctx context.Context) error {
	for s.count < len(s.done) && !s.good() {
		start := time.Now()
		exact, sketches := s.next(ctx)
		if ctx.Err() != nil {
			return s.query.interrupted(ctx, context.Cause(ctx), s.result.Image, s.computed)
		}
		s.clock.choice = time.Since(start)
		if len(exact)+len(sketches) == 0 {
			late := "the time was used up"
			if s.plan.SSIM > 0 {
				late += " before two stages in a row had found the map good enough" + s.lacking()
			}
			s.notes = append(s.notes, late)
			return nil
		}
		if err := s.stage(ctx, exact, sketches); err != nil {
			return err
		}
		if s.last != nil {
			s.query.session.expect(s.computed + max(0, s.last.Needed-s.last.Samples))
		}
	}
	return nil
}

// lacking tells which figures the last map lacks.
func (s *sampler) lacking() string {
	if s.last == nil {
		return ""
	}
	var list []string
	for _, figure := range []struct {
		name    string
		reached bool
	}{{"SSIM", s.last.Similar}, {"correlation", s.last.Correlated}, {"top tenth", s.last.Overlapping}} {
		if !figure.reached {
			list = append(list, figure.name)
		}
	}
	if len(list) == 0 {
		return "; one stage had"
	}
	return "; it lacked " + strings.Join(list, ", ")
}

// leastSamples is the least number of positions that a map is made of, whatever
// the time.
const leastSamples = 16

// losable is the share of the exact plan's work that stages may cost where many
// positions have to be computed all the same.
const losable = 0.07

// vain tells whether they do so, unless a hint asks for them. It goes by the costs
// that were planned: what was measured would not be the same the next time.
func (s *sampler) vain() bool {
	if s.query.plan.Chosen().Forced || s.last.Needed <= len(s.done)/3 {
		return false
	}
	return float64(s.last.Stage)*s.plan.StageCost > losable*float64(len(s.done))
}

// next is the cells to compute next, exactly and as sketches: none once the time
// is up, all that are left where that is as good as sampling.
func (s *sampler) next(ctx context.Context) (exact, sketches []int) {
	left := len(s.done) - s.count
	switch {
	case s.last == nil:
	case s.clock.unlimited() && s.vain():
		s.notes = append(s.notes, fmt.Sprintf("stages cost too much for about %d of %d positions to be saved, so all were computed",
			len(s.done)-s.last.Needed, len(s.done)))
		return s.unknown(), nil
	case s.last.Rough && s.clock.unlimited():
		s.notes = append(s.notes, fmt.Sprintf("the map is rough: about %d of %d positions would have to be sampled, so all were computed",
			s.last.Needed, len(s.done)))
		return s.unknown(), nil
	case !s.clock.unlimited() && (s.last.Rough || !s.plan.Promises()) && s.clock.all(left):
		return s.unknown(), nil
	}
	exact, sketches = s.estimator.Next(ctx), s.estimator.Sketches()
	s.clock.cheap = s.plan.SketchCost
	if s.estimator.Whole() {
		s.clock.cheap = s.plan.WholeCost
		if s.clock.share(len(exact), len(sketches)) < 1 {
			sketches = nil // a part of all tells nothing of the others
		}
	}
	part := s.clock.share(len(exact), len(sketches))
	n, m := int(part*float64(len(exact))), int(part*float64(len(sketches)))
	if s.last == nil && n < leastSamples {
		n = min(leastSamples, len(exact))
		exact = filled(exact[:n:n], sketches, leastSamples)
		n = len(exact)
	}
	return exact[:n], sketches[:m]
}

// filled adds to cells the first others that are not among them, up to so many in
// all.
func filled(cells, others []int, to int) []int {
	for _, cell := range others {
		if len(cells) >= to {
			break
		}
		if !slices.Contains(cells, cell) {
			cells = append(cells, cell)
		}
	}
	return cells
}

// unknown lists the cells that were not computed exactly.
func (s *sampler) unknown() (cells []int) {
	for cell, at := range s.positions {
		if at >= 0 && !s.done[at] {
			cells = append(cells, cell)
		}
	}
	return cells
}

// stage computes some cells and estimates the map from all that is known. When the
// time is up before all are computed, those that are count.
func (s *sampler) stage(ctx context.Context, exact, sketches []int) error {
	start, before := time.Now(), s.stats().MACs()
	if err := s.timed(ctx, exact, sketches); err != nil {
		return err
	}
	computed := time.Since(start)
	found := planner.StageActuals{SSIM: 1, SSIMLower: 1, MACs: s.stats().MACs() - before, Positions: len(exact)}
	if s.count < len(s.done) { // else there is nothing to estimate
		known, values := s.finished(exact, s.done, s.values)
		if err := s.improbable(known, values); err != nil {
			return err
		}
		if err := s.estimator.Observe(known, values); err != nil {
			return err
		}
		var drafts []int
		if len(sketches) > 0 {
			of := s.sketches()
			drafts, values = s.finished(sketches, of.done, of.values)
			if err := s.estimator.Sketch(drafts, values); err != nil {
				return err
			}
		}
		r, err := s.estimator.Estimate(ctx)
		if err != nil {
			return s.query.interrupted(ctx, err, s.result.Image, s.computed)
		}
		for _, c := range r.Classes {
			found.SSIM, found.SSIMLower = min(found.SSIM, c.SSIM), min(found.SSIMLower, c.SSIMLower)
		}
		s.last = r
		s.fill()
		s.clock.estimate = s.clock.choice + time.Since(start) - computed
		s.clock.measured(len(known), len(drafts), computed)
		found.Positions, found.Sketches, found.EstimateSeconds = len(known), len(drafts), s.clock.estimate.Seconds()
	}
	found.Seconds = (s.clock.choice + time.Since(start)).Seconds()
	s.result.Actual.Stages = append(s.result.Actual.Stages, found)
	return nil
}

// sketches is where those of this stage go.
func (s *sampler) sketches() *estimates {
	if s.estimator.Whole() {
		return s.fine
	}
	return s.coarse
}

// finished are those of some cells that are marked, with their values by class.
func (s *sampler) finished(cells []int, marks []bool, values [][]float64) (known []int, of [][]float64) {
	of = make([][]float64, len(s.result.Classes))
	for _, cell := range cells {
		at := s.positions[cell]
		if !marks[at] {
			continue
		}
		known = append(known, cell)
		for k := range of {
			of[k] = append(of[k], values[k][at])
		}
	}
	return known, of
}

// improbable finds what the model gives that is no probability, of some cells with
// their values by class.
func (s *sampler) improbable(cells []int, values [][]float64) error {
	p := s.query.plan
	for k, c := range s.result.Classes {
		for i, v := range values[k] {
			if !math.IsNaN(v) {
				continue
			}
			at := s.positions[cells[i]]
			pos := p.Grid.Positions[at]
			return unusable{fmt.Errorf("image %q: model %q gives %g for class %s with the patch at (%d, %d), which is no probability; CREATE MODEL ... WITH (output = 'raw') takes scores",
				s.result.Image, p.Model.Name, c.P[at], c.Label, pos.X, pos.Y)}
		}
	}
	return nil
}

// timed computes cells until the time is up, which is no error. But a map needs
// leastSamples.
func (s *sampler) timed(ctx context.Context, exact, sketches []int) error {
	if s.clock.unlimited() {
		return s.compute(ctx, s.mixed(exact, sketches), s.clock.batch())
	}
	if n := min(leastSamples-s.count, len(exact)); n > 0 {
		if err := s.compute(ctx, s.mixed(exact[:n], nil), s.clock.batch()); err != nil {
			return err
		}
		exact = exact[n:]
	}
	limited, cancel := context.WithDeadline(ctx, s.clock.last())
	defer cancel()
	err := s.compute(limited, s.mixed(exact, sketches), s.clock.batch())
	if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// mixed are the jobs of cells in an order that gives each worker the same share of
// the dear and of the cheap ones, as far as they fit into a batch. All run
// together: what is dear about few positions is to read the weights.
func (s *sampler) mixed(exact, sketches []int) []job {
	chosen := s.query.plan.Chosen()
	workers := max(1, s.query.plan.Threads)
	many := len(exact)+len(sketches) > workers*chosen.Batch
	list := jobs(s.inOrder(exact), chosen.Rects, nil)
	if many && len(sketches) == 0 && !s.clock.unlimited() && chosen.Levels == nil { // which do so, too
		list = thinned(list)
	}
	if len(sketches) > 0 {
		list = append(list, s.sketches().jobs(s.inOrder(sketches))...)
	}
	if many {
		return list
	}
	dealt := make([]job, 0, len(list))
	for w := range workers {
		for i := w; i < len(list); i += workers {
			dealt = append(dealt, list[i])
		}
	}
	return dealt
}

// rounds is in how many rounds many jobs are done that may be too many for the time.
const rounds = 8

// thinned takes every rounds-th job first, then their neighbours, and so on: how far
// that comes in time, the map is covered, and yet jobs that are alike stand together.
func thinned(list []job) []job {
	all := make([]job, 0, len(list))
	for first := range rounds {
		for i := first; i < len(list); i += rounds {
			all = append(all, list[i])
		}
	}
	return all
}

// inOrder are the positions of cells in the order that all have.
func (s *sampler) inOrder(cells []int) []int32 {
	return planner.InOrder(s.query.plan.Chosen().Order, s.at(cells))
}

// at are the positions of cells.
func (s *sampler) at(cells []int) []int32 {
	positions := make([]int32, len(cells))
	for i, cell := range cells {
		positions[i] = s.positions[cell]
	}
	return positions
}

// fill puts the last estimates into the map where nothing was computed.
func (s *sampler) fill() {
	s.growing.change(func() {
		for k, c := range s.last.Classes {
			m := &s.result.Classes[k]
			for cell, at := range s.positions {
				if at >= 0 && !s.done[at] {
					m.P[at] = float32(c.P[cell])
					s.result.States[at] = Interpolated
					if s.coarse != nil && (s.coarse.done[at] || s.fine.done[at]) {
						s.result.States[at] = Approximate
					}
				}
			}
		}
	})
}

// grade says how good the map is.
func (s *sampler) grade() {
	if s.clock.late() && len(s.result.Actual.Stages) == 1 {
		s.notes = append(s.notes, "not even the coarsest map fitted into the time")
	}
	q := &Quality{Target: s.plan.SSIM, Reached: true, Notes: s.notes}
	s.result.Quality = q
	if s.count == len(s.done) {
		q.Classes = flawless(s.result.Classes)
		return
	}
	for k, c := range s.last.Classes {
		q.Classes = append(q.Classes, ClassQuality{
			Class: s.result.Classes[k].Label, SSIM: c.SSIM, SSIMLower: c.SSIMLower, Pearson: c.Pearson, NRMSE: c.NRMSE, Top10Overlap: c.Top10Overlap,
		})
	}
	q.Verified, q.Reached = s.last.Checks, s.good()
}
