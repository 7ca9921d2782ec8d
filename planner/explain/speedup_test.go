package explain

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/region"
)

// vgg16 is the network of Simonyan and Zisserman (configuration D), with
// weights of the right shape.
func vgg16(t testing.TB) *network.Network {
	n := newNet(t, 224, 224, 3)
	for i, stage := range [][]int{{64, 64}, {128, 128}, {256, 256, 256}, {512, 512, 512}, {512, 512, 512}} {
		for j, out := range stage {
			n.blank(fmt.Sprintf("conv%d_%d", i+1, j+1), 3, 1, out)
		}
		n.pool(fmt.Sprintf("pool%d", i+1), 2, 2)
	}
	for i, out := range []int{4096, 4096, 1000} {
		n.add(fmt.Sprintf("fc%d", i+6), network.Dense{Weights: blank(out, n.Output.Shape.Len())})
	}
	return n.Network
}

// resnet18 is the network of He and others, batch norms folded.
func resnet18(t testing.TB) *network.Network {
	n := newNet(t, 224, 224, 3)
	n.blank("conv1", 7, 2, 64)
	n.pool("maxpool", 3, 2)
	for i, out := range []int{64, 128, 256, 512} {
		for j := range 2 {
			stride := 1
			if i > 0 && j == 0 {
				stride = 2
			}
			in := n.Output
			n.blank("a", 3, stride, out)
			b := n.blank("b", 3, 1, out)
			if stride == 2 {
				n.Output = in
				in = n.blank("downsample", 1, 2, out)
			}
			n.add("add", network.Binary{Fn: network.Add}, in, b)
		}
	}
	n.add("avgpool", network.GlobalPool{Fn: network.Mean})
	n.add("fc", network.Dense{Weights: blank(1000, 512)})
	return n.Network
}

// The speedups that were computed for these networks elsewhere: with a patch of
// 16 at a stride of 4, as the ratio of the sums over all positions.
func TestKnownSpeedups(t *testing.T) {
	for _, c := range []struct {
		name              string
		net               *network.Network
		convolutions, all float64
	}{
		{"VGG16", vgg16(t), 9.8, 9.1},
		{"ResNet18", resnet18(t), 2.8, 2.8},
	} {
		for _, s := range speedups(c.net) {
			if s.Patch != 16 {
				continue
			}
			if s.Positions != 53*53 {
				t.Errorf("%s: %d positions", c.name, s.Positions)
			}
			if math.Abs(s.Mean.Convolutions-c.convolutions) > .05 || math.Abs(s.Mean.All-c.all) > .05 {
				t.Errorf("%s: %+v, not %g and %g", c.name, s.Mean, c.convolutions, c.all)
			}
		}
	}
}

// Counting by cells gives what the layers say themselves.
func TestCounterAgreesWithLayers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := networktest.Random(rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2)), networktest.Options{})
		s := n.Input().Shape
		w, h := rapid.IntRange(1, s.W).Draw(t, "w"), rapid.IntRange(1, s.H).Draw(t, "h")
		rect := region.Of(rapid.IntRange(0, s.W-w).Draw(t, "x"), rapid.IntRange(0, s.H-h).Draw(t, "y"), w, h)
		var want macs
		rects := n.Trace(rect, nil)
		for i, l := range n.Layers {
			work := l.Work(rects[i]).MACs
			want.all += work
			if _, ok := l.Op.(network.Conv); ok {
				want.convolutions += work
			}
		}
		if got := newCounter(n).at(rect); got != want {
			t.Fatalf("%v: %+v, not %+v", rect, got, want)
		}
	})
}

// A patch as large as the image leaves nothing to save.
func TestNoSpeedupOfWholeImage(t *testing.T) {
	n := newNet(t, 32, 32, 3)
	n.conv("a", 3, 1, 4)
	n.add("b", network.GlobalPool{Fn: network.Mean})
	all := speedups(n.Network)
	if last := all[len(all)-1]; last.Patch != 32 || last.Mean != (Gain{1, 1}) || last.Central != (Gain{1, 1}) || last.Positions != 1 {
		t.Errorf("%+v", last)
	}
	n = newNet(t, 20, 10, 3)
	n.conv("a", 3, 1, 4)
	if all := speedups(n.Network); len(all) != 2 {
		t.Errorf("patches of 4 and 8 fit into 20x10, got %+v", all)
	}
}
