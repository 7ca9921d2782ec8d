package sampling

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Result is what is known after a stage.
type Result struct {
	Classes []Class
	Stage   int // from 1
	Samples int // positions observed
	Checks  int // of them, those that verify an earlier map, over all stages
	Wanted  int // positions of the grid that are not missing
	Process string

	Sketches int     // positions sketched, not finely
	Whole    int     // positions sketched finely
	Rho      float64 // the variance of sketches' errors, per unit of the process' local one; 0 if none is known

	// Needed is about how many samples the target will take, at least Samples, and
	// NeededSketched how many if all positions were sketched; 0 if that is unknown.
	Needed, NeededSketched int
	// Rough says that interpolation does not pay: two consecutive stages found, a
	// tenth of the positions being sampled, that more than three quarters will have to be.
	Rough bool
	// Similar, Correlated and Overlapping say of each of the three targets whether this
	// stage's maps of all classes reach it, the first with its lower bound.
	Similar, Correlated, Overlapping bool
	// Stop says that the target is reached.
	Stop bool
}

// Class is the estimate of one class.
type Class struct {
	P        []float64 // the map's values by position, observed or expected; NaN where missing
	Variance []float64 // of their errors, as the process predicts them

	// The figures to expect of the map against the exact one, and a lower bound of
	// the first.
	SSIM, SSIMLower              float64
	Pearson, NRMSE, Top10Overlap float64

	// Ratio is that of the errors' variances to Variance, as random positions found
	// it, and RatioUpper an upper bound.
	Ratio, RatioUpper float64

	Slope float64 // of f over the feature; 0 where the feature is of no use
}

// verdict is what an estimate's random positions say.
type verdict struct {
	checked []int       // that verify a map
	before  []*class    // which
	sense   [][]float64 // its sensitivity
	older   [][]check   // by class, of an earlier map of this kind
}

const (
	// surprise is the greatest ratio that says how many samples are needed. A greater
	// one is that of an object which no sample had met: the next stage knows it.
	surprise = 4
	// beyond is how many times the upper ratio errors may be where one stage is enough.
	beyond = 3
	// together is by how much too well the overlap is foreseen of a map of sketches,
	// whose errors have something in common; measured on two networks.
	together = 0.03
	// doubt is how much the top tenth's uncertainty counts, beside that of values,
	// in the choice of positions, where a map lacks no more than that.
	doubt = 3
)

