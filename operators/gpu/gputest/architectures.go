package gputest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/region"
)

// builder makes networks with random weights.
type builder struct {
	rng *rand.Rand
	net *network.Network
}

func newBuilder(image network.Shape) *builder {
	return &builder{rng: rand.New(rand.NewPCG(1, 30)), net: network.New("image", image)}
}

var (
	relu  = network.Activation{Fn: network.Relu}
	relu6 = network.Activation{Fn: network.Clip, Beta: 6}
	swish = network.Activation{Fn: network.Swish, Alpha: 1}
	none  = network.Activation{}
)

// add appends a layer that fits: what is built here is fixed.
func (b *builder) add(op network.Op, in ...*network.Layer) *network.Layer {
	l, err := b.net.Add(fmt.Sprintf("%s_%d", op.Kind(), len(b.net.Layers)), op, in...)
	if err != nil {
		panic(err)
	}
	return l
}

// window is a k x k window of a stride that keeps the centre of a map.
func window(k, stride int) (network.Window, network.PadAfter) {
	a := region.Window{Kernel: k, Stride: stride, Pad: k / 2, Dilation: 1}
	return network.Window{Y: a, X: a}, network.PadAfter{Y: k / 2, X: k / 2}
}

// conv adds a k x k convolution and, where residual is not nil, that to it.
func (b *builder) conv(in *network.Layer, filters, k, stride, groups int, act network.Activation, residual *network.Layer) *network.Layer {
	op := network.Conv{Groups: groups, Act: act, Bias: networktest.Values(b.rng, filters, .2), Weights: b.weights(filters, k, k, in.Shape.C/groups)}
	op.Window, op.After = window(k, stride)
	if residual == nil {
		return b.add(op, in)
	}
	op.Residual = true
	return b.add(op, in, residual)
}

// weights keep the deviation of what they are multiplied with.
func (b *builder) weights(shape ...int) *tensor.Dense {
	n := tensor.Shape(shape).TotalSize()
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(networktest.Values(b.rng, n, 1.4/math.Sqrt(float64(n/shape[0])))))
}

func (b *builder) pool(in *network.Layer, largest bool) *network.Layer {
	a := region.Window{Kernel: 2, Stride: 2, Dilation: 1}
	return b.add(network.Pool{Window: network.Window{Y: a, X: a}, Max: largest}, in)
}

func (b *builder) dense(in *network.Layer, outputs int, act network.Activation) *network.Layer {
	return b.add(network.Dense{Weights: b.weights(outputs, in.Shape.Len()), Bias: networktest.Values(b.rng, outputs, .2), Act: act}, in)
}

func (b *builder) mean(in *network.Layer) *network.Layer {
	return b.add(network.GlobalPool{Fn: network.Mean}, in)
}

// architectures are networks that have what the well-known ones have, in small.
var architectures = []struct {
	name  string
	build func(b *builder, in *network.Layer) *network.Layer
}{
	// 130 filters are more than a tile has; the first fully-connected layer has more
	// inputs than a block sums up.
	{"vgg", func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 66, 3, 1, 1, relu, nil)
		l = b.conv(l, 12, 3, 1, 1, relu, nil)
		l = b.pool(l, true)
		l = b.conv(l, 130, 3, 1, 1, relu, nil)
		l = b.dense(b.pool(l, true), 140, relu)
		return b.dense(b.dense(l, 36, relu), 10, none)
	}},
	{"resnet", func(b *builder, in *network.Layer) *network.Layer {
		l := b.pool(b.conv(in, 32, 7, 2, 1, relu, nil), true)
		for range 2 {
			l = b.conv(b.conv(l, 32, 3, 1, 1, relu, nil), 32, 3, 1, 1, relu, l)
		}
		short := b.conv(l, 48, 1, 2, 1, none, nil)
		l = b.conv(b.conv(l, 48, 3, 2, 1, relu, nil), 48, 3, 1, 1, relu, short)
		return b.dense(b.mean(l), 10, none)
	}},
	{"resnext", func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 72, 3, 2, 1, relu, nil)
		l = b.conv(l, 72, 3, 1, 2, relu, l)
		l = b.conv(l, 72, 3, 1, 18, relu, l)
		return b.dense(b.mean(l), 10, none)
	}},
	{"inception", func(b *builder, in *network.Layer) *network.Layer {
		l := b.pool(b.conv(in, 24, 3, 1, 1, relu, nil), true)
		for range 2 {
			w, after := window(3, 1)
			averaged := b.add(network.Pool{Window: w, After: after, CountPad: true}, l)
			l = b.add(network.Concat{},
				b.conv(l, 20, 1, 1, 1, relu, nil), b.conv(b.conv(l, 8, 1, 1, 1, relu, nil), 12, 5, 1, 1, relu, nil),
				b.conv(averaged, 8, 1, 1, 1, relu, nil))
		}
		return b.dense(b.mean(l), 10, none)
	}},
	{"mobilenet", func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 16, 3, 2, 1, relu6, nil)
		for range 2 {
			wide := b.conv(l, 48, 1, 1, 1, swish, nil)
			wide = b.conv(wide, 48, 3, 1, 48, relu6, nil)
			squeezed := b.dense(b.mean(wide), 8, relu)
			squeezed = b.dense(squeezed, 48, network.Activation{Fn: network.Sigmoid})
			wide = b.add(network.Binary{Fn: network.Mul}, wide, squeezed)
			l = b.conv(wide, 16, 1, 1, 1, none, l)
		}
		return b.dense(b.mean(l), 10, none)
	}},
	// Each concat is of everything before, as exporters write it.
	{"densenet", func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 24, 3, 2, 1, relu, nil)
		features := []*network.Layer{l}
		for range 3 {
			n := l.Shape.C
			normal := b.add(network.Affine{Scale: networktest.Values(b.rng, n, 1), Shift: networktest.Values(b.rng, n, .3), Act: relu}, l)
			features = append(features, b.conv(normal, 12, 3, 1, 1, none, nil))
			l = b.add(network.Concat{}, features...)
		}
		l = b.add(network.LRN{Size: 5, Alpha: 1e-2, Beta: .75, Bias: 1}, b.pool(l, false))
		return b.dense(b.mean(l), 10, none)
	}},
}

// tensorCores is the end of names of cases with tensor arithmetic.
const tensorCores = ", tensor cores"

// options compute a network on tensor cores wherever that can be, by kernels of a tile or
// those that fit best; or nowhere.
func options(net *network.Network, tile string) gpu.Options {
	switch tile {
	case "":
		return gpu.Options{}
	case bestTile:
		tile = ""
	}
	return gpu.Options{Algorithms: gpu.Wherever(net, operators.Tensor), Tile: tile}
}

// Tiles are the kernels of convolutions on tensor cores; bestTile stands for the one that a
// layer takes by itself.
var Tiles = []string{"conv_f16x3_128x128", "conv_f16x3_256x128", "conv_f16x3_256x64"}

const bestTile = "best"

// tileName is the end of names of what is computed by a kernel.
func tileName(tile string) string { return tensorCores + " " + strings.TrimPrefix(tile, "conv_f16x3_") }

// Architectures are small networks, each with plain and with tensor arithmetic.
func Architectures() []Case {
	var cases []Case
	for _, a := range architectures {
		b := newBuilder(network.Shape{H: 18, W: 22, C: 3})
		b.add(network.Softmax{}, a.build(b, b.net.Input()))
		b.net.Sort()
		cases = append(cases, newCase(a.name, b.net, options(b.net, "")), newCase(a.name+tensorCores, b.net, options(b.net, bestTile)))
	}
	return cases
}
