package simd

import (
	"fmt"
	"math"
	"unsafe"
)

// Winograd is Winograd's algorithm F(Tile, Taps) along one axis: it computes Tile
// neighbouring outputs of a filter of Taps weights with Points = Tile+Taps-1
// multiplications instead of Tile*Taps,
//
//	y = Aᵀ ((G g) ⊙ (Bᵀ d))          d: Points inputs, g: Taps weights
//
// The idea is Toom and Cook's: evaluate polynomials at points, multiply the
// values, interpolate. Along both axes of a map the algorithm is nested in itself
// and saves on both (Lavin and Gray, "Fast Algorithms for Convolutional Neural
// Networks", CVPR 2016).
//
// The points are infinity, 0, and ±x for each x of pairs, in this order. With N(z)
// the product of z and all z²-x², the row of Bᵀ for a point holds the coefficients
// of N(z) without the point's factor (of N itself for infinity), its row of G the
// point's powers divided by that polynomial's value there (the last weight for
// infinity), and its column of Aᵀ the powers (a one at the last place for
// infinity).
//
// A Part of an algorithm computes fewer outputs at some of its points.
type Winograd struct {
	Tile, Taps, Points int
	// First is the number of the first point among those of the algorithm that
	// this is a part of: 1 without infinity, 0 otherwise.
	First int

	// pairs are the absolute values of the points that are neither 0 nor infinity:
	// of the algorithm's own, and of the one that it is a part of.
	pairs, all []float64
	// toPoints are the coefficients that Bᵀ is computed with, each polynomial from
	// the lowest power of z² on: N/z without its leading one, for infinity; N/z,
	// scaled, for 0; then for each pair N/z without the pair's factor, scaled,
	// and the point.
	toPoints []float32
	// toCells are those of Aᵀ: for each power from 1 on that of each pair.
	toCells []float32

	loops    winogradLoops
	assembly func(*Winograd) // puts a set's own loops into an algorithm, or nil
}

// winogradLoops are the loops of one algorithm.
type winogradLoops struct {
	lineInput, squareInput   func(coefficients *float32, t *WinogradInput)
	lineOutput, squareOutput func(coefficients *float32, t *WinogradOutput)
}

// pairsOf are the points by half their number: of all multiples of 1/8 those that
// round least, or nearly so, in comparisons with float64 for 64 and 256 channels.
// With 6 points along both axes the root of the mean square of the differences
// is 7e-7 of that of the values; 1 and 2, the points of the literature, give
// twice that at the same cost.
//
// They are in the order in which parts take them: of all orders one in which
// every part rounds less than the whole, most of them by half and more.
var pairsOf = map[int][]float64{
	2: {1},
	3: {1.5, 0.625},
	4: {1, 2, 0.5},
	5: {1.375, 0.375, 3, 0.75},
	6: {0.625, 1, 3, 1.5, 0.375},
}

// HasWinograd tells whether there is an algorithm F(tile, taps).
func HasWinograd(tile, taps int) bool {
	points := tile + taps - 1
	return tile >= 2 && taps >= 2 && points%2 == 0 && pairsOf[points/2] != nil
}

// Winograd makes the algorithm F(tile, taps) with the loops of the set.
func (s *Set) Winograd(tile, taps int) (*Winograd, error) {
	if !HasWinograd(tile, taps) {
		return nil, fmt.Errorf("there is no algorithm F(%d, %d)", tile, taps)
	}
	all := pairsOf[(tile+taps-1)/2]
	return newWinograd(tile, taps, all, all, s.winograd), nil
}

// Part makes the algorithm F(tile, Taps) for a smaller tile, with the same weights:
// its points are Points of w's from First on, for an odd number without infinity.
// A weight at a point was divided by N without the point's factor, there and
// thus by the factors of all points that the part leaves out; the part's row of
// Bᵀ is multiplied by them. Part(Tile) is w itself.
func (w *Winograd) Part(tile int) *Winograd {
	if tile == w.Tile {
		return w
	}
	return newWinograd(tile, w.Taps, w.all[:(tile+w.Taps-2)/2], w.all, w.assembly)
}

func newWinograd(tile, taps int, pairs, all []float64, assembly func(*Winograd)) *Winograd {
	w := &Winograd{Tile: tile, Taps: taps, Points: tile + taps - 1, pairs: pairs, all: all, assembly: assembly}
	w.First = w.Points % 2
	// scale is the product of z²-x² for the pairs that w leaves out.
	scale := func(z float64) float64 {
		product := 1.0
		for _, x := range all[len(pairs):] {
			product *= z*z - x*x
		}
		return product
	}
	w.toPoints = append(without(pairs, -1, 1)[:len(pairs)], without(pairs, -1, scale(0))...)
	for i, x := range pairs {
		w.toPoints = append(append(w.toPoints, without(pairs, i, scale(x))...), float32(x))
	}
	power := make([]float64, len(pairs))
	copy(power, pairs)
	for range w.Tile - 1 {
		for i, x := range pairs {
			w.toCells = append(w.toCells, float32(power[i]))
			power[i] *= x
		}
	}
	w.loops = w.generic()
	if assembly != nil {
		assembly(w)
	}
	return w
}

// part tells whether rows of Bᵀ are scaled.
func (w *Winograd) part() bool { return len(w.pairs) < len(w.all) || w.First == 1 }

