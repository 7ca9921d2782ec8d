package sampling

import (
	"context"
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
)

const (
	// width is how far, in sample spacings, a sample tells of the variance around it.
	width = 0.8
	// priorWeight is how many samples right here weigh as much as the median of all.
	priorWeight = 0.75
)

// predict fills in what the classes' maps are at all positions, samples included.
func (p *process) predict(ctx context.Context) error {
	n := len(p.places)
	known := make([]bool, n)
	for _, s := range p.sampled {
		known[s] = true
	}
	for _, c := range p.classes {
		c.mu, c.sigma = missing(n), make([]float64, n)
		c.p, c.variance = missing(n), make([]float64, n)
		for i, s := range p.sampled {
			c.mu[s], c.p[s] = c.f[i], c.link.at(c.f[i])
		}
	}
	return p.each(ctx, len(p.blocks), func(i int) error {
		p.predictBlock(p.blocks[i], known)
		return nil
	})
}

func missing(n int) []float64 {
	v := make([]float64, n)
	for i := range v {
		v[i] = math.NaN()
	}
	return v
}

// predictBlock fills in a block's unknown positions.
func (p *process) predictBlock(b *block, known []bool) {
	var unknown []int
	for _, u := range b.positions {
		if !known[u] {
			unknown = append(unknown, u)
		}
	}
	m, n := len(unknown), len(b.samples)
	if m == 0 {
		return
	}
	// A row per position: correlations with the samples, the weights K⁻¹ k that
	// predict from them, and how much each tells of the local variance.
	rows := func() blas64.General { return blas64.General{Rows: m, Cols: n, Stride: n, Data: make([]float64, m*n)} }
	correlations, weights, nearness := rows(), rows(), rows()
	reach := 2 * square(width*p.spacing(b))
	for i, u := range unknown {
		for j, s := range b.samples {
			correlations.Data[i*n+j] = p.shape.correlation(p.places[u], p.at[s])
			nearness.Data[i*n+j] = math.Exp(-p.places[u].distance2(p.at[s]) / reach)
		}
	}
	blas64.Gemm(blas.NoTrans, blas.NoTrans, 1, correlations, blas64.General{Rows: n, Cols: n, Stride: n, Data: b.inverse}, 0, weights)

	row := func(g blas64.General, i int) []float64 { return g.Data[i*n : (i+1)*n] }
	units, near := make([]float64, m), make([]float64, m)
	for i := range unknown {
		k := row(correlations, i)
		drift := 1 - dot(k, b.ones)
		units[i] = p.shape.noise() + max(0, 1-dot(k, row(weights, i))) + drift*drift/b.total
		for _, v := range row(nearness, i) {
			near[i] += v
		}
	}
	for _, c := range p.classes {
		rest, chi2 := pick(c.rest, b.samples), pick(c.chi2, b.samples)
		mean := b.mean(rest)
		for j := range rest {
			rest[j] -= mean
		}
		for i, u := range unknown {
			mu := mean + dot(row(weights, i), rest)
			if c.slope != 0 {
				mu += c.slope * c.feature[u]
			}
			scale := (dot(row(nearness, i), chi2) + priorWeight*c.prior) / (near[i] + priorWeight)
			c.mu[u], c.sigma[u] = mu, math.Sqrt(units[i]*scale)
			c.p[u], c.variance[u] = c.link.moments(mu, c.sigma[u])
			c.variance[u] += rounding
		}
	}
}

func square(x float64) float64 { return x * x }

// spacing is the distance of neighbouring samples of a block, in patches: the
// side of the square that each would have of the rectangle that they span.
func (p *process) spacing(b *block) float64 {
	lo, hi := bounds(p.at, b.samples)
	const thin = 1e-3 // of a patch; samples may lie in one line
	return math.Sqrt(max(hi.x-lo.x, thin) * max(hi.y-lo.y, thin) / float64(len(b.samples)))
}
