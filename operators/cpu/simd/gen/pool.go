package main

import (
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["pool"] = pools }

// pools writes the loops of Pool, and of the sums over whole maps.
func pools(c *build.Context) {
	eachSet(c, func(v *vectors) {
		pool(v, "PoolMaximum", func(x, sum reg.VecVirtual) { v.extreme(v.VMAXPS, x, sum, sum) }, false)
		pool(v, "PoolMean", func(x, sum reg.VecVirtual) { v.VADDPS(x, sum, sum) }, true)
		sums(v)
	})
}

// pool writes a loop over cells, their channels, and the taps of each: up to
// four vectors of channels are folded at a time, whose results stay in
// registers.
//
//	func(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32)
func pool(v *vectors, name string, fold func(x, result reg.VecVirtual), scaled bool) {
	v.begin(name, "func(out *float32, taps *byte, n, step, cells, channels int, scale float32)")
	out, taps, n := v.integer("out"), v.integer("taps"), v.integer("n")
	var scale reg.VecVirtual
	if scaled {
		scale = v.broadcast("scale")
	}
	cells := v.integer("cells")
	cell, at, tap, from, channels := v.GP64(), v.GP64(), v.GP64(), v.GP64(), v.GP64()
	v.XORQ(cell, cell) // the distance of the cell from the first one
	v.Label("cell")
	v.MOVQ(cell, at)
	v.Load(v.Param("channels"), channels)
	v.along("row", channels, []reg.GPVirtual{out, at}, 4, func(count int, part bool) {
		results := make([]reg.VecVirtual, count)
		label := map[bool]string{false: "taps", true: "tapsOfPart"}[part]
		if count > 1 {
			label = "tapsOfSeveral"
		}
		v.MOVQ(operand.Mem{Base: taps}, from)
		for i := range results {
			results[i] = v.vector()
			v.load(operand.Mem{Base: from, Index: at, Scale: 1, Disp: i * v.bytes()}, results[i], part)
		}
		v.MOVQ(operand.U32(1), tap)
		v.CMPQ(tap, n)
		v.JGE(ref(label + "Done"))
		v.Label(label)
		v.MOVQ(operand.Mem{Base: taps, Index: tap, Scale: 8}, from)
		for i, r := range results {
			x := v.vector()
			v.load(operand.Mem{Base: from, Index: at, Scale: 1, Disp: i * v.bytes()}, x, part)
			fold(x, r)
		}
		v.INCQ(tap)
		v.CMPQ(tap, n)
		v.JL(ref(label))
		v.Label(label + "Done")
		for i, r := range results {
			if scaled {
				v.VMULPS(scale, r, r)
			}
			v.store(r, v.at(out, i), part)
		}
	})
	v.LEAQ(operand.Mem{Base: out, Index: channels, Scale: 4}, out) // behind the part
	step := v.integer("step")
	v.ADDQ(step, cell)
	v.DECQ(cells)
	v.JNZ(ref("cell"))
	v.end()
}

// sums writes the loops that sum channels in float64, of which a register has
// half as many. The number of channels is a multiple of those.
//
//	func(sums *float64, now *float32, channels, stride, cells int)
//	func(sums *float64, now, then *float32, channels, stride, cells int)
func sums(v *vectors) {
	for _, difference := range []bool{false, true} {
		lists := []string{"now"}
		name, signature := "Sum", "func(sums *float64, now *float32, channels, stride, cells int)"
		if difference {
			lists = append(lists, "then")
			name, signature = "SumDifference", "func(sums *float64, now, then *float32, channels, stride, cells int)"
		}
		v.begin(name, signature)
		sums, channels, stride := v.integer("sums"), v.integer("channels"), v.integer("stride")
		var rows []reg.GPVirtual
		for _, l := range lists {
			rows = append(rows, v.integer(l))
		}
		block := func(label string, count int) {
			v.Label(label)
			v.CMPQ(channels, operand.I32(count*v.lanes/2))
			v.JL(ref(label + "Done"))
			totals := make([]reg.VecVirtual, count)
			for i := range totals {
				totals[i] = v.vector()
				v.VMOVUPD(v.at(sums, i), totals[i])
			}
			cells := v.integer("cells")
			var at []reg.GPVirtual
			for _, r := range rows {
				p := v.GP64()
				v.MOVQ(r, p)
				at = append(at, p)
			}
			v.Label(label + "Cell")
			for i, total := range totals {
				x := v.vector()
				half := i * v.bytes() / 2
				v.VCVTPS2PD(operand.Mem{Base: at[0], Disp: half}, x)
				if difference {
					y := v.vector()
					v.VCVTPS2PD(operand.Mem{Base: at[1], Disp: half}, y)
					v.VSUBPD(y, x, x)
				}
				v.VADDPD(x, total, total)
			}
			for _, p := range at {
				v.ADDQ(stride, p)
			}
			v.DECQ(cells)
			v.JNZ(ref(label + "Cell"))
			for i, total := range totals {
				v.VMOVUPD(total, v.at(sums, i))
			}
			v.ADDQ(operand.I32(count*v.bytes()), sums)
			for _, r := range rows {
				v.ADDQ(operand.I32(count*v.bytes()/2), r)
			}
			v.SUBQ(operand.I32(count*v.lanes/2), channels)
			v.JMP(ref(label))
			v.Label(label + "Done")
		}
		block("several", 8)
		block("one", 1)
		v.end()
	}
}
