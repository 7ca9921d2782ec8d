package sampling

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

const (
	// passes is the number of consecutive stages that must find something.
	passes = 2
	// fewest is the number of samples that a process can be fitted to.
	fewest = 4
	// A map is judged rough once this share was sampled, and if more than that share
	// would have to be.
	roughFrom, roughAbove = 0.1, 0.75
	// hopeless is how many times all positions are too many at once.
	hopeless = 2
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

	// SketchCost is what a sketch, f computed cheaply and not quite right, costs in
	// units of an exact position. 0 means that there are no sketches. WholeCost is
	// the same for the finer ones that whole maps are made of; 0, or 1 and more, means
	// that there are none, or none that pay.
	SketchCost, WholeCost float64

	// StageCost is what a stage costs beside its positions, in the same units.
	StageCost float64

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
	whole   bool  // of the stage: whether sketches are to be fine
	pending []int // the positions of this stage that were not observed yet
	random  []int // those of the stage that were chosen at random
	cheap   []int // those of the stage to be sketched

	samples  []int       // positions observed, in order
	observed [][]float64 // by class, f of the samples
	done     []bool      // by position, whether it was observed
	coarse   *sketches
	fine     *sketches // for whole maps
	use      use
	designed use // that the design was made for

	fitted     *data // by the last estimate, nil before
	shape      shape
	rho, alone float64 // of the process

	threads []*thread
	memory  []float64

	last   *Result     // nil before the first estimate
	recent [][]check   // by class, of the last stage
	sense  [][]float64 // by class, sensitivity of the last map
	focus  []float64   // by position, where errors are large
	wish   float64     // about how many samples the correlation and the overlap take
	passes int         // stages in a row that reached the target's similarity
	probe  bool        // whether to try fine sketches at random positions
	probed bool        // whether that was done
	costly int         // stages in a row that found that too many samples are needed,
	vain   int         // that sketches are poor samples,
	dearer int         // and that sketching all positions takes less
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
	e := &Estimator{grid: grid, options: options, shape: middle, rho: firstRho, threads: newThreads(options.Threads)}
	e.places, e.wanted = grid.points(patchW, patchH)
	if len(e.wanted) == 0 {
		return nil, errors.New("a grid whose positions are all missing cannot be sampled")
	}
	if err := e.checkFeatures(); err != nil {
		return nil, err
	}
	if len(e.wanted) <= firstWide+leastChecks {
		e.options.SketchCost, e.options.WholeCost = 0, 0 // the first stage takes them all
	}
	if e.options.SketchCost > 0 {
		e.use, e.designed = samples, samples
	}
	e.done, e.observed = make([]bool, len(e.places)), make([][]float64, options.Classes)
	e.coarse, e.fine = newSketches(len(e.places), options.Classes), newSketches(len(e.places), options.Classes)
	e.design = newDesign(e.places, e.wanted, rand.New(rand.NewPCG(options.Seed, 0)))
	return e, nil
}

func (e *Estimator) checkFeatures() error {
	features := e.options.Features
	if features != nil && len(features) != e.options.Classes {
		return fmt.Errorf("features of %d classes for %d", len(features), e.options.Classes)
	}
	for k, f := range features {
		if f == nil {
			continue
		}
		if len(f) != len(e.places) {
			return fmt.Errorf("class %d has a feature at %d positions of %d", k, len(f), len(e.places))
		}
		for _, p := range e.wanted {
			if math.IsNaN(f[p]) || math.IsInf(f[p], 0) {
				return fmt.Errorf("class %d has the feature %g at position %d", k, f[p], p)
			}
		}
	}
	return nil
}

// Bytes is about how much memory the estimator holds.
func (e *Estimator) Bytes() int64 {
	perPosition := 0
	for range e.observed {
		perPosition += 8 * 8 // p, its variance and gradient, features, sketches of both kinds
	}
	return int64(8*cap(e.memory) + perPosition*len(e.places))
}

// Observe tells f of each class at some positions. It may be called several times
// a stage, with positions that Next did not propose too.
func (e *Estimator) Observe(positions []int, f [][]float64) error {
	if err := e.check(positions, f, "observed", func(p int) bool { return e.done[p] }); err != nil {
		return err
	}
	for _, p := range positions {
		e.done[p] = true
		if !e.design.taken[p] {
			e.design.take(p)
		}
	}
	e.samples = append(e.samples, positions...)
	for k := range f {
		for _, v := range f[k] {
			e.observed[k] = append(e.observed[k], e.options.Link.clamp(v))
		}
	}
	e.pending = slices.DeleteFunc(e.pending, func(p int) bool { return e.done[p] })
	return nil
}

