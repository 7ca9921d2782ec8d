package sampling

import (
	"context"
	"math"
	"slices"
)

// The stages' sizes.
const (
	firstWide    = 36   // positions of the first stage that are spread out, at least
	leastStage   = 24   // positions of a later stage, at least,
	growth       = 0.15 // and as a share of the samples so far,
	ofNeeded     = 0.5  // or of those that are still needed,
	mostGrowth   = 1.0  // but at most that share of the samples so far
	confirming   = 0.06 // the share that a stage which only confirms has
	leastChecks  = 12   // positions of every stage that are random, at least,
	sketchChecks = 8    // or so many beside sketches, some more of which are exact,
	checkShare   = 0.25 // and as a share of the stage,
	confirmShare = 0.5  // or of one that only confirms
	focusShare   = 0.3  // share of a later stage that goes where errors are large
	telling      = 4    // positions of a stage of sketches that are exact where that tells most
	probes       = 24   // positions of a stage that only tries fine sketches
	// amortised is what a stage spends on samples, at least, beside what it costs
	// anyhow, and mostFirst the share of all positions that the first may have for that.
	amortised, mostFirst = 0.5, 0.1
)

// Next begins a stage. It returns the positions to be computed exactly, those at
// random first; none are left once all were observed. Positions of a stage that
// were not observed before the next may be proposed again. Once the context has
// ended they are not all, and not to be used.
func (e *Estimator) Next(ctx context.Context) []int {
	if len(e.pending)+len(e.cheap) > 0 || e.use != e.designed {
		e.forget()
	}
	e.designed = e.use
	var chosen []int // not at random
	if e.last == nil {
		// The random positions keep distances off the lattice.
		chosen = e.design.widest(ctx, max(firstWide, min(e.worthwhile(), int(mostFirst*float64(len(e.wanted))))), nil)
		e.random = e.design.anywhere(leastChecks)
	} else {
		size, checks := e.size()
		focus := int(focusShare * float64(size))
		e.random = e.design.anywhere(checks)
		chosen = e.design.widest(ctx, size-checks-focus, nil)
		chosen = append(chosen, e.design.widest(ctx, focus, e.focus)...)
	}
	e.pending, e.cheap, e.whole = slices.Clone(e.random), nil, e.probe || e.use == feature
	switch {
	case e.use == feature:
		e.cheap = slices.Clone(e.wanted)
	case e.probe:
		e.cheap = slices.Clone(e.random)
	case e.use == samples:
		e.cheap, chosen = slices.Concat(e.random, chosen), e.telling(ctx, telling)
	}
	e.pending = append(e.pending, chosen...)
	e.cheap = slices.DeleteFunc(e.cheap, e.of().has)
	return slices.Clone(e.pending)
}

// Sketches are the positions of the stage to be computed cheaply, some of which
// are to be computed exactly, too: the pairs tell how far sketches are off.
func (e *Estimator) Sketches() []int { return slices.Clone(e.cheap) }

// Whole tells whether the stage's sketches are to be as fine as those of whole
// maps. They may be at positions that were sketched before, less finely.
func (e *Estimator) Whole() bool { return e.whole }

// of are the sketches that the stage adds to.
func (e *Estimator) of() *sketches {
	if e.whole {
		return e.fine
	}
	return e.coarse
}

// telling are positions that were sketched, where exact values tell the most of
// how far sketches are off: where the map moves, far from each other and from exact
// ones.
func (e *Estimator) telling(ctx context.Context, n int) []int {
	if e.last == nil {
		return nil
	}
	weight := make([]float64, len(e.places))
	for _, c := range e.fitted.classes {
		total, moves := 0.0, spreads(len(e.grid.X), len(e.grid.Y), c.p)
		for p := range moves {
			total += moves[p]
		}
		for p, v := range moves {
			weight[p] += v / total
		}
	}
	d := newDesign(e.places, e.coarse.positions, e.design.random)
	for _, p := range e.samples {
		d.take(p)
	}
	for _, p := range e.random {
		d.take(p)
	}
	return d.widest(ctx, n, weight)
}

// forget leaves of the design what is of use: the samples, and sketches where
// they are samples.
func (e *Estimator) forget() {
	but := slices.Clone(e.samples)
	if e.use == samples {
		but = append(but, e.coarse.positions...)
	}
	e.design.forget(but)
}

// size is that of a later stage, and how many of it are random. It grows with the
// samples so far, and faster where many are needed. One that only confirms what the
// last one found is small, and one that only refines what was confirmed has nothing
// random.
func (e *Estimator) size() (size, checks int) {
	n, needed := float64(e.data()), max(float64(e.last.Needed), e.wish)
	if e.use == feature && e.fitted.use != feature {
		n, needed = float64(len(e.samples)), float64(e.last.NeededSketched)
	}
	stage, share := max(growth*n, min(mostGrowth*n, ofNeeded*(needed-n)), float64(e.worthwhile())), checkShare
	switch {
	case e.use == samples && e.probe:
		return probes, probes
	case e.passes >= passes && e.options.SSIM > 0 && e.wish > n:
		return max(leastStage, int(math.Ceil(stage))), 0
	case e.passes > 0 && e.passes < passes && e.wish <= n:
		stage, share = confirming*n, confirmShare
	}
	size = max(leastStage, int(math.Ceil(stage)))
	if e.use == samples {
		return size, sketchChecks
	}
	return size, max(leastChecks, int(share*float64(size)))
}

// worthwhile is how many samples a stage takes for them to cost a share of what it
// costs without.
func (e *Estimator) worthwhile() int {
	each := 1.0
	if e.use == samples {
		each = e.options.SketchCost
	}
	return int(amortised * (e.options.StageCost + leastChecks) / each)
}

// data is the number of positions that the last estimate rests on.
func (e *Estimator) data() int { return len(e.fitted.sampled) }

// spreadFloor is the share of the mean spread that is added to that around a
// position: maps are off where they are flat, too.
const spreadFloor = 0.1

// spreads are the variances of a map's values around each position, and a share
// of their mean.
func spreads(w, h int, p []float64) []float64 {
	list := make([]float64, len(p))
	table := newSums(w, h, func(i int) sum {
		if math.IsNaN(p[i]) {
			return sum{}
		}
		return sum{n: 1, first: p[i], second: p[i] * p[i]}
	})
	var mean, n float64
	for y := range h {
		for x := range w {
			i := y*w + x
			if math.IsNaN(p[i]) {
				continue
			}
			t := table.over(max(0, x-side/2), max(0, y-side/2), min(w, x+side/2+1), min(h, y+side/2+1))
			list[i] = max(0, t.second/t.n-square(t.first/t.n))
			n++
			mean += (list[i] - mean) / n
		}
	}
	for i := range list {
		if !math.IsNaN(p[i]) {
			list[i] += spreadFloor*mean + meaningless
		}
	}
	return list
}
