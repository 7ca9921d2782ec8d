package network_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/region"
)

// TestThresholdedTrace follows a patch by hand through a chain and a branch.
func TestThresholdedTrace(t *testing.T) {
	net := network.New("image", network.Shape{H: 20, W: 20, C: 1})
	axis := region.Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	conv := func(in *network.Layer) *network.Layer {
		t.Helper()
		l, err := net.Add("conv", network.Conv{Window: network.Window{Y: axis, X: axis}, After: network.PadAfter{Y: 1, X: 1},
			Groups: 1, Weights: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(1, 3, 3, 1))}, in)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	b := conv(conv(net.Input()))
	c := conv(b)
	if _, err := net.Add("add", network.Binary{Fn: network.Add}, net.Input(), c); err != nil {
		t.Fatal(err)
	}
	// Columns [8, 12) of 20; tau = .3 leaves 6 cells: they change 6, then 8, of which
	// the crop of 4 in the middle touches 6 again, and so on. Rows [0, 4) change
	// [0, 5), then 6 of them, then 7: a crop of 4, one cut in front, is [1, 5).
	rects, cropped := net.TraceThresholded(region.Of(8, 0, 4, 4), .3, nil)
	want := []region.Rect{
		region.Of(8, 0, 4, 4), region.Of(7, 0, 6, 5), region.Of(7, 0, 6, 6), region.Of(7, 0, 6, 6), region.Of(7, 0, 6, 6),
	}
	if !cropped || !slices.Equal(rects, want) {
		t.Errorf("%v (cropped: %v), want %v", rects, cropped, want)
	}
	// tau = .1 leaves 2 cells, the first of the 3 that one cell touches: [8, 10), then
	// [7, 9), then [6, 8), and the sum takes the box around that and the patch.
	rects, _ = net.TraceThresholded(region.Of(8, 8, 4, 4), .1, rects)
	if rects[3] != region.Of(6, 6, 2, 2) || rects[4] != region.Of(6, 6, 6, 6) {
		t.Errorf("%v at the last convolution, %v after the sum", rects[3], rects[4])
	}
}

// A thresholded trace lies inside the exact one; with tau = 1 it is the exact one,
// and so it is whenever nothing is said to be cropped.
func TestThresholdedTraceIsPartOfTrace(t *testing.T) {
	crops := 0
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 7))
		net := networktest.Random(rng, networktest.Options{Side: 16, Blocks: 5, Classes: 3, Jumps: true})
		for range 5 {
			patch := randomRect(rng, net.Input().Shape)
			exact := net.Trace(patch, nil)
			if same, cropped := net.TraceThresholded(patch, 1, nil); cropped || !slices.Equal(same, exact) {
				t.Fatalf("seed %d: tau = 1 traces %v for %v", seed, same, exact)
			}
			tau := .05 + .95*rng.Float64()
			rects, cropped := net.TraceThresholded(patch, tau, nil)
			if !cropped && !slices.Equal(rects, exact) {
				t.Fatalf("seed %d: nothing is cropped, but %v is not %v", seed, rects, exact)
			}
			for i, r := range rects {
				if !exact[i].Contains(r) {
					t.Fatalf("seed %d, tau %g: %v of %s is not in %v", seed, tau, r, net.Layers[i], exact[i])
				}
			}
			if cropped {
				crops++
			}
		}
	}
	if crops == 0 || crops == 1000 {
		t.Errorf("%d of 1000 traces were cropped", crops)
	}
}
