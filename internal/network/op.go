package network

import (
	"fmt"

	"occlude/operators/region"
)

// Op is what a layer does. The layer is passed in for its shapes; an op holds
// only what is its own.
type Op interface {
	// Kind names the operation for people: "conv", "max pool".
	Kind() string
	// Detail is the rest of its description in a few words, maybe empty.
	Detail() string
	// Shape is the output's shape, or an error when the inputs do not fit.
	Shape(in []Shape) (Shape, error)
	// Update maps changed rectangles of the inputs to that of the output.
	Update(l *Layer, in []region.Rect) region.Rect
	// Reads maps a rectangle of the output to that of input i; it may reach
	// past the map, Layer.Reads clips it.
	Reads(l *Layer, i int, out region.Rect) region.Rect
	// Work is the cost of computing the rectangle out.
	Work(l *Layer, out region.Rect) Work
	// Arrays are the weights that the op holds. Ops of rewritten networks may share
	// them with those that they were made from.
	Arrays() [][]float32
}

// Work is an amount of computation.
type Work struct {
	MACs  int64 // multiply-adds of convolutions and fully-connected layers
	Steps int64 // element steps of everything else: values made times taps read
}

// Plus adds two amounts.
func (w Work) Plus(o Work) Work { return Work{w.MACs + o.MACs, w.Steps + o.Steps} }

// Fused is an op that applies an activation to its result before storing it.
type Fused interface {
	Op
	Activation() Activation
	// WithActivation is the same op with another activation.
	WithActivation(Activation) Op
}

// Input is the preprocessed image.
type Input struct{ leaf }

// Kind implements Op.
func (Input) Kind() string { return "input" }

// leaf is embedded by ops without inputs.
type leaf struct{}

func (leaf) Detail() string { return "" }
func (leaf) Shape([]Shape) (Shape, error) {
	return Shape{}, fmt.Errorf("has no inputs to infer a shape from")
}
func (leaf) Update(*Layer, []region.Rect) region.Rect   { return region.Rect{} }
func (leaf) Reads(*Layer, int, region.Rect) region.Rect { return region.Rect{} }
func (leaf) Work(*Layer, region.Rect) Work              { return Work{} }
func (leaf) Arrays() [][]float32                        { return nil }

// cellwise is embedded by ops whose output cell depends on the same cell of
// each input, and that hold no weights.
type cellwise struct{}

func (cellwise) Detail() string { return "" }

func (cellwise) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	return in[0], nil
}

func (cellwise) Update(_ *Layer, in []region.Rect) region.Rect { return hull(in) }

func (cellwise) Reads(_ *Layer, _ int, out region.Rect) region.Rect { return out }

func (cellwise) Work(l *Layer, out region.Rect) Work {
	return Work{Steps: int64(out.Area()) * int64(l.Shape.C)}
}

func (cellwise) Arrays() [][]float32 { return nil }

// global is embedded by ops that need their whole input for any output cell.
type global struct{}

func (global) Detail() string { return "" }

func (global) Update(l *Layer, in []region.Rect) region.Rect {
	if hull(in).Empty() {
		return region.Rect{}
	}
	return l.Shape.Whole()
}

func (global) Reads(l *Layer, i int, _ region.Rect) region.Rect { return l.In[i].Shape.Whole() }

func (global) Work(l *Layer, out region.Rect) Work {
	if out.Empty() {
		return Work{}
	}
	steps := l.Shape.Len()
	for _, p := range l.In {
		steps = max(steps, p.Shape.Len())
	}
	return Work{Steps: int64(steps)}
}

func (global) Arrays() [][]float32 { return nil }

func hull(in []region.Rect) region.Rect {
	var r region.Rect
	for _, x := range in {
		r = r.Union(x)
	}
	return r
}

func arity(in []Shape, n int) error {
	if len(in) != n {
		return fmt.Errorf("needs %d inputs, has %d", n, len(in))
	}
	return nil
}
