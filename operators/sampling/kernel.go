package sampling

import (
	"fmt"
	"math"
)

// shape is the correlation function of f's process and the share of it that is
// not smooth at any distance. Its scale is no part of it: that is local, and
// follows from the errors of samples left out.
type shape struct{ smoothness, length, nugget int } // indices into the tables below

var (
	// smoothnesses are Matérn functions (Rasmussen and Williams, "Gaussian Processes
	// for Machine Learning", MIT Press 2006, 4.17) of t = stretch·distance/length.
	smoothnesses = []struct {
		name        string
		stretch     float64
		correlation curve
	}{
		{"3/2", math.Sqrt(3), newCurve(
			func(t float64) float64 { return (1 + t) * math.Exp(-t) },
			func(t float64) float64 { return -t * math.Exp(-t) },
		)},
		{"5/2", math.Sqrt(5), newCurve(
			func(t float64) float64 { return (1 + t + t*t/3) * math.Exp(-t) },
			func(t float64) float64 { return -t * (1 + t) / 3 * math.Exp(-t) },
		)},
	}
	// lengths are in sides of the patch: what a patch hides has changed wholly when
	// it has moved by its own side, and the network's windows blur that.
	lengths = []float64{0.25, 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8, 4}
	// nuggets are variances beside the smooth part's, which is 1.
	nuggets = []float64{1e-4, 1e-3, 1e-2, 1e-1}
)

// middle is where the search for a shape begins: one patch long, fairly smooth.
var middle = shape{smoothness: 1, length: 4, nugget: 2}

func (s shape) String() string {
	return fmt.Sprintf("Matérn %s, length %g patches, nugget %g",
		smoothnesses[s.smoothness].name, lengths[s.length], nuggets[s.nugget])
}

func (s shape) valid() bool {
	return s.smoothness >= 0 && s.smoothness < len(smoothnesses) &&
		s.length >= 0 && s.length < len(lengths) && s.nugget >= 0 && s.nugget < len(nuggets)
}

// steps are the shapes one step away.
func (s shape) steps() []shape {
	var list []shape
	for _, d := range []shape{{0, 1, 0}, {0, -1, 0}, {0, 0, 1}, {0, 0, -1}, {1, 0, 0}, {-1, 0, 0}} {
		if n := (shape{s.smoothness + d.smoothness, s.length + d.length, s.nugget + d.nugget}); n.valid() {
			list = append(list, n)
		}
	}
	return list
}

// correlations are those of a place's smooth part with others'.
func (s shape) correlations(to []float64, p point, others []point) {
	m := &smoothnesses[s.smoothness]
	rate, curve := m.stretch/lengths[s.length], m.correlation
	for i, q := range others {
		to[i] = curve.at(rate * math.Sqrt(p.distance2(q)))
	}
}

func (s shape) noise() float64 { return nuggets[s.nugget] }
