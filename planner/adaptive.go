package planner

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"

	"occlude/internal/curve"
	"occlude/internal/network"
	"occlude/lang"
	"occlude/operators"
	"occlude/planner/cost"
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

	// Sketch says how a position is computed cheaply: Compensated, or like all
	// others where sketches do not pay for the backward pass that they take.
	Sketch Rectangles
	// Whole is the same for a map that turns out to be rough, of which every
	// position is sketched. TauBy is what its threshold comes from.
	Whole Rectangles
	TauBy TauSource
	// Feature says how something is computed at every position that the log-odds
	// are hoped to be roughly a multiple of: the first layers, up to Until, as they
	// are, and what that means for the others to first order. Until is 0 where
	// that takes too long; then all layers are taken to first order.
	Feature Rectangles

	// SketchCost, WholeCost and StageCost are what a sketch of either kind, and a stage
	// beside its positions, cost in exact positions.
	SketchCost, WholeCost, StageCost float64

	// SecondsExact are the expected elapsed seconds of a position computed exactly,
	// SecondsAll those of all of them, SecondsFeature of the feature at all positions,
	// SecondsBefore of everything before the first position (base and backward pass),
	// and SecondsAfter of everything after the last (drawing and writing).
	SecondsExact, SecondsAll, SecondsFeature, SecondsBefore, SecondsAfter float64
	// Gradients is the number of classes that a backward pass is for.
	Gradients int
	// SecondsBackward are, of SecondsBefore, the backward pass, 0 without one.
	SecondsBackward float64
	// SecondsEstimating are those of estimating the map and judging it, of all stages.
	SecondsEstimating float64
}

// TauSource is what a threshold comes from.
type TauSource string

// The sources of thresholds.
const (
	TauUsual TauSource = "default"
	TauCurve TauSource = "curve" // that ANALYZE MODEL measured
	TauHint  TauSource = "hint"
)

// Sketches tells whether positions may be computed cheaply.
func (a *Adaptive) Sketches() bool { return a.Sketch.Rule == Compensated }

// Promises tells whether there is a quality at which to stop, and one at which
// stopping was measured to be right. Else the exact map is better where there is time.
func (a *Adaptive) Promises() bool { return a.SSIM > 0 && a.SSIM <= mostPromised }

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
	// sampleTau is the threshold of sketches between which the map is interpolated:
	// that loses more than they do. wholeTau is that of sketches at all positions,
	// where nothing is known about the model.
	sampleTau, wholeTau = 0.2, 0.4
	// featurePositions is the number of exact positions that the feature may cost, and
	// stemPositions that it may where it is no more than the first convolution and the
	// pooling of that: a ResNet18 gains by the stem, at 36, what a MobileNetV2 loses by
	// three convolutions, at 38.
	featurePositions, stemPositions = 25, 40
	// usualStages is about how many stages there are, and stageSeconds what
	// estimating the map and judging it takes in each; measured with 100 to 1000
	// samples of 2809 positions on two threads.
	usualStages, stageSeconds, stagePositions = 6, 4e-3, 2809
	// usualThreads share the positions of a stage, but not what it costs beside.
	usualThreads = 2
	// sketchPositions are about how many positions the cost of a sketch is
	// estimated by.
	sketchPositions = 128
	// leastSeconds are those of a position where what was measured of other networks says
	// that its layers take nothing.
	leastSeconds = 1e-9
	// preparation is the bytes of weights per second that are made ready for a
	// backward pass, by one thread.
	preparation = 4e8
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
	case g.Listed && q.plan == PlanApproximate:
		return nil, lang.Errorf(q.approximate.plan.Span(), "plan = '%s' samples a grid, but a list of positions (AT) is computed as it is", q.plan).
			WithHint("leave out the hint, or ask for a grid with WHERE")
	case g.Listed && tau != nil:
		return nil, lang.Errorf(tau.at.Span(), "tau beside %s samples a grid, but a list of positions (AT) is computed as it is", goals).
			WithHint("leave out one of the two, or ask for a grid with WHERE")
	case exact, g.Listed, goals.Within == 0 && goals.SSIM > mostPromised && q.plan == "" && tau == nil:
		return nil, nil
	}
	if q.plan == PlanApproximate {
		q.hints.sampled = "plan = 'approximate'"
	}
	a := &Adaptive{SSIM: goals.SSIM, TauBy: TauUsual}
	if a.SSIM > 0 {
		a.Pearson, a.Top10Overlap = wantedPearson, wantedTop10
	}
	if tau := q.approximate.tau; tau != nil {
		a.Whole.Tau, a.TauBy = tau.value, TauHint
		q.hints.sampled = strings.TrimPrefix(fmt.Sprintf("%s, tau = %s", q.hints.sampled, tau.at), ", ")
	}
	return a, nil
}

