package onnxtest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"occlude/internal/onnx"
)

// Opsets are the versions of the operator set that models are worth writing in: in
// each some operator has another form than before.
var Opsets = []int{7, 9, 11, 13, 15, 18, 21}

// Graph writes a model value by value: each of its methods adds an operator in the
// form that the model's operator set has for it, and gives the name of what comes out.
// Weights are drawn from Rand.
type Graph struct {
	*Model
	Opset int
	Rand  *rand.Rand
	made  int
}

// NewGraph starts a model with an input of these dimensions, whose name is given, too.
func NewGraph(opset int, dims ...int) (*Graph, string) {
	g := &Graph{Model: New(opset), Opset: opset, Rand: rand.New(rand.NewPCG(uint64(opset), 17))}
	g.Input("x", onnx.Float32, dims...)
	return g, "x"
}

// Name makes a name that no value has yet.
func (g *Graph) Name(prefix string) string {
	g.made++
	return fmt.Sprintf("%s%d", prefix, g.made)
}

// Op adds a node with one output.
func (g *Graph) Op(op string, a Attrs, in ...string) string {
	out := g.Name(strings.ToLower(op))
	g.Node(op, strings.Join(in, " "), out, a)
	return out
}

// Ops adds a node with several outputs.
func (g *Graph) Ops(n int, op string, a Attrs, in ...string) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = g.Name(strings.ToLower(op))
	}
	g.Node(op, strings.Join(in, " "), strings.Join(out, " "), a)
	return out
}

// Normal is an initializer of normal numbers.
func (g *Graph) Normal(dims ...int) string { return g.Scaled(1, dims...) }

// Weights is an initializer whose sums over fan numbers keep their size.
func (g *Graph) Weights(fan int, dims ...int) string {
	return g.Scaled(1/math.Sqrt(float64(fan)), dims...)
}

// Scaled is an initializer of normal numbers of the given deviation.
func (g *Graph) Scaled(scale float64, dims ...int) string {
	return g.drawn(dims, func() float32 { return float32(g.Rand.NormFloat64() * scale) })
}

// Positive is an initializer of numbers between 1/2 and 3/2.
func (g *Graph) Positive(dims ...int) string {
	return g.drawn(dims, func() float32 { return .5 + g.Rand.Float32() })
}

func (g *Graph) drawn(dims []int, draw func() float32) string {
	n := 1
	for _, d := range dims {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = draw()
	}
	return g.Constant(onnx.New(dims, data))
}

// Constant adds an initializer without a name of its own.
func (g *Graph) Constant(t *onnx.Tensor) string {
	name := g.Name("c")
	g.Init(name, t)
	return name
}

// Num is a constant number.
func (g *Graph) Num(v float64) string { return g.Constant(onnx.Scalar(float32(v))) }

// Ints is a constant list, as of axes.
func (g *Graph) Ints(v ...int) string {
	w := make([]int64, len(v))
	for i, x := range v {
		w[i] = int64(x)
	}
	return g.Constant(onnx.New([]int{len(w)}, w))
}

// Index is a constant integer.
func (g *Graph) Index(i int) string { return g.Constant(onnx.Scalar(int64(i))) }

// The operators whose form changed.

// Reduce applies ReduceMean or one of its kin over axes, which stay, with size 1, if
// keep is 1.
func (g *Graph) Reduce(op, x string, keep int, axes ...int) string {
	since := 18
	if op == "ReduceSum" {
		since = 13
	}
	if g.Opset < since {
		return g.Op(op, Attrs{"axes": axes, "keepdims": keep}, x)
	}
	return g.Op(op, Attrs{"keepdims": keep}, x, g.Ints(axes...))
}

// Squeeze drops axes of size 1, all if none is named.
func (g *Graph) Squeeze(x string, axes ...int) string { return g.axed("Squeeze", x, axes) }

// Unsqueeze adds axes of size 1.
func (g *Graph) Unsqueeze(x string, axes ...int) string { return g.axed("Unsqueeze", x, axes) }

func (g *Graph) axed(op, x string, axes []int) string {
	switch {
	case len(axes) == 0:
		return g.Op(op, nil, x)
	case g.Opset < 13:
		return g.Op(op, Attrs{"axes": axes}, x)
	}
	return g.Op(op, nil, x, g.Ints(axes...))
}

// Slice cuts from starts to ends along axes.
func (g *Graph) Slice(x string, starts, ends, axes []int) string {
	if g.Opset < 10 {
		return g.Op("Slice", Attrs{"starts": starts, "ends": ends, "axes": axes}, x)
	}
	return g.Op("Slice", nil, x, g.Ints(starts...), g.Ints(ends...), g.Ints(axes...))
}

// Clip limits values.
func (g *Graph) Clip(x string, lo, hi float64) string {
	if g.Opset < 11 {
		return g.Op("Clip", Attrs{"min": lo, "max": hi}, x)
	}
	return g.Op("Clip", nil, x, g.Num(lo), g.Num(hi))
}

// Pad adds values before and behind each axis, all befores first.
func (g *Graph) Pad(x, mode string, fill float64, pads ...int) string {
	if g.Opset < 11 {
		return g.Op("Pad", Attrs{"mode": mode, "value": fill, "pads": pads}, x)
	}
	return g.Op("Pad", Attrs{"mode": mode}, x, g.Ints(pads...), g.Num(fill))
}

// Split cuts into parts of the given sizes, or into n equal ones.
func (g *Graph) Split(x string, axis, n int, sizes ...int) []string {
	switch {
	case len(sizes) > 0 && g.Opset < 13:
		return g.Ops(n, "Split", Attrs{"axis": axis, "split": sizes}, x)
	case len(sizes) > 0:
		return g.Ops(n, "Split", Attrs{"axis": axis}, x, g.Ints(sizes...))
	case g.Opset >= 18:
		return g.Ops(n, "Split", Attrs{"axis": axis, "num_outputs": n}, x)
	}
	return g.Ops(n, "Split", Attrs{"axis": axis}, x)
}

// Reshape keeps the values and their order.
func (g *Graph) Reshape(x string, to ...int) string { return g.Op("Reshape", nil, x, g.Ints(to...)) }

// Transpose reorders the axes.
func (g *Graph) Transpose(x string, perm ...int) string {
	return g.Op("Transpose", Attrs{"perm": perm}, x)
}

// BatchNorm normalises by random moments.
func (g *Graph) BatchNorm(x string, channels int) string {
	return g.Op("BatchNormalization", nil, x,
		g.Positive(channels), g.Normal(channels), g.Normal(channels), g.Positive(channels))
}

// Conv is a 3x3 convolution that keeps the size.
func (g *Graph) Conv(x string, in, out int) string {
	return g.Op("Conv", Attrs{"pads": []int{1, 1, 1, 1}}, x, g.Weights(9*in, out, in, 3, 3), g.Normal(out))
}

// Conv1 is a 1x1 convolution.
func (g *Graph) Conv1(x string, in, out int) string {
	return g.Op("Conv", nil, x, g.Weights(in, out, in, 1, 1), g.Normal(out))
}

// Flat ends the model in a vector of all that x holds.
func (g *Graph) Flat(x string) { g.Output(g.Op("Flatten", Attrs{"axis": 1}, x), onnx.Float32) }
