package sampling

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack/lapack64"
)

const (
	// own is how many samples a block holds at most, and near how many, with the
	// closest around it, it is predicted from. Beyond two rings of samples a Matérn
	// process hardly sees: 48 are 2.5 rings around 12.
	own  = 12
	near = 48
)

// block is a rectangle of the grid.
type block struct {
	positions []int // inside the rectangle
	samples   []int // that it is predicted from, as indices of samples; those inside come first
	own       int   // how many are inside

	inverse []float64 // K⁻¹, len(samples) squared: the inverse of the samples' correlations, nugget included
	ones    []float64 // K⁻¹ 1
	total   float64   // 1' K⁻¹ 1
}

// partition splits the wanted positions into blocks, as a k-d tree does, and
// finds what each is predicted from. sampled are the samples' positions.
func partition(places []point, wanted, sampled []int) []*block {
	index := make(map[int]int, len(sampled)) // of the samples, by position
	for i, p := range sampled {
		index[p] = i
	}
	var blocks []*block
	var split func(positions []int)
	split = func(positions []int) {
		var inside []int
		for _, p := range positions {
			if _, ok := index[p]; ok {
				inside = append(inside, p)
			}
		}
		if len(inside) > own {
			low, high := halves(places, positions, inside)
			split(low)
			split(high)
			return
		}
		b := &block{positions: positions, own: len(inside)}
		b.gather(places, sampled, index)
		blocks = append(blocks, b)
	}
	split(wanted)
	return blocks
}

// halves cuts positions so that the samples among them, at least two, fall apart
// in halves, across the side along which the samples reach further.
func halves(places []point, positions, inside []int) (low, high []int) {
	lo, hi := bounds(places, inside)
	along := func(p int) float64 { return places[p].x }
	if hi.y-lo.y > hi.x-lo.x {
		along = func(p int) float64 { return places[p].y }
	}
	at := make([]float64, len(inside))
	for i, p := range inside {
		at[i] = along(p)
	}
	slices.Sort(at)
	cut := (at[(len(at)-1)/2] + at[len(at)/2]) / 2
	if last := at[len(at)-1]; cut == last { // the upper half has one coordinate
		first, _ := slices.BinarySearch(at, last)
		cut = (at[first-1] + last) / 2
	}
	for _, p := range positions {
		if along(p) <= cut {
			low = append(low, p)
		} else {
			high = append(high, p)
		}
	}
	return low, high
}

func bounds(places []point, positions []int) (lo, hi point) {
	lo, hi = point{math.Inf(1), math.Inf(1)}, point{math.Inf(-1), math.Inf(-1)}
	for _, p := range positions {
		q := places[p]
		lo = point{min(lo.x, q.x), min(lo.y, q.y)}
		hi = point{max(hi.x, q.x), max(hi.y, q.y)}
	}
	return lo, hi
}

// gather finds the samples inside the block and the closest outside.
func (b *block) gather(places []point, sampled []int, index map[int]int) {
	lo, hi := bounds(places, b.positions)
	centre := point{(lo.x + hi.x) / 2, (lo.y + hi.y) / 2}
	inside := make(map[int]bool, b.own)
	for _, p := range b.positions {
		if i, ok := index[p]; ok {
			inside[i] = true
		}
	}
	type candidate struct {
		sample           int
		distance, centre float64 // from the rectangle, and among equals from its centre
	}
	list := make([]candidate, len(sampled))
	for i, s := range sampled {
		p := places[s]
		edge := point{max(lo.x, min(hi.x, p.x)), max(lo.y, min(hi.y, p.y))}
		list[i] = candidate{i, p.distance2(edge), p.distance2(centre)}
		if inside[i] {
			list[i].distance = -1
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.centre, b.centre), a.sample-b.sample)
	})
	for _, c := range list[:min(near, len(list))] {
		b.samples = append(b.samples, c.sample)
	}
}

// factorise inverts the correlations of the block's samples, whose places are at,
// under a shape. The nugget keeps them well away from singular.
func (b *block) factorise(s shape, at []point) bool {
	n := len(b.samples)
	k := make([]float64, n*n)
	for i := range n {
		p := at[b.samples[i]]
		for j := range i {
			k[j*n+i] = s.correlation(p, at[b.samples[j]])
		}
		k[i*n+i] = 1 + s.noise()
	}
	t, ok := lapack64.Potrf(blas64.Symmetric{Uplo: blas.Upper, N: n, Stride: n, Data: k})
	if !ok {
		return false
	}
	if _, ok = lapack64.Potri(t); !ok {
		return false
	}
	b.inverse, b.ones, b.total = k, make([]float64, n), 0
	for i := range n {
		for j := range i {
			k[i*n+j] = k[j*n+i]
		}
	}
	for i := range n {
		for _, v := range b.row(i) {
			b.ones[i] += v
		}
		b.total += b.ones[i]
	}
	return true
}

// row is row i of K⁻¹.
func (b *block) row(i int) []float64 { return b.inverse[i*len(b.samples) : (i+1)*len(b.samples)] }

// mean is the generalised least-squares mean of the samples' values.
func (b *block) mean(values []float64) float64 {
	return dot(b.ones, values) / b.total
}

// leaveOut predicts each of the block's own samples from all others. With
// Q = K⁻¹ - K⁻¹ 1 1' K⁻¹ / 1' K⁻¹ 1 the error is (Q y)_i / Q_ii and its variance, per
// unit of the process', 1 / Q_ii (Dubrule: "Cross Validation of Kriging in a
// Unique Neighborhood", Mathematical Geology 15, 1983).
func (b *block) leaveOut(values, errors, variances []float64) {
	mean := b.mean(values)
	for i := range b.own {
		row := b.row(i)
		q := row[i] - b.ones[i]*b.ones[i]/b.total
		errors[i], variances[i] = (dot(row, values)-mean*b.ones[i])/q, 1/q
	}
}

func dot(x, y []float64) float64 {
	return blas64.Dot(blas64.Vector{N: len(x), Inc: 1, Data: x}, blas64.Vector{N: len(y), Inc: 1, Data: y})
}
