package gradient_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/gradient"
)

// ending is a network with the given layers at its end.
func ending(t *testing.T, classes int, ops ...network.Op) *network.Network {
	t.Helper()
	rng := rand.New(rand.NewPCG(3, 1))
	net := network.New("image", shape(4, 4, 2))
	for _, op := range append([]network.Op{
		convOf(rng, axis(3, 1, 1, 1), axis(3, 1, 1, 1), 1, 1, 2, 1, 3), denseOf(rng, 48, classes),
	}, ops...) {
		if _, err := net.Add(op.Kind(), op, net.Output); err != nil {
			t.Fatal(err)
		}
	}
	return net
}

func act(fn string) network.Pointwise {
	return network.Pointwise{Act: network.Activation{Fn: fn}}
}

// fused lets the fully-connected layer at the end apply an activation itself.
func fused(t *testing.T, classes int, fn string) *network.Network {
	net := ending(t, classes)
	net.Output.Op = net.Output.Op.(network.Fused).WithActivation(network.Activation{Fn: fn})
	return net
}

// Objectives of networks of all endings agree with their definitions.
func TestObjectives(t *testing.T) {
	for _, c := range []struct {
		name string
		net  *network.Network
		raw  bool
		want gradient.Kind // that suits the network
		also []gradient.Kind
	}{
		{"softmax", ending(t, 5, network.Softmax{}), false, gradient.LogOdds, []gradient.Kind{gradient.LogProbability, gradient.Score}},
		{"raw softmax", ending(t, 5, network.Softmax{}), true, gradient.LogOdds, nil},
		{"two classes", ending(t, 2, network.Softmax{}), false, gradient.LogOdds, nil},
		{"log softmax and exp", ending(t, 5, network.Softmax{Log: true}, act(network.Exp)), false, gradient.LogOdds, []gradient.Kind{gradient.LogProbability}},
		{"log softmax", ending(t, 5, network.Softmax{Log: true}), true, gradient.Score, nil},
		{"sigmoid", ending(t, 5, act(network.Sigmoid)), false, gradient.LogProbability, []gradient.Kind{gradient.LogOdds, gradient.Score}},
		{"one sigmoid", ending(t, 1, act(network.Sigmoid)), false, gradient.LogProbability, []gradient.Kind{gradient.LogOdds}},
		{"fused sigmoid", fused(t, 3, network.Sigmoid), false, gradient.LogProbability, []gradient.Kind{gradient.LogOdds, gradient.Score}},
		{"exponentials", ending(t, 3, act(network.Exp)), false, gradient.LogProbability, []gradient.Kind{gradient.Score}},
		{"raw", ending(t, 3), true, gradient.Score, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(5, 1))
			if got := gradient.KindOf(c.net, c.raw); got != c.want {
				t.Errorf("the %s suits it, not the %s", got, c.want)
			}
			var n tally
			for _, kind := range append(c.also, c.want) {
				o := gradient.Objective{Kind: kind, Class: c.net.Output.Shape.C / 2}
				image := networktest.Image(rng, c.net.Input().Shape)
				n.check(t, rng, c.net, image, o, every)
				views, g := passes(t, c.net, image, []gradient.Objective{o}, inputs())
				p := float64(views.Output(c.net.Output.Index)[o.Class])
				if got := kind.Probability(g[0].Value); math.Abs(got-p) > 1e-5*(1+math.Abs(p)) {
					t.Errorf("%s of %g stands for %g, the output is %g", kind, g[0].Value, got, p)
				}
			}
			if n.compared < 5 {
				t.Errorf("%+v: too little was compared", n)
			}
		})
	}
}

