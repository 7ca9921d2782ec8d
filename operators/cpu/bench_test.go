package cpu

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/region"
)

// benchmarkOp runs one layer for a group of equal updates in the middle of its
// map and reports the rate of its multiply-adds (two operations each), or of
// its element steps where it has none.
func benchmarkOp(b *testing.B, in network.Shape, op network.Op, out region.Rect, group int) {
	net := network.New("in", in)
	l, err := net.Add("op", op, net.Input())
	if err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	p := program(b, net)
	w := p.newWorker()
	defer w.watch(b.Context())()
	view := operators.WholeTile(in, networktest.Values(rng, in.Len(), 1))
	reads := l.Reads(0, out)
	tasks := make([]task, group)
	for i := range tasks {
		s := operators.Source{Shape: in, View: view}
		if r := (region.Rect{Y: inner(reads.Y), X: inner(reads.X)}); !r.Empty() {
			s.Update = operators.NewTile(r, in.C, networktest.Values(rng, r.Area()*in.C, 1))
		}
		tasks[i] = task{in: []operators.Source{s}, out: operators.NewTile(out, l.Shape.C, make([]float32, out.Area()*l.Shape.C))}
	}
	for b.Loop() {
		if err := p.kernels[1].forward(w, tasks); err != nil {
			b.Fatal(err)
		}
	}
	work, nanos := l.Work(out), float64(b.Elapsed().Nanoseconds())/float64(b.N*group)
	if work.MACs > 0 {
		b.ReportMetric(2*float64(work.MACs)/nanos, "GFLOP/s")
	} else {
		b.ReportMetric(float64(work.Steps)/nanos, "Gstep/s")
	}
}

// inner leaves the outermost cells of an interval to the view.
func inner(i region.Interval) region.Interval { return region.Interval{Lo: i.Lo + 1, Hi: i.Hi - 1} }

func convOf(cin, cout, k, stride, groups int) network.Conv {
	rng := rand.New(rand.NewPCG(3, 4))
	a := region.Window{Kernel: k, Stride: stride, Pad: k / 2, Dilation: 1}
	return network.Conv{
		Window: network.Window{Y: a, X: a}, After: network.PadAfter{Y: k / 2, X: k / 2}, Groups: groups,
		Weights: tensor.New(tensor.WithShape(cout, k, k, cin/groups), tensor.WithBacking(networktest.Values(rng, cout*k*k*cin/groups, 1))),
		Bias:    networktest.Values(rng, cout, 1),
		Act:     network.Activation{Fn: network.Relu},
	}
}

func BenchmarkConv(b *testing.B) {
	for _, c := range []struct {
		name                           string
		side, cin, cout, k, stride, gr int
		out                            int // side of the update
		group                          int
	}{
		{"3x3 64-64 out 20", 56, 64, 64, 3, 1, 1, 20, 4},
		{"3x3 64-64 out 7", 56, 64, 64, 3, 1, 1, 7, 16},
		{"3x3 64-64 whole", 112, 64, 64, 3, 1, 1, 112, 1},
		{"3x3 256-256 out 14", 28, 256, 256, 3, 1, 1, 14, 4},
		{"3x3 512-512 out 7", 14, 512, 512, 3, 1, 1, 7, 8},
		{"1x1 256-64 out 20", 56, 256, 64, 1, 1, 1, 20, 4},
		{"1x1 256-64 whole", 56, 256, 64, 1, 1, 1, 56, 1},
		{"1x1 16-96 whole", 112, 16, 96, 1, 1, 1, 112, 1},
		{"7x7/2 3-64 out 20", 224, 3, 64, 7, 2, 1, 20, 4},
		{"3x3 3-64 whole", 224, 3, 64, 3, 1, 1, 224, 1},
		{"3x3 1-16 whole", 224, 1, 16, 3, 1, 1, 224, 1},
		{"3x3 128-128 in 32 groups", 56, 128, 128, 3, 1, 32, 20, 4},
		{"3x3 96 depthwise", 112, 96, 96, 3, 1, 96, 30, 4},
		{"5x5/2 144 depthwise whole", 56, 144, 144, 5, 2, 144, 28, 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			in := network.Shape{H: c.side, W: c.side, C: c.cin}
			at := (c.side/c.stride - c.out) / 2
			benchmarkOp(b, in, convOf(c.cin, c.cout, c.k, c.stride, c.gr), region.Of(at, at, c.out, c.out), c.group)
		})
	}
}

