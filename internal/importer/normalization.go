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
	if len(in) < 5 || v.isConst() || n.Int("training_mode", 0) != 0 || n.Int("spatial", 1) == 0 || len(v.dims) < 2 {
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
	if in[0].isConst() || !in[1].isConst() || !in[2].isConst() || len(in[0].dims) != 4 {
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
	if size < 1 {
		return value{}, fmt.Errorf("normalizes over %d channels", size)
	}
	op := network.LRN{Size: size, Alpha: n.Float("alpha", 1e-4), Beta: n.Float("beta", .75), Bias: n.Float("bias", 1)}
	l, err := b.add("lrn", op, v.layer)
	return v.as(l), err
}
