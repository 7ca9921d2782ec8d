package sampling

import (
	"context"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

const (
	// width is how far, in sample spacings, a sample tells of the variance around it.
	width = 0.8
	// priorWeight is how many samples right here weigh as much as the median of all.
	priorWeight = 0.75
)

// meaningless is a variance of a map's values that does not count beside leastSpan.
const meaningless = 1e-18

// predict fills in what the classes' maps are at all positions, samples included.
func (p *process) predict(ctx context.Context) error {
	n := len(p.places)
	for _, c := range p.classes {
		values := slices.Repeat([]float64{math.NaN()}, 2*n)
		c.mu, c.p = values[:n:n], values[n:]
		values = make([]float64, 2*n)
		c.sigma, c.variance = values[:n:n], values[n:]
		for i, s := range p.sampled[:p.exact] {
			c.mu[s], c.p[s] = c.f[i], c.link.at(c.f[i])
		}
	}
	return p.each(ctx, len(p.blocks), func(t *thread, i int) error {
		p.predictBlock(t, p.blocks[i])
		return nil
	})
}

// predictBlock fills in a block's unknown positions. Matrices have a row for each
// sample and a column for each position.
func (p *process) predictBlock(t *thread, b *block) {
	unknown := t.unknown[:0]
	for _, u := range b.positions {
		if i := int(p.sampleAt[u]); i == none || i >= p.exact {
			unknown = append(unknown, u)
		}
	}
	t.unknown = unknown
	m, n := len(unknown), len(b.samples)
	if m == 0 {
		return
	}
	places := slices.Grow(t.places[:0], m)[:m]
	for j, u := range unknown {
		places[j] = p.places[u]
	}
	t.places = places
	matrix := func(of *[]float64, rows int) blas64.General {
		*of = slices.Grow((*of)[:0], rows*m)[:rows*m]
		return blas64.General{Rows: rows, Cols: m, Stride: m, Data: *of}
	}
	row := func(g blas64.General, i int) []float64 { return g.Data[i*m : (i+1)*m] }
	times := func(to []float64, g blas64.General, x []float64) { // g' x
		blas64.Gemv(blas.Trans, 1, g, vector(x), 0, vector(to))
	}
	// How samples correlate with the positions, and how much they tell of the local
	// variance there.
	cross, nearness, rows := matrix(&t.cross, n), matrix(&t.nearness, n), matrix(&t.rows, 4)
	near, units, means, scales := row(rows, 0), row(rows, 1), row(rows, 2), row(rows, 3)
	clear(near)
	reach := p.reach(b)
	for i, s := range b.samples {
		at := p.at[s]
		p.shape.correlations(row(cross, i), at, places)
		line := row(nearness, i)
		for j, q := range places {
			line[j] = decay.at(at.distance2(q) / reach)
			near[j] += line[j]
		}
	}
	if p.exact < len(p.sampled) { // sketches have a place's nugget in common with f
		for i, s := range b.samples {
			if j := slices.Index(unknown, p.sampled[s]); j >= 0 {
				row(cross, i)[j] += p.shape.noise()
			}
		}
	}
	for _, c := range p.classes {
		y := pick(t.y[:], c.rest, b.samples)
		mean := b.factor.solve(y)
		times(means, cross, y)
		times(scales, nearness, pick(t.y[:], c.chi2, b.samples))
		for j, u := range unknown {
			c.mu[u] = mean + means[j]
			if c.slope != 0 {
				c.mu[u] += c.slope * c.feature[u]
			}
			c.sigma[u] = math.Sqrt((scales[j] + priorWeight*c.prior) / (near[j] + priorWeight))
		}
	}
	// The variance per unit: 1 + nugget - k' K⁻¹ k, and what the mean adds.
	times(units, cross, b.factor.ones)
	for j, v := range units {
		units[j] = square(1-v) / b.factor.total
	}
	blas64.Trsm(blas.Left, blas.NoTrans, 1, b.factor.l, cross)
	told := means
	clear(told)
	for i := range n {
		for j, v := range row(cross, i) {
			told[j] += v * v
		}
	}
	for j, u := range unknown {
		unit := math.Sqrt(units[j] + max(0, 1+p.shape.noise()-told[j]))
		for _, c := range p.classes {
			c.sigma[u] *= unit
			c.p[u], c.variance[u] = c.link.moments(c.mu[u], c.sigma[u])
			c.variance[u] += meaningless
		}
	}
}

// reach is twice the variance of the Gaussian that says how much a block's samples
// tell of the variance around them, in patches squared.
func (p *process) reach(b *block) float64 {
	lo, hi := bounds(p.at, b.samples)
	// The distance of neighbouring samples is the side of the square that each would
	// have of the rectangle that they span. They may lie in one line.
	const thin = 1e-3
	spacing2 := max(hi.x-lo.x, thin) * max(hi.y-lo.y, thin) / float64(len(b.samples))
	return 2 * square(width) * spacing2
}
