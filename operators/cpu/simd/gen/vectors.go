package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// vectors is an instruction set as loops over rows of values use it: registers
// of float32 values, and instructions that leave out the lanes beyond a row's
// end.
type vectors struct {
	*build.Context
	name  string // before a function's own
	lanes int    // float32 values of a register

	// The lanes that a part of a vector has; which of the two depends on the set.
	mask reg.OpmaskVirtual
	part reg.VecVirtual
	ones operand.Mem // avx2: eight lanes of ones and eight of zeros
}

// eachSet writes loops for every instruction set.
func eachSet(c *build.Context, write func(v *vectors)) {
	write(&vectors{Context: c, name: "avx512", lanes: 16})
	write(&vectors{Context: c, name: "avx2", lanes: 8, ones: maskTable(c)})
}

func (v *vectors) wide() bool { return v.lanes == 16 }

// bytes of a register.
func (v *vectors) bytes() int { return v.lanes * 4 }

// begin starts the function of the set's name and this one.
func (v *vectors) begin(name, signature string) {
	v.Function(v.name + name)
	v.Attributes(attr.NOSPLIT)
	v.SignatureExpr(signature)
	v.mask, v.part = nil, nil
}

// end returns from the function.
func (v *vectors) end() {
	v.VZEROUPPER()
	v.RET()
}

// vector is a new register.
func (v *vectors) vector() reg.VecVirtual {
	if v.wide() {
		return v.ZMM()
	}
	return v.YMM()
}

// integer loads an argument into a general register.
func (v *vectors) integer(arg string) reg.GPVirtual {
	return v.Load(v.Param(arg), v.GP64()).(reg.GPVirtual)
}

// broadcast puts a float32 argument into all lanes.
func (v *vectors) broadcast(arg string) reg.VecVirtual {
	b, err := v.Param(arg).Resolve()
	if err != nil {
		panic(err)
	}
	x := v.vector()
	v.VBROADCASTSS(b.Addr, x)
	return x
}

// zero is a register of zeros.
func (v *vectors) zero() reg.VecVirtual {
	x := v.vector()
	v.clear(x)
	return x
}

func (v *vectors) clear(x reg.VecVirtual) {
	if v.wide() {
		v.VPXORD(x, x, x)
	} else {
		v.VXORPS(x, x, x)
	}
}

// prepare makes the mask of the first n lanes, 0 < n <= lanes.
func (v *vectors) prepare(n reg.GPVirtual) {
	if v.wide() {
		bits := v.GP64()
		v.MOVQ(n, reg.RCX)
		v.MOVQ(operand.U32(1), bits)
		v.SHLQ(reg.CL, bits)
		v.DECQ(bits)
		if v.mask == nil {
			v.mask = v.K()
		}
		v.KMOVW(bits.As32(), v.mask)
		return
	}
	table := v.GP64()
	back := v.GP64()
	v.LEAQ(v.ones, table)
	v.MOVQ(n, back)
	v.NEGQ(back)
	if v.part == nil {
		v.part = v.YMM()
	}
	v.VMOVUPS(operand.Mem{Base: table, Index: back, Scale: 4, Disp: 32}, v.part)
}

// load reads a vector, or the prepared part of one: the other lanes are zero.
func (v *vectors) load(from operand.Mem, to reg.VecVirtual, part bool) {
	switch {
	case !part:
		v.VMOVUPS(from, to)
	case v.wide():
		v.VMOVUPS_Z(from, v.mask, to)
	default:
		v.VMASKMOVPS(from, v.part, to)
	}
}

// store writes a vector, or the prepared part of one.
func (v *vectors) store(from reg.VecVirtual, to operand.Mem, part bool) {
	switch {
	case !part:
		v.VMOVUPS(from, to)
	case v.wide():
		v.VMOVUPS(from, v.mask, to)
	default:
		v.VMASKMOVPS(from, v.part, to)
	}
}

// clamp is x = min(max(x, low), high), NaN where x is NaN: the processor's max
// and min give their second source where either is NaN.
func (v *vectors) clamp(x, low, high reg.VecVirtual) {
	v.VMAXPS(x, low, x)
	v.VMINPS(x, high, x)
}

// constant is a number in all lanes, in memory.
func (v *vectors) constant(x float64) operand.Mem { return v.pattern(math.Float32bits(float32(x))) }

// pattern is a bit pattern in all lanes, in memory.
func (v *vectors) pattern(bits uint32) operand.Mem {
	name := fmt.Sprintf("x%08x", bits)
	if at, ok := patterns[v.Context][name]; ok {
		return at
	}
	at := v.StaticGlobal(name)
	v.DataAttributes(attr.RODATA | attr.NOPTR)
	for range 16 {
		v.AppendDatum(operand.U32(bits))
	}
	if patterns[v.Context] == nil {
		patterns[v.Context] = map[string]operand.Mem{}
	}
	patterns[v.Context][name] = at
	return at
}

// patterns are the constants of each file.
var patterns = map[*build.Context]map[string]operand.Mem{}

// ref is a label of the function under way.
func ref(name string) operand.LabelRef { return operand.LabelRef(name) }

// at is the i-th vector from a pointer on.
func (v *vectors) at(p reg.GPVirtual, i int) operand.Mem {
	return operand.Mem{Base: p, Disp: i * v.bytes()}
}

// along writes a loop over n values: body handles the vectors from the pointers
// on that it is told, all complete or one that is a part. The loop moves the
// pointers to the part and counts n down to its length; its labels begin with
// name.
func (v *vectors) along(name string, n reg.GPVirtual, pointers []reg.GPVirtual, unroll int, body func(count int, part bool)) {
	step := func(count int) {
		for _, p := range pointers {
			v.ADDQ(operand.I32(count*v.bytes()), p)
		}
		v.SUBQ(operand.I32(count*v.lanes), n)
	}
	if unroll > 1 {
		v.CMPQ(n, operand.I32(unroll*v.lanes))
		v.JL(ref(name + "Single"))
		v.Label(name + "Several")
		body(unroll, false)
		step(unroll)
		v.CMPQ(n, operand.I32(unroll*v.lanes))
		v.JGE(ref(name + "Several"))
	}
	v.Label(name + "Single")
	v.CMPQ(n, operand.I32(v.lanes))
	v.JL(ref(name + "Part"))
	v.Label(name + "One")
	body(1, false)
	step(1)
	v.CMPQ(n, operand.I32(v.lanes))
	v.JGE(ref(name + "One"))
	v.Label(name + "Part")
	v.TESTQ(n, n)
	v.JZ(ref(name + "Done"))
	v.prepare(n)
	body(1, true)
	v.Label(name + "Done")
}
