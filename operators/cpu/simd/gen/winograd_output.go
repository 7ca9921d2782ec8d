package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// combine turns the values at each pair into their sum and difference. Of an odd
// number of points, the first of m is missing.
func (t *transform) combine(m []reg.VecVirtual) {
	for i := 2; i < len(m); i += 2 {
		sum := t.vector()
		t.VADDPS(m[i+1], m[i], sum)
		t.VSUBPS(m[i+1], m[i], m[i+1])
		m[i] = sum
	}
}

// cell is result i of the values at the points, combined.
func (t *transform) cell(m []reg.VecVirtual, i int) reg.VecVirtual {
	var y reg.VecVirtual
	for q := range t.pairs {
		from := m[2+2*q+i%2]
		c := (i-1)*t.pairs + q
		switch {
		case i == 0 && q == 0:
			y = t.vector()
			t.VADDPS(from, m[1], y)
		case i == 0:
			t.VADDPS(from, y, y)
		case q == 0 && i == t.tile-1 && t.points%2 == 0:
			y = t.multiplied(c, from, m[0])
		case q == 0:
			y = t.multiply(c, from)
		default:
			t.multiplyAdd(c, from, y)
		}
	}
	return y
}

// epilogue adds bias and, where there is one, what lies at add, clamps, and stores;
// label is one of its own.
func (t *transform) epilogue(y, bias reg.VecVirtual, add, to operand.Mem, label string, part bool) {
	t.VADDPS(bias, y, y)
	t.CMPQ(t.field("Add"), operand.U8(0))
	t.JE(ref(label))
	other := t.vector()
	t.load(add, other, part)
	t.VADDPS(other, y, y)
	t.Label(label)
	limit := t.vector()
	t.VBROADCASTSS(t.field("Low"), limit)
	t.VMAXPS(y, limit, y) // y where it is NaN, as in clamp
	t.VBROADCASTSS(t.field("High"), limit)
	t.VMINPS(y, limit, y)
	t.store(y, to, part)
}

// newOutput starts a transform back to cells.
func newOutput(v *vectors, name string, points, tile int) *transform {
	coefficients := make([]int, (tile-1)*((points-1)/2))
	for i := range coefficients {
		coefficients[i] = i
	}
	// Beside the values there are a sum, a bias, a limit, a coefficient and a mask.
	return newTransform(v, fmt.Sprintf("%s%dx%d", name, points, tile), "WinogradOutput", points, tile, coefficients, points+5)
}

// lineOutput writes Winograd.LineOutput.
func lineOutput(v *vectors, points, tile int) {
	t := newOutput(v, "WinogradLineOutput", points, tile)
	in, out, add, bias := t.walk("In", "InStep"), t.walk("Out", "OutStep"), t.walk("Add", "AddStep"), t.walk("Bias", "")
	t.loop([]walker{in, out, add, bias}, func(part bool) {
		m := t.read(t.strided(in.at, t.field("InStride"), 1), points, part)
		if points%2 == 1 {
			m = append([]reg.VecVirtual{nil}, m...)
		}
		b := t.vector()
		t.load(operand.Mem{Base: t.pointer(bias.at)}, b, part)
		t.storeCells(m, b, t.strided(out.at, t.field("Right"), 1), t.strided(add.at, t.field("AddRight"), 1), part)
	})
}

// storeCells computes the first Columns cells of a row and stores them with the
// epilogue.
func (t *transform) storeCells(m []reg.VecVirtual, bias reg.VecVirtual, out, add strided, part bool) {
	t.combine(m)
	addresses := make([]operand.Mem, t.tile)
	t.each(add, t.tile, func(i int, at operand.Mem) { addresses[i] = at })
	t.each(out, t.tile, func(i int, at operand.Mem) {
		t.epilogue(t.cell(m, i), bias, addresses[i], at, named(fmt.Sprintf("added%d", i), part), part)
		if i < t.tile-1 {
			t.CMPQ(t.field("Columns"), operand.U8(i+1))
			t.JE(ref(named("stored", part)))
		}
	})
	t.Label(named("stored", part))
}

// squareOutput writes Winograd.SquareOutput.
func squareOutput(v *vectors, points, tile int) {
	t := newOutput(v, "WinogradSquareOutput", points, tile)
	in, out, add, bias := t.walk("In", "InStep"), t.walk("Out", "OutStep"), t.walk("Add", "AddStep"), t.walk("Bias", "")
	t.loop([]walker{in, out, add, bias}, func(part bool) {
		column, buffer := t.strided(in.at, t.field("InStride"), points), t.pointer(t.field("Buffer"))
		t.times(named("columns", part), operand.U32(points), func() {
			m := t.read(column, points, part)
			t.combine(m)
			for i := range tile {
				t.VMOVUPS(t.cell(m, i), t.slot(buffer, i))
			}
			t.ADDQ(t.field("InStride"), column.base)
			t.ADDQ(operand.U8(t.bytes()), buffer)
		})
		b := t.vector()
		t.load(operand.Mem{Base: t.pointer(bias.at)}, b, part)
		to, other := t.strided(out.at, t.field("Right"), 1), t.strided(add.at, t.field("AddRight"), 1)
		buffer = t.pointer(t.field("Buffer"))
		t.times(named("rows", part), t.field("Rows"), func() {
			t.storeCells(t.readRow(buffer), b, to, other, part)
			t.ADDQ(t.field("Down"), to.base)
			t.ADDQ(t.field("AddDown"), other.base)
			t.ADDQ(operand.I32(points*t.bytes()), buffer)
		})
	})
}
