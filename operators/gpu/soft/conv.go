package soft

import (
	"fmt"
	"math"

	"occlude/operators/gpu/kernels"
)

// fma is a multiply-add that rounds once. The product of two float32 is exact in
// float64; adding in float64 rounds a second time only where it hardly ever shows.
func fma(a, b, c float32) float32 { return float32(float64(a)*float64(b) + float64(c)) }

// tf32 rounds to 10 bits behind the point, to nearest, ties away from zero.
func tf32(v float32) float32 {
	b := math.Float32bits(v)
	if b&0x7f800000 == 0x7f800000 {
		return v
	}
	return math.Float32frombits((b + 0x1000) &^ 0x1fff)
}

// conv is a convolution by one multiply-add after the other, in the order of K: as
// exact as float32 sums are.
func conv(d *Device, a *kernels.Conv, grid [3]int) {
	convolve(d, a, grid, byGroup(a), fused)
}

// convTF32 is a convolution on tensor cores. These take tf32, so every value is split
// into a large part and what is left, and three of the four products are added.
func convTF32(d *Device, a *kernels.Conv, grid [3]int) {
	if a.Depth%4 != 0 || a.Columns%4 != 0 || a.In.C%4 != 0 {
		panic("conv_tf32 reads 4 values at a time")
	}
	convolve(d, a, grid, byGroup(a), func(sum *[3]float32, x, w float32) {
		big, weight := tf32(x), tf32(w)
		sum[0] = fma(tf32(x-big), weight, sum[0])
		sum[0] = fma(big, tf32(w-weight), sum[0])
		sum[0] = fma(big, weight, sum[0])
	})
}

// depthwise is a convolution of groups of one channel, whose weights stand tap by tap.
func depthwise(d *Device, a *kernels.Conv, grid [3]int) {
	blocks(grid, a.Positions)
	if a.Depth != 1 || a.Filters != 1 || a.Columns != a.Channels || a.Split != 0 {
		panic("conv_depthwise takes groups of one channel")
	}
	convolve(d, a, grid, packing{1, 1}, fused)
}

// packing is how many weights, and how many biases, one group is behind the other.
type packing struct{ weights, bias int }

// byGroup is the packing of groups that stand one behind the other.
func byGroup(a *kernels.Conv) packing {
	return packing{int(a.KernelY * a.KernelX * a.Depth * a.Columns), int(a.Columns)}
}

// fused adds a product in one multiply-add.
func fused(sum *[3]float32, x, w float32) { sum[0] = fma(x, w, sum[0]) }

// convolve runs a convolution whose products are added by add.
func convolve(d *Device, a *kernels.Conv, grid [3]int, by packing, add func(sum *[3]float32, x, w float32)) {
	in := d.source(a.In, a.Positions)
	weights, bias := d.values(a.Weights), d.at(a.Bias)
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
		if groups != 1 || a.Split%16 != 0 || parts*int(a.Split) < int(a.KernelY*a.KernelX*a.Depth) {
			panic("a split that does not fit")
		}
	}
	out := d.values(a.Data)
	taps := int(a.KernelY * a.KernelX * a.Depth)
	for part := range parts {
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
					var sum [3]float32
					lo, hi := 0, taps
					if a.Split > 0 {
						lo, hi = part*int(a.Split), min((part+1)*int(a.Split), taps)
					}
					window(a, in, p, y, x, group, lo, hi, func(at int, v float32) {
						add(&sum, v, weights[group*by.weights+at*int(a.Columns)+column])
					})
					v := sum[0]
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
// hi in the order of the weights, but for zeros around and outside of what is known.
func window(a *kernels.Conv, in source, position, y, x, group, lo, hi int, do func(at int, v float32)) {
	depth := int(a.Depth)
	for tap := range int(a.KernelY * a.KernelX) {
		if (tap+1)*depth <= lo || tap*depth >= hi {
			continue
		}
		fy := y*int(a.StrideY) - int(a.PadY) + tap/int(a.KernelX)*int(a.DilationY)
		fx := x*int(a.StrideX) - int(a.PadX) + tap%int(a.KernelX)*int(a.DilationX)
		if fy < 0 || fy >= int(a.H) || fx < 0 || fx >= in.w {
			continue
		}
		cell := in.cell(position, fy, fx)
		if cell == nil {
			continue
		}
		for k, v := range cell[group*depth : (group+1)*depth] {
			if at := tap*depth + k; at >= lo && at < hi {
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
