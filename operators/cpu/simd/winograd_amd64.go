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
	lineInput, partInput, squareInput map[int]inputLoop
	lineOutput, squareOutput          map[[2]int]outputLoop
}

var avx512Winograd = winogradTable{
	lineInput: map[int]inputLoop{
		4:  avx512WinogradLineInput4,
		6:  avx512WinogradLineInput6,
		8:  avx512WinogradLineInput8,
		10: avx512WinogradLineInput10,
		12: avx512WinogradLineInput12,
	},
	partInput: map[int]inputLoop{
		3:  avx512WinogradPartInput3,
		4:  avx512WinogradPartInput4,
		5:  avx512WinogradPartInput5,
		6:  avx512WinogradPartInput6,
		7:  avx512WinogradPartInput7,
		8:  avx512WinogradPartInput8,
		9:  avx512WinogradPartInput9,
		10: avx512WinogradPartInput10,
		11: avx512WinogradPartInput11,
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
		{3, 1}:  avx512WinogradLineOutput3x1,
		{5, 1}:  avx512WinogradLineOutput5x1,
		{5, 3}:  avx512WinogradLineOutput5x3,
		{7, 1}:  avx512WinogradLineOutput7x1,
		{7, 3}:  avx512WinogradLineOutput7x3,
		{7, 5}:  avx512WinogradLineOutput7x5,
		{9, 1}:  avx512WinogradLineOutput9x1,
		{9, 3}:  avx512WinogradLineOutput9x3,
		{9, 5}:  avx512WinogradLineOutput9x5,
		{11, 1}: avx512WinogradLineOutput11x1,
		{11, 3}: avx512WinogradLineOutput11x3,
		{11, 5}: avx512WinogradLineOutput11x5,
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
	partInput: map[int]inputLoop{
		3:  avx2WinogradPartInput3,
		4:  avx2WinogradPartInput4,
		5:  avx2WinogradPartInput5,
		6:  avx2WinogradPartInput6,
		7:  avx2WinogradPartInput7,
		8:  avx2WinogradPartInput8,
		9:  avx2WinogradPartInput9,
		10: avx2WinogradPartInput10,
		11: avx2WinogradPartInput11,
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
		{3, 1}:  avx2WinogradLineOutput3x1,
		{5, 1}:  avx2WinogradLineOutput5x1,
		{5, 3}:  avx2WinogradLineOutput5x3,
		{7, 1}:  avx2WinogradLineOutput7x1,
		{7, 3}:  avx2WinogradLineOutput7x3,
		{7, 5}:  avx2WinogradLineOutput7x5,
		{9, 1}:  avx2WinogradLineOutput9x1,
		{9, 3}:  avx2WinogradLineOutput9x3,
		{9, 5}:  avx2WinogradLineOutput9x5,
		{11, 1}: avx2WinogradLineOutput11x1,
		{11, 3}: avx2WinogradLineOutput11x3,
		{11, 5}: avx2WinogradLineOutput11x5,
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
	input, size := table.lineInput[w.Points], [2]int{w.Points, w.Tile}
	if w.part() {
		input = table.partInput[w.Points]
	}
	if input != nil {
		w.loops.lineInput = input
	}
	if f := table.squareInput[w.Points]; f != nil && !w.part() {
		w.loops.squareInput = f
	}
	if f := table.lineOutput[size]; f != nil {
		w.loops.lineOutput = f
	}
	if f := table.squareOutput[size]; f != nil && !w.part() {
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
func avx512WinogradPartInput3(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput4(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput5(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput6(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput7(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput8(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput9(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput10(coefficients *float32, t *WinogradInput)

//go:noescape
func avx512WinogradPartInput11(coefficients *float32, t *WinogradInput)

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
func avx512WinogradLineOutput3x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput5x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput5x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput7x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput7x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput7x5(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput9x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput9x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput9x5(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput11x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput11x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx512WinogradLineOutput11x5(coefficients *float32, t *WinogradOutput)

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
func avx2WinogradPartInput3(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput4(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput5(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput6(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput7(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput8(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput9(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput10(coefficients *float32, t *WinogradInput)

//go:noescape
func avx2WinogradPartInput11(coefficients *float32, t *WinogradInput)

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
func avx2WinogradLineOutput3x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput5x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput5x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput7x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput7x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput7x5(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput9x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput9x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput9x5(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput11x1(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput11x3(coefficients *float32, t *WinogradOutput)

//go:noescape
func avx2WinogradLineOutput11x5(coefficients *float32, t *WinogradOutput)

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
