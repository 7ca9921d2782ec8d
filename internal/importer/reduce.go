package importer

import (
	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/operators/region"
)

func (b *builder) globalAverage(_ *onnx.Node, in []value) (value, error) {
	return b.globalPool(network.Mean, in[0])
}

func (b *builder) globalMax(_ *onnx.Node, in []value) (value, error) {
	return b.globalPool(network.Largest, in[0])
}

func (b *builder) globalPool(fn string, v value) (value, error) {
	if len(v.dims) != 4 {
		return value{}, errNoLayer
	}
	x, err := b.imageMap(v)
	if err != nil {
		return value{}, err
	}
	l, err := b.add("global "+fn, network.GlobalPool{Fn: fn}, x.layer)
	if err != nil {
		return value{}, err
	}
	return mapValue(l), nil
}

func (b *builder) reduceMean(n *onnx.Node, in []value) (value, error) {
	return b.reduce(network.Mean, n, in)
}

func (b *builder) reduceSum(n *onnx.Node, in []value) (value, error) {
	return b.reduce(network.Sum, n, in)
}

func (b *builder) reduceMax(n *onnx.Node, in []value) (value, error) {
	return b.reduce(network.Largest, n, in)
}

// reduce lowers reductions over exactly the rows and columns of a map, or over
// exactly its channels.
func (b *builder) reduce(fn string, n *onnx.Node, in []value) (value, error) {
	v := in[0]
	if v.order == flat {
		return value{}, errNoLayer
	}
	axes, ok := axesOf(n, in, len(v.dims))
	if !ok {
		return value{}, errNoLayer
	}
	reduced := map[int]bool{}
	for _, a := range axes {
		reduced[a] = true
	}
	y, x := v.spatialAxes()
	from, to := v.channelAxes()
	places := reduced[y] && reduced[x] && len(reduced) == 2
	channels := to > from && len(reduced) == to-from
	for a := from; a < to; a++ {
		channels = channels && reduced[a]
	}
	var op network.Op
	switch {
	case places:
		op = network.GlobalPool{Fn: fn}
	case channels:
		op = network.ChannelReduce{Fn: fn}
	case len(reduced) == 1 && (reduced[y] || reduced[x]) && fn != network.Sum:
		op = linePool(fn, v.layer.Shape, reduced[y])
	default:
		return value{}, errNoLayer
	}
	l, err := b.add(fn, op, v.layer)
	if err != nil {
		return value{}, err
	}
	kept := value{layer: l, order: v.order}
	dims := []int{}
	for a, d := range v.dims {
		switch {
		case !reduced[a]:
			dims = append(dims, d)
		case n.Int("keepdims", 1) != 0:
			dims = append(dims, 1)
		}
		if reduced[a] {
			d = 1
		}
		kept.dims = append(kept.dims, d)
	}
	if channels && len(dims) == 3 { // 1 x H x W: a map without channel axes
		return value{layer: l, dims: dims, order: chw}, nil
	}
	return b.reshaped(kept, dims)
}

// linePool is the mean or the largest of every column (or row) of a map.
func linePool(fn string, s network.Shape, column bool) network.Pool {
	one := region.Window{Kernel: 1, Stride: 1, Dilation: 1}
	p := network.Pool{Window: network.Window{Y: one, X: one}, Max: fn == network.Largest}
	if column {
		p.Y.Kernel = s.H
	} else {
		p.X.Kernel = s.W
	}
	return p
}

// axesOf reads the axes of a reduction, a squeeze and the like: an attribute in
// older operator sets, the second input in newer ones. None given means all.
func axesOf(n *onnx.Node, in []value, rank int) ([]int, bool) {
	axes := n.Ints("axes")
	if len(in) > 1 && !in[1].isAbsent() {
		if !in[1].isConst() {
			return nil, false
		}
		var err error
		if axes, err = in[1].constant.Ints(); err != nil {
			return nil, false
		}
	}
	if len(axes) == 0 {
		if n.Int("noop_with_empty_axes", 0) != 0 {
			return nil, false
		}
		for a := range rank {
			axes = append(axes, a)
		}
		return axes, true
	}
	out := make([]int, len(axes))
	for i, a := range axes {
		if a < 0 {
			a += rank
		}
		if a < 0 || a >= rank {
			return nil, false
		}
		out[i] = a
	}
	return out, true
}

func (b *builder) softmax(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	axis, last := n.Int("axis", -1), b.opset < 13
	if last { // the axes from the given one on are taken as one
		axis = n.Int("axis", 1)
	}
	if axis < 0 {
		axis += len(v.dims)
	}
	if axis < 0 || axis >= len(v.dims) {
		return value{}, errNoLayer
	}
	to := axis + 1
	if last {
		to = len(v.dims)
	}
	cfrom, cto := v.channelAxes()
	overChannels := v.order != flat && axis == cfrom && to == cto
	overAll := v.layer.Shape.IsVector() && product(v.dims[axis:to]) == v.layer.Shape.C
	if !overChannels && !overAll {
		return value{}, errNoLayer
	}
	l, err := b.add("softmax", network.Softmax{Log: n.Op == "LogSoftmax"}, v.layer)
	return v.as(l), err
}
