package gradient_test

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
	"occlude/operators/gradient"
)

// everything wants all gradients.
func everything() gradient.Wanted {
	all := func(int) bool { return true }
	return gradient.Wanted{Out: all, Pre: all, Edge: func(int, int) bool { return true }}
}

// inputs wants the gradient with respect to the image alone.
func inputs() gradient.Wanted {
	return gradient.Wanted{Out: func(layer int) bool { return layer == 0 }}
}

// passes runs the clean image and a backward pass over a network.
func passes(t testing.TB, net *network.Network, image *tensor.Dense, o []gradient.Objective, w gradient.Wanted) (*operators.Views, []*gradient.Gradients) {
	t.Helper()
	views := base(t, net, image)
	p, err := gradient.New(net, gradient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g, err := p.Run(context.Background(), views, o, w, 2)
	if err != nil {
		t.Fatal(err)
	}
	return views, g
}

func base(t testing.TB, net *network.Network, image *tensor.Dense) *operators.Views {
	t.Helper()
	c, err := cpu.New(context.Background(), net, cpu.Options{})
	if err != nil {
		t.Fatal(err)
	}
	views, err := c.Base(context.Background(), image, 2)
	if err != nil {
		t.Fatal(err)
	}
	return views
}

// value is an objective of a network's last values, in float64 and straight from
// its definition.
func value(net *network.Network, all [][]float64, o gradient.Objective) float64 {
	if s, ok := net.Output.Op.(network.Softmax); ok && !s.Log && o.Kind == gradient.LogOdds {
		z := all[net.Output.In[0].Index]
		sum := 0.0
		for j, v := range z {
			if j != o.Class {
				sum += math.Exp(v - z[o.Class])
			}
		}
		return -math.Log(sum)
	}
	p := all[net.Output.Index][o.Class]
	switch o.Kind {
	case gradient.LogOdds:
		return math.Log(p) - math.Log1p(-p)
	case gradient.LogProbability:
		return math.Log(p)
	}
	return p
}

// apart is a network whose activations are layers of their own, and whose edges
// are as well: tensors that a fused network does not have.
type apart struct {
	net  *network.Network
	out  []*network.Layer   // by the index that a layer had
	pre  []*network.Layer   // before the activation
	edge [][]*network.Layer // by input
}

func takeApart(t testing.TB, net *network.Network) apart {
	t.Helper()
	a := apart{net: network.New("image", net.Input().Shape)}
	add := func(op network.Op, in ...*network.Layer) *network.Layer {
		l, err := a.net.Add(fmt.Sprintf("%s %d", op.Kind(), len(a.net.Layers)), op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	for i, l := range net.Layers {
		if i == 0 {
			a.out, a.pre, a.edge = append(a.out, a.net.Input()), append(a.pre, a.net.Input()), append(a.edge, nil)
			continue
		}
		var in []*network.Layer
		for _, p := range l.In {
			in = append(in, add(network.Pointwise{}, a.out[p.Index]))
		}
		op, act := l.Op, network.Activation{}
		if f, ok := op.(network.Fused); ok {
			op, act = f.WithActivation(network.Activation{}), f.Activation()
		}
		pre := add(op, in...)
		out := pre
		if !act.IsNone() {
			out = add(network.Pointwise{Act: act}, pre)
		}
		a.out, a.pre, a.edge = append(a.out, out), append(a.pre, pre), append(a.edge, in)
	}
	a.net.Output = a.out[net.Output.Index]
	return a
}

// from is the network with a layer as its input, and what does not depend on it
// as constants.
func from(t testing.TB, net *network.Network, all [][]float64, at *network.Layer) *network.Network {
	t.Helper()
	n := network.New("cut", at.Shape)
	made := map[*network.Layer]*network.Layer{at: n.Input()}
	depends := map[*network.Layer]bool{at: true}
	for _, l := range net.Layers {
		for _, p := range l.In {
			depends[l] = depends[l] || depends[p]
		}
	}
	var layer func(l *network.Layer) *network.Layer
	layer = func(l *network.Layer) *network.Layer {
		if made[l] != nil {
			return made[l]
		}
		op := l.Op
		var in []*network.Layer
		if depends[l] {
			for _, p := range l.In {
				in = append(in, layer(p))
			}
		} else {
			s := l.Shape
			op = network.Const{Value: tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(narrow(all[l.Index])))}
		}
		m, err := n.Add(l.Name, op, in...)
		if err != nil {
			t.Fatal(err)
		}
		made[l] = m
		return m
	}
	n.Output = layer(net.Output)
	return n
}

func narrow(v []float64) []float32 {
	to := make([]float32, len(v))
	for i, x := range v {
		to[i] = float32(x)
	}
	return to
}

// tally counts what finite differences could tell.
type tally struct{ compared, kinks int }

// differs compares a gradient at a tensor with finite differences along random
// directions and returns what is wrong with it. Values that are exactly 0 stay: a
// relu left them, and functions behind it may have a kink there. Where a step
// crosses a kink, which shows when it tells forward and backward apart, a smaller
// one is tried in another direction.
func (c *tally) differs(t testing.TB, rng *rand.Rand, net *network.Network, all [][]float64, at *network.Layer, g []float32, o gradient.Objective) (wrong string) {
	t.Helper()
	cut := from(t, net, all, at)
	x := narrow(all[at.Index])
	f := func(x []float32) float64 {
		v, err := networktest.Eval(cut, x)
		if err != nil {
			t.Fatal(err)
		}
		return value(cut, v, o)
	}
	f0 := f(x)
	step := 1e-3
	for range 6 {
		up, down := make([]float32, len(x)), make([]float32, len(x))
		want, scale := [2]float64{}, 0.0
		for i, v := range x {
			up[i], down[i] = v, v
			if v != 0 {
				d := step * rng.NormFloat64()
				up[i], down[i] = float32(float64(v)+d), float32(float64(v)-d)
			}
			a, b := float64(g[i])*(float64(up[i])-float64(v)), float64(g[i])*(float64(v)-float64(down[i]))
			want[0] += a
			want[1] += b
			scale += math.Abs(a * a)
		}
		scale = math.Sqrt(scale) + 1e-10
		a, b := f(up)-f0, f0-f(down)
		step /= 4
		if math.Abs((a-want[0])-(b-want[1])) > 2e-3*scale {
			wrong = "" // the function bends
			continue
		}
		if d := math.Abs(a + b - want[0] - want[1]); d <= 4e-3*scale {
			c.compared++
			return ""
		}
		wrong = fmt.Sprintf("by finite differences %g, by the gradient %g, of a scale of %g", a+b, want[0]+want[1], scale)
	}
	c.kinks++
	return wrong
}

// every picks all layers.
func every(*network.Layer) bool { return true }

// check compares the gradients of a network at the layers that are picked with
// finite differences.
func (c *tally) check(t testing.TB, rng *rand.Rand, net *network.Network, image *tensor.Dense, o gradient.Objective, pick func(l *network.Layer) bool) {
	t.Helper()
	_, gs := passes(t, net, image, []gradient.Objective{o}, everything())
	g := gs[0]
	a := takeApart(t, net)
	all, err := networktest.Eval(a.net, image.Data().([]float32))
	if err != nil {
		t.Fatal(err)
	}
	if want := value(a.net, all, o); math.Abs(g.Value-want) > 1e-3*(1+math.Abs(want)) {
		t.Errorf("%s is %g, by its definition %g", o, g.Value, want)
	}
	compare := func(what string, l, at *network.Layer, d *tensor.Dense) {
		if d == nil || !pick(l) {
			return
		}
		if s := d.Shape(); s[0] != at.Shape.H || s[1] != at.Shape.W || s[2] != at.Shape.C {
			t.Fatalf("%s of %s: a gradient of %v at %s", what, l, s, at.Shape)
		}
		if wrong := c.differs(t, rng, a.net, all, at, d.Data().([]float32), o); wrong != "" {
			t.Errorf("%s of %s (%s, %s): %s", what, l, l.Op.Detail(), l.Shape, wrong)
		}
	}
	for i, l := range net.Layers {
		compare("output", l, a.out[i], g.Out[i])
		if a.pre[i] != a.out[i] {
			compare("pre-activation", l, a.pre[i], g.Pre[i])
		} else if g.Pre[i] != nil {
			closeTo(t, fmt.Sprintf("the gradient before no activation of %s", l), g.Pre[i].Data().([]float32), g.Out[i].Data().([]float32))
		}
		for j, e := range g.Edges[i] {
			compare(fmt.Sprintf("edge %d", j), l, a.edge[i][j], e)
		}
		if sum := edgeSum(net, g, l); sum != nil && l != net.Output {
			closeTo(t, fmt.Sprintf("the edges that leave %s add up to another gradient", l), g.Out[i].Data().([]float32), sum)
		}
	}
	if g.Out[0] == nil {
		t.Error("no gradient with respect to the image")
	}
}

// edgeSum adds up the shares of all edges that leave a layer, nil if none has one.
func edgeSum(net *network.Network, g *gradient.Gradients, l *network.Layer) []float32 {
	var sum []float32
	for _, r := range net.Layers {
		for j, in := range r.In {
			if in != l || g.Edges[r.Index] == nil || g.Edges[r.Index][j] == nil {
				continue
			}
			if sum == nil {
				sum = make([]float32, l.Shape.Len())
			}
			for i, v := range g.Edges[r.Index][j].Data().([]float32) {
				sum[i] += v
			}
		}
	}
	return sum
}

func closeTo(t testing.TB, what string, got, want []float32) {
	t.Helper()
	largest := 0.0
	for _, v := range want {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range want {
		if d := math.Abs(float64(got[i] - v)); !(d <= 1e-5*largest) {
			t.Errorf("%s: value %d is %g, want %g", what, i, got[i], v)
			return
		}
	}
}
