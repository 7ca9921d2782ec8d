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
// The points are 0, ±x for each x of pairs, and infinity. With N(z) the product of
// z and all z²-x², row i of Bᵀ holds the coefficients of N(z) without its factor
// of point i (of N itself for infinity), row i of G the powers of point i divided
// by that polynomial's value there (the last weight for infinity), and column i
// of Aᵀ the powers of point i (a one at the last place for infinity).
type Winograd struct {
	Tile, Taps, Points int

	// pairs are the absolute values of the points that are neither 0 nor infinity.
	pairs []float64
	// toPoints are the coefficients that Bᵀ is computed with. N/z without its
	// leading one comes first, from the lowest power of z² on; then, for each
	// pair, N/z without the pair's factor likewise, and the point.
	toPoints []float32
	// toCells are those of Aᵀ: for each power from 1 to Tile-1, that of each pair.
	toCells []float32

	loops winogradLoops
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
var pairsOf = map[int][]float64{
	2: {1},
	3: {0.625, 1.5},
	4: {0.5, 1, 2},
	5: {0.375, 0.75, 1.375, 3},
	6: {0.375, 0.625, 1, 1.5, 3},
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
	w := &Winograd{Tile: tile, Taps: taps, Points: tile + taps - 1}
	w.pairs = pairsOf[w.Points/2]
	w.toPoints = without(w.pairs, -1)
	for i, x := range w.pairs {
		w.toPoints = append(append(w.toPoints, without(w.pairs, i)...), float32(x))
	}
	power := make([]float64, len(w.pairs))
	copy(power, w.pairs)
	for range tile - 1 {
		for i, x := range w.pairs {
			w.toCells = append(w.toCells, float32(power[i]))
			power[i] *= x
		}
	}
	w.loops = w.generic()
	if s.winograd != nil {
		s.winograd(w)
	}
	return w, nil
}

// without is the coefficients of the product of all u-x², except that of pair
// skip, as a polynomial in u, without the leading one.
func without(pairs []float64, skip int) []float32 {
	c := []float64{1}
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
	out := make([]float32, len(c)-1)
	for k := range out {
		out[k] = float32(c[k])
	}
	return out
}

// Filter is G: Points rows of Taps.
func (w *Winograd) Filter() [][]float64 {
	points := []float64{0}
	for _, x := range w.pairs {
		points = append(points, x, -x)
	}
	g := make([][]float64, w.Points)
	for i, z := range points {
		scale := 1.0
		for j, other := range points {
			if j != i {
				scale *= z - other
			}
		}
		for k := range w.Taps {
			g[i] = append(g[i], math.Pow(z, float64(k))/scale)
		}
	}
	g[len(points)] = make([]float64, w.Taps)
	g[len(points)][w.Taps-1] = 1
	return g
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
// apart. With N/z = Σ n[k] z²ᵏ and, for the pair x, N/z/(z²-x²) = Σ c[k] z²ᵏ:
//
//	out[0]        = Σ n[k] d[2k]
//	even, odd     = Σ c[k] d[2k+2], Σ c[k] d[2k+1]
//	out[at x]     = even + x*odd
//	out[at -x]    = even - x*odd
//	out[infinity] = Σ n[k] d[2k+1]
//
// Every sum starts from its last term, whose coefficient is one.
func (w *Winograd) LineInput(t *WinogradInput) { w.loops.lineInput(&w.toPoints[0], t) }

// SquareInput computes Bᵀ d B of tiles of Points x Points cells: as LineInput does
// for each column, then for each row of what that gives. The values at the
// points go out row by row.
func (w *Winograd) SquareInput(t *WinogradInput) { w.loops.squareInput(&w.toPoints[0], t) }

// LineOutput computes Aᵀ m of tiles along one axis, of Tile cells that go Right
// apart, of which the first Columns are written:
//
//	sum, difference = m[at x] + m[at -x], m[at x] - m[at -x]
//	cell[0]  = m[0] + Σ sum
//	cell[k]  = Σ xᵏ sum or, for odd k, difference; + m[infinity] if k = Tile-1
func (w *Winograd) LineOutput(t *WinogradOutput) { w.loops.lineOutput(&w.toCells[0], t) }

// SquareOutput computes Aᵀ m A of tiles of Tile x Tile cells: as LineOutput does
// for each column of points, then for each row of what that gives. The epilogue
// comes last.
func (w *Winograd) SquareOutput(t *WinogradOutput) { w.loops.squareOutput(&w.toCells[0], t) }