// judge says how good the last maps are, and what to use sketches for. The error is
// that of the context.
func (e *Estimator) judge(ctx context.Context, v verdict) (*Result, error) {
	n, wanted := e.data(), float64(len(e.wanted))
	whole := len(e.samples) == len(e.wanted)
	r := &Result{
		Stage: 1, Samples: len(e.samples), Sketches: len(e.coarse.positions), Whole: len(e.fine.positions), Wanted: len(e.wanted),
		Checks: len(v.checked), Process: e.shape.String(), Needed: n,
	}
	if e.last != nil {
		r.Stage, r.Checks = e.last.Stage+1, e.last.Checks+len(v.checked)
	}
	similar, plain, correlated, overlapping, costly := true, true, true, true, false
	sketched := 0.0 // how many samples are needed beside sketches everywhere
	e.wish = float64(n)
	e.focus = make([]float64, len(e.places))
	recent, sense := make([][]check, len(e.observed)), make([][]float64, len(e.observed))
	for k, c := range e.fitted.classes {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("judging %d maps: %w", len(recent), context.Cause(ctx))
		}
		recent[k] = e.checks(v, k, c)
		checks := recent[k]
		if v.older != nil {
			checks = slices.Concat(v.older[k], checks)
		}
		w := newWindows(len(e.grid.X), len(e.grid.Y), c.p, c.variance)
		sense[k] = w.sensitivity()
		m := Class{P: c.p, Variance: c.variance, Slope: c.slope, Ratio: 1, RatioUpper: 1}
		if !whole {
			m.Ratio, m.RatioUpper = ratio(checks, rand.New(rand.NewPCG(e.options.Seed, uint64(r.Stage))))
		}
		m.SSIM, m.SSIMLower = w.similarity(m.Ratio), w.similarity(m.RatioUpper)
		m.Pearson, m.NRMSE = c.agreement(m.Ratio)
		var unsure []float64
		m.Top10Overlap, unsure = c.overlap()
		if e.fitted.use == samples {
			m.Top10Overlap = max(0, m.Top10Overlap-together)
		}
		r.Classes = append(r.Classes, m)

		lo, hi := extremes(c.p)
		overlaps := hi-lo <= flat || m.Top10Overlap >= e.options.Top10Overlap
		if hi-lo > flat {
			e.wish = max(e.wish, float64(n)*max(shortfall(m.Pearson, e.options.Pearson), shortfall(m.Top10Overlap, e.options.Top10Overlap)))
		}
		similar = similar && m.SSIMLower >= e.options.SSIM
		plain = plain && w.similarity(beyond*m.RatioUpper) >= e.options.SSIM
		overlapping = overlapping && overlaps
		correlated = correlated && (hi-lo <= flat || m.Pearson >= e.options.Pearson)
		// Errors' variances fall about as the samples' number rises.
		usual := min(m.RatioUpper, surprise)
		needed := float64(n) * usual / w.tolerance(e.options.SSIM, usual/100, usual)
		costly = costly || float64(n) >= roughFrom*wanted && needed > roughAbove*wanted ||
			float64(n) >= seriousFrom*wanted && needed > hopeless*wanted
		needed = min(needed, wanted)
		r.Needed = max(r.Needed, int(needed))
		if e.whole {
			sketched = max(sketched, needed*gain(recent[k]))
		} else {
			sketched = max(sketched, needed*gain(checks))
		}
		e.look(c.variance, 1)
		if !overlaps {
			e.look(unsure, doubt)
		}
	}
	if len(v.checked) > 0 || v.older == nil {
		e.recent = recent
	}
	e.sense = sense
	r.Similar, r.Correlated, r.Overlapping = similar, correlated, overlapping
	if len(v.checked) > 0 || !similar {
		e.passes = following(e.passes, similar)
	}
	if plain && v.older != nil {
		e.passes = passes
	}
	r.Stop = whole || e.options.SSIM > 0 && e.passes >= passes && correlated && overlapping
	e.costly = following(e.costly, costly)
	r.Rough = !r.Stop && e.costly >= passes
	switch {
	case r.Whole == r.Wanted:
		e.use = feature
	case e.options.SketchCost > 0:
		r.Rho = e.rho
		if !math.IsNaN(sketched) {
			r.NeededSketched = int(min(max(sketched, float64(len(e.samples))), wanted))
		}
		e.decide(r)
	}
	return r, nil
}

// shortfall is by how much the samples must be more for a figure to reach a target:
// errors, and with them what is lacking of 1, fall about as the root of their number
// rises.
func shortfall(has, target float64) float64 {
	if has >= target {
		return 1
	}
	return min(16, square((1-has)/(1-target)))
}

// checks compare what was at the checked positions with what a class's map was.
func (e *Estimator) checks(v verdict, k int, c *class) []check {
	from := e.coarse
	if e.whole {
		from = e.fine
	}
	off := e.residues(from, k)
	list := make([]check, len(v.checked))
	for i, p := range v.checked {
		sense, sketched := v.sense[k][p], math.NaN()
		if o, ok := off[p]; ok {
			sketched = sense * square(c.link.slope(c.mu[p])*o)
		}
		list[i] = check{
			observed:  sense * square(c.p[p]-v.before[k].p[p]),
			predicted: sense * v.before[k].variance[p],
			sketched:  sketched,
		}
	}
	return list
}

// look makes the next stage look where something is large, per sample's surroundings.
func (e *Estimator) look(at []float64, weight float64) {
	total := 0.0
	for _, v := range at {
		total += v
	}
	if total == 0 {
		return
	}
	for p, v := range at {
		if !e.done[p] {
			e.focus[p] += weight * v / total / e.design.distance2[p]
		}
	}
}

// gain is the variance of sketches' errors relative to that of interpolation, at
// the same positions; NaN if some were not sketched.
func gain(checks []check) float64 {
	var sum check
	for _, c := range checks {
		sum.observed += c.observed
		sum.sketched += c.sketched
	}
	if sum.observed == 0 {
		return math.NaN()
	}
	return sum.sketched / sum.observed
}

// following counts how often in a row something was found.
func following(count int, found bool) int {
	if !found {
		return 0
	}
	return count + 1
}
