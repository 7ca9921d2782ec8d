package gputest

import (
	"fmt"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gpu/kernels"
	"occlude/operators/region"
)

// Kernels are networks of a layer or few, which show every kernel in each of its variants.
func Kernels() []Case {
	var cases []Case
	with := func(name string, image network.Shape, tile string, build func(b *builder, in *network.Layer)) {
		b := newBuilder(image)
		build(b, b.net.Input())
		b.net.Sort()
		cases = append(cases, newCase(name, b.net, options(b.net, tile)))
	}
	plain := func(name string, image network.Shape, build func(b *builder, in *network.Layer)) {
		with(name, image, "", build)
	}
	odd := network.Shape{H: 13, W: 11, C: 7}
	even := network.Shape{H: 9, W: 11, C: 36}

	for _, tile := range append([]string{""}, Tiles...) {
		suffix := ""
		if tile != "" {
			suffix = tileName(tile)
		}
		// Dilated, strided windows of two sides over several tiles of rows and columns.
		with("conv"+suffix, even, tile, func(b *builder, in *network.Layer) {
			b.add(network.Conv{
				Window: network.Window{
					Y: region.Window{Kernel: 3, Stride: 1, Pad: 2, Dilation: 2}, X: region.Window{Kernel: 5, Stride: 2, Pad: 1, Dilation: 1},
				},
				After: network.PadAfter{Y: 1, X: 2}, Groups: 1, Weights: b.weights(150, 3, 5, 36), Act: swish,
			}, in)
		})
		with("grouped"+suffix, even, tile, func(b *builder, in *network.Layer) { b.conv(in, 102, 3, 1, 3, relu, nil) })
		if tile != "" && tile != Tiles[0] {
			continue // which would show nothing new
		}
		with("fully connected"+suffix, even, tile, func(b *builder, in *network.Layer) { b.dense(b.dense(in, 135, swish), 10, none) })
		with("narrow conv"+suffix, even, tile, func(b *builder, in *network.Layer) { b.conv(in, 50, 3, 1, 1, relu6, nil) })
		with("residual"+suffix, even, tile, func(b *builder, in *network.Layer) { b.conv(in, 36, 3, 1, 1, relu, in) })
		with("residual behind a map"+suffix, even, tile, func(b *builder, in *network.Layer) {
			b.conv(b.conv(in, 8, 1, 1, 1, relu, nil), 36, 3, 1, 1, none, in)
		})
	}
	plain("odd conv", odd, func(b *builder, in *network.Layer) { b.conv(in, 70, 3, 1, 1, relu, nil) })
	plain("odd fully connected", odd, func(b *builder, in *network.Layer) { b.dense(in, 9, network.Activation{Fn: network.Tanh}) })
	plain("grouped by few", odd, func(b *builder, in *network.Layer) { b.conv(in, 14, 3, 2, 7, swish, nil) })
	// One channel at a time, and four.
	for _, image := range []network.Shape{odd, even} {
		c := image.C
		channels := fmt.Sprintf(" of %d channels", c)
		plain("depthwise"+channels, image, func(b *builder, in *network.Layer) {
			l := b.conv(in, c, 3, 1, c, swish, in)
			b.conv(b.conv(l, c, 5, 2, c, relu, nil), c, 3, 1, c, swish, nil)
		})
		plain("pools"+channels, image, func(b *builder, in *network.Layer) {
			w, after := window(3, 2)
			l := b.add(network.Pool{Window: w, After: after, Max: true, Ceil: true}, in)
			l = b.add(network.Pool{Window: w, After: after, CountPad: true, Ceil: true}, l)
			b.add(network.Pool{Window: w, After: after}, l)
		})
		plain("affine and prelu"+channels, image, func(b *builder, in *network.Layer) {
			l := b.add(network.Affine{Scale: networktest.Values(b.rng, c, 1), Shift: networktest.Values(b.rng, c, 1), Act: relu6}, in)
			l = b.add(network.Affine{Scale: networktest.Values(b.rng, c, 1), Shift: networktest.Values(b.rng, c, 1), Act: swish}, l)
			b.add(network.PRelu{Slope: networktest.Values(b.rng, c, 1)}, l)
		})
		plain("slice"+channels, image, func(b *builder, in *network.Layer) {
			b.add(network.Slice{Y: network.Span{Start: 1, Step: 3, Count: 3}, X: network.Span{Start: 2, Step: 1, Count: 8}}, in)
		})
		plain("concat and channels"+channels, image, func(b *builder, in *network.Layer) {
			l := b.add(network.Channels{Index: []int{c - 1, 0, 3, 4}}, in)
			b.add(network.Concat{}, in, l, in)
		})
		for _, mode := range kernels.PadModes {
			plain("pad "+mode+channels, image, func(b *builder, in *network.Layer) {
				b.add(network.Pad{Top: 2, Left: 3, Bottom: 1, Right: 4, Mode: mode, Value: .5}, in)
			})
		}
		for _, fn := range kernels.Arithmetic {
			plain(fn+channels, image, func(b *builder, in *network.Layer) {
				left := b.add(network.Pointwise{Act: network.Activation{Fn: network.Exp}}, b.add(network.Pointwise{Act: network.Activation{Fn: network.Tanh}}, in))
				right := b.add(network.Const{Value: tensor.New(tensor.WithShape(1, image.W, 1), tensor.WithBacking(b.positive(image.W)))})
				b.add(network.Binary{Fn: fn, Act: swish}, b.add(network.Binary{Fn: fn, Act: relu6}, left, right), left)
			})
		}
	}
	for _, fn := range kernels.Functions[1:] {
		plain(fn, odd, func(b *builder, in *network.Layer) {
			act := network.Activation{Fn: fn, Alpha: 1.3, Beta: .4}
			switch fn {
			case network.Floor, network.Ceil, network.Round, network.Sign, network.Threshold, network.Abs, network.Neg:
			case network.Log, network.Sqrt, network.Reciprocal, network.Power:
				in = b.add(network.Affine{Scale: ones(7, .2), Shift: ones(7, 1.5)}, in)
			}
			b.add(network.Pointwise{Act: act}, in)
		})
	}
	plain("lrn", odd, func(b *builder, in *network.Layer) {
		l := b.add(network.LRN{Size: 5, Alpha: .3, Beta: .75, Bias: 1}, in)
		b.add(network.LRN{Size: 4, Alpha: .3, Beta: .6, Bias: 2}, l)
	})
	plain("softmax", even, func(b *builder, in *network.Layer) { b.add(network.Softmax{}, in) })
	plain("log softmax", even, func(b *builder, in *network.Layer) { b.add(network.Softmax{Log: true}, in) })
	for _, fn := range kernels.Reductions {
		plain("channel "+fn, even, func(b *builder, in *network.Layer) { b.add(network.ChannelReduce{Fn: fn}, in) })
		plain("global "+fn, even, func(b *builder, in *network.Layer) { b.add(network.GlobalPool{Fn: fn}, in) })
	}
	plain("instance norm", odd, func(b *builder, in *network.Layer) {
		b.add(network.InstanceNorm{Scale: networktest.Values(b.rng, 7, 1), Shift: networktest.Values(b.rng, 7, 1), Epsilon: 1e-3}, in)
	})
	plain("orders", odd, func(b *builder, in *network.Layer) {
		l := b.add(network.Unflatten{To: network.Shape{H: 11, W: 13, C: 7}}, b.add(network.Flatten{}, in))
		b.add(network.Reshaped{To: network.Shape{H: 7, W: 11, C: 13}}, l)
	})
	return cases
}

func (b *builder) positive(n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = .5 + b.rng.Float32()
	}
	return v
}

func ones(n int, value float32) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = value
	}
	return v
}
