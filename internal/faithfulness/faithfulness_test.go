package faithfulness_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/faithfulness"
	"occlude/operators/region"
)

// drawMap draws an image with patches on it and whole numbers as their values, whose
// sums are exact.
func drawMap(t *rapid.T) (width, height int, patches []region.Rect, values []float64) {
	width, height = rapid.IntRange(1, 12).Draw(t, "width"), rapid.IntRange(1, 12).Draw(t, "height")
	for range rapid.IntRange(0, 20).Draw(t, "patches") {
		w, h := rapid.IntRange(1, width).Draw(t, "w"), rapid.IntRange(1, height).Draw(t, "h")
		x, y := rapid.IntRange(0, width-w).Draw(t, "x"), rapid.IntRange(0, height-h).Draw(t, "y")
		patches = append(patches, region.Of(x, y, w, h))
		values = append(values, float64(rapid.IntRange(-3, 3).Draw(t, "value")))
	}
	return width, height, patches, values
}

// TestImportance compares with the definition, pixel by pixel, and checks that the
// order is one: every pixel once, none before a more important one, and equal ones as
// they are read.
func TestImportance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height, patches, values := drawMap(t)
		m := faithfulness.New(width, height, patches, values)
		for at, got := range m.Importance {
			x, y := at%width, at/width
			var over []float64
			for i, p := range patches {
				if x >= p.X.Lo && x < p.X.Hi && y >= p.Y.Lo && y < p.Y.Hi {
					over = append(over, values[i])
				}
			}
			sum := 0.0
			for _, v := range over {
				sum += v
			}
			want := sum / float64(len(over)) // 0/0 where there is none
			if got != want && !(math.IsNaN(got) && math.IsNaN(want)) {
				t.Fatalf("(%d, %d) has %v, want %v", x, y, got, want)
			}
		}
		order := m.Order()
		before := func(a, b int32) bool {
			u, v := m.Importance[a], m.Importance[b]
			switch {
			case math.IsNaN(u) != math.IsNaN(v):
				return math.IsNaN(v)
			case u > v, u < v:
				return u > v
			}
			return a < b
		}
		for i := 1; i < len(order); i++ {
			if !before(order[i-1], order[i]) {
				t.Fatalf("pixel %d stands before %d", order[i-1], order[i])
			}
		}
		if len(order) != width*height {
			t.Fatalf("%d pixels of %d are in the order", len(order), width*height)
		}
	})
}

// TestPeak wants the middle of the best pixels.
func TestPeak(t *testing.T) {
	m := faithfulness.New(9, 7, []region.Rect{region.Of(0, 0, 9, 7), region.Of(2, 1, 5, 3)}, []float64{1, 3})
	if x, y, ok := m.Peak(); !ok || x != 4 || y != 2 {
		t.Errorf("the peak of one patch is (%d, %d), %v", x, y, ok)
	}
	m = faithfulness.New(9, 7, []region.Rect{region.Of(1, 1, 1, 1), region.Of(7, 5, 1, 1)}, []float64{2, 2})
	if x, y, _ := m.Peak(); x != 1 || y != 1 { // as far from the middle as the other
		t.Errorf("the peak of two is (%d, %d)", x, y)
	}
	if _, _, ok := faithfulness.New(3, 3, nil, nil).Peak(); ok {
		t.Error("a map of nothing has a peak")
	}
	rapid.Check(t, func(t *rapid.T) {
		width, height, patches, values := drawMap(t)
		m := faithfulness.New(width, height, patches, values)
		x, y, ok := m.Peak()
		if !ok {
			return
		}
		if at := m.Order()[0]; m.Importance[at] != m.Importance[y*width+x] {
			t.Fatalf("(%d, %d) has %v, the first of the order %v", x, y, m.Importance[y*width+x], m.Importance[at])
		}
	})
}

