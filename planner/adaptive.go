package planner

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"occlude/lang"
)

// Adaptive is how a candidate chooses its positions while it runs: it computes
// some, predicts the map from them, measures the prediction at positions chosen at
// random, and goes on until the map is good enough (see package sampling).
//
// All that the executor decides by is here, so that it never asks the planner.
type Adaptive struct {
	// SSIM, Pearson and Top10Overlap are what a map must be expected to have
	// before it is good enough; 0 for whatever the time allows.
	SSIM, Pearson, Top10Overlap float64

	// Sketch says how a position is computed cheaply: thresholded, with what that
	// leaves out made up for to first order by the gradient on the clean image
	// (see package gradient). Its Rule is the exact one's where sketches do not pay.
	Sketch Rectangles

	// SecondsExact and SecondsSketch are the expected elapsed seconds of a position
	// computed exactly and cheaply, SecondsBefore those of everything before the
	// first position (base and backward pass), and SecondsAfter those of everything
	// after the last (drawing and writing).
	SecondsExact, SecondsSketch, SecondsBefore, SecondsAfter float64
}

// What a map that claims some structural similarity should have besides: SSIM alone
// is a poor judge, for a constant map has much of it where the exact one is flat.
const (
	wantedPearson = 0.9
	wantedTop10   = 0.7
)

const (
	// mostPromised is the structural similarity up to which the rule by which
	// sampling stops was measured to keep its promise.
	mostPromised = 0.97
	// coarse is the number of positions of the coarsest map, see sampling.
	coarse = 48
	// backward is what a backward pass costs, in base passes.
	backward = 1.3
)

// expectedShares are the shares of positions that a target takes. Maps differ by
// an order of magnitude: these are the geometric means of what the lesion task and
// networks trained on photographs took.
var expectedShares = []struct{ ssim, share float64 }{
	{0, 0.02}, {0.7, 0.04}, {0.8, 0.07}, {0.9, 0.15}, {0.95, 0.27}, {mostPromised, 0.4}, {1, 1},
}

// expectedShare is the share of positions that a target can be expected to take.
func expectedShare(ssim float64) float64 {
	all := expectedShares
	i := sort.Search(len(all)-1, func(i int) bool { return all[i].ssim >= ssim })
	if i == 0 {
		return all[0].share
	}
	a, b := all[i-1], all[i]
	return a.share + (b.share-a.share)*(ssim-a.ssim)/(b.ssim-a.ssim)
}

// goals reads the clauses that say what the answer is to be like.
func (b *binder) goals(s *lang.Occlude) Goals {
	var g Goals
	if s.Quality != nil {
		g.SSIM = s.Quality.AtLeast
	}
	if s.Within != nil {
		g.Within, g.OrFail = s.Within.Duration, s.Within.OrFail
	}
	if s.Verify != nil {
		g.Verify, g.VerifyAll = s.Verify.Positions, s.Verify.All
	}
	return g
}

// adaptation says how the goals are to be met by sampling, nil where only exact
// plans are to be considered.
func (q *queryOptions) adaptation(s *lang.Occlude, goals Goals, g Grid) (*Adaptive, error) {
	if !goals.Approximates() {
		return nil, nil
	}
	for _, h := range []*numberHint{q.approximate.fraction, q.approximate.speedup} {
		if h != nil {
			return nil, lang.Errorf(h.at.Span(), "%s says which positions to compute, but %s finds that out while it runs", h.name, goals).
				WithHint("leave out one of the two")
		}
	}
	exact := q.plan == PlanFull || q.plan == PlanIncremental
	switch tau := q.approximate.tau; {
	case goals.Within > 0 && exact:
		return nil, lang.Errorf(q.approximate.plan.Span(), "plan = '%s' computes every position, however long that takes", q.plan).
			WithHint("leave out the hint, or WITHIN")
	case goals.Within > 0 && goals.VerifyAll:
		return nil, lang.Errorf(s.Verify.Span(), "VERIFY ALL computes every position, however long that takes").
			WithHint("VERIFY n POSITIONS fits into the time, or leave out WITHIN")
	case exact && tau != nil:
		return nil, lang.Errorf(tau.at.Span(), "tau approximates, but plan = '%s' is exact", q.plan).WithHint("leave out one of the two")
	case goals.Within > 0 && g.Listed:
		return nil, lang.Errorf(s.Within.Span(), "a list of positions (AT) cannot be refined: there is nothing between its positions").
			WithHint("leave out WITHIN, or ask for a grid with WHERE")
	case exact, g.Listed, goals.Within == 0 && goals.SSIM > mostPromised && q.plan == "":
		return nil, nil
	}
	if q.plan == PlanApproximate {
		q.hints.sampled = "plan = 'approximate'"
	}
	a := &Adaptive{SSIM: goals.SSIM, Sketch: Rectangles{Rule: Traced}}
	if a.SSIM > 0 {
		a.Pearson, a.Top10Overlap = wantedPearson, wantedTop10
	}
	if tau := q.approximate.tau; tau != nil {
		a.Sketch = Rectangles{Rule: Thresholded, Tau: tau.value}
		q.hints.sampled = strings.TrimPrefix(fmt.Sprintf("%s, tau = %s", q.hints.sampled, tau.at), ", ")
	}
	return a, nil
}

