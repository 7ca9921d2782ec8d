package onnx

import "math"

// HalfToFloat32 widens an IEEE 754 binary16 value.
func HalfToFloat32(h uint16) float32 {
	sign := uint32(h&0x8000) << 16
	exp := uint32(h>>10) & 0x1f
	frac := uint32(h & 0x3ff)
	switch {
	case exp == 0x1f: // infinity or NaN
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	case exp == 0: // zero or subnormal: frac * 2^-24, exact in float32
		f := float32(frac) / (1 << 24)
		return math.Float32frombits(sign | math.Float32bits(f))
	}
	return math.Float32frombits(sign | (exp+112)<<23 | frac<<13)
}

// Float32ToHalf rounds to binary16, to nearest and ties to even; values beyond
// 65504 become infinite.
func Float32ToHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits>>16) & 0x8000
	abs := bits & 0x7fffffff
	switch {
	case abs > 0x7f800000: // NaN: keep it one
		return sign | 0x7e00
	case abs >= 0x477ff000: // rounds to 65536 or more
		return sign | 0x7c00
	case abs < 0x38800000: // below 2^-14: subnormal, in units of 2^-24
		return sign | uint16(math.RoundToEven(float64(math.Float32frombits(abs))*(1<<24)))
	}
	return sign | uint16(roundShift(abs-0x38000000, 13))
}

// roundShift shifts right by n bits, rounding to nearest, ties to even.
func roundShift(v uint32, n uint) uint32 {
	half := uint32(1)<<(n-1) - 1
	return (v + half + v>>n&1) >> n
}

// BFloat16ToFloat32 widens a bfloat16 value.
func BFloat16ToFloat32(b uint16) float32 { return math.Float32frombits(uint32(b) << 16) }

// Float32ToBFloat16 rounds to bfloat16, to nearest and ties to even.
func Float32ToBFloat16(f float32) uint16 {
	bits := math.Float32bits(f)
	if bits&0x7fffffff > 0x7f800000 {
		return uint16(bits>>16) | 0x40
	}
	return uint16(roundShift(bits, 16))
}

// Round brings the values of a half-precision tensor to the precision of its
// type; other tensors are left alone.
func (t *Tensor) Round() {
	v, ok := t.Data.([]float32)
	if !ok {
		return
	}
	switch t.DType {
	case Float16:
		for i, x := range v {
			v[i] = HalfToFloat32(Float32ToHalf(x))
		}
	case BFloat16:
		for i, x := range v {
			v[i] = BFloat16ToFloat32(Float32ToBFloat16(x))
		}
	}
}
