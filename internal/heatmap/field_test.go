package heatmap

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestAxis(t *testing.T) {
	// Patches of 4 at 0, 4 and 6 on 10 pixels: centres at 2, 6 and 8, cells meet
	// at 4 and 7.
	a := newAxis([]int{0, 4, 6}, 4, 10, 10)
	var nearest []int
	var at []float64
	for _, s := range a {
		nearest = append(nearest, s.nearest)
		at = append(at, lerp(float64(s.before), float64(s.after), s.weight))
	}
	if want := []int{0, 0, 0, 0, 1, 1, 1, 2, 2, 2}; !slices.Equal(nearest, want) {
		t.Errorf("cells %v, want %v", nearest, want)
	}
	if want := []float64{0, 0, 0.125, 0.375, 0.625, 0.875, 1.25, 1.75, 2, 2}; !slices.Equal(at, want) {
		t.Errorf("places %v, want %v", at, want)
	}
}

// A field over any grid lies between the values around each pixel, has a value
// exactly in the cells of positions that have one, and is a plain lookup where a
// pixel lies on a patch centre.
func TestFieldIsInterpolation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		edges := func(name string) []int {
			steps := rapid.SliceOfN(rapid.IntRange(1, 9), 1, 6).Draw(t, name)
			list := []int{rapid.IntRange(0, 5).Draw(t, name+" start")}
			for _, step := range steps[1:] {
				list = append(list, list[len(list)-1]+step)
			}
			return list
		}
		m := Map{X: edges("x"), Y: edges("y"), PatchW: rapid.IntRange(1, 8).Draw(t, "w"), PatchH: rapid.IntRange(1, 8).Draw(t, "h")}
		m.Cols, m.Rows = len(m.X), len(m.Y)
		for range m.Rows * m.Cols {
			m.P = append(m.P, rapid.SampledFrom([]float32{0, 0.25, 0.5, 1, nan}).Draw(t, "p"))
		}
		s := scale{lo: 0, hi: 1, value: func(m *Map, i int) float64 { return float64(m.P[i]) }}
		width, height := m.extent()
		f := newField(&m, &s, width, height, 2*int(width), 2*int(height)) // half-pixel steps: centres fall between pixels or on their edges

		cell := func(edges []int, patch int, at float64) int {
			best := 0
			for i := range edges {
				centre := func(i int) float64 { return float64(edges[i]) + float64(patch)/2 }
				if math.Abs(centre(i)-at) <= math.Abs(centre(best)-at) { // on a border the later one has it
					best = i
				}
			}
			return best
		}
		for py := range f.y {
			for px := range f.x {
				row, col := cell(m.Y, m.PatchH, (float64(py)+0.5)/2), cell(m.X, m.PatchW, (float64(px)+0.5)/2)
				value, ok := f.at(px, py)
				if want := !isNaN(m.P[row*m.Cols+col]); ok != want {
					t.Fatalf("pixel %d, %d in the cell of %d, %d: evaluated %v, want %v", px, py, col, row, ok, want)
				}
				if !ok {
					continue
				}
				lo, hi := math.Inf(1), math.Inf(-1)
				for r := max(row-1, 0); r <= min(row+1, m.Rows-1); r++ {
					for c := max(col-1, 0); c <= min(col+1, m.Cols-1); c++ {
						if p := float64(m.P[r*m.Cols+c]); !math.IsNaN(p) {
							lo, hi = min(lo, p), max(hi, p)
						}
					}
				}
				if value < lo-1e-12 || value > hi+1e-12 {
					t.Fatalf("pixel %d, %d is %g, its neighbourhood from %g to %g", px, py, value, lo, hi)
				}
			}
		}
	})
}

// Bilinear interpolation draws a plane exactly, between the outermost centres.
func TestFieldOfAPlane(t *testing.T) {
	plane := func(x, y float64) float64 { return 0.25 + x/64 + y/128 }
	m := mapOf(24, 20, 6, 5, 0, plane)
	s := scale{lo: 0, hi: 1, value: func(m *Map, i int) float64 { return float64(m.P[i]) }}
	f := newField(&m, &s, 24, 20, 96, 80)
	for py := 12; py < 68; py++ {
		for px := 12; px < 84; px++ {
			got, _ := f.at(px, py)
			if want := plane((float64(px)+0.5)/4, (float64(py)+0.5)/4); math.Abs(got-want) > 1e-6 {
				t.Fatalf("pixel %d, %d is %g, want %g", px, py, got, want)
			}
		}
	}
}
