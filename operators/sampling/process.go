package sampling

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
)

// judges is the number of blocks that shapes are judged on.
const judges = 12

// process is the Gaussian process on f, of all classes, given some samples.
type process struct {
	places  []point // of all positions
	sampled []int   // the samples' positions
	at      []point // and places
	blocks  []*block
	classes []*class
	shape   shape
	threads int
}

// class is one class's samples and what follows from them.
type class struct {
	link    Link
	f       []float64 // of the samples
	feature []float64 // by position; nil without one

	slope float64   // of f over the feature
	rest  []float64 // of the samples: f less slope times feature
	chi2  []float64 // of the samples: what leaving it out gives, error² per unit variance
	prior float64   // of chi2, where no sample is near

	mu, sigma   []float64 // of f by position
	p, variance []float64 // of the map's value by position
}

func newProcess(places []point, wanted, sampled []int, classes []*class, from shape, threads int) *process {
	p := &process{places: places, sampled: sampled, classes: classes, shape: from, threads: threads}
	for _, s := range sampled {
		p.at = append(p.at, places[s])
	}
	p.blocks = partition(places, wanted, sampled)
	for _, c := range classes {
		p.subtract(c, c.slope)
	}
	return p
}

// fit finds the process' shape, slopes and local variances.
func (p *process) fit(ctx context.Context) error {
	if err := p.tune(ctx); err != nil {
		return err
	}
	if err := p.each(ctx, len(p.blocks), func(i int) error {
		return p.factorise(p.blocks[i], p.shape)
	}); err != nil {
		return err
	}
	for _, c := range p.classes {
		p.regress(c)
		c.chi2 = make([]float64, len(p.sampled))
		p.leaveOut(c, func(sample int, e, v float64) { c.chi2[sample] = e * e / v })
		sorted := slices.Sorted(slices.Values(c.chi2))
		c.prior = sorted[len(sorted)/2]
	}
	return nil
}

// each runs do for 0 to n-1 on the process' threads. Each call writes what no
// other does, so the result does not depend on the number of threads.
func (p *process) each(ctx context.Context, n int, do func(i int) error) error {
	failures := make([]error, n)
	next := make(chan int)
	var group sync.WaitGroup
	for range max(1, min(p.threads, n)) {
		group.Go(func() {
			for i := range next {
				failures[i] = do(i)
			}
		})
	}
	for i := range n {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	group.Wait()
	return errors.Join(append(failures, ctx.Err())...)
}

func (p *process) factorise(b *block, s shape) error {
	if !b.factorise(s, p.at) {
		return errors.New("the samples' correlations are singular") // no nugget allows that
	}
	return nil
}

// tune finds the shape under which the samples, each left out, are the most
// likely: uphill from the one it has, step by step.
func (p *process) tune(ctx context.Context) error {
	panel := p.blocks
	if n := len(panel); n > judges {
		panel = nil
		for i := range judges {
			panel = append(panel, p.blocks[i*n/judges])
		}
	}
	known := map[shape]float64{}
	judge := func(s shape) (float64, error) {
		if v, ok := known[s]; ok {
			return v, nil
		}
		scores := make([]float64, len(panel))
		err := p.each(ctx, len(panel), func(i int) (err error) {
			scores[i], err = p.likelihood(panel[i], s)
			return err
		})
		var sum float64
		for _, v := range scores {
			sum += v
		}
		known[s] = sum
		return sum, err
	}
	top, err := judge(p.shape)
	for moved := true; moved && err == nil; {
		moved = false
		for _, s := range p.shape.steps() {
			v, failed := judge(s)
			err = errors.Join(err, failed)
			if v > top {
				p.shape, top, moved = s, v, true
				break
			}
		}
	}
	return err
}

// likelihood is the logarithm of the leave-one-out density of a block's own
// samples (Rasmussen and Williams, 5.11), over all classes. The variance is the
// one that suits the block best, since blocks differ in it by orders of magnitude.
func (p *process) likelihood(b *block, s shape) (float64, error) {
	if b.own == 0 {
		return 0, nil
	}
	trial := *b
	if err := p.factorise(&trial, s); err != nil {
		return 0, err
	}
	errs, variances := make([]float64, b.own), make([]float64, b.own)
	var sum float64
	for _, c := range p.classes {
		trial.leaveOut(pick(c.rest, b.samples), errs, variances)
		var chi2, logs float64
		for i, e := range errs {
			chi2 += e * e / variances[i]
			logs += math.Log(variances[i])
		}
		n := float64(b.own)
		sum -= (n*math.Log(chi2/n+rounding) + logs) / 2
	}
	return sum, nil
}

// rounding is a variance of f, and of a map's values, that means nothing.
const rounding = 1e-14

// pick are the values of some samples.
func pick(values []float64, samples []int) []float64 {
	list := make([]float64, len(samples))
	for i, s := range samples {
		list[i] = values[s]
	}
	return list
}

// leaveOut visits every sample with its leave-one-out error and variance.
func (p *process) leaveOut(c *class, visit func(sample int, e, v float64)) {
	for _, b := range p.blocks {
		errs, variances := make([]float64, b.own), make([]float64, b.own)
		b.leaveOut(pick(c.rest, b.samples), errs, variances)
		for i, s := range b.samples[:b.own] {
			visit(s, errs[i], variances[i])
		}
	}
}

// regress finds the slope of a class's feature by generalised least squares over
// all blocks, each of which has a mean of its own, and keeps it only if the
// samples left out are then predicted better.
func (p *process) regress(c *class) {
	if c.feature == nil {
		return
	}
	var top, bottom float64
	for _, b := range p.blocks {
		t, y := make([]float64, len(b.samples)), pick(c.f, b.samples)
		for i, s := range b.samples {
			t[i] = c.feature[p.sampled[s]]
		}
		tm, ym := b.mean(t), b.mean(y)
		for i := range t {
			t[i] -= tm
			y[i] -= ym
		}
		for i := range t {
			kt := dot(b.row(i), t)
			top += kt * y[i]
			bottom += kt * t[i]
		}
	}
	likely := func(slope float64) float64 {
		p.subtract(c, slope)
		var sum float64
		p.leaveOut(c, func(_ int, e, v float64) { sum -= math.Log(e*e/v + rounding) })
		return sum
	}
	if bottom > 0 && likely(top/bottom) > likely(0) {
		p.subtract(c, top/bottom)
	}
}

// subtract gives a class a slope.
func (p *process) subtract(c *class, slope float64) {
	c.slope = slope
	c.rest = slices.Clone(c.f)
	if slope != 0 {
		for i, s := range p.sampled {
			c.rest[i] -= slope * c.feature[s]
		}
	}
}
