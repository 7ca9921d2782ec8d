//go:build amd64 && !noasm

package simd

var rowsAVX512 = rows{
	functions: [...]rowFunction{
		Clamp:       avx512Clamp,
		LeakyRelu:   avx512LeakyRelu,
		HardSigmoid: avx512HardSigmoid,
		HardSwish:   avx512HardSwish,
		Exp:         avx512Exp,
		Sigmoid:     avx512Sigmoid,
		Swish:       avx512Swish,
		Tanh:        avx512Tanh,
		Gelu:        avx512Gelu,
		GeluTanh:    avx512GeluTanh,
		Mish:        avx512Mish,
		Elu:         avx512Elu,
	},
	operations: [...]func(out, a, b *float32, n int, low, high float32){
		Add:      avx512Add,
		Subtract: avx512Subtract,
		Multiply: avx512Multiply,
		Divide:   avx512Divide,
		Maximum:  avx512Maximum,
		Minimum:  avx512Minimum,
	},
	mix:    avx512Mix,
	affine: avx512Affine,
	prelu:  avx512PRelu,
	gather: avx512Gather,
	lrn:    avx512LRN,
}

var rowsAVX2 = rows{
	functions: [...]rowFunction{
		Clamp:       avx2Clamp,
		LeakyRelu:   avx2LeakyRelu,
		HardSigmoid: avx2HardSigmoid,
		HardSwish:   avx2HardSwish,
		Exp:         avx2Exp,
		Sigmoid:     avx2Sigmoid,
		Swish:       avx2Swish,
		Tanh:        avx2Tanh,
		Gelu:        avx2Gelu,
		GeluTanh:    avx2GeluTanh,
		Mish:        avx2Mish,
		Elu:         avx2Elu,
	},
	operations: [...]func(out, a, b *float32, n int, low, high float32){
		Add:      avx2Add,
		Subtract: avx2Subtract,
		Multiply: avx2Multiply,
		Divide:   avx2Divide,
		Maximum:  avx2Maximum,
		Minimum:  avx2Minimum,
	},
	mix:    avx2Mix,
	affine: avx2Affine,
	prelu:  avx2PRelu,
	gather: avx2Gather,
	lrn:    avx2LRN,
}

//go:noescape
func avx512Add(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx512Subtract(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx512Multiply(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx512Divide(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx512Maximum(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx512Minimum(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx512Clamp(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512LeakyRelu(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512HardSigmoid(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512HardSwish(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx512Mix(out, a, b, c *float32, n int, r, s, t float32)

//go:noescape
func avx512Affine(out, in, scale, shift *float32, channels, cells int, low, high float32)

//go:noescape
func avx512PRelu(out, in, slope *float32, channels, cells int)

//go:noescape
func avx2Add(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx2Subtract(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx2Multiply(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx2Divide(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx2Maximum(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx2Minimum(out, a, b *float32, n int, low, high float32)

//go:noescape
func avx2Clamp(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2LeakyRelu(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2HardSigmoid(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2HardSwish(out, in *float32, n int, alpha, beta float32)

//go:noescape
func avx2Mix(out, a, b, c *float32, n int, r, s, t float32)

//go:noescape
func avx2Affine(out, in, scale, shift *float32, channels, cells int, low, high float32)

//go:noescape
func avx2PRelu(out, in, slope *float32, channels, cells int)

//go:noescape
func avx512Gather(out, in *float32, index *int32, n int)

//go:noescape
func avx512LRN(out, in, squares *float32, n, size int, scale, bias float32)

//go:noescape
func avx2Gather(out, in *float32, index *int32, n int)

//go:noescape
func avx2LRN(out, in, squares *float32, n, size int, scale, bias float32)
