package sampling

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// The stages' sizes.
const (
	firstWide   = 36   // positions of the first stage that are spread out
	leastChecks = 12   // positions of every stage that are random, at least,
	checkShare  = 0.25 // and as a share of the stage
	focusShare  = 0.3  // share of a later stage that goes where errors are large
	growth      = 0.3  // a later stage's size as a share of the samples so far,
	leastStage  = 24   // at least,
	mostStage   = 0.06 // and at most, as a share of all positions
)

const (
	// passes is the number of consecutive stages that must find something.
	passes = 2
	// fewest is the number of samples that a process can be fitted to.
	fewest = 4
	// A map is judged rough once this share was sampled, and if more than that share
	// would have to be.
	roughFrom, roughAbove = 0.1, 0.75
	// flat is a range of values below which a map's shape is of no consequence.
	flat = 0.05
)

// Options say what an Estimator estimates and when it stops. The zero value is
// one class of probabilities and no target: Stop waits for all positions.
type Options struct {
	Classes int  // 1 where it is 0
	Link    Link // of f to the maps' values

	// Features is, by class and position, something of which f is hoped to be
	// roughly a multiple plus a constant, such as its Taylor expansion; nil, or nil
	// for a class, where there is none.
	Features [][]float64

	// What Stop waits for, of every class: the structural similarity's lower bound on
	// two consecutive stages, and then, where a map's range exceeds 0.05, the
	// correlation and the overlap of the top tenth that are predicted. 0 demands
	// nothing of the latter two.
	SSIM, Pearson, Top10Overlap float64

	Seed    uint64 // of all random choices
	Threads int    // to compute with, 1 where it is 0; of no influence on the result
}

// Estimator chooses positions, is told f there, and estimates all others. It is
// used by one goroutine at a time.
type Estimator struct {
	grid    Grid
	options Options
	places  []point
	wanted  []int

	design  *design
	pending []int // the positions of this stage that were not observed yet
	random  []int // those of the stage that were chosen at random

	samples []int // positions observed, in order
	known   map[int]bool
	classes []*class
	shape   shape

	threads []*thread
	memory  []float64

	last   *Result     // nil before the first estimate
	recent [][]check   // by class, of the last stage
	sense  [][]float64 // by class, sensitivity of the last map
	focus  []float64   // by position, where errors are large
	passes int         // stages in a row that reached the target's similarity
	costly int         // stages in a row that found that too many samples are needed
}

