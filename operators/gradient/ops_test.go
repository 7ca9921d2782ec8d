package gradient_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

// alone builds a network around one op: what it reads comes from affine layers,
// one for each shape, and what it makes goes to a fully-connected layer.
func alone(t *testing.T, rng *rand.Rand, op network.Op, positive bool, shapes ...network.Shape) *network.Network {
	t.Helper()
	net := network.New("image", shapes[0])
	add := func(op network.Op, in ...*network.Layer) *network.Layer {
		l, err := net.Add(op.Kind(), op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	var in []*network.Layer
	for i, s := range shapes {
		at := net.Input()
		if s != shapes[0] { // any linear map will do
			at = add(denseOf(rng, at.Shape.Len(), s.Len()), at)
			at = add(network.Unflatten{To: s}, at)
		}
		scale, shift := networktest.Values(rng, s.C, 1), networktest.Values(rng, s.C, 0.5)
		for c := range scale {
			scale[c] += float32(math.Copysign(0.5, float64(scale[c])))
		}
		at = add(network.Affine{Scale: scale, Shift: shift}, at)
		if positive && (i > 0 || len(shapes) == 1) || positive && op.Kind() == network.Pow {
			at = add(network.Pointwise{Act: network.Activation{Fn: network.Softplus}}, at)
		}
		in = append(in, at)
	}
	at := add(op, in...)
	// So that the gradient differs from place to place.
	at = add(denseOf(rng, at.Shape.Len(), 4), at)
	add(network.Softmax{}, at)
	return net
}

func denseOf(rng *rand.Rand, in, out int) network.Dense {
	return network.Dense{
		Weights: tensor.New(tensor.WithShape(out, in), tensor.WithBacking(networktest.Values(rng, in*out, 1/math.Sqrt(float64(in))))),
		Bias:    networktest.Values(rng, out, 0.3),
	}
}

func axis(kernel, stride, pad, dilation int) region.Window {
	return region.Window{Kernel: kernel, Stride: stride, Pad: pad, Dilation: dilation}
}

func shape(h, w, c int) network.Shape { return network.Shape{H: h, W: w, C: c} }

func convOf(rng *rand.Rand, y, x region.Window, afterY, afterX, in, groups, filters int) network.Conv {
	n := filters * y.Kernel * x.Kernel * in / groups
	return network.Conv{
		Window: network.Window{Y: y, X: x}, After: network.PadAfter{Y: afterY, X: afterX}, Groups: groups,
		Weights: tensor.New(tensor.WithShape(filters, y.Kernel, x.Kernel, in/groups), tensor.WithBacking(networktest.Values(rng, n, 0.5))),
		Bias:    networktest.Values(rng, filters, 0.2),
	}
}

// Convolutions and average pools of every geometry: the phases of a stride, taps
// apart, filters that stand in the padding, inputs that no window reads.
func TestWindows(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 2))
	var c tally
	check := func(op network.Op, s network.Shape) {
		t.Helper()
		if _, err := op.Shape([]network.Shape{s}); err != nil {
			return
		}
		net := alone(t, rng, op, false, s)
		c.check(t, rng, net, networktest.Image(rng, s), gradient.Objective{Kind: gradient.LogOdds, Class: 1}, every)
		if t.Failed() {
			t.Fatalf("%s %+v on %s", op.Kind(), op, s)
		}
	}
	for kernel := 1; kernel <= 5; kernel++ {
		for stride := 1; stride <= 4; stride++ {
			for _, dilation := range []int{1, 2, 3, 4} {
				y := axis(kernel, stride, rng.IntN(kernel+2), dilation)
				x := axis(1+rng.IntN(4), 1+rng.IntN(3), rng.IntN(3), 1+rng.IntN(2))
				if rng.IntN(2) == 0 {
					x, y = y, x
				}
				s := shape(3+rng.IntN(9), 3+rng.IntN(9), []int{1, 2, 6, 40}[rng.IntN(4)])
				after := network.PadAfter{Y: rng.IntN(4), X: rng.IntN(4)}
				switch rng.IntN(4) {
				case 0: // a channel for each filter, or several filters a channel
					check(convOf(rng, y, x, after.Y, after.X, s.C, s.C, s.C*(1+rng.IntN(3))), s)
				case 1:
					check(convOf(rng, y, x, after.Y, after.X, s.C, (s.C+1)/2, (s.C+1)/2*3), s)
				default:
					check(convOf(rng, y, x, after.Y, after.X, s.C, 1, 1+rng.IntN(5)), s)
				}
				if !covers(y, s.H, after.Y) || !covers(x, s.W, after.X) {
					continue // a mean or maximum of nothing
				}
				for range 2 {
					check(network.Pool{
						Window: network.Window{Y: y, X: x}, After: after, Ceil: rng.IntN(2) == 0, CountPad: rng.IntN(2) == 0,
					}, s)
					check(network.Pool{Window: network.Window{Y: y, X: x}, After: after, Ceil: rng.IntN(2) == 0, Max: true}, s)
				}
			}
		}
	}
	if c.compared < 1000 || c.kinks > c.compared/100 {
		t.Errorf("%+v: too little was compared", c)
	}
}

