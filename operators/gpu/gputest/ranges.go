package gputest

import (
	"context"
	"math"
	"math/rand/v2"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu"
)

// RangeTolerance is how far Ranges may be from 0.
const RangeTolerance = 1.0

// Ranges computes a convolution on a device's tensor cores whose weights and inputs are of all
// sizes: filters from 1e-30 to 1e30 and one of zeros, within each weights over 6 decades,
// activations from 1e-6 to 1e4. It gives the largest error as a share of what is allowed,
//
//	2^-19 sum |x w| + 2^-34 max |x| sum |w| + 2^-37 max |w| sum |x|
//
// of which the first is what any sum of float32 numbers is off by, and the others what the
// ends of fp16 cost where a large value stands beside a small one.
func Ranges(ctx context.Context, d *gpu.Device) (float64, error) {
	rng := rand.New(rand.NewPCG(1, 90))
	decades := func(lo, hi float64) float32 {
		v := math.Pow(10, lo+(hi-lo)*rng.Float64())
		if rng.IntN(2) == 0 {
			v = -v
		}
		return float32(v)
	}
	const filters, depth = 72, 20
	b := newBuilder(network.Shape{H: 9, W: 8, C: depth})
	l := b.conv(b.net.Input(), filters, 3, 1, 1, none, nil)
	op := l.Op.(network.Conv)
	op.Bias = nil
	l.Op = op
	weights := op.Weights.Float32s()
	for f := range filters {
		scale := decades(-30, 30)
		if f == 5 {
			scale = 0
		}
		for i := range 9 * depth {
			weights[f*9*depth+i] = scale * decades(-6, 0)
		}
	}
	b.net.Sort()
	image := networktest.Image(rng, b.net.Input().Shape)
	for i := range image.Float32s() {
		image.Float32s()[i] = decades(-6, 4)
	}
	r, err := Run(ctx, d, Case{Net: b.net, Options: options(b.net, bestTile), Image: image})
	if err != nil {
		return 0, err
	}
	sums := func(w, x func(float32) float32) ([]float64, error) {
		other := b.net.Clone()
		of := other.Layers[1].Op.(network.Conv)
		of.Weights = mapped(of.Weights, w)
		other.Layers[1].Op = of
		return networktest.Output(other, mapped(image, x).Float32s())
	}
	same := func(v float32) float32 { return v }
	size := func(v float32) float32 { return max(v, -v) }
	one := func(float32) float32 { return 1 }
	var want, terms, allWeights, allValues []float64
	for _, s := range []struct {
		to   *[]float64
		w, x func(float32) float32
	}{{&want, same, same}, {&terms, size, size}, {&allWeights, size, one}, {&allValues, one, size}} {
		if *s.to, err = sums(s.w, s.x); err != nil {
			return 0, err
		}
	}
	worst := 0.0
	for i, got := range r.Views[1] {
		f := i % filters
		allowed := 0x1p-19*terms[i] + 0x1p-34*largestOf(image.Float32s())*allWeights[i] + 0x1p-37*largestOf(weights[f*9*depth:(f+1)*9*depth])*allValues[i]
		if far := math.Abs(float64(got) - want[i]); far > 0 || got != got {
			if worst = max(worst, far/allowed); got != got {
				return math.Inf(1), nil
			}
		}
	}
	return worst, nil
}

func mapped(t *tensor.Dense, by func(float32) float32) *tensor.Dense {
	c := t.Clone().(*tensor.Dense)
	for i, v := range c.Float32s() {
		c.Float32s()[i] = by(v)
	}
	return c
}

func largestOf(v []float32) (largest float64) {
	for _, x := range v {
		largest = max(largest, math.Abs(float64(x)))
	}
	return largest
}

// Errors are the rounding errors of a convolution on a device, by algorithm, as
// gpu.Error counts them: of windows of so many channels, over values as networks have them,
// weights about zero and activations above it.
func Errors(ctx context.Context, d *gpu.Device, channels int) (map[operators.Algorithm]float64, error) {
	errors := map[operators.Algorithm]float64{}
	for _, a := range gpu.AllAlgorithms() {
		b := newBuilder(network.Shape{H: 5, W: 5, C: channels})
		l := b.conv(b.net.Input(), 16, 3, 1, 1, none, nil)
		for i := range l.Op.(network.Conv).Weights.Float32s() {
			l.Op.(network.Conv).Weights.Float32s()[i] = float32(b.rng.NormFloat64())
		}
		b.net.Sort()
		image := networktest.Image(b.rng, b.net.Input().Shape)
		for i := range image.Float32s() {
			image.Float32s()[i] = float32(max(0, b.rng.NormFloat64()))
		}
		r, err := Run(ctx, d, Case{Net: b.net, Options: gpu.Options{Algorithms: gpu.Wherever(b.net, a)}, Image: image})
		if err != nil {
			return nil, err
		}
		want, err := networktest.Output(b.net, image.Float32s())
		if err != nil {
			return nil, err
		}
		var difference, value float64
		for i, w := range want {
			difference += (float64(r.Views[1][i]) - w) * (float64(r.Views[1][i]) - w)
			value += w * w
		}
		errors[a] = math.Sqrt(difference / value)
	}
	return errors, nil
}
