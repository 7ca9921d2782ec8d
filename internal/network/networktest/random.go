package networktest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"occlude/internal/network"
)

// Options bound a random network. The zero value is a good choice.
type Options struct {
	Side    int // largest height and width of the image; 0 is 20
	Blocks  int // number of blocks before the head; 0 is a random one up to 7
	Classes int // length of the output; 0 is 5
	// Jumps lets in functions that are not continuous (sign, floor, ...), by
	// which a rounding error may grow without bound.
	Jumps bool
}

// Random makes a network that ends in the probabilities of its classes.
func Random(rng *rand.Rand, o Options) *network.Network {
	if o.Side == 0 {
		o.Side = 20
	}
	if o.Blocks == 0 {
		o.Blocks = 1 + rng.IntN(7)
	}
	if o.Classes == 0 {
		o.Classes = 5
	}
	image := network.Shape{
		H: min(6+rng.IntN(o.Side), o.Side),
		W: min(6+rng.IntN(o.Side), o.Side),
		C: []int{1, 3, 3, 4}[rng.IntN(4)],
	}
	b := &builder{rng: rng, jumps: o.Jumps, net: network.New("image", image)}
	at := b.net.Input()
	for range o.Blocks {
		block := blocks[rng.IntN(len(blocks))]
		if next := block(b, at); next != nil {
			at = next
		}
		if at.Shape.C > 24 {
			at = b.add(b.conv(at.Shape, 12, square(1)), at)
		}
	}
	at = heads[rng.IntN(len(heads))](b, at)
	at = b.add(b.dense(at.Shape.Len(), o.Classes, 2), at)
	b.net.Output = b.add(network.Softmax{}, at)
	b.net.Sort()
	return b.net
}

// Image makes a random image for a network, of values around zero.
func Image(rng *rand.Rand, s network.Shape) *tensor.Dense {
	return tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(Values(rng, s.Len(), 1)))
}

// Values are n normally distributed values of the given deviation.
func Values(rng *rand.Rand, n int, deviation float64) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(rng.NormFloat64() * deviation)
	}
	return v
}

// builder adds layers to a network.
type builder struct {
	rng   *rand.Rand
	net   *network.Network
	jumps bool
}

// add appends a layer. It gives nil when an input is missing or when the op
// does not fit its inputs, which ends the block that wanted it.
func (b *builder) add(op network.Op, in ...*network.Layer) *network.Layer {
	for _, l := range in {
		if l == nil {
			return nil
		}
	}
	l, err := b.net.Add(fmt.Sprintf("%s_%d", op.Kind(), len(b.net.Layers)), op, in...)
	if err != nil {
		return nil
	}
	return l
}

// constant adds a map that does not depend on the image.
func (b *builder) constant(s network.Shape, value func() float32) *network.Layer {
	v := make([]float32, s.Len())
	for i := range v {
		v[i] = value()
	}
	return b.add(network.Const{Value: tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(v))})
}

func (b *builder) normal() float32   { return float32(b.rng.NormFloat64()) }
func (b *builder) positive() float32 { return 0.5 + b.rng.Float32() }
func (b *builder) chance(p float64) bool {
	return b.rng.Float64() < p
}

// between is a random number from lo to hi, both included.
func (b *builder) between(lo, hi int) int { return lo + b.rng.IntN(hi-lo+1) }

// conv makes a convolution's weights for n filters over a map of shape in.
func (b *builder) conv(in network.Shape, n int, w window) network.Conv {
	c := network.Conv{Window: w.Window, After: w.after, Groups: 1}
	return b.weigh(c, in.C, n)
}

// weigh gives a convolution its weights, bias and activation.
func (b *builder) weigh(c network.Conv, channels, n int) network.Conv {
	in := channels / c.Groups
	fan := c.Taps() * in
	c.Weights = tensor.New(
		tensor.WithShape(n, c.Y.Kernel, c.X.Kernel, in),
		tensor.WithBacking(Values(b.rng, n*fan, 1/math.Sqrt(float64(fan)))),
	)
	if b.chance(0.7) {
		c.Bias = Values(b.rng, n, 0.3)
	}
	if b.chance(0.6) {
		c.Act = b.activation()
	}
	return c
}

// dense makes a fully-connected layer whose outputs have about the given
// deviation.
func (b *builder) dense(in, out int, deviation float64) network.Dense {
	d := network.Dense{Weights: tensor.New(
		tensor.WithShape(out, in),
		tensor.WithBacking(Values(b.rng, in*out, deviation/math.Sqrt(float64(in)))),
	)}
	if b.chance(0.7) {
		d.Bias = Values(b.rng, out, 0.3)
	}
	return d
}
