package gradient

import (
	"math"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
)

// slope is the derivative of an activation at the clean values.
type slope struct {
	// ofOutput tells that the derivative follows from what the activation gave;
	// otherwise it takes what it was given, which has to be computed again.
	ofOutput bool
	// times writes g * act' to out, which may be g, given the outputs or inputs v
	// of the activation. Nil where there is none.
	times func(out, g, v []float32)
}

// slopeOf is the derivative of an activation. Where a function has a kink, the
// derivative is that of its flat side, or of its right one where neither is flat.
func slopeOf(a network.Activation, set *simd.Set) (slope, bool) {
	alpha, beta := float64(a.Alpha), float64(a.Beta)
	switch a.Fn {
	case network.Relu:
		return slope{true, timesBetween(set, 0, float32(math.Inf(1)))}, true
	case network.Clip:
		return slope{true, timesBetween(set, a.Alpha, a.Beta)}, true
	case network.LeakyRelu:
		// Of the output only while it has the sign of the input.
		return slope{a.Alpha > 0, func(out, g, v []float32) { timesSign(out, g, v, a.Alpha, 1) }}, true
	case network.Swish:
		return slope{false, timesSwish(set, a.Alpha)}, true
	case network.HardSwish:
		return slope{false, timesHardSwish(set, a.Alpha, a.Beta)}, true
	case network.Neg:
		return slope{true, func(out, g, _ []float32) { timesNumber(out, g, -1) }}, true
	case network.Floor, network.Ceil, network.Round, network.Sign:
		return slope{true, func(out, g, _ []float32) { timesNumber(out, g, 0) }}, true
	}
	if f := ofOutput(a.Fn, alpha, beta); f != nil {
		return slope{true, pointwise(f)}, true
	}
	if f := ofInput(a.Fn, alpha, beta); f != nil {
		return slope{false, pointwise(f)}, true
	}
	return slope{}, false
}

// ofOutput is the derivative of a function as a function of its value y, nil
// where it does not follow from it.
func ofOutput(fn string, alpha, beta float64) func(y float64) float64 {
	switch fn {
	case network.Sigmoid:
		return func(y float64) float64 { return y * (1 - y) }
	case network.Tanh:
		return func(y float64) float64 { return 1 - y*y }
	case network.HardSigmoid:
		return func(y float64) float64 { return pick(y > 0 && y < 1, alpha, 0) }
	case network.Softplus: // 1 - exp(-y) is the sigmoid of x
		return func(y float64) float64 { return -math.Expm1(-y) }
	case network.Softsign:
		return func(y float64) float64 { return (1 - math.Abs(y)) * (1 - math.Abs(y)) }
	case network.Exp:
		return func(y float64) float64 { return y }
	case network.Log:
		return func(y float64) float64 { return math.Exp(-y) }
	case network.Sqrt:
		return func(y float64) float64 { return 0.5 / y }
	case network.Reciprocal:
		return func(y float64) float64 { return -y * y }
	}
	if alpha <= 0 || fn == network.Selu && beta <= 0 {
		return nil // what follows takes outputs that have the sign of the input
	}
	switch fn {
	case network.Elu:
		return func(y float64) float64 { return pick(y < 0, y+alpha, 1) }
	case network.Celu:
		return func(y float64) float64 { return pick(y < 0, y/alpha+1, 1) }
	case network.Selu:
		return func(y float64) float64 { return pick(y < 0, y+alpha*beta, beta) }
	case network.Threshold:
		return func(y float64) float64 { return pick(y > 0, 1, 0) }
	}
	return nil
}

// ofInput is the derivative of the other functions at x.
func ofInput(fn string, alpha, beta float64) func(x float64) float64 {
	switch fn {
	case network.Elu:
		return func(x float64) float64 { return pick(x < 0, alpha*math.Exp(x), 1) }
	case network.Celu:
		return func(x float64) float64 { return pick(x < 0, math.Exp(x/alpha), 1) }
	case network.Selu:
		return func(x float64) float64 { return beta * pick(x < 0, alpha*math.Exp(x), 1) }
	case network.Gelu: // the distribution function of a normal variable, and x times its density
		return func(x float64) float64 {
			return 0.5*math.Erfc(-x/math.Sqrt2) + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
		}
	case network.GeluTanh:
		const a, b = math.Sqrt2 * math.SqrtPi / math.Pi, 0.044715 // sqrt(2/pi)
		return func(x float64) float64 {
			t := math.Tanh(a * (x + b*x*x*x))
			return 0.5*(1+t) + 0.5*x*(1-t*t)*a*(1+3*b*x*x)
		}
	case network.Mish:
		return func(x float64) float64 {
			t := math.Tanh(softplus(x))
			return t + x*(1-t*t)*logistic(x)
		}
	case network.Threshold:
		return func(x float64) float64 { return pick(x > alpha, 1, 0) }
	case network.Abs:
		return func(x float64) float64 { return pick(x == 0, 0, math.Copysign(1, x)) }
	case network.Erf:
		return func(x float64) float64 { return 2 / math.SqrtPi * math.Exp(-x*x) }
	case network.Power:
		return func(x float64) float64 { return alpha * math.Pow(x, alpha-1) }
	}
	return nil
}

