package networktest

import "occlude/internal/network"

// smooth are continuous activations that take any value.
var smooth = []network.Activation{
	{Fn: network.Relu},
	{Fn: network.Relu},
	{Fn: network.LeakyRelu, Alpha: 0.1},
	{Fn: network.Elu, Alpha: 0.8},
	{Fn: network.Celu, Alpha: 1.2},
	{Fn: network.Selu, Alpha: 1.6732632, Beta: 1.0507010},
	{Fn: network.Gelu},
	{Fn: network.GeluTanh},
	{Fn: network.Sigmoid},
	{Fn: network.HardSigmoid, Alpha: 1. / 6, Beta: 0.5},
	{Fn: network.HardSwish, Alpha: 1. / 6, Beta: 0.5},
	{Fn: network.Swish, Alpha: 1},
	{Fn: network.Swish, Alpha: 1.7},
	{Fn: network.Mish},
	{Fn: network.Tanh},
	{Fn: network.Softplus},
	{Fn: network.Softsign},
	{Fn: network.Clip, Alpha: 0, Beta: 6},
	{Fn: network.Clip, Alpha: -0.5, Beta: 0.75},
	{Fn: network.Abs},
	{Fn: network.Neg},
	{Fn: network.Erf},
	{Fn: network.Threshold, Alpha: 0},
}

// jumping are activations with jumps.
var jumping = []network.Activation{
	{Fn: network.Threshold, Alpha: 0.3},
	{Fn: network.Floor},
	{Fn: network.Ceil},
	{Fn: network.Round},
	{Fn: network.Sign},
}

// positive are activations of positive values.
var positive = []network.Activation{
	{Fn: network.Log},
	{Fn: network.Sqrt},
	{Fn: network.Reciprocal},
	{Fn: network.Power, Alpha: 1.5},
	{Fn: network.Power, Alpha: 2},
}

// activation is one that may follow any layer.
func (b *builder) activation() network.Activation {
	if b.jumps && b.chance(0.1) {
		return jumping[b.rng.IntN(len(jumping))]
	}
	return smooth[b.rng.IntN(len(smooth))]
}

// activate is a block of a function of its own.
func (b *builder) activate(in *network.Layer) *network.Layer {
	switch {
	case b.chance(0.15):
		// Between -1 and 1, so that its exponential stays small.
		l := b.add(network.Pointwise{Act: network.Activation{Fn: network.Tanh}}, in)
		return b.add(network.Pointwise{Act: network.Activation{Fn: network.Exp}}, l)
	case b.chance(0.35):
		l := b.raise(in)
		return b.add(network.Pointwise{Act: positive[b.rng.IntN(len(positive))]}, l)
	}
	return b.add(network.Pointwise{Act: b.activation()}, in)
}

// raise makes values positive, about one.
func (b *builder) raise(in *network.Layer) *network.Layer {
	l := b.add(network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, in)
	scale, shift := make([]float32, in.Shape.C), make([]float32, in.Shape.C)
	for c := range scale {
		scale[c], shift[c] = b.positive(), b.positive()
	}
	return b.add(network.Affine{Scale: scale, Shift: shift}, l)
}
