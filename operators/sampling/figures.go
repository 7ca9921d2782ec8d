package sampling

import (
	"math"
	"slices"
)

// agreement is the correlation of the map with the exact one that its errors'
// variances let expect, and the error relative to the map's range. Errors of a
// mean do not go with it, so the exact map's variance is the sum of both.
func (c *class) agreement(scale float64) (pearson, nrmse float64) {
	var n, mean, spread, errors float64
	for i, p := range c.p {
		if math.IsNaN(p) {
			continue
		}
		n++
		d := p - mean
		mean += d / n
		spread += d * (p - mean)
		errors += scale * c.variance[i]
	}
	lo, hi := extremes(c.p)
	pearson = 1
	if spread+errors > 0 {
		pearson = math.Sqrt(spread / (spread + errors))
	}
	return pearson, math.Sqrt(errors/n) / max(hi-lo, leastSpan)
}

// overlap is the share of the map's lowest tenth that can be expected in the
// exact map's lowest tenth: the threshold below which a tenth is expected, and
// for each position of the map's tenth the chance to lie below it. unsure is, by
// position, the variance of lying below.
func (c *class) overlap() (share float64, unsure []float64) {
	var at []int
	for i, p := range c.p {
		if !math.IsNaN(p) {
			at = append(at, i)
		}
	}
	k := (len(at) + 9) / 10
	below := func(i int, threshold float64) float64 {
		// Rounding keeps the chance of equal values from being all or none.
		if x := (threshold - c.mu[i]) / (c.sigma[i] + 1e-7); x > 0 {
			return 1 - tail.at(x)
		} else {
			return tail.at(-x)
		}
	}
	// Bisection, in which only those count whose value may lie on either side.
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, i := range at {
		lo, hi = min(lo, c.mu[i]-6*c.sigma[i]), max(hi, c.mu[i]+6*c.sigma[i])
	}
	surely, open := 0, slices.Clone(at)
	for range 30 {
		middle, expected := (lo+hi)/2, float64(surely)
		for _, i := range open {
			expected += below(i, middle)
		}
		if expected < float64(k) {
			lo = middle
		} else {
			hi = middle
		}
		open = slices.DeleteFunc(open, func(i int) bool {
			reach := 6 * (c.sigma[i] + 1e-7)
			if c.mu[i]+reach < lo {
				surely++
			}
			return c.mu[i]+reach < lo || c.mu[i]-reach > hi
		})
	}
	values := make([]float64, len(at))
	for j, i := range at {
		values[j] = c.p[i]
	}
	slices.Sort(values)
	// Among equals those count that come first.
	limit := values[k-1]
	less, _ := slices.BinarySearch(values, limit)
	ties := k - less
	var sum float64
	for _, i := range at {
		if p := c.p[i]; p < limit || p == limit && ties > 0 {
			if p == limit {
				ties--
			}
			sum += below(i, hi)
		}
	}
	unsure = make([]float64, len(c.p))
	for _, i := range at {
		b := below(i, hi)
		unsure[i] = b * (1 - b)
	}
	return sum / float64(k), unsure
}
