//go:build amd64 && !noasm

package simd

import "unsafe"

var poolsAVX512 = pools{
	maximum:    avx512PoolMaximum,
	mean:       avx512PoolMean,
	sum:        avx512Sum,
	difference: avx512SumDifference,
	sumLanes:   8,
}

var poolsAVX2 = pools{
	maximum:    avx2PoolMaximum,
	mean:       avx2PoolMean,
	sum:        avx2Sum,
	difference: avx2SumDifference,
	sumLanes:   4,
}

//go:noescape
func avx512PoolMaximum(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32)

//go:noescape
func avx512PoolMean(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32)

//go:noescape
func avx512Sum(sums *float64, now *float32, channels, stride, cells int)

//go:noescape
func avx512SumDifference(sums *float64, now, then *float32, channels, stride, cells int)

//go:noescape
func avx2PoolMaximum(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32)

//go:noescape
func avx2PoolMean(out *float32, taps *unsafe.Pointer, n, step, cells, channels int, scale float32)

//go:noescape
func avx2Sum(sums *float64, now *float32, channels, stride, cells int)

//go:noescape
func avx2SumDifference(sums *float64, now, then *float32, channels, stride, cells int)
