//go:build amd64 && !noasm

package simd

import "unsafe"

var departuresAVX512 = departures{
	dot:     avx512Dot,
	clamp:   avx512ClampDeparture,
	tangent: avx512TangentDeparture,
	pool:    avx512PoolDeparture,
}

var departuresAVX2 = departures{
	dot:     avx2Dot,
	clamp:   avx2ClampDeparture,
	tangent: avx2TangentDeparture,
	pool:    avx2PoolDeparture,
}

//go:noescape
func avx512Dot(a, b *float32, n int) float64

//go:noescape
func avx512ClampDeparture(out, in, marked *float32, n int, low, high, offset0, offset2 float32) float64

//go:noescape
func avx512TangentDeparture(out, in, slopes, offsets *float32, n int)

//go:noescape
func avx512PoolDeparture(out *float32, taps *unsafe.Pointer, shown *uint8, n, step, cells, channels, stride int)

//go:noescape
func avx2Dot(a, b *float32, n int) float64

//go:noescape
func avx2ClampDeparture(out, in, marked *float32, n int, low, high, offset0, offset2 float32) float64

//go:noescape
func avx2TangentDeparture(out, in, slopes, offsets *float32, n int)

//go:noescape
func avx2PoolDeparture(out *float32, taps *unsafe.Pointer, shown *uint8, n, step, cells, channels, stride int)