// BenchmarkDense runs VGG16's fully-connected layers, whose weights stream from
// memory, and ResNet18's, whose stay in the cache.
func BenchmarkDense(b *testing.B) {
	for _, c := range []struct {
		in      network.Shape
		outputs int
	}{
		{network.Shape{H: 7, W: 7, C: 512}, 4096}, {network.Vector(4096), 4096}, {network.Vector(512), 1000},
	} {
		rng := rand.New(rand.NewPCG(5, 6))
		inputs := c.in.Len()
		op := network.Dense{Weights: tensor.New(tensor.WithShape(c.outputs, inputs),
			tensor.WithBacking(networktest.Values(rng, c.outputs*inputs, 1)))}
		for _, group := range []int{1, 8, 32, 64, 128} {
			b.Run(fmt.Sprintf("%dx%d group %d", inputs, c.outputs, group), func(b *testing.B) {
				benchmarkOp(b, c.in, op, region.Of(0, 0, 1, 1), group)
			})
		}
	}
}

// BenchmarkOther runs layers that move values more than they compute, on maps
// that lie in the second level of the cache and on some that do not. Their rate
// is in bytes read and written, once each; %copy is that rate as a part of what
// copying the input reaches in turn.
func BenchmarkOther(b *testing.B) {
	pool := func(k, stride int, largest bool) network.Pool {
		a := region.Window{Kernel: k, Stride: stride, Pad: (k - 1) / 2, Dilation: 1}
		after := network.PadAfter{Y: (k - 1) / 2, X: (k - 1) / 2}
		return network.Pool{Window: network.Window{Y: a, X: a}, After: after, Max: largest}
	}
	act := func(fn string) network.Pointwise {
		return network.Pointwise{Act: network.Activation{Fn: fn, Alpha: 1. / 6, Beta: 0.5}}
	}
	for _, in := range []network.Shape{{H: 28, W: 28, C: 128}, {H: 112, W: 112, C: 64}} {
		for _, c := range []struct {
			name string
			op   network.Op
		}{
			{"max pool 2x2 over 2", pool(2, 2, true)},
			{"max pool 3x3 over 2", pool(3, 2, true)},
			{"max pool 3x3", pool(3, 1, true)},
			{"average pool 3x3", pool(3, 1, false)},
			{"relu", act(network.Relu)},
			{"hard swish", act(network.HardSwish)},
			{"swish", act(network.Swish)},
			{"affine", network.Affine{Scale: make([]float32, in.C), Shift: make([]float32, in.C)}},
			{"lrn", network.LRN{Size: 5, Alpha: 1e-4, Beta: 0.75, Bias: 1}},
			{"shuffle", network.Channels{Index: rand.New(rand.NewPCG(1, 1)).Perm(in.C)}},
			{"global mean", network.GlobalPool{Fn: network.Mean}},
		} {
			b.Run(fmt.Sprintf("%s of %s", c.name, in), func(b *testing.B) { benchmarkMemory(b, in, c.op) })
		}
	}
}

// benchmarkMemory runs one layer for a whole map, in turn with a copy.
func benchmarkMemory(b *testing.B, in network.Shape, op network.Op) {
	net := network.New("in", in)
	l, err := net.Add("op", op, net.Input())
	if err != nil {
		b.Fatal(err)
	}
	p := program(b, net)
	w := p.newWorker()
	defer w.watch(b.Context())()
	values := networktest.Values(rand.New(rand.NewPCG(1, 2)), in.Len(), 1)
	to := make([]float32, len(values))
	source := operators.Source{Shape: in, View: operators.WholeTile(in, values)}
	tasks := []task{{in: []operators.Source{source}, out: operators.WholeTile(l.Shape, make([]float32, l.Shape.Len()))}}
	var layer, copying []time.Duration
	for b.Loop() {
		start := time.Now()
		if err := p.kernels[1].forward(w, tasks); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		copy(to, values)
		layer = append(layer, middle.Sub(start))
		copying = append(copying, time.Since(middle))
	}
	rate := func(values int, d []time.Duration) float64 {
		slices.Sort(d)
		return 4 * float64(values) / float64(d[len(d)/2].Nanoseconds())
	}
	own := rate(in.Len()+l.Shape.Len(), layer)
	b.ReportMetric(own, "GB/s")
	b.ReportMetric(100*own/rate(2*in.Len(), copying), "%copy")
}
