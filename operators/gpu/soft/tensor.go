package soft

import (
	"math"

	"occlude/operators/gpu/kernels"
)

// tensorConv is a convolution on tensor cores. These take fp16, so every value is scaled by a
// power of two and split into a large part and what is left, and three of the four products
// are added, first those of 16 values of K, then these sums.
func tensorConv(d *Device, a *kernels.TensorConv, grid [3]int) {
	if a.Depth%4 != 0 || a.In.C%4 != 0 || a.Columns%kernels.SplitColumns != 0 {
		panic("tensor cores read 4 values at a time, of 8 columns")
	}
	in, weights, unscale := d.source(a.In, a.Positions), d.values(a.Weights), d.values(a.Unscale)
	columns, deep := int(a.Columns), kernels.Deep(int(a.Depth))
	all := int(a.KernelY*a.KernelX) * deep
	scale, back := scaling(math.Float32bits(d.values(a.Largest)[0]))
	convolve(d, &a.Conv, grid, all, sums{bias: columns, of: func(c cell) float32 {
		packed := weights[c.group*all*columns:][:all*columns]
		var sum float32
		var part [3]float32 // rest by large, large by rest, large by large
		step := 0
		end := func() {
			sum += part[0] + part[1] + part[2]
			part = [3]float32{}
		}
		window(&a.Conv, in, c, deep, func(at int, v float32) {
			if at/kernels.SplitStep != step {
				end()
				step = at / kernels.SplitStep
			}
			v *= scale
			big := kernels.HalfValue(kernels.Half(v))
			rest := kernels.HalfValue(kernels.Half(v - big))
			word, shift := kernels.SplitAt(at, c.column, columns)
			of := func(word int) float32 { return kernels.HalfValue(uint16(math.Float32bits(packed[word]) >> shift)) }
			part[0] = fma(rest, of(word), part[0])
			part[1] = fma(big, of(word+2), part[1])
			part[2] = fma(big, of(word), part[2])
		})
		end()
		return sum * unscale[c.group*columns+c.column] * back
	}})
}

// scaling is the power of two that brings a layer's input to 2^7 at most, where the bits of
// the largest value are these, and its inverse; 1 where that value is zero.
func scaling(largest uint32) (scale, unscale float32) {
	exponent := uint32(127)
	if largest != 0 {
		exponent = uint32(min(max(260-int(largest>>23), 1), 253))
	}
	return math.Float32frombits(exponent << 23), math.Float32frombits((254 - exponent) << 23)
}

// largest raises a number to the largest |value|, by their bits.
func largest(d *Device, a *kernels.Largest, _ [3]int) {
	to := d.values(a.To)
	for _, v := range d.values(a.From)[:a.Values] {
		bits := math.Float32bits(v) &^ (1 << 31)
		to[0] = math.Float32frombits(max(bits, math.Float32bits(to[0])))
	}
}
