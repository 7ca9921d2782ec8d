package cost_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// TestErrors measures the rounding errors of all algorithms, on all windows for
// which they are offered: none is above what the planner takes it for, and the
// largest of each kind is not far below.
func TestErrors(t *testing.T) {
	largest := map[string]float64{} // by window and algorithm, over the sets and channels
	table := map[string]float64{}
	for _, set := range simd.Available() {
		for _, c := range []struct{ kh, kw, channels, side int }{
			{3, 3, 3, 24}, {3, 3, 64, 24}, {3, 3, 512, 12}, {5, 5, 32, 24}, {5, 5, 128, 12}, {7, 7, 64, 16},
			{1, 3, 512, 20}, {5, 1, 512, 20}, {1, 7, 192, 20}, {7, 1, 192, 20}, {3, 1, 384, 12},
		} {
			net, image := convolution(t, c.kh, c.kw, c.channels, c.side)
			want, err := networktest.Eval(net, image.Float32s())
			if err != nil {
				t.Fatal(err)
			}
			l := net.Output
			for _, f := range cost.Forms(l) {
				got := wholeOutput(t, net, image, set.Name, f.Algorithm)
				e := relative(got, want[1])
				name := fmt.Sprintf("%s of %dx%d", f.Algorithm, min(c.kw, c.kh), max(c.kw, c.kh))
				if e > f.Error {
					t.Errorf("%s with %d channels on %s rounds %.2g, the planner expects %g", name, c.channels, set.Name, e, f.Error)
				}
				largest[name], table[name] = max(largest[name], e), f.Error
			}
		}
	}
	for name, e := range largest {
		if e < table[name]/8 {
			t.Errorf("%s rounds %.2g at most, the planner expects %g", name, e, table[name])
		}
		t.Logf("%-16s %.2g (%g)", name, e, table[name])
	}
}

// convolution makes a network of one convolution and an image for it, with
// values as networks have them: weights about zero, activations above it.
func convolution(t *testing.T, kh, kw, channels, side int) (*network.Network, *tensor.Dense) {
	t.Helper()
	rng := rand.New(rand.NewPCG(uint64(kh), uint64(kw)))
	axis := func(k int) region.Window { return region.Window{Kernel: k, Stride: 1, Pad: k / 2, Dilation: 1} }
	const filters = 32
	w := make([]float32, filters*kh*kw*channels)
	for i := range w {
		w[i] = float32(rng.NormFloat64())
	}
	in := network.Shape{H: side, W: side, C: channels}
	net := network.New("in", in)
	op := network.Conv{Window: network.Window{Y: axis(kh), X: axis(kw)}, After: network.PadAfter{Y: kh / 2, X: kw / 2}, Groups: 1,
		Weights: tensor.New(tensor.WithShape(filters, kh, kw, channels), tensor.WithBacking(w))}
	if _, err := net.Add("conv", op, net.Input()); err != nil {
		t.Fatal(err)
	}
	pixels := make([]float32, in.Len())
	for i := range pixels {
		pixels[i] = float32(max(0, rng.NormFloat64()))
	}
	return net, tensor.New(tensor.WithShape(side, side, channels), tensor.WithBacking(pixels))
}

// wholeOutput is what a network of one layer makes of an image.
func wholeOutput(t *testing.T, net *network.Network, image *tensor.Dense, kernels string, how operators.Algorithm) []float32 {
	t.Helper()
	p, err := cpu.New(context.Background(), net, cpu.Options{Kernels: kernels, Algorithms: []operators.Algorithm{"", how}})
	if err != nil {
		t.Fatal(err)
	}
	views, err := p.Base(context.Background(), image, 1)
	if err != nil {
		t.Fatal(err)
	}
	return views.Output(1)
}

// relative is the root of the mean square of the differences, over that of the
// values.
func relative(got []float32, want []float64) float64 {
	var difference, value float64
	for i, v := range want {
		d := float64(got[i]) - v
		difference += d * d
		value += v * v
	}
	return math.Sqrt(difference / value)
}