// covers tells whether every window along an axis reads a cell of the map.
func covers(w region.Window, n, after int) bool {
	for at := -w.Pad; at+w.Extent() <= n+after+w.Stride-1; at += w.Stride { // rounding up adds a window
		inside := false
		for k := range w.Kernel {
			i := at + k*w.Dilation
			inside = inside || i >= 0 && i < n
		}
		if !inside {
			return false
		}
	}
	return true
}

// Every other op by itself.
func TestOps(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 2))
	values := func(n int) []float32 { return networktest.Values(rng, n, 1) }
	s := shape(5, 4, 6)
	residual := convOf(rng, axis(3, 1, 1, 1), axis(3, 1, 1, 1), 1, 1, 6, 1, 6)
	residual.Residual, residual.Act = true, network.Activation{Fn: network.Gelu}
	covering := denseOf(rng, s.Len(), 9)
	covering.Act = network.Activation{Fn: network.Mish}
	cases := []struct {
		op       network.Op
		positive bool
		in       []network.Shape
	}{
		{residual, false, []network.Shape{s, s}},
		{covering, false, []network.Shape{s}},
		{network.PRelu{Slope: values(6)}, false, []network.Shape{s}},
		{network.Affine{Scale: values(6), Shift: values(6), Act: network.Activation{Fn: network.Swish, Alpha: 1.3}}, false, []network.Shape{s}},
		{network.LRN{Size: 5, Alpha: 0.7, Beta: 0.75, Bias: 1}, false, []network.Shape{s}},
		{network.LRN{Size: 4, Alpha: 0.9, Beta: 0.6, Bias: 2}, false, []network.Shape{s}},
		{network.LRN{Size: 1, Alpha: 0.9, Beta: 0.6, Bias: 2}, false, []network.Shape{s}},
		{network.Softmax{}, false, []network.Shape{s}},
		{network.Softmax{Log: true}, false, []network.Shape{s}},
		{network.ChannelReduce{Fn: network.Mean}, false, []network.Shape{s}},
		{network.ChannelReduce{Fn: network.Sum}, false, []network.Shape{s}},
		{network.ChannelReduce{Fn: network.Largest}, false, []network.Shape{s}},
		{network.GlobalPool{Fn: network.Mean}, false, []network.Shape{s}},
		{network.GlobalPool{Fn: network.Sum}, false, []network.Shape{s}},
		{network.GlobalPool{Fn: network.Largest}, false, []network.Shape{s}},
		{network.InstanceNorm{Scale: values(6), Shift: values(6), Epsilon: 0.01}, false, []network.Shape{s}},
		{network.Concat{}, false, []network.Shape{s, shape(5, 4, 1), shape(5, 4, 3)}},
		{network.Channels{Index: []int{5, 0, 2, 2, 3, 5, 5}}, false, []network.Shape{s}},
		{network.Slice{Y: network.Span{Start: 1, Step: 2, Count: 2}, X: network.Span{Start: 0, Step: 3, Count: 2}}, false, []network.Shape{s}},
		{network.Pad{Top: 2, Left: 3, Bottom: 1, Right: 2, Mode: network.PadReflect}, false, []network.Shape{s}},
		{network.Pad{Top: 2, Left: 0, Bottom: 1, Right: 6, Mode: network.PadEdge}, false, []network.Shape{s}},
		{network.Pad{Top: 0, Left: 3, Bottom: 1, Right: 2, Mode: network.PadConstant, Value: 0.3}, false, []network.Shape{s}},
		{network.Flatten{}, false, []network.Shape{s}},
		{network.Unflatten{To: shape(3, 2, 4)}, false, []network.Shape{shape(1, 1, 24)}},
		{network.Reshaped{To: shape(3, 8, 5)}, false, []network.Shape{s}},
	}
	for _, fn := range []string{network.Add, network.Sub, network.Mul, network.Div, network.Max, network.Min, network.Pow} {
		for _, other := range []network.Shape{s, shape(1, 1, 6), shape(5, 4, 1), shape(1, 1, 1), shape(5, 1, 6), shape(1, 4, 1)} {
			positive := fn == network.Div || fn == network.Pow
			op := network.Binary{Fn: fn, Act: network.Activation{Fn: network.Abs}}
			cases = append(cases, struct {
				op       network.Op
				positive bool
				in       []network.Shape
			}{op, positive, []network.Shape{s, other}})
			if fn != network.Div { // the first, which is not positive, is the second's divisor
				op.Act = network.Activation{}
				cases = append(cases, struct {
					op       network.Op
					positive bool
					in       []network.Shape
				}{op, positive, []network.Shape{other, s}})
			}
		}
	}
	for _, k := range cases {
		t.Run(fmt.Sprintf("%s %s of %v", k.op.Kind(), k.op.Detail(), k.in), func(t *testing.T) {
			var c tally
			net := alone(t, rng, k.op, k.positive, k.in...)
			c.check(t, rng, net, networktest.Image(rng, net.Input().Shape), gradient.Objective{Kind: gradient.LogOdds, Class: 2}, every)
			if c.compared < 4 || c.kinks > 1 {
				t.Errorf("%+v: too little was compared", c)
			}
		})
	}
}

