package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// TestReads thresholds updates by the definition: each layer, in float64, of the
// clean values with that part of its input's update over them which it reads, and
// of what it makes of them its own rectangle.
func TestReads(t *testing.T) {
	cropped := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 21))
		net := networktest.Random(rng, networktest.Options{Side: 20, Blocks: 5, Classes: 4})
		p, err := New(t.Context(), net, Options{Kernels: simd.Best().Name})
		if err != nil {
			t.Fatal(err)
		}
		s := net.Input().Shape
		image := networktest.Image(rng, s)
		views, err := p.Base(t.Context(), image, 1)
		if err != nil {
			t.Fatal(err)
		}
		patch := patchOf(rng, s, randomRect(rng, s))
		tau := .1 + .6*rng.Float64()
		u := operators.Update{Patch: patch, Out: make([]float32, net.Output.Shape.Len())}
		var less bool
		u.Rects, less = net.TraceThresholded(patch.Rect, tau, nil)
		u.Reads = net.ThresholdedReads(u.Rects, tau, nil)
		if less {
			cropped++
		}
		if err := p.NewWorker().Run(t.Context(), views, []operators.Update{u}); err != nil {
			t.Fatal(err)
		}
		want := thresholded(t, net, views, u)
		for i, v := range u.Out {
			if math.Abs(float64(v)-want[i]) > 1e-4*(1+math.Abs(want[i])) {
				t.Fatalf("seed %d, tau %.2f: output %d is %g, want %g", seed, tau, i, v, want[i])
			}
		}
	}
	if cropped < 20 {
		t.Errorf("only %d of 60 updates were cropped", cropped)
	}
}

// thresholded is the output of a network at an update.
func thresholded(t *testing.T, net *network.Network, views *operators.Views, u operators.Update) []float64 {
	t.Helper()
	now := make([][]float64, len(net.Layers)) // the clean values with the update over them
	clean := func(i int) []float64 {
		var v []float64
		for _, x := range views.Layers[i].Data().([]float32) {
			v = append(v, float64(x))
		}
		return v
	}
	over := func(s network.Shape, to, from []float64, r region.Rect) {
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			at, end := (y*s.W+r.X.Lo)*s.C, (y*s.W+r.X.Hi)*s.C
			copy(to[at:end], from[at:end])
		}
	}
	now[0] = clean(0)
	r := u.Patch.Rect
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		for i, v := range u.Patch.Row(y, r.X.Lo, r.X.Hi) {
			now[0][(y*net.Layers[0].Shape.W+r.X.Lo)*net.Layers[0].Shape.C+i] = float64(v)
		}
	}
	for i, l := range net.Layers[1:] {
		i++
		now[i] = clean(i)
		if u.Rects[i].Empty() {
			continue
		}
		var in [][]float64
		for j, from := range l.In {
			values := now[from.Index]
			if j == 0 {
				values = clean(from.Index)
				over(from.Shape, values, now[from.Index], u.Reads[i])
			}
			in = append(in, values)
		}
		made, err := networktest.Layer(l, in)
		if err != nil {
			t.Fatal(err)
		}
		over(l.Shape, now[i], made, u.Rects[i])
	}
	return now[net.Output.Index]
}
