package compensation_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

var objectives = []gradient.Objective{
	{Kind: gradient.LogOdds, Class: 1}, {Kind: gradient.LogProbability, Class: 3}, {Kind: gradient.Score, Class: 2},
}

// optionsOf picks loops and algorithms at random.
func optionsOf(rng *rand.Rand, net *network.Network) cpu.Options {
	sets := simd.Available()
	o := cpu.Options{Kernels: sets[rng.IntN(len(sets))].Name}
	for _, l := range net.Layers {
		how := operators.Direct
		if all := operators.Algorithms(l); rng.IntN(2) == 0 && slices.Contains(all, operators.Winograd2) {
			how = operators.Winograd2
		}
		o.Algorithms = append(o.Algorithms, how)
	}
	return o
}

// Where nothing is left out the estimates are the objectives, in networks of all
// operators that have a derivative and however these are computed.
func TestNothingLeftOut(t *testing.T) {
	const seeds = 150
	worst, unknown := 0.0, 0
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 31))
		net := networktest.Random(rng, networktest.Options{Side: 14})
		s := settle(t, net, networktest.Image(rng, net.Input().Shape), optionsOf(rng, net), objectives...)
		if s == nil {
			unknown++
			continue
		}
		batch := []operators.Update{s.whole(random(rng))}
		for range 4 {
			r := randomRect(rng, net.Input().Shape)
			batch = append(batch, s.update(r, net.Trace(r, nil), random(rng)))
		}
		s.run(t, batch...)
		for _, u := range batch {
			for k, o := range objectives {
				want := value(u.Out, o)
				if u.Out[o.Class] < 1e-36 {
					continue // too few digits to compare with
				}
				d := math.Abs(u.Estimates[k]-want) / (1 + math.Abs(want))
				if worst = max(worst, d); !(d < 1e-5) {
					s.fail(t, "seed %d, %s: %s is %g, by the output %g", seed, u.Patch.Rect, o, u.Estimates[k], want)
				}
			}
		}
	}
	t.Logf("off by %.1e at most; %d networks have no gradient", worst, unknown)
	if unknown > seeds/3 {
		t.Errorf("only %d networks", seeds-unknown)
	}
}

// What the estimates add to the objectives of a cropped run is, layer by layer,
// the gradient times what the layer would have made of the changes in front of
// it where it was not computed: the sum of what was left out, by its
// definition.
func TestExplicitRims(t *testing.T) {
	const seeds = 80
	worst, cropped := 0.0, 0
	for seed := range uint64(seeds) {
		rng := rand.New(rand.NewPCG(seed, 32))
		net := networktest.Random(rng, networktest.Options{Side: 16})
		image := networktest.Image(rng, net.Input().Shape)
		s := settle(t, net, image, cpu.Options{}, objectives...)
		if s == nil {
			continue
		}
		for range 3 {
			r := randomRect(rng, net.Input().Shape)
			rects, less := net.TraceThresholded(r, 0.1+0.6*rng.Float64(), nil)
			if !less {
				continue
			}
			u := s.update(r, rects, random(rng))
			s.run(t, u)
			rims, sizes := s.rims(t, u)
			for k, o := range objectives {
				got, want := u.Estimates[k]-value(u.Out, o), rims[k]
				d := math.Abs(got-want) / (sizes[k] + 0.1*(1+math.Abs(value(u.Out, o))))
				if worst = max(worst, d); !(d < 1e-4) {
					s.fail(t, "seed %d, %s: %s is compensated by %g, the rims make %g", seed, r, o, got, want)
				}
			}
			cropped++
		}
	}
	t.Logf("off by %.1e at most in %d runs", worst, cropped)
	if cropped < seeds {
		t.Errorf("only %d runs were cropped", cropped)
	}
}

