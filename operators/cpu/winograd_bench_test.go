package cpu

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// BenchmarkWinograd reports the rates of Winograd's algorithms on the shapes of
// published networks, counted as if every multiply-add of the definition were
// done, and as multiples of what the processor can do at most.
func BenchmarkWinograd(b *testing.B) {
	for _, c := range []struct {
		side, channels, kh, kw int
		out                    int // side of the update
	}{
		{56, 64, 3, 3, 20},
		{56, 64, 3, 3, 14},
		{28, 128, 3, 3, 14},
		{28, 128, 3, 3, 12},
		{14, 256, 3, 3, 14},
		{14, 256, 3, 3, 10},
		{14, 512, 3, 3, 14},
		{7, 512, 3, 3, 7},
		{112, 128, 3, 3, 56},
		{17, 192, 1, 7, 17},
		{17, 192, 7, 1, 17},
		{35, 64, 5, 5, 20},
	} {
		a := region.Window{Kernel: c.kh, Stride: 1, Pad: c.kh / 2, Dilation: 1}
		o := region.Window{Kernel: c.kw, Stride: 1, Pad: c.kw / 2, Dilation: 1}
		op := convOf(c.channels, c.channels, 1, 1, 1)
		op.Window, op.After = network.Window{Y: a, X: o}, network.PadAfter{Y: a.Pad, X: o.Pad}
		op.Weights = convOf(c.channels*c.kh*c.kw, c.channels, 1, 1, 1).Weights
		if err := op.Weights.Reshape(c.channels, c.kh, c.kw, c.channels); err != nil {
			b.Fatal(err)
		}
		in := network.Shape{H: c.side, W: c.side, C: c.channels}
		l := &network.Layer{Op: op, Shape: in, In: []*network.Layer{{Op: network.Input{}, Shape: in}}}
		at := (c.side - c.out) / 2
		out := region.Of(at, at, c.out, c.out)
		for _, how := range operators.Algorithms(l) {
			for _, group := range []int{1, 4, 16, 32} {
				b.Run(fmt.Sprintf("%dx%d %d channels out %d/%s/group %d", c.kw, c.kh, c.channels, c.out, how, group), func(b *testing.B) {
					benchmarkAlgorithm(b, l, how, out, group)
				})
			}
		}
	}
}

// benchmarkAlgorithm runs a layer for a group of updates that lie as the worker
// lays them.
func benchmarkAlgorithm(b *testing.B, l *network.Layer, how operators.Algorithm, out region.Rect, group int) {
	set := simd.Best()
	k, err := newKernel(l, set, how)
	if err != nil {
		b.Fatal(err)
	}
	w := (&Program{net: &network.Network{}}).newWorker()
	defer w.watch(b.Context())()
	rng := rand.New(rand.NewPCG(1, 2))
	in := l.In[0].Shape
	tasks := make([]task, group)
	reads := k.(reader).reads(out)
	for i := range tasks {
		around := operators.NewTile(reads, in.C, w.scratch(reads.Area()*in.C).data)
		copy(around.Data, networktest.Values(rng, len(around.Data), 1))
		s := operators.Source{Shape: in, Update: around.Sub(in.Whole()), Around: around}
		tasks[i] = task{
			in:  []operators.Source{s},
			out: operators.NewTile(out, l.Shape.C, w.scratch(out.Area()*l.Shape.C).data),
		}
	}
	best, peak := time.Hour, 0.0
	for b.Loop() {
		start := time.Now()
		if err := k.forward(w, tasks); err != nil {
			b.Fatal(err)
		}
		best = min(best, time.Since(start))
		start = time.Now()
		operations := set.Peak(20_000)
		peak = max(peak, float64(operations)/float64(time.Since(start).Nanoseconds()))
	}
	rate := 2 * float64(l.Work(out).MACs) * float64(group) / float64(best.Nanoseconds())
	b.ReportMetric(rate, "GFLOP/s")
	b.ReportMetric(rate/peak, "x-peak")
	b.ReportMetric(0, "ns/op") // it counts the peak's time too
}
