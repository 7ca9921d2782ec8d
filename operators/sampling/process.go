package sampling

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"sync/atomic"
)

const (
	// judges is the number of blocks that shapes are judged on,
	judges = 12
	// and nearest how many samples, with those inside, each is predicted from then.
	nearest = 32
)

// process is the Gaussian process on f, of all classes, given some samples.
type process struct {
	*data
	places   []point // of all positions
	at       []point // of the samples
	noise    []float64
	sampleAt []int32 // by position, the sample there or none
	blocks   []*block
	shape    shape
	rho      float64 // the variance of sketches, per unit of the process' local one
	alone    float64 // the variance of predicting an exact sample from all others, likewise, in the mean
	threads  []*thread
}

// class is one class's samples and what follows from them.
type class struct {
	link    Link
	f       []float64 // of the samples; of sketches, what is most likely
	feature []float64 // by position; nil without one
	off     []float64 // of the pairs: f less what the sketch says

	slope float64   // of f over the feature
	rest  []float64 // of the samples: f less slope times feature
	chi2  []float64 // of the samples: what leaving it out gives, error² per unit variance
	prior float64   // of chi2, where no sample is near

	mu, sigma   []float64 // of f by position
	p, variance []float64 // of the map's value by position
}

// thread is the memory that one thread works in.
type thread struct {
	trial        factor // of a block, under a shape that is tried
	y, variances [near]float64

	// Of a block's unknown positions.
	unknown               []int
	places                []point
	cross, nearness, rows []float64
}

func newThreads(n int) []*thread {
	list := make([]*thread, n)
	for i := range list {
		list[i] = &thread{trial: newFactor(nearest, make([]float64, roomFor(nearest)))}
	}
	return list
}

// newProcess cuts the grid into blocks; memory, which is given back, may be any.
func newProcess(places []point, wanted []int, d *data, from shape, threads []*thread, memory []float64) (*process, []float64) {
	p := &process{data: d, places: places, shape: from, threads: threads}
	p.at, p.noise = make([]point, len(d.sampled)), make([]float64, len(d.sampled))
	p.sampleAt = slices.Repeat([]int32{none}, len(places))
	for i, s := range d.sampled {
		p.at[i], p.sampleAt[s] = places[s], int32(i)
	}
	p.blocks = partition(places, wanted, p.sampleAt)
	n := min(near, len(d.sampled))
	room := roomFor(n)
	memory = slices.Grow(memory[:0], room*len(p.blocks))[:room*len(p.blocks)]
	for i, b := range p.blocks {
		b.factor = newFactor(n, memory[i*room:(i+1)*room])
	}
	for _, c := range d.classes {
		p.subtract(c, c.slope)
	}
	return p, memory
}

// fit finds the process' shape, slopes, local variances and the noise of sketches.
func (p *process) fit(ctx context.Context) error {
	if err := p.each(ctx, len(p.blocks), func(_ *thread, i int) error {
		p.blocks[i].gather(p.places, p.at, p.sampleAt)
		return nil
	}); err != nil {
		return err
	}
	p.makeNoise()
	if err := p.tune(ctx); err != nil {
		return err
	}
	for _, c := range p.classes {
		c.chi2 = make([]float64, len(p.sampled))
	}
	variances := make([]float64, len(p.sampled))
	for range noiseRounds {
		if err := p.each(ctx, len(p.blocks), func(_ *thread, i int) error {
			b := p.blocks[i]
			return p.factorise(&b.factor, b.samples, p.shape)
		}); err != nil {
			return err
		}
		for _, c := range p.classes {
			p.regress(c)
			if err := p.each(ctx, len(p.blocks), func(_ *thread, i int) error {
				p.leaveOut(c, p.blocks[i], func(sample int, e, v float64) {
					c.chi2[sample], variances[sample] = e*e/v, v
				})
				return nil
			}); err != nil {
				return err
			}
			sorted := slices.Sorted(slices.Values(c.chi2))
			c.prior = sorted[len(sorted)/2]
		}
		p.alone = 0
		for _, v := range variances[:p.exact] {
			p.alone += v / float64(p.exact)
		}
		if !p.listen() {
			return nil
		}
	}
	return nil
}

