package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["depthwise"] = depthwises }

// depthwises writes the loop of Depthwise.
func depthwises(c *build.Context) {
	eachSet(c, func(v *vectors) {
		d := &depthwise{vectors: v, cellsMax: 8}
		if !v.wide() {
			d.cellsMax = 6
		}
		d.write()
	})
}

// depthwise writes Depthwise's loop: over blocks of channels, rows, tiles of
// cells, and taps. Blocks come first, so that what a row reads of the rows below
// its own is still in the first level of the cache for the next row. The sums of a tile stay in registers; a tap's weights are loaded
// once for all its cells, so that a multiply-add costs little more than the one
// load of its value.
//
//	func(d *Depthwise)
//
// A block is two vectors of channels. Those behind the last full block are
// computed a vector at a time, as parts.
type depthwise struct {
	*vectors
	cellsMax int // of a tile

	// The present block, in the frame: where the first cell's window and the
	// results are, its weights and bias, and the channels from it on.
	in, out, weights, bias, channels operand.Mem
	// The present row: the same, what is to be added less the results, and the
	// number of rows from it on.
	rowIn, rowOut, rowAdd, rows operand.Mem

	// The present tile: its first cell's window and results.
	at, to reg.GPVirtual
	step   reg.GPVirtual
}

var argDepthwise = operand.NewParamAddr("d", 0)

// field is a field of the Depthwise; offset is that of a part of it.
func (d *depthwise) field(name string, offset int) operand.Mem {
	p := d.GP64()
	d.MOVQ(argDepthwise, p)
	return operand.Mem{Symbol: operand.Symbol{Name: "Depthwise_" + name}, Base: p, Disp: offset}
}

// move copies 8 bytes of memory.
func (d *depthwise) move(from, to operand.Mem) {
	x := d.GP64()
	d.MOVQ(from, x)
	d.MOVQ(x, to)
}

func (d *depthwise) write() {
	d.begin("Depthwise", "func(d *byte)")
	for _, local := range []*operand.Mem{
		&d.in, &d.out, &d.weights, &d.bias, &d.channels, &d.rowIn, &d.rowOut, &d.rowAdd, &d.rows,
	} {
		*local = d.AllocLocal(8)
	}
	d.move(d.field("In", 0), d.in)
	d.move(d.field("Out", 0), d.out)
	d.move(d.field("Weights", 0), d.weights)
	d.move(d.field("Bias", 0), d.bias)
	d.move(d.field("Channels", 0), d.channels)
	d.step = d.GP64()
	d.MOVQ(d.field("Step", 0), d.step)

	d.Label("block")
	d.CMPQ(d.channels, operand.I32(2*d.lanes))
	d.JL(ref("part"))
	d.rowsOf("block", 2, false)
	taps := d.GP64()
	d.MOVQ(d.field("Taps", 8), taps)
	d.IMUL3Q(operand.U32(2*d.bytes()), taps, taps)
	d.ADDQ(taps, d.weights)
	d.advance(2)
	d.JMP(ref("block"))

	d.Label("part")
	n, lanes := d.GP64(), d.GP64()
	d.MOVQ(d.channels, n)
	d.TESTQ(n, n)
	d.JLE(ref("done"))
	d.MOVQ(operand.U32(uint32(d.lanes)), lanes)
	d.CMPQ(n, lanes)
	d.CMOVQGT(lanes, n)
	d.prepare(n)
	d.rowsOf("part", 1, true)
	d.ADDQ(operand.I32(d.bytes()), d.weights)
	d.advance(1)
	d.JMP(ref("part"))

	d.Label("done")
	d.end()
}

// advance goes on to the channels behind so many vectors.
func (d *depthwise) advance(wide int) {
	for _, p := range []operand.Mem{d.in, d.out, d.bias} {
		d.ADDQ(operand.I32(wide*d.bytes()), p)
	}
	d.SUBQ(operand.I32(wide*d.lanes), d.channels)
}

// rowsOf computes all rows of so many vectors of channels.
func (d *depthwise) rowsOf(label string, wide int, part bool) {
	d.move(d.in, d.rowIn)
	d.move(d.out, d.rowOut)
	d.move(d.field("Rows", 0), d.rows)
	between := d.GP64()
	d.MOVQ(d.field("Add", 0), between)
	d.SUBQ(d.field("Out", 0), between)
	d.MOVQ(between, d.rowAdd)
	d.Label(label + "Row")
	d.cells(label, wide, part)
	in, out, add := d.GP64(), d.GP64(), d.GP64()
	d.MOVQ(d.field("InRow", 0), in)
	d.ADDQ(in, d.rowIn)
	d.MOVQ(d.field("OutRow", 0), out)
	d.ADDQ(out, d.rowOut)
	d.MOVQ(d.field("AddRow", 0), add)
	d.SUBQ(out, add)
	d.ADDQ(add, d.rowAdd)
	d.DECQ(d.rows)
	d.JNZ(ref(label + "Row"))
}

