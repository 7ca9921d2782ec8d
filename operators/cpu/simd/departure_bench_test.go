package simd

import (
	"fmt"
	"math"
	"testing"
)

// BenchmarkClampDeparture compares the clamp that adds up its departure with one
// that does not, on rows in the first- and in the second-level cache.
func BenchmarkClampDeparture(b *testing.B) {
	inf := float32(math.Inf(1))
	for _, set := range Available() {
		for _, n := range []int{1 << 12, 1 << 17} {
			x, g, y := Aligned(n), Aligned(n), Aligned(n)
			for i := range x {
				x[i], g[i], y[i] = float32(i%7-3), float32(i%5-2), float32(max(i%3-1, 0))
			}
			Mark(g, g, y, 0, inf)
			rate := func(b *testing.B) {
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/value")
			}
			b.Run(fmt.Sprintf("%s/%d/clamp", set.Name, n), func(b *testing.B) {
				for b.Loop() {
					set.Apply(Clamp, x, x, -inf, inf)
				}
				rate(b)
			})
			b.Run(fmt.Sprintf("%s/%d/departure", set.Name, n), func(b *testing.B) {
				for b.Loop() {
					set.ClampDeparture(x, x, g, -inf, inf)
				}
				rate(b)
			})
		}
	}
}
