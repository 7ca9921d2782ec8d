package importer

import (
	"fmt"

	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/operators/region"
)

// window reads the attributes that convolutions and pools share, and refuses pads
// that are out of proportion to the map. kernel is the window's rows and columns.
func (b *builder) window(n *onnx.Node, kernel []int, in network.Shape) (network.Window, network.PadAfter, error) {
	w, after, err := window(n, kernel, in)
	if err == nil {
		err = b.limits.surrounded(in, w.Y.Pad+after.Y, w.X.Pad+after.X)
	}
	return w, after, err
}

func window(n *onnx.Node, kernel []int, in network.Shape) (network.Window, network.PadAfter, error) {
	strides, err := pair(n, "strides")
	if err != nil {
		return network.Window{}, network.PadAfter{}, err
	}
	dilations, err := pair(n, "dilations")
	if err != nil {
		return network.Window{}, network.PadAfter{}, err
	}
	if len(kernel) != 2 {
		return network.Window{}, network.PadAfter{}, fmt.Errorf("has a kernel of %d axes, images have 2", len(kernel))
	}
	w := network.Window{
		Y: region.Window{Kernel: kernel[0], Stride: strides[0], Dilation: dilations[0]},
		X: region.Window{Kernel: kernel[1], Stride: strides[1], Dilation: dilations[1]},
	}
	for _, a := range []region.Window{w.Y, w.X} {
		if max(a.Kernel, a.Stride, a.Dilation) > maxSide {
			return w, network.PadAfter{}, fmt.Errorf("has a kernel of %v, strides of %v, dilations of %v: beyond any image", kernel, strides, dilations)
		}
		if a.Kernel < 1 || a.Stride < 1 || a.Dilation < 1 {
			return w, network.PadAfter{}, fmt.Errorf("has a kernel of %v, strides of %v, dilations of %v: all must be at least 1", kernel, strides, dilations)
		}
	}
	var after network.PadAfter
	switch auto := n.Str("auto_pad", "NOTSET"); auto {
	case "NOTSET", "":
		pads := n.Ints("pads")
		if pads == nil {
			pads = []int{0, 0, 0, 0}
		}
		if len(pads) != 4 {
			return w, after, fmt.Errorf("has %d pads, images have 4", len(pads))
		}
		for _, p := range pads {
			if p < 0 {
				return w, after, errNoLayer
			}
			if p > maxSide {
				return w, after, fmt.Errorf("has pads of %v, beyond any image", pads)
			}
		}
		w.Y.Pad, w.X.Pad = pads[0], pads[1]
		after = network.PadAfter{Y: pads[2], X: pads[3]}
	case "VALID":
	case "SAME_UPPER", "SAME_LOWER":
		w.Y.Pad, after.Y = samePads(in.H, w.Y, auto == "SAME_LOWER")
		w.X.Pad, after.X = samePads(in.W, w.X, auto == "SAME_LOWER")
	default:
		return w, after, fmt.Errorf("has an unknown auto_pad %q", auto)
	}
	return w, after, nil
}

// samePads makes ceil(n / stride) windows fit; an odd cell goes behind the map,
// or before it when lower.
func samePads(n int, w region.Window, lower bool) (before, after int) {
	out := (n + w.Stride - 1) / w.Stride
	total := max(0, (out-1)*w.Stride+w.Extent()-n)
	if lower {
		return total - total/2, total / 2
	}
	return total / 2, total - total/2
}

func pair(n *onnx.Node, name string) ([]int, error) {
	v := n.Ints(name)
	switch len(v) {
	case 0:
		return []int{1, 1}, nil
	case 2:
		return v, nil
	}
	return nil, fmt.Errorf("has %s of %d axes, images have 2", name, len(v))
}

func (b *builder) conv(n *onnx.Node, in []value) (value, error) {
	if !in[1].isConst() {
		return value{}, errNoLayer
	}
	w := in[1].constant
	if len(w.Dims) != 4 || len(in[0].dims) != 4 {
		return value{}, fmt.Errorf("slides over %d axes, images have 2", len(w.Dims)-2)
	}
	x, err := b.imageMap(in[0])
	if err != nil {
		return value{}, err
	}
	if k := n.Ints("kernel_shape"); k != nil && !equalDims(k, w.Dims[2:]) {
		return value{}, fmt.Errorf("has a kernel_shape of %v, but weights of %s", k, onnx.FormatDims(w.Dims))
	}
	win, after, err := b.window(n, w.Dims[2:], x.layer.Shape)
	if err != nil {
		return value{}, err
	}
	filters, group, kh, kw := w.Dims[0], w.Dims[1], w.Dims[2], w.Dims[3]
	if w.Len() == 0 {
		return value{}, fmt.Errorf("has weights of %s", onnx.FormatDims(w.Dims))
	}
	op := network.Conv{Window: win, After: after, Groups: n.Int("group", 1)}
	if len(in) > 2 && !in[2].isAbsent() {
		if !in[2].isConst() {
			return value{}, errNoLayer
		}
		if op.Bias, err = in[2].constant.Float32s(); err != nil {
			return value{}, err
		}
		if len(op.Bias) != filters {
			return value{}, fmt.Errorf("has %d biases for %d filters", len(op.Bias), filters)
		}
	}
	data, err := b.weights(in[1])
	if err != nil {
		return value{}, err
	}
	if data, err = data.transposed(b.ctx, filters, group, kh*kw); err != nil {
		return value{}, err
	}
	op.Weights = dense(data.data, filters, kh, kw, group)
	l, err := b.add("conv", op, x.layer)
	if err != nil {
		return value{}, err
	}
	return mapValue(l), nil
}

func (b *builder) maxPool(n *onnx.Node, in []value) (value, error) {
	if len(n.Outputs) > 1 && n.Outputs[1] != "" {
		return value{}, errNoLayer
	}
	return b.pool(n, in, network.Pool{Max: true})
}

func (b *builder) averagePool(n *onnx.Node, in []value) (value, error) {
	return b.pool(n, in, network.Pool{CountPad: n.Int("count_include_pad", 0) != 0})
}

func (b *builder) pool(n *onnx.Node, in []value, op network.Pool) (value, error) {
	if len(in[0].dims) != 4 {
		return value{}, fmt.Errorf("slides over %d axes, images have 2", len(in[0].dims)-2)
	}
	x, err := b.imageMap(in[0])
	if err != nil {
		return value{}, err
	}
	if op.Window, op.After, err = b.window(n, n.Ints("kernel_shape"), x.layer.Shape); err != nil {
		return value{}, err
	}
	if op.Y.Pad >= op.Y.Extent() || op.X.Pad >= op.X.Extent() || op.After.Y >= op.Y.Extent() || op.After.X >= op.X.Extent() {
		// Such a window would lie in the padding alone and has nothing to say.
		return value{}, fmt.Errorf("has pads of %v, not smaller than its window", n.Ints("pads"))
	}
	op.Ceil = n.Int("ceil_mode", 0) != 0
	l, err := b.add(n.Op, op, x.layer)
	if err != nil {
		return value{}, err
	}
	return mapValue(l), nil
}