func pick(yes bool, a, b float64) float64 {
	if yes {
		return a
	}
	return b
}

func pointwise(f func(float64) float64) func(out, g, v []float32) {
	return func(out, g, v []float32) {
		for i, x := range v {
			out[i] = float32(float64(g[i]) * f(float64(x)))
		}
	}
}

// The functions that most networks are made of go without branches, which a
// processor could not foresee here, by the set's loops where it has them.

// chunk is how many values go through several loops at a time, in the first-level
// cache.
const chunk = 512

// steep makes differences of float32 values that are not tiny larger than 1. It
// is a power of two, so that only such are made as are there.
const steep = 1 << 100

// timesBetween is for clips, whose outputs y let the gradient pass where they are
// neither of the limits: it multiplies by (y - low) * steep and by
// (high - y) * steep, both clipped to 0..1. Limits that are beyond all values
// are left out; a relu has one.
func timesBetween(set *simd.Set, low, high float32) func(out, g, y []float32) {
	const far = 1e8
	side := func(scale, shift float32) func(out, y []float32) {
		scales, shifts := make([]float32, chunk), make([]float32, chunk)
		fill(scales, scale)
		fill(shifts, shift)
		return func(out, y []float32) { set.Affine(out, y, scales[:len(y)], shifts[:len(y)], 0, 1) }
	}
	var sides []func(out, y []float32)
	if low > -far {
		sides = append(sides, side(steep, -low*steep))
	}
	if high < far {
		sides = append(sides, side(-steep, high*steep))
	}
	return func(out, g, y []float32) {
		var gate [chunk]float32
		for i := 0; i < len(y); i += chunk {
			n := min(chunk, len(y)-i)
			from := g[i : i+n]
			for _, s := range sides {
				s(gate[:n], y[i:i+n])
				combine(set, simd.Multiply, out[i:i+n], from, gate[:n])
				from = out[i : i+n]
			}
			if len(sides) == 0 {
				copy(out[i:i+n], from)
			}
		}
	}
}

// timesSign multiplies by one number where v is negative, by another elsewhere.
func timesSign(out, g, v []float32, negative, positive float32) {
	by := [2]float32{positive, negative}
	for i, x := range v {
		out[i] = g[i] * by[math.Float32bits(x)>>31]
	}
}

func timesNumber(out, g []float32, by float32) {
	for i, d := range g {
		out[i] = d * by
	}
}

// timesSwish is for x*s(u) with u = alpha*x and the sigmoid s: its derivative is
// s(u) + u*s(u)*(1 - s(u)).
func timesSwish(set *simd.Set, alpha float32) func(out, g, x []float32) {
	return gated(set, alpha, func(s, t, x []float32) {
		set.Apply(simd.Sigmoid, s, t, 0, 0)
		combine(set, simd.Multiply, x, t, s)
		combine(set, simd.Subtract, t, t, x)
		combine(set, simd.Multiply, t, t, s)
	})
}

// timesHardSwish is for x*h(x) with the hard sigmoid h: its derivative is h(x)
// plus, where h is neither 0 nor 1, alpha*x.
func timesHardSwish(set *simd.Set, alpha, beta float32) func(out, g, x []float32) {
	open := timesBetween(set, 0, 1)
	return gated(set, alpha, func(s, t, x []float32) {
		set.Apply(simd.HardSigmoid, s, x, alpha, beta)
		open(t, t, s)
	})
}

// gated is for derivatives that are s + t: parts is given t = alpha*x and a copy
// of x, which it may overwrite.
func gated(set *simd.Set, alpha float32, parts func(s, t, x []float32)) func(out, g, x []float32) {
	scales, zeros := make([]float32, chunk), make([]float32, chunk)
	fill(scales, alpha)
	inf := float32(math.Inf(1))
	return func(out, g, x []float32) {
		var s, t, u [chunk]float32
		for i := 0; i < len(x); i += chunk {
			n := min(chunk, len(x)-i)
			copy(u[:n], x[i:i+n])
			set.Affine(t[:n], u[:n], scales[:n], zeros[:n], -inf, inf)
			parts(s[:n], t[:n], u[:n])
			combine(set, simd.Add, s[:n], s[:n], t[:n])
			combine(set, simd.Multiply, out[i:i+n], g[i:i+n], s[:n])
		}
	}
}

// combine is a set's operation without limits.
func combine(set *simd.Set, op simd.Operation, out, a, b []float32) {
	inf := float32(math.Inf(1))
	set.Combine(op, out, a, b, -inf, inf)
}
