package operators_test

import (
	"fmt"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// TestStages checks how layers are grouped: every layer once, in order, in groups
// that grow, larger where weights are heavy, and never beyond the batch.
func TestStages(t *testing.T) {
	net := network.New("image", network.Shape{H: 32, W: 32, C: 64})
	l := net.Input()
	weights := []int64{0}
	for i, c := range []int{64, 64, 256, 512} {
		a := region.Window{Kernel: 3, Stride: 2, Pad: 1, Dilation: 1}
		values := 9 * c * l.Shape.C
		op := network.Conv{
			Window: network.Window{Y: a, X: a}, After: network.PadAfter{Y: 1, X: 1}, Groups: 1,
			Weights: tensor.New(tensor.WithShape(c, 3, 3, l.Shape.C), tensor.WithBacking(make([]float32, values))),
		}
		var err error
		if l, err = net.Add(fmt.Sprint(i), op, l); err != nil {
			t.Fatal(err)
		}
		weights = append(weights, int64(values)*4)
	}
	rects := net.Trace(region.Of(0, 0, 32, 32), nil)
	for _, batch := range []int{1, 2, 40, 1000} {
		stages := operators.Stages(net, rects, batch, func(i int) int64 { return weights[i] })
		next, group := 1, 0
		for _, s := range stages {
			if s.From != next || s.To <= s.From || s.Group <= group || s.Group > batch {
				t.Fatalf("batch %d: stages %v", batch, stages)
			}
			next, group = s.To, s.Group
		}
		if next != len(net.Layers) {
			t.Errorf("batch %d: the stages end before layer %d", batch, next)
		}
		if batch == 40 && (stages[0].Group > 8 || group != batch) {
			t.Errorf("groups of %d first and %d at last", stages[0].Group, group)
		}
	}
}
