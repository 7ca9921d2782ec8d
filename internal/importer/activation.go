package importer

import (
	"math"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// activations gives the function of every operator that maps value to value
// with attributes alone. The defaults are ONNX's.
var activations = map[string]func(n *onnx.Node) network.Activation{
	"Relu":       plain(network.Relu),
	"Sigmoid":    plain(network.Sigmoid),
	"Tanh":       plain(network.Tanh),
	"Softplus":   plain(network.Softplus),
	"Softsign":   plain(network.Softsign),
	"Mish":       plain(network.Mish),
	"Exp":        plain(network.Exp),
	"Log":        plain(network.Log),
	"Sqrt":       plain(network.Sqrt),
	"Reciprocal": plain(network.Reciprocal),
	"Abs":        plain(network.Abs),
	"Neg":        plain(network.Neg),
	"Erf":        plain(network.Erf),
	"Floor":      plain(network.Floor),
	"Ceil":       plain(network.Ceil),
	"Round":      plain(network.Round),
	"Sign":       plain(network.Sign),

	"LeakyRelu":       withAlpha(network.LeakyRelu, .01),
	"Elu":             withAlpha(network.Elu, 1),
	"Celu":            withAlpha(network.Celu, 1),
	"ThresholdedRelu": withAlpha(network.Threshold, 1),

	"Selu": func(n *onnx.Node) network.Activation {
		return network.Activation{Fn: network.Selu,
			Alpha: n.Float("alpha", 1.67326319217681884765625), Beta: n.Float("gamma", 1.05070102214813232421875)}
	},
	"HardSigmoid": func(n *onnx.Node) network.Activation {
		return network.Activation{Fn: network.HardSigmoid, Alpha: n.Float("alpha", .2), Beta: n.Float("beta", .5)}
	},
	"HardSwish": func(*onnx.Node) network.Activation {
		return network.Activation{Fn: network.HardSwish, Alpha: 1. / 6, Beta: .5}
	},
	"Swish": withAlpha(network.Swish, 1),
	"Gelu": func(n *onnx.Node) network.Activation {
		if n.Str("approximate", "none") == "tanh" {
			return network.Activation{Fn: network.GeluTanh}
		}
		return network.Activation{Fn: network.Gelu}
	},
}

func plain(fn string) func(*onnx.Node) network.Activation {
	return func(*onnx.Node) network.Activation { return network.Activation{Fn: fn} }
}

func withAlpha(fn string, def float32) func(*onnx.Node) network.Activation {
	return func(n *onnx.Node) network.Activation {
		return network.Activation{Fn: fn, Alpha: n.Float("alpha", def)}
	}
}

func (b *builder) activation(n *onnx.Node, in []value) (value, error) {
	return b.pointwise(in[0], activations[n.Op](n))
}

func (b *builder) pointwise(v value, act network.Activation) (value, error) {
	l, err := b.add(act.Fn, network.Pointwise{Act: act}, v.layer)
	return v.as(l), err
}

// clip has its limits as attributes before opset 11 and as inputs since.
func (b *builder) clip(n *onnx.Node, in []value) (value, error) {
	act := network.Activation{Fn: network.Clip,
		Alpha: n.Float("min", -math.MaxFloat32), Beta: n.Float("max", math.MaxFloat32)}
	for i, limit := range []*float32{&act.Alpha, &act.Beta} {
		if len(in) <= i+1 || in[i+1].isAbsent() {
			continue
		}
		x, ok := in[i+1].scalar()
		if !ok {
			return value{}, errNoLayer
		}
		*limit = x
	}
	return b.pointwise(in[0], act)
}

// scalar is the value of a constant with one element.
func (v value) scalar() (float32, bool) {
	if !v.isConst() || v.constant.Len() != 1 {
		return 0, false
	}
	f, err := v.constant.Float32s()
	if err != nil {
		return 0, false
	}
	return f[0], true
}

// pow by a constant scalar is a function of one value.
func (b *builder) pow(n *onnx.Node, in []value) (value, error) {
	if x, ok := in[1].scalar(); ok && !in[0].isConst() && len(in[1].dims) <= len(in[0].dims) {
		return b.pointwise(in[0], network.Activation{Fn: network.Power, Alpha: x})
	}
	if b.oldBroadcast(n) {
		return value{}, errNoLayer
	}
	return b.combine(network.Pow, in[0], in[1])
}

func (b *builder) prelu(_ *onnx.Node, in []value) (value, error) {
	if !in[1].isConst() {
		return value{}, errNoLayer
	}
	if x, ok := in[1].scalar(); ok && len(in[1].dims) <= len(in[0].dims) {
		return b.pointwise(in[0], network.Activation{Fn: network.LeakyRelu, Alpha: x})
	}
	slope, ok := perChannel(in[0], in[1].constant)
	if !ok {
		return value{}, errNoLayer
	}
	l, err := b.add("prelu", network.PRelu{Slope: slope}, in[0].layer)
	return in[0].as(l), err
}

// perChannel reads a constant that broadcasts over v as one value per channel of
// v's layer.
func perChannel(v value, t *onnx.Tensor) ([]float32, bool) {
	dims := align(t.Dims, len(v.dims))
	data, err := t.Float32s()
	if err != nil || dims == nil {
		return nil, false
	}
	from, to := v.channelAxes()
	if v.order == flat {
		if _, single := singleAxis(v.dims); !single {
			return nil, false
		}
		from, to = 0, len(v.dims)
	}
	for i, d := range dims {
		if inside := i >= from && i < to; (!inside && d != 1) || (inside && d != v.dims[i]) {
			return nil, false
		}
	}
	return data, len(data) == v.layer.Shape.C
}

// align puts ones in front of a shape until it has the rank, nil where it is
// longer already.
func align(dims []int, rank int) []int {
	if len(dims) > rank {
		return nil
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	copy(out[rank-len(dims):], dims)
	return out
}
