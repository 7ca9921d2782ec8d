package network

import (
	"fmt"

	"occlude/operators/region"
)

// Pointwise applies a function to every value.
type Pointwise struct {
	cellwise
	Act Activation
}

// Kind implements Op.
func (p Pointwise) Kind() string { return "activation" }

// Detail implements Op.
func (p Pointwise) Detail() string { return p.Act.String() }

// PRelu is max(0, x) + Slope[c] * min(0, x).
type PRelu struct {
	cellwise
	Slope []float32 // one per channel
}

// Kind implements Op.
func (PRelu) Kind() string { return "prelu" }

// Shape implements Op.
func (p PRelu) Shape(in []Shape) (Shape, error) { return perChannel(in, len(p.Slope)) }

// Arrays implements Op.
func (p PRelu) Arrays() [][]float32 { return [][]float32{p.Slope} }

// Affine is x * Scale[c] + Shift[c] and an activation: batch normalization at
// inference, and arithmetic with constants.
type Affine struct {
	cellwise
	Scale, Shift []float32 // one per channel
	Act          Activation
}

// Kind implements Op.
func (Affine) Kind() string { return "affine" }

// Detail implements Op.
func (a Affine) Detail() string { return a.Act.then("") }

// Shape implements Op.
func (a Affine) Shape(in []Shape) (Shape, error) {
	if len(a.Scale) != len(a.Shift) {
		return Shape{}, fmt.Errorf("%d scales, but %d shifts", len(a.Scale), len(a.Shift))
	}
	return perChannel(in, len(a.Scale))
}

// Arrays implements Op.
func (a Affine) Arrays() [][]float32 { return [][]float32{a.Scale, a.Shift} }

// Activation implements Fused.
func (a Affine) Activation() Activation { return a.Act }

// WithActivation implements Fused.
func (a Affine) WithActivation(act Activation) Op { a.Act = act; return a }

func perChannel(in []Shape, n int) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	if in[0].C != n {
		return Shape{}, fmt.Errorf("%d values per channel for an input of %d channels", n, in[0].C)
	}
	return in[0], nil
}

// Functions of a Binary.
const (
	Add = "add"
	Sub = "subtract"
	Mul = "multiply"
	Div = "divide"
	Max = "maximum"
	Min = "minimum"
	Pow = "power"
)

// Binary combines two maps value by value and applies an activation. An input
// whose H, W or C is 1 is repeated along that axis.
type Binary struct {
	cellwise
	Fn  string
	Act Activation
}

// Kind implements Op.
func (b Binary) Kind() string { return b.Fn }

// Detail implements Op.
func (b Binary) Detail() string { return b.Act.then("") }

// Shape implements Op.
func (b Binary) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 2); err != nil {
		return Shape{}, err
	}
	var ok [3]bool
	var out Shape
	out.H, ok[0] = broadcast(in[0].H, in[1].H)
	out.W, ok[1] = broadcast(in[0].W, in[1].W)
	out.C, ok[2] = broadcast(in[0].C, in[1].C)
	if ok != [3]bool{true, true, true} {
		return Shape{}, fmt.Errorf("shapes %s and %s do not broadcast", in[0], in[1])
	}
	return out, nil
}

func broadcast(a, b int) (int, bool) {
	switch {
	case a == b, b == 1:
		return a, true
	case a == 1:
		return b, true
	}
	return 0, false
}

// Update implements Op. A changed cell that is repeated along an axis changes
// the whole of that axis.
func (b Binary) Update(l *Layer, in []region.Rect) region.Rect {
	var r region.Rect
	for i, x := range in {
		if x.Empty() {
			continue
		}
		s := l.In[i].Shape
		if s.H != l.Shape.H {
			x.Y = region.Interval{Lo: 0, Hi: l.Shape.H}
		}
		if s.W != l.Shape.W {
			x.X = region.Interval{Lo: 0, Hi: l.Shape.W}
		}
		r = r.Union(x)
	}
	return r
}

