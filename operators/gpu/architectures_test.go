package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
	"occlude/operators/region"
)

// builder makes networks as architectures have them, with random weights.
type builder struct {
	rng *rand.Rand
	net *network.Network
}

var relu = network.Activation{Fn: network.Relu}

func (b *builder) add(op network.Op, in ...*network.Layer) *network.Layer {
	l, err := b.net.Add(fmt.Sprintf("%s_%d", op.Kind(), len(b.net.Layers)), op, in...)
	if err != nil {
		panic(err)
	}
	return l
}

func square(k, stride int) (network.Window, network.PadAfter) {
	a := region.Window{Kernel: k, Stride: stride, Pad: k / 2, Dilation: 1}
	return network.Window{Y: a, X: a}, network.PadAfter{Y: k / 2, X: k / 2}
}

// conv adds a k x k convolution; residual is nil or what it adds.
func (b *builder) conv(in *network.Layer, filters, k, stride, groups int, act network.Activation, residual *network.Layer) *network.Layer {
	depth := in.Shape.C / groups
	op := network.Conv{Groups: groups, Act: act, Bias: networktest.Values(b.rng, filters, .2)}
	op.Window, op.After = square(k, stride)
	op.Weights = weights(b.rng, filters, k, k, depth)
	if residual == nil {
		return b.add(op, in)
	}
	op.Residual = true
	return b.add(op, in, residual)
}

// weights keep the deviation of what they are multiplied with.
func weights(rng *rand.Rand, shape ...int) *tensor.Dense {
	n := tensor.Shape(shape).TotalSize()
	fan := float64(n / shape[0])
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(networktest.Values(rng, n, 1.4/math.Sqrt(fan))))
}

func (b *builder) pool(in *network.Layer, largest bool) *network.Layer {
	a := region.Window{Kernel: 2, Stride: 2, Dilation: 1}
	return b.add(network.Pool{Window: network.Window{Y: a, X: a}, Max: largest}, in)
}

func (b *builder) dense(in *network.Layer, outputs int, act network.Activation) *network.Layer {
	return b.add(network.Dense{Weights: weights(b.rng, outputs, in.Shape.Len()), Bias: networktest.Values(b.rng, outputs, .2), Act: act}, in)
}

// architectures are networks that have what the well-known ones have, in small.
var architectures = map[string]func(b *builder, in *network.Layer) *network.Layer{
	// 130 filters are more than a tile has; the first fully-connected layer has more
	// inputs than a block sums up.
	"vgg": func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 66, 3, 1, 1, relu, nil)
		l = b.conv(l, 12, 3, 1, 1, relu, nil)
		l = b.pool(l, true)
		l = b.conv(l, 130, 3, 1, 1, relu, nil)
		l = b.dense(b.pool(l, true), 140, relu)
		return b.dense(b.dense(l, 36, relu), 10, network.Activation{})
	},
	"resnet": func(b *builder, in *network.Layer) *network.Layer {
		l := b.pool(b.conv(in, 32, 7, 2, 1, relu, nil), true)
		for range 2 {
			l = b.conv(b.conv(l, 32, 3, 1, 1, relu, nil), 32, 3, 1, 1, relu, l)
		}
		short := b.conv(l, 48, 1, 2, 1, network.Activation{}, nil)
		l = b.conv(b.conv(l, 48, 3, 2, 1, relu, nil), 48, 3, 1, 1, relu, short)
		return b.dense(b.add(network.GlobalPool{Fn: network.Mean}, l), 10, network.Activation{})
	},
	"resnext": func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 72, 3, 2, 1, relu, nil)
		l = b.conv(l, 72, 3, 1, 2, relu, l)
		l = b.conv(l, 72, 3, 1, 18, relu, l)
		return b.dense(b.add(network.GlobalPool{Fn: network.Mean}, l), 10, network.Activation{})
	},
	"mobilenet": func(b *builder, in *network.Layer) *network.Layer {
		relu6 := network.Activation{Fn: network.Clip, Beta: 6}
		swish := network.Activation{Fn: network.Swish, Alpha: 1}
		l := b.conv(in, 16, 3, 2, 1, relu6, nil)
		for range 2 {
			wide := b.conv(l, 48, 1, 1, 1, swish, nil)
			wide = b.conv(wide, 48, 3, 1, 48, relu6, nil)
			squeezed := b.dense(b.add(network.GlobalPool{Fn: network.Mean}, wide), 8, relu)
			squeezed = b.dense(squeezed, 48, network.Activation{Fn: network.Sigmoid})
			wide = b.add(network.Binary{Fn: network.Mul}, wide, squeezed)
			l = b.conv(wide, 16, 1, 1, 1, network.Activation{}, l)
		}
		return b.dense(b.add(network.GlobalPool{Fn: network.Mean}, l), 10, network.Activation{})
	},
	"densenet": func(b *builder, in *network.Layer) *network.Layer {
		l := b.conv(in, 24, 3, 2, 1, relu, nil)
		for range 3 {
			n := l.Shape.C
			normal := b.add(network.Affine{Scale: networktest.Values(b.rng, n, 1), Shift: networktest.Values(b.rng, n, .3), Act: relu}, l)
			l = b.add(network.Concat{}, l, b.conv(normal, 12, 3, 1, 1, network.Activation{}, nil))
		}
		l = b.add(network.LRN{Size: 5, Alpha: 1e-2, Beta: .75, Bias: 1}, b.pool(l, false))
		return b.dense(b.add(network.GlobalPool{Fn: network.Mean}, l), 10, network.Activation{})
	},
}

// architecture makes one of them, for an image of h x w.
func architecture(name string, h, w int) *network.Network {
	b := &builder{rng: rand.New(rand.NewPCG(uint64(len(name)), 30)), net: network.New("image", network.Shape{H: h, W: w, C: 3})}
	b.add(network.Softmax{}, architectures[name](b, b.net.Input()))
	b.net.Sort()
	return b.net
}

// checkArchitectures compares a device with the definitions in float64.
func checkArchitectures(t *testing.T, d driver.Driver) {
	for name := range architectures {
		for _, tensor := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/tensor=%v", name, tensor), func(t *testing.T) {
				net := architecture(name, 18, 22)
				rng := rand.New(rand.NewPCG(1, 31))
				in := net.Input().Shape
				image := networktest.Image(rng, in)
				p := program(t, net, d, Options{Tensor: tensor})
				views := base(t, p, image)
				want, err := networktest.Eval(net, image.Float32s())
				if err != nil {
					t.Fatal(err)
				}
				for i, l := range net.Layers {
					got, err := p.View(t.Context(), views, i)
					if err != nil {
						t.Fatal(err)
					}
					if far := distance(got.Float32s(), narrow(want[i])); far > 2e-6 {
						t.Errorf("%s of %s differs by %g", l, l.Shape, far)
					}
				}
				tiles := patches(rng, in)
				batch := updatesOf(net, tiles)
				w := p.NewWorker()
				defer w.Release()
				run(t, w, views, batch)
				for i, tile := range tiles {
					want, err := networktest.Output(net, occluded(image, in, tile).Float32s())
					if err != nil {
						t.Fatal(err)
					}
					if far := distance(batch[i].Out, narrow(want)); far > 2e-6 {
						t.Errorf("patch %s differs by %g", tile.Rect, far)
					}
				}
			})
		}
	}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i, x := range v {
		out[i] = float32(x)
	}
	return out
}

func TestArchitectures(t *testing.T) { checkArchitectures(t, &soft.Device{}) }
