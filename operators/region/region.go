package region

import "fmt"

// Interval is the half-open range [Lo, Hi) of rows or columns. It is empty when
// Hi <= Lo.
type Interval struct{ Lo, Hi int }

// Empty tells whether the interval holds no cell.
func (i Interval) Empty() bool { return i.Hi <= i.Lo }

// Len is the number of cells.
func (i Interval) Len() int { return max(0, i.Hi-i.Lo) }

// Shift moves the interval by d cells.
func (i Interval) Shift(d int) Interval { return Interval{i.Lo + d, i.Hi + d} }

// Clip cuts the interval to [0, n).
func (i Interval) Clip(n int) Interval { return i.Intersect(Interval{0, n}) }

// Intersect is what two intervals share.
func (i Interval) Intersect(o Interval) Interval {
	r := Interval{max(i.Lo, o.Lo), min(i.Hi, o.Hi)}
	if r.Empty() {
		return Interval{}
	}
	return r
}

// Union is the smallest interval that holds both.
func (i Interval) Union(o Interval) Interval {
	switch {
	case i.Empty():
		return o
	case o.Empty():
		return i
	}
	return Interval{min(i.Lo, o.Lo), max(i.Hi, o.Hi)}
}

func (i Interval) String() string { return fmt.Sprintf("[%d,%d)", i.Lo, i.Hi) }

// Rect is a rectangle of a feature map: rows Y, columns X.
type Rect struct{ Y, X Interval }

// Of makes the rectangle with its top left corner at column x and row y.
func Of(x, y, w, h int) Rect { return Rect{Y: Interval{y, y + h}, X: Interval{x, x + w}} }

// Whole is the rectangle of a whole map.
func Whole(h, w int) Rect { return Rect{Y: Interval{0, h}, X: Interval{0, w}} }

// Empty tells whether the rectangle holds no cell.
func (r Rect) Empty() bool { return r.Y.Empty() || r.X.Empty() }

// H is the number of rows.
func (r Rect) H() int { return r.Y.Len() }

// W is the number of columns.
func (r Rect) W() int { return r.X.Len() }

// Area is the number of cells.
func (r Rect) Area() int { return r.H() * r.W() }

// Union is the bounding box of two rectangles; an empty one counts for nothing.
func (r Rect) Union(o Rect) Rect {
	switch {
	case r.Empty():
		return o
	case o.Empty():
		return r
	}
	return Rect{r.Y.Union(o.Y), r.X.Union(o.X)}
}

// Intersect is what two rectangles share; empty results are all the zero Rect.
func (r Rect) Intersect(o Rect) Rect {
	s := Rect{r.Y.Intersect(o.Y), r.X.Intersect(o.X)}
	if s.Empty() {
		return Rect{}
	}
	return s
}

// Clip cuts the rectangle to an h x w map.
func (r Rect) Clip(h, w int) Rect { return r.Intersect(Whole(h, w)) }

// Contains tells whether o lies inside r. The empty rectangle lies in every one.
func (r Rect) Contains(o Rect) bool {
	return o.Empty() || (r.Y.Lo <= o.Y.Lo && o.Y.Hi <= r.Y.Hi && r.X.Lo <= o.X.Lo && o.X.Hi <= r.X.Hi)
}

// IsWhole tells whether the rectangle covers an h x w map.
func (r Rect) IsWhole(h, w int) bool { return r.Contains(Whole(h, w)) }

func (r Rect) String() string {
	if r.Empty() {
		return "unchanged"
	}
	return fmt.Sprintf("%dx%d at (%d, %d)", r.W(), r.H(), r.X.Lo, r.Y.Lo)
}

// Window is a sliding window along one axis, as convolutions and pools have it.
type Window struct {
	Kernel   int // taps, at least 1
	Stride   int // at least 1
	Pad      int // cells of padding before the first cell
	Dilation int // distance between taps, at least 1
}

// Extent is the number of cells from the window's first tap to its last.
func (w Window) Extent() int { return (w.Kernel-1)*w.Dilation + 1 }

// Output is the interval of the n output cells that can change when the input
// interval in does.
func (w Window) Output(in Interval, n int) Interval {
	if in.Empty() {
		return Interval{}
	}
	lo := ceilDiv(in.Lo+w.Pad-(w.Extent()-1), w.Stride)
	hi := floorDiv(in.Hi-1+w.Pad, w.Stride) + 1
	return Interval{lo, hi}.Clip(n)
}

// Input is the interval of input cells, padding included (so it may start below
// zero or end past the map), that the output interval out reads.
func (w Window) Input(out Interval) Interval {
	if out.Empty() {
		return Interval{}
	}
	lo := out.Lo*w.Stride - w.Pad
	return Interval{lo, lo + (out.Len()-1)*w.Stride + w.Extent()}
}

// floorDiv divides rounding towards minus infinity; b is positive.
func floorDiv(a, b int) int {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ceilDiv divides rounding towards plus infinity; b is positive.
func ceilDiv(a, b int) int { return -floorDiv(-a, b) }
