package region

import (
	"testing"

	"pgregory.net/rapid"
)

// touched finds by brute force the hull of the outputs that read a cell of in.
func touched(w Window, in Interval, size, n int) Interval {
	hull := Interval{}
	for o := range n {
		for k := range w.Kernel {
			cell := o*w.Stride - w.Pad + k*w.Dilation
			if cell >= 0 && cell < size && cell >= in.Lo && cell < in.Hi {
				hull = hull.Union(Interval{o, o + 1})
			}
		}
	}
	return hull
}

func windows() *rapid.Generator[Window] {
	return rapid.Custom(func(t *rapid.T) Window {
		return Window{
			Kernel:   rapid.IntRange(1, 7).Draw(t, "kernel"),
			Stride:   rapid.IntRange(1, 5).Draw(t, "stride"),
			Pad:      rapid.IntRange(0, 6).Draw(t, "pad"),
			Dilation: rapid.IntRange(1, 4).Draw(t, "dilation"),
		}
	})
}

// Output must hold everything that changes, and with a dilation of one nothing
// else. (A dilated window may step over a narrow update at the hull's ends.)
func TestOutputAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windows().Draw(t, "window")
		size := rapid.IntRange(1, 40).Draw(t, "size")
		after := rapid.IntRange(0, 6).Draw(t, "pad after")
		// Ceiling mode reaches past the padding by less than a stride.
		ceil := rapid.IntRange(0, w.Stride-1).Draw(t, "ceil")
		span := size + w.Pad + after - w.Extent() + ceil
		if span < 0 {
			t.Skip("window larger than the map")
		}
		n := span/w.Stride + 1
		lo := rapid.IntRange(0, size-1).Draw(t, "lo")
		in := Interval{lo, rapid.IntRange(lo+1, size).Draw(t, "hi")}
		got, want := w.Output(in, n), touched(w, in, size, n)
		if got.Union(want) != got {
			t.Fatalf("%+v size %d: %v changes %v, but the algebra says %v", w, size, in, want, got)
		}
		if w.Dilation == 1 && got != want && !(got.Empty() && want.Empty()) {
			t.Fatalf("%+v size %d: %v changes %v, the algebra says more: %v", w, size, in, want, got)
		}
	})
}

// Input must be exactly the hull of the cells that the outputs read.
func TestInputAgainstBruteForce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := windows().Draw(t, "window")
		lo := rapid.IntRange(0, 20).Draw(t, "lo")
		out := Interval{lo, lo + rapid.IntRange(1, 9).Draw(t, "len")}
		hull := Interval{}
		for o := out.Lo; o < out.Hi; o++ {
			for k := range w.Kernel {
				cell := o*w.Stride - w.Pad + k*w.Dilation
				hull = hull.Union(Interval{cell, cell + 1})
			}
		}
		if got := w.Input(out); got != hull {
			t.Fatalf("%+v: outputs %v read %v, got %v", w, out, hull, got)
		}
	})
}

func TestRectAlgebra(t *testing.T) {
	a, b, none := Of(2, 3, 4, 5), Of(10, 1, 2, 2), Rect{Y: Interval{4, 4}, X: Interval{0, 9}}
	for _, c := range []struct {
		name      string
		got, want Rect
	}{
		{"union", a.Union(b), Of(2, 1, 10, 7)},
		{"union with an empty one", a.Union(none), a},
		{"union of an empty one", none.Union(a), a},
		{"disjoint", a.Intersect(b), Rect{}},
		{"clip", Of(-3, -1, 10, 4).Clip(2, 5), Whole(2, 5)},
		{"clip outside", Of(9, 9, 3, 3).Clip(5, 5), Rect{}},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	if !a.Contains(none) || none.Contains(a) || !none.Empty() || none.Area() != 0 {
		t.Error("the empty rectangle must lie in every other and hold nothing")
	}
	if !Whole(3, 4).IsWhole(3, 4) || Of(0, 0, 3, 3).IsWhole(3, 4) {
		t.Error("IsWhole")
	}
}

// A stride above the window steps over cells that nothing reads.
func TestStrideAboveWindow(t *testing.T) {
	w := Window{Kernel: 1, Stride: 2, Dilation: 1}
	if got := w.Output(Interval{3, 4}, 5); !got.Empty() {
		t.Errorf("column 3 is never read, got %v", got)
	}
	if got := w.Output(Interval{3, 5}, 5); got != (Interval{2, 3}) {
		t.Errorf("got %v", got)
	}
}
