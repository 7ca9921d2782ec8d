package lattice

import "math"

// Stride is the stride S1, in pixels, at which drill-down with the fraction r
// computes t times fewer positions than stride s2 has. It needs r t < 1.
func Stride(t, r, s2 float64) float64 { return math.Sqrt(t/(1-r*t)) * s2 }

// Step is how many strides s2 the stride s1 is, rounded up.
func Step(s1, s2 float64) int {
	// What only rounding made more than a whole number is that number.
	return max(1, int(math.Ceil(s1/s2-1e-9)))
}

// Most is the speedup that drill-down must stay below on an image of side w.
func Most(r, s2, w float64) float64 { return min(w*w/(s2*s2+r*w*w), 1/r) }
