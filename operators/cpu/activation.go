package cpu

import (
	"math"

	"occlude/internal/network"
)

// activation applies a function to values in place. NaN stays NaN.
type activation func(x []float32)

// newActivation makes the activation that a describes, nil for one that is not
// known. Cheap functions are computed in float32, without branches; what needs
// an exponential, a logarithm or a power in float64.
func newActivation(a network.Activation) activation {
	alpha, beta := a.Alpha, a.Beta
	switch a.Fn {
	case network.None:
		return func([]float32) {}
	case network.Relu:
		return relu
	case network.LeakyRelu:
		return func(x []float32) {
			for i, v := range x {
				x[i] = max(v, 0) + alpha*min(v, 0)
			}
		}
	case network.Clip:
		return func(x []float32) {
			for i, v := range x {
				x[i] = min(beta, max(alpha, v))
			}
		}
	case network.HardSigmoid:
		return func(x []float32) {
			for i, v := range x {
				x[i] = min(1, max(0, alpha*v+beta))
			}
		}
	case network.HardSwish:
		return func(x []float32) {
			for i, v := range x {
				x[i] = v * min(1, max(0, alpha*v+beta))
			}
		}
	case network.Neg:
		return func(x []float32) {
			for i, v := range x {
				x[i] = -v
			}
		}
	case network.Reciprocal:
		return func(x []float32) {
			for i, v := range x {
				x[i] = 1 / v
			}
		}
	}
	f := function64(a)
	if f == nil {
		return nil
	}
	return func(x []float32) {
		for i, v := range x {
			x[i] = float32(f(float64(v)))
		}
	}
}

// clampOf gives the bounds of an activation that is min(high, max(low, x)), which
// other loops apply where they store their results; without, the bounds are
// infinite.
func clampOf(a network.Activation) (low, high float32, ok bool) {
	inf := float32(math.Inf(1))
	switch a.Fn {
	case network.None:
		return -inf, inf, true
	case network.Relu:
		return 0, inf, true
	case network.Clip:
		return a.Alpha, a.Beta, true
	}
	return -inf, inf, false
}

// function64 is the activations that are computed in float64.
func function64(a network.Activation) func(float64) float64 {
	alpha, beta := float64(a.Alpha), float64(a.Beta)
	elu := func(x float64) float64 {
		if x < 0 {
			return alpha * math.Expm1(x)
		}
		return x
	}
	switch a.Fn {
	case network.Elu:
		return elu
	case network.Celu:
		return func(x float64) float64 { return max(0, x) + min(0, alpha*math.Expm1(x/alpha)) }
	case network.Selu:
		return func(x float64) float64 { return beta * elu(x) }
	case network.Gelu:
		return func(x float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) }
	case network.GeluTanh:
		return func(x float64) float64 {
			return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		}
	case network.Sigmoid:
		return sigmoid
	case network.Swish:
		return func(x float64) float64 { return x * sigmoid(alpha*x) }
	case network.Mish:
		return func(x float64) float64 { return x * math.Tanh(softplus(x)) }
	case network.Tanh:
		return math.Tanh
	case network.Softplus:
		return softplus
	case network.Softsign:
		return func(x float64) float64 { return x / (1 + math.Abs(x)) }
	case network.Threshold:
		return func(x float64) float64 {
			if x <= alpha {
				return 0
			}
			return x
		}
	case network.Exp:
		return math.Exp
	case network.Log:
		return math.Log
	case network.Sqrt:
		return math.Sqrt
	case network.Abs:
		return math.Abs
	case network.Erf:
		return math.Erf
	case network.Power:
		return func(x float64) float64 { return math.Pow(x, alpha) }
	case network.Floor:
		return math.Floor
	case network.Ceil:
		return math.Ceil
	case network.Round:
		return math.RoundToEven
	case network.Sign:
		return sign
	}
	return nil
}

// relu is max(0, x). It works on the bits, which spares a branch that would often
// be guessed wrong: from minus zero to minus infinity they are a range of
// integers, behind which the negative NaNs lie.
func relu(x []float32) {
	const minusZero, minusInfinity = 0x80000000, 0xff800000
	for i, v := range x {
		b := math.Float32bits(v)
		if b-minusZero <= minusInfinity-minusZero {
			b = 0
		}
		x[i] = math.Float32frombits(b)
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// softplus is log(1 + exp(x)) without overflow.
func softplus(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }

func sign(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}
