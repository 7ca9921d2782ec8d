package soft

import (
	"math"
	"slices"

	"occlude/operators/gpu/kernels"
)

// split is a number as tensor cores take it: a large part of fp16, and what is left.
type split struct{ big, rest float32 }

func splitOf(v float32) split {
	big := kernels.HalfValue(kernels.Half(v))
	return split{big, kernels.HalfValue(kernels.Half(v - big))}
}

// tensorConv is a convolution on tensor cores. These take fp16, so every value is scaled by a
// power of two and split into a large part and what is left, and three of the four products
// are added, first those of 16 values of K, then these sums.
func tensorConv(d *Device, a *kernels.TensorConv, grid [3]int) {
	if a.Piece <= 0 || a.Piece%kernels.SplitStep != 0 || a.Split > 0 && int(a.Piece) < kernels.Deep(int(a.Depth)) {
		panic("pieces of taps that are no steps, or of split sums")
	}
	if a.Depth%4 != 0 || a.In.C%4 != 0 || a.In.Pitch%4 != 0 || a.Columns%kernels.SplitColumns != 0 {
		panic("tensor cores read 4 values at a time, of 8 columns")
	}
	in, unscale := d.source(a.In, a.Positions), d.values(a.Unscale)
	columns, deep := int(a.Columns), kernels.Deep(int(a.Depth))
	all := int(a.KernelY*a.KernelX) * deep
	weights := unpack(d.values(a.Weights), int(a.Channels/a.Filters), all, columns)
	scale, back := scaling(math.Float32bits(d.values(a.Largest)[0]))
	type value struct {
		at int
		split
	}
	var row []value // the window of a cell, which all columns of its group share
	var of cell
	convolve(d, &a.Conv, grid, all, sums{bias: columns, of: func(c cell) float32 {
		column := c.column
		if c.column = 0; c != of || column == 0 {
			of, row = c, row[:0]
			window(&a.Conv, in, c, deep, func(at int, v float32) { row = append(row, value{at, splitOf(v * scale)}) })
			slices.SortStableFunc(row, func(v, w value) int { return v.at%deep/int(a.Piece) - w.at%deep/int(a.Piece) })
		}
		var sum float32
		var part [3]float32 // rest by large, large by rest, large by large
		step := 0
		for _, v := range row {
			if v.at/kernels.SplitStep != step {
				sum += part[0] + part[1] + part[2]
				part, step = [3]float32{}, v.at/kernels.SplitStep
			}
			w := weights[(c.group*all+v.at)*columns+column]
			part[0] = fma(v.rest, w.big, part[0])
			part[1] = fma(v.big, w.rest, part[1])
			part[2] = fma(v.big, w.big, part[2])
		}
		sum += part[0] + part[1] + part[2]
		return sum * unscale[c.group*columns+column] * back
	}})
}

// unpack brings packed weights of so many groups into the order of K and columns.
func unpack(words []float32, groups, all, columns int) []split {
	weights := make([]split, groups*all*columns)
	for i := range weights {
		word, shift := kernels.SplitAt(i/columns%all, i%columns, columns)
		of := func(word int) float32 {
			return kernels.HalfValue(uint16(math.Float32bits(words[i/columns/all*all*columns+word]) >> shift))
		}
		weights[i] = split{of(word), of(word + 2)}
	}
	return weights
}

// scaling is the power of two that brings a layer's input below 2^11, where the bits of
// the largest value are these, and its inverse; 1 where that value is zero.
func scaling(largest uint32) (scale, unscale float32) {
	exponent := uint32(127)
	if largest != 0 {
		exponent = uint32(min(max(264-int(largest>>23), 1), 253))
	}
	return math.Float32frombits(exponent << 23), math.Float32frombits((254 - exponent) << 23)
}

// largest raises a number to the largest |value| that is finite, by their bits.
func largest(d *Device, a *kernels.Largest, _ [3]int) {
	to := d.values(a.To)
	for _, v := range d.values(a.From)[:a.Values] {
		if bits := math.Float32bits(v) &^ (1 << 31); bits < 0x7f800000 {
			to[0] = math.Float32frombits(max(bits, math.Float32bits(to[0])))
		}
	}
}
