package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["winograd"] = winograd }

// winograd writes the transforms of Winograd's algorithms, for every number of
// points, those back to cells for every tile: along one axis and along both.
//
//	func(coefficients *float32, t *WinogradInput)
//	func(coefficients *float32, t *WinogradOutput)
//
// What is a transform of numbers in the formulas is one of vectors here: all
// values that a transform combines are in registers. Coefficients stay in
// registers as far as there are enough; the others are broadcast where used.
// Between the two axes values wait in a buffer of a few KiB, vector by vector of
// channels, so that it is always in the first-level cache.
func winograd(c *build.Context) {
	eachSet(c, func(v *vectors) {
		for points := 3; points < 12; points++ {
			partInput(v, points)
			if points%2 == 0 {
				continue
			}
			for tile := 1; tile <= min(points-2, 5); tile += 2 {
				lineOutput(v, points, tile)
			}
		}
		for points := 4; points <= 12; points += 2 {
			lineInput(v, points)
			for tile := 2; tile <= min(points-2, 6); tile += 2 {
				lineOutput(v, points, tile)
			}
			if points > 8 {
				continue
			}
			squareInput(v, points)
			for tile := 2; tile <= min(points-2, 6); tile += 2 {
				squareOutput(v, points, tile)
			}
		}
	})
}

// transform is one of these functions while it is written.
type transform struct {
	*vectors
	points, tile, pairs int
	coefficients, args  reg.GPVirtual
	scaled              bool                   // of input: as in a part
	resident            map[int]reg.VecVirtual // coefficients
	n                   reg.GPVirtual          // channels to go
	count               operand.Mem            // transforms to go
	structure           string                 // args' type
}

// newTransform starts the function of a transform that uses some coefficients, in
// order of preference for registers, beside a number of other vectors.
func newTransform(v *vectors, name, structure string, points, tile int, coefficients []int, others int) *transform {
	v.begin(name, "func(coefficients *float32, t *byte)")
	t := &transform{vectors: v, points: points, tile: tile, pairs: (points - 1) / 2, structure: structure}
	t.coefficients, t.args = v.integer("coefficients"), v.integer("t")
	registers := 16
	if v.wide() {
		registers = 32
	}
	t.resident = map[int]reg.VecVirtual{}
	for _, i := range coefficients[:min(len(coefficients), max(registers-others, 0))] {
		t.resident[i] = v.vector()
		v.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, t.resident[i])
	}
	t.count = v.AllocLocal(8)
	t.n = v.GP64()
	v.MOVQ(t.field("Count"), t.n)
	v.MOVQ(t.n, t.count)
	return t
}

// field is a field of the arguments, whose offset go_asm.h knows.
func (t *transform) field(name string) operand.Mem {
	return operand.Mem{Symbol: operand.Symbol{Name: t.structure + "_" + name}, Base: t.args}
}

// pointer loads a field, or a local, into a register.
func (t *transform) pointer(from operand.Mem) reg.GPVirtual {
	p := t.GP64()
	t.MOVQ(from, p)
	return p
}

// walker is a pointer that goes along the channels and from transform to
// transform. It is in memory: the addresses within a transform need the
// registers.
type walker struct {
	at   operand.Mem
	step string // the field that tells how far the next transform is, "" if nowhere
}

// walk makes a walker that starts at what the field tells.
func (t *transform) walk(field, step string) walker {
	w := walker{t.AllocLocal(8), step}
	t.MOVQ(t.pointer(t.field(field)), w.at)
	return w
}

// strided is a number of vectors that lie a stride apart.
type strided struct {
	base, stride, stride3 reg.GPVirtual
}

// strided makes one of a pointer and the distance, times the number of columns.
func (t *transform) strided(base, stride operand.Mem, times int) strided {
	s := strided{t.pointer(base), t.pointer(stride), t.GP64()}
	if times > 1 {
		t.IMUL3Q(operand.U8(times), s.stride, s.stride)
	}
	t.LEAQ(operand.Mem{Base: s.stride, Index: s.stride, Scale: 2}, s.stride3)
	return s
}

// each gives the addresses of the first n of the vectors to do, in order.
func (t *transform) each(s strided, n int, do func(i int, at operand.Mem)) {
	base := s.base
	for i := range n {
		if i > 0 && i%4 == 0 {
			next := t.GP64()
			t.LEAQ(operand.Mem{Base: base, Index: s.stride, Scale: 4}, next)
			base = next
		}
		at := operand.Mem{Base: base}
		switch i % 4 {
		case 1, 2:
			at.Index, at.Scale = s.stride, uint8(i%4)
		case 3:
			at.Index, at.Scale = s.stride3, 1
		}
		do(i, at)
	}
}

