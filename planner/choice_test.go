package planner

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// Where the goal asks for it, those layers give way that lose the least time for
// the error that they save: of all choices that keep the goal with as many layers
// put back, none is faster.
func TestCheapestLayersGiveWay(t *testing.T) {
	net := network.New("in", network.Shape{H: 24, W: 24, C: 16})
	axis := region.Window{Kernel: 3, Stride: 1, Pad: 1, Dilation: 1}
	in := 16
	for _, out := range []int{64, 24, 96, 32, 48} {
		op := network.Conv{Window: network.Window{Y: axis, X: axis}, After: network.PadAfter{Y: 1, X: 1}, Groups: 1,
			Weights: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(out, 3, 3, in))}
		if _, err := net.Add("conv", op, net.Output); err != nil {
			t.Fatal(err)
		}
		in = out
	}
	rates, err := cost.Default().For("avx2")
	if err != nil {
		t.Fatal(err)
	}
	tallies := make([]tally, len(net.Layers))
	for i, l := range net.Layers {
		tallies[i] = *wholeTally(l)
		// Only two ways, of the same errors at all layers: then the best choice
		// for a number of layers is the greedy one.
		tallies[i].forms = slices.DeleteFunc(cost.Forms(l), func(f cost.Form) bool {
			return f.Algorithm != operators.Winograd2 && f.Algorithm != operators.Winograd6
		})
		tallies[i].products = nil
		tallies[i].shared = []int{16, 16}
		for _, f := range tallies[i].forms {
			tallies[i].products = append(tallies[i].products, f.Products(l.Shape.Whole()))
		}
	}
	seconds := func(algorithms []operators.Algorithm) (s float64) {
		for i, l := range net.Layers {
			amount := tallies[i].of(algorithms[i])
			amount.Groups = float64(amount.Runs) / 16
			s += rates.Seconds(l, algorithms[i], amount)
		}
		return s
	}
	for _, tolerance := range []float64{1, 1.7e-5, 1.5e-5, 1.2e-5, 9e-6, 2e-6} {
		best := math.Inf(1)
		for choice := range 1 << 5 {
			algorithms := []operators.Algorithm{""}
			for i := range 5 {
				a := operators.Winograd6
				if choice>>i&1 == 1 {
					a = operators.Winograd2
				}
				algorithms = append(algorithms, a)
			}
			if cost.Error(net, algorithms) <= tolerance {
				best = min(best, seconds(algorithms))
			}
		}
		chosen := chooseAlgorithms(net, tallies, rates, accuracy{convolution: ConvolutionAuto, tolerance: tolerance})
		if got := seconds(chosen); math.Abs(got-best) > 1e-12 || cost.Error(net, chosen) > tolerance {
			t.Errorf("tolerance %g: %v takes %g s with an error of %g, the best takes %g", tolerance, chosen, got, cost.Error(net, chosen), best)
		}
	}
}
