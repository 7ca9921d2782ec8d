package lattice

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// edges of a grid along one axis: steps of stride, and a rim.
func edges(n, stride, rim int) []int {
	e := make([]int, n)
	for i := range e {
		e[i] = i * stride
	}
	if rim > 0 && n > 1 {
		e[n-1] = e[n-2] + rim
	}
	return e
}

func all(n int) []int32 {
	cells := make([]int32, n)
	for i := range cells {
		cells[i] = int32(i)
	}
	return cells
}

// By hand: columns 0 4 8 12 14, every second one and the rim; a single row.
func TestEnlarge(t *testing.T) {
	l := New(edges(5, 4, 2), []int{0}, all(5), 2, 2)
	if got := l.Known(); !slices.Equal(got, []int32{0, 2, 4}) {
		t.Fatalf("the lattice is %v", got)
	}
	nan := float32(math.NaN())
	values := []float32{1, nan, 3, nan, 6}
	l.Enlarge(values)
	// 12 lies 4 of 6 pixels from 8 to 14.
	if want := []float32{1, 2, 3, 5, 6}; !slices.Equal(values, want) {
		t.Errorf("%v, want %v", values, want)
	}
}

// A 3x3 block with its corners at (0,0) (2,0) (0,2) (2,2), some in holes.
func TestEnlargeAroundHoles(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name   string
		cells  []int32
		known  []int32
		values []float32 // of the lattice's positions, NaN elsewhere
		want   []float32
	}{
		{"no hole", all(9), []int32{0, 2, 6, 8},
			[]float32{0, nan, 2, nan, nan, nan, 4, nan, 6}, []float32{0, 1, 2, 2, 3, 4, 4, 5, 6}},
		// Without (2,2): the centre has a quarter of each of three.
		{"a corner", []int32{0, 2, 4, 5, 6}, []int32{0, 1, 4}, []float32{3, 6, nan, nan, 9}, []float32{3, 6, 6, 6, 9}},
		// Only (0,0) is left: cell 8's neighbours 5 and 7 have no weight on it.
		{"three corners", []int32{0, 5, 7}, []int32{0}, []float32{7, nan, nan}, []float32{7, 7, 7}},
		// No corner: cell 4, the centre, stands for the block.
		{"all corners", []int32{1, 4, 5}, []int32{1}, []float32{nan, 8, nan}, []float32{8, 8, 8}},
	} {
		l := New(edges(3, 4, 0), edges(3, 4, 0), c.cells, 2, 2)
		if got := l.Known(); !slices.Equal(got, c.known) {
			t.Errorf("%s: the lattice is %v, want %v", c.name, got, c.known)
			continue
		}
		l.Enlarge(c.values)
		if !slices.Equal(c.values, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.values, c.want)
		}
	}
}

// anyGrid draws a grid of up to so many lines each way, with or without a rim, and the
// cells of it that are no holes, which may be none.
func anyGrid(t *rapid.T, lines int) (x, y []int, cells []int32) {
	axis := func(name string) []int {
		stride := rapid.IntRange(1, 9).Draw(t, name+" stride")
		return edges(rapid.IntRange(1, lines).Draw(t, name), stride, rapid.IntRange(0, stride).Draw(t, name+" rim"))
	}
	x, y = axis("columns"), axis("rows")
	holes := rapid.SampledFrom([]int{0, 1, 5, 9}).Draw(t, "holes of 10")
	for c := range all(len(x) * len(y)) {
		if rapid.IntRange(0, 9).Draw(t, "hole") >= holes {
			cells = append(cells, int32(c))
		}
	}
	return x, y, cells
}

// Whatever the grid and its holes: a plane is enlarged exactly where no corner is
// missing, and everywhere values stay between those of the lattice.
func TestEnlargeAnyGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, cells := anyGrid(t, 14)
		l := New(x, y, cells, rapid.IntRange(1, 6).Draw(t, "step x"), rapid.IntRange(1, 6).Draw(t, "step y"))
		plane := func(c int32) float32 { return float32(3*x[int(c)%len(x)] - 2*y[int(c)/len(x)]) }
		values := slices.Repeat([]float32{float32(math.NaN())}, len(cells))
		low, high := float32(math.Inf(1)), float32(math.Inf(-1))
		for _, i := range l.Known() {
			values[i] = plane(cells[i])
			low, high = min(low, values[i]), max(high, values[i])
		}
		if len(cells) > 0 && len(l.Known()) == 0 {
			t.Fatal("positions, but no lattice")
		}
		l.Enlarge(values)
		for i, v := range values {
			if !(v >= low-1e-3 && v <= high+1e-3) { // not NaN either
				t.Fatalf("position %d is %g, the lattice has %g to %g", i, v, low, high)
			}
			if want := plane(cells[i]); len(cells) == len(x)*len(y) && math.Abs(float64(v-want)) > 1e-3 {
				t.Fatalf("position %d is %g on a plane at %g", i, v, want)
			}
		}
	})
}

func TestLargest(t *testing.T) {
	values := []float32{1, 5, 3, 5, -2, 3}
	for n, want := range [][]int32{{}, {1}, {1, 3}, {1, 2, 3}, {1, 2, 3, 5}} {
		if got := Largest(values, n); !slices.Equal(got, want) {
			t.Errorf("the largest %d: %v, want %v", n, got, want)
		}
	}
	if got := Largest(values, 99); len(got) != 6 {
		t.Errorf("%v", got)
	}
}

// Krypton's example: stride 4, a quarter, three times, on 224 pixels.
func TestStride(t *testing.T) {
	s1 := Stride(3, .25, 4)
	if math.Abs(s1-13.8564) > 1e-4 || Step(s1, 4) != 4 {
		t.Errorf("S1 is %g, %d strides", s1, Step(s1, 4))
	}
	if most := Most(.25, 4, 224); math.Abs(most-50176/(16+.25*50176)) > 1e-12 {
		t.Errorf("the speedup must be below %g", most)
	}
	if most := Most(.9, 1, 1e9); math.Abs(most-1/.9) > 1e-6 {
		t.Errorf("the speedup must be below %g", most)
	}
	// Just below the most, S1 is just below the image's side.
	if s1 := Stride(Most(.25, 4, 224)*(1-1e-12), .25, 4); math.Abs(s1-224) > 1e-3 {
		t.Errorf("S1 is %g at the limit", s1)
	}
	if Step(12, 4) != 3 || Step(12.1, 4) != 4 || Step(.5, 4) != 1 {
		t.Error("rounding up to strides")
	}
}
