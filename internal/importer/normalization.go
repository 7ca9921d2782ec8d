package importer

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// batchNorm at inference is an affine function per channel.
func (b *builder) batchNorm(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	if n.Int("training_mode", 0) != 0 || n.Int("spatial", 1) == 0 || len(v.dims) < 2 {
		return value{}, errNoLayer
	}
	channels := v.dims[1]
	var p [4][]float32 // scale, shift, mean, variance
	for i := range p {
		if !in[i+1].isConst() {
			return value{}, errNoLayer
		}
		var err error
		if p[i], err = in[i+1].constant.Float32s(); err != nil {
			return value{}, err
		}
		if len(p[i]) != channels {
			return value{}, fmt.Errorf("has %d parameters for %d channels", len(p[i]), channels)
		}
	}
	if len(v.dims) == 4 {
		var err error
		if v, err = b.imageMap(v); err != nil {
			return value{}, err
		}
	} else if v.layer.Shape.C != channels || !v.layer.Shape.IsVector() {
		return value{}, errNoLayer
	}
	eps := float64(n.Float("epsilon", 1e-5))
	op := network.Affine{Scale: make([]float32, channels), Shift: make([]float32, channels)}
	for c := range channels {
		s := float64(p[0][c]) / math.Sqrt(float64(p[3][c])+eps)
		op.Scale[c] = float32(s)
		op.Shift[c] = float32(float64(p[1][c]) - float64(p[2][c])*s)
	}
	l, err := b.add("batch norm", op, v.layer)
	return v.as(l), err
}

func (b *builder) instanceNorm(n *onnx.Node, in []value) (value, error) {
	if !in[1].isConst() || !in[2].isConst() || len(in[0].dims) != 4 {
		return value{}, errNoLayer
	}
	v, err := b.imageMap(in[0])
	if err != nil {
		return value{}, err
	}
	op := network.InstanceNorm{Epsilon: n.Float("epsilon", 1e-5)}
	if op.Scale, err = in[1].constant.Float32s(); err != nil {
		return value{}, err
	}
	if op.Shift, err = in[2].constant.Float32s(); err != nil {
		return value{}, err
	}
	if len(op.Scale) != len(op.Shift) {
		return value{}, fmt.Errorf("has %d scales, but %d shifts", len(op.Scale), len(op.Shift))
	}
	l, err := b.add("instance norm", op, v.layer)
	return v.as(l), err
}

func (b *builder) lrn(n *onnx.Node, in []value) (value, error) {
	if len(in[0].dims) != 4 {
		return value{}, errNoLayer
	}
	v, err := b.imageMap(in[0])
	if err != nil {
		return value{}, err
	}
	size := n.Int("size", 0)
	if size < 1 || size > maxSide {
		return value{}, fmt.Errorf("normalizes over %d channels", size)
	}
	op := network.LRN{Size: size, Alpha: n.Float("alpha", 1e-4), Beta: n.Float("beta", .75), Bias: n.Float("bias", 1)}
	l, err := b.add("lrn", op, v.layer)
	return v.as(l), err
}

// layerNorm over the channels of every cell, as ConvNeXt has it, is arithmetic
// that stays local; over anything else it is left to the reference operator.
func (b *builder) layerNorm(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	for i, o := range n.Outputs {
		if i > 0 && o != "" {
			return value{}, errNoLayer
		}
	}
	axis := n.Int("axis", -1)
	if axis < 0 {
		axis += len(v.dims)
	}
	if axis != len(v.dims)-1 {
		return value{}, errNoLayer
	}
	from, to := v.channelAxes()
	overChannels := v.order == hwc && axis == from && to == from+1
	if v.order == flat {
		overChannels = v.dims[axis] == product(v.dims)
	}
	scale, shift, ok := normParams(in, v.dims[axis])
	if !overChannels || !ok {
		return value{}, errNoLayer
	}
	// x - mean, and the mean of its square.
	mean, err := b.add("mean", network.ChannelReduce{Fn: network.Mean}, v.layer)
	if err != nil {
		return value{}, err
	}
	d, err := b.add("centre", network.Binary{Fn: network.Sub}, v.layer, mean)
	if err != nil {
		return value{}, err
	}
	square, err := b.add("square", network.Binary{Fn: network.Mul}, d, d)
	if err != nil {
		return value{}, err
	}
	variance, err := b.add("variance", network.ChannelReduce{Fn: network.Mean}, square)
	if err != nil {
		return value{}, err
	}
	deviation, err := b.add("deviation", network.Affine{
		Scale: []float32{1}, Shift: []float32{n.Float("epsilon", 1e-5)}, Act: network.Activation{Fn: network.Sqrt},
	}, variance)
	if err != nil {
		return value{}, err
	}
	l, err := b.add("normalize", network.Binary{Fn: network.Div}, d, deviation)
	if err != nil {
		return value{}, err
	}
	l, err = b.add("scale", network.Affine{Scale: scale, Shift: shift}, l)
	return v.as(l), err
}

// normParams reads the scale and the shift, if there is one, of n channels.
func normParams(in []value, n int) (scale, shift []float32, ok bool) {
	shift = make([]float32, n)
	for i, p := range []*[]float32{&scale, &shift} {
		if len(in) <= i+1 || in[i+1].isAbsent() {
			continue
		}
		if !in[i+1].isConst() || !equalDims(in[i+1].dims, []int{n}) {
			return nil, nil, false
		}
		v, err := in[i+1].constant.Float32s()
		if err != nil {
			return nil, nil, false
		}
		*p = v
	}
	return scale, shift, true
}