// each runs do for 0 to n-1 on the process' threads. Each call writes what no
// other does, so the result does not depend on the number of threads.
func (p *process) each(ctx context.Context, n int, do func(t *thread, i int) error) error {
	failures := make([]error, len(p.threads))
	var next atomic.Int64
	work := func(k int) {
		for ctx.Err() == nil && failures[k] == nil {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			failures[k] = do(p.threads[k], i)
		}
	}
	var group sync.WaitGroup
	for k := 1; k < min(len(p.threads), n); k++ {
		group.Go(func() { work(k) })
	}
	work(0)
	group.Wait()
	return errors.Join(append(failures, ctx.Err())...)
}

// factorise decomposes the correlations of some samples.
func (p *process) factorise(f *factor, samples []int, s shape) error {
	var at [near]point
	var noise [near]float64
	for i, k := range samples {
		at[i], noise[i] = p.at[k], p.noise[k]
	}
	if !f.factorise(s, at[:len(samples)], noise[:len(samples)]) {
		return errors.New("the samples' correlations are singular") // no nugget allows that
	}
	return nil
}

// tune finds the shape under which the samples, each left out, are the most
// likely: uphill from the one it has, each time to the best of those one step away.
func (p *process) tune(ctx context.Context) error {
	panel := p.blocks
	if n := len(panel); n > judges {
		panel = nil
		for i := range judges {
			panel = append(panel, p.blocks[i*n/judges])
		}
	}
	known := map[shape]float64{}
	for {
		shapes := slices.DeleteFunc(append(p.shape.steps(), p.shape), func(s shape) bool { _, ok := known[s]; return ok })
		scores := make([]float64, len(shapes)*len(panel))
		if err := p.each(ctx, len(scores), func(t *thread, i int) (err error) {
			scores[i], err = p.likelihood(t, panel[i%len(panel)], shapes[i/len(panel)])
			return err
		}); err != nil {
			return err
		}
		for i, v := range scores {
			known[shapes[i/len(panel)]] += v
		}
		best := p.shape
		for _, s := range p.shape.steps() {
			if known[s] > known[best] {
				best = s
			}
		}
		if best == p.shape {
			return nil
		}
		p.shape = best
	}
}

// likelihood is the logarithm of the leave-one-out density of a block's own
// samples (Rasmussen and Williams, 5.11), over all classes. The variance is the
// one that suits the block best, since blocks differ in it by orders of magnitude.
func (p *process) likelihood(t *thread, b *block, s shape) (float64, error) {
	if b.own == 0 {
		return 0, nil
	}
	samples := b.samples[max(0, len(b.samples)-nearest):]
	if err := p.factorise(&t.trial, samples, s); err != nil {
		return 0, err
	}
	variances := t.variances[:b.own]
	t.trial.leftOut(variances)
	var sum float64
	for _, c := range p.classes {
		y := pick(t.y[:], c.rest, samples)
		t.trial.solve(y)
		var chi2, logs float64
		for i, q := range y[len(y)-b.own:] {
			chi2 += q * q * variances[i]
			logs += math.Log(variances[i])
		}
		n := float64(b.own)
		sum -= (n*math.Log(chi2/n+rounding) + logs) / 2
	}
	return sum, nil
}

// rounding is a variance of f that means nothing.
const rounding = 1e-14

// pick puts the values of some samples into a list that is long enough.
func pick(list, values []float64, samples []int) []float64 {
	for i, s := range samples {
		list[i] = values[s]
	}
	return list[:len(samples)]
}

// leaveOut visits a block's own samples with their leave-one-out errors and variances.
func (p *process) leaveOut(c *class, b *block, visit func(sample int, e, v float64)) {
	var values, room [near]float64
	y, variances := pick(values[:], c.rest, b.samples), room[:b.own]
	b.factor.solve(y)
	b.factor.leftOut(variances)
	first := len(y) - b.own
	for i, v := range variances {
		visit(b.samples[first+i], y[first+i]*v, v)
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
	var ts, ys [near]float64
	for _, b := range p.blocks {
		t, y := ts[:len(b.samples)], pick(ys[:], c.f, b.samples)
		for i, s := range b.samples {
			t[i] = c.feature[p.sampled[s]]
		}
		b.factor.centre(t)
		b.factor.centre(y)
		top += dot(t, y)
		bottom += dot(t, t)
	}
	likely := func(slope float64) float64 {
		p.subtract(c, slope)
		var sum float64
		for _, b := range p.blocks {
			p.leaveOut(c, b, func(_ int, e, v float64) { sum -= math.Log(e*e/v + rounding) })
		}
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
