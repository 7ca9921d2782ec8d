package cost_test

import (
	"context"
	"maps"
	"math"
	"math/rand/v2"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// BenchmarkProfile measures the constants of a profile on one thread, for every
// set of kernels that this processor has. What it reports as rate goes into
// default.json, the best of several runs on a quiet machine:
//
//	go test ./planner/cost -run '^$' -bench Profile -benchtime 1s -count 5
//
// The fastest round counts, for whatever else the machine does makes a round
// slower. Each class is measured on layers such as the well-known classifiers have, for
// a batch of updates spread over their maps. What else these layers do, as the
// default profile has it, is taken off, so that nothing is counted twice: where
// the profile changes much, measure again.
func BenchmarkProfile(b *testing.B) {
	for _, set := range simd.Available() {
		rates, err := cost.Default().For(set.Name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(set.Name, func(b *testing.B) { benchmarkRates(b, set.Name, rates) })
	}
}

// measuredBatch is how many updates run together: several groups of equal
// rectangles, as in a plan.
const measuredBatch = 16

func benchmarkRates(b *testing.B, kernels string, rates *cost.Rates) {
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
	wide := []part{ // weights count, transforms hardly do
		{shape(14, 512), filter(512, 512, 3, 1, 1), 12}, {shape(28, 512), filter(512, 512, 3, 1, 1), 6},
		{shape(28, 256), filter(256, 256, 3, 1, 1), 10},
	}
	narrow := []part{ // the other way round
		{shape(56, 64), filter(64, 64, 3, 1, 1), 10}, {shape(56, 128), filter(128, 128, 3, 1, 1), 10},
		{shape(112, 64), filter(64, 64, 3, 1, 1), 18},
	}
	for _, c := range []struct {
		class string
		parts []part
	}{
		{cost.Product, wide}, {cost.Transform, narrow},
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
				algorithms := []operators.Algorithm{""}
				if c.class == cost.Product || c.class == cost.Transform {
					algorithms = []operators.Algorithm{operators.Winograd2, operators.Winograd4}
				}
				batch := measuredBatch
				if c.class == cost.Dense { // enough that multiplying takes longer than reading the weights
					batch *= 4
				}
				for _, how := range algorithms {
					runs = append(runs, prepare(b, kernels, how, p.in, p.op, p.patch, batch))
				}
			}
			for b.Loop() {
				for _, r := range runs {
					r.run(b)
				}
			}
			var amount, seconds float64
			for _, r := range runs {
				a, s := r.spent(c.class, rates)
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
	b.Run("weights", func(b *testing.B) { // bytes per second: more weights than any cache holds, for a single position
		r := prepare(b, kernels, "", network.Vector(9216), network.Dense{Weights: weights(4096, 9216)}, 0, 1)
		for b.Loop() {
			r.run(b)
		}
		b.ReportMetric(float64(cost.WeightBytes(r.layer, ""))/r.least, "rate")
	})
	b.Run("fixed", func(b *testing.B) { // layers of one value, alone and together
		one := prepare(b, kernels, "", network.Vector(1), network.Pointwise{Act: network.Activation{Fn: network.Relu}}, 0, 1)
		many := prepare(b, kernels, "", network.Vector(1), network.Pointwise{Act: network.Activation{Fn: network.Relu}}, 0, measuredBatch)
		for b.Loop() {
			one.run(b)
			many.run(b)
		}
		run := (many.least - one.least) / (measuredBatch - 1)
		b.ReportMetric(run*1e9, "ns/run")
		b.ReportMetric((one.least-run)*1e9, "ns/group")
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
	how    operators.Algorithm
	worker operators.Worker
	views  *operators.Views
	batch  []operators.Update
	least  float64 // seconds of the fastest round
}

// prepare makes the layer and its updates; patch is the side of each, 0 for the
// whole input.
func prepare(b *testing.B, kernels string, how operators.Algorithm, in network.Shape, op network.Op, patch, batch int) *running {
	b.Helper()
	net := network.New("in", in)
	l, err := net.Add("op", op, net.Input())
	if err != nil {
		b.Fatal(err)
	}
	program, err := cpu.New(context.Background(), net, cpu.Options{Kernels: kernels, Algorithms: []operators.Algorithm{"", how}})
	if err != nil {
		b.Fatal(err)
	}
	image := tensor.New(tensor.WithShape(in.H, in.W, in.C), tensor.WithBacking(networktest.Values(rand.New(rand.NewPCG(3, 4)), in.Len(), 1)))
	views, err := program.Base(context.Background(), image, 1)
	if err != nil {
		b.Fatal(err)
	}
	r := &running{layer: l, how: how, worker: program.NewWorker(), views: views, batch: make([]operators.Update, batch), least: math.Inf(1)}
	for i := range r.batch {
		rect := in.Whole()
		if patch > 0 {
			rect = region.Of((in.W-patch)*(i%4)/3, (in.H-patch)*(i/4%4)/3, patch, patch)
		}
		r.batch[i] = operators.Update{
			Patch: operators.NewTile(rect, in.C, networktest.Values(rand.New(rand.NewPCG(5, uint64(i))), rect.Area()*in.C, 1)),
			Rects: net.Trace(rect, nil), Out: make([]float32, l.Shape.Len()),
		}
	}
	return r
}

// run takes the batch through the layer once.
func (r *running) run(b *testing.B) {
	before := r.worker.Stats().Layers[1].Nanos
	if err := r.worker.Run(context.Background(), r.views, r.batch); err != nil {
		b.Fatal(err)
	}
	r.least = min(r.least, float64(r.worker.Stats().Layers[1].Nanos-before)/1e9)
}

// spent is what a round does of what a class counts, and the seconds that this
// takes without all the rest.
func (r *running) spent(class string, rates *cost.Rates) (amount, seconds float64) {
	form := cost.Of(r.layer, r.how)
	var a cost.Amount
	for _, u := range r.batch {
		rect := u.Rects[1]
		a.Work = a.Work.Plus(r.layer.Work(rect))
		a.Values += int64(rect.Area() * r.layer.Shape.C)
		a.Products += form.Products(rect)
		a.Runs++
		switch r.layer.Op.(type) {
		case network.Conv, network.Pool:
			a.ReadBytes += int64(r.layer.Reads(0, rect).Area()) * int64(r.layer.In[0].Shape.C) * 4
		}
	}
	a.Groups = 1
	// The seconds of the class alone are those at its rate less those at none: a
	// rate of one counts the amount.
	at := func(rate float64) float64 {
		other := *rates
		other.MACs, other.Steps = maps.Clone(rates.MACs), maps.Clone(rates.Steps)
		if form.Points == 1 { // reading weights is hidden behind multiplying
			other.Weights = math.Inf(1)
		}
		if _, ok := other.MACs[class]; ok {
			other.MACs[class] = rate
		} else {
			other.Steps[class] = rate
		}
		return other.Seconds(r.layer, r.how, a)
	}
	rest := at(math.Inf(1))
	return at(1) - rest, r.least - rest
}
