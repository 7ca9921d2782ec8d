package faithfulness

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"occlude/operators/region"
)

// Map is how much each pixel of an image matters, row by row; NaN where nothing is
// known.
type Map struct {
	Width, Height int
	Importance    []float64
}

// New spreads values over the pixels: each has the mean of those whose patches cover
// it. The patches lie inside the image, and there is one for each value.
func New(width, height int, patches []region.Rect, values []float64) *Map {
	m := &Map{Width: width, Height: height, Importance: make([]float64, width*height)}
	covers := make([]int, width*height)
	for i, r := range patches {
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			for at := y*width + r.X.Lo; at < y*width+r.X.Hi; at++ {
				m.Importance[at] += values[i]
				covers[at]++
			}
		}
	}
	for at, n := range covers {
		if n == 0 {
			m.Importance[at] = math.NaN()
			continue
		}
		m.Importance[at] /= float64(n)
	}
	return m
}

// Shuffle deals values out at random. The same seed and stream give the same order
// on every machine.
func Shuffle(values []float64, seed, stream uint64) []float64 {
	dealt := slices.Clone(values)
	rand.New(rand.NewPCG(seed, stream)).Shuffle(len(dealt), func(i, j int) { dealt[i], dealt[j] = dealt[j], dealt[i] })
	return dealt
}

// Order lists the pixels, as indices of Importance, from the most to the least
// important.
func (m *Map) Order() []int32 {
	order := make([]int32, len(m.Importance))
	for i := range order {
		order[i] = int32(i)
	}
	// NaN is less than every number to cmp, so it comes last.
	slices.SortStableFunc(order, func(a, b int32) int { return cmp.Compare(m.Importance[b], m.Importance[a]) })
	return order
}

// Peak is the most important pixel; ok is false where nothing is known of any.
func (m *Map) Peak() (x, y int, ok bool) {
	best := math.Inf(-1)
	var equal []int // pixels
	for at, v := range m.Importance {
		switch {
		case v != v || v < best:
		case v > best || len(equal) == 0:
			best, equal = v, append(equal[:0], at)
		default:
			equal = append(equal, at)
		}
	}
	if len(equal) == 0 {
		return 0, 0, false
	}
	// The centre of gravity in whole numbers: rounding must not choose between two
	// sides.
	n, sumX, sumY := len(equal), 0, 0
	for _, at := range equal {
		sumX, sumY = sumX+at%m.Width, sumY+at/m.Width
	}
	distance := func(at int) float64 {
		dx, dy := float64(n*(at%m.Width)-sumX), float64(n*(at/m.Width)-sumY)
		return dx*dx + dy*dy
	}
	at := slices.MinFunc(equal, func(a, b int) int { return cmp.Compare(distance(a), distance(b)) })
	return at % m.Width, at / m.Width, true
}
