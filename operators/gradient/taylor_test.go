package gradient_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

// patches are rectangles within an image, at its corners and beyond.
func patches(h, w int) []region.Rect {
	rects := []region.Rect{region.Whole(h, w), {}, region.Of(-2, -3, 5, 5), region.Of(w-2, h-1, 4, 4), region.Of(w+1, 0, 2, 2)}
	for y := 0; y+3 <= h; y += 2 {
		for x := 0; x+4 <= w; x += 3 {
			rects = append(rects, region.Of(x, y, 4, 3))
		}
	}
	return rects
}

// The tables give what summing up gives, for covers and for means of patches.
func TestTaylor(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	s := shape(13, 17, 3)
	g, image, cover := networktest.Image(rng, s), networktest.Image(rng, s), networktest.Image(rng, s)
	for _, cover := range []*tensor.Dense{cover, nil} {
		table, err := gradient.NewTaylor(g, image, cover)
		if err != nil {
			t.Fatal(err)
		}
		for _, patch := range patches(s.H, s.W) {
			got, r := table.At(patch), patch.Clip(s.H, s.W)
			covered := covering(image, cover, r)
			want := 0.0
			for i, v := range g.Data().([]float32) {
				want += float64(v) * float64(covered[i]-image.Data().([]float32)[i])
			}
			if math.Abs(got-want) > 1e-4 {
				t.Errorf("%s: %g, want %g", patch, got, want)
			}
		}
	}
}

// covering is the image with a rectangle covered, by its mean without a cover.
func covering(image, cover *tensor.Dense, r region.Rect) []float32 {
	s := image.Shape()
	x := slices.Clone(image.Data().([]float32))
	for c := range s[2] {
		mean := 0.0
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			for u := r.X.Lo; u < r.X.Hi; u++ {
				mean += float64(x[(y*s[1]+u)*s[2]+c]) / float64(r.Area())
			}
		}
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			for u := r.X.Lo; u < r.X.Hi; u++ {
				i := (y*s[1]+u)*s[2] + c
				x[i] = float32(mean)
				if cover != nil {
					x[i] = cover.Data().([]float32)[i]
				}
			}
		}
	}
	return x
}

// Of a cover that is nearly the image itself it is the change of the objective.
func TestTaylorIsFirstOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 6))
	net := ending(t, 5, act(network.Tanh), denseOf(rng, 5, 4), network.Softmax{})
	s := net.Input().Shape
	image := networktest.Image(rng, s)
	near := slices.Clone(image.Data().([]float32))
	for i, d := range networktest.Values(rng, len(near), 1e-3) {
		near[i] += d
	}
	cover := tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(near))
	o := gradient.Objective{Kind: gradient.LogOdds, Class: 1}
	_, g := passes(t, net, image, []gradient.Objective{o}, inputs())
	table, err := gradient.NewTaylor(g[0].Out[0], image, cover)
	if err != nil {
		t.Fatal(err)
	}
	f := func(x []float32) float64 {
		all, err := networktest.Eval(net, x)
		if err != nil {
			t.Fatal(err)
		}
		return value(net, all, o)
	}
	for _, r := range patches(s.H, s.W) {
		r = r.Clip(s.H, s.W)
		want := f(covering(image, cover, r)) - f(image.Data().([]float32))
		if got := table.At(r); math.Abs(got-want) > 2e-2*math.Abs(want)+1e-7 {
			t.Errorf("%s: %g, the objective changes by %g", r, got, want)
		}
	}
}

func TestTaylorRefuses(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 6))
	a, b := networktest.Image(rng, shape(3, 4, 2)), networktest.Image(rng, shape(4, 3, 2))
	for says, d := range map[string][3]*tensor.Dense{"gradient of": {b, a, nil}, "cover of": {a, a, b}, "gradient is missing": {nil, a, nil}} {
		if _, err := gradient.NewTaylor(d[0], d[1], d[2]); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}
