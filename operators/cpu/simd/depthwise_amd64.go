//go:build amd64 && !noasm

package simd

var (
	depthwiseAVX512 = depthwise{run: avx512Depthwise, block: 32}
	depthwiseAVX2   = depthwise{run: avx2Depthwise, block: 16}
)

//go:noescape
func avx512Depthwise(d *Depthwise)

//go:noescape
func avx2Depthwise(d *Depthwise)