// Result is what is known after a stage.
type Result struct {
	Classes []Class
	Stage   int // from 1
	Samples int // positions observed
	Checks  int // of them, those that verify an earlier map, over all stages
	Wanted  int // positions of the grid that are not missing
	Process string

	// Needed is about how many samples the target will take, at least Samples.
	Needed int
	// Rough says that interpolation does not pay: two consecutive stages found, a
	// tenth of the positions being sampled, that more than three quarters will have to be.
	Rough bool
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

// New makes an estimator of maps on a grid of positions of a patch.
func New(grid Grid, patchW, patchH int, options Options) (*Estimator, error) {
	if err := grid.check(); err != nil {
		return nil, err
	}
	if patchW < 1 || patchH < 1 {
		return nil, fmt.Errorf("a patch of %dx%d pixels is empty", patchW, patchH)
	}
	options.Classes, options.Threads = max(1, options.Classes), max(1, options.Threads)
	if f := options.Features; f != nil && len(f) != options.Classes {
		return nil, fmt.Errorf("features of %d classes for %d", len(f), options.Classes)
	}
	e := &Estimator{grid: grid, options: options, shape: middle, known: map[int]bool{}, threads: newThreads(options.Threads)}
	e.places, e.wanted = grid.points(patchW, patchH)
	if len(e.wanted) == 0 {
		return nil, errors.New("a grid whose positions are all missing cannot be sampled")
	}
	e.design = newDesign(e.places, e.wanted, rand.New(rand.NewPCG(options.Seed, 0)))
	for k := range options.Classes {
		c := &class{link: options.Link}
		if options.Features != nil && options.Features[k] != nil {
			if c.feature = options.Features[k]; len(c.feature) != len(e.places) {
				return nil, fmt.Errorf("class %d has a feature at %d positions of %d", k, len(c.feature), len(e.places))
			}
			for _, p := range e.wanted {
				if v := c.feature[p]; math.IsNaN(v) || math.IsInf(v, 0) {
					return nil, fmt.Errorf("class %d has the feature %g at position %d", k, v, p)
				}
			}
		}
		e.classes = append(e.classes, c)
	}
	return e, nil
}

// Next returns the positions of the next stage, those at random first; none are
// left once all were observed. Positions of a stage that were not observed before
// the next may be proposed again.
func (e *Estimator) Next() []int {
	if len(e.pending) > 0 {
		e.design.forget(e.samples)
	}
	if e.last == nil {
		// There is no map to verify. The random positions keep distances off the lattice.
		wide := e.design.widest(firstWide, nil)
		e.random = nil
		e.pending = append(e.design.anywhere(leastChecks), wide...)
		return slices.Clone(e.pending)
	}
	size := int(math.Ceil(min(growth*float64(len(e.samples)), mostStage*float64(len(e.wanted)))))
	size = max(leastStage, size)
	checks := max(leastChecks, int(checkShare*float64(size)))
	focus := int(focusShare * float64(size))
	e.random = e.design.anywhere(checks)
	wide := e.design.widest(size-checks-focus, nil)
	e.pending = slices.Concat(e.random, wide, e.design.widest(focus, e.focus))
	return slices.Clone(e.pending)
}

// Observe tells f of each class at some positions. It may be called several times
// a stage, with positions that Next did not propose too.
func (e *Estimator) Observe(positions []int, f [][]float64) error {
	if len(f) != len(e.classes) {
		return fmt.Errorf("%d classes were observed, and %d are estimated", len(f), len(e.classes))
	}
	for k := range f {
		if len(f[k]) != len(positions) {
			return fmt.Errorf("class %d was observed at %d positions of %d", k, len(f[k]), len(positions))
		}
	}
	fresh := make(map[int]bool, len(positions))
	for i, p := range positions {
		switch {
		case p < 0 || p >= len(e.places) || e.grid.Missing != nil && e.grid.Missing[p]:
			return fmt.Errorf("position %d was observed, which is not on the grid", p)
		case e.known[p] || fresh[p]:
			return fmt.Errorf("position %d was observed twice", p)
		}
		fresh[p] = true
		for k := range f {
			if math.IsNaN(f[k][i]) {
				return fmt.Errorf("class %d has no number at position %d", k, p)
			}
		}
	}
	for i, p := range positions {
		e.known[p] = true
		e.samples = append(e.samples, p)
		if !e.design.taken[p] {
			e.design.take(p)
		}
		for k, c := range e.classes {
			c.f = append(c.f, c.link.clamp(f[k][i]))
		}
	}
	e.pending = slices.DeleteFunc(e.pending, func(p int) bool { return fresh[p] })
	return nil
}

// Estimate ends a stage: it estimates the maps from all that was observed. At
// least 4 positions must be, or all. Interrupted, it leaves the estimator as it was.
func (e *Estimator) Estimate(ctx context.Context) (*Result, error) {
	whole := len(e.samples) == len(e.wanted)
	if len(e.samples) < fewest && !whole {
		return nil, fmt.Errorf("%d samples are too few to estimate %d positions from", len(e.samples), len(e.wanted))
	}
	classes := make([]*class, len(e.classes))
	for k, c := range e.classes {
		fresh := *c
		classes[k] = &fresh
	}
	var p *process
	p, e.memory = newProcess(e.places, e.wanted, e.samples, classes, e.shape, e.threads, e.memory)
	if !whole {
		if err := p.fit(ctx); err != nil {
			return nil, fmt.Errorf("fitting a process to %d samples: %w", len(e.samples), err)
		}
	}
	if err := p.predict(ctx); err != nil {
		return nil, fmt.Errorf("predicting from %d samples: %w", len(e.samples), err)
	}
	before := e.classes
	e.classes, e.shape = classes, p.shape
	e.last = e.judge(before, whole)
	return e.last, nil
}

// judge says how good the classes' maps are, given those of the stage before.
func (e *Estimator) judge(before []*class, whole bool) *Result {
	r := &Result{Stage: 1, Samples: len(e.samples), Wanted: len(e.wanted), Process: e.shape.String(), Needed: len(e.samples)}
	if e.last != nil {
		r.Stage, r.Checks = e.last.Stage+1, e.last.Checks
	}
	checked := slices.DeleteFunc(slices.Clone(e.random), func(p int) bool { return !e.known[p] })
	e.random = nil
	r.Checks += len(checked)
	similar, alike := true, true
	focus, recent, sense := make([]float64, len(e.places)), make([][]check, len(e.classes)), make([][]float64, len(e.classes))
	for k, c := range e.classes {
		var older []check
		if e.recent != nil {
			older = e.recent[k]
		}
		for _, p := range checked {
			recent[k] = append(recent[k], check{
				observed:  e.sense[k][p] * square(c.p[p]-before[k].p[p]),
				predicted: e.sense[k][p] * before[k].variance[p],
			})
		}
		w := newWindows(len(e.grid.X), len(e.grid.Y), c.p, c.variance)
		sense[k] = w.sensitivity()
		v := Class{P: c.p, Variance: c.variance, Slope: c.slope, Ratio: 1, RatioUpper: 1}
		if !whole {
			random := rand.New(rand.NewPCG(e.options.Seed, uint64(r.Stage)))
			v.Ratio, v.RatioUpper = ratio(slices.Concat(older, recent[k]), random)
		}
		v.SSIM, v.SSIMLower = w.similarity(v.Ratio), w.similarity(v.RatioUpper)
		v.Pearson, v.NRMSE = c.agreement(v.Ratio)
		v.Top10Overlap = c.overlap()
		r.Classes = append(r.Classes, v)

		lo, hi := extremes(c.p)
		span := max(hi-lo, leastSpan)
		similar = similar && v.SSIMLower >= e.options.SSIM
		alike = alike && (hi-lo <= flat || v.Pearson >= e.options.Pearson && v.Top10Overlap >= e.options.Top10Overlap)
		// Errors' variances fall about as the samples' number rises.
		bearable := w.tolerance(e.options.SSIM, v.RatioUpper/100, v.RatioUpper) / v.RatioUpper
		r.Needed = max(r.Needed, int(min(float64(r.Samples)/bearable, float64(r.Wanted))))
		for p, v := range c.variance {
			if !e.design.taken[p] {
				focus[p] += v / (span * span) / e.design.distance2[p]
			}
		}
	}
	if len(checked) > 0 || e.recent == nil {
		e.recent = recent
	}
	e.sense, e.focus = sense, focus
	e.passes = following(e.passes, similar)
	r.Stop = whole || e.options.SSIM > 0 && e.passes >= passes && alike
	e.costly = following(e.costly, float64(r.Samples) >= roughFrom*float64(r.Wanted) && float64(r.Needed) > roughAbove*float64(r.Wanted))
	r.Rough = !r.Stop && e.costly >= passes
	return r
}

// following counts how often in a row something was found.
func following(count int, found bool) int {
	if !found {
		return 0
	}
	return count + 1
}
