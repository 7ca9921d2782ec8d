package soft

import (
	"fmt"
	"math"

	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/kernels"
)

// twin runs a kernel: it reads its arguments from words.
type twin func(d *Device, words []uint64, grid [3]int)

// twins are all kernels, by name.
var twins = map[string]twin{
	"conv_ffma_128":      of(conv),
	"conv_ffma_64":       of(conv),
	"conv_ffma_odd":      of(conv),
	"conv_direct":        of(conv),
	"conv_depthwise":     of(depthwise),
	"conv_f16x3_128x128": of(tensorConv),
	"conv_f16x3_256x128": of(tensorConv),
	"conv_f16x3_256x64":  of(tensorConv),
	"largest":            of(largest),
	"reduce":             of(reduce),
	"pool":               of(pool),
	"binary":             of(binary),
	"affine":             of(affine),
	"lrn":                of(lrn),
	"place":              of(place),
	"slice":              of(slice),
	"pad":                of(pad),
	"softmax":            of(softmax),
	"channel_reduce":     of(channelReduce),
	"global_pool":        of(globalPool),
	"instance_norm":      of(instanceNorm),
	"rearrange":          of(rearrange),
}

// of makes a twin of a function of a kernel's arguments.
func of[T any, P interface {
	*T
	kernels.Args
}](run func(*Device, P, [3]int)) twin {
	return func(d *Device, words []uint64, grid [3]int) {
		a := P(new(T))
		if !kernels.Read(a, words) {
			panic(fmt.Sprintf("%d arguments", len(words)))
		}
		run(d, a, grid)
	}
}

// source is a kernels.Source as its kernel sees it.
type source struct {
	kernels.Source
	view, data []float32
	table      []kernels.Entry
	w, c       int
	pitch      int
}

// source looks up the addresses of s.
func (d *Device) source(s kernels.Source, positions kernels.Int) source {
	r := source{Source: s, w: int(s.W), c: int(s.C), pitch: int(s.Pitch), table: d.entries(s.Table, positions)}
	if s.View != 0 {
		r.view = d.values(s.View)
	}
	if s.Data != 0 {
		r.data = d.values(s.Data)
	}
	return r
}

// cell is a cell at a position, nil where it is zero.
func (s source) cell(position, y, x int) []float32 {
	e := s.table[position]
	if e.Has(y, x) {
		at := e.Cell(y, x) * s.pitch
		return s.data[at : at+s.c]
	}
	if s.view == nil {
		return nil
	}
	return s.view[(y*s.w+x)*s.c:][:s.c]
}

// value is channel k of such a cell.
func (s source) value(position, y, x, k int) float32 {
	if p := s.cell(position, y, x); p != nil {
		return p[k]
	}
	return 0
}

// each shows every cell that a kernel writes, of c values, with its place.
func (d *Device) each(o kernels.Out, c kernels.Int, do func(to []float32, position, y, x int)) {
	out := d.values(o.Data)
	for p, e := range d.entries(o.Table, o.Positions) {
		for i := range e.Cells() {
			w := int(e.X1 - e.X0)
			y, x := int(e.Y0)+i/w, int(e.X0)+i%w
			at := e.Cell(y, x) * int(o.Pitch)
			do(out[at:at+int(c)], p, y, x)
		}
	}
}

// rows is how many cells a kernel writes, and checks that the table numbers them.
func (d *Device) rows(o kernels.Out) (n int) {
	table := d.entries(o.Table, o.Positions)
	for p, e := range table {
		if int(e.Row-table[0].Row) != n {
			panic(fmt.Sprintf("the cells of position %d are said to begin at %d, not %d", p, e.Row-table[0].Row, n))
		}
		n += e.Cells()
	}
	return n
}

// blocks checks that a grid has a block row for each position.
func blocks(grid [3]int, positions kernels.Int) {
	if grid[1] != int(positions) {
		panic(fmt.Sprintf("%d rows of blocks for %d positions", grid[1], positions))
	}
}

// end ends a value.
func end(v float32, e kernels.Ending) float32 {
	if e.Fn != 0 {
		return apply(int(e.Fn), v, e.Alpha.Value(), e.Beta.Value())
	}
	return clamp(v, e.Low.Value(), e.High.Value())
}

// clamp keeps NaN.
func clamp(v, low, high float32) float32 {
	if v < low {
		v = low
	}
	if v > high {
		v = high
	}
	return v
}

// larger is the larger one, NaN if one of them is.
func larger(a, b float32) float32 {
	if a > b || a != a {
		return a
	}
	return b
}

var infinity = float32(math.Inf(1))

// at is the memory at a pointer, nil for none.
func (d *Device) at(p driver.Pointer) []float32 {
	if p == 0 {
		return nil
	}
	return d.values(p)
}
