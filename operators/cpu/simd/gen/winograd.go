package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["winograd"] = winograd }

// winograd writes the transforms of Winograd's algorithms along one axis: to the
// points for every number of points, and back for every tile as well, with and
// without an epilogue.
//
//	func(coefficients *float32, t *Transform)
//	func(coefficients *float32, s *Store)
//
// What is a transform of numbers in the formulas is one of vectors here: all
// values that one transform combines are in registers. Coefficients stay in
// registers as far as there are enough; the others are broadcast where used.
func winograd(c *build.Context) {
	eachSet(c, func(v *vectors) {
		for points := 4; points <= 10; points += 2 {
			input(v, points)
			for tile := 2; tile <= min(points-2, 6); tile += 2 {
				output(v, points, tile, false)
				output(v, points, tile, true)
			}
		}
	})
}

// transform is one of these functions while it is written.
type transform struct {
	*vectors
	pairs        int
	coefficients reg.GPVirtual
	resident     []reg.VecVirtual
	args         reg.GPVirtual // the Transform, or Store
	n            reg.GPVirtual // channels to go
	count        operand.Mem   // transforms to go
}

// field is a field of the Transform or Store, by the name of its offset in
// go_asm.h.
func (t *transform) field(name string) operand.Mem {
	return operand.Mem{Symbol: operand.Symbol{Name: name}, Base: t.args}
}

// registers is the number of vector registers.
func (v *vectors) registers() int {
	if v.wide() {
		return 32
	}
	return 16
}

// strided is a number of vectors that lie a stride apart.
type strided struct {
	base, stride, stride3 reg.GPVirtual
}

// newTransform starts the function. At most room vectors are free for
// coefficients, of which there are needed many.
func newTransform(v *vectors, name string, points, needed, room int) *transform {
	v.begin(name, "func(coefficients *float32, t *byte)")
	t := &transform{vectors: v, pairs: points/2 - 1}
	t.coefficients, t.args = v.integer("coefficients"), v.integer("t")
	for i := range min(needed, max(room, 0)) {
		x := v.vector()
		v.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, x)
		t.resident = append(t.resident, x)
	}
	t.count = v.AllocLocal(8)
	t.n = v.GP64()
	v.MOVQ(t.field("Transform_Count"), t.n)
	v.MOVQ(t.n, t.count)
	return t
}

// strided loads a pointer and the stride that goes with it.
func (t *transform) strided(base, stride string) strided {
	s := strided{t.GP64(), t.GP64(), t.GP64()}
	t.MOVQ(t.field(base), s.base)
	t.MOVQ(t.field(stride), s.stride)
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

// loop writes the loops over transforms and channels. moved are the pointers that
// go along the channels and, by the step of that name, from transform to
// transform; fixed is one that starts anew with each of them.
func (t *transform) loop(moved map[string]reg.GPVirtual, fixed []reg.GPVirtual, body func(part bool)) {
	var steps []string
	for _, name := range []string{"Transform_InStep", "Transform_OutStep", "Store_AddStep"} {
		if moved[name] != nil {
			steps = append(steps, name)
		}
	}
	pointers := append([]reg.GPVirtual(nil), fixed...)
	for _, name := range steps {
		pointers = append(pointers, moved[name])
	}
	t.Label("transform")
	t.MOVQ(t.field("Transform_Channels"), t.n)
	t.along("channels", t.n, pointers, 1, func(_ int, part bool) { body(part) })
	// Back to the first channel: n is what along left to a part.
	t.SUBQ(t.field("Transform_Channels"), t.n)
	for _, p := range pointers {
		t.LEAQ(operand.Mem{Base: p, Index: t.n, Scale: 4}, p)
	}
	for _, name := range steps {
		t.ADDQ(t.field(name), moved[name])
	}
	t.DECQ(t.count)
	t.JNZ(ref("transform"))
	t.end()
}

// multiplyAdd is sum += coefficient i * x, or, negated, sum -= that.
func (t *transform) multiplyAdd(i int, x, sum reg.VecVirtual, negated bool) {
	switch {
	case i < len(t.resident) && negated:
		t.VFNMADD231PS(t.resident[i], x, sum)
	case i < len(t.resident):
		t.VFMADD231PS(t.resident[i], x, sum)
	case t.wide() && negated:
		t.VFNMADD231PS_BCST(operand.Mem{Base: t.coefficients, Disp: 4 * i}, x, sum)
	case t.wide():
		t.VFMADD231PS_BCST(operand.Mem{Base: t.coefficients, Disp: 4 * i}, x, sum)
	default:
		c := t.vector()
		t.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, c)
		if negated {
			t.VFNMADD231PS(c, x, sum)
		} else {
			t.VFMADD231PS(c, x, sum)
		}
	}
}

// multiply is coefficient i * x.
func (t *transform) multiply(i int, x reg.VecVirtual) reg.VecVirtual {
	product := t.vector()
	if i < len(t.resident) {
		t.VMULPS(t.resident[i], x, product)
		return product
	}
	t.VBROADCASTSS(operand.Mem{Base: t.coefficients, Disp: 4 * i}, product)
	t.VMULPS(product, x, product)
	return product
}

