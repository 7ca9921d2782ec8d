//go:build amd64 && !noasm

package simd

//go:noescape
func avx512Exp(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Sigmoid(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Swish(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Tanh(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Gelu(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512GeluTanh(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Mish(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Elu(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Exp(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Sigmoid(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Swish(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Tanh(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Gelu(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2GeluTanh(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Mish(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Elu(out, in *float32, n int, alpha, beta float32)
