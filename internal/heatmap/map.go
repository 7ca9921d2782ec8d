package heatmap

import (
	"fmt"

	"gorgonia.org/tensor"
)

// Map is one class's heat map on a grid of patch positions.
type Map struct {
	Rows, Cols int

	// X holds the left edge of each column's patch and Y the top edge of each
	// row's, in pixels of the model's input, strictly ascending. Steps may
	// differ: the last position often lies flush with the far edge.
	X, Y []int

	PatchW, PatchH int // the patch's size in pixels of the model's input

	P     []float32 // the class's probability at each position, row by row; NaN where it was not evaluated
	P0    float32   // the class's probability on the whole image
	Class string    // its label
}

// Figure is a picture to draw: an image and a heat map over it for each of some
// classes.
type Figure struct {
	// Image is the model's input before normalisation, as a person should see
	// it: shape (H, W, C) with C = 1 (gray) or 3 (RGB), or (H, W); float32 in 0..255.
	Image *tensor.Dense

	// Original asks for a first panel with the image alone, in its own colours.
	// The maps' panels show it in gray, where what differs in colour only is lost.
	Original bool

	Maps     []Map  // one panel each, in this order; at least one
	Title    string // a line above the panels, or ""
	Caption  string // small print below them, or ""
	Colormap string // one of Colormaps, or "" for DefaultColormap
}

// check reports what keeps m from being drawn.
func (m *Map) check() error {
	switch {
	case m.Rows < 1 || m.Cols < 1:
		return fmt.Errorf("a grid of %d rows and %d columns has no positions", m.Rows, m.Cols)
	case len(m.Y) != m.Rows || len(m.X) != m.Cols:
		return fmt.Errorf("a grid of %d rows and %d columns has %d row and %d column coordinates", m.Rows, m.Cols, len(m.Y), len(m.X))
	case len(m.P)%m.Cols != 0 || len(m.P)/m.Cols != m.Rows:
		return fmt.Errorf("a grid of %d rows and %d columns has %d probabilities", m.Rows, m.Cols, len(m.P))
	case m.PatchW < 1 || m.PatchH < 1:
		return fmt.Errorf("a patch of %dx%d pixels is empty", m.PatchW, m.PatchH)
	}
	for _, axis := range []struct {
		name  string
		edges []int
	}{{"x", m.X}, {"y", m.Y}} {
		for i, at := range axis.edges {
			if at < 0 {
				return fmt.Errorf("position %d lies at %s %d, outside the image", i, axis.name, at)
			}
			if i > 0 && at <= axis.edges[i-1] {
				return fmt.Errorf("%s coordinates must ascend, but %d follows %d", axis.name, at, axis.edges[i-1])
			}
		}
	}
	return nil
}

// drop is how far the probability fell at position i.
func (m *Map) drop(i int) float64 { return float64(m.P0) - float64(m.P[i]) }

// evaluated counts the positions that have a value.
func (m *Map) evaluated() int {
	n := 0
	for _, p := range m.P {
		if !isNaN(p) {
			n++
		}
	}
	return n
}

// partial says whether some positions have a value and some have none.
func (m *Map) partial() bool {
	n := m.evaluated()
	return 0 < n && n < len(m.P)
}

func isNaN(x float32) bool { return x != x }
