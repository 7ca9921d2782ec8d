package sampling

import (
	"math"

	"gonum.org/v1/gonum/integrate/quad"
)

// Link is how f, which is sampled and interpolated, becomes a map's value.
type Link int

const (
	// Logit is for probabilities, p = 1 / (1 + e^-f). Under a softmax f is a
	// class's logit less the logsumexp of all others.
	Logit Link = iota
	// Identity is for scores that are no probabilities: the value is f.
	Identity
)

// at is the value of f.
func (l Link) at(f float64) float64 {
	if l == Identity {
		return f
	}
	return 1 / (1 + math.Exp(-f))
}

// slope is how fast the value changes with f.
func (l Link) slope(f float64) float64 {
	if l == Identity {
		return 1
	}
	p := l.at(f)
	return p * (1 - p)
}

// limit bounds |f| of a probability; float32 has no p closer to 0 or 1 that
// means anything, and an infinite f none that can be interpolated.
const limit = 30

// clamp is f within the limit of its link.
func (l Link) clamp(f float64) float64 {
	if l == Identity {
		return f
	}
	return max(-limit, min(limit, f))
}

// nodes and shares integrate over a standard normal variable: Gauss-Hermite's
// for the weight e^-x², with z = √2 x.
var nodes, shares = func() (z, w []float64) {
	z, w = make([]float64, 9), make([]float64, 9)
	quad.Hermite{}.FixedLocations(z, w, math.Inf(-1), math.Inf(1))
	for i := range z {
		z[i] *= math.Sqrt2
		w[i] /= math.Sqrt(math.Pi)
	}
	return z, w
}()

// moments are the mean and the variance of the value when f is normal.
func (l Link) moments(mean, sd float64) (m, v float64) {
	base := l.at(mean)
	if l == Identity || sd == 0 {
		return base, sd * sd
	}
	// Of the distance from base, not of the value: squares of probabilities close
	// to 1 would cancel.
	var first, second float64
	for i, z := range nodes {
		d := l.at(mean+sd*z) - base
		first += shares[i] * d
		second += shares[i] * d * d
	}
	return base + first, max(0, second-first*first)
}
