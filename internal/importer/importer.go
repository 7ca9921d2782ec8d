package importer

import (
	"context"
	"errors"
	"fmt"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/operators/reference"
)

// Options are what the user says about the model's input and output.
type Options struct {
	Height, Width int    // 0: what the model declares, 224 where it leaves it open
	Layout        string // "nchw", "nhwc" or "" to look at the declared shape
	Output        string // name of the output, "" for the first
}

// Result is a lowered model.
type Result struct {
	Net      *network.Network // ends in the vector of class scores
	Last     string           // the ONNX operator that makes the scores, shape changes aside
	Outputs  []string         // names of all outputs
	Folded   int              // nodes that were evaluated at load
	Inferred bool             // the input's size is the default: the model left it open
}

// DefaultSize is the input's side where neither the model nor the user says.
const DefaultSize = 224

// Import lowers a model. Nodes that the chosen output does not need are not
// looked at: a second head may use operators that nobody knows. Errors name the
// node and its operator. The model is used up: its weights become the network's,
// and may be in another order afterwards.
func Import(ctx context.Context, m *onnx.Model, opts Options) (*Result, error) {
	return within(ctx, most, m, opts)
}

// within imports a model within limits.
func within(ctx context.Context, l limits, m *onnx.Model, opts Options) (*Result, error) {
	l = l.of(m.Graph.Initializers)
	b := &builder{
		ctx: reference.WithSteps(ctx, l.steps), opset: m.Opset, limits: l,
		values: map[string]value{"": {}}, counted: map[*float32]bool{},
	}
	r := &Result{}
	name, err := chooseOutput(m.Graph, opts, r)
	if err != nil {
		return nil, err
	}
	nodes, reads := neededBy(m.Graph, name)
	for name, t := range m.Graph.Initializers {
		if data, ok := t.Data.([]float32); ok && len(data) > 0 {
			b.counted[&data[0]] = true
		}
		v := constValue(t)
		v.sole = reads[name] == 1
		b.values[name] = v
	}
	if err := b.input(m.Graph, nodes, reads, opts, r); err != nil {
		return nil, err
	}
	for _, n := range nodes {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := b.node(n); err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
	}
	if err := b.output(name); err != nil {
		return nil, err
	}
	r.Net, r.Last, r.Folded = b.net, lastOperator(nodes, name), b.folded
	return r, nil
}

// neededBy lists the nodes that an output needs, in the file's order, and how
// often they and the output read each name. The nodes are copies in which
// outputs that nobody reads have no name, so that a lowering need not make them
// (the mask of a Dropout).
func neededBy(g *onnx.Graph, output string) (nodes []*onnx.Node, reads map[string]int) {
	reads = map[string]int{output: 1}
	// Nodes stand behind what they read, so one pass from the end finds all.
	needed := make([]bool, len(g.Nodes))
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		for _, o := range g.Nodes[i].Outputs {
			needed[i] = needed[i] || (o != "" && reads[o] > 0)
		}
		if needed[i] {
			for _, name := range g.Nodes[i].Inputs {
				reads[name]++
			}
		}
	}
	for i, n := range g.Nodes {
		if !needed[i] {
			continue
		}
		c := *n
		c.Outputs = make([]string, len(n.Outputs))
		for j, o := range n.Outputs {
			if reads[o] > 0 {
				c.Outputs[j] = o
			}
		}
		nodes = append(nodes, &c)
	}
	return nodes, reads
}

// builder carries the state of one import.
type builder struct {
	ctx    context.Context
	opset  int
	batch  int // the batch size that the file insists on, 0 for none
	net    *network.Network
	values map[string]value
	node0  *onnx.Node // the node being lowered, for names
	made   int        // layers made for it so far
	folded int
	limits limits // what is left of them
	// counted are the first elements of the file's constants and of the weights of
	// layers so far.
	counted map[*float32]bool
}

