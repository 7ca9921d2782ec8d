package simd

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// productShape is a convolution with windows of k x k cells over padded maps of
// cin channels that gives side x side cells of cout channels, for each position
// of a group.
type productShape struct {
	name                              string
	group, side, cin, cout, k, stride int
}

// products makes the convolution's products, one for each panel of filters.
func (s productShape) products(set *Set) []*Product {
	rng := rand.New(rand.NewPCG(1, 200))
	width := (s.side-1)*s.stride + s.k
	size := s.k * s.k * s.cin * set.Panel
	arena := Aligned(1 << 21) // as workers have it
	take := func(n int) []float32 {
		taken := arena[:n]
		arena = arena[(n+CacheLine-1)/CacheLine*CacheLine:]
		fillRandom(rng, taken)
		return taken
	}
	in, out := take(s.group*width*width*s.cin), take(s.group*s.side*s.side*s.cout)
	biases := take((s.cout + set.Panel - 1) / set.Panel * set.Panel)
	weights := Aligned((s.cout + set.Panel - 1) / set.Panel * size)
	fillRandom(rng, weights)

	var p Product
	for i := range s.group * s.side * s.side {
		position, y, x := i/(s.side*s.side), i/s.side%s.side, i%s.side
		p.In = append(p.In, at(in, (position*width*width+(y*width+x)*s.stride)*s.cin))
		p.Out = append(p.Out, at(out, i*s.cout))
	}
	for y := range s.k {
		p.Segments = append(p.Segments, 4*y*width*s.cin)
	}
	p.Length = s.k * s.cin
	p.Low, p.High = 0, float32(math.Inf(1))

	var panels []*Product
	for first := 0; first < s.cout; first += set.Panel {
		q := p
		q.Weights = &weights[first/set.Panel*size]
		q.Bias = &biases[first]
		q.Columns = min(set.Panel, s.cout-first)
		q.OutShift = 4 * first
		panels = append(panels, &q)
	}
	return panels
}

// BenchmarkProduct reports the rates of the shapes that networks have.
func BenchmarkProduct(b *testing.B) {
	shapes := []productShape{
		{"3x3 64-64 out 20", 1, 20, 64, 64, 3, 1},
		{"3x3 128-128 out 14", 1, 14, 128, 128, 3, 1},
		{"3x3 256-256 out 14", 1, 14, 256, 256, 3, 1},
		{"3x3 512-512 out 14", 1, 14, 512, 512, 3, 1},
		{"3x3 64-64 out 14", 1, 14, 64, 64, 3, 1},
		{"3x3 128-128 out 12", 1, 12, 128, 128, 3, 1},
		{"3x3 256-256 out 10", 1, 10, 256, 256, 3, 1},
		{"3x3 512-512 out 7", 1, 7, 512, 512, 3, 1},
		{"3x3 512-512 out 7, four", 4, 7, 512, 512, 3, 1},
		{"1x1 256-64 out 20", 1, 20, 256, 64, 1, 1},
		{"1x1 64-256 out 20", 1, 20, 64, 256, 1, 1},
		{"1x1 64-64 out 5", 1, 5, 64, 64, 1, 1},
		{"1x1 512-512 out 2, sixteen", 16, 2, 512, 512, 1, 1},
		{"1x1 128-128 out 6", 1, 6, 128, 128, 1, 1},
		{"1x1 192-48 out 20", 1, 20, 192, 48, 1, 1},
		{"3x3 16-24 out 20", 1, 20, 16, 24, 3, 1},
		{"7x7/2 3-64 out 20", 1, 20, 3, 64, 7, 2},
		{"3x3 3-64 out 20", 1, 20, 3, 64, 3, 1},
	}
	for _, set := range Available() {
		for _, shape := range shapes {
			b.Run(set.Name+"/"+shape.name, func(b *testing.B) {
				panels := shape.products(set)
				operations := 2 * shape.group * shape.side * shape.side * shape.cin * shape.k * shape.k * shape.cout
				reportRate(b, set, operations, func() {
					for _, p := range panels {
						set.Run(p)
					}
				})
			})
		}
	}
}

// reportRate runs do, which does so many floating-point operations, in turn with
// as long a run of Peak, for the processor's clock and its other users change
// from one millisecond to the next. It reports medians: of do's time, of its
// rate, and of what part that is of the rate of Peak beside it.
func reportRate(b *testing.B, set *Set, operations int, do func()) {
	timed := func(do func()) float64 {
		begin := time.Now()
		do()
		return float64(time.Since(begin).Nanoseconds())
	}
	rounds := 1 + operations/set.Peak(1)
	repeat := 1 + 1_000_000/operations // let the clock's resolution not count
	var nanos, parts []float64
	for b.Loop() {
		peak := timed(func() {
			for range repeat {
				set.Peak(rounds)
			}
		}) / float64(rounds*set.Peak(1))
		own := timed(func() {
			for range repeat {
				do()
			}
		})
		nanos = append(nanos, own/float64(repeat))
		parts = append(parts, 100*peak*float64(operations)/own)
	}
	b.ReportMetric(median(nanos), "ns/op")
	b.ReportMetric(float64(operations)/median(nanos), "GFLOP/s")
	b.ReportMetric(median(parts), "%peak")
}

func median(x []float64) float64 {
	slices.Sort(x)
	return x[len(x)/2]
}
