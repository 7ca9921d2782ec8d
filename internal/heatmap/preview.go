package heatmap

import (
	"math"
	"math/bits"
)

// unknown is the value of a position that has none.
var unknown = float32(math.NaN())

// Preview fills in what is not known yet of a map that is being computed, for those
// who watch it grow: a position that is asked for and has no value gets one from those
// around it. It is smooth, and reaches about as far as positions with values lie apart
// where they are spread evenly, so that a map computed coarse to fine is whole from the
// beginning and one computed row by row grows downwards.
//
// Values are averaged over squares of 2x2, 4x4 and so on; what is missing in one level
// comes from the next coarser one (Gortler and others, "The Lumigraph", SIGGRAPH 1996,
// call that pulling and pushing).
func Preview(m Map, asked []bool) Map {
	known, want := 0, 0
	level := plane{rows: m.Rows, cols: m.Cols, sum: make([]float64, len(m.P)), weight: make([]float64, len(m.P))}
	for i, p := range m.P {
		if asked[i] {
			want++
		}
		if !isNaN(p) {
			known++
			level.sum[i], level.weight[i] = float64(p), 1
		}
	}
	if known == 0 || known >= want {
		return m
	}
	// Positions with values lie 2^depth apart, more or less: half the bits of their rarity.
	depth := (bits.Len(uint((want-1)/known)) + 1) / 2
	filled := m
	filled.P = make([]float32, len(m.P))
	full := level.fill(depth)
	for i := range filled.P {
		filled.P[i] = unknown
		if asked[i] && full.weight[i] > 0 {
			filled.P[i] = float32(full.sum[i] / full.weight[i])
		}
	}
	return filled
}

// plane is a grid of weighted sums; weights of 0 are of what is not known.
type plane struct {
	rows, cols  int
	sum, weight []float64
}

// fill gives values to what has none, from planes that are coarser by up to depth
// halvings.
func (p plane) fill(depth int) plane {
	if depth == 0 || p.rows == 1 && p.cols == 1 {
		return p
	}
	coarse := p.halved().fill(depth - 1)
	out := plane{p.rows, p.cols, append([]float64(nil), p.sum...), append([]float64(nil), p.weight...)}
	for y := range p.rows {
		for x := range p.cols {
			if i := y*p.cols + x; p.weight[i] == 0 {
				out.sum[i], out.weight[i] = coarse.between(y, x)
			}
		}
	}
	return out
}

// halved sums squares of 2x2; the weights stay at most 1, so that what lies close
// together does not count for more.
func (p plane) halved() plane {
	h := plane{rows: (p.rows + 1) / 2, cols: (p.cols + 1) / 2}
	h.sum, h.weight = make([]float64, h.rows*h.cols), make([]float64, h.rows*h.cols)
	for y := range p.rows {
		for x := range p.cols {
			i, j := y*p.cols+x, y/2*h.cols+x/2
			h.sum[j] += p.sum[i]
			h.weight[j] += p.weight[i]
		}
	}
	for j, w := range h.weight {
		if w > 1 {
			h.sum[j], h.weight[j] = h.sum[j]/w, 1
		}
	}
	return h
}

// between interpolates bilinearly at the cell (y, x) of the next finer plane.
func (p plane) between(y, x int) (sum, weight float64) {
	ys, xs := [2]int{y / 2, neighbour(y, p.rows)}, [2]int{x / 2, neighbour(x, p.cols)}
	shares := [2]float64{0.75, 0.25}
	for i, row := range ys {
		for j, col := range xs {
			share := shares[i] * shares[j]
			sum += share * p.sum[row*p.cols+col]
			weight += share * p.weight[row*p.cols+col]
		}
	}
	return sum, weight
}

// neighbour is the coarse cell on the other side of a fine one.
func neighbour(fine, n int) int {
	if fine%2 == 0 {
		return max(fine/2-1, 0)
	}
	return min(fine/2+1, n-1)
}
