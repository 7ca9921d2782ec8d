package cost_test

import (
	"context"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// BenchmarkProfile measures the constants of a profile on one thread. What it
// reports as rate goes into default.json, the best of several runs on a quiet
// machine:
//
//	go test ./planner/cost -run '^$' -bench Profile -benchtime 1s -count 5
//
// Each class is measured on layers such as the well-known classifiers have, for
// a batch of updates spread over their maps. The read-in context, the
// activations and the fixed cost of a run are taken off at the default
// profile's rates, so that nothing is counted twice.
func BenchmarkProfile(b *testing.B) {
	shape := func(h, c int) network.Shape { return network.Shape{H: h, W: h, C: c} }
	window := func(k, s int) network.Window {
		a := region.Window{Kernel: k, Stride: s, Pad: k / 2, Dilation: 1}
		return network.Window{Y: a, X: a}
	}
	after := func(k int) network.PadAfter { return network.PadAfter{Y: k / 2, X: k / 2} }
	filter := func(cin, cout, k, s, groups int) network.Op {
		return network.Conv{
			Window: window(k, s), After: after(k), Groups: groups, Act: network.Activation{Fn: network.Relu},
			Weights: weights(cout, k, k, cin/groups), Bias: make([]float32, cout),
		}
	}
	type part struct {
		in    network.Shape
		op    network.Op
		patch int // side of the update of the input, 0 for all of it
	}
	for _, c := range []struct {
		class string
		parts []part
	}{
		{cost.Conv, []part{
			{shape(56, 64), filter(64, 64, 3, 1, 1), 8}, {shape(56, 64), filter(64, 128, 3, 2, 1), 8},
			{shape(28, 128), filter(128, 128, 3, 1, 1), 7}, {shape(14, 256), filter(256, 256, 3, 1, 1), 7},
			{shape(28, 192), filter(192, 32, 1, 1, 1), 9}, {shape(56, 24), filter(24, 144, 1, 1, 1), 7},
			{shape(14, 512), filter(512, 128, 1, 1, 1), 14}, {shape(7, 512), filter(512, 512, 3, 1, 1), 7},
		}},
		{cost.ConvThin, []part{
			{shape(224, 3), filter(3, 64, 7, 2, 1), 16}, {shape(224, 3), filter(3, 64, 3, 1, 1), 16}, {shape(224, 3), filter(3, 32, 3, 2, 1), 16},
		}},
		{cost.Depthwise, []part{
			{shape(112, 32), filter(32, 32, 3, 1, 32), 9}, {shape(56, 144), filter(144, 144, 3, 1, 144), 9},
			{shape(28, 192), filter(192, 192, 3, 2, 192), 11}, {shape(14, 480), filter(480, 480, 5, 1, 480), 11},
		}},
		{cost.Dense, []part{
			{network.Vector(512), network.Dense{Weights: weights(1000, 512)}, 0}, {network.Vector(1280), network.Dense{Weights: weights(1000, 1280)}, 0},
			{network.Vector(4096), network.Dense{Weights: weights(4096, 4096)}, 0},
		}},
		{cost.Pool, []part{
			{shape(112, 64), network.Pool{Window: window(3, 2), After: after(3), Max: true}, 10}, {shape(56, 64), network.Pool{Window: window(2, 2), After: after(2), Max: true}, 10},
			{shape(28, 192), network.Pool{Window: window(3, 1), After: after(3)}, 9},
		}},
		{cost.Cellwise, []part{
			{shape(56, 64), network.Pointwise{Act: network.Activation{Fn: network.Relu}}, 12}, {shape(28, 256), network.Pointwise{Act: network.Activation{Fn: network.Relu}}, 12},
			{shape(28, 64), network.LRN{Size: 5, Alpha: 1e-4, Beta: .75, Bias: 1}, 12},
			{shape(28, 116), network.Channels{Index: rand.New(rand.NewPCG(1, 1)).Perm(116)}, 12},
		}},
		{cost.Global, []part{
			{shape(7, 512), network.GlobalPool{Fn: network.Mean}, 0}, {shape(28, 240), network.GlobalPool{Fn: network.Mean}, 0}, {shape(28, 40), network.GlobalPool{Fn: network.Largest}, 11},
		}},
		{cost.Curve, []part{
			{shape(28, 240), network.Pointwise{Act: network.Activation{Fn: network.Swish, Alpha: 1}}, 9}, {shape(14, 96), network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, 9},
			{network.Vector(1000), network.Softmax{}, 0},
		}},
		{cost.Function, []part{
			{network.Vector(1000), network.Function{Name: "copy", Out: 1000, Call: func(in [][]float32) ([]float32, error) {
				return append([]float32(nil), in[0]...), nil
			}}, 0},
		}},
	} {
		b.Run(c.class, func(b *testing.B) {
			var runs []*running
			for _, p := range c.parts {
				runs = append(runs, prepare(b, c.class, p.in, p.op, p.patch))
			}
			for b.Loop() {
				for _, r := range runs {
					r.run(b)
				}
			}
			var amount, seconds float64
			for _, r := range runs {
				a, s := r.spent()
				amount, seconds = amount+a, seconds+s
			}
			b.ReportMetric(amount/seconds, "rate")
		})
	}
	b.Run("gather", func(b *testing.B) { // bytes per second
		in := shape(56, 64)
		s := operators.Source{
			Shape: in, View: operators.WholeTile(in, make([]float32, in.Len())),
			Update: operators.NewTile(region.Of(20, 20, 10, 10), in.C, make([]float32, 100*in.C)),
		}
		out := make([]float32, 12*12*in.C)
		for b.Loop() {
			s.Gather(out, region.Of(19, 19, 12, 12), 0)
		}
		b.ReportMetric(float64(4*len(out)*b.N)/b.Elapsed().Seconds(), "rate")
	})
	b.Run("run", func(b *testing.B) { // runs per second: layers of one value
		r := prepare(b, cost.Cellwise, network.Vector(1), network.Pointwise{Act: network.Activation{Fn: network.Relu}}, 0)
		for b.Loop() {
			r.run(b)
		}
		s := r.worker.Stats().Layers[1]
		b.ReportMetric(float64(s.Runs)/(float64(s.Nanos)/1e9), "rate")
	})
}

// weights of about one over the fan-in.
func weights(shape ...int) *tensor.Dense {
	n := tensor.Shape(shape).TotalSize()
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(networktest.Values(rand.New(rand.NewPCG(1, 2)), n, float64(shape[0])/float64(n))))
}

