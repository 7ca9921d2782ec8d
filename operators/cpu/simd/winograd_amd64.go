//go:build amd64 && !noasm

package simd

// The transforms are named after the number of points and the tile.

type (
	inputLoop  func(coefficients *float32, t *WinogradInput)
	outputLoop func(coefficients *float32, t *WinogradOutput)
)

// winogradTable is the transforms of an instruction set by the number of points
// and the tile.
type winogradTable struct {
	lineInput, squareInput   map[int]inputLoop
	lineOutput, squareOutput map[[2]int]outputLoop
}

var avx512Winograd = winogradTable{
	lineInput: map[int]inputLoop{
		4:  avx512WinogradLineInput4,
		6:  avx512WinogradLineInput6,
		8:  avx512WinogradLineInput8,
		10: avx512WinogradLineInput10,
		12: avx512WinogradLineInput12,
	},
	squareInput: map[int]inputLoop{
		4: avx512WinogradSquareInput4,
		6: avx512WinogradSquareInput6,
		8: avx512WinogradSquareInput8,
	},
	lineOutput: map[[2]int]outputLoop{
		{4, 2}:  avx512WinogradLineOutput4x2,
		{6, 2}:  avx512WinogradLineOutput6x2,
		{6, 4}:  avx512WinogradLineOutput6x4,
		{8, 2}:  avx512WinogradLineOutput8x2,
		{8, 4}:  avx512WinogradLineOutput8x4,
		{8, 6}:  avx512WinogradLineOutput8x6,
		{10, 2}: avx512WinogradLineOutput10x2,
		{10, 4}: avx512WinogradLineOutput10x4,
		{10, 6}: avx512WinogradLineOutput10x6,
		{12, 2}: avx512WinogradLineOutput12x2,
		{12, 4}: avx512WinogradLineOutput12x4,
		{12, 6}: avx512WinogradLineOutput12x6,
	},
	squareOutput: map[[2]int]outputLoop{
		{4, 2}: avx512WinogradSquareOutput4x2,
		{6, 2}: avx512WinogradSquareOutput6x2,
		{6, 4}: avx512WinogradSquareOutput6x4,
		{8, 2}: avx512WinogradSquareOutput8x2,
		{8, 4}: avx512WinogradSquareOutput8x4,
		{8, 6}: avx512WinogradSquareOutput8x6,
	},
}

var avx2Winograd = winogradTable{
	lineInput: map[int]inputLoop{
		4:  avx2WinogradLineInput4,
		6:  avx2WinogradLineInput6,
		8:  avx2WinogradLineInput8,
		10: avx2WinogradLineInput10,
		12: avx2WinogradLineInput12,
	},
	squareInput: map[int]inputLoop{
		4: avx2WinogradSquareInput4,
		6: avx2WinogradSquareInput6,
		8: avx2WinogradSquareInput8,
	},
	lineOutput: map[[2]int]outputLoop{
		{4, 2}:  avx2WinogradLineOutput4x2,
		{6, 2}:  avx2WinogradLineOutput6x2,
		{6, 4}:  avx2WinogradLineOutput6x4,
		{8, 2}:  avx2WinogradLineOutput8x2,
		{8, 4}:  avx2WinogradLineOutput8x4,
		{8, 6}:  avx2WinogradLineOutput8x6,
		{10, 2}: avx2WinogradLineOutput10x2,
		{10, 4}: avx2WinogradLineOutput10x4,
		{10, 6}: avx2WinogradLineOutput10x6,
		{12, 2}: avx2WinogradLineOutput12x2,
		{12, 4}: avx2WinogradLineOutput12x4,
		{12, 6}: avx2WinogradLineOutput12x6,
	},
	squareOutput: map[[2]int]outputLoop{
		{4, 2}: avx2WinogradSquareOutput4x2,
		{6, 2}: avx2WinogradSquareOutput6x2,
		{6, 4}: avx2WinogradSquareOutput6x4,
		{8, 2}: avx2WinogradSquareOutput8x2,
		{8, 4}: avx2WinogradSquareOutput8x4,
		{8, 6}: avx2WinogradSquareOutput8x6,
	},
}

// loops finds the transforms of an algorithm, and keeps what there is of others.
func (table winogradTable) loops(w *Winograd) {
	size := [2]int{w.Points, w.Tile}
	if f := table.lineInput[w.Points]; f != nil {
		w.loops.lineInput = f
	}
	if f := table.squareInput[w.Points]; f != nil {
		w.loops.squareInput = f
	}
	if f := table.lineOutput[size]; f != nil {
		w.loops.lineOutput = f
	}
	if f := table.squareOutput[size]; f != nil {
		w.loops.squareOutput = f
	}
}

//go:noescape
func avx512WinogradLineInput4(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradLineInput6(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradLineInput8(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradLineInput10(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradLineInput12(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradSquareInput4(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradSquareInput6(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradSquareInput8(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradLineOutput4x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput6x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput6x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput8x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput8x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput8x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput10x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput10x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput10x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput12x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput12x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput12x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradSquareOutput4x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradSquareOutput6x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradSquareOutput6x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradSquareOutput8x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradSquareOutput8x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradSquareOutput8x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineInput4(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradLineInput6(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradLineInput8(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradLineInput10(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradLineInput12(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradSquareInput4(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradSquareInput6(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradSquareInput8(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradLineOutput4x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput6x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput6x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput8x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput8x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput8x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput10x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput10x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput10x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput12x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput12x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput12x6(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradSquareOutput4x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradSquareOutput6x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradSquareOutput6x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradSquareOutput8x2(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradSquareOutput8x4(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradSquareOutput8x6(coefficients *float32, t *WinogradOutput)
