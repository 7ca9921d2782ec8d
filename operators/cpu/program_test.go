package cpu

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
)

// program makes the program of a network.
func program(t testing.TB, net *network.Network) *Program {
	t.Helper()
	p, err := New(t.Context(), net, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// base runs the base pass.
func base(t testing.TB, p *Program, image *tensor.Dense, threads int) *operators.Views {
	t.Helper()
	v, err := p.Base(t.Context(), image, threads)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// distance is the largest difference between two values, over the largest value
// where that is above one. Values that are equal, be it infinite, or both not
// numbers have none.
func distance(got []float32, want []float64) float64 {
	var diff, scale float64 = 0, 1
	for i, g := range got {
		g, w := float64(g), want[i]
		if !math.IsInf(w, 0) {
			scale = max(scale, math.Abs(w))
		}
		if d := math.Abs(g - w); g != w && !(math.IsNaN(g) && math.IsNaN(w)) {
			if math.IsNaN(d) {
				return math.Inf(1)
			}
			diff = max(diff, d)
		}
	}
	return diff / scale
}

// TestBaseMatchesDefinition compares every layer of random networks with what
// the ops say they compute.
func TestBaseMatchesDefinition(t *testing.T) {
	for seed := range uint64(250) {
		rng := rand.New(rand.NewPCG(seed, 10))
		net := networktest.Random(rng, networktest.Options{})
		image := networktest.Image(rng, net.Input().Shape)
		views := base(t, program(t, net), image, 1+int(seed%3))
		want, err := networktest.Eval(net, image.Float32s())
		if err != nil {
			t.Fatal(err)
		}
		for i, l := range net.Layers {
			if d := distance(views.Layers[i].Float32s(), want[i]); d > 2e-5 {
				t.Errorf("seed %d: %s (%s) of %s is off by %g", seed, l, l.Op.Detail(), l.Shape, d)
				break
			}
		}
	}
}

// TestLikeSharesKernels checks that a program takes over the kernels that it
// would make itself, and no other, and computes the same with them.
func TestLikeSharesKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 11))
	net := networktest.Random(rng, networktest.Options{})
	for len(choices(net)) < 2 {
		net = networktest.Random(rng, networktest.Options{})
	}
	other := networktest.Random(rng, networktest.Options{})
	plain := program(t, net)
	how := make([]operators.Algorithm, len(net.Layers))
	changed := choices(net)[0]
	how[changed] = operators.Winograd2
	fresh, err := New(t.Context(), net, Options{Algorithms: how})
	if err != nil {
		t.Fatal(err)
	}
	like, err := New(t.Context(), net, Options{Algorithms: how, Like: []*Program{program(t, other), plain}})
	if err != nil {
		t.Fatal(err)
	}
	for i, k := range like.kernels {
		if _, weights := k.(weighty); weights && (k == plain.kernels[i]) != (i != changed) {
			t.Errorf("%s: shared %t", net.Layers[i], k == plain.kernels[i])
		}
	}
	generic, err := New(t.Context(), net, Options{Kernels: "generic", Like: []*Program{like}})
	if err != nil {
		t.Fatal(err)
	}
	if shared := generic.kernels[changed] == like.kernels[changed]; shared {
		t.Error("kernels of another algorithm are shared")
	}
	image := networktest.Image(rng, net.Input().Shape)
	want, got := base(t, fresh, image, 1), base(t, like, image, 1)
	for i := range net.Layers {
		if a, b := want.Layers[i].Float32s(), got.Layers[i].Float32s(); !slices.EqualFunc(a, b, func(x, y float32) bool {
			return math.Float32bits(x) == math.Float32bits(y)
		}) {
			t.Errorf("%s gives other values with shared kernels", net.Layers[i])
		}
	}
}

// choices are the layers that tiles of 2x2 can compute.
func choices(net *network.Network) (layers []int) {
	for i, l := range net.Layers {
		if slices.Contains(operators.Algorithms(l), operators.Winograd2) {
			layers = append(layers, i)
		}
	}
	return layers
}

// TestPackingEnds checks that a context that has ended makes no program.
func TestPackingEnds(t *testing.T) {
	cause := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	net := networktest.Random(rand.New(rand.NewPCG(1, 190)), networktest.Options{})
	if _, err := New(ctx, net, Options{}); !errors.Is(err, cause) {
		t.Errorf("ended with %v", err)
	}
}