// input writes Winograd.Input.
func input(v *vectors, points int) {
	pairs := points/2 - 1
	// Beside the values there are two sums, a copy, a coefficient and a mask.
	t := newTransform(v, fmt.Sprintf("WinogradInput%d", points), points, pairs+pairs*pairs, v.registers()-points-5)
	in, out := t.strided("Transform_In", "Transform_InStride"), t.strided("Transform_Out", "Transform_OutStride")
	t.loop(map[string]reg.GPVirtual{"Transform_InStep": in.base, "Transform_OutStep": out.base}, nil, func(part bool) {
		d := t.read(in, points, part)
		// polynomial is the sum of every second value from first on times n
		// coefficients from c on and one.
		polynomial := func(c, n, first int) reg.VecVirtual {
			sum := t.vector()
			t.VMOVAPS(d[first+2*n], sum)
			for k := n - 1; k >= 0; k-- {
				t.multiplyAdd(c+k, d[first+2*k], sum, false)
			}
			return sum
		}
		var even, odd reg.VecVirtual
		t.each(out, points, func(i int, at operand.Mem) {
			q := (i - 1) / 2
			c := pairs + q*pairs
			switch {
			case i == 0:
				t.store(polynomial(0, pairs, 0), at, part)
			case i == points-1:
				t.store(polynomial(0, pairs, 1), at, part)
			case i%2 == 1:
				even, odd = polynomial(c, pairs-1, 2), polynomial(c, pairs-1, 1)
				sum := t.vector()
				t.VMOVAPS(even, sum)
				t.multiplyAdd(c+pairs-1, odd, sum, false)
				t.store(sum, at, part)
			default:
				t.multiplyAdd(c+pairs-1, odd, even, true)
				t.store(even, at, part)
			}
		})
	})
}

// read loads a transform's values.
func (t *transform) read(from strided, n int, part bool) []reg.VecVirtual {
	values := make([]reg.VecVirtual, n)
	t.each(from, n, func(i int, at operand.Mem) {
		values[i] = t.vector()
		t.load(at, values[i], part)
	})
	return values
}

// output writes Winograd.Output or, with an epilogue, Winograd.Store.
func output(v *vectors, points, tile int, epilogue bool) {
	pairs := points/2 - 1
	name, room := "Output", v.registers()-points-4
	if epilogue {
		name, room = "Store", room-1
	}
	t := newTransform(v, fmt.Sprintf("Winograd%s%dx%d", name, points, tile), points, (tile-1)*pairs, room)
	in, out := t.strided("Transform_In", "Transform_InStride"), t.strided("Transform_Out", "Transform_OutStride")
	moved := map[string]reg.GPVirtual{"Transform_InStep": in.base, "Transform_OutStep": out.base}
	if !epilogue {
		t.loop(moved, nil, func(part bool) {
			m := t.combine(in, points, part)
			t.each(out, tile, func(i int, at operand.Mem) { t.store(t.cell(m, tile, i), at, part) })
		})
		return
	}
	add := t.strided("Store_Add", "Store_AddStride")
	moved["Store_AddStep"] = add.base
	bias := t.GP64()
	t.MOVQ(t.field("Store_Bias"), bias)
	t.loop(moved, []reg.GPVirtual{bias}, func(part bool) {
		m := t.combine(in, points, part)
		b := t.vector()
		t.load(t.at(bias, 0), b, part)
		label := func(name string, i int) string { return fmt.Sprintf("%s%d%t", name, i, part) }
		addresses := make([]operand.Mem, tile)
		t.each(add, tile, func(i int, at operand.Mem) { addresses[i] = at })
		t.each(out, tile, func(i int, at operand.Mem) {
			y := t.cell(m, tile, i)
			t.VADDPS(b, y, y)
			t.CMPQ(t.field("Store_Add"), operand.U8(0))
			t.JE(ref(label("added", i)))
			other := t.vector()
			t.load(addresses[i], other, part)
			t.VADDPS(other, y, y)
			t.Label(label("added", i))
			limit := t.vector()
			t.VBROADCASTSS(t.field("Store_Low"), limit)
			t.VMAXPS(y, limit, y) // y where it is NaN, as in clamp
			t.VBROADCASTSS(t.field("Store_High"), limit)
			t.VMINPS(y, limit, y)
			t.store(y, at, part)
			if i < tile-1 {
				t.CMPQ(t.field("Store_Rows"), operand.U8(i+1))
				t.JE(ref(label("stored", 0)))
			}
		})
		t.Label(label("stored", 0))
	})
}

// combine loads what cells are computed from: the value at 0, each pair's sum and
// difference, the value at infinity.
func (t *transform) combine(in strided, points int, part bool) []reg.VecVirtual {
	m := t.read(in, points, part)
	for i := 1; i < points-1; i += 2 {
		sum := t.vector()
		t.VADDPS(m[i+1], m[i], sum)
		t.VSUBPS(m[i+1], m[i], m[i+1])
		m[i] = sum
	}
	return m
}

// cell is result i of a tile.
func (t *transform) cell(m []reg.VecVirtual, tile, i int) reg.VecVirtual {
	var y reg.VecVirtual
	if i == tile-1 {
		y = t.vector()
		t.VMOVAPS(m[len(m)-1], y)
	}
	for q := range t.pairs {
		from := m[1+2*q+i%2]
		c := (i-1)*t.pairs + q
		switch {
		case i == 0 && q == 0:
			y = t.vector()
			t.VADDPS(from, m[0], y)
		case i == 0:
			t.VADDPS(from, y, y)
		case y == nil:
			y = t.multiply(c, from)
		default:
			t.multiplyAdd(c, from, y, false)
		}
	}
	return y
}
