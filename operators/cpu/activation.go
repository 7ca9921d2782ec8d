package cpu

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
)

// activation applies a function to values in place. NaN stays NaN.
type activation func(x []float32)

// newActivation makes the activation that a describes, nil for one that is not
// known. What networks are made of is computed by the set's loops; the rest in
// float64, value by value.
func newActivation(a network.Activation, set *simd.Set) activation {
	if low, high, ok := clampOf(a); ok {
		if a.IsNone() {
			return func([]float32) {}
		}
		return func(x []float32) { set.Apply(simd.Clamp, x, x, low, high) }
	}
	if f, ok := functions[a.Fn]; ok {
		alpha, beta := a.Alpha, a.Beta
		if a.Fn == network.Elu {
			beta = 1
		}
		return func(x []float32) { set.Apply(f, x, x, alpha, beta) }
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

// functions is the activations that sets have loops for.
var functions = map[string]simd.Function{
	network.LeakyRelu:   simd.LeakyRelu,
	network.HardSigmoid: simd.HardSigmoid,
	network.HardSwish:   simd.HardSwish,
	network.Exp:         simd.Exp,
	network.Sigmoid:     simd.Sigmoid,
	network.Swish:       simd.Swish,
	network.Tanh:        simd.Tanh,
	network.Gelu:        simd.Gelu,
	network.GeluTanh:    simd.GeluTanh,
	network.Mish:        simd.Mish,
	network.Elu:         simd.Elu,
	network.Selu:        simd.Elu,
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

// epilogue is what happens to the results of loops that clamp what they store:
// an activation that is a clamp becomes theirs, others follow row by row.
type epilogue struct {
	low, high float32
	act       activation // nil for clamps, if loops apply them
}

func newEpilogue(a network.Activation, act activation) epilogue {
	low, high, ok := clampOf(a)
	if ok {
		act = nil
	}
	return epilogue{low, high, act}
}

// wholeEpilogue is for loops that do not clamp.
func wholeEpilogue(a network.Activation, act activation) epilogue {
	e := newEpilogue(a, act)
	e.act = act
	return e
}

// bounds are those for the loops that compute a task: none where finish has to
// see what they would cut off.
func (e epilogue) bounds(t *task) (low, high float32) {
	if t.departure != nil && t.departure.Clamp != nil {
		inf := float32(math.Inf(1))
		return -inf, inf
	}
	return e.low, e.high
}

// finish applies what loops leave to do to a part of a task's output, and adds
// its terms to the task's estimates.
func (e epilogue) finish(w *worker, t *task, out operators.Tile) {
	if e.act == nil && t.departure == nil {
		return
	}
	for y := out.Rect.Y.Lo; y < out.Rect.Y.Hi; y++ {
		e.row(w, t, y, out.Rect.X.Lo, out.Row(y, out.Rect.X.Lo, out.Rect.X.Hi))
	}
}

// row does so for a row that begins with the cell (y, x).
func (e epilogue) row(w *worker, t *task, y, x int, row []float32) {
	d := t.departure
	switch {
	case d != nil && d.Clamp != nil:
		w.clamp(t, y, x, row, e.low, e.high)
	case d != nil && d.End != nil && d.End.Before:
		w.end(t, row)
		e.apply(row)
	case d != nil && d.Tangent != nil:
		before := w.scratch(len(row))
		copy(before.data, row)
		e.apply(row)
		w.tangent(t, y, x, row, before.data)
		w.release(before)
	default:
		e.apply(row)
	}
}

// apply applies what loops have not.
func (e epilogue) apply(row []float32) {
	if e.act != nil {
		e.act(row)
	}
}

// function64 is the activations that are computed in float64.
func function64(a network.Activation) func(float64) float64 {
	alpha := float64(a.Alpha)
	switch a.Fn {
	case network.Neg:
		return func(x float64) float64 { return -x }
	case network.Reciprocal:
		return func(x float64) float64 { return 1 / x }
	case network.Celu:
		return func(x float64) float64 { return max(0, x) + min(0, alpha*math.Expm1(x/alpha)) }
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
