package reference

import (
	"context"
	"fmt"

	"occlude/internal/onnx"
)

// UnsupportedError says that an operator, a type or a use of an operator lies
// outside what the package knows; the model may well be a valid one.
type UnsupportedError struct {
	Op     string     // operator, with its domain unless that is ONNX's own
	Type   onnx.DType // element type at fault, Undefined when it is none
	Reason string     // more about it, may be empty
}

func (e *UnsupportedError) Error() string {
	what := "operator " + e.Op
	if e.Type != onnx.Undefined {
		what += " of " + e.Type.String()
	}
	if e.Reason != "" {
		return what + " is not supported: " + e.Reason
	}
	return what + " is not supported"
}

// call is one application of an operator: the node with its attributes, the
// version of the operator set, and the inputs.
type call struct {
	*onnx.Node
	ctx   context.Context
	opset int
	in    []*onnx.Tensor
}

// input gives an input, nil when the node leaves it out.
func (c *call) input(i int) *onnx.Tensor {
	if i < len(c.in) {
		return c.in[i]
	}
	return nil
}

// wants tells whether somebody needs the output with this number.
func (c *call) wants(i int) bool { return i < len(c.Outputs) && c.Outputs[i] != "" }

// unsupported makes the error about this call; t may be Undefined.
func (c *call) unsupported(t onnx.DType, reason string) error {
	return &UnsupportedError{Op: c.Op, Type: t, Reason: reason}
}

// Eval applies one node of the default domain to its inputs and gives its
// outputs in order, those nobody asked for possibly left out at the end. Inputs
// stand as the node names them, nil for an absent one; they are not modified,
// but an output may share elements with them. opset is the version of the
// model's operator set.
//
// The error is an *UnsupportedError for what lies outside the list, and in all
// cases names the node.
func Eval(ctx context.Context, n *onnx.Node, opset int, in []*onnx.Tensor) (out []*onnx.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			out, err = nil, fmt.Errorf("%s: internal error: %v", n, r)
		}
	}()
	op, err := lookup(n, max(opset, 1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	c := &call{Node: n, ctx: ctx, opset: max(opset, 1), in: in}
	if err := op.check(c); err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	if err := spendOn(ctx, in); err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	out, err = op.eval(c)
	if err == nil {
		err = spendOn(ctx, out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	for _, t := range out {
		roundHalf(t, in)
	}
	return out, nil
}

// roundHalf brings a half precision result to its type's precision. Elements
// shared with an input have it already.
func roundHalf(t *onnx.Tensor, in []*onnx.Tensor) {
	if t == nil || t.DType != onnx.Float16 && t.DType != onnx.BFloat16 {
		return
	}
	data, ok := t.Data.([]float32)
	if !ok || len(data) == 0 {
		return
	}
	for _, x := range in {
		if x == nil {
			continue
		}
		if v, ok := x.Data.([]float32); ok && len(v) > 0 && &v[0] == &data[0] {
			return
		}
	}
	t.Round()
}

// check sees to what all operators have in common: the inputs that must be
// there, are well formed, and of a type that the operator takes.
func (o *operator) check(c *call) error {
	for i := range o.required {
		if c.input(i) == nil {
			return fmt.Errorf("input %d is missing", i)
		}
	}
	for i, t := range c.in {
		if t == nil {
			continue
		}
		n, err := sized(t.Dims)
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		if got := lengthOf(t); got != n {
			return fmt.Errorf("input %d: shape %s and type %s do not fit its %d elements",
				i, onnx.FormatDims(t.Dims), t.DType, got)
		}
	}
	if t := c.input(0); t != nil && !o.types.has(t.DType) {
		return c.unsupported(t.DType, "")
	}
	return nil
}

// lengthOf is the number of elements that a tensor's data holds, -1 if they
// are not of the Go type that its DType says.
func lengthOf(t *onnx.Tensor) int {
	e := elementsOf(t)
	if e == nil {
		return -1
	}
	if natural := e.dtype(); natural != t.DType &&
		!(natural == onnx.Float32 && (t.DType == onnx.Float16 || t.DType == onnx.BFloat16)) {
		return -1
	}
	return e.length()
}

// typeSet is a set of element types.
type typeSet uint32

func setOf(types ...onnx.DType) (s typeSet) {
	for _, t := range types {
		s |= 1 << t
	}
	return s
}

func (s typeSet) has(t onnx.DType) bool { return t >= 0 && t < 32 && s>>t&1 == 1 }

var (
	floats   = setOf(onnx.Float32, onnx.Float64, onnx.Float16, onnx.BFloat16)
	signed   = setOf(onnx.Int8, onnx.Int16, onnx.Int32, onnx.Int64)
	unsigned = setOf(onnx.Uint8, onnx.Uint16, onnx.Uint32, onnx.Uint64)
	numbers  = floats | signed | unsigned
	bools    = setOf(onnx.Bool)
	anything = numbers | bools | setOf(onnx.String)
)
