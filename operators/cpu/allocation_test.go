package cpu

import (
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// TestKernelsAllocateNothing checks that the kernels live on their worker's
// memory once they have run.
func TestKernelsAllocateNothing(t *testing.T) {
	a := region.Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	win, after := network.Window{Y: a, X: a}, network.PadAfter{Y: 1, X: 1}
	in := network.Shape{H: 9, W: 9, C: 20}
	rng := rand.New(rand.NewPCG(1, 80))
	for _, op := range []network.Op{
		convOf(20, 40, 3, 1, 1), convOf(20, 40, 3, 1, 4),
		convOf(20, 20, 3, 1, 20), convOf(20, 40, 3, 1, 20), // two filters a channel
		network.Dense{Weights: tensor.New(tensor.WithShape(2*denseRows, in.Len()), tensor.Of(tensor.Float32))},
		network.Pool{Window: win, After: after, Max: true},
		network.Pool{Window: win, After: after},
		network.GlobalPool{Fn: network.Mean}, network.GlobalPool{Fn: network.Largest},
		network.Pointwise{Act: network.Activation{Fn: network.Swish, Alpha: 1}},
		network.Affine{Scale: make([]float32, 20), Shift: make([]float32, 20), Act: network.Activation{Fn: network.Tanh}},
		network.PRelu{Slope: make([]float32, 20)},
		network.Binary{Fn: network.Mul}, network.Concat{},
		network.LRN{Size: 5, Alpha: 1e-4, Beta: 0.75, Bias: 1},
		network.Softmax{}, network.Channels{Index: []int{1, 0, 19, 3}}, network.ChannelReduce{Fn: network.Mean},
	} {
		shapes := []network.Shape{in}
		switch op.(type) {
		case network.Binary:
			shapes = append(shapes, network.Vector(20))
		case network.Concat:
			shapes = append(shapes, in)
		}
		l, inputs := layerOf(t, rng, op, shapes...)
		for _, set := range simd.Available() {
			k, err := newKernel(l, set, operators.Direct)
			if err != nil {
				t.Fatal(err)
			}
			w := (&Program{net: &network.Network{}}).newWorker()
			defer w.watch(t.Context())()
			one := task{out: newCanvas(rng, l.Shape.Whole(), l.Shape.C).tile}
			for i, p := range l.In {
				one.in = append(one.in, sourceOf(rng, p.Shape, inputs[i]))
			}
			tasks := []task{one}
			if n := testing.AllocsPerRun(5, func() {
				if err := k.forward(w, tasks); err != nil {
					t.Fatal(err)
				}
			}); n > 0 {
				t.Errorf("%s: %s (%s) allocates %g times", set.Name, op.Kind(), op.Detail(), n)
			}
		}
	}
}