// add appends a layer named after the node that is being lowered.
func (b *builder) add(what string, op network.Op, in ...*network.Layer) (*network.Layer, error) {
	name := what
	if b.node0 != nil {
		name = b.node0.Name
		if name == "" {
			name = firstOutput(b.node0)
		}
		if b.made > 0 {
			name = fmt.Sprintf("%s (%s)", name, what)
		}
	}
	b.made++
	l, err := b.net.Add(name, op, in...)
	if err != nil {
		if bare := errors.Unwrap(err); bare != nil {
			err = bare // Import names the node
		}
		return nil, err
	}
	return l, b.limits.bounded(l.Shape)
}

func firstOutput(n *onnx.Node) string {
	for _, o := range n.Outputs {
		if o != "" {
			return o
		}
	}
	return n.Op
}

// node lowers one node.
func (b *builder) node(n *onnx.Node) (err error) {
	// The file is hostile until proven otherwise, and lowerings index into what
	// it says; a slip there must not take the session down.
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("internal error: %v", r)
		}
	}()
	if n.Domain != "" && n.Domain != "ai.onnx" {
		return fmt.Errorf("operator %s of the domain %q is not supported", n.Op, n.Domain)
	}
	if !reference.Supported(n.Op) {
		return fmt.Errorf("operator %s is not supported", n.Op)
	}
	b.node0, b.made = n, 0
	before := len(b.net.Layers)
	in := make([]value, len(n.Inputs))
	constant := true
	for i, name := range n.Inputs {
		v, ok := b.values[name]
		if !ok {
			return fmt.Errorf("reads %q, which nothing defines", name)
		}
		in[i] = v
		constant = constant && (v.isConst() || v.isAbsent())
	}
	var out []value
	if constant {
		out, err = b.fold(n, in)
	} else {
		out, err = b.lower(n, in)
	}
	if err != nil {
		return err
	}
	if err := b.chargeLayers(before); err != nil {
		return err
	}
	for i, name := range n.Outputs {
		if name == "" {
			continue
		}
		if i >= len(out) || out[i].isAbsent() {
			return fmt.Errorf("output %q of this operator is not supported", name)
		}
		if n := len(out[i].dims); n > maxRank {
			return fmt.Errorf("makes a value of %d axes, beyond the limit of %d", n, maxRank)
		}
		b.values[name] = out[i]
	}
	return nil
}

// errNoLayer makes lower fall back to the reference operator.
var errNoLayer = errors.New("no layer for this form of the operator")

// lower turns a node into layers: by its lowering where it has one that takes
// the node's form, as a Function otherwise.
func (b *builder) lower(n *onnx.Node, in []value) ([]value, error) {
	f, ok := lowerings[n.Op]
	for i := range f.inputs {
		// The reference operator says what is missing.
		ok = ok && i < len(in) && !in[i].isAbsent()
	}
	if !ok || (in[0].isConst() && !f.anyOrder) {
		return b.function(n, in)
	}
	before := len(b.net.Layers)
	out, err := f.lower(b, n, in)
	if errors.Is(err, errNoLayer) {
		b.net.Layers, b.made = b.net.Layers[:before], 0
		return b.function(n, in)
	}
	return out, err
}

// fold evaluates a node of constants.
func (b *builder) fold(n *onnx.Node, in []value) ([]value, error) {
	tensors := make([]*onnx.Tensor, len(in))
	for i, v := range in {
		tensors[i] = v.constant
	}
	out, err := b.eval(b.ctx, n, tensors)
	if err != nil {
		return nil, err
	}
	b.folded++
	values := make([]value, len(out))
	for i, t := range out {
		if t == nil {
			continue
		}
		if err := b.charge(t.Len()); err != nil {
			return nil, err
		}
		if data, ok := t.Data.([]float32); ok && len(data) > 0 {
			b.counted[&data[0]] = true
		}
		values[i] = constValue(t)
	}
	return values, nil
}

