package lattice

import (
	"math"
	"math/bits"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// On a grid whose last lines are lattice lines anyway, a position's level is by the
// largest power of two that divides its row and column.
func TestLevelsArePowersOfTwo(t *testing.T) {
	const n = 33
	l := NewLevels(edges(n, 4, 0), edges(n, 4, 0), all(n*n), 1, 1)
	const coarsest = 3 // steps of 8: 5 x 5 positions; of 16: 3 x 3
	for c := range n * n {
		step := bits.TrailingZeros(uint(c%n | c/n | 1<<coarsest))
		if got := int(l.of[c]); got != coarsest-step {
			t.Fatalf("row %d, column %d is of level %d, want %d", c/n, c%n, got, coarsest-step)
		}
	}
	if want := []int{25, 81 - 25, 289 - 81, 1089 - 289}; !slices.Equal(l.Sizes(), want) {
		t.Errorf("levels of %d, want %d", l.Sizes(), want)
	}
}

// The row that the package's documentation shows, with the coarsest level made by hand:
// a grid as small as that has one level.
func TestLevelsOfARow(t *testing.T) {
	row := NewLevels(edges(19, 4, 2), []int{0}, all(19), 8, 8)
	want := []uint8{0, 3, 2, 3, 1, 3, 2, 3, 0, 3, 2, 3, 1, 3, 2, 3, 0, 3, 0}
	if !slices.Equal(row.of, want) {
		t.Errorf("levels %d, want %d", row.of, want)
	}
	order := []int32{18, 17, 16, 15, 14, 13, 12, 11, 10}
	row.Sort(order)
	if want := []int32{18, 16, 12, 14, 10, 17, 15, 13, 11}; !slices.Equal(order, want) {
		t.Errorf("in the order %d, want %d", order, want)
	}
}

// Steps that are no powers of two, as drill-down has them, become finer all the same.
func TestLevelsOfSteps(t *testing.T) {
	l := NewLevels(edges(50, 4, 0), edges(50, 4, 0), all(2500), 6, 5)
	steps := []int{}
	for _, of := range l.lattices {
		steps = append(steps, of.x.step, of.y.step)
	}
	if want := []int{24, 20, 12, 10, 6, 5, 3, 1, 1, 1}; !slices.Equal(steps, want) {
		t.Errorf("steps %d, want %d", steps, want)
	}
}

// Whatever the grid, its holes and what is known of it: what is known stays, all others
// get a value between the known ones, and a plane comes out exactly once the coarsest
// level is known of a grid without holes. A position's level has those that it is
// filled in from before it.
func TestFillAnyGrid(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x, y, cells := anyGrid(t, 24)
		if len(cells) == 0 {
			return
		}
		l := NewLevels(x, y, cells, rapid.IntRange(1, 7).Draw(t, "step x"), rapid.IntRange(1, 7).Draw(t, "step y"))
		order := all(len(cells))
		l.Sort(order)
		n := rapid.IntRange(1, len(cells)).Draw(t, "known")
		if rapid.Bool().Draw(t, "in any order") {
			order = rapid.Permutation(order).Draw(t, "order")
		}
		known := make([]bool, len(cells))
		for _, i := range order[:n] {
			known[i] = true
		}
		complete := true
		for i, of := range l.of {
			complete = complete && (known[i] || of > 0)
		}
		nan := float32(math.NaN())
		plane, constant := make([]float32, len(cells)), make([]float32, len(cells))
		low, high := float32(math.Inf(1)), float32(math.Inf(-1))
		at := func(i int) float32 { return float32(3*x[int(cells[i])%len(x)] - 2*y[int(cells[i])/len(x)]) }
		for i := range plane {
			plane[i], constant[i] = nan, nan
			if known[i] {
				plane[i], constant[i] = at(i), 7
				low, high = min(low, plane[i]), max(high, plane[i])
			}
		}
		l.Fill(known, plane, constant)
		for i, v := range plane {
			if !(v >= low-1e-3 && v <= high+1e-3) || math.Abs(float64(constant[i])-7) > 1e-5 {
				t.Fatalf("position %d is %g of %g to %g, %g of 7", i, v, low, high, constant[i])
			}
			if known[i] && v != at(i) {
				t.Fatalf("position %d was known to be %g and is %g", i, at(i), v)
			}
			if complete && len(cells) == len(x)*len(y) && math.Abs(float64(v-at(i))) > 1e-3 {
				t.Fatalf("position %d is %g on a plane at %g", i, v, at(i))
			}
		}
	})
}

// The coarsest level alone makes what its lattice makes, enlarged.
func TestFillEnlarges(t *testing.T) {
	const n = 33
	l := NewLevels(edges(n, 4, 0), edges(n, 4, 0), all(n*n), 1, 1)
	coarse := l.lattices[0]
	values := make([]float32, n*n)
	for i, known := range coarse.known {
		if known {
			values[i] = float32(i * i % 101)
		}
	}
	want := slices.Clone(values)
	coarse.Enlarge(want)
	l.Fill(coarse.known, values)
	for i := range values {
		if math.Abs(float64(values[i]-want[i])) > 1e-3 {
			t.Fatalf("position %d is %g, want %g", i, values[i], want[i])
		}
	}
}

func BenchmarkFill(b *testing.B) {
	const n = 53
	l := NewLevels(edges(n, 4, 0), edges(n, 4, 0), all(n*n), 1, 1)
	known := make([]bool, n*n)
	for i, of := range l.of {
		known[i] = of == 0
	}
	values := make([]float32, n*n)
	for b.Loop() {
		l.Fill(known, values)
	}
}
