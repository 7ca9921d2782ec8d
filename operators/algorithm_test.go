package operators_test

import (
	"testing"

	"occlude/operators"
)

// TestPoints counts multiplications of rectangles whose last tiles are smaller.
func TestPoints(t *testing.T) {
	for _, c := range []struct {
		how              operators.Algorithm
		h, w, taps, want int // taps of both axes
	}{
		{operators.Direct, 7, 5, 3, 7 * 5 * 9},
		{operators.Winograd2, 7, 2, 3, (3*4 + 3) * 4},
		{operators.Winograd4, 7, 7, 3, 11 * 11},
		{operators.Winograd4, 8, 9, 3, 12 * 15},
		{operators.Winograd6, 7, 14, 3, 11 * 20},
		{operators.Winograd4, 4, 5, 5, 8 * 13},
		{operators.Winograd4, 0, 5, 3, 0},
	} {
		if n := c.how.Points(c.h, c.w, c.taps, c.taps); n != c.want {
			t.Errorf("%s takes %d points for %dx%d cells, want %d", c.how, n, c.w, c.h, c.want)
		}
	}
	if n := operators.WinogradLine4.Points(3, 6, 1, 7); n != 3*18 {
		t.Errorf("a line of 6 cells takes %d points, want 18", n/3)
	}
}