// A probability of one, in float32, still has a gradient.
func TestCertainty(t *testing.T) {
	for _, net := range []*network.Network{ending(t, 3, network.Softmax{}), ending(t, 3, act(network.Sigmoid)), fused(t, 3, network.Sigmoid)} {
		d := net.Layers[2].Op.(network.Dense)
		d.Bias = []float32{0, 40, -60}
		net.Layers[2].Op = d
		image := networktest.Image(rand.New(rand.NewPCG(7, 1)), net.Input().Shape)
		for class, want := range map[int]float64{1: 40, 2: -60} {
			views, g := passes(t, net, image, []gradient.Objective{{Kind: gradient.LogOdds, Class: class}}, inputs())
			if p := views.Output(net.Output.Index)[class]; p != 1 && p > 1e-20 {
				t.Fatalf("p = %g is no test", p)
			}
			if v := g[0].Value; math.Abs(v-want) > 60 && math.Abs(v) > 20 {
				t.Errorf("class %d: log odds of %g, want about %g", class, v, want)
			}
			norm := 0.0
			for _, v := range g[0].Out[0].Data().([]float32) {
				norm += float64(v) * float64(v)
			}
			if !(norm > 1e-3 && norm < 1e3) {
				t.Errorf("class %d: a gradient of norm %g", class, norm)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	soft := ending(t, 5, network.Softmax{})
	for name, c := range map[string]struct {
		net  *network.Network
		o    gradient.Objective
		says string
	}{
		"class above":   {soft, gradient.Objective{Kind: gradient.LogOdds, Class: 5}, "5 classes"},
		"class below":   {soft, gradient.Objective{Kind: gradient.LogOdds, Class: -1}, "5 classes"},
		"kind":          {soft, gradient.Objective{Kind: "odd"}, `"odd"`},
		"no odds":       {ending(t, 2), gradient.Objective{Kind: gradient.LogOdds}, "neither in a softmax"},
		"one class":     {ending(t, 1, network.Softmax{}), gradient.Objective{Kind: gradient.LogOdds}, "neither in a softmax"},
		"no logarithm":  {fused(t, 3, network.Floor), gradient.Objective{Kind: gradient.LogProbability, Class: leastOf(t, fused(t, 3, network.Floor))}, "no logarithm"},
		"kind of other": {ending(t, 2, act(network.Exp)), gradient.Objective{Kind: "odd"}, `"odd"`},
	} {
		p, err := gradient.New(c.net, gradient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		image := networktest.Image(rand.New(rand.NewPCG(5, 1)), c.net.Input().Shape)
		_, err = p.Run(context.Background(), base(t, c.net, image), []gradient.Objective{c.o}, inputs(), 1)
		if err == nil || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), fmt.Sprint("class ", c.o.Class)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	p, err := gradient.New(soft, gradient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	views := base(t, soft, networktest.Image(rand.New(rand.NewPCG(5, 1)), soft.Input().Shape))
	odds := []gradient.Objective{{Kind: gradient.LogOdds}}
	for name, v := range map[string]*operators.Views{"none": nil, "of another": {Layers: make([]*tensor.Dense, 2)}, "a view dropped": without(views, 1)} {
		if _, err := p.Run(context.Background(), v, odds, inputs(), 1); err == nil || !strings.Contains(err.Error(), "view") {
			t.Errorf("views: %s: %v", name, err)
		}
	}
	stopped, stop := context.WithCancelCause(context.Background())
	why := errors.New("enough")
	stop(why)
	if _, err := p.Run(stopped, views, odds, inputs(), 2); !errors.Is(err, why) {
		t.Errorf("a run that was stopped ended with %v", err)
	}
	if _, err := gradient.New(soft, gradient.Options{Kernels: "mmx"}); err == nil || !strings.Contains(err.Error(), "mmx") {
		t.Errorf("kernels that nobody has: %v", err)
	}
	if _, err := gradient.New(soft, gradient.Options{Algorithms: make([]operators.Algorithm, 2)}); err == nil {
		t.Error("two algorithms were enough for a network of more layers")
	}
}

func leastOf(t *testing.T, net *network.Network) int {
	t.Helper()
	out := base(t, net, networktest.Image(rand.New(rand.NewPCG(5, 1)), net.Input().Shape)).Output(net.Output.Index)
	return slices.Index(out, slices.Min(out))
}

func without(v *operators.Views, layer int) *operators.Views {
	c := &operators.Views{Layers: slices.Clone(v.Layers)}
	c.Layers[layer] = nil
	return c
}

// Neither threads, nor other objectives, nor what else is wanted, nor a second
// run change a bit.
func TestSameBits(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 21))
		net := networktest.Random(rng, networktest.Options{Side: 40})
		p, err := gradient.New(net, gradient.Options{})
		var u *gradient.UnknownError
		if errors.As(err, &u) {
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		views := base(t, net, networktest.Image(rng, net.Input().Shape))
		run := func(w gradient.Wanted, threads int, classes ...int) []*gradient.Gradients {
			var o []gradient.Objective
			for _, c := range classes {
				o = append(o, gradient.Objective{Kind: gradient.LogOdds, Class: c})
			}
			g, err := p.Run(context.Background(), views, o, w, threads)
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		all := run(everything(), 1, 2)[0]
		same(t, net, all, run(everything(), 5, 2)[0], true)
		several := run(everything(), 2, 1, 2, 3)
		same(t, net, all, several[1], true)
		if several[0].Objective.Class != 1 || several[2].Objective.Class != 3 {
			t.Error("the objectives are in another order")
		}
		any := func(int) bool { return true }
		same(t, net, all, run(gradient.Wanted{Out: any, Pre: any}, 2, 2, 3)[0], false) // with memory that is used again
		layer := 1 + rng.IntN(len(net.Layers)-2)
		only := func(i int) bool { return i == layer }
		same(t, net, all, run(gradient.Wanted{Out: only}, 2, 2)[0], false)
		same(t, net, all, run(gradient.Wanted{Pre: only}, 2, 2)[0], false)
		same(t, net, all, run(gradient.Wanted{Edge: func(i, j int) bool { return i == layer && j == 0 }}, 2, 2)[0], false)
		if g := run(inputs(), 1, 2)[0]; g.Out[0] == nil {
			t.Error("the gradient with respect to the image was wanted")
		} else {
			same(t, net, all, g, false)
		}
		if g := run(everything(), 1); g != nil {
			t.Error("gradients of no objective")
		}
		if t.Failed() {
			t.Fatalf("seed %d, layer %d", seed, layer)
		}
	}
}

// same compares the gradients that b has with those of a, which has all.
func same(t *testing.T, net *network.Network, a, b *gradient.Gradients, everything bool) {
	t.Helper()
	equal := func(what string, l *network.Layer, a, b *tensor.Dense) {
		t.Helper()
		if b == nil && (a == nil || !everything) {
			return
		}
		if a == nil || b == nil || !slices.Equal(a.Data().([]float32), b.Data().([]float32)) {
			t.Errorf("%s of %s differs", what, l)
		}
	}
	for i, l := range net.Layers {
		equal("output", l, a.Out[i], b.Out[i])
		equal("pre-activation", l, a.Pre[i], b.Pre[i])
		for j := range b.Edges[i] {
			equal("edge", l, a.Edges[i][j], b.Edges[i][j])
		}
	}
}

// What is not wanted is not there.
func TestWanted(t *testing.T) {
	net := ending(t, 5, network.Softmax{})
	image := networktest.Image(rand.New(rand.NewPCG(5, 1)), net.Input().Shape)
	odds := []gradient.Objective{{Kind: gradient.LogOdds}}
	_, gs := passes(t, net, image, odds, gradient.Wanted{Pre: func(i int) bool { return i == 1 }, Edge: func(i, j int) bool { return i == 2 }})
	for i := range net.Layers {
		if g := gs[0]; (g.Pre[i] != nil) != (i == 1) || (g.Edges[i] != nil) != (i == 2) || g.Out[i] != nil {
			t.Errorf("layer %d: output %v, pre-activation %v, edges %v", i, g.Out[i] != nil, g.Pre[i] != nil, g.Edges[i] != nil)
		}
	}
}

// The sets of loops and the algorithms of convolutions agree.
func TestKernels(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	net := network.New("image", shape(19, 17, 3))
	for _, op := range []network.Op{
		convOf(rng, axis(3, 2, 1, 1), axis(3, 2, 1, 1), 1, 1, 3, 1, 16), act(network.Swish),
		convOf(rng, axis(3, 1, 1, 1), axis(3, 1, 1, 1), 1, 1, 16, 1, 24), act(network.Relu),
		convOf(rng, axis(1, 1, 0, 1), axis(5, 1, 2, 1), 0, 2, 24, 1, 20),
		network.GlobalPool{Fn: network.Mean}, denseOf(rng, 20, 4), network.Softmax{},
	} {
		if _, err := net.Add(op.Kind(), op, net.Output); err != nil {
			t.Fatal(err)
		}
	}
	views := base(t, net, networktest.Image(rng, net.Input().Shape))
	var want []float32
	check := func(what string, o gradient.Options) {
		t.Helper()
		p, err := gradient.New(net, o)
		if err != nil {
			t.Fatal(err)
		}
		g, err := p.Run(context.Background(), views, []gradient.Objective{{Kind: gradient.LogOdds}}, inputs(), 2)
		if err != nil {
			t.Fatal(err)
		}
		got := g[0].Out[0].Data().([]float32)
		if want == nil {
			want = got
		}
		closeTo(t, what, got, want)
	}
	for _, s := range simd.Available() {
		check(s.Name, gradient.Options{Kernels: s.Name})
	}
	for _, a := range []operators.Algorithm{operators.Winograd2, operators.Winograd4, operators.WinogradLine2} {
		o := gradient.Options{Algorithms: make([]operators.Algorithm, len(net.Layers))}
		for i, l := range net.Layers {
			if slices.Contains(operators.Algorithms(l), a) {
				o.Algorithms[i] = a
			}
		}
		check(string(a), o)
	}
}

// Sums are the values before the activation, recomputed where views have none.
func TestSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 3))
	s := shape(6, 5, 4)
	net := network.New("image", s)
	add := func(op network.Op, in ...*network.Layer) *network.Layer {
		l, err := net.Add(fmt.Sprint(op.Kind(), len(net.Layers)), op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	gelu := network.Activation{Fn: network.Gelu}
	conv := convOf(rng, axis(3, 1, 1, 1), axis(3, 1, 1, 1), 1, 1, 4, 1, 4)
	conv.Act, conv.Residual = gelu, true
	a := add(conv, net.Input(), net.Input())
	b := add(network.Affine{Scale: networktest.Values(rng, 4, 1), Shift: networktest.Values(rng, 4, 1), Act: gelu}, a)
	c := add(network.Binary{Fn: network.Sub, Act: gelu}, b, a)
	d := denseOf(rng, s.Len(), 7)
	d.Act = gelu
	add(d, c)
	add(network.Softmax{}, add(denseOf(rng, 7, 3), net.Output))
	image := networktest.Image(rng, s)
	views := base(t, net, image)
	p, err := gradient.New(net, gradient.Options{})
	if err != nil {
		t.Fatal(err)
	}
	parts := takeApart(t, net)
	all, err := networktest.Eval(parts.net, image.Data().([]float32))
	if err != nil {
		t.Fatal(err)
	}
	for i, l := range net.Layers {
		got, err := p.Sums(context.Background(), views, i, 2)
		if err != nil {
			t.Fatal(err)
		}
		closeTo(t, "sums of "+l.String(), got, narrow(all[parts.pre[i].Index]))
	}
}

// An operator that only moves elements is told by name, and its moves by labels;
// others are refused with their layer's name.
func TestFunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 9))
	// Each second element, backwards, of two vectors, between constants.
	moves := func(in [][]float32) ([]float32, error) {
		out := []float32{0, 2.5}
		for i := len(in[0]) - 1; i >= 0; i -= 2 {
			out = append(out, in[0][i], in[1][i], in[1][i])
		}
		return append(out, -1), nil
	}
	build := func(name string, call func([][]float32) ([]float32, error)) *network.Network {
		net := network.New("image", shape(1, 1, 9))
		b, err := net.Add("scaled", denseOf(rng, 9, 9), net.Input())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := net.Add("odd one", network.Function{Name: name, Out: 18, Call: call}, net.Input(), b); err != nil {
			t.Fatal(err)
		}
		for _, op := range []network.Op{denseOf(rng, 18, 4), network.Softmax{}} {
			if _, err := net.Add(op.Kind(), op, net.Output); err != nil {
				t.Fatal(err)
			}
		}
		return net
	}
	var c tally
	net := build("Transpose", moves)
	image := networktest.Image(rng, net.Input().Shape)
	odds := gradient.Objective{Kind: gradient.LogOdds}
	c.check(t, rng, net, image, odds, every)
	if c.compared < 8 {
		t.Errorf("%+v: too little was compared", c)
	}
	var u *gradient.UnknownError
	if _, err := gradient.New(build("Einsum", moves), gradient.Options{}); !errors.As(err, &u) || u.Layer.Name != "odd one" || !strings.Contains(err.Error(), "Einsum") {
		t.Errorf("an operator that nobody knows: %v", err)
	}
	for name, call := range map[string]func([][]float32) ([]float32, error){
		"more than to move": func(in [][]float32) ([]float32, error) {
			out, err := moves(in)
			out[3] *= 2
			return out, err
		},
		"instead of 18": func([][]float32) ([]float32, error) { return nil, nil },
		"cannot":        func([][]float32) ([]float32, error) { return nil, errors.New("cannot") },
	} {
		p, err := gradient.New(build("Transpose", call), gradient.Options{})
		if err != nil {
			t.Fatal(err)
		}
		views := base(t, net, image)
		if _, err := p.Run(context.Background(), views, []gradient.Objective{odds}, inputs(), 1); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Shown names the inputs that get a max pool's gradient.
func TestShown(t *testing.T) {
	net := network.New("image", shape(1, 5, 1))
	w := network.Window{Y: axis(1, 1, 0, 1), X: axis(3, 2, 1, 1)}
	l, err := net.Add("pool", network.Pool{Window: w, After: network.PadAfter{X: 1}, Max: true}, net.Input())
	if err != nil {
		t.Fatal(err)
	}
	image := tensor.New(tensor.WithShape(1, 5, 1), tensor.WithBacking([]float32{-2, -1, -1, 3, 3}))
	got, err := gradient.Shown(context.Background(), base(t, net, image), l, 2)
	if err != nil || !slices.Equal(got, []int32{1, 3, 3}) {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := gradient.Shown(context.Background(), base(t, net, image), net.Input(), 2); err == nil {
		t.Error("the image is no pool")
	}
}

// The gradients of the examples' model, as it was trained, at some of its tensors.
func TestTrained(t *testing.T) {
	if testing.Short() {
		t.Skip("inferences in float64 take seconds")
	}
	m, err := model.Load(context.Background(), "chest", "../../examples/models/chest.onnx", model.Options{Spec: imageio.DefaultSpec(0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 5))
	var c tally
	// What is far from the image is soon computed again.
	pick := func(l *network.Layer) bool { return l.Index == 0 || l.Index > len(m.Net.Layers)-10 }
	c.check(t, rng, m.Net, networktest.Image(rng, m.Net.Input().Shape), gradient.Objective{Kind: gradient.KindOf(m.Net, false)}, pick)
	if c.compared < 10 || c.kinks > c.compared/10 {
		t.Errorf("%+v: too little was compared", c)
	}
}
