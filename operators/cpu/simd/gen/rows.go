package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["rows"] = rows }

// rows writes what is done to rows of values by plain arithmetic: the cheap
// functions of one number, the operations on two, and those with numbers of
// each channel.
func rows(c *build.Context) {
	eachSet(c, func(v *vectors) {
		functions(v)
		operations(v)
		mix(v)
		channelwise(v)
		gather(v)
		lrn(v)
	})
}

// function writes a function of one number for a row, unroll vectors at a time.
// apply computes it in place; parameters are the arguments alpha and beta.
//
//	func(out, in *float32, n int, alpha, beta float32)
func function(v *vectors, name string, unroll int, apply func(x, alpha, beta reg.VecVirtual)) {
	v.begin(name, "func(out, in *float32, n int, alpha, beta float32)")
	out, in, n := v.integer("out"), v.integer("in"), v.integer("n")
	alpha, beta := v.broadcast("alpha"), v.broadcast("beta")
	v.along("row", n, []reg.GPVirtual{out, in}, unroll, func(count int, part bool) {
		for i := range count {
			x := v.vector()
			v.load(v.at(in, i), x, part)
			apply(x, alpha, beta)
			v.store(x, v.at(out, i), part)
		}
	})
	v.end()
}

func functions(v *vectors) {
	function(v, "Clamp", 4, v.clamp)
	function(v, "LeakyRelu", 4, func(x, alpha, _ reg.VecVirtual) {
		v.leaky(x, alpha)
	})
	function(v, "HardSigmoid", 4, func(x, alpha, beta reg.VecVirtual) {
		v.hardSigmoid(x, alpha, beta)
	})
	function(v, "HardSwish", 4, func(x, alpha, beta reg.VecVirtual) {
		gate := v.vector()
		v.VMOVAPS(x, gate)
		v.hardSigmoid(gate, alpha, beta)
		v.VMULPS(gate, x, x)
	})
}

// leaky is x = max(x, 0) + alpha*min(x, 0).
func (v *vectors) leaky(x, alpha reg.VecVirtual) {
	zero, below := v.zero(), v.vector()
	v.VMINPS(x, zero, below)
	v.VMAXPS(x, zero, x)
	v.VFMADD231PS(below, alpha, x)
}

// hardSigmoid is x = min(1, max(0, alpha*x+beta)).
func (v *vectors) hardSigmoid(x, alpha, beta reg.VecVirtual) {
	v.VFMADD213PS(beta, alpha, x)
	zero, one := v.zero(), v.vector()
	v.VMOVUPS(v.constant(1), one)
	v.clamp(x, zero, one)
}

// operations writes the operations on two rows, whose results are clamped.
//
//	func(out, a, b *float32, n int, low, high float32)
func operations(v *vectors) {
	for _, op := range []struct {
		name string
		do   func(b, a, to reg.VecVirtual)
	}{
		{"Add", func(b, a, to reg.VecVirtual) { v.VADDPS(b, a, to) }},
		{"Subtract", func(b, a, to reg.VecVirtual) { v.VSUBPS(b, a, to) }},
		{"Multiply", func(b, a, to reg.VecVirtual) { v.VMULPS(b, a, to) }},
		{"Divide", func(b, a, to reg.VecVirtual) { v.VDIVPS(b, a, to) }},
		{"Maximum", func(b, a, to reg.VecVirtual) { v.extreme(v.VMAXPS, b, a, to) }},
		{"Minimum", func(b, a, to reg.VecVirtual) { v.extreme(v.VMINPS, b, a, to) }},
	} {
		v.begin(op.name, "func(out, a, b *float32, n int, low, high float32)")
		out, a, b, n := v.integer("out"), v.integer("a"), v.integer("b"), v.integer("n")
		low, high := v.broadcast("low"), v.broadcast("high")
		v.along("row", n, []reg.GPVirtual{out, a, b}, 4, func(count int, part bool) {
			for i := range count {
				x, y := v.vector(), v.vector()
				v.load(v.at(a, i), x, part)
				v.load(v.at(b, i), y, part)
				op.do(y, x, x)
				v.clamp(x, low, high)
				v.store(x, v.at(out, i), part)
			}
		})
		v.end()
	}
}

// extreme is the larger or the smaller of a and b, NaN where either is one. The
// processor's instruction gives its second source then; the union of the bits of
// both orders is a NaN if either is, and else the bits of one number. (Of zeros
// of both signs it gives the negative one.)
func (v *vectors) extreme(instruction func(...operand.Op), b, a, to reg.VecVirtual) {
	other := v.vector()
	instruction(a, b, other)
	instruction(b, a, to)
	v.VORPS(other, to, to)
}

// mix writes the sum of three rows, each times a factor.
//
//	func(out, a, b, c *float32, n int, r, s, t float32)
func mix(v *vectors) {
	v.begin("Mix", "func(out, a, b, c *float32, n int, r, s, t float32)")
	out, a, b, c, n := v.integer("out"), v.integer("a"), v.integer("b"), v.integer("c"), v.integer("n")
	r, s, t := v.broadcast("r"), v.broadcast("s"), v.broadcast("t")
	v.along("row", n, []reg.GPVirtual{out, a, b, c}, 4, func(count int, part bool) {
		for i := range count {
			x, y, z := v.vector(), v.vector(), v.vector()
			v.load(v.at(a, i), x, part)
			v.load(v.at(b, i), y, part)
			v.load(v.at(c, i), z, part)
			v.VMULPS(r, x, x)
			v.VFMADD231PS(s, y, x)
			v.VFMADD231PS(t, z, x)
			v.store(x, v.at(out, i), part)
		}
	})
	v.end()
}

