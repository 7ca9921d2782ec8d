//go:build amd64 && !noasm

package simd

// The transforms are named after the number of points and the tile. All take
// toPoints or toCells as their coefficients.

type (
	transformLoop func(coefficients *float32, t *Transform)
	storeLoop     func(coefficients *float32, s *Store)
)

// transformTable is the loops of an instruction set by the number of points and
// the tile.
type transformTable struct {
	input  map[int]transformLoop
	output map[[2]int]transformLoop
	store  map[[2]int]storeLoop
}

var avx512Winograd = transformTable{
	input: map[int]transformLoop{
		4:  avx512WinogradInput4,
		6:  avx512WinogradInput6,
		8:  avx512WinogradInput8,
		10: avx512WinogradInput10,
	},
	output: map[[2]int]transformLoop{
		{4, 2}:  avx512WinogradOutput4x2,
		{6, 2}:  avx512WinogradOutput6x2,
		{6, 4}:  avx512WinogradOutput6x4,
		{8, 2}:  avx512WinogradOutput8x2,
		{8, 4}:  avx512WinogradOutput8x4,
		{8, 6}:  avx512WinogradOutput8x6,
		{10, 2}: avx512WinogradOutput10x2,
		{10, 4}: avx512WinogradOutput10x4,
		{10, 6}: avx512WinogradOutput10x6,
	},
	store: map[[2]int]storeLoop{
		{4, 2}:  avx512WinogradStore4x2,
		{6, 2}:  avx512WinogradStore6x2,
		{6, 4}:  avx512WinogradStore6x4,
		{8, 2}:  avx512WinogradStore8x2,
		{8, 4}:  avx512WinogradStore8x4,
		{8, 6}:  avx512WinogradStore8x6,
		{10, 2}: avx512WinogradStore10x2,
		{10, 4}: avx512WinogradStore10x4,
		{10, 6}: avx512WinogradStore10x6,
	},
}

var avx2Winograd = transformTable{
	input: map[int]transformLoop{
		4:  avx2WinogradInput4,
		6:  avx2WinogradInput6,
		8:  avx2WinogradInput8,
		10: avx2WinogradInput10,
	},
	output: map[[2]int]transformLoop{
		{4, 2}:  avx2WinogradOutput4x2,
		{6, 2}:  avx2WinogradOutput6x2,
		{6, 4}:  avx2WinogradOutput6x4,
		{8, 2}:  avx2WinogradOutput8x2,
		{8, 4}:  avx2WinogradOutput8x4,
		{8, 6}:  avx2WinogradOutput8x6,
		{10, 2}: avx2WinogradOutput10x2,
		{10, 4}: avx2WinogradOutput10x4,
		{10, 6}: avx2WinogradOutput10x6,
	},
	store: map[[2]int]storeLoop{
		{4, 2}:  avx2WinogradStore4x2,
		{6, 2}:  avx2WinogradStore6x2,
		{6, 4}:  avx2WinogradStore6x4,
		{8, 2}:  avx2WinogradStore8x2,
		{8, 4}:  avx2WinogradStore8x4,
		{8, 6}:  avx2WinogradStore8x6,
		{10, 2}: avx2WinogradStore10x2,
		{10, 4}: avx2WinogradStore10x4,
		{10, 6}: avx2WinogradStore10x6,
	},
}

// loopsOf finds the loops of an algorithm.
func (t transformTable) loopsOf(w *Winograd) (winogradLoops, bool) {
	size := [2]int{w.Points, w.Tile}
	input, output, store := t.input[w.Points], t.output[size], t.store[size]
	return winogradLoops{
		input:  func(w *Winograd, t *Transform) { input(&w.toPoints[0], t) },
		output: func(w *Winograd, t *Transform) { output(&w.toCells[0], t) },
		store:  func(w *Winograd, s *Store) { store(&w.toCells[0], s) },
	}, input != nil && output != nil && store != nil
}

//go:noescape
func avx512WinogradInput4(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradInput6(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradInput8(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradInput10(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradOutput4x2(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore4x2(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput6x2(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore6x2(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput6x4(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore6x4(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput8x2(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore8x2(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput8x4(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore8x4(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput8x6(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore8x6(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput10x2(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore10x2(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput10x4(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore10x4(coefficients *float32, t *Store)

//go:noescape
func avx512WinogradOutput10x6(coefficients *float32, t *Transform)

//go:noescape
func avx512WinogradStore10x6(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradInput4(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradInput6(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradInput8(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradInput10(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradOutput4x2(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore4x2(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput6x2(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore6x2(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput6x4(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore6x4(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput8x2(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore8x2(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput8x4(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore8x4(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput8x6(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore8x6(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput10x2(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore10x2(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput10x4(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore10x4(coefficients *float32, t *Store)

//go:noescape
func avx2WinogradOutput10x6(coefficients *float32, t *Transform)

//go:noescape
func avx2WinogradStore10x6(coefficients *float32, t *Store)
