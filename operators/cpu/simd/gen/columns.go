package main

import (
	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columns reads and writes a vector of which only the first lanes are wanted.
// Nothing of memory beyond them is touched.
type columns interface {
	// prepare makes the mask for as many lanes as CX tells, at least one. It uses
	// BX and CX, and may keep the mask in m, which the other methods are given
	// too.
	prepare(c *build.Context, m reg.VecPhysical)
	// load reads the lanes, the others are zero.
	load(c *build.Context, from operand.Mem, to, m reg.VecPhysical)
	// add adds the lanes to sum, tmp is free for use.
	add(c *build.Context, from operand.Mem, sum, m, tmp reg.VecPhysical)
	// store writes the lanes.
	store(c *build.Context, from reg.VecPhysical, to operand.Mem, m reg.VecPhysical)
	// cheap tells whether masked stores cost no more than others.
	cheap() bool
}

// avx512Columns uses a mask register.
type avx512Columns struct{ mask reg.OpmaskPhysical }

func (a avx512Columns) prepare(c *build.Context, _ reg.VecPhysical) {
	bits := reg.RBX // (1 << CX) - 1
	c.MOVQ(operand.U32(1), bits)
	c.SHLQ(reg.CL, bits)
	c.DECQ(bits)
	c.KMOVW(bits.As32(), a.mask)
}

func (a avx512Columns) load(c *build.Context, from operand.Mem, to, _ reg.VecPhysical) {
	c.VMOVUPS_Z(from, a.mask, to)
}

func (a avx512Columns) add(c *build.Context, from operand.Mem, sum, _, _ reg.VecPhysical) {
	c.VADDPS(from, sum, a.mask, sum)
}

func (a avx512Columns) store(c *build.Context, from reg.VecPhysical, to operand.Mem, _ reg.VecPhysical) {
	c.VMOVUPS(from, a.mask, to)
}

func (avx512Columns) cheap() bool { return true }

// avx2Columns uses a vector register whose lanes are all ones or zero, read
// from a table: eight lanes of ones and eight of zeros, from lane 8-n on.
type avx2Columns struct{ table operand.Mem }

// maskTable adds that table to the file.
func maskTable(c *build.Context) operand.Mem {
	table := c.StaticGlobal("lanes")
	c.DataAttributes(attr.RODATA | attr.NOPTR)
	for lane := range 16 {
		if lane < 8 {
			c.AppendDatum(operand.U32(1<<32 - 1))
		} else {
			c.AppendDatum(operand.U32(0))
		}
	}
	return table
}

func (a avx2Columns) prepare(c *build.Context, m reg.VecPhysical) {
	n, at := reg.RCX, reg.RBX
	c.LEAQ(a.table, at)
	c.NEGQ(n)
	c.VMOVUPS(operand.Mem{Base: at, Index: n, Scale: 4, Disp: 32}, m)
}

func (avx2Columns) load(c *build.Context, from operand.Mem, to, m reg.VecPhysical) {
	c.VMASKMOVPS(from, m, to)
}

func (avx2Columns) add(c *build.Context, from operand.Mem, sum, m, tmp reg.VecPhysical) {
	c.VMASKMOVPS(from, m, tmp)
	c.VADDPS(tmp, sum, sum)
}

func (avx2Columns) store(c *build.Context, from reg.VecPhysical, to operand.Mem, m reg.VecPhysical) {
	c.VMASKMOVPS(from, m, to)
}

func (avx2Columns) cheap() bool { return false }