// TestCurve checks areas of curves whose area is known, and where the steps are.
func TestCurve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		pixels := rapid.IntRange(1, 1000).Draw(t, "pixels")
		steps := rapid.IntRange(1, pixels).Draw(t, "steps")
		a, b := rapid.Float64Range(-1, 1).Draw(t, "a"), rapid.Float64Range(-1, 1).Draw(t, "b")
		for i, x := range [][]int{faithfulness.Even(pixels, steps), faithfulness.Early(pixels, steps)} {
			if x[0] != 0 || x[steps] != pixels || len(x) != steps+1 {
				t.Fatalf("%d steps of %d pixels: %v", steps, pixels, x)
			}
			line := make([]float64, len(x))
			for k := range x {
				share := float64(k) / float64(steps)
				if i == 1 {
					share *= share
				}
				if off := math.Abs(float64(x[k]) - share*float64(pixels)); off > 0.5+1e-9 && x[k] != k {
					t.Fatalf("step %d of %d through %d pixels is %d", k, steps, pixels, x[k])
				}
				if k > 0 && x[k] <= x[k-1] {
					t.Fatalf("%d steps of %d pixels do not ascend: %v", steps, pixels, x)
				}
				line[k] = a + b*float64(x[k])/float64(pixels)
			}
			if got, want := faithfulness.Area(x, line), a+b/2; math.Abs(got-want) > 1e-12 {
				t.Fatalf("the area under a line is %v, want %v", got, want)
			}
		}
	})
	// RISE's own formula, for steps of equal width.
	y := []float64{0.9, 0.5, 0.25, 0.1, 0.05}
	if got, want := faithfulness.Area([]int{0, 3, 6, 9, 12}, y), (1.8-0.9/2-0.05/2)/4; math.Abs(got-want) > 1e-15 {
		t.Errorf("the area is %v, want %v", got, want)
	}
}

// TestPlaces compares margins, hits and energies with their definitions.
func TestPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width, height, patches, values := drawMap(t)
		marks := make(faithfulness.Marks, width*height)
		for at := range marks {
			marks[at] = rapid.IntRange(0, 9).Draw(t, "mark") == 0
		}
		margin := rapid.Float64Range(0, 20).Draw(t, "margin")
		near, hits := marks.Within(margin, width), 0.0
		for at := range marks {
			want := false
			for other, on := range marks {
				dx, dy := float64(at%width-other%width), float64(at/width-other/width)
				want = want || on && dx*dx+dy*dy <= margin*margin
			}
			if near[at] != want {
				t.Fatalf("(%d, %d) is within %v: %v, want %v", at%width, at/width, margin, near[at], want)
			}
			if want {
				hits++
			}
		}
		if got := near.Share(); got != hits/float64(len(marks)) {
			t.Fatalf("the chance is %v, want %v of %d", got, hits, len(marks))
		}
		m := faithfulness.New(width, height, patches, values)
		if x, y, ok := m.Peak(); m.Hit(near) != (ok && near[y*width+x]) {
			t.Fatalf("a hit is %v", m.Hit(near))
		}
		inside := make(faithfulness.Marks, len(marks))
		outside, rest := m.Energy(inside), 0.0
		for at := range inside {
			inside[at] = !marks[at]
			rest += max(0, m.Importance[at])
		}
		sum := m.Energy(marks) + m.Energy(inside)
		if outside != 0 || sum > 1+1e-12 || rest > 0 && sum < 1-1e-12 {
			t.Fatalf("the energy inside and outside is %v", sum)
		}
	})
}

// TestBounds wants rectangles that hold all pixels, and touch one with every side.
func TestBounds(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		width := 1 + rng.IntN(9)
		pixels := make([]int32, 1+rng.IntN(12))
		for i := range pixels {
			pixels[i] = rng.Int32N(60)
		}
		counts := faithfulness.Even(len(pixels), 1+rng.IntN(len(pixels)))
		first, others := faithfulness.Bounds(pixels, counts, width)
		for k, n := range counts {
			for _, c := range []struct {
				r      region.Rect
				pixels []int32
			}{{first[k], pixels[:n]}, {others[k], pixels[n:]}} {
				x, y := make([]int, 0), make([]int, 0)
				for _, p := range c.pixels {
					x, y = append(x, int(p)%width), append(y, int(p)/width)
				}
				var want region.Rect
				if len(x) > 0 {
					want = region.Of(slices.Min(x), slices.Min(y), slices.Max(x)-slices.Min(x)+1, slices.Max(y)-slices.Min(y)+1)
				}
				if c.r != want {
					t.Errorf("%v in rows of %d: %v, want %v", c.pixels, width, c.r, want)
				}
			}
		}
	}
}

// TestShuffle wants the same values, in an order that the seed decides.
func TestShuffle(t *testing.T) {
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	a, b, c := faithfulness.Shuffle(values, 1, 0), faithfulness.Shuffle(values, 1, 0), faithfulness.Shuffle(values, 1, 1)
	if !slices.Equal(a, b) || slices.Equal(a, c) || slices.Equal(a, values) {
		t.Errorf("%v, %v and %v", a, b, c)
	}
	slices.Sort(a)
	if !slices.Equal(a, values) || values[0] != 1 {
		t.Errorf("the values became %v of %v", a, values)
	}
}
