package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/onnx"
)

// widener rewrites a graph, layer by layer. Channel c of a value becomes the
// channels c*factor ... c*factor + factor-1: neighbours, so that a concatenation
// of widened maps is the widened concatenation, and flattening one the widened
// vector.
type widener struct {
	factor    int
	graph     *protos.GraphProto
	constants map[string]*protos.TensorProto
	wide      map[string]value // the values widened so far
	narrow    map[string]bool  // whose channels are those of the graph's output
}

// value is one that was widened, as it was before.
type value struct {
	rank     int
	channels int // on axis 1; a flattened map has more elements there
}

// linear are the operators that mix channels, by constant weights.
var linear = []string{"Conv", "Gemm", "MatMul"}

func newWidener(g *protos.GraphProto, factor int) *widener {
	w := &widener{
		factor: factor, graph: g,
		constants: map[string]*protos.TensorProto{}, wide: map[string]value{}, narrow: map[string]bool{},
	}
	for _, t := range g.Initializer {
		w.constants[t.Name] = t
	}
	for _, n := range g.Node {
		if n.OpType == "Constant" && attribute(n, "value") != nil {
			w.constants[n.Output[0]] = attribute(n, "value").T
		}
	}
	for _, o := range g.Output {
		w.narrow[o.Name] = true
	}
	for _, n := range slices.Backward(g.Node) {
		if slices.Contains(linear, n.OpType) || !slices.ContainsFunc(n.Output, func(o string) bool { return w.narrow[o] }) {
			continue
		}
		for _, in := range n.Input {
			w.narrow[in] = true
		}
	}
	return w
}

// layer widens what a node reads and yields.
func (w *widener) layer(n *protos.NodeProto) error {
	if slices.Contains(linear, n.OpType) {
		return w.mix(n)
	}
	if !slices.ContainsFunc(n.Input, w.isWide) {
		return nil // of the image alone, or of no image at all
	}
	if !w.isWide(n.Input[0]) && n.OpType != "Concat" && !slices.Contains(elementwise, n.OpType) {
		return errors.New("only its first input can be widened")
	}
	out, err := w.follow(n)
	if err != nil {
		return err
	}
	w.wide[n.Output[0]] = out
	return nil
}

func (w *widener) isWide(name string) bool { _, ok := w.wide[name]; return ok }

// alike are the operators that do the same to every channel.
var alike = []string{
	"Relu", "LeakyRelu", "Elu", "Celu", "Selu", "Gelu", "Sigmoid", "HardSigmoid", "HardSwish", "Tanh", "Softplus", "Softsign",
	"Mish", "ThresholdedRelu", "Clip", "Erf", "Exp", "Log", "Abs", "Neg", "Sqrt", "Reciprocal", "Identity", "Dropout", "Cast",
	"MaxPool", "AveragePool", "LpPool", "GlobalMaxPool", "GlobalAveragePool", "GlobalLpPool", "Pad",
}

// elementwise are operators of several inputs with the same channels.
var elementwise = []string{"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean"}

// reductions are taken over places.
var reductions = []string{"ReduceMean", "ReduceMax", "ReduceMin", "ReduceSum", "ReduceL1", "ReduceL2", "ReduceSumSquare"}

// follow widens the parameters of a node that keeps channels apart.
func (w *widener) follow(n *protos.NodeProto) (value, error) {
	in := w.wide[n.Input[0]]
	switch {
	case slices.Contains(alike, n.OpType):
		return in, nil
	case slices.Contains(elementwise, n.OpType), n.OpType == "PRelu":
		return w.elementwise(n)
	case slices.Contains(reductions, n.OpType):
		return w.reduce(n, in)
	}
	switch n.OpType {
	case "BatchNormalization", "InstanceNormalization":
		for i := 1; i < len(n.Input); i++ {
			if err := w.spread(n, i, 0, 1); err != nil {
				return in, err
			}
		}
		return in, nil
	case "Concat":
		return w.concat(n)
	case "Flatten":
		if axis := integer(n, "axis", 1); axis != 1 {
			return in, fmt.Errorf("it flattens from axis %d", axis)
		}
		return value{2, in.channels}, nil
	case "Reshape":
		return w.reshape(n, in)
	case "Squeeze":
		return value{2, in.channels}, w.overPlaces(n, in)
	}
	return in, errors.New("how to widen this operator is not known")
}