// rims adds up, by objective, the gradients times what every layer left out: the
// layer's derivative times the changes of its inputs, outside of its rectangle.
// It also gives the sums of the layers' absolute values.
func (s *setting) rims(t testing.TB, u operators.Update) (sums, sizes []float64) {
	t.Helper()
	clean, err := networktest.Eval(s.net, s.image.Float32s())
	if err != nil {
		t.Fatal(err)
	}
	now := slices.Clone(clean)
	sums, sizes = make([]float64, len(s.objectives)), make([]float64, len(s.objectives))
	for i, l := range s.net.Layers {
		if i == 0 {
			now[0] = outsideOf(l, u.Rects[0], clean[0], wide(s.covered(u)))
			continue
		}
		if len(l.In) == 0 {
			continue
		}
		linear := s.linear(t, l, inputs(l, clean), inputs(l, now))
		rim := outsideOf(l, u.Rects[i], linear, make([]float64, len(linear)))
		for k, g := range s.gradients {
			sum := 0.0
			if g.Pre[i] != nil {
				for n, d := range g.Pre[i].Float32s() {
					sum += float64(d) * rim[n]
				}
			}
			sums[k] += sum
			sizes[k] += math.Abs(sum)
		}
		now[i] = outsideOf(l, u.Rects[i], clean[i], layer(t, l, inputs(l, now)))
	}
	return sums, sizes
}

// linear is a layer's derivative, before its activation, times the changes of its
// inputs.
func (s *setting) linear(t testing.TB, l *network.Layer, clean, now [][]float64) []float64 {
	t.Helper()
	if p, ok := l.Op.(network.Pool); ok && p.Max { // equal inputs make a kink
		shown, err := gradient.Shown(t.Context(), s.views, l, 1)
		if err != nil {
			t.Fatal(err)
		}
		change := make([]float64, len(shown))
		for n, at := range shown {
			if at >= 0 {
				change[n] = now[0][at] - clean[0][at]
			}
		}
		return change
	}
	bare := *l
	if f, ok := l.Op.(network.Fused); ok {
		bare.Op = f.WithActivation(network.Activation{})
	}
	const h = 1e-6
	near := make([][]float64, len(clean))
	for j := range clean {
		near[j] = make([]float64, len(clean[j]))
		for n, v := range clean[j] {
			near[j][n] = v + h*(now[j][n]-v)
		}
	}
	change, before := layer(t, &bare, near), layer(t, &bare, clean)
	for n := range change {
		change[n] = (change[n] - before[n]) / h
	}
	return change
}

func inputs(l *network.Layer, all [][]float64) [][]float64 {
	in := make([][]float64, len(l.In))
	for j, p := range l.In {
		in[j] = all[p.Index]
	}
	return in
}

func layer(t testing.TB, l *network.Layer, in [][]float64) []float64 {
	t.Helper()
	v, err := networktest.Layer(l, in)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// outsideOf is one map outside of a rectangle and another one inside.
func outsideOf(l *network.Layer, r region.Rect, outside, inside []float64) []float64 {
	m := slices.Clone(outside)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		lo, hi := (y*l.Shape.W+r.X.Lo)*l.Shape.C, (y*l.Shape.W+r.X.Hi)*l.Shape.C
		copy(m[lo:hi], inside[lo:hi])
	}
	return m
}

// Of changes that are small the estimates are right however much is left out.
func TestSmallChanges(t *testing.T) {
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 33))
		net := smooth(t, rng)
		s := settle(t, net, networktest.Image(rng, net.Input().Shape), cpu.Options{}, objectives...)
		r := region.Of(3, 4, 5, 6)
		rects, less := net.TraceThresholded(r, 0.1, nil)
		if !less {
			t.Fatal("nothing was left out")
		}
		const step = 1e-2
		directions := networktest.Values(rng, r.Area()*net.Input().Shape.C, step)
		var ends [2]operators.Update
		var want [2][]float64
		for i, sign := range []float32{1, -1} {
			n := -1
			ends[i] = s.update(r, rects, func(v float32) float32 { n++; return v + sign*directions[n] })
			all, err := networktest.Eval(net, s.covered(ends[i]))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range objectives {
				want[i] = append(want[i], value64(all[net.Output.Index], o))
			}
		}
		s.run(t, ends[:]...)
		for k, o := range objectives {
			change, got := want[0][k]-want[1][k], ends[0].Estimates[k]-ends[1].Estimates[k]
			plain := value(ends[0].Out, o) - value(ends[1].Out, o)
			if math.Abs(got-change) > 2e-3*math.Abs(change)+1e-6 {
				t.Errorf("seed %d: %s changes by %g, the estimate by %g", seed, o, change, got)
			}
			if k == 0 && math.Abs(plain-change) < 2e-3*math.Abs(change) {
				t.Errorf("seed %d: cropping does no harm, so that nothing is tested", seed)
			}
		}
	}
}

