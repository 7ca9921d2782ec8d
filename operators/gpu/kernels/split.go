package kernels

import "math"

// SplitStep is how many values of K the conv_f16x3 kernels multiply at a time: a tap of their
// weights has a multiple of that, the last of which are zeros. SplitColumns is what their
// columns are a multiple of.
const (
	SplitStep    = 16
	SplitColumns = 8
)

// Deep is what a tap of so many values is packed as.
func Deep(depth int) int { return (depth + SplitStep - 1) / SplitStep * SplitStep }

// SplitAt is where the weight of a group's column for value k of K is among the group's
// words, 16 for each column and SplitStep values: its large part in half a word, from bit
// shift on, what is left two words further on.
//
// Lanes of a warp read four words each, of a column and four values that follow each other:
// column%8*4 + k%16/4 is the lane, for SplitColumns columns and SplitStep values.
func SplitAt(k, column, columns int) (word, shift int) {
	tile := k/SplitStep*(columns/SplitColumns) + column/SplitColumns
	lane := column%SplitColumns*4 + k%SplitStep/4
	return (tile*32+lane)*4 + k%4/2, k % 2 * 16
}

// Half rounds to fp16: ties to even, beyond 65504 to infinity.
func Half(v float32) uint16 {
	bits := math.Float32bits(v)
	sign, size := uint16(bits>>16)&0x8000, bits&0x7fffffff
	switch {
	case size > 0x7f800000:
		return sign | 0x7e00 // NaN
	case size >= 0x477ff000: // halfway between 65504 and 65536
		return sign | 0x7c00
	case size >= 0x38800000: // 2^-14, the least that is normal
		return sign | uint16((size-0x38000000+0xfff+size>>13&1)>>13)
	}
	// Below, fp16 counts by 2^-24, and so do float32 numbers from 1/2 on.
	return sign | uint16(math.Float32bits(math.Float32frombits(size)+.5)-math.Float32bits(.5))
}

// HalfValue is the number of an fp16.
func HalfValue(h uint16) float32 {
	v := float32(h&0x3ff) * (1. / (1 << 24))
	switch exponent := uint32(h >> 10 & 31); {
	case exponent == 31:
		v = math.Float32frombits(0x7f800000 | uint32(h&0x3ff)<<13)
	case exponent > 0:
		v = math.Float32frombits((exponent+112)<<23 | uint32(h&0x3ff)<<13)
	}
	if h&0x8000 != 0 {
		return -v
	}
	return v
}
