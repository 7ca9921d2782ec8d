package gpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu/soft"
	"occlude/operators/operatorstest"
	"occlude/operators/region"
)

// joining makes networks of convolutions whose outputs are joined in every way: chains of
// concats of all that was before, concats in concats, twice the same, constants, numbers of
// channels that are no multiples of 4.
func joining(rng *rand.Rand) *network.Network {
	net := network.New("image", network.Shape{H: 9 + rng.IntN(6), W: 9 + rng.IntN(6), C: 3})
	add := func(op network.Op, in ...*network.Layer) *network.Layer {
		l, err := net.Add(fmt.Sprintf("%s_%d", op.Kind(), len(net.Layers)), op, in...)
		if err != nil {
			panic(err)
		}
		return l
	}
	in := net.Input()
	conv := func(l *network.Layer) *network.Layer {
		c, k := 4*(1+rng.IntN(3)), 1+2*rng.IntN(2)
		if rng.IntN(6) == 0 {
			c++
		}
		a := region.Window{Kernel: k, Stride: 1, Pad: k / 2, Dilation: 1}
		n := c * k * k * l.Shape.C
		return add(network.Conv{
			Window: network.Window{Y: a, X: a}, After: network.PadAfter{Y: k / 2, X: k / 2}, Groups: 1, Act: network.Activation{Fn: network.Tanh},
			Weights: tensor.New(tensor.WithShape(c, k, k, l.Shape.C), tensor.WithBacking(networktest.Values(rng, n, 1/math.Sqrt(float64(n/c))))),
		}, l)
	}
	features := []*network.Layer{conv(in)}
	last := features[0]
	for range 2 + rng.IntN(5) {
		switch rng.IntN(8) {
		case 0:
			c := 4 * in.Shape.Cells()
			value := tensor.New(tensor.WithShape(in.Shape.H, in.Shape.W, 4), tensor.WithBacking(networktest.Values(rng, c, 1)))
			features = append(features, add(network.Const{Value: value}))
		case 1:
			features = append(features, features[rng.IntN(len(features))])
		case 2:
			features = []*network.Layer{last, conv(features[rng.IntN(len(features))])}
		case 3:
			features = append([]*network.Layer{conv(last)}, features...)
		default:
			features = append(features, conv(last))
		}
		if len(features) > 1 {
			last = add(network.Concat{}, features...)
		}
	}
	net.Output = add(network.GlobalPool{Fn: network.Largest}, conv(last))
	net.Sort()
	return net
}

// TestInPlace checks networks that join much against the processor, with updates that follow
// the network, that leave something out, and with as few views as such updates need, and that
// batches in which it is possible copy nothing.
func TestInPlace(t *testing.T) {
	long(t)
	joined, bare, runs := 0, 0, 0
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 9))
		net := joining(rng)
		in := net.Input().Shape
		d := &soft.Device{}
		p, reference := program(t, net, d, tensorOn(net, seed%2 == 1)), processor(t, net)
		p.limit = 1 << (8 + rng.IntN(20))
		image := networktest.Image(rng, in)
		views, plain := base(t, p, image), base(t, reference, image)
		tiles := patches(rng, in)
		for _, tau := range []float64{1, .4} {
			make := func() []operators.Update {
				batch := operatorstest.Updates(net, tiles)
				for i := range batch {
					if tau < 1 {
						batch[i].Rects, _ = net.TraceThresholded(batch[i].Patch.Rect, tau, nil)
						batch[i].Reads = net.ThresholdedReads(batch[i].Rects, tau, nil)
					}
				}
				return batch
			}
			got, want := make(), make()
			operatorstest.Run(t, reference.NewWorker(), plain, want)
			// Without views of what is joined, those of what it is joined from do.
			few := views.Shared()
			few.Drop(func(layer int) bool { return seed%3 > 0 || p.inside[layer].owner == 0 || !isConcat(p, layer) })
			w := p.NewWorker()
			runs++
			if err := w.Run(t.Context(), few, got); err != nil {
				if seed%3 > 0 {
					t.Fatal(err)
				}
				bare++ // something else needs them
				operatorstest.Run(t, w, views, got)
			}
			for i := range got {
				if d := operatorstest.Distance(got[i].Out, want[i].Out); d > 1e-5 {
					t.Fatalf("seed %d, tau %g: patch %s differs by %g", seed, tau, tiles[i].Rect, d)
				}
			}
		}
		batch := operatorstest.Updates(net, tiles)
		s := p.sizeOf(stretches(batch))
		for i, in := range p.inside {
			if in.owner == 0 {
				continue
			}
			joined++
			if !s.inside[i] {
				t.Errorf("seed %d: %s is copied", seed, net.Layers[i])
			}
		}
	}
	if t.Logf("%d layers lie in concats, %d of %d batches need more views", joined, bare, runs); joined < 100 || bare > runs/4 {
		t.Error("too few of one, or too many of the other")
	}
}

func isConcat(p *Program, layer int) bool {
	_, ok := p.kernels[layer].(*concat)
	return ok
}
