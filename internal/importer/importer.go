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

// Import lowers a model.
func Import(ctx context.Context, m *onnx.Model, opts Options) (*Result, error) {
	b := &builder{ctx: ctx, opset: m.Opset, values: map[string]value{"": {}}}
	r := &Result{}
	for name, t := range m.Graph.Initializers {
		b.values[name] = constValue(t)
	}
	if err := b.input(m.Graph, opts, r); err != nil {
		return nil, err
	}
	for _, n := range m.Graph.Nodes {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		if err := b.node(n); err != nil {
			return nil, fmt.Errorf("%s: %w", n, err)
		}
	}
	if err := b.output(m.Graph, opts, r); err != nil {
		return nil, err
	}
	r.Folded = b.folded
	return r, nil
}

// builder carries the state of one import.
type builder struct {
	ctx    context.Context
	opset  int
	net    *network.Network
	values map[string]value
	node0  *onnx.Node // the node being lowered, for names
	made   int        // layers made for it so far
	folded int
}

// add appends a layer named after the node that is being lowered.
func (b *builder) add(what string, op network.Op, in ...*network.Layer) (*network.Layer, error) {
	name := what
	if b.node0 != nil {
		name = b.node0.Name
		if name == "" && len(b.node0.Outputs) > 0 {
			name = b.node0.Outputs[0]
		}
		if b.made > 0 {
			name = fmt.Sprintf("%s (%s)", name, what)
		}
	}
	b.made++
	return b.net.Add(name, op, in...)
}

// input finds the one input that is an image and binds its shape.
func (b *builder) input(g *onnx.Graph, opts Options, r *Result) error {
	if len(g.Inputs) != 1 {
		names := make([]string, len(g.Inputs))
		for i, in := range g.Inputs {
			names[i] = in.Name
		}
		return fmt.Errorf("an image classifier has one input, this model has %d %q", len(g.Inputs), names)
	}
	in := g.Inputs[0]
	if in.DType != onnx.Undefined && !in.DType.IsFloat() {
		return fmt.Errorf("input %q is of type %s, images need a floating point type", in.Name, in.DType)
	}
	dims := []int{-1, -1, -1, -1}
	if in.HasShape {
		if len(in.Dims) != 4 {
			return fmt.Errorf("input %q has %d axes, a batch of images has 4 (NxCxHxW)", in.Name, len(in.Dims))
		}
		for i, d := range in.Dims {
			dims[i] = d.Size
		}
	}
	o := chw
	switch opts.Layout {
	case "nhwc":
		o = hwc
	case "":
		if !isChannels(dims[1]) && isChannels(dims[3]) {
			o = hwc
		}
	}
	y, x, c := 2, 3, 1
	if o == hwc {
		y, x, c = 1, 2, 3
	}
	channels := dims[c]
	if channels < 1 {
		channels = 3
	}
	if !isChannels(channels) {
		return fmt.Errorf("input %q has %d channels, images have 1 or 3", in.Name, channels)
	}
	size := func(axis string, declared, asked int) (int, error) {
		switch {
		case declared > 0 && asked > 0 && declared != asked:
			return 0, fmt.Errorf("input %q has a %s of %d, it cannot be set to %d", in.Name, axis, declared, asked)
		case declared > 0:
			return declared, nil
		case asked > 0:
			return asked, nil
		}
		r.Inferred = true
		return DefaultSize, nil
	}
	h, err := size("height", dims[y], opts.Height)
	if err != nil {
		return err
	}
	w, err := size("width", dims[x], opts.Width)
	if err != nil {
		return err
	}
	if h > maxSide || w > maxSide {
		return fmt.Errorf("input %q of %dx%d pixels is beyond the limit of %d a side", in.Name, w, h, maxSide)
	}
	b.net = network.New(in.Name, network.Shape{H: h, W: w, C: channels})
	v := value{layer: b.net.Input(), order: o, dims: []int{1, 0, 0, 0}}
	v.dims[y], v.dims[x], v.dims[c] = h, w, channels
	b.values[in.Name] = v
	return nil
}

// maxSide bounds the input's height and width in pixels.
const maxSide = 16384

func isChannels(n int) bool { return n == 1 || n == 3 }