// Reads implements Op.
func (b Binary) Reads(l *Layer, i int, out region.Rect) region.Rect {
	s := l.In[i].Shape
	if s.H != l.Shape.H {
		out.Y = region.Interval{Lo: 0, Hi: 1}
	}
	if s.W != l.Shape.W {
		out.X = region.Interval{Lo: 0, Hi: 1}
	}
	return out
}

// Activation implements Fused.
func (b Binary) Activation() Activation { return b.Act }

// WithActivation implements Fused.
func (b Binary) WithActivation(act Activation) Op { b.Act = act; return b }

// LRN is local response normalization across channels:
// x / (Bias + Alpha/Size * sum of squares over Size neighbouring channels)^Beta.
type LRN struct {
	cellwise
	Size              int
	Alpha, Beta, Bias float32
}

// Kind implements Op.
func (LRN) Kind() string { return "lrn" }

// Detail implements Op.
func (n LRN) Detail() string { return fmt.Sprintf("over %d channels", n.Size) }

// Work implements Op.
func (n LRN) Work(l *Layer, out region.Rect) Work {
	return Work{Steps: int64(out.Area()) * int64(l.Shape.C) * int64(n.Size)}
}

// Softmax normalizes the channels of each cell: exp(x_c) / sum exp(x), or its
// logarithm.
type Softmax struct {
	cellwise
	Log bool
}

// Kind implements Op.
func (s Softmax) Kind() string {
	if s.Log {
		return "log softmax"
	}
	return "softmax"
}

// Reductions over channels or places.
const (
	Mean    = "mean"
	Sum     = "sum"
	Largest = "max"
)

// ChannelReduce makes one channel of many, cell by cell.
type ChannelReduce struct {
	cellwise
	Fn string // Mean, Sum or Largest
}

// Kind implements Op.
func (c ChannelReduce) Kind() string { return "channel " + c.Fn }

// Shape implements Op.
func (c ChannelReduce) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	return Shape{in[0].H, in[0].W, 1}, nil
}

// Work implements Op.
func (c ChannelReduce) Work(l *Layer, out region.Rect) Work {
	return Work{Steps: int64(out.Area()) * int64(l.In[0].Shape.C)}
}

// Concat puts the channels of its inputs one behind the other.
type Concat struct{ cellwise }

// Kind implements Op.
func (Concat) Kind() string { return "concat" }

// Shape implements Op.
func (Concat) Shape(in []Shape) (Shape, error) {
	if len(in) == 0 {
		return Shape{}, fmt.Errorf("needs an input")
	}
	out := in[0]
	for _, s := range in[1:] {
		if s.H != out.H || s.W != out.W {
			return Shape{}, fmt.Errorf("cannot join maps of %s and %s", in[0], s)
		}
		out.C += s.C
	}
	return out, nil
}

// Channels picks channels: splits, slices and channel shuffles.
type Channels struct {
	cellwise
	Index []int // output channel c is input channel Index[c]
}

// Kind implements Op.
func (Channels) Kind() string { return "channels" }

// Detail implements Op.
func (c Channels) Detail() string {
	n := len(c.Index)
	if n > 0 && c.Contiguous() {
		return fmt.Sprintf("%d to %d", c.Index[0], c.Index[n-1])
	}
	return fmt.Sprintf("%d, shuffled", n)
}

// Contiguous tells whether the picked channels are one run in order.
func (c Channels) Contiguous() bool {
	for i, x := range c.Index {
		if x != c.Index[0]+i {
			return false
		}
	}
	return true
}

// Shape implements Op.
func (c Channels) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	for _, x := range c.Index {
		if x < 0 || x >= in[0].C {
			return Shape{}, fmt.Errorf("channel %d of %d", x, in[0].C)
		}
	}
	return Shape{in[0].H, in[0].W, len(c.Index)}, nil
}
