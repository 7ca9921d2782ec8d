package cpu

import (
	"math"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
)

// TestActivations compares every function with its definition on ordinary
// values and on those where implementations slip.
func TestActivations(t *testing.T) {
	inf := float32(math.Inf(1))
	xs := []float32{
		0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0.3, 3, -3, 6, 6.5, 20, -20, 88, -88, 100, -100,
		1e-6, -1e-6, 1e-20, -1e-20, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1e30, -1e30,
		math.MaxFloat32, -math.MaxFloat32, inf, -inf, float32(math.NaN()), math.Float32frombits(0xffc00000),
	}
	for x := float32(-8); x < 8; x += 0.07 {
		xs = append(xs, x)
	}
	for _, a := range []network.Activation{
		{Fn: network.None},
		{Fn: network.Relu},
		{Fn: network.LeakyRelu, Alpha: 0.01},
		{Fn: network.LeakyRelu, Alpha: -2},
		{Fn: network.Elu, Alpha: 1},
		{Fn: network.Elu, Alpha: 2},
		{Fn: network.Celu, Alpha: 0.7},
		{Fn: network.Selu, Alpha: 1.6732632, Beta: 1.0507010},
		{Fn: network.Gelu},
		{Fn: network.GeluTanh},
		{Fn: network.Sigmoid},
		{Fn: network.HardSigmoid, Alpha: 0.2, Beta: 0.5},
		{Fn: network.HardSwish, Alpha: 1. / 6, Beta: 0.5},
		{Fn: network.Swish, Alpha: 1},
		{Fn: network.Mish},
		{Fn: network.Tanh},
		{Fn: network.Softplus},
		{Fn: network.Softsign},
		{Fn: network.Clip, Alpha: 0, Beta: 6},
		{Fn: network.Clip, Alpha: -math.MaxFloat32, Beta: 1},
		{Fn: network.Clip, Alpha: 2, Beta: 1},
		{Fn: network.Threshold, Alpha: 0.3},
		{Fn: network.Exp},
		{Fn: network.Log},
		{Fn: network.Sqrt},
		{Fn: network.Reciprocal},
		{Fn: network.Abs},
		{Fn: network.Neg},
		{Fn: network.Erf},
		{Fn: network.Power, Alpha: 2},
		{Fn: network.Power, Alpha: 0.5},
		{Fn: network.Power, Alpha: -1},
		{Fn: network.Floor},
		{Fn: network.Ceil},
		{Fn: network.Round},
		{Fn: network.Sign},
	} {
		for _, set := range simd.Available() {
			got := append([]float32(nil), xs...)
			newActivation(a, set)(got)
			for i, x := range xs {
				want := networktest.Apply(a, float64(x))
				if math.IsNaN(float64(x)) {
					want = math.NaN()
				}
				if !near(got[i], want) {
					t.Errorf("%s: %s of %g is %g, want %g", set.Name, a, x, got[i], want)
				}
			}
		}
	}
}

// TestClamps checks that clamping by an activation's bounds is the activation,
// and that what has none is no clamp.
func TestClamps(t *testing.T) {
	for _, a := range []network.Activation{
		{}, {Fn: network.Relu}, {Fn: network.Clip, Alpha: 0, Beta: 6}, {Fn: network.Clip, Alpha: -1, Beta: 1}, {Fn: network.Clip, Alpha: 2, Beta: 1},
	} {
		low, high, ok := clampOf(a)
		if !ok {
			t.Errorf("%s is no clamp", a)
		}
		for _, x := range []float32{-1e30, -1.5, -1, 0, 0.5, 1.25, 3, 7, 1e30} {
			if got, want := min(high, max(low, x)), networktest.Apply(a, float64(x)); float64(got) != want {
				t.Errorf("%s: clamping %g gives %g, want %g", a, x, got, want)
			}
		}
	}
	for _, a := range []network.Activation{{Fn: network.HardSwish, Alpha: 1. / 6, Beta: 0.5}, {Fn: network.LeakyRelu}, {Fn: network.Abs}} {
		if _, _, ok := clampOf(a); ok {
			t.Errorf("%s is taken for a clamp", a)
		}
	}
}

// near tells whether a float32 is the given number within rounding.
func near(got float32, want float64) bool {
	g, w := float64(got), float64(float32(want))
	if g == w || math.IsNaN(g) && math.IsNaN(w) {
		return true
	}
	return math.Abs(g-w) <= 1e-6*math.Abs(w)+1e-7
}

func TestUnknownActivation(t *testing.T) {
	l := &network.Layer{Name: "act", Op: network.Pointwise{Act: network.Activation{Fn: "wobble"}}}
	if k, err := newKernel(l, simd.Best(), operators.Direct); err == nil {
		t.Errorf("made the kernel %v", k)
	}
	l.Op = network.Binary{Fn: "modulo"}
	if k, err := newKernel(l, simd.Best(), operators.Direct); err == nil {
		t.Errorf("made the kernel %v", k)
	}
}
