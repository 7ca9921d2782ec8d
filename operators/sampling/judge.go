package sampling

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
)

// Approximation is a map whose every value may be off, such as one of cropped
// computations or of a coarse grid enlarged.
type Approximation struct {
	Grid Grid
	P    []float64 // by position; NaN where missing
	// Exact marks positions that are known exactly; nil if none is.
	Exact []bool
	// Checked are positions that were chosen uniformly at random among those that
	// are not, and Values the exact ones there.
	Checked []int
	Values  []float64
	Seed    uint64 // of the bootstrap
}

// fewestChecks is the number of checks that anything can be said from.
const fewestChecks = 8

// floor is the share of the mean spread that is added to that around a position:
// maps are off where they are flat, too.
const floor = 0.1

// unmet is the least upper ratio: a few checks may have met none of the places
// where a map of little else is off.
const unmet = 3

// Judge says how good an approximation can be made by checks, exact values at
// random positions. The class's P is the map on the line that checks lie about:
// what is computed poorly is often damped. The rest of the errors is taken to grow
// with what the map does around: the variance is a multiple, which checks tell, of
// the values' variance in the window about a position, and of a share of the mean
// of that everywhere.
func Judge(a Approximation) (Class, error) {
	if err := a.check(); err != nil {
		return Class{}, err
	}
	w, h := len(a.Grid.X), len(a.Grid.Y)
	n := w * h
	fit := newLine(func(visit func(x, y float64)) {
		for i, p := range a.Checked {
			visit(a.P[p], a.Values[i])
		}
	})
	values := make([]float64, n)
	for i, p := range a.P {
		switch {
		case a.Grid.Missing != nil && a.Grid.Missing[i]:
			values[i] = math.NaN()
		case a.Exact != nil && a.Exact[i]:
			values[i] = p
		default:
			values[i] = fit.at(p)
		}
	}
	c := &class{link: Identity, mu: values, p: values, sigma: make([]float64, n), variance: spreads(w, h, values)}
	for i := range a.Exact {
		if a.Exact[i] {
			c.variance[i] = 0
		}
	}
	// Where errors count depends on how large they are: at first all count alike.
	c.rescale(relative(a.checks(c, slices.Repeat([]float64{1}, n))))
	sense := newWindows(w, h, c.p, c.variance).sensitivity()
	c.rescale(relative(a.checks(c, sense)))
	s := newWindows(w, h, c.p, c.variance)
	m := Class{P: c.p, Variance: c.variance}
	m.Ratio, m.RatioUpper = ratio(a.checks(c, sense), rand.New(rand.NewPCG(a.Seed, 0)))
	m.RatioUpper = max(unmet, m.RatioUpper)
	m.SSIM, m.SSIMLower = s.similarity(m.Ratio), s.similarity(m.RatioUpper)
	m.Pearson, m.NRMSE = c.agreement(m.Ratio)
	for i, v := range c.variance {
		c.sigma[i] = math.Sqrt(v)
	}
	m.Top10Overlap, _ = c.overlap()
	return m, nil
}

// rescale multiplies the errors' variances.
func (c *class) rescale(by float64) {
	for i := range c.variance {
		c.variance[i] *= by
	}
}

// checks compare the approximation with the exact values.
func (a *Approximation) checks(c *class, weight []float64) []check {
	list := make([]check, len(a.Checked))
	for i, p := range a.Checked {
		list[i] = check{
			observed:  weight[p] * square(a.Values[i]-c.p[p]),
			predicted: weight[p] * c.variance[p],
		}
	}
	return list
}

func (a *Approximation) check() error {
	if err := a.Grid.check(); err != nil {
		return err
	}
	n := len(a.Grid.X) * len(a.Grid.Y)
	switch {
	case len(a.P) != n || a.Exact != nil && len(a.Exact) != n:
		return fmt.Errorf("a grid of %d positions has a map of %d, %d of them exact or not", n, len(a.P), len(a.Exact))
	case len(a.Checked) != len(a.Values):
		return fmt.Errorf("%d positions were checked with %d values", len(a.Checked), len(a.Values))
	case len(a.Checked) < fewestChecks:
		return fmt.Errorf("%d checks are too few to judge a map by", len(a.Checked))
	}
	for i, p := range a.Checked {
		if p < 0 || p >= n || math.IsNaN(a.P[p]) || a.Grid.Missing != nil && a.Grid.Missing[p] {
			return fmt.Errorf("position %d was checked, which is not on the grid", p)
		}
		if math.IsNaN(a.Values[i]) {
			return errors.New("a checked position has no value")
		}
	}
	return nil
}

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
			list[i] += floor*mean + meaningless
		}
	}
	return list
}