// String names the clauses.
func (g Goals) String() string {
	switch {
	case g.SSIM > 0 && g.Within > 0:
		return fmt.Sprintf("SSIM >= %g WITHIN %g SECONDS", g.SSIM, g.Within.Seconds())
	case g.SSIM > 0:
		return fmt.Sprintf("SSIM >= %g", g.SSIM)
	case g.Within > 0:
		return fmt.Sprintf("WITHIN %g SECONDS", g.Within.Seconds())
	}
	return ""
}

// adaptiveCandidate is the plan that samples, with the rectangles of the cheapest exact
// one for those positions that it computes exactly. The others' costs are known.
func adaptiveCandidate(a Adaptive, goals Goals, images int, exact []*Candidate, positions int) *Candidate {
	cheapest := slices.MinFunc(exact, func(a, b *Candidate) int {
		switch {
		case (a.refused == nil) != (b.refused == nil):
			if a.refused == nil {
				return -1
			}
			return 1
		case a.Estimate.Seconds < b.Estimate.Seconds:
			return -1
		}
		return 1
	})
	e := cheapest.Estimate
	a.SecondsExact = (e.Seconds - e.BaseSeconds - e.WriteSeconds) / float64(positions)
	a.SecondsBefore = e.BaseSeconds * (1 + backward)
	a.SecondsAfter = e.WriteSeconds
	if a.Sketch.Rule != Thresholded {
		a.Sketch = cheapest.Rects
	}
	expected := int(expectedShare(a.SSIM) * float64(positions))
	if goals.Within > 0 {
		left := goals.Within.Seconds()/float64(images) - a.SecondsBefore - a.SecondsAfter
		fit := int(max(0, left) / max(a.SecondsExact, 1e-9))
		if a.SSIM == 0 {
			expected = fit
		}
		expected = min(expected, fit)
	}
	return &Candidate{
		Name: PlanApproximate, Rects: cheapest.Rects, Adaptive: &a,
		Stages: []Stage{{Positions: min(positions, max(coarse, expected))}},
	}
}

// addSampling adds to the estimate what an adaptive plan does beside computing
// positions.
func (c *Candidate) addSampling(base int64) {
	if c.Adaptive == nil {
		return
	}
	c.Estimate.BackwardSeconds = c.Estimate.BaseSeconds * backward
	c.Estimate.Seconds += c.Estimate.BackwardSeconds
	c.Estimate.BackwardMACs = base
	c.Estimate.MACs += base
}

// attainable tells why not even the coarsest maps can be made in time, which is
// an error with OR FAIL.
func (a *Adaptive) attainable(goals Goals, images int, planning time.Duration) error {
	if goals.Within == 0 || !goals.OrFail {
		return nil
	}
	least := planning.Seconds() + float64(images)*(a.SecondsBefore+coarse*a.SecondsExact+a.SecondsAfter)
	if least <= goals.Within.Seconds() {
		return nil
	}
	maps := "the coarsest map, of"
	if images > 1 {
		maps = fmt.Sprintf("the coarsest maps of %d images, each of", images)
	}
	return fmt.Errorf("%s %d positions, can be expected to take %s", maps, coarse, FormatSeconds(least))
}
