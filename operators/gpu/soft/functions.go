package soft

import (
	"math"

	"occlude/internal/network"
	"occlude/operators/gpu/kernels"
)

// The functions of one number in float32, by the formulas of kernels/functions.h, so
// that their errors can be seen without a GPU.

// exp: x = n log 2 + r, |r| <= log(2)/2, and seven terms of the series at r.
func exp(x float32) float32 {
	switch {
	case x != x:
		return x
	case x <= -104:
		return 0
	case x > 88.8:
		return infinity
	}
	n := float32(math.RoundToEven(float64(x * 1.44269504)))
	r := fma(n, -0.693145752, x)
	r = fma(n, -1.42860677e-6, r)
	p := float32(1. / 5040)
	for _, c := range []float32{1. / 720, 1. / 120, 1. / 24, 1. / 6, 0.5, 1, 1} {
		p = fma(p, r, c)
	}
	return float32(math.Ldexp(float64(p), int(n)))
}

// expm1 is exp(x) - 1, by the series near 0.
func expm1(x float32) float32 {
	if !(x > -0.5 && x < 0.5) {
		return exp(x) - 1
	}
	p := float32(1. / 362880)
	for _, c := range []float32{1. / 40320, 1. / 5040, 1. / 720, 1. / 120, 1. / 24, 1. / 6, 0.5} {
		p = fma(p, x, c)
	}
	return fma(p*x, x, x)
}

// atanh2 is 2 atanh(s), |s| <= 1/3: the logarithm of (1+s) / (1-s).
func atanh2(s float32) float32 {
	q, p := s*s, float32(1./15)
	for _, c := range []float32{1. / 13, 1. / 11, 1. / 9, 1. / 7, 1. / 5, 1. / 3} {
		p = fma(p, q, c)
	}
	return 2 * fma(p*q, s, s)
}

// log: x = m 2^n with m between sqrt(1/2) and sqrt(2).
func log(x float32) float32 {
	switch {
	case x < 0 || x != x:
		return float32(math.NaN())
	case x == 0:
		return -infinity
	case x == infinity:
		return x
	}
	m64, n := math.Frexp(float64(x)) // m64 from 1/2 up to 1
	m := float32(m64)
	if m < 0.707106781 {
		m, n = 2*m, n-1
	}
	l := atanh2((m - 1) / (m + 1))
	return fma(float32(n), 0.693145752, fma(float32(n), 1.42860677e-6, l))
}

// softplus is log(1 + exp(x)).
func softplus(x float32) float32 {
	t := exp(-abs(x))
	return max(x, 0) + atanh2(t/(2+t))
}

func sigmoid(x float32) float32 { return 1 / (1 + exp(-x)) }

func tanh(x float32) float32 {
	m := expm1(2 * abs(x))
	t := float32(1)
	if !(m > 1e30) {
		t = m / (m + 2)
	}
	if x < 0 {
		return -t
	}
	return t
}

// erf: the series near 0, the continued fraction of its complement elsewhere.
func erf(x float32) float32 {
	a, q := abs(x), x*x
	if a < 2 {
		term, sum := x, x
		for n := float32(1); n < 22; n++ {
			term *= -q / n
			sum += term / (2*n + 1)
		}
		return sum * 1.12837917
	}
	f := a
	for n := float32(16); n > 0; n-- {
		f = a + 0.5*n/f
	}
	r := float32(1)
	if !(a > 9) {
		r = 1 - exp(-q)*0.564189584/f
	}
	switch {
	case x != x:
		return x
	case x < 0:
		return -r
	}
	return r
}

// power is x^y as C defines it. The kernel has float64 series of its own.
func power(x, y float32) float32 { return float32(math.Pow(float64(x), float64(y))) }

func abs(x float32) float32 { return float32(math.Abs(float64(x))) }

// apply is function number fn of kernels.Functions at x.
func apply(fn int, x, alpha, beta float32) float32 {
	unit := func(v float32) float32 { return clamp(v, 0, 1) }
	negative := func(v func() float32) float32 {
		if x < 0 {
			return v()
		}
		return x
	}
	switch kernels.Functions[fn] {
	case network.LeakyRelu:
		return negative(func() float32 { return alpha * x })
	case network.Elu:
		return negative(func() float32 { return alpha * expm1(x) })
	case network.Celu:
		return negative(func() float32 { return alpha * expm1(x/alpha) })
	case network.Selu:
		return beta * negative(func() float32 { return alpha * expm1(x) })
	case network.Gelu:
		return 0.5 * x * (1 + erf(x*0.707106781))
	case network.GeluTanh:
		return 0.5 * x * (1 + tanh(0.797884561*fma(0.044715*x*x, x, x)))
	case network.Sigmoid:
		return sigmoid(x)
	case network.HardSigmoid:
		return unit(fma(alpha, x, beta))
	case network.HardSwish:
		return x * unit(fma(alpha, x, beta))
	case network.Swish:
		return x * sigmoid(alpha*x)
	case network.Mish:
		return x * tanh(softplus(x))
	case network.Tanh:
		return tanh(x)
	case network.Softplus:
		return softplus(x)
	case network.Softsign:
		return x / (1 + abs(x))
	case network.Threshold:
		if x <= alpha {
			return 0
		}
		return x
	case network.Exp:
		return exp(x)
	case network.Log:
		return log(x)
	case network.Sqrt:
		return float32(math.Sqrt(float64(x)))
	case network.Reciprocal:
		return 1 / x
	case network.Abs:
		return abs(x)
	case network.Neg:
		return -x
	case network.Erf:
		return erf(x)
	case network.Power:
		return power(x, alpha)
	case network.Floor:
		return float32(math.Floor(float64(x)))
	case network.Ceil:
		return float32(math.Ceil(float64(x)))
	case network.Round:
		return float32(math.RoundToEven(float64(x)))
	case network.Sign:
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
	}
	return x
}