// loop writes the loops over transforms and channels.
func (t *transform) loop(walkers []walker, body func(part bool)) {
	t.Label("transform")
	t.MOVQ(t.field("Channels"), t.n)
	t.CMPQ(t.n, operand.U8(t.lanes))
	t.JL(ref("rest"))
	t.Label("vector")
	body(false)
	for _, w := range walkers {
		t.ADDQ(operand.U8(t.bytes()), w.at)
	}
	t.SUBQ(operand.U8(t.lanes), t.n)
	t.CMPQ(t.n, operand.U8(t.lanes))
	t.JGE(ref("vector"))
	t.Label("rest")
	t.TESTQ(t.n, t.n)
	t.JZ(ref("next"))
	t.prepare(t.n)
	body(true)

	t.Label("next")
	t.SUBQ(t.field("Channels"), t.n) // back to the first channel
	t.SHLQ(operand.U8(2), t.n)
	for _, w := range walkers {
		t.ADDQ(t.n, w.at)
		if w.step != "" {
			t.ADDQ(t.pointer(t.field(w.step)), w.at)
		}
	}
	t.DECQ(t.count)
	t.JNZ(ref("transform"))
	t.end()
}

// times writes a loop that does the body as often as count tells, at least once.
func (t *transform) times(name string, count operand.Op, body func()) {
	left := t.GP64()
	t.MOVQ(count, left)
	t.Label(name)
	body()
	t.DECQ(left)
	t.JNZ(ref(name))
}

// multiplyAdd is sum += coefficient i * x.
func (t *transform) multiplyAdd(i int, x, sum reg.VecVirtual) {
	from := operand.Mem{Base: t.coefficients, Disp: 4 * i}
	resident, ok := t.resident[i]
	switch {
	case ok:
		t.VFMADD231PS(resident, x, sum)
	case t.wide():
		t.VFMADD231PS_BCST(from, x, sum)
	default:
		c := t.vector()
		t.VBROADCASTSS(from, c)
		t.VFMADD231PS(c, x, sum)
	}
}

// multiplied is coefficient i * x + y, in a register of its own. It loads the
// coefficient anew and adds to that: a copy of y would take its time where the
// multiply-adds take theirs.
func (t *transform) multiplied(i int, x, y reg.VecVirtual) reg.VecVirtual {
	product := t.vector()
	t.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, product)
	t.VFMADD213PS(y, x, product)
	return product
}

// multiplySubtracted is y - coefficient i * x.
func (t *transform) multiplySubtracted(i int, x, y reg.VecVirtual) reg.VecVirtual {
	product := t.vector()
	t.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, product)
	t.VFNMADD213PS(y, x, product)
	return product
}

// multiply is coefficient i * x.
func (t *transform) multiply(i int, x reg.VecVirtual) reg.VecVirtual {
	product := t.vector()
	if resident, ok := t.resident[i]; ok {
		t.VMULPS(resident, x, product)
		return product
	}
	t.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, product)
	t.VMULPS(product, x, product)
	return product
}

// toPoints computes what d is at the points, and gives them with their numbers
// among all points, in order.
func (t *transform) toPoints(d []reg.VecVirtual, do func(point int, value reg.VecVirtual)) {
	// polynomial is the sum of every second value from first on times n
	// coefficients from c on, and the last one as it is.
	polynomial := func(c, n, first int) reg.VecVirtual {
		if n == 0 {
			return d[first]
		}
		sum := t.multiplied(c+n-1, d[first+2*n-2], d[first+2*n])
		for k := n - 2; k >= 0; k-- {
			t.multiplyAdd(c+k, d[first+2*k], sum)
		}
		return sum
	}
	// scaled also multiplies the last one.
	scaled := func(c, n, first int) reg.VecVirtual {
		if !t.scaled {
			return polynomial(c, n, first)
		}
		sum := t.multiply(c+n, d[first+2*n])
		for k := n - 1; k >= 0; k-- {
			t.multiplyAdd(c+k, d[first+2*k], sum)
		}
		return sum
	}
	if t.points%2 == 0 {
		do(0, polynomial(0, t.pairs, 1))
	}
	if t.scaled {
		do(1, scaled(t.pairs, t.pairs, 0))
	} else {
		do(1, polynomial(0, t.pairs, 0)) // of the same coefficients as for infinity
	}
	for q := range t.pairs {
		c := t.pair(q)
		x := c + t.pairs
		even, odd := scaled(c, t.pairs-1, 2), scaled(c, t.pairs-1, 1)
		do(2+2*q, t.multiplied(x, odd, even))
		do(3+2*q, t.multiplySubtracted(x, odd, even))
	}
}

