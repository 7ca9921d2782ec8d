package sampling

import (
	"math"
	"testing"
)

// Tabulated correlations are those of the formulas.
func TestCorrelations(t *testing.T) {
	for smoothness, formula := range []func(t float64) float64{
		func(t float64) float64 { return (1 + t) * math.Exp(-t) },
		func(t float64) float64 { return (1 + t + t*t/3) * math.Exp(-t) },
	} {
		for length, patches := range lengths {
			s := shape{smoothness, length, 0}
			for d := 0.0; d < 300; d = 1.01*d + 0.003 {
				want := formula(math.Sqrt(float64(3+2*smoothness)) * d / patches)
				if got := correlation(s, point{0, 0}, point{0.6 * d, 0.8 * d}); math.Abs(got-want) > 1e-8 {
					t.Fatalf("%v: %g at a distance of %g, want %g", s, got, d, want)
				}
			}
		}
	}
	for x := 0.0; x < 100; x += 0.0371 {
		if got := decay.at(x); math.Abs(got-math.Exp(-x)) > 1e-8 {
			t.Fatalf("e^-%g = %g", x, got)
		}
		if got, want := tail.at(x), math.Erfc(x/math.Sqrt2)/2; math.Abs(got-want) > 1e-8 {
			t.Fatalf("beyond %g: %g, want %g", x, got, want)
		}
	}
}
