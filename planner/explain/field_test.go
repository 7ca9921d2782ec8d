package explain

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/region"
)

func TestReceptiveFields(t *testing.T) {
	image := Field{48, 64, true}
	for _, c := range []struct {
		name  string
		build func(n *net)
		want  Field // of the output
	}{
		{"pixel", func(*net) {}, Field{1, 1, false}},
		{"two windows", func(n *net) { n.conv("a", 3, 1, 2); n.conv("b", 3, 1, 2) }, Field{5, 5, false}},
		{"a stride widens what follows", func(n *net) { n.conv("a", 3, 2, 2); n.conv("b", 3, 1, 2) }, Field{7, 7, false}},
		{"a dilation", func(n *net) {
			w := region.Window{Kernel: 3, Stride: 1, Pad: 2, Dilation: 2}
			n.add("a", network.Conv{Window: network.Window{Y: w, X: w}, Groups: 1, Weights: filters(2, 3, 3, 3)})
		}, Field{5, 5, false}},
		{"axes apart", func(n *net) {
			w := network.Window{Y: region.Window{Kernel: 1, Stride: 1, Dilation: 1}, X: region.Window{Kernel: 7, Stride: 1, Pad: 3, Dilation: 1}}
			n.add("a", network.Conv{Window: w, After: network.PadAfter{X: 3}, Groups: 1, Weights: filters(2, 1, 7, 3)})
		}, Field{7, 1, false}},
		{"the widest path", func(n *net) {
			in := n.Input()
			a := n.conv("a", 5, 1, 3)
			n.add("sum", network.Binary{Fn: network.Add}, in, a)
		}, Field{5, 5, false}},
		{"paths that look to different sides", func(n *net) {
			in := n.Input()
			left := n.add("left", network.Slice{Y: network.Span{Step: 1, Count: 64}, X: network.Span{Step: 1, Count: 40}}, in)
			right := n.add("right", network.Slice{Y: network.Span{Step: 1, Count: 64}, X: network.Span{Start: 8, Step: 1, Count: 40}}, in)
			n.add("sum", network.Binary{Fn: network.Add}, left, right)
		}, Field{9, 1, false}},
		{"a global layer", func(n *net) { n.add("a", network.GlobalPool{Fn: network.Mean}) }, image},
		{"a gate", func(n *net) {
			in := n.Input()
			gate := n.add("a", network.GlobalPool{Fn: network.Mean})
			n.add("b", network.Binary{Fn: network.Mul}, in, gate)
		}, image},
	} {
		n := newNet(t, 48, 64, 3)
		c.build(n)
		if got := receptiveFields(n.Network)[n.Output.Index]; got != c.want {
			t.Errorf("%s: %+v, not %+v", c.name, got, c.want)
		}
	}
}

// The receptive fields of networks that others have measured too.
func TestKnownReceptiveFields(t *testing.T) {
	n := vgg16(t)
	fields := receptiveFields(n)
	for _, l := range n.Layers {
		if l.Name == "pool5" && fields[l.Index] != (Field{212, 212, false}) {
			t.Errorf("VGG16 before its classifier: %+v", fields[l.Index])
		}
	}
	n = resnet18(t)
	if got := receptiveFields(n)[n.Output.Index-2]; got != (Field{435, 435, false}) {
		t.Errorf("ResNet18 before its global pool: %+v", got)
	}
}

// Pixels outside a value's receptive field do not change it.
func TestReceptiveFieldsHoldAllThatCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		rng := rand.New(rand.NewPCG(seed, 1))
		n := networktest.Random(rng, networktest.Options{Side: 24})
		s := n.Input().Shape
		image := networktest.Values(rng, s.Len(), 1)
		before, err := networktest.Eval(n, image)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.IntRange(0, len(n.Layers)-1).Draw(t, "layer")
		l := n.Layers[at]
		sight := sights(n)[at]
		if mirrors(n) || sight.x.extent == 0 {
			t.Skip("cells at the border see beyond their field")
		}
		cy, cx := rng.IntN(l.Shape.H), rng.IntN(l.Shape.W)
		field := region.Rect{Y: sight.y.sees(cy, s.H), X: sight.x.sees(cx, s.W)}
		for y := range s.H {
			for x := range s.W {
				if !field.Contains(region.Of(x, y, 1, 1)) {
					for c := range s.C {
						image[(y*s.W+x)*s.C+c] += 1
					}
				}
			}
		}
		after, err := networktest.Eval(n, image)
		if err != nil {
			t.Fatal(err)
		}
		for c := range l.Shape.C {
			i := (cy*l.Shape.W+cx)*l.Shape.C + c
			if b, a := before[at][i], after[at][i]; a != b && !(math.IsNaN(a) && math.IsNaN(b)) {
				t.Fatalf("%s at (%d, %d) sees %v, but changes from %g to %g with what is outside", l, cx, cy, field, b, a)
			}
		}
	})
}

// sees is the interval of pixels, of n, that a cell sees.
func (r reach) sees(cell, n int) region.Interval {
	if r.whole {
		return region.Interval{Lo: 0, Hi: n}
	}
	lo := r.start + cell*r.step
	return region.Interval{Lo: lo, Hi: lo + r.extent}.Clip(n)
}

// mirrors tells whether a network pads with cells of the map.
func mirrors(n *network.Network) bool {
	for _, l := range n.Layers {
		if p, ok := l.Op.(network.Pad); ok && p.Mode != network.PadConstant {
			return true
		}
	}
	return false
}
