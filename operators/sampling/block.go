package sampling

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

// block is a rectangle of the grid.
type block struct {
	positions []int // inside the rectangle
	samples   []int // that it is predicted from, as indices of samples; those inside come last
	own       int   // how many are inside
	factor    factor
}

// factor is the Cholesky factor L of K = L L', the correlations of n samples with
// their noise on the diagonal, and what follows from it for every class.
type factor struct {
	l    blas64.Triangular // lower
	half []float64         // L⁻¹ 1
	ones []float64         // K⁻¹ 1
	// total is 1' K⁻¹ 1.
	total float64
}

// factorise fills in f, which has room for the samples, under a shape. noise are
// the samples' beside the shape's nugget. Either keeps K well away from singular.
func (f *factor) factorise(s shape, at []point, noise []float64) bool {
	n := len(at)
	f.l.N, f.l.Stride, f.l.Uplo, f.l.Diag = n, n, blas.Lower, blas.NonUnit
	k := f.l.Data[:n*n]
	for i, p := range at {
		s.correlations(k[i*n:i*n+i], p, at[:i])
		k[i*n+i] = 1 + s.noise() + noise[i]
	}
	if _, ok := lapack64.Potrf(blas64.Symmetric{Uplo: blas.Lower, N: n, Stride: n, Data: k}); !ok {
		return false
	}
	f.half, f.ones = f.half[:n], f.ones[:n]
	for i := range n {
		f.half[i] = 1
	}
	blas64.Trsv(blas.NoTrans, f.l, vector(f.half))
	f.total = dot(f.half, f.half)
	copy(f.ones, f.half)
	blas64.Trsv(blas.Trans, f.l, vector(f.ones))
	return true
}

// newFactor has room for n samples, in memory of roomFor(n).
func newFactor(n int, memory []float64) factor {
	return factor{
		l:    blas64.Triangular{Data: memory[: n*n : n*n]},
		half: memory[n*n : n*n+n : n*n+n],
		ones: memory[n*n+n : n*n+2*n : n*n+2*n],
	}
}

func roomFor(n int) int { return n*n + 2*n }

// solve turns values y into Q y, with Q = K⁻¹ - K⁻¹ 1 1' K⁻¹ / 1' K⁻¹ 1, and returns
// their generalised least-squares mean. The process at a place with correlations
// k is expected at mean + k' Q y.
func (f *factor) solve(y []float64) (mean float64) {
	mean = f.centre(y)
	blas64.Trsv(blas.Trans, f.l, vector(y))
	return mean
}

// centre turns values y into L⁻¹ (y - mean) and returns their mean. The product of
// two such vectors x and y is x' Q y.
func (f *factor) centre(y []float64) (mean float64) {
	blas64.Trsv(blas.NoTrans, f.l, vector(y))
	mean = dot(f.half, y) / f.total
	blas64.Axpy(-mean, vector(f.half), vector(y))
	return mean
}

// leftOut are, of the last samples, the variances of predicting them from all
// others, per unit of the process': 1 / Q_ii. The error is (Q y)_i / Q_ii (Dubrule:
// "Cross Validation of Kriging in a Unique Neighborhood", Mathematical Geology
// 15, 1983). Of L⁻¹ that takes the lower right corner only, as the inverse of the
// last rows and columns of L.
func (f *factor) leftOut(variances []float64) {
	n, m := f.l.N, len(variances)
	var column [own]float64
	for i := range m {
		first := n - m + i
		var diagonal float64
		for r := first; r < n; r++ {
			row := f.l.Data[r*n : r*n+r+1]
			var sum float64
			if r == first {
				sum = 1
			}
			for c := first; c < r; c++ {
				sum -= row[c] * column[c-first]
			}
			column[r-first] = sum / row[r]
			diagonal += square(column[r-first])
		}
		variances[i] = 1 / (diagonal - square(f.ones[first])/f.total)
	}
}

func vector(x []float64) blas64.Vector { return blas64.Vector{N: len(x), Inc: 1, Data: x} }

func dot(x, y []float64) float64 { return blas64.Dot(vector(x), vector(y)) }

func square(x float64) float64 { return x * x }
