package importer

import (
	"fmt"
	"slices"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// SizeError tells that an input cannot have the size that was asked for: the file has
// another one.
type SizeError struct {
	Input, Axis     string
	Declared, Asked int // pixels
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("input %q has a %s of %d, it cannot be set to %d", e.Input, e.Axis, e.Declared, e.Asked)
}

// maxSide bounds the input's height and width in pixels, and with them every
// stride, pad and window.
const maxSide = 16384

func isChannels(n int) bool { return n == 1 || n == 3 }

// input finds the one input that is an image and binds its shape. Inputs that
// no needed node reads do not count: Keras leaves some behind.
func (b *builder) input(g *onnx.Graph, nodes []*onnx.Node, reads map[string]int, opts Options, r *Result) error {
	var inputs []onnx.ValueInfo
	var names []string
	for _, in := range g.Inputs {
		if reads[in.Name] > 0 {
			inputs, names = append(inputs, in), append(names, in.Name)
		}
	}
	switch len(inputs) {
	case 1:
	case 0:
		return fmt.Errorf("the output does not depend on any input, so not on the image")
	default:
		return fmt.Errorf("an image classifier has one input, this model has %d: %q", len(inputs), names)
	}
	in := inputs[0]
	if in.Type != "" {
		return fmt.Errorf("input %q is of type %s, images need a floating point type", in.Name, in.Type)
	}
	if in.DType != onnx.Undefined && !in.DType.IsFloat() {
		return fmt.Errorf("input %q is of type %s, images need a floating point type", in.Name, in.DType)
	}
	dims := []int{-1, -1, -1, -1}
	if in.HasShape {
		if len(in.Dims) != 4 {
			return fmt.Errorf("input %q has %d axes, a batch of images has 4 (NxCxHxW)%s", in.Name, len(in.Dims), firstReader(g, in.Name))
		}
		for i, d := range in.Dims {
			dims[i] = d.Size
		}
	}
	if dims[0] > 1 {
		b.batch = dims[0]
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
		channels = channelsRead(nodes, in.Name, g.Initializers)
	}
	if !isChannels(channels) {
		return fmt.Errorf("input %q has %d channels, images have 1 or 3", in.Name, channels)
	}
	size := func(axis string, declared, asked int) (int, error) {
		switch {
		case declared > 0 && asked > 0 && declared != asked:
			return 0, &SizeError{in.Name, axis, declared, asked}
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
	if err := b.limits.bounded(network.Shape{H: h, W: w, C: channels}); err != nil {
		return fmt.Errorf("input %q %w", in.Name, err)
	}
	b.net = network.New(in.Name, network.Shape{H: h, W: w, C: channels})
	v := value{layer: b.net.Input(), order: o, dims: []int{1, 0, 0, 0}}
	v.dims[y], v.dims[x], v.dims[c] = h, w, channels
	b.values[in.Name] = v
	return nil
}

// channelsRead is how many channels the convolution that reads the input takes,
// 3 where no convolution reads it directly.
func channelsRead(nodes []*onnx.Node, input string, weights map[string]*onnx.Tensor) int {
	for _, n := range nodes {
		if n.Op != "Conv" || len(n.Inputs) < 2 || n.Inputs[0] != input {
			continue
		}
		if w := weights[n.Inputs[1]]; w != nil && len(w.Dims) == 4 {
			return w.Dims[1] * n.Int("group", 1)
		}
	}
	return 3
}

// chooseOutput is the name of the output that the user means.
func chooseOutput(g *onnx.Graph, opts Options, r *Result) (string, error) {
	if len(g.Outputs) == 0 {
		return "", fmt.Errorf("the model has no output")
	}
	name := g.Outputs[0].Name
	for _, o := range g.Outputs {
		r.Outputs = append(r.Outputs, o.Name)
		if o.Name == opts.Output {
			name = o.Name
		}
	}
	if opts.Output != "" && name != opts.Output {
		return "", fmt.Errorf("the model has no output %q, it has %q", opts.Output, r.Outputs)
	}
	return name, nil
}

// output ends the network in the class scores.
func (b *builder) output(name string) error {
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
	return nil
}

// lastOperator is the operator that makes a value, shape changes aside.
func lastOperator(nodes []*onnx.Node, name string) string {
	maker := map[string]*onnx.Node{}
	for _, n := range nodes {
		for _, o := range n.Outputs {
			maker[o] = n
		}
	}
	for range nodes {
		n := maker[name]
		if n == nil {
			return ""
		}
		switch n.Op {
		case "Identity", "Dropout", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Cast", "CastLike":
			name = n.Inputs[0]
		default:
			return n.Op
		}
	}
	return ""
}

// firstReader names the node that an unfit input goes to: a convolution over
// one or three axes, say.
func firstReader(g *onnx.Graph, name string) string {
	for _, n := range g.Nodes {
		if slices.Contains(n.Inputs, name) {
			return fmt.Sprintf("; it is read by the %s", n)
		}
	}
	return ""
}
