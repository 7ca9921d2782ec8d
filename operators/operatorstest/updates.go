package operatorstest

import (
	"math"
	"math/rand/v2"
	"slices"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// Occluded is an image of which a rectangle was replaced.
func Occluded(image *tensor.Dense, s network.Shape, patch operators.Tile) *tensor.Dense {
	changed := image.Clone().(*tensor.Dense)
	whole := operators.WholeTile(s, changed.Float32s())
	r := patch.Rect
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		copy(whole.Row(y, r.X.Lo, r.X.Hi), patch.Row(y, r.X.Lo, r.X.Hi))
	}
	return changed
}

// Borders are rectangles that exercise every border: the corners, the edges, the middle,
// single cells, lines and the whole image.
func Borders(rng *rand.Rand, s network.Shape) []region.Rect {
	w, h := 1+rng.IntN(max(1, s.W/2)), 1+rng.IntN(max(1, s.H/2))
	return []region.Rect{
		region.Of(0, 0, w, h), region.Of(s.W-w, 0, w, h), region.Of(0, s.H-h, w, h), region.Of(s.W-w, s.H-h, w, h),
		region.Of((s.W-w)/2, (s.H-h)/2, w, h),
		region.Of(0, 0, 1, 1), region.Of(s.W-1, s.H-1, 1, 1),
		region.Of(0, rng.IntN(s.H), s.W, 1), region.Of(rng.IntN(s.W), 0, 1, s.H),
		s.Whole(),
	}
}

// Updates makes an update for each patch, with the rectangles that the region algebra
// gives.
func Updates(net *network.Network, patches []operators.Tile) []operators.Update {
	batch := make([]operators.Update, len(patches))
	for i, p := range patches {
		batch[i] = operators.Update{Patch: p, Rects: net.Trace(p.Rect, nil), Out: make([]float32, net.Output.Shape.Len())}
	}
	return batch
}

// Cut is the part of a network that computes layer i.
func Cut(net *network.Network, i int) *network.Network {
	c := net.Clone()
	c.Output = c.Layers[i]
	c.Sort()
	return c
}

// HasSums tells whether a network holds sums that updates adjust instead of
// repeating, in which the plan shows in the last bits.
func HasSums(net *network.Network) bool {
	return slices.ContainsFunc(net.Layers, func(l *network.Layer) bool {
		switch op := l.Op.(type) {
		case network.GlobalPool:
			return op.Fn != network.Largest
		case network.Dense:
			return l.In[0].Shape.Cells() > 1
		}
		return false
	})
}

// SameBits tells whether two results are the same to the bit, NaN and the sign of zero
// included.
func SameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

// Distance is how far apart two results are, relative to the largest finite value if that
// is above 1; infinite where one is not finite and the other is not the same.
func Distance(a, b []float32) float64 {
	scale, far := 1.0, 0.0
	for _, v := range b {
		if x := math.Abs(float64(v)); x > scale && !math.IsInf(x, 0) {
			scale = x
		}
	}
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		if x == y || math.IsNaN(x) && math.IsNaN(y) {
			continue
		}
		d := math.Abs(x-y) / scale
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		far = max(far, d)
	}
	return far
}