// running is one layer with a batch of equal updates.
type running struct {
	layer  *network.Layer
	worker operators.Worker
	views  *operators.Views
	batch  []operators.Update
}

func prepare(b *testing.B, class string, in network.Shape, op network.Op, patch int) *running {
	b.Helper()
	net := network.New("in", in)
	l, err := net.Add("op", op, net.Input())
	if err != nil {
		b.Fatal(err)
	}
	if got := cost.Class(l); got != class {
		b.Fatalf("%s is of class %s", l, got)
	}
	program, err := cpu.New(net, cpu.Options{})
	if err != nil {
		b.Fatal(err)
	}
	image := tensor.New(tensor.WithShape(in.H, in.W, in.C), tensor.WithBacking(networktest.Values(rand.New(rand.NewPCG(3, 4)), in.Len(), 1)))
	views, err := program.Base(context.Background(), image, 1)
	if err != nil {
		b.Fatal(err)
	}
	r := &running{layer: l, worker: program.NewWorker(), views: views, batch: make([]operators.Update, 16)}
	for i := range r.batch {
		rect := in.Whole()
		if patch > 0 {
			rect = region.Of((in.W-patch)*(i%4)/3, (in.H-patch)*(i/4)/3, patch, patch)
		}
		r.batch[i] = operators.Update{
			Patch: operators.NewTile(rect, in.C, networktest.Values(rand.New(rand.NewPCG(5, uint64(i))), rect.Area()*in.C, 1)),
			Rects: net.Trace(rect, nil), Out: make([]float32, l.Shape.Len()),
		}
	}
	return r
}

func (r *running) run(b *testing.B) {
	if err := r.worker.Run(context.Background(), r.views, r.batch); err != nil {
		b.Fatal(err)
	}
}

// spent is the multiply-adds or steps done so far, and the seconds that they
// took for themselves.
func (r *running) spent() (amount, seconds float64) {
	s := r.worker.Stats().Layers[1]
	a := cost.Amount{Values: s.Cells * int64(r.layer.Shape.C), Runs: s.Runs}
	switch r.layer.Op.(type) {
	case network.Conv, network.Pool:
		rounds := s.Runs / int64(len(r.batch))
		for _, u := range r.batch {
			a.ReadBytes += rounds * int64(r.layer.Reads(0, u.Rects[1]).Area()) * int64(r.layer.In[0].Shape.C) * 4
		}
	}
	amount = float64(s.MACs + s.Steps)
	return amount, float64(s.Nanos)/1e9 - cost.Default().Seconds(r.layer, a)
}
