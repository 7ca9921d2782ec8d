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
	input, output func(*Winograd, *Transform)
	store         func(*Winograd, *Store)
}

// pairsOf are the points by half their number: those that round least of all
// fractions with small denominators, found by comparing with float64. (The
// smallest integers, 1, 2 and 1/2, which one finds in the literature, cost the
// same here and lose a bit more.)
var pairsOf = map[int][]float64{
	2: {1},
	3: {0.625, 1.5},
	4: {0.5, 1, 2},
	5: {0.375, 0.75, 1.375, 3},
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
	w := &Winograd{Tile: tile, Taps: taps, Points: tile + taps - 1, loops: genericWinograd}
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
	if s.winograd != nil {
		if loops, ok := s.winograd(w); ok {
			w.loops = loops
		}
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

// Transform is a number of transforms of vectors of channels, one behind the
// other: the values that one transform combines lie InStride bytes apart, those
// of the next transform InStep bytes further on, and likewise for what comes out.
type Transform struct {
	In                 unsafe.Pointer
	InStride, InStep   int
	Out                unsafe.Pointer
	OutStride, OutStep int
	// Count is the number of transforms, Channels that of values which each of
	// them transforms side by side; both at least 1.
	Count, Channels int
}

// Store is a transform back to cells with a convolution's epilogue.
type Store struct {
	Transform
	// Rows is how many of the Tile results to compute and write, from 1 on.
	Rows int
	// Bias is Channels values, added to all results.
	Bias unsafe.Pointer
	// Add are values to add to the results, laid out like those of Out, or nil.
	Add                unsafe.Pointer
	AddStride, AddStep int
	// Low and High clamp the results; without, they are infinite.
	Low, High float32
}

// Input computes Bᵀ d. With d[k] the values at In + k*InStride, N/z = Σ n[k] z²ᵏ
// and, for the pair x, N/z/(z²-x²) = Σ c[k] z²ᵏ:
//
//	out[0]        = Σ n[k] d[2k]
//	even, odd     = Σ c[k] d[2k+2], Σ c[k] d[2k+1]
//	out[at x]     = even + x*odd
//	out[at -x]    = even - x*odd
//	out[infinity] = Σ n[k] d[2k+1]
//
// Every sum starts from its last term, whose coefficient is one.
func (w *Winograd) Input(t *Transform) { w.loops.input(w, t) }

// Output computes Aᵀ m. With m the values of Points points, the pair x's at
// m[at x] and m[at -x]:
//
//	sum, difference = m[at x] + m[at -x], m[at x] - m[at -x]
//	out[0]   = m[0] + Σ sum
//	out[k]   = Σ xᵏ sum or, for odd k, difference; + m[infinity] if k = Tile-1
func (w *Winograd) Output(t *Transform) { w.loops.output(w, t) }

// Store computes out = min(max(Aᵀ m + Bias + Add, Low), High), the first Rows of
// the Tile results.
func (w *Winograd) Store(s *Store) { w.loops.store(w, s) }