// cells computes a row's cells.
func (d *depthwise) cells(label string, wide int, part bool) {
	cells := d.GP64()
	d.at, d.to = d.GP64(), d.GP64()
	d.MOVQ(d.rowIn, d.at)
	d.MOVQ(d.rowOut, d.to)
	d.MOVQ(d.field("Cells", 0), cells)
	rest := func(n int) string { return fmt.Sprintf("%sCells%d", label, n) }

	d.Label(label + "Cells")
	d.CMPQ(cells, operand.I32(d.cellsMax))
	d.JL(ref(label + "Rest"))
	d.tile(rest(d.cellsMax), d.cellsMax, wide, part)
	moved := d.GP64()
	d.MOVQ(d.step, moved)
	d.IMUL3Q(operand.U8(d.cellsMax), moved, moved)
	d.ADDQ(moved, d.at)
	d.SUBQ(operand.I32(d.cellsMax), cells)
	d.JMP(ref(label + "Cells"))

	d.Label(label + "Rest")
	for n := d.cellsMax - 1; n > 0; n-- {
		next := fmt.Sprintf("%sNot%d", label, n)
		d.CMPQ(cells, operand.I32(n))
		d.JNE(ref(next))
		d.tile(rest(n), n, wide, part)
		d.JMP(ref(label + "Done"))
		d.Label(next)
	}
	d.Label(label + "Done")
}

// tile computes n cells and moves on to where the next ones' results go.
func (d *depthwise) tile(label string, n, wide int, part bool) {
	// Three cells are reached from one pointer: at 0, 1 and 2 steps.
	pointers := (n + 2) / 3
	base := make([]reg.GPVirtual, pointers)
	base[0] = d.at
	for i := range base[1:] {
		p := d.GP64()
		d.LEAQ(operand.Mem{Base: base[i], Index: d.step, Scale: 2}, p)
		d.ADDQ(d.step, p)
		base[i+1] = p
	}

	sums := make([][]reg.VecVirtual, n)
	bias := d.GP64()
	d.MOVQ(d.bias, bias)
	for i := range sums {
		for j := range wide {
			sum := d.vector()
			if i == 0 {
				d.VMOVUPS(d.vectors.at(bias, j), sum)
			} else {
				d.VMOVAPS(sums[0][j], sum)
			}
			sums[i] = append(sums[i], sum)
		}
	}

	tap, end, weights := d.GP64(), d.GP64(), d.GP64()
	d.MOVQ(d.field("Taps", 0), tap)
	d.MOVQ(d.field("Taps", 8), end)
	d.LEAQ(operand.Mem{Base: tap, Index: end, Scale: 8}, end)
	d.MOVQ(d.weights, weights)
	d.Label(label)
	offset := d.GP64()
	d.MOVQ(operand.Mem{Base: tap}, offset)
	values := make([]reg.GPVirtual, pointers)
	for i := range values {
		values[i] = d.GP64()
		d.LEAQ(operand.Mem{Base: base[i], Index: offset, Scale: 1}, values[i])
	}
	weight := make([]reg.VecVirtual, wide)
	for j := range weight {
		weight[j] = d.vector()
		d.VMOVUPS(d.vectors.at(weights, j), weight[j])
	}
	for i := range sums {
		for j, sum := range sums[i] {
			from := operand.Mem{Base: values[i/3], Disp: j * d.bytes()}
			if i%3 > 0 {
				from.Index, from.Scale = d.step, uint8(i%3)
			}
			d.multiplyAdd(from, weight[j], sum, part)
		}
	}
	d.ADDQ(operand.I32(2*d.bytes()), weights)
	d.ADDQ(operand.I32(8), tap)
	d.CMPQ(tap, end)
	d.JL(ref(label))
	d.finish(label, sums, part)
}

// multiplyAdd is sum += weight * from.
func (d *depthwise) multiplyAdd(from operand.Mem, weight, sum reg.VecVirtual, part bool) {
	switch {
	case !part:
		d.VFMADD231PS(from, weight, sum)
	case d.wide():
		d.VFMADD231PS(from, weight, d.mask, sum)
	default:
		x := d.vector()
		d.load(from, x, true)
		d.VFMADD231PS(x, weight, sum)
	}
}

// finish adds what is to be added to the sums of a tile, clamps and stores them.
func (d *depthwise) finish(label string, sums [][]reg.VecVirtual, part bool) {
	channels, add := d.GP64(), d.GP64()
	d.MOVQ(d.field("Channels", 0), channels)
	d.SHLQ(operand.U8(2), channels)
	d.MOVQ(d.field("Add", 0), add)
	d.TESTQ(add, add)
	d.JZ(ref(label + "Clamp"))
	d.MOVQ(d.rowAdd, add)
	d.ADDQ(d.to, add)
	for _, cell := range sums {
		for j, sum := range cell {
			x := d.vector()
			d.load(d.vectors.at(add, j), x, part)
			d.VADDPS(x, sum, sum)
		}
		d.ADDQ(channels, add)
	}
	d.Label(label + "Clamp")
	low, high := d.vector(), d.vector()
	d.VBROADCASTSS(d.field("Low", 0), low)
	d.VBROADCASTSS(d.field("High", 0), high)
	for _, cell := range sums {
		for j, sum := range cell {
			d.clamp(sum, low, high)
			d.store(sum, d.vectors.at(d.to, j), part)
		}
		d.ADDQ(channels, d.to)
	}
}
