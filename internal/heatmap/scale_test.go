package heatmap

import (
	"math"
	"testing"
)

func TestScales(t *testing.T) {
	line := func(p0 float32, p ...float32) Map {
		x := make([]int, len(p))
		for i := range x {
			x[i] = i
		}
		return Map{Rows: 1, Cols: len(p), X: x, Y: []int{0}, PatchW: 1, PatchH: 1, P0: p0, P: p}
	}
	inf := float32(math.Inf(1))
	for _, tt := range []struct {
		name   string
		choose scaling
		m      Map
		lo, hi float64
	}{
		{"symmetric takes the larger side", symmetric, line(0.5, 0.25, 0.625), -0.25, 0.25},
		{"symmetric of gains", symmetric, line(0.25, 0.75, 0.25), -0.5, 0.5},
		{"symmetric ignores NaN", symmetric, line(0.5, nan, 0.375), -0.125, 0.125},
		{"symmetric ignores infinities", symmetric, line(0.5, inf, -inf, 0.375), -0.125, 0.125},
		{"symmetric of nothing", symmetric, line(0.5, nan), -minimumSpan, minimumSpan},
		{"symmetric of a constant", symmetric, line(0, 0, 0), -minimumSpan, minimumSpan},
		{"sequential", sequential, line(0.5, 0.25, 0.625), -0.125, 0.25},
		{"sequential holds zero", sequential, line(0.5, 0.25, 0.375), 0, 0.25},
		{"sequential of a constant", sequential, line(0.5, 0.5), 0, minimumSpan},
		{"krypton", krypton, line(0.5, 0.1), 0.375, 0.625},
		{"krypton stops at 1", krypton, line(1, 0.1), 0.75, 1},
		{"krypton of a rounded 1", krypton, line(1.0000001, 0.1), 0.75, 1},
		{"krypton of a score", krypton, line(8, 0.1), 6, 10},
		{"krypton of a negative score", krypton, line(-8, 0.1), -10, -6},
		{"krypton of zero", krypton, line(0, 0.1), 0, minimumSpan},
		{"krypton of NaN", krypton, line(nan, 0.1), 0, minimumSpan},
	} {
		s := tt.choose(&tt.m)
		if math.Abs(s.lo-tt.lo) > 1e-6*math.Abs(tt.lo) || math.Abs(s.hi-tt.hi) > 1e-6*math.Abs(tt.hi) {
			t.Errorf("%s: [%g, %g], want [%g, %g]", tt.name, s.lo, s.hi, tt.lo, tt.hi)
		}
	}
	m := line(0.5, 0.1, 0.5)
	if s := krypton(&m); !s.clippedLo || s.clippedHi {
		t.Error("p = 0.1 lies below Krypton's scale of p0 = 0.5, and nothing above")
	}
}