// lookUpTau takes the lowest threshold with which the model's maps were measured to
// be good enough, if they were and no hint says otherwise.
func (b *binder) lookUpTau(ctx context.Context, p *Occlude, a *Adaptive) {
	if a == nil || a.SSIM == 0 || a.TauBy == TauHint {
		return
	}
	if c, ok := b.env.Statistics.Curve(ctx, p.CurveKey(curve.SSIM)); ok {
		a.Whole.Tau, a.TauBy = c.LowestTau(a.SSIM), TauCurve
	}
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

// adaptiveCandidate is the plan that samples, with the rectangles of the cheapest
// exact one for those positions that it computes exactly. The others' costs are known.
func adaptiveCandidate(ctx context.Context, q *Occlude, h hints, r resources, exact []*Candidate) (*Candidate, error) {
	a, n := *h.adaptive, len(q.Grid.Positions)
	a.Gradients = q.Target.Count()
	cheapest := slices.MinFunc(exact, func(a, b *Candidate) int {
		if (a.refused == nil) != (b.refused == nil) {
			if a.refused == nil {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.Estimate.Seconds, b.Estimate.Seconds)
	})
	e := cheapest.Estimate
	a.SecondsAll = e.Seconds - e.BaseSeconds - e.WriteSeconds // a GPU's weights are part of the base pass
	a.SecondsExact = a.SecondsAll / float64(n)
	estimating := stageSeconds * max(1, float64(n)/stagePositions)
	a.SecondsAfter, a.SecondsEstimating = e.WriteSeconds, usualStages*estimating
	expected := int(expectedShare(a.SSIM) * float64(n))
	if err := a.decide(ctx, q, h, r, cheapest, expected, estimating); err != nil {
		return nil, err
	}
	a.SecondsBefore = e.BaseSeconds + a.SecondsBackward + a.SecondsFeature
	return &Candidate{Name: PlanApproximate, Rects: cheapest.Rects, Adaptive: &a, Stages: a.stages(q)}, nil
}

// stages is one, of as many positions as the goal can be expected to take, or as fit into
// the time.
func (a *Adaptive) stages(q *Occlude) []Stage {
	n := len(q.Grid.Positions)
	expected := int(expectedShare(a.SSIM) * float64(n))
	if within := q.Goals.Within.Seconds(); within > 0 {
		left := within/float64(len(q.Images)) - a.SecondsBefore - a.SecondsAfter
		fit := int(max(0, left) / max(a.SecondsExact, leastSeconds))
		if a.SSIM == 0 {
			expected = fit
		}
		expected = min(expected, fit)
	}
	return []Stage{{Positions: min(n, max(coarse, expected))}}
}

// decide settles how positions are computed cheaply, if they are: what that saves
// has to pay for the backward pass, unless a hint asks for it.
//
// It compares the work of one thread, at some of the positions, so that neither the
// threads nor the batch decide what is computed.
func (a *Adaptive) decide(ctx context.Context, q *Occlude, h hints, r resources, exact *Candidate, expected int, estimating float64) error {
	switch a.TauBy {
	case TauHint:
		a.Sketch.Tau = a.Whole.Tau
	case TauUsual:
		a.Whole.Tau = wholeTau
		fallthrough
	default:
		a.Sketch.Tau = sampleTau
	}
	if r.card != nil { // which has no backward pass
		a.Sketch, a.Whole = exact.Rects, exact.Rects
		a.StageCost = (estimating + exact.Estimate.OnGPU.StageSeconds) / max(a.SecondsExact, leastSeconds)
		return nil
	}
	a.Sketch.Rule, a.Whole.Rule = Compensated, Compensated
	one := resources{threads: 1, rates: r.choice, choice: r.choice}
	some := q.Grid
	step := max(1, len(some.Positions)/sketchPositions) | 1 // odd, so as not to walk along a column
	some.Positions = nil
	for i := 0; i < len(q.Grid.Positions); i += step {
		some.Positions = append(some.Positions, q.Grid.Positions[i])
	}
	c := &Candidate{Rects: exact.Rects, Algorithms: exact.Algorithms, Batch: choiceBatch}
	found, err := newSurvey(ctx, q.Net, some, exact.Rects)
	if err != nil {
		return err
	}
	tallies := c.take(found)
	c.price(q.Net, tallies, one)
	position := (c.Estimate.Seconds - c.Estimate.BaseSeconds) / float64(len(some.Positions)) // seconds
	// Sketches are the same kind of work as exact positions, so that multiply-adds
	// compare them; reading the weights counts for the stage.
	share := func(rects Rectangles) (float64, error) {
		less, err := newSurvey(ctx, q.Net, some, rects)
		if err != nil {
			return 0, err
		}
		return float64(multiplyAdds(less.tallies)) / float64(max(1, multiplyAdds(tallies))), nil
	}
	sketch, err := share(a.Sketch)
	if err != nil {
		return err
	}
	whole, err := share(a.Whole)
	if err != nil {
		return err
	}
	stage := estimating
	for i, l := range q.Net.Layers {
		stage += r.choice.Streaming(l, exact.Algorithms[i])
	}
	a.StageCost = stage * usualThreads / max(position, leastSeconds)
	demanded := a.TauBy == TauHint || h.sketches == hintOn || h.trend == hintOn
	switch pays := float64(expected)*position*(1-sketch) >= backwardSeconds(q.Net, one, a.Gradients); {
	case demanded && !r.enabled("sketches"):
		return errors.New("sketches are asked for, which are ruled out by SET enable_sketches = off")
	case h.trend == hintOn && !r.enabled("trend"):
		return errors.New("a trend is asked for, which is ruled out by SET enable_trend = off")
	case !r.enabled("sketches"), h.sketches == hintOff, !demanded && !pays:
		a.Sketch, a.Whole = exact.Rects, exact.Rects
		return nil
	}
	a.SketchCost, a.WholeCost = sketch, whole
	a.SecondsBackward = backwardSeconds(q.Net, r, a.Gradients)
	if exact.Rects.Rule == Traced && r.enabled("trend") && h.trend != hintOff {
		a.feature(q.Net, c.Layers, len(q.Grid.Positions))
	}
	if h.trend == hintOn && a.Feature.Until == 0 {
		return errors.New("trend = 'on': no first layers of this network are cheap enough to be computed at all positions")
	}
	return nil
}

// multiplyAdds are those of all layers.
func multiplyAdds(tallies []tally) int64 {
	var n int64
	for _, t := range tallies {
		n += t.MACs
	}
	return n
}

// feature takes as many of the first layers as are cheap: a share of what all
// layers take.
func (a *Adaptive) feature(net *network.Network, layers []LayerEstimate, positions int) {
	all, sum := 0.0, 0.0
	for _, l := range layers {
		all += l.Seconds
	}
	convolutions := 0
	for i, l := range layers {
		if _, ok := net.Layers[i].Op.(network.Conv); ok {
			convolutions++
		}
		sum += l.Seconds
		cost := sum / all * float64(positions) // in exact positions
		if cost > stemPositions || cost > featurePositions && convolutions > 1 {
			break
		}
		if work := net.Layers[i].Work(net.Layers[i].Shape.Whole()); work.MACs > 0 || a.Feature.Until > 0 {
			a.Feature, a.SecondsFeature = Rectangles{Rule: Compensated, Tau: 1, Until: i}, cost*a.SecondsExact
		}
	}
}

// backwardSeconds is what a backward pass takes: every convolution once more for
// each class, by its definition, with the weights in another order.
func backwardSeconds(net *network.Network, r resources, classes int) float64 {
	seconds := 0.0
	for i, l := range net.Layers {
		if _, constant := l.Op.(network.Const); constant || i == 0 {
			continue
		}
		amount := wholeTally(l).of(operators.Direct)
		amount.Groups = r.parallel()
		seconds += (float64(classes)*r.rates.Seconds(l, operators.Direct, amount) + float64(cost.WeightBytes(l, operators.Direct))/preparation) / r.parallel()
	}
	return seconds
}

// addSampling adds to the estimate what an adaptive plan does beside computing
// positions.
func (c *Candidate) addSampling(net *network.Network) {
	if c.Adaptive == nil {
		return
	}
	e := &c.Estimate
	e.Seconds += c.Adaptive.SecondsEstimating
	if c.Adaptive.SecondsBackward > 0 {
		e.BackwardSeconds, e.BackwardMACs = c.Adaptive.SecondsBackward, net.Work().MACs
		e.Seconds += e.BackwardSeconds + c.Adaptive.SecondsFeature
		e.MACs += e.BackwardMACs
	}
}

// wager is what a candidate's estimate counts for in a comparison. How many
// positions a map takes shows while it is sampled, and may be all: what is to be won
// must be worth that, and what is lost then must not count.
func (c *Candidate) wager() float64 {
	switch {
	case c.Adaptive == nil:
		return c.Estimate.Seconds
	case c.Adaptive.dear():
		return math.Inf(1)
	}
	return 2 * c.Estimate.Seconds
}

// dear tells whether it takes more than a tenth of the exact plan's time to find out
// that a map is rough: a few stages, and all that comes before them.
func (a *Adaptive) dear() bool {
	const stages = 3
	lost := a.SecondsBackward + a.SecondsFeature + stages*a.SecondsEstimating/usualStages
	return lost > 0.1*a.SecondsAll
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
