package sampling

import "testing"

func benchmark(b *testing.B, side, samples, classes int) {
	g := grid(side, side)
	var maps [][]float64
	for k := range classes {
		maps = append(maps, smooth(g, uint64(k)))
	}
	e := newEstimator(b, g, Options{SSIM: 0.9, Classes: classes, Threads: 2})
	observe(b, e, e.Next(b.Context()), maps...)
	estimate(b, e) // so that the shape is known from a stage before
	observe(b, e, e.design.widest(b.Context(), samples-len(e.samples), nil), maps...)
	for b.Loop() {
		estimate(b, e)
	}
}

func BenchmarkEstimate400Of53x53(b *testing.B)         { benchmark(b, 53, 400, 1) }
func BenchmarkEstimate400Of53x53Classes3(b *testing.B) { benchmark(b, 53, 400, 3) }
func BenchmarkEstimate1000Of73x73(b *testing.B)        { benchmark(b, 73, 1000, 1) }
