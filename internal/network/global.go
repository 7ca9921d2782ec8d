package network

import (
	"fmt"

	"gorgonia.org/tensor"

	"occlude/operators/region"
)

// Const is a map that does not depend on the image.
type Const struct {
	leaf
	Value *tensor.Dense // (H, W, C), float32
}

// Kind implements Op.
func (Const) Kind() string { return "constant" }

// Shape implements Op.
func (c Const) Shape([]Shape) (Shape, error) {
	s := c.Value.Shape()
	if len(s) != 3 {
		return Shape{}, fmt.Errorf("a constant map has three axes, not %v", s)
	}
	return Shape{s[0], s[1], s[2]}, nil
}

// Arrays implements Op.
func (c Const) Arrays() [][]float32 { return [][]float32{c.Value.Data().([]float32)} }

// GlobalPool makes a vector of a map: one value per channel.
type GlobalPool struct {
	global
	Fn string // Mean, Sum or Largest
}

// Kind implements Op.
func (p GlobalPool) Kind() string { return "global " + p.Fn }

// Shape implements Op.
func (p GlobalPool) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	return Vector(in[0].C), nil
}

// InstanceNorm normalizes each channel over the whole map:
// Scale[c] * (x - mean_c) / sqrt(var_c + Epsilon) + Shift[c].
type InstanceNorm struct {
	global
	Scale, Shift []float32
	Epsilon      float32
}

// Kind implements Op.
func (InstanceNorm) Kind() string { return "instance norm" }

// Shape implements Op.
func (n InstanceNorm) Shape(in []Shape) (Shape, error) { return perChannel(in, len(n.Scale)) }

// Arrays implements Op.
func (n InstanceNorm) Arrays() [][]float32 { return [][]float32{n.Scale, n.Shift} }

// Dense is a fully-connected layer: every output reads every input value of the
// map, which is taken in stored order (HWC).
type Dense struct {
	global
	Weights *tensor.Dense // (outputs, inputs), float32
	Bias    []float32     // one per output, or nil
	Act     Activation
}

// Kind implements Op.
func (Dense) Kind() string { return "fully connected" }

// Detail implements Op.
func (d Dense) Detail() string { return d.Act.then("") }

// Shape implements Op.
func (d Dense) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	s := d.Weights.Shape()
	if len(s) != 2 || s[1] != in[0].Len() || (d.Bias != nil && len(d.Bias) != s[0]) {
		return Shape{}, fmt.Errorf("weights of %v and %d biases do not fit %d inputs", s, len(d.Bias), in[0].Len())
	}
	return Vector(s[0]), nil
}

// Work implements Op.
func (d Dense) Work(_ *Layer, out region.Rect) Work {
	if out.Empty() {
		return Work{}
	}
	return Work{MACs: int64(d.Weights.Shape().TotalSize())}
}

// Arrays implements Op.
func (d Dense) Arrays() [][]float32 { return [][]float32{d.Weights.Data().([]float32), d.Bias} }

// Activation implements Fused.
func (d Dense) Activation() Activation { return d.Act }

// WithActivation implements Fused.
func (d Dense) WithActivation(a Activation) Op { d.Act = a; return d }

// Function is any other computation on whole vectors, for operators that no
// kernel knows. It is always run in full.
type Function struct {
	global
	Name string
	Out  int // length of the result
	// Call computes the result from the inputs' values, which are vectors in
	// ONNX's order. It may be called by several goroutines and keeps nothing.
	Call func(in [][]float32) ([]float32, error)
}

// Kind implements Op.
func (f Function) Kind() string { return f.Name }

// Shape implements Op.
func (f Function) Shape([]Shape) (Shape, error) { return Vector(f.Out), nil }

// Reshaped is a view of a vector or map under another shape with the same
// stored order, such as a 1x1xC map taken apart into rows.
type Reshaped struct {
	global
	To Shape
}

// Kind implements Op.
func (Reshaped) Kind() string { return "reshape" }

// Shape implements Op.
func (r Reshaped) Shape(in []Shape) (Shape, error) {
	if err := arity(in, 1); err != nil {
		return Shape{}, err
	}
	if in[0].Len() != r.To.Len() {
		return Shape{}, fmt.Errorf("cannot view %s as %s", in[0], r.To)
	}
	return r.To, nil
}
