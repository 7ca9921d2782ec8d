package soft

import (
	"fmt"

	"occlude/operators/gpu/kernels"
)

// fma is a multiply-add that rounds once. The product of two float32 is exact in
// float64; adding in float64 rounds a second time only where it hardly ever shows.
func fma(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }

// conv is a convolution by one multiply-add after the other, in the order of K: as
// exact as float32 sums are.
func conv(d *Device, a *kernels.Conv, grid [3]int) {
	convolve(d, a, grid, products(a), plain(d, a, byGroup(a)))
}

// depthwise is a convolution of groups of one channel, whose weights stand tap by tap.
func depthwise(d *Device, a *kernels.Conv, grid [3]int) {
	blocks(grid, a.Positions)
	if a.Depth != 1 || a.Filters != 1 || a.Columns != a.Channels || a.Split != 0 {
		panic("conv_depthwise takes groups of one channel")
	}
	convolve(d, a, grid, products(a), plain(d, a, packing{1, 1}))
}

// products is how many products a sum has.
func products(a *kernels.Conv) int { return int(a.KernelY * a.KernelX * a.Depth) }

// packing is how many weights, and how many biases, one group is behind the other.
type packing struct{ weights, bias int }

// byGroup is the packing of groups that stand one behind the other.
func byGroup(a *kernels.Conv) packing { return packing{products(a) * int(a.Columns), int(a.Columns)} }

// cell is a value to compute: the sum of products lo up to hi of a cell and a column of a
// group.
type cell struct{ position, y, x, group, column, lo, hi int }

// sums are those of a convolution before the bias, and how many biases a group is behind the
// other.
type sums struct {
	of   func(cell) float32
	bias int
}

// plain are sums of one product after the other, in one multiply-add each.
func plain(d *Device, a *kernels.Conv, by packing) sums {
	in, weights := d.source(a.In, a.Positions), d.values(a.Weights)
	return sums{bias: by.bias, of: func(c cell) float32 {
		var sum float32
		window(a, in, c, int(a.Depth), func(at int, v float32) {
			sum = fma(v, weights[c.group*by.weights+at*int(a.Columns)+c.column], sum)
		})
		return sum
	}}
}

// convolve runs a convolution by its sums, of products up to the number all.
func convolve(d *Device, a *kernels.Conv, grid [3]int, all int, by sums) {
	bias := d.at(a.Bias)
	var residual *source
	if a.Residual.Table != 0 {
		r := d.source(a.Residual, a.Positions)
		residual = &r
	}
	groups := int(a.Channels / a.Filters)
	rows := d.rows(a.Out)
	if rows != int(a.Rows) {
		panic(fmt.Sprintf("%d rows for %d cells", a.Rows, rows))
	}
	parts := 1
	if a.Split > 0 {
		parts = grid[2]
		if groups != 1 || a.Split%16 != 0 || parts*int(a.Split) < all {
			panic("a split that does not fit")
		}
	}
	out := d.values(a.Data)
	for part := range parts {
		lo, hi := 0, all
		if a.Split > 0 {
			lo, hi = part*int(a.Split), min((part+1)*int(a.Split), all)
		}
		row := 0
		for p, e := range d.entries(a.Table, a.Positions) {
			for i := range e.Cells() {
				w := int(e.X1 - e.X0)
				y, x := int(e.Y0)+i/w, int(e.X0)+i%w
				at := e.Cell(y, x) * int(a.Pitch)
				if a.Split > 0 {
					at = (part*rows + row) * int(a.Channels)
				}
				to := out[at:][:a.Channels]
				row++
				for k := range to {
					group, column := k/int(a.Filters), k%int(a.Filters)
					v := by.of(cell{p, y, x, group, column, lo, hi})
					if a.Split == 0 {
						v += bias[group*by.bias+column]
						if residual != nil {
							v += residual.value(p, y, x, k)
						}
						v = end(v, a.Ending)
					}
					to[k] = v
				}
			}
		}
	}
}

// window shows the values under the window of a cell, of those that are number lo up to
// hi in the order of the weights, of which a tap has deep, but for zeros around and outside
// of what is known.
func window(a *kernels.Conv, in source, c cell, deep int, do func(at int, v float32)) {
	depth := int(a.Depth)
	for tap := range int(a.KernelY * a.KernelX) {
		if (tap+1)*deep <= c.lo || tap*deep >= c.hi {
			continue
		}
		fy := c.y*int(a.StrideY) - int(a.PadY) + tap/int(a.KernelX)*int(a.DilationY)
		fx := c.x*int(a.StrideX) - int(a.PadX) + tap%int(a.KernelX)*int(a.DilationX)
		if fy < 0 || fy >= int(a.H) || fx < 0 || fx >= in.w {
			continue
		}
		values := in.cell(c.position, fy, fx)
		if values == nil {
			continue
		}
		for k, v := range values[c.group*depth : (c.group+1)*depth] {
			if at := tap*deep + k; at >= c.lo && at < c.hi {
				do(at, v)
			}
		}
	}
}

// reduce adds up the partial sums of a convolution in their order, and what comes
// behind.
func reduce(d *Device, a *kernels.Reduce, grid [3]int) {
	blocks(grid, a.Positions)
	n := int(a.Rows * a.Channels)
	partials, bias := d.values(a.Partials)[:n*int(a.Parts)], d.values(a.Bias)
	row := 0
	d.each(a.Out, a.Channels, func(to []float32, _, _, _ int) {
		for k := range to {
			var sum float32
			for i := range int(a.Parts) {
				sum += partials[i*n+row*int(a.Channels)+k]
			}
			to[k] = end(sum+bias[k], a.Ending)
		}
		row++
	})
}