// A layer that reads another twice has a share on both edges.
func TestSquare(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 2))
	s := shape(3, 4, 5)
	net := network.New("image", s)
	square, err := net.Add("square", network.Binary{Fn: network.Mul}, net.Input(), net.Input())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := net.Add("scores", denseOf(rng, s.Len(), 3), square); err != nil {
		t.Fatal(err)
	}
	if _, err := net.Add("softmax", network.Softmax{}, net.Output); err != nil {
		t.Fatal(err)
	}
	var c tally
	c.check(t, rng, net, networktest.Image(rng, s), gradient.Objective{Kind: gradient.LogOdds}, every)
	if c.compared < 6 {
		t.Errorf("%+v: too little was compared", c)
	}
}

// Every activation has the slope that it has, where no kink or jump is near.
func TestSlopes(t *testing.T) {
	sharp := map[string][]float64{ // kinks and jumps, as functions of nothing but alpha and beta below
		network.Relu: {0}, network.LeakyRelu: {0}, network.Elu: {0}, network.Celu: {0}, network.Selu: {0}, network.Abs: {0},
		network.Sign: {0}, network.HardSigmoid: {-2.5, 2.5}, network.HardSwish: {-3, 3}, network.Clip: {-0.5, 0.75},
	}
	for _, a := range []network.Activation{
		{Fn: network.Relu}, {Fn: network.LeakyRelu, Alpha: 0.1}, {Fn: network.LeakyRelu, Alpha: -0.3}, {Fn: network.LeakyRelu},
		{Fn: network.Elu, Alpha: 0.8}, {Fn: network.Elu, Alpha: -0.8}, {Fn: network.Celu, Alpha: 1.2}, {Fn: network.Celu, Alpha: -1.2},
		{Fn: network.Selu, Alpha: 1.67, Beta: 1.05}, {Fn: network.Selu, Alpha: 1.67, Beta: -1.05}, {Fn: network.Gelu}, {Fn: network.GeluTanh},
		{Fn: network.Sigmoid}, {Fn: network.HardSigmoid, Alpha: 0.2, Beta: 0.5}, {Fn: network.HardSwish, Alpha: 1. / 6, Beta: 0.5},
		{Fn: network.Swish, Alpha: 1}, {Fn: network.Swish, Alpha: 1.7}, {Fn: network.Mish}, {Fn: network.Tanh}, {Fn: network.Softplus},
		{Fn: network.Softsign}, {Fn: network.Clip, Alpha: -0.5, Beta: 0.75}, {Fn: network.Threshold, Alpha: 0.3},
		{Fn: network.Threshold, Alpha: -0.4}, {Fn: network.Exp}, {Fn: network.Log}, {Fn: network.Sqrt}, {Fn: network.Reciprocal},
		{Fn: network.Abs}, {Fn: network.Neg}, {Fn: network.Erf}, {Fn: network.Power, Alpha: 1.5}, {Fn: network.Power, Alpha: 2},
		{Fn: network.Floor}, {Fn: network.Ceil}, {Fn: network.Round}, {Fn: network.Sign},
	} {
		edges := sharp[a.Fn]
		if a.Fn == network.Threshold {
			edges = []float64{float64(a.Alpha)}
		}
		var x []float32
		for v := -6.03; v < 6; v += 0.0171 {
			near := math.Abs(v-math.Round(2*v)/2) < 0.01 // of jumps of floor, ceil, round
			for _, e := range edges {
				near = near || math.Abs(v-e) < 0.01
			}
			if positive := a.Fn == network.Log || a.Fn == network.Sqrt || a.Alpha == 1.5; !near && (v > 0 || !positive) {
				x = append(x, float32(v))
			}
		}
		slopes(t, a, x)
	}
}

// slopes compares the slope of an activation, behind an affine layer or of its
// own, with differences.
func slopes(t *testing.T, a network.Activation, x []float32) {
	t.Helper()
	n := len(x)
	image := tensor.New(tensor.WithShape(1, n, 1), tensor.WithBacking(x))
	for _, op := range []network.Op{network.Pointwise{Act: a}, network.Affine{Scale: []float32{1}, Shift: []float32{0}, Act: a}} {
		net := network.New("image", shape(1, n, 1))
		for _, op := range []network.Op{op, network.GlobalPool{Fn: network.Sum}} {
			if _, err := net.Add(op.Kind(), op, net.Output); err != nil {
				t.Fatal(err)
			}
		}
		_, g := passes(t, net, image, []gradient.Objective{{Kind: gradient.Score}}, inputs())
		for i, got := range g[0].Out[0].Data().([]float32) {
			const h = 1e-5
			v := float64(x[i])
			want := (networktest.Apply(a, v+h) - networktest.Apply(a, v-h)) / (2 * h)
			if d := math.Abs(float64(got) - want); !(d <= 2e-6*(1+math.Abs(want))) {
				t.Errorf("%s of %s at %g: slope %g, want %g", a, op.Kind(), v, got, want)
				return
			}
		}
	}
}