// eval runs the reference operator. Its errors name the node, which Import does
// as well.
func (b *builder) eval(ctx context.Context, n *onnx.Node, in []*onnx.Tensor) ([]*onnx.Tensor, error) {
	out, err := reference.Eval(ctx, n, b.opset, in)
	if bare := errors.Unwrap(err); bare != nil {
		err = bare
	}
	return out, err
}

// function makes a layer of the reference operator, one for each output in use.
func (b *builder) function(n *onnx.Node, in []value) ([]value, error) {
	inputs := make([]*onnx.Tensor, len(in)) // constants; filled in for layers at each call
	place := []int{}                        // input index of each layer
	layers := []*network.Layer{}
	for i, v := range in {
		switch {
		case v.isAbsent():
		case v.isConst():
			t, err := floats(v.constant)
			if err != nil {
				return nil, err
			}
			if t != v.constant {
				if err := b.charge(t.Len()); err != nil {
					return nil, err
				}
			}
			inputs[i] = t
		default:
			f, err := b.vector(v)
			if err != nil {
				return nil, err
			}
			if f.layer.Shape.Len() > reference.MaxOutput {
				return nil, fmt.Errorf("input %d: shape %s is too large (limit %d elements)", i, onnx.FormatDims(v.dims), reference.MaxOutput)
			}
			inputs[i] = &onnx.Tensor{DType: onnx.Float32, Dims: v.dims}
			place, layers = append(place, i), append(layers, f.layer)
		}
	}
	eval := func(ctx context.Context, values [][]float32) ([]*onnx.Tensor, error) {
		args := append([]*onnx.Tensor(nil), inputs...)
		for i, p := range place {
			t := *inputs[p]
			t.Data = values[i]
			args[p] = &t
		}
		return b.eval(ctx, n, args)
	}
	// Run once on zeros for the shapes.
	shapes, err := eval(b.ctx, zerosFor(layers))
	if err != nil {
		return nil, err
	}
	values := make([]value, len(shapes))
	for i, t := range shapes {
		if i >= len(n.Outputs) || n.Outputs[i] == "" || t == nil {
			continue
		}
		switch {
		case t.DType != onnx.Float32:
			return nil, fmt.Errorf("operator %s makes %s values of the image, only floating point ones are supported", n.Op, t.DType)
		case t.Len() == 0:
			return nil, fmt.Errorf("operator %s leaves nothing of the image: its result is %s", n.Op, onnx.FormatDims(t.Dims))
		}
		op := network.Function{Name: n.Op, Out: t.Len(), Call: func(in [][]float32) ([]float32, error) {
			out, err := eval(context.Background(), in)
			if err != nil {
				return nil, err
			}
			return out[i].Float32s()
		}}
		l, err := b.add(n.Op, op, layers...)
		if err != nil {
			return nil, err
		}
		values[i] = value{layer: l, dims: t.Dims, order: flat}
	}
	return values, nil
}

// zerosFor are zeros for each layer, the same ones for all: nobody writes to them, and
// a node may have inputs by the thousand.
func zerosFor(layers []*network.Layer) [][]float32 {
	n := 0
	for _, l := range layers {
		n = max(n, l.Shape.Len())
	}
	zeros, each := make([]float32, n), make([][]float32, len(layers))
	for i, l := range layers {
		each[i] = zeros[:l.Shape.Len()]
	}
	return each
}

// floats gives floating point constants as float32, the type of all layers, and
// others as they are.
func floats(t *onnx.Tensor) (*onnx.Tensor, error) {
	if !t.DType.IsFloat() || t.DType == onnx.Float32 {
		return t, nil
	}
	data, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	return &onnx.Tensor{Name: t.Name, DType: onnx.Float32, Dims: t.Dims, Data: data}, nil
}

// dense wraps values as the tensor that crosses package borders.
func dense(data []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}
