package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["peak"] = peaks }

// peaks writes the loops that measure what the processor can do at most: as
// many independent multiply-adds between registers as a product's tile has, and
// nothing else.
//
//	func(rounds int)
func peaks(c *build.Context) {
	one := c.StaticGlobal("one")
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	c.AppendDatum(operand.U32(math.Float32bits(1)))

	avx512 := []reg.VecPhysical{
		reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
		reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
		reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
	}
	avx2 := []reg.VecPhysical{
		reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
		reg.Y8, reg.Y9, reg.Y10, reg.Y11,
	}
	peak(c, "avx512Peak", avx512, reg.Z24, one)
	peak(c, "avx2Peak", avx2, reg.Y12, one)
}

func peak(c *build.Context, name string, sums []reg.VecPhysical, value reg.VecPhysical, one operand.Mem) {
	c.Function(name)
	c.Attributes(attr.NOSPLIT)
	c.SignatureExpr("func(rounds int)")
	n := reg.RAX
	c.MOVQ(operand.NewParamAddr("rounds", 0), n)
	c.VBROADCASTSS(one, value)
	for _, sum := range sums {
		c.VMOVAPS(value, sum)
	}
	align(c)
	c.Label("round")
	for _, sum := range sums {
		c.VFMADD231PS(value, value, sum)
	}
	c.DECQ(n)
	c.JNZ(operand.LabelRef("round"))
	c.VZEROUPPER()
	c.RET()
}
