package simd

import (
	"math"
	"unsafe"
)

// Function is a function of one number x with up to two parameters, a and b. NaN
// stays NaN; infinities give what the formulas say.
type Function int

// The functions. Those made of exponentials differ between sets, and from the
// exact value, by a few units in the last place.
const (
	Clamp       Function = iota // min(b, max(a, x))
	LeakyRelu                   // max(x, 0) + a*min(x, 0)
	HardSigmoid                 // min(1, max(0, a*x + b))
	HardSwish                   // x * min(1, max(0, a*x + b))
	Exp
	Sigmoid  // 1 / (1 + exp(-x))
	Swish    // x / (1 + exp(-a*x))
	Tanh     //
	Gelu     // x/2 * (1 + erf(x/sqrt 2))
	GeluTanh // x/2 * (1 + tanh(sqrt(2/pi) * (x + 0.044715*x^3)))
	Mish     // x * tanh(log(1 + exp(x)))
	Elu      // b * (max(x, 0) + a*(exp(min(x, 0)) - 1))
	functionCount
)

// rowFunction applies a Function to n values, at least one; out may be in.
type rowFunction func(out, in *float32, n int, a, b float32)

// Apply computes out[i] = f(in[i]) for all of out; in has as many values and may
// be out itself.
func (s *Set) Apply(f Function, out, in []float32, a, b float32) {
	if len(out) > 0 {
		_ = in[len(out)-1]
		s.functions[f](&out[0], &in[0], len(out), a, b)
	}
}

var functionsGeneric = [functionCount]rowFunction{
	Clamp: func(out, in *float32, n int, a, b float32) {
		to := unsafe.Slice(out, n)
		for i, x := range unsafe.Slice(in, n) {
			to[i] = min(b, max(a, x))
		}
	},
	LeakyRelu: func(out, in *float32, n int, a, _ float32) {
		to := unsafe.Slice(out, n)
		for i, x := range unsafe.Slice(in, n) {
			to[i] = max(x, 0) + a*min(x, 0)
		}
	},
	HardSigmoid: func(out, in *float32, n int, a, b float32) {
		to := unsafe.Slice(out, n)
		for i, x := range unsafe.Slice(in, n) {
			to[i] = min(1, max(0, a*x+b))
		}
	},
	HardSwish: func(out, in *float32, n int, a, b float32) {
		to := unsafe.Slice(out, n)
		for i, x := range unsafe.Slice(in, n) {
			to[i] = x * min(1, max(0, a*x+b))
		}
	},
	Exp:     inFloat64(func(x, _, _ float64) float64 { return math.Exp(x) }),
	Sigmoid: inFloat64(func(x, _, _ float64) float64 { return sigmoid(x) }),
	Swish:   inFloat64(func(x, a, _ float64) float64 { return x * sigmoid(a*x) }),
	Tanh:    inFloat64(func(x, _, _ float64) float64 { return math.Tanh(x) }),
	Gelu:    inFloat64(func(x, _, _ float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }),
	GeluTanh: inFloat64(func(x, _, _ float64) float64 {
		return x * sigmoid(2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))
	}),
	Mish: inFloat64(func(x, _, _ float64) float64 {
		return x * math.Tanh(max(x, 0)+math.Log1p(math.Exp(-math.Abs(x))))
	}),
	Elu: inFloat64(func(x, a, b float64) float64 { return b * (max(x, 0) + a*math.Expm1(min(x, 0))) }),
}

// inFloat64 makes a loop of a function that is computed in float64.
func inFloat64(f func(x, a, b float64) float64) rowFunction {
	return func(out, in *float32, n int, a, b float32) {
		to := unsafe.Slice(out, n)
		for i, x := range unsafe.Slice(in, n) {
			to[i] = float32(f(float64(x), float64(a), float64(b)))
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
