package network

import (
	"fmt"

	"occlude/operators/region"
)

// Span picks cells along one axis: Start, Start+Step, ... Count of them.
type Span struct{ Start, Step, Count int }

func (s Span) update(in region.Interval) region.Interval {
	return region.Window{Kernel: 1, Stride: s.Step, Pad: 0, Dilation: 1}.Output(in.Shift(-s.Start), s.Count)
}

func (s Span) reads(out region.Interval) region.Interval {
	return region.Interval{Lo: s.Start + out.Lo*s.Step, Hi: s.Start + (out.Hi-1)*s.Step + 1}
}

// Slice crops a map and maybe skips rows and columns.
type Slice struct {
	cellwise
	Y, X Span
}

// Kind implements Op.
func (Slice) Kind() string { return "slice" }

// Shape implements Op.
func (s Slice) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	for _, a := range []struct {
		span Span
		n    int
	}{{s.Y, in[0].H}, {s.X, in[0].W}} {
		if a.span.Start < 0 || a.span.Step < 1 || a.span.Count < 1 || a.span.Start+(a.span.Count-1)*a.span.Step >= a.n {
			return Shape{}, fmt.Errorf("%+v lies outside a map of %s", a.span, in[0])
		}
	}
	return Shape{s.Y.Count, s.X.Count, in[0].C}, nil
}

// Update implements Op.
func (s Slice) Update(_ *Layer, in []region.Rect) region.Rect {
	r := region.Rect{Y: s.Y.update(in[0].Y), X: s.X.update(in[0].X)}
	if in[0].Empty() || r.Empty() {
		return region.Rect{}
	}
	return r
}

// Reads implements Op.
func (s Slice) Reads(_ *Layer, _ int, out region.Rect) region.Rect {
	return region.Rect{Y: s.Y.reads(out.Y), X: s.X.reads(out.X)}
}

// Modes of a Pad.
const (
	PadConstant = "constant"
	PadEdge     = "edge"    // repeats the border cell
	PadReflect  = "reflect" // mirrors about the border cell
)

// Pad surrounds a map with cells.
type Pad struct {
	cellwise
	Top, Left, Bottom, Right int // at least 0
	Mode                     string
	Value                    float32 // of constant padding
}

// Kind implements Op.
func (Pad) Kind() string { return "pad" }

// Detail implements Op.
func (p Pad) Detail() string {
	return fmt.Sprintf("%d %d %d %d %s", p.Top, p.Left, p.Bottom, p.Right, p.Mode)
}

// Shape implements Op.
func (p Pad) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	if min(p.Top, p.Left, p.Bottom, p.Right) < 0 {
		return Shape{}, fmt.Errorf("negative padding is a slice")
	}
	if p.Mode == PadReflect && (max(p.Top, p.Bottom) >= in[0].H || max(p.Left, p.Right) >= in[0].W) {
		return Shape{}, fmt.Errorf("reflecting %s needs a map larger than the padding, has %s", p.Detail(), in[0])
	}
	return Shape{in[0].H + p.Top + p.Bottom, in[0].W + p.Left + p.Right, in[0].C}, nil
}

// Update implements Op.
func (p Pad) Update(l *Layer, in []region.Rect) region.Rect {
	if in[0].Empty() {
		return region.Rect{}
	}
	s := l.In[0].Shape
	return region.Rect{
		Y: p.axisUpdate(in[0].Y, s.H, p.Top, p.Bottom),
		X: p.axisUpdate(in[0].X, s.W, p.Left, p.Right),
	}
}

func (p Pad) axisUpdate(in region.Interval, n, before, after int) region.Interval {
	out := in.Shift(before)
	for o := range before {
		if src := p.Source(o, n, before); src >= in.Lo && src < in.Hi {
			out = out.Union(region.Interval{Lo: o, Hi: o + 1})
		}
	}
	for o := before + n; o < before+n+after; o++ {
		if src := p.Source(o, n, before); src >= in.Lo && src < in.Hi {
			out = out.Union(region.Interval{Lo: o, Hi: o + 1})
		}
	}
	return out
}

// Source is the input index along an axis of n cells that output index o shows,
// or -1 where constant padding stands.
func (p Pad) Source(o, n, before int) int {
	i := o - before
	switch {
	case i >= 0 && i < n:
		return i
	case p.Mode == PadEdge:
		return min(max(i, 0), n-1)
	case p.Mode == PadReflect && i < 0:
		return -i
	case p.Mode == PadReflect:
		return 2*(n-1) - i
	}
	return -1
}

// Reads implements Op.
func (p Pad) Reads(l *Layer, _ int, out region.Rect) region.Rect {
	s := l.In[0].Shape
	return region.Rect{Y: p.axisReads(out.Y, s.H, p.Top), X: p.axisReads(out.X, s.W, p.Left)}
}

func (p Pad) axisReads(out region.Interval, n, before int) region.Interval {
	var in region.Interval
	for o := out.Lo; o < out.Hi; o++ {
		if src := p.Source(o, n, before); src >= 0 {
			in = in.Union(region.Interval{Lo: src, Hi: src + 1})
		}
	}
	return in
}

// Flatten turns a map into a vector in ONNX's order: channels first, then rows,
// then columns.
type Flatten struct{ global }

// Kind implements Op.
func (Flatten) Kind() string { return "flatten" }

// Shape implements Op.
func (Flatten) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	return Vector(in[0].Len()), nil
}

// Unflatten turns a vector in ONNX's order back into a map.
type Unflatten struct {
	global
	To Shape
}

// Kind implements Op.
func (Unflatten) Kind() string { return "unflatten" }

// Shape implements Op.
func (u Unflatten) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	if in[0] != Vector(u.To.Len()) {
		return Shape{}, fmt.Errorf("cannot make a map of %s of %s", u.To, in[0])
	}
	return u.To, nil
}