// channelwise writes what is done to cells with numbers of each channel.
func channelwise(v *vectors) {
	// func(out, in, scale, shift *float32, channels, cells int, low, high float32)
	v.begin("Affine", "func(out, in, scale, shift *float32, channels, cells int, low, high float32)")
	low, high := v.broadcast("low"), v.broadcast("high")
	v.cells([]string{"scale", "shift"}, func(x reg.VecVirtual, numbers []reg.VecVirtual) {
		v.VFMADD213PS(numbers[1], numbers[0], x)
		v.clamp(x, low, high)
	})
	v.end()

	// func(out, in, slope *float32, channels, cells int)
	v.begin("PRelu", "func(out, in, slope *float32, channels, cells int)")
	v.cells([]string{"slope"}, func(x reg.VecVirtual, numbers []reg.VecVirtual) {
		v.leaky(x, numbers[0])
	})
	v.end()
}

// cells writes the loop over cells whose channels have numbers, each list of
// them an argument. There must be at least one cell.
func (v *vectors) cells(lists []string, apply func(x reg.VecVirtual, numbers []reg.VecVirtual)) {
	out, in, cells := v.integer("out"), v.integer("in"), v.integer("cells")
	v.Label("cell")
	pointers := []reg.GPVirtual{out, in}
	for _, l := range lists {
		pointers = append(pointers, v.integer(l))
	}
	n := v.integer("channels")
	v.along("row", n, pointers, 2, func(count int, part bool) {
		for i := range count {
			x := v.vector()
			v.load(v.at(in, i), x, part)
			var numbers []reg.VecVirtual
			for _, p := range pointers[2:] {
				y := v.vector()
				v.load(v.at(p, i), y, part)
				numbers = append(numbers, y)
			}
			apply(x, numbers)
			v.store(x, v.at(out, i), part)
		}
	})
	for _, p := range pointers[:2] {
		v.LEAQ(operand.Mem{Base: p, Index: n, Scale: 4}, p) // behind the part
	}
	v.DECQ(cells)
	v.JNZ(ref("cell"))
}

// gather writes the loop that picks values of a cell by their index.
//
//	func(out, in *float32, index *int32, n int)
func gather(v *vectors) {
	v.begin("Gather", "func(out, in *float32, index *int32, n int)")
	out, in, index, n := v.integer("out"), v.integer("in"), v.integer("index"), v.integer("n")
	v.along("row", n, []reg.GPVirtual{out, index}, 1, func(_ int, part bool) {
		at, x := v.vector(), v.vector()
		v.load(v.at(index, 0), at, part)
		v.clear(x)
		from := operand.Mem{Base: in, Index: at, Scale: 4}
		// The lanes of the mask are those to read; the instruction clears it.
		switch {
		case v.wide() && part:
			k := v.K()
			v.KMOVW(v.mask, k)
			v.VGATHERDPS(from, k, x)
		case v.wide():
			k := v.K()
			v.KXNORW(k, k, k)
			v.VGATHERDPS(from, k, x)
		case part:
			lanes := v.vector()
			v.VMOVAPS(v.part, lanes)
			v.VGATHERDPS(lanes, from, x)
		default:
			lanes := v.vector()
			v.VPCMPEQD(lanes, lanes, lanes)
			v.VGATHERDPS(lanes, from, x)
		}
		v.store(x, v.at(out, 0), part)
	})
	v.end()
}

// lrn writes the loop of LRN over a cell's channels: squares points to the
// square of channel 0 behind those that its window has of channels before.
//
//	func(out, in, squares *float32, n, size int, scale, bias float32)
func lrn(v *vectors) {
	v.begin("LRN", "func(out, in, squares *float32, n, size int, scale, bias float32)")
	out, in, squares, n := v.integer("out"), v.integer("in"), v.integer("squares"), v.integer("n")
	scale, bias := v.broadcast("scale"), v.broadcast("bias")
	v.along("row", n, []reg.GPVirtual{out, in, squares}, 1, func(_ int, part bool) {
		label := map[bool]string{false: "window", true: "windowOfPart"}[part]
		sum, x := v.zero(), v.vector()
		from, size := v.GP64(), v.integer("size")
		v.MOVQ(squares, from)
		v.Label(label)
		v.load(operand.Mem{Base: from}, x, part)
		v.VADDPS(x, sum, sum)
		v.ADDQ(operand.I32(4), from)
		v.DECQ(size)
		v.JNZ(ref(label))
		v.VFMADD213PS(bias, scale, sum)
		// The energy to the power 3/4 is the root times the root's root.
		v.VSQRTPS(sum, sum)
		v.VSQRTPS(sum, x)
		v.VMULPS(x, sum, sum)
		v.load(v.at(in, 0), x, part)
		v.VDIVPS(sum, x, x)
		v.store(x, v.at(out, 0), part)
	})
	v.end()
}
