//go:build amd64 && !noasm

package simd

func peakAVX512(n int) int {
	avx512Peak(n)
	return n * 24 * 16 * 2
}

func peakAVX2(n int) int {
	avx2Peak(n)
	return n * 12 * 8 * 2
}

//go:noescape
func avx512Peak(rounds int)

//go:noescape
func avx2Peak(rounds int)