// pair is the place of the coefficients of pair q; those for infinity and 0 come
// before.
func (t *transform) pair(q int) int { return 2*t.pairs + 1 + q*(t.pairs+1) }

// read loads a number of vectors.
func (t *transform) read(from strided, n int, part bool) []reg.VecVirtual {
	values := make([]reg.VecVirtual, n)
	t.each(from, n, func(i int, at operand.Mem) {
		values[i] = t.vector()
		t.load(at, values[i], part)
	})
	return values
}

// slot is row i of the buffer, which has a row for each value along the first
// axis, with a vector for each point of the second.
func (t *transform) slot(buffer reg.GPVirtual, i int) operand.Mem {
	return operand.Mem{Base: buffer, Disp: i * t.points * t.bytes()}
}

// readRow loads a row of the buffer.
func (t *transform) readRow(buffer reg.GPVirtual) []reg.VecVirtual {
	values := make([]reg.VecVirtual, t.points)
	for j := range values {
		values[j] = t.vector()
		t.VMOVUPS(t.at(buffer, j), values[j])
	}
	return values
}

// named is a label of its own for the loop over whole vectors and for the part.
func named(name string, part bool) string {
	if part {
		return name + "OfPart"
	}
	return name
}

// newInput starts a transform to points, scaled or not.
func newInput(v *vectors, name string, points int, scaled bool) *transform {
	t := &transform{pairs: (points - 1) / 2}
	var coefficients []int
	add := func(from, n int) {
		for i := range n {
			coefficients = append(coefficients, from+i)
		}
	}
	if scaled {
		add(t.pairs, t.pairs+1)
	} else {
		add(0, t.pairs)
	}
	for q := range t.pairs {
		add(t.pair(q), t.pairs-1)
		if scaled {
			add(t.pair(q)+t.pairs-1, 1)
		}
	}
	// Beside the values there are two sums, a copy, a coefficient and a mask.
	t = newTransform(v, fmt.Sprintf("%s%d", name, points), "WinogradInput", points, 0, coefficients, points+5)
	t.scaled = scaled
	return t
}

// lineInput writes Winograd.LineInput.
func lineInput(v *vectors, points int) {
	newInput(v, "WinogradLineInput", points, false).line()
}

// partInput writes Winograd.LineInput of parts.
func partInput(v *vectors, points int) {
	newInput(v, "WinogradPartInput", points, true).line()
}

// line writes a transform to points along one axis.
func (t *transform) line() {
	in, out := t.walk("In", "InStep"), t.walk("Out", "OutStep")
	t.loop([]walker{in, out}, func(part bool) {
		d := t.read(t.strided(in.at, t.field("Right"), 1), t.points, part)
		t.storePoints(d, t.strided(out.at, t.field("OutStride"), 1), part)
	})
}

// storePoints computes what d is at the points and stores that.
func (t *transform) storePoints(d []reg.VecVirtual, out strided, part bool) {
	addresses := make([]operand.Mem, t.points)
	t.each(out, t.points, func(i int, at operand.Mem) { addresses[i] = at })
	t.toPoints(d, func(i int, value reg.VecVirtual) { t.store(value, addresses[i-t.points%2], part) })
}

// squareInput writes Winograd.SquareInput.
func squareInput(v *vectors, points int) {
	t := newInput(v, "WinogradSquareInput", points, false)
	in, out := t.walk("In", "InStep"), t.walk("Out", "OutStep")
	n := operand.U32(points)
	t.loop([]walker{in, out}, func(part bool) {
		column, buffer := t.strided(in.at, t.field("Down"), 1), t.pointer(t.field("Buffer"))
		t.times(named("columns", part), n, func() {
			d := t.read(column, points, part)
			t.toPoints(d, func(i int, value reg.VecVirtual) { t.VMOVUPS(value, t.slot(buffer, i)) })
			t.ADDQ(t.field("Right"), column.base)
			t.ADDQ(operand.U8(t.bytes()), buffer)
		})
		row, buffer := t.strided(out.at, t.field("OutStride"), 1), t.pointer(t.field("Buffer"))
		next := t.GP64()
		t.IMUL3Q(operand.U8(points), row.stride, next)
		t.times(named("rows", part), n, func() {
			t.storePoints(t.readRow(buffer), row, part)
			t.ADDQ(next, row.base)
			t.ADDQ(operand.I32(points*t.bytes()), buffer)
		})
	})
}