// node lowers one node.
func (b *builder) node(n *onnx.Node) error {
	if n.Domain != "" && n.Domain != "ai.onnx" {
		return fmt.Errorf("operator of the domain %q is not supported", n.Domain)
	}
	if !reference.Supported(n.Op) {
		return fmt.Errorf("operator %s is not supported", n.Op)
	}
	b.node0, b.made = n, 0
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
	var err error
	if constant {
		out, err = b.fold(n, in)
	} else {
		out, err = b.lower(n, in)
	}
	if err != nil {
		return err
	}
	for i, name := range n.Outputs {
		if name == "" {
			continue
		}
		if i >= len(out) {
			return fmt.Errorf("output %q of this operator is not supported", name)
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
	if f, ok := lowerings[n.Op]; ok {
		before := len(b.net.Layers)
		v, err := f(b, n, in)
		if err == nil {
			if v.isAbsent() {
				return nil, fmt.Errorf("lowering made nothing")
			}
			return []value{v}, nil
		}
		if !errors.Is(err, errNoLayer) {
			return nil, err
		}
		b.net.Layers, b.made = b.net.Layers[:before], 0
	}
	if n.Op == "Split" {
		return b.split(n, in)
	}
	return b.function(n, in)
}

// fold evaluates a node of constants.
func (b *builder) fold(n *onnx.Node, in []value) ([]value, error) {
	tensors := make([]*onnx.Tensor, len(in))
	for i, v := range in {
		tensors[i] = v.constant
	}
	out, err := reference.Eval(b.ctx, n, b.opset, tensors)
	if err != nil {
		return nil, err
	}
	b.folded++
	values := make([]value, len(out))
	for i, t := range out {
		if t != nil {
			values[i] = constValue(t)
		}
	}
	return values, nil
}

// function makes a layer of the reference operator, one for each output in use.
func (b *builder) function(n *onnx.Node, in []value) ([]value, error) {
	inputs := make([]*onnx.Tensor, len(in)) // constants; filled in for layers at each call
	place := []int{}                        // input index of each layer
	layers := []*network.Layer{}
	zeros := [][]float32{}
	for i, v := range in {
		switch {
		case v.isAbsent():
		case v.isConst():
			t, err := floats(v.constant)
			if err != nil {
				return nil, err
			}
			inputs[i] = t
		default:
			f, err := b.vector(v)
			if err != nil {
				return nil, err
			}
			inputs[i] = &onnx.Tensor{DType: onnx.Float32, Dims: v.dims}
			place, layers = append(place, i), append(layers, f.layer)
			zeros = append(zeros, make([]float32, f.layer.Shape.Len()))
		}
	}
	opset := b.opset
	eval := func(ctx context.Context, values [][]float32) ([]*onnx.Tensor, error) {
		args := append([]*onnx.Tensor(nil), inputs...)
		for i, p := range place {
			t := *inputs[p]
			t.Data = values[i]
			args[p] = &t
		}
		return reference.Eval(ctx, n, opset, args)
	}
	// Run once on zeros for the shapes.
	shapes, err := eval(b.ctx, zeros)
	if err != nil {
		return nil, err
	}
	values := make([]value, len(shapes))
	for i, t := range shapes {
		if i >= len(n.Outputs) || n.Outputs[i] == "" || t == nil {
			continue
		}
		if t.DType != onnx.Float32 {
			return nil, fmt.Errorf("makes %s values of the image, only floating point ones are supported", t.DType)
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

// output finds the class scores.
func (b *builder) output(g *onnx.Graph, opts Options, r *Result) error {
	if len(g.Outputs) == 0 {
		return fmt.Errorf("the model has no output")
	}
	name := g.Outputs[0].Name
	for _, o := range g.Outputs {
		r.Outputs = append(r.Outputs, o.Name)
		if o.Name == opts.Output {
			name = o.Name
		}
	}
	if opts.Output != "" && name != opts.Output {
		return fmt.Errorf("the model has no output %q, it has %q", opts.Output, r.Outputs)
	}
	v, ok := b.values[name]
	if !ok {
		return fmt.Errorf("nothing defines the output %q", name)
	}
	if v.isConst() || v.isAbsent() {
		return fmt.Errorf("output %q does not depend on the image", name)
	}
	if _, ok := singleAxis(v.dims); !ok {
		return fmt.Errorf("output %q is %s for one image, a classifier gives one score per class", name, onnx.FormatDims(v.dims))
	}
	b.node0 = nil
	v, err := b.vector(v)
	if err != nil {
		return err
	}
	b.net.Output = v.layer
	b.net.Sort()
	r.Net, r.Last = b.net, lastOperator(g, name)
	return nil
}

// lastOperator is the operator that makes a value, shape changes aside.
func lastOperator(g *onnx.Graph, name string) string {
	maker := map[string]*onnx.Node{}
	for _, n := range g.Nodes {
		for _, o := range n.Outputs {
			maker[o] = n
		}
	}
	for range len(g.Nodes) {
		n := maker[name]
		if n == nil {
			return ""
		}
		switch n.Op {
		case "Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Cast":
			name = n.Inputs[0]
		default:
			return n.Op
		}
	}
	return ""
}

// dense wraps values as the tensor that crosses package borders.
func dense(data []float32, shape ...int) *tensor.Dense {
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}
