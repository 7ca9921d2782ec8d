package region

import (
	"testing"

	"pgregory.net/rapid"
)

// By hand: the crop, what it touches, and the borders.
func TestThreshold(t *testing.T) {
	same := Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	for _, c := range []struct {
		name  string
		w     Window
		in    Interval
		n     int
		limit int
		want  Interval
		crop  bool
	}{
		{"below the limit", same, Interval{4, 8}, 20, 6, Interval{3, 9}, false},
		// 6 cells change; 4 are touched by 4*1 - 3 + 1 = 2 cells, cut 2, one in front.
		{"in the middle", same, Interval{4, 8}, 20, 4, Interval{4, 8}, true},
		// 7 cells change; 3 touched by one cell, cut 4 of 5.
		{"cut evenly", same, Interval{4, 9}, 20, 3, Interval{5, 8}, true},
		// Cut 3 of 5: one in front, two behind.
		{"cut oddly", same, Interval{4, 9}, 20, 4, Interval{4, 8}, true},
		// At the border [0, 5) changes 6 cells; the crop of 2 begins at 1.
		{"at the near border", same, Interval{0, 5}, 20, 4, Interval{0, 4}, true},
		{"at the far border", same, Interval{15, 20}, 20, 4, Interval{15, 19}, true},
		// One cell touches 3; the limit of 2 keeps the first ones.
		{"a single cell", same, Interval{9, 10}, 20, 2, Interval{8, 10}, true},
		// k 7, stride 2, pad 3: [10, 26) changes [4, 15), 11 cells; 6 are touched by
		// 6*2 - 7 + 1 = 6 cells, cut 10, so [15, 21): ceil(12/2) to floor(23/2).
		{"stride", Window{Kernel: 7, Stride: 2, Pad: 3, Dilation: 1}, Interval{10, 26}, 56, 6, Interval{6, 12}, true},
		// Dilated 2, extent 5, pad 2: [8, 14) changes [6, 16), 10 cells; 7 are touched
		// by 7 - 5 + 1 = 3 cells, cut 3, one in front: [9, 12).
		{"dilation", Window{Kernel: 3, Stride: 1, Pad: 2, Dilation: 2}, Interval{8, 14}, 30, 7, Interval{7, 14}, true},
		// A pool of 2x2, stride 2: [3, 12) changes [1, 6); 3 are touched by 5 cells, [5, 10).
		{"pool", Window{Kernel: 2, Stride: 2, Dilation: 1}, Interval{3, 12}, 10, 3, Interval{2, 5}, true},
		{"nothing", same, Interval{}, 20, 1, Interval{}, false},
	} {
		if got, _, crop := c.w.Threshold(c.in, c.n, c.limit); got != c.want || crop != c.crop {
			t.Errorf("%s: %v cropped to %v (%v), want %v (%v)", c.name, c.in, got, crop, c.want, c.crop)
		}
	}
}

func TestLimit(t *testing.T) {
	for _, c := range []struct {
		tau  float64
		n    int
		want int
	}{{1, 56, 56}, {.5, 5, 2}, {.5, 7, 4}, {.6, 56, 34}, {.01, 7, 1}, {1, 1, 1}} {
		if got := Limit(c.tau, c.n); got != c.want {
			t.Errorf("%g of %d is %d, want %d", c.tau, c.n, got, c.want)
		}
	}
}

// A thresholded update is a part of the update, no larger than the limit, and
// all of it where the limit allows.
func TestThresholdIsPartOfOutput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windows().Draw(t, "window")
		n := rapid.IntRange(1, 40).Draw(t, "n")
		lo := rapid.IntRange(0, 60).Draw(t, "lo")
		in := Interval{lo, lo + rapid.IntRange(0, 40).Draw(t, "len")}
		limit := rapid.IntRange(1, n).Draw(t, "limit")
		all := w.Output(in, n)
		out, read, cropped := w.Threshold(in, n, limit)
		switch {
		case out.Len() > limit:
			t.Fatalf("%d cells above %d", out.Len(), limit)
		case all.Union(out) != all:
			t.Fatalf("%v is no part of %v", out, all)
		case cropped != (all.Len() > limit):
			t.Fatalf("cropped is %v for %v of %v", cropped, out, all)
		case in.Union(read) != in || !cropped && read != in || cropped && w.Output(read, n).Union(out) != w.Output(read, n):
			t.Fatalf("%v of %v is read for %v", read, in, out)
		case !cropped && out != all:
			t.Fatalf("%v is not %v, though %d cells are allowed", out, all, limit)
		}
		if full, _, cropped := w.Threshold(in, n, Limit(1, n)); cropped || full != all {
			t.Fatalf("tau = 1 makes %v of %v", full, all)
		}
	})
}
