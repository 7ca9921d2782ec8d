package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["departure"] = departures }

// departures writes the loops that tell how results depart from what is linear.
func departures(c *build.Context) {
	slopes := slopeTable(c)
	eachSet(c, func(v *vectors) {
		dot(v)
		clampDeparture(v, slopes)
		tangentDeparture(v)
		poolDeparture(v)
	})
}

// sumRegisters is how many sums a loop keeps, so that additions need not wait for
// each other.
const sumRegisters = 4

// sumsOfZero makes the registers to sum in.
func (v *vectors) sumsOfZero() []reg.VecVirtual {
	sums := make([]reg.VecVirtual, sumRegisters)
	for i := range sums {
		sums[i] = v.zero()
	}
	return sums
}

// result returns the sum of all lanes of all sums, of which the last step, over
// the lanes, is in float64.
func (v *vectors) result(sums []reg.VecVirtual) {
	v.VADDPS(sums[1], sums[0], sums[0])
	v.VADDPS(sums[3], sums[2], sums[2])
	v.VADDPS(sums[2], sums[0], sums[0])
	x, upper := sums[0], v.vector()
	if v.wide() {
		v.VEXTRACTF64X4(operand.U8(1), x, upper.AsY())
		v.VCVTPS2PD(x.AsY(), x)
		v.VCVTPS2PD(upper.AsY(), upper)
		v.VADDPD(upper, x, x)
		v.VEXTRACTF64X4(operand.U8(1), x, upper.AsY())
		v.VADDPD(upper.AsY(), x.AsY(), x.AsY())
	} else {
		v.VEXTRACTF128(operand.U8(1), x, upper.AsX())
		v.VCVTPS2PD(x.AsX(), x)
		v.VCVTPS2PD(upper.AsX(), upper)
		v.VADDPD(upper, x, x)
	}
	v.VEXTRACTF128(operand.U8(1), x.AsY(), upper.AsX())
	v.VADDPD(upper.AsX(), x.AsX(), x.AsX())
	v.VUNPCKHPD(x.AsX(), x.AsX(), upper.AsX())
	v.VADDSD(upper.AsX(), x.AsX(), x.AsX())
	v.Store(x.AsX(), v.ReturnIndex(0))
}

// dot writes the sum of the products of two rows.
//
//	func(a, b *float32, n int) float64
func dot(v *vectors) {
	v.begin("Dot", "func(a, b *float32, n int) float64")
	a, b, n := v.integer("a"), v.integer("b"), v.integer("n")
	sums := v.sumsOfZero()
	v.along("row", n, []reg.GPVirtual{a, b}, sumRegisters, func(count int, part bool) {
		for i := range count {
			x, y := v.vector(), v.vector()
			v.load(v.at(a, i), x, part)
			v.load(v.at(b, i), y, part)
			v.VFMADD231PS(y, x, sums[i])
		}
	})
	v.result(sums)
	v.end()
}

// clampDeparture writes a clamp that sums how far it is from its tangents. The two
// lowest bits of a gradient are the number of its tangent: with the slope 0
// through offset0 or offset2, or the value itself.
//
//	func(out, in, marked *float32, n int, low, high, offset0, offset2 float32) float64
func clampDeparture(v *vectors, table operand.Mem) {
	v.begin("ClampDeparture", "func(out, in, marked *float32, n int, low, high, offset0, offset2 float32) float64")
	out, in, marked, n := v.integer("out"), v.integer("in"), v.integer("marked"), v.integer("n")
	low, high := v.broadcast("low"), v.broadcast("high")
	// Four numbers, which the processor picks from by those bits, in every part of
	// 16 bytes: offsets are offset0, 0, offset2, 0.
	slopes, offsets, upper, zero := v.vector(), v.broadcast("offset0"), v.broadcast("offset2"), v.zero()
	v.VMOVUPS(table, slopes)
	v.VUNPCKLPS(zero, offsets, offsets)
	v.VUNPCKLPS(zero, upper, upper)
	v.VUNPCKLPD(upper, offsets, offsets)
	sums := v.sumsOfZero()
	v.along("row", n, []reg.GPVirtual{out, in, marked}, sumRegisters, func(count int, part bool) {
		for i := range count {
			x, y, g, slope, offset := v.vector(), v.vector(), v.vector(), v.vector(), v.vector()
			v.load(v.at(in, i), x, part)
			v.load(v.at(marked, i), g, part)
			v.VPERMILPS(g, slopes, slope)
			v.VPERMILPS(g, offsets, offset)
			v.VMAXPS(x, low, y)
			v.VMINPS(y, high, y)
			v.store(y, v.at(out, i), part)
			v.VSUBPS(offset, y, y)
			v.VFNMADD231PS(slope, x, y)
			v.VFMADD231PS(g, y, sums[i])
		}
	})
	v.result(sums)
	v.end()
}