// Sketch tells what f of each class seems to be at some positions, as Observe
// does, as finely as Whole says.
func (e *Estimator) Sketch(positions []int, f [][]float64) error {
	if err := e.check(positions, f, "sketched", e.of().has); err != nil {
		return err
	}
	for _, p := range positions {
		if e.use == samples && !e.design.taken[p] {
			e.design.take(p)
		}
	}
	e.of().add(positions, f, e.options.Link)
	e.cheap = slices.DeleteFunc(e.cheap, e.of().has)
	return nil
}

// check refuses what cannot have been computed.
func (e *Estimator) check(positions []int, f [][]float64, how string, already func(p int) bool) error {
	if len(f) != len(e.observed) {
		return fmt.Errorf("%d classes were %s, and %d are estimated", len(f), how, len(e.observed))
	}
	for k := range f {
		if len(f[k]) != len(positions) {
			return fmt.Errorf("class %d was %s at %d positions of %d", k, how, len(f[k]), len(positions))
		}
	}
	fresh := make(map[int]bool, len(positions))
	for i, p := range positions {
		switch {
		case p < 0 || p >= len(e.places) || e.grid.Missing != nil && e.grid.Missing[p]:
			return fmt.Errorf("position %d was %s, which is not on the grid", p, how)
		case already(p) || fresh[p]:
			return fmt.Errorf("position %d was %s twice", p, how)
		}
		fresh[p] = true
		for k := range f {
			if math.IsNaN(f[k][i]) {
				return fmt.Errorf("class %d has no number at position %d", k, p)
			}
		}
	}
	return nil
}

// Estimate ends a stage: it estimates the maps from all that was observed and
// sketched. At least 4 positions must be, or all. Interrupted, it leaves the
// estimator as it was.
func (e *Estimator) Estimate(ctx context.Context) (*Result, error) {
	v := verdict{checked: slices.DeleteFunc(slices.Clone(e.random), func(p int) bool { return !e.done[p] })}
	d := e.gather(nil)
	switch {
	case e.fitted != nil && e.fitted.use == d.use:
		v.before, v.sense, v.older = e.fitted.classes, e.sense, e.recent
	case len(v.checked) > 0:
		// There is no map of this kind to verify yet: it is the one from all other positions.
		if d := e.gather(v.checked); len(d.sampled) >= fewest && len(d.sampled) < len(e.wanted) {
			p, err := e.interpolate(ctx, d)
			if err != nil {
				return nil, err
			}
			v.before, v.sense = p.classes, nil
			for _, c := range p.classes {
				v.sense = append(v.sense, newWindows(len(e.grid.X), len(e.grid.Y), c.p, c.variance).sensitivity())
			}
		} else {
			v.checked = nil
		}
	}
	if len(d.sampled) < fewest && len(d.sampled) < len(e.wanted) {
		return nil, fmt.Errorf("%d samples are too few to estimate %d positions from", len(d.sampled), len(e.wanted))
	}
	p, err := e.interpolate(ctx, d)
	if err != nil {
		return nil, err
	}
	before := *e
	e.fitted, e.shape, e.rho, e.alone, e.random = p.data, p.shape, p.rho, p.alone, nil
	r, err := e.judge(ctx, v)
	if err != nil {
		*e = before
		return nil, err
	}
	e.last = r
	return r, nil
}

// interpolate estimates the maps from some data.
func (e *Estimator) interpolate(ctx context.Context, d *data) (*process, error) {
	p, memory := newProcess(e.places, e.wanted, d, e.shape, e.threads, e.memory)
	e.memory, p.rho = memory, e.rho
	if len(d.sampled) < len(e.wanted) || d.exact < len(d.sampled) {
		if err := p.fit(ctx); err != nil {
			return nil, fmt.Errorf("fitting a process to %d samples: %w", len(d.sampled), err)
		}
	}
	if err := p.predict(ctx); err != nil {
		return nil, fmt.Errorf("predicting from %d samples: %w", len(d.sampled), err)
	}
	return p, nil
}