// without is the coefficients of the product of all u-x², except that of pair
// skip, as a polynomial in u, times scale.
func without(pairs []float64, skip int, scale float64) []float32 {
	c := []float64{scale}
	for i, x := range pairs {
		if i == skip {
			continue
		}
		next := make([]float64, len(c)+1)
		for k, v := range c {
			next[k+1] += v
			next[k] -= x * x * v
		}
		c = next
	}
	out := make([]float32, len(c))
	for k := range out {
		out[k] = float32(c[k])
	}
	return out
}

// Has tells whether a point, by its number in the algorithm that w is a part of,
// is one of w's.
func (w *Winograd) Has(point int) bool { return w.First <= point && point < w.First+w.Points }

// Filter is G: Points rows of Taps.
func (w *Winograd) Filter() [][]float64 {
	g := [][]float64{make([]float64, w.Taps)}
	g[0][w.Taps-1] = 1
	points := []float64{0}
	for _, x := range w.all {
		points = append(points, x, -x)
	}
	for i, z := range points {
		scale := 1.0
		for j, other := range points {
			if j != i {
				scale *= z - other
			}
		}
		var row []float64
		for k := range w.Taps {
			row = append(row, math.Pow(z, float64(k))/scale)
		}
		g = append(g, row)
	}
	return g[w.First:][:w.Points]
}

// WinogradInput is a number of tiles to transform to points.
type WinogradInput struct {
	// In is a tile's first cell. Cells lie Right bytes apart, rows of cells Down,
	// and the next tile InStep from this one.
	In                  unsafe.Pointer
	Down, Right, InStep int
	// Out is where the tile's value at the first point goes, OutStride from there
	// that at the next point, and OutStep from there the next tile's.
	Out                unsafe.Pointer
	OutStride, OutStep int
	// Count is the number of tiles and Channels that of a cell's values, which
	// are transformed side by side. Both are at least 1.
	Count, Channels int
	// Buffer is room for WinogradBuffer values, for tiles along both axes.
	Buffer unsafe.Pointer
}

// WinogradOutput is a number of tiles to transform back to cells, with the
// epilogue of a convolution: out = min(max(cell + Bias + Add, Low), High).
type WinogradOutput struct {
	// In is a tile's value at the first point, InStride from there that at the
	// next, and InStep from there the next tile's.
	In               unsafe.Pointer
	InStride, InStep int
	// Out is where a tile's first cell goes, as in WinogradInput.
	Out                  unsafe.Pointer
	Down, Right, OutStep int
	// Rows and Columns are how many of the tile's cells to write, from the first
	// on, at least 1 of either.
	Rows, Columns int
	// Count is the number of tiles and Channels that of a cell's values.
	Count, Channels int
	// Bias is Channels values.
	Bias unsafe.Pointer
	// Add are values to add to the cells, laid out like those of Out, or nil.
	Add                        unsafe.Pointer
	AddDown, AddRight, AddStep int
	// Low and High clamp the cells; without, they are infinite.
	Low, High float32
	// Buffer is room for WinogradBuffer values, for tiles along both axes.
	Buffer unsafe.Pointer
}

const (
	// WinogradSquare is the most Points of an algorithm along both axes: with more,
	// little is left of float32's precision.
	WinogradSquare = 8
	// WinogradBuffer is the number of values that a tile along both axes needs
	// between them: a vector of at most 16 for each pair of points.
	WinogradBuffer = WinogradSquare * WinogradSquare * 16
)

// LineInput computes Bᵀ d of tiles along one axis, of Points cells that lie Right
// apart. With n[k] and c[k] the coefficients of toPoints:
//
//	out[infinity] = Σ n[k] d[2k+1]           for infinity
//	out[0]        = Σ n[k] d[2k]             for 0
//	even, odd     = Σ c[k] d[2k+2], Σ c[k] d[2k+1]
//	out[at x]     = even + x*odd
//	out[at -x]    = even - x*odd
//
// Every sum starts from its last term.
func (w *Winograd) LineInput(t *WinogradInput) { w.loops.lineInput(&w.toPoints[0], t) }

// SquareInput computes Bᵀ d B of tiles of Points x Points cells: as LineInput does
// for each column, then for each row of what that gives. The values at the
// points go out row by row. It is not for parts.
func (w *Winograd) SquareInput(t *WinogradInput) { w.loops.squareInput(&w.toPoints[0], t) }

// LineOutput computes Aᵀ m of tiles along one axis, of Tile cells that go Right
// apart, of which the first Columns are written:
//
//	sum, difference = m[at x] + m[at -x], m[at x] - m[at -x]
//	cell[0]  = m[at 0] + Σ sum
//	cell[k]  = Σ xᵏ sum or, for odd k, difference; + m[infinity] if k = Tile-1
func (w *Winograd) LineOutput(t *WinogradOutput) { w.loops.lineOutput(unsafe.SliceData(w.toCells), t) }

// SquareOutput computes Aᵀ m A of tiles of Tile x Tile cells: as LineOutput does
// for each column of points, then for each row of what that gives. The epilogue
// comes last. It is not for parts.
func (w *Winograd) SquareOutput(t *WinogradOutput) { w.loops.squareOutput(&w.toCells[0], t) }
