package soft

import (
	"math"

	"occlude/operators/gpu/kernels"
)

// pool takes the largest value or the mean of each window; what lies outside of the map
// is left out, or counts as zeros up to the padding where CountPad is set.
func pool(d *Device, a *kernels.Pool, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		for k := range to {
			largest, sum, count := -infinity, float32(0), 0
			for tap := range int(a.KernelY * a.KernelX) {
				fy := y*int(a.StrideY) - int(a.PadY) + tap/int(a.KernelX)*int(a.DilationY)
				fx := x*int(a.StrideX) - int(a.PadX) + tap%int(a.KernelX)*int(a.DilationX)
				switch {
				case fy >= 0 && fy < int(a.H) && fx >= 0 && fx < in.w:
					v := in.value(p, fy, fx, k)
					largest = larger(v, largest)
					sum += v
					count++
				case a.CountPad != 0 && fy < int(a.H+a.AfterY) && fx < in.w+int(a.AfterX):
					count++
				}
			}
			to[k] = sum / float32(count)
			if a.Max != 0 {
				to[k] = largest
			}
		}
	})
}

// binary combines two maps; one whose height, width or number of channels is 1 is
// repeated along that axis.
func binary(d *Device, a *kernels.Binary, grid [3]int) {
	blocks(grid, a.Positions)
	left, right := d.source(a.A, a.Positions), d.source(a.B, a.Positions)
	from := func(s source, h kernels.Int, p, y, x, k int) float32 {
		return s.value(p, min(y, int(h)-1), min(x, s.w-1), min(k, s.c-1))
	}
	d.each(a.Out, a.C, func(to []float32, p, y, x int) {
		for k := range to {
			l, r := from(left, a.AH, p, y, x, k), from(right, a.BH, p, y, x, k)
			to[k] = end(arithmetic(int(a.Op), l, r), a.Ending)
		}
	})
}

func arithmetic(fn int, a, b float32) float32 {
	switch fn {
	case 0:
		return a + b
	case 1:
		return a - b
	case 2:
		return a * b
	case 3:
		return a / b
	case 4:
		return max(a, b)
	case 5:
		return min(a, b)
	}
	return power(a, b)
}

// affine scales and shifts by channel, only negative values where Negative is set.
func affine(d *Device, a *kernels.Affine, grid [3]int) {
	blocks(grid, a.Positions)
	in, scale, shift := d.source(a.In, a.Positions), d.values(a.Scale), d.at(a.Shift)
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		for k := range to {
			v := in.value(p, y, x, k)
			if a.Negative == 0 {
				v = fma(v, scale[k], shift[k])
			} else if v < 0 {
				v *= scale[k]
			}
			to[k] = end(v, a.Ending)
		}
	})
}

// lrn divides each value by a power of the energy of its neighbouring channels.
func lrn(d *Device, a *kernels.LRN, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		cell := in.cell(p, y, x)
		for k := range to {
			from := k - int(a.Size-1)/2
			var sum float32
			for _, v := range cell[max(from, 0):min(from+int(a.Size), len(cell))] {
				sum = fma(v, v, sum)
			}
			base := a.Bias.Value() + a.Alpha.Value()/float32(a.Size)*sum
			if a.Beta.Value() == 0.75 {
				root := float32(math.Sqrt(float64(base)))
				to[k] = cell[k] / (root * float32(math.Sqrt(float64(root))))
			} else {
				to[k] = cell[k] / power(base, a.Beta.Value())
			}
		}
	})
}

// place writes cells of a source, or picked channels of them; only those that have not
// changed, where Missing is set.
func place(d *Device, a *kernels.Place, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	var index []int32
	if a.Index != 0 {
		index = d.ints(a.Index, a.N)
	}
	d.each(a.Out, a.N, func(to []float32, p, y, x int) {
		if a.Missing != 0 && in.table[p].Has(y, x) {
			return
		}
		for k := range to {
			from := k
			if index != nil {
				from = int(index[k])
			}
			to[k] = end(in.value(p, y, x, from), a.Ending)
		}
	})
}

// slice crops and skips rows and columns.
func slice(d *Device, a *kernels.Slice, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		copy(to, in.cell(p, int(a.StartY)+y*int(a.StepY), int(a.StartX)+x*int(a.StepX)))
	})
}

// pad surrounds a map with cells: of a value, of those at its border, mirrored.
func pad(d *Device, a *kernels.Pad, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		fy, fx := padFrom(y, int(a.H), int(a.Top), int(a.Mode)), padFrom(x, in.w, int(a.Left), int(a.Mode))
		if fy >= 0 && fx >= 0 {
			copy(to, in.cell(p, fy, fx))
			return
		}
		for k := range to {
			to[k] = a.Value.Value()
		}
	})
}

// padFrom is the place along an axis of n cells that place o of the padded one shows,
// below zero where there is none.
func padFrom(o, n, before, mode int) int {
	i := o - before
	switch {
	case i >= 0 && i < n:
		return i
	case mode == 1:
		return min(max(i, 0), n-1)
	case mode == 2 && i < 0:
		return -i
	case mode == 2:
		return 2*(n-1) - i
	}
	return -1
}

// lanes combines values as the 32 lanes of a warp do: each its own in order, then in
// pairs.
func lanes(n int, start float32, value func(int) float32, combine func(a, b float32) float32) float32 {
	var lane [32]float32
	for l := range lane {
		lane[l] = start
		for k := l; k < n; k += 32 {
			lane[l] = combine(value(k), lane[l])
		}
	}
	for mask := 16; mask > 0; mask /= 2 {
		old := lane
		for l := range lane {
			lane[l] = combine(old[l], old[l^mask])
		}
	}
	return lane[0]
}

func plus(a, b float32) float32 { return a + b }

// softmax makes probabilities of a cell's channels, or their logarithms.
func softmax(d *Device, a *kernels.Softmax, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	d.each(a.Out, a.In.C, func(to []float32, p, y, x int) {
		cell := in.cell(p, y, x)
		largest := lanes(len(cell), -infinity, func(k int) float32 { return cell[k] }, larger)
		sum := lanes(len(cell), 0, func(k int) float32 { return exp(cell[k] - largest) }, plus)
		for k, v := range cell {
			if a.Log != 0 {
				to[k] = v - largest - log(sum)
			} else {
				to[k] = exp(v-largest) / sum
			}
		}
	})
}

// channelReduce makes one channel of many: their mean, sum or largest.
func channelReduce(d *Device, a *kernels.ChannelReduce, grid [3]int) {
	blocks(grid, a.Positions)
	in := d.source(a.In, a.Positions)
	d.each(a.Out, 1, func(to []float32, p, y, x int) {
		cell := in.cell(p, y, x)
		value := func(k int) float32 { return cell[k] }
		switch a.Fn {
		case 0:
			to[0] = lanes(len(cell), 0, value, plus) / float32(len(cell))
		case 1:
			to[0] = lanes(len(cell), 0, value, plus)
		default:
			to[0] = lanes(len(cell), -infinity, value, larger)
		}
	})
}
