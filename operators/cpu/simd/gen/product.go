package main

import (
	"fmt"
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func init() { files["product"] = products }

// products writes the register tiles of Product: for each instruction set
// those of every height, as wide as a panel and half as wide.
func products(c *build.Context) {
	avx512 := productSet{
		name: "avx512", rows: 12, lanes: 16, columns: avx512Columns{reg.K1},
		vectors: []reg.VecPhysical{
			reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7,
			reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15,
			reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22, reg.Z23,
			reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31,
		},
	}
	avx2 := productSet{
		name: "avx2", rows: 6, lanes: 8, columns: avx2Columns{table: maskTable(c)},
		vectors: []reg.VecPhysical{
			reg.Y0, reg.Y1, reg.Y2, reg.Y3, reg.Y4, reg.Y5, reg.Y6, reg.Y7,
			reg.Y8, reg.Y9, reg.Y10, reg.Y11, reg.Y12, reg.Y13, reg.Y14, reg.Y15,
		},
	}
	for _, set := range []productSet{avx512, avx2} {
		for wide := 2; wide >= 1; wide-- {
			for rows := set.rows; rows >= 1; rows-- {
				newProductTile(c, set, rows, wide).write()
			}
		}
	}
}

// productSet is what an instruction set offers to a register tile.
type productSet struct {
	name    string
	rows    int // of the highest tile
	lanes   int // float32 values of a vector
	vectors []reg.VecPhysical
	columns columns
}

// productTile writes one tile: a function that computes a number of tiles of
// rows x wide vectors one after the other.
//
//	func(p *Product, row, tiles int)
//
// All sums stay in registers for all of K. A step of K loads the weights of one
// k and broadcasts one value of each row:
//
//	        w0          w1            registers: weights
//	row 0   acc[0][0]   acc[0][1]     in memory: row r's value at rows[r]+k
//	row 1   acc[1][0]   acc[1][1]
//	 ...
//
// k is a byte offset that all rows share, so that a step costs no address
// arithmetic; it takes every general register but three.
type productTile struct {
	*build.Context
	set        productSet
	rows, wide int

	acc     []reg.VecPhysical // [rows][wide]
	weight  []reg.VecPhysical // [wide]
	values  []reg.VecPhysical // broadcast values, used in turn
	pointer []reg.GPPhysical  // of the rows: In, then Add, then Out

	// Locals: the place of the first row in the lists of rows, the next segment's
	// in the list of segments, and where that ends; the bytes of a segment, also
	// less those of the main loop's last steps, and of the weights; where k ends.
	row, segment, segmentsEnd, length, lengthLess, size, end operand.Mem
}

// The registers with a meaning of their own; the rows' pointers are in the
// others. Outside of the sums, k and ahead are free for other use.
var (
	panelAt = reg.RAX // the next weights
	k       = reg.RBX // the offset of the next values in the rows
	ahead   = reg.RCX // how far from panelAt are those to fetch ahead

	rowPointers = []reg.GPPhysical{
		reg.RDX, reg.RSI, reg.RDI, reg.RBP, reg.R8, reg.R9,
		reg.R10, reg.R11, reg.R12, reg.R13, reg.R14, reg.R15,
	}
)

func newProductTile(c *build.Context, set productSet, rows, wide int) *productTile {
	t := &productTile{Context: c, set: set, rows: rows, wide: wide}
	sums := rows * wide
	t.acc = set.vectors[:sums]
	t.weight = set.vectors[sums : sums+wide]
	rest := set.vectors[sums+wide:]
	t.values = rest[:min(len(rest), 6)]
	t.pointer = rowPointers[:rows]
	return t
}

// field is a field of the Product that base points to; go_asm.h, which the Go
// compiler makes, knows its offset.
func field(base reg.Register, name string) operand.Mem {
	return operand.Mem{Symbol: operand.Symbol{Name: "Product_" + name}, Base: base}
}

// length is the length of the slice in that field.
func length(base reg.Register, name string) operand.Mem { return field(base, name).Offset(8) }

var (
	argProduct = operand.NewParamAddr("p", 0)
	argRow     = operand.NewParamAddr("row", 8)
	argTiles   = operand.NewParamAddr("tiles", 16)
)

func (t *productTile) write() {
	name := fmt.Sprintf("%sProduct%dx%d", t.set.name, t.rows, t.wide*t.set.lanes)
	t.Function(name)
	t.Attributes(attr.NOSPLIT)
	t.SignatureExpr("func(p *byte, row, tiles int)")
	for _, local := range []*operand.Mem{&t.row, &t.segment, &t.segmentsEnd, &t.length, &t.lengthLess, &t.size, &t.end} {
		*local = t.AllocLocal(8)
	}

	p := panelAt
	t.MOVQ(argProduct, p)
	t.MOVQ(field(p, "Length"), k)
	t.MOVQ(k, ahead)
	t.SHLQ(operand.U8(2), k)
	t.MOVQ(k, t.length)
	t.SUBQ(operand.U8(inMain), k)
	t.MOVQ(k, t.lengthLess)
	t.IMULQ(length(p, "Segments"), ahead)
	t.IMUL3Q(operand.U8(t.pitch()), ahead, ahead)
	t.MOVQ(ahead, t.size)
	t.MOVQ(argRow, k)
	t.SHLQ(operand.U8(3), k)
	t.MOVQ(k, t.row)

	t.Label("tile")
	t.start(p)
	t.sum(p)
	t.MOVQ(argProduct, p)
	t.finish(p)
	t.ADDQ(operand.U8(8*t.rows), t.row)
	t.DECQ(argTiles)
	t.JNZ(operand.LabelRef("tile"))
	t.VZEROUPPER()
	t.RET()
}

// addresses loads the rows' pointers from one of the lists of p.
func (t *productTile) addresses(p reg.Register, list string) {
	t.MOVQ(field(p, list), k)
	t.ADDQ(t.row, k)
	for r, to := range t.pointer {
		t.MOVQ(operand.Mem{Base: k, Disp: 8 * r}, to)
	}
}

// shifted is where vector v of row r lies in Add and Out, with OutShift in k.
func (t *productTile) shifted(r, v int) operand.Mem {
	return operand.Mem{Base: t.pointer[r], Index: k, Scale: 1, Disp: t.bytes() * v}
}

// bytes of a vector.
func (t *productTile) bytes() int { return 4 * t.set.lanes }

// pitch is the bytes of a panel's row, whether the tile is as wide or not.
func (t *productTile) pitch() int { return 2 * t.bytes() }

// mask prepares the mask of the last vector in vector register m.
func (t *productTile) mask(p reg.Register, m reg.VecPhysical) {
	n := reg.RCX
	t.MOVQ(field(p, "Columns"), n)
	if t.wide > 1 {
		t.SUBQ(operand.U8(t.set.lanes*(t.wide-1)), n)
	}
	t.set.columns.prepare(t.Context, m)
}

// start puts what the sums start from into the accumulators, and the rows'
// starts into the pointers.
func (t *productTile) start(p reg.Register) {
	bias := reg.RCX
	t.MOVQ(field(p, "Bias"), bias)
	t.TESTQ(bias, bias)
	t.JZ(operand.LabelRef("resume"))
	for v := range t.wide {
		t.VMOVUPS(operand.Mem{Base: bias, Disp: t.bytes() * v}, t.acc[v])
	}
	for i, acc := range t.acc[t.wide:] {
		t.VMOVAPS(t.acc[i%t.wide], acc)
	}
	t.JMP(operand.LabelRef("started"))

	t.Label("resume")
	m := t.weight[0]
	t.mask(p, m)
	t.addresses(p, "Out")
	t.MOVQ(field(p, "OutShift"), k)
	for r := range t.rows {
		for v := range t.wide {
			if acc := t.acc[r*t.wide+v]; v == t.wide-1 {
				t.set.columns.load(t.Context, t.shifted(r, v), acc, m)
			} else {
				t.VMOVUPS(t.shifted(r, v), acc)
			}
		}
	}

	t.Label("started")
	t.addresses(p, "In")
}

// unroll is how many steps of K the main loop takes at a time.
const unroll = 4

// inMain is how far, in bytes, the last of these steps is from the first.
const inMain = 4 * (unroll - 1)

// sum adds up the products of all segments.
func (t *productTile) sum(p reg.Register) {
	segment := k
	t.MOVQ(field(p, "Segments"), segment)
	t.MOVQ(length(p, "Segments"), ahead)
	t.LEAQ(operand.Mem{Base: segment, Index: ahead, Scale: 8}, ahead)
	t.MOVQ(ahead, t.segmentsEnd)

	// Each tile has its turn to fetch a part of what lies behind the panel: one
	// row of unroll.
	turn := field(p, "turn")
	t.MOVQ(turn, ahead)
	t.ADDQ(operand.I32(t.pitch()), turn)
	t.ANDQ(operand.I32((unroll-1)*t.pitch()), ahead)
	t.ADDQ(t.size, ahead)
	t.MOVQ(field(p, "Weights"), panelAt)

	t.JMP(operand.LabelRef("check"))
	t.Label("segment")
	t.ADDQ(operand.U8(8), segment)
	t.MOVQ(segment, t.segment)
	t.MOVQ(operand.Mem{Base: segment, Disp: -8}, k)
	t.ADDQ(t.length, k)
	t.MOVQ(k, t.end)
	t.SUBQ(t.lengthLess, k)
	t.CMPQ(k, t.end)
	t.JGE(operand.LabelRef("few"))

	// Here k is that of the last of the loop's steps, so that it can be compared
	// with the end.
	align(t.Context)
	t.Label("several")
	for i := range unroll {
		t.step(i, -inMain)
	}
	for line := 0; line < t.pitch(); line += 64 {
		t.PREFETCHT1(operand.Mem{Base: panelAt, Index: ahead, Scale: 1, Disp: line})
	}
	t.advance(unroll)
	t.CMPQ(k, t.end)
	t.JLT(operand.LabelRef("several"))

	t.Label("few")
	t.SUBQ(operand.U8(inMain), k)
	t.CMPQ(k, t.end)
	t.JGE(operand.LabelRef("next"))
	t.Label("one")
	t.step(0, 0)
	t.advance(1)
	t.CMPQ(k, t.end)
	t.JLT(operand.LabelRef("one"))

	t.Label("next")
	t.MOVQ(t.segment, segment)
	t.Label("check")
	t.CMPQ(segment, t.segmentsEnd)
	t.JB(operand.LabelRef("segment"))
}

// step adds the products of the i-th k from here, with k ahead of it by -disp.
func (t *productTile) step(i, disp int) {
	for v, w := range t.weight {
		t.VMOVAPS(operand.Mem{Base: panelAt, Disp: i*t.pitch() + v*t.bytes()}, w)
	}
	for r := range t.rows {
		value := t.values[(i*t.rows+r)%len(t.values)]
		t.VBROADCASTSS(operand.Mem{Base: t.pointer[r], Index: k, Scale: 1, Disp: disp + 4*i}, value)
		for v, w := range t.weight {
			t.VFMADD231PS(w, value, t.acc[r*t.wide+v])
		}
	}
}

// advance goes n steps of K further.
func (t *productTile) advance(n int) {
	t.ADDQ(operand.I32(int32(n*t.pitch())), panelAt)
	t.ADDQ(operand.U8(4*n), k)
}

// finish adds the rows of Add, clamps and stores.
func (t *productTile) finish(p reg.Register) {
	m := t.weight[0]
	t.mask(p, m)

	t.CMPQ(length(p, "Add"), operand.U8(0))
	t.JE(operand.LabelRef("added"))
	t.addresses(p, "Add")
	t.MOVQ(field(p, "OutShift"), k)
	for r := range t.rows {
		for v := range t.wide {
			if acc := t.acc[r*t.wide+v]; v == t.wide-1 {
				t.set.columns.add(t.Context, t.shifted(r, v), acc, m, t.values[0])
			} else {
				t.VADDPS(t.shifted(r, v), acc, acc)
			}
		}
	}
	t.Label("added")

	// The sum comes first in MAX and MIN (in Go's order): where it is NaN, that
	// is the operand they return.
	limit := t.values[0]
	t.CMPL(field(p, "Low"), operand.U32(math.Float32bits(float32(math.Inf(-1)))))
	t.JE(operand.LabelRef("raised"))
	t.VBROADCASTSS(field(p, "Low"), limit)
	for _, acc := range t.acc {
		t.VMAXPS(acc, limit, acc)
	}
	t.Label("raised")
	t.CMPL(field(p, "High"), operand.U32(math.Float32bits(float32(math.Inf(1)))))
	t.JE(operand.LabelRef("clamped"))
	t.VBROADCASTSS(field(p, "High"), limit)
	for _, acc := range t.acc {
		t.VMINPS(acc, limit, acc)
	}
	t.Label("clamped")

	t.addresses(p, "Out")
	t.MOVQ(field(p, "OutShift"), k)
	full := func(from reg.VecPhysical, to operand.Mem) { t.VMOVUPS(from, to) }
	part := func(from reg.VecPhysical, to operand.Mem) { t.set.columns.store(t.Context, from, to, m) }
	if t.set.columns.cheap() {
		t.store(part)
		return
	}
	t.MOVQ(argProduct, p)
	t.CMPQ(field(p, "Columns"), operand.U8(t.set.lanes*t.wide))
	t.JNE(operand.LabelRef("part"))
	t.store(full)
	t.JMP(operand.LabelRef("stored"))
	t.Label("part")
	t.store(part)
	t.Label("stored")
}

// store writes all rows, the last vector of each by do.
func (t *productTile) store(do func(from reg.VecPhysical, to operand.Mem)) {
	for r := range t.rows {
		for v := range t.wide {
			if acc := t.acc[r*t.wide+v]; v == t.wide-1 {
				do(acc, t.shifted(r, v))
			} else {
				t.VMOVUPS(acc, t.shifted(r, v))
			}
		}
	}
}
