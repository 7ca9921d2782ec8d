package network_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/region"
)

// Update and Reads are two views of one relation: an output cell changes exactly
// when what it reads does. So the hull of the cells whose read-in context meets
// a changed rectangle must be what Update says.
func TestUpdateIsTheDualOfReads(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 1))
		net := networktest.Random(rng, networktest.Options{Side: 12, Blocks: 5, Classes: 3})
		for _, l := range net.Layers[1:] {
			for i, in := range l.In {
				changed := randomRect(rng, in.Shape)
				ins := make([]region.Rect, len(l.In))
				for j, p := range l.In {
					if p == in { // the same layer may be read twice
						ins[j] = changed
					}
				}
				got, want := l.Update(ins), meeting(l, i, changed)
				for j, p := range l.In {
					if p == in && j != i {
						want = want.Union(meeting(l, j, changed))
					}
				}
				if got != want && !(got.Empty() && want.Empty()) {
					t.Fatalf("seed %d, %s %s, input %d of %s: %v changes %v, but what reads it is %v",
						seed, l, l.Op.Detail(), i, in.Shape, changed, got, want)
				}
			}
		}
	}
}

// meeting is the hull of the output cells that read a cell of changed.
func meeting(l *network.Layer, input int, changed region.Rect) region.Rect {
	var hull region.Rect
	for y := range l.Shape.H {
		for x := range l.Shape.W {
			cell := region.Of(x, y, 1, 1)
			if !l.Reads(input, cell).Intersect(changed).Empty() {
				hull = hull.Union(cell)
			}
		}
	}
	return hull
}

func randomRect(rng *rand.Rand, s network.Shape) region.Rect {
	x, y := rng.IntN(s.W), rng.IntN(s.H)
	return region.Of(x, y, 1+rng.IntN(s.W-x), 1+rng.IntN(s.H-y))
}

// A rectangle of the output needs no more than what its cells need together,
// and no less.
func TestReadsOfARectangleAreThoseOfItsCells(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 2))
		net := networktest.Random(rng, networktest.Options{Side: 10, Blocks: 4, Classes: 3})
		for _, l := range net.Layers[1:] {
			out := randomRect(rng, l.Shape)
			for i := range l.In {
				var hull region.Rect
				for y := out.Y.Lo; y < out.Y.Hi; y++ {
					for x := out.X.Lo; x < out.X.Hi; x++ {
						hull = hull.Union(l.Reads(i, region.Of(x, y, 1, 1)))
					}
				}
				if got := l.Reads(i, out); got != hull && !(got.Empty() && hull.Empty()) {
					t.Fatalf("seed %d, %s %s: %v reads %v, its cells read %v", seed, l, l.Op.Detail(), out, got, hull)
				}
			}
		}
	}
}

func TestSortDropsWhatNobodyReads(t *testing.T) {
	n := network.New("input", network.Shape{H: 4, W: 4, C: 2})
	relu := mustAdd(t, n, "relu", network.Pointwise{Act: network.Activation{Fn: network.Relu}}, n.Input())
	mustAdd(t, n, "dead", network.Pointwise{Act: network.Activation{Fn: network.Exp}}, relu)
	sum := mustAdd(t, n, "sum", network.Binary{Fn: network.Add}, relu, n.Input())
	n.Layers[1], n.Layers[3] = n.Layers[3], n.Layers[1] // out of order
	n.Output = sum
	if dropped := n.Sort(); dropped != 1 {
		t.Errorf("dropped %d layers", dropped)
	}
	var names []string
	for i, l := range n.Layers {
		if l.Index != i {
			t.Errorf("%s has index %d at place %d", l, l.Index, i)
		}
		names = append(names, l.Name)
	}
	if got := strings.Join(names, " "); got != "input relu sum" {
		t.Errorf("order is %s", got)
	}
}

func TestCloneSharesNoLayers(t *testing.T) {
	n := network.New("input", network.Shape{H: 4, W: 4, C: 2})
	relu := mustAdd(t, n, "relu", network.Pointwise{Act: network.Activation{Fn: network.Relu}}, n.Input())
	c := n.Clone()
	c.Layers[1].Name = "other"
	c.Layers[1].In[0] = c.Layers[1]
	if relu.Name != "relu" || relu.In[0] != n.Input() || c.Output == n.Output {
		t.Error("changing the copy changed the original")
	}
}

// What does not fit together is refused with the layer's name.
func TestShapeErrors(t *testing.T) {
	in := network.Shape{H: 5, W: 5, C: 4}
	one := region.Window{Kernel: 1, Stride: 1, Dilation: 1}
	seven := region.Window{Kernel: 7, Stride: 1, Dilation: 1}
	weights := func(shape ...int) *tensor.Dense {
		return tensor.New(tensor.WithShape(shape...), tensor.Of(tensor.Float32))
	}
	for name, op := range map[string]network.Op{
		"channels of a convolution": network.Conv{Window: network.Window{Y: one, X: one}, Groups: 1, Weights: weights(2, 1, 1, 3)},
		"groups":                    network.Conv{Window: network.Window{Y: one, X: one}, Groups: 3, Weights: weights(3, 1, 1, 1)},
		"window above the map":      network.Conv{Window: network.Window{Y: seven, X: seven}, Groups: 1, Weights: weights(2, 7, 7, 4)},
		"pool above the map":        network.Pool{Window: network.Window{Y: seven, X: one}},
		"no stride":                 network.Pool{Window: network.Window{Y: region.Window{Kernel: 1, Dilation: 1}, X: one}},
		"dense":                     network.Dense{Weights: weights(3, 99)},
		"affine":                    network.Affine{Scale: make([]float32, 3), Shift: make([]float32, 3)},
		"slice":                     network.Slice{Y: network.Span{Start: 3, Step: 1, Count: 3}, X: network.Span{Step: 1, Count: 5}},
		"channel":                   network.Channels{Index: []int{0, 4}},
		"reflection":                network.Pad{Top: 5, Mode: network.PadReflect},
		"unflatten":                 network.Unflatten{To: network.Shape{H: 1, W: 1, C: 7}},
		"two inputs":                network.Binary{Fn: network.Add},
	} {
		n := network.New("input", in)
		if _, err := n.Add("the layer", op, n.Input()); err == nil || !strings.Contains(err.Error(), `"the layer"`) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}

func mustAdd(t *testing.T, n *network.Network, name string, op network.Op, in ...*network.Layer) *network.Layer {
	t.Helper()
	l, err := n.Add(name, op, in...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}