// elementwise widens the constants among the operands.
func (w *widener) elementwise(n *protos.NodeProto) (out value, err error) {
	for _, name := range n.Input {
		if v, ok := w.wide[name]; ok {
			if out.rank > 0 && out != v {
				return out, fmt.Errorf("its operands have %d and %d channels", out.channels, v.channels)
			}
			out = v
		}
	}
	for i, name := range n.Input {
		if w.isWide(name) {
			continue
		}
		t, ok := w.constants[name]
		if !ok {
			return out, fmt.Errorf("its operand %q was not widened", name)
		}
		// Shapes are aligned at their ends, and axis 1 is the channels'.
		axis := len(t.Dims) - (out.rank - 1)
		if axis < 0 || t.Dims[axis] == 1 {
			continue // the same for all channels
		}
		if err := w.spread(n, i, axis, int(t.Dims[axis])/out.channels); err != nil {
			return out, err
		}
	}
	return out, nil
}

func (w *widener) concat(n *protos.NodeProto) (out value, err error) {
	for _, name := range n.Input {
		v, ok := w.wide[name]
		if !ok {
			return out, fmt.Errorf("its input %q was not widened", name)
		}
		out.rank = v.rank
		out.channels += v.channels
	}
	if axis := integer(n, "axis", 1); axis != 1 && axis != 1-int64(out.rank) {
		return out, fmt.Errorf("it joins along axis %d", axis)
	}
	return out, nil
}

func (w *widener) reduce(n *protos.NodeProto, in value) (value, error) {
	if integer(n, "keepdims", 1) == 1 {
		return in, w.overPlaces(n, in)
	}
	return value{2, in.channels}, w.overPlaces(n, in)
}

// overPlaces checks that a node's axes are all those of places.
func (w *widener) overPlaces(n *protos.NodeProto, in value) error {
	var axes []int64
	if a := attribute(n, "axes"); a != nil {
		axes = slices.Clone(a.Ints)
	} else if len(n.Input) > 1 {
		t, err := w.constant(n.Input[1])
		if err != nil {
			return err
		}
		axes, _ = t.Data.([]int64)
	}
	for i := range axes {
		if axes[i] < 0 {
			axes[i] += int64(in.rank)
		}
	}
	slices.Sort(axes)
	if in.rank != 4 || !slices.Equal(axes, []int64{2, 3}) {
		return fmt.Errorf("its axes %v are not those of width and height", axes)
	}
	return nil
}

// reshape takes maps to vectors, and nothing else.
func (w *widener) reshape(n *protos.NodeProto, in value) (value, error) {
	t, err := w.constant(n.Input[1])
	if err != nil {
		return in, err
	}
	shape, _ := t.Data.([]int64)
	if len(shape) != 2 || shape[0] > 1 {
		return in, fmt.Errorf("it reshapes to %v, not to vectors", shape)
	}
	if shape[1] > 0 {
		w.replace(n, 1, integers([]int64{shape[0], shape[1] * int64(w.factor)}))
	}
	return value{2, in.channels}, nil
}

// finish drops what nobody reads any more: narrow weights, and shapes that were
// written down.
func (w *widener) finish() {
	read := map[string]bool{}
	for _, n := range w.graph.Node {
		for _, in := range n.Input {
			read[in] = true
		}
	}
	w.graph.Initializer = slices.DeleteFunc(w.graph.Initializer, func(t *protos.TensorProto) bool { return !read[t.Name] })
	w.graph.Input = slices.DeleteFunc(w.graph.Input, func(v *protos.ValueInfoProto) bool {
		return w.constants[v.Name] != nil && !read[v.Name]
	})
	w.graph.ValueInfo = nil
}

// constant reads a constant's values.
func (w *widener) constant(name string) (*onnx.Tensor, error) {
	p, ok := w.constants[name]
	if !ok {
		return nil, fmt.Errorf("its input %q is not a constant", name)
	}
	return decode(p)
}

func attribute(n *protos.NodeProto, name string) *protos.AttributeProto {
	for _, a := range n.Attribute {
		if a.Name == name {
			return a
		}
	}
	return nil
}

func integer(n *protos.NodeProto, name string, otherwise int64) int64 {
	if a := attribute(n, name); a != nil {
		return a.I
	}
	return otherwise
}