// slopeTable adds the slopes of tangents by their number, four times.
func slopeTable(c *build.Context) operand.Mem {
	table := c.StaticGlobal("slopes")
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	for range 4 {
		for _, slope := range []operand.F32{0, 1, 0, 0} {
			c.AppendDatum(slope)
		}
	}
	return table
}

// tangentDeparture writes what a row is beyond its tangents.
//
//	func(out, in, slopes, offsets *float32, n int)
func tangentDeparture(v *vectors) {
	v.begin("TangentDeparture", "func(out, in, slopes, offsets *float32, n int)")
	out, in, slopes, offsets, n := v.integer("out"), v.integer("in"), v.integer("slopes"), v.integer("offsets"), v.integer("n")
	v.along("row", n, []reg.GPVirtual{out, in, slopes, offsets}, 4, func(count int, part bool) {
		for i := range count {
			x, slope, offset := v.vector(), v.vector(), v.vector()
			v.load(v.at(in, i), x, part)
			v.load(v.at(slopes, i), slope, part)
			v.load(v.at(offsets, i), offset, part)
			v.VFMADD213PS(offset, slope, x)
			v.load(v.at(out, i), slope, part)
			v.VSUBPS(x, slope, slope)
			v.store(slope, v.at(out, i), part)
		}
	})
	v.end()
}

// poolDeparture writes the loop of PoolDeparture over the channels of each cell
// that fill registers: of each tap it takes the lanes that are shown. A cell has
// channels of them, in out and shown one cell begins stride values behind another.
//
//	func(out *float32, taps *byte, shown *uint8, n, step, cells, channels, stride int)
func poolDeparture(v *vectors) {
	v.begin("PoolDeparture", "func(out *float32, taps *byte, shown *uint8, n, step, cells, channels, stride int)")
	out, taps, shown := v.integer("out"), v.integer("taps"), v.integer("shown")
	n, step, cells := v.integer("n"), v.integer("step"), v.integer("cells")
	channels := v.integer("channels")
	one := v.vector()
	v.VMOVUPS(v.pattern(1), one)
	cell := v.GP64()
	v.XORQ(cell, cell) // the distance of the cell from the first one
	v.Label("cell")
	c := v.GP64()
	v.XORQ(c, c)
	v.Label("channel")
	at := v.GP64()
	v.LEAQ(operand.Mem{Base: cell, Index: c, Scale: 4}, at)
	wanted, number, value := v.vector(), v.zero(), v.zero()
	v.VPMOVZXBD(operand.Mem{Base: shown, Index: c, Scale: 1}, wanted)
	tap := v.GP64()
	v.XORQ(tap, tap)
	v.Label("tap")
	from := v.GP64()
	v.MOVQ(operand.Mem{Base: taps, Index: tap, Scale: 8}, from)
	source := operand.Mem{Base: from, Index: at, Scale: 1}
	if v.wide() {
		is := v.K()
		v.VPCMPEQD(wanted, number, is)
		v.VMOVUPS(source, is, value)
	} else {
		is := v.vector()
		v.VPCMPEQD(wanted, number, is)
		v.VBLENDVPS(is, source, value, value)
	}
	v.VPADDD(one, number, number)
	v.INCQ(tap)
	v.CMPQ(tap, n)
	v.JL(ref("tap"))
	x := v.vector()
	to := operand.Mem{Base: out, Index: c, Scale: 4}
	v.VMOVUPS(to, x)
	v.VSUBPS(value, x, x)
	v.VMOVUPS(x, to)
	v.ADDQ(operand.I32(v.lanes), c)
	v.CMPQ(c, channels)
	v.JL(ref("channel"))
	stride := v.integer("stride")
	v.ADDQ(stride, shown)
	v.LEAQ(operand.Mem{Base: out, Index: stride, Scale: 4}, out)
	v.ADDQ(step, cell)
	v.DECQ(cells)
	v.JNZ(ref("cell"))
	v.end()
}
