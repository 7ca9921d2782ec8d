package executor

import (
	"context"
	"math"
	"math/rand/v2"

	"occlude/planner"
)

// verify computes positions exactly that the map only approximates, as VERIFY asks
// for, and says how far off the map was.
func (c *computation) verify(ctx context.Context) error {
	goals := c.query.plan.Goals
	if !goals.Verifies() {
		return nil
	}
	q := c.result.Quality
	if q == nil {
		q = &Quality{}
		c.result.Quality = q
	}
	var inexact []int32
	for i, state := range c.result.States { // whatever the order in which they were computed
		if state != Exact {
			inexact = append(inexact, int32(i))
		}
	}
	if len(inexact) == 0 {
		q.Classes, q.Reached = flawless(c.result.Classes), true
		q.Notes = append(q.Notes, "there was nothing to verify")
		if goals.VerifyAll {
			return c.measure(nil)
		}
		return nil
	}
	if goals.VerifyAll {
		return c.verifyAll(ctx, inexact)
	}
	// A stream of its own: a position's chance must not depend on what was sampled.
	random := rand.New(rand.NewPCG(uint64(c.query.plan.Seed), 1))
	random.Shuffle(len(inexact), func(i, j int) { inexact[i], inexact[j] = inexact[j], inexact[i] })
	chosen := inexact[:min(goals.Verify, len(inexact))]
	before := c.result.snapshot().Classes
	if err := c.exactly(ctx, chosen); err != nil {
		return err
	}
	q.Checks = &Checks{Positions: len(chosen)}
	sum := 0.0
	for k, m := range c.result.Classes {
		for _, i := range chosen {
			d := float64(m.P[i]) - float64(before[k].P[i])
			sum += d * d
			q.Checks.Worst = max(q.Checks.Worst, math.Abs(d))
		}
	}
	q.Checks.RMS = math.Sqrt(sum / float64(len(chosen)*len(c.result.Classes)))
	return nil
}

// verifyAll computes the exact map beside the one that is the answer.
func (c *computation) verifyAll(ctx context.Context, inexact []int32) error {
	answer, exact := c.result, c.result.snapshot()
	c.result = exact
	err := c.exactly(ctx, inexact)
	if c.result = answer; err != nil {
		return err
	}
	return c.measure(exact.Classes)
}

// exactly computes positions once more, or for the first time.
func (c *computation) exactly(ctx context.Context, positions []int32) error {
	chosen := c.query.plan.Chosen()
	rects := chosen.Rects
	if rects.Rule == planner.Thresholded {
		rects = planner.Rectangles{Rule: planner.Traced}
	}
	c.query.session.expect(c.computed + len(positions))
	return c.compute(ctx, jobs(planner.InOrder(chosen.Order, positions), rects, nil), chosen.Batch)
}

// measure compares the map with the exact one, nil where it is the same.
func (c *computation) measure(exact []ClassMap) error {
	h := c.result
	q := h.Quality
	if h.Plan.Grid.Listed {
		return nil
	}
	if q.Classes == nil {
		for _, m := range h.Classes {
			q.Classes = append(q.Classes, ClassQuality{Class: m.Label})
		}
	}
	reached := true
	for k, m := range h.Classes {
		truth := m
		if exact != nil {
			truth = exact[k]
		}
		figures, err := h.compare(truth, m)
		if err != nil {
			return err
		}
		q.Classes[k].Measured = &figures
		reached = reached && !(figures.SSIM < q.Target)
	}
	q.Reached = reached
	return nil
}
