package network

import (
	"fmt"

	"gorgonia.org/tensor"

	"occlude/operators/region"
)

// Window is a two-dimensional sliding window.
type Window struct{ Y, X region.Window }

// PadAfter is the padding behind the last row and column; it decides the output
// size together with the Window.
type PadAfter struct{ Y, X int }

func (w Window) update(in region.Rect, out Shape) region.Rect {
	r := region.Rect{Y: w.Y.Output(in.Y, out.H), X: w.X.Output(in.X, out.W)}
	if in.Empty() || r.Empty() {
		return region.Rect{}
	}
	return r
}

func (w Window) reads(out region.Rect) region.Rect {
	return region.Rect{Y: w.Y.Input(out.Y), X: w.X.Input(out.X)}
}

// Taps is the number of input cells that one output cell reads.
func (w Window) Taps() int { return w.Y.Kernel * w.X.Kernel }

func (w Window) check() error {
	for _, a := range []region.Window{w.Y, w.X} {
		if a.Kernel < 1 || a.Stride < 1 || a.Dilation < 1 || a.Pad < 0 {
			return fmt.Errorf("a window needs kernel, stride and dilation of at least 1 and no negative pads, has %+v", a)
		}
	}
	return nil
}

// describe prints the window as 3x3/2, width first, with dilation where it has one.
func (w Window) describe() string {
	s := fmt.Sprintf("%dx%d", w.X.Kernel, w.Y.Kernel)
	if w.X.Stride != 1 || w.Y.Stride != 1 {
		s += fmt.Sprintf("/%d", w.X.Stride)
		if w.X.Stride != w.Y.Stride {
			s += fmt.Sprintf("x%d", w.Y.Stride)
		}
	}
	if w.X.Dilation != 1 || w.Y.Dilation != 1 {
		s += fmt.Sprintf(" dilated %d", w.X.Dilation)
	}
	return s
}

// Conv is a two-dimensional convolution with its epilogue: bias, an optional
// residual (a second input of the output's shape, added before the activation)
// and an activation.
type Conv struct {
	Window
	After    PadAfter
	Groups   int
	Weights  *tensor.Dense // (Cout, KH, KW, Cin/Groups), float32
	Bias     []float32     // Cout values, or nil
	Residual bool
	Act      Activation
}

// Filters is the number of output channels.
func (c Conv) Filters() int { return c.Weights.Shape()[0] }

// GroupIn is the number of input channels that one filter reads.
func (c Conv) GroupIn() int { return c.Weights.Shape()[3] }

// Depthwise tells whether every filter reads a single channel of its own.
func (c Conv) Depthwise() bool { return c.Groups > 1 && c.GroupIn() == 1 }

// Kind implements Op.
func (c Conv) Kind() string {
	switch {
	case c.Depthwise():
		return "depthwise conv"
	case c.Groups > 1:
		return "grouped conv"
	}
	return "conv"
}

// Detail implements Op.
func (c Conv) Detail() string {
	s := c.describe()
	if c.Groups > 1 && !c.Depthwise() {
		s += fmt.Sprintf(" in %d groups", c.Groups)
	}
	if c.Residual {
		s += ", + residual"
	}
	return c.Act.then(s)
}

// Shape implements Op.
func (c Conv) Shape(in []Shape) (Shape, error) {
	n := 1
	if c.Residual {
		n = 2
	}
	if err := arity(in, n); err != nil {
		return Shape{}, err
	}
	if err := c.check(); err != nil {
		return Shape{}, err
	}
	if c.Groups < 1 || c.GroupIn()*c.Groups != in[0].C || c.Filters()%c.Groups != 0 {
		return Shape{}, fmt.Errorf("weights %v in %d groups do not fit %d input channels", c.Weights.Shape(), c.Groups, in[0].C)
	}
	out := Shape{
		H: floorSize(in[0].H, c.Y, c.After.Y),
		W: floorSize(in[0].W, c.X, c.After.X),
		C: c.Filters(),
	}
	if out.H < 1 || out.W < 1 {
		return Shape{}, fmt.Errorf("the %s window is larger than the %s input", c.describe(), in[0])
	}
	if c.Residual && in[1] != out {
		return Shape{}, fmt.Errorf("residual of %s on an output of %s", in[1], out)
	}
	return out, nil
}

// floorSize is the number of windows that fit.
func floorSize(n int, w region.Window, after int) int {
	span := n + w.Pad + after - w.Extent()
	if span < 0 {
		return 0
	}
	return span/w.Stride + 1
}

// Update implements Op.
func (c Conv) Update(l *Layer, in []region.Rect) region.Rect {
	r := c.update(in[0], l.Shape)
	if c.Residual {
		r = r.Union(in[1])
	}
	return r
}

// Reads implements Op.
func (c Conv) Reads(_ *Layer, i int, out region.Rect) region.Rect {
	if i == 1 {
		return out
	}
	return c.reads(out)
}

// Work implements Op.
func (c Conv) Work(_ *Layer, out region.Rect) Work {
	return Work{MACs: int64(out.Area()) * int64(c.Filters()) * int64(c.Taps()) * int64(c.GroupIn())}
}

// Arrays implements Op.
func (c Conv) Arrays() [][]float32 { return [][]float32{c.Weights.Data().([]float32), c.Bias} }

// Activation implements Fused.
func (c Conv) Activation() Activation { return c.Act }

// WithActivation implements Fused.
func (c Conv) WithActivation(a Activation) Op { c.Act = a; return c }

// Pool is a max or average pool.
type Pool struct {
	Window
	After PadAfter
	Max   bool // else average
	Ceil  bool // round the output size up: a last window may reach past the padding
	// CountPad makes an average divide by the window's cells within the padded
	// map; otherwise only by those within the map.
	CountPad bool
}

// Kind implements Op.
func (p Pool) Kind() string {
	if p.Max {
		return "max pool"
	}
	return "average pool"
}

// Detail implements Op.
func (p Pool) Detail() string { return p.describe() }

// Shape implements Op.
func (p Pool) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	if err := p.check(); err != nil {
		return Shape{}, err
	}
	size := func(n int, w region.Window, after int) int {
		if !p.Ceil {
			return floorSize(n, w, after)
		}
		if n+w.Pad+after < w.Extent() {
			return 0
		}
		out := (n+w.Pad+after-w.Extent()+w.Stride-1)/w.Stride + 1
		// A window that would start in the padding behind the map is dropped.
		if (out-1)*w.Stride >= n+w.Pad {
			out--
		}
		return out
	}
	out := Shape{size(in[0].H, p.Y, p.After.Y), size(in[0].W, p.X, p.After.X), in[0].C}
	if out.H < 1 || out.W < 1 {
		return Shape{}, fmt.Errorf("the %s window is larger than the %s input", p.describe(), in[0])
	}
	return out, nil
}

// Update implements Op.
func (p Pool) Update(l *Layer, in []region.Rect) region.Rect { return p.update(in[0], l.Shape) }

// Reads implements Op.
func (p Pool) Reads(_ *Layer, _ int, out region.Rect) region.Rect { return p.reads(out) }

// Work implements Op.
func (p Pool) Work(l *Layer, out region.Rect) Work {
	return Work{Steps: int64(out.Area()) * int64(l.Shape.C) * int64(p.Taps())}
}

// Arrays implements Op.
func (Pool) Arrays() [][]float32 { return nil }