// smooth is a network without kinks: convolutions that a crop hits, a residual, and
// a product of two maps.
func smooth(t testing.TB, rng *rand.Rand) *network.Network {
	t.Helper()
	net := network.New("image", network.Shape{H: 14, W: 14, C: 3})
	add := func(op network.Op, in ...*network.Layer) *network.Layer {
		l, err := net.Add(op.Kind(), op, in...)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	tanh, swish := network.Activation{Fn: network.Tanh}, network.Activation{Fn: network.Swish, Alpha: 1}
	a := add(conv(rng, 3, 8, swish), net.Input())
	b := add(conv(rng, 8, 8, tanh), a)
	b = add(network.Binary{Fn: network.Add}, add(conv(rng, 8, 8, swish), b), a)
	gate := add(network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, add(dense(rng, 8, 8), add(network.GlobalPool{Fn: network.Mean}, b)))
	b = add(conv(rng, 8, 8, tanh), add(network.Binary{Fn: network.Mul}, b, gate))
	add(network.Softmax{}, add(dense(rng, 8, 5), add(network.GlobalPool{Fn: network.Mean}, b)))
	net.Sort()
	return net
}

// Estimates are the same to the bit for any batch, worker, and number of threads.
func TestEstimatesDependOnNothingElse(t *testing.T) {
	for seed := range uint64(40) {
		rng := rand.New(rand.NewPCG(seed, 34))
		net := networktest.Random(rng, networktest.Options{Side: 14})
		image, how := networktest.Image(rng, net.Input().Shape), optionsOf(rng, net)
		s := settle(t, net, image, how, objectives...)
		if s == nil {
			continue
		}
		again := settleBy(t, 3, net, image, how, objectives[1])
		var batch, reversed []operators.Update
		for range 9 {
			r := randomRect(rng, net.Input().Shape)
			rects, _ := net.TraceThresholded(r, 0.1+0.9*rng.Float64(), nil)
			u := s.update(r, rects, random(rng))
			batch = append(batch, u)
			u.Out, u.Estimates = make([]float32, len(u.Out)), make([]float64, len(u.Estimates))
			reversed = append(reversed, u)
		}
		s.run(t, batch...)
		slices.Reverse(reversed)
		s.run(t, reversed...)
		slices.Reverse(reversed)
		for i, u := range batch {
			one := u
			one.Out, one.Estimates = make([]float32, len(u.Out)), make([]float64, 1)
			again.run(t, one)
			if !slices.Equal(u.Estimates, reversed[i].Estimates) || one.Estimates[0] != u.Estimates[1] || !slices.Equal(one.Out, u.Out) {
				s.fail(t, "seed %d: %v in a batch, %v in the reversed one, alone the second is %v", seed, u.Estimates, reversed[i].Estimates, one.Estimates)
			}
			// The output is what it is without estimates.
			one.Estimates = nil
			one.Out = make([]float32, len(u.Out))
			again.run(t, one)
			if !slices.Equal(one.Out, u.Out) {
				s.fail(t, "seed %d: estimates change the output from %v to %v", seed, one.Out, u.Out)
			}
		}
	}
}

// So they are where convolutions take a batch's tiles in several parts, which begin
// and end inside of a position's rows.
func TestEstimatesOfManyTiles(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 36))
	in := network.Shape{H: 61, W: 47, C: 3}
	net := chain(t, in, conv(rng, 3, 16, relu), conv(rng, 16, 16, relu), mean, dense(rng, 16, 5), network.Softmax{})
	for _, set := range simd.Available() {
		for _, how := range []operators.Algorithm{operators.Direct, operators.Winograd2, operators.Winograd4} {
			s := settle(t, net, networktest.Image(rng, in), cpu.Options{Kernels: set.Name, Algorithms: []operators.Algorithm{"", how, how, "", "", ""}}, objectives[0])
			var batch, alone []operators.Update
			for i := range 5 {
				r := region.Of(i, 2*i, 40-i, 50-3*i)
				u := s.update(r, net.Trace(r, nil), random(rng))
				batch = append(batch, u)
				u.Estimates = make([]float64, 1)
				alone = append(alone, u)
				s.run(t, u)
			}
			s.run(t, batch...)
			for i := range batch {
				if batch[i].Estimates[0] != alone[i].Estimates[0] {
					t.Errorf("%s, %s: position %d is %g in a batch, %g alone", set.Name, how, i, batch[i].Estimates[0], alone[i].Estimates[0])
				}
			}
		}
	}
}
