package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// BenchmarkRows reports values per nanosecond for rows that lie in the first
// and in the second level of the cache, copying beside them.
func BenchmarkRows(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 4))
	inf := float32(math.Inf(1))
	for _, set := range Available() {
		for _, n := range []int{2 << 10, 64 << 10} {
			x, y, out := Aligned(n), Aligned(n), Aligned(n)
			fillRandom(rng, x)
			fillRandom(rng, y)
			scale, shift := x[:128], y[:128]
			for _, c := range []struct {
				name string
				do   func()
			}{
				{"copy", func() { copy(out, x) }},
				{"clamp", func() { set.Apply(Clamp, out, x, 0, 6) }},
				{"hard swish", func() { set.Apply(HardSwish, out, x, 1./6, 0.5) }},
				{"sigmoid", func() { set.Apply(Sigmoid, out, x, 0, 0) }},
				{"swish", func() { set.Apply(Swish, out, x, 1, 0) }},
				{"tanh", func() { set.Apply(Tanh, out, x, 0, 0) }},
				{"gelu", func() { set.Apply(Gelu, out, x, 0, 0) }},
				{"add", func() { set.Combine(Add, out, x, y, -inf, inf) }},
				{"maximum", func() { set.Combine(Maximum, out, x, y, -inf, inf) }},
				{"affine", func() { set.Affine(out, x, scale, shift, 0, inf) }},
			} {
				b.Run(fmt.Sprintf("%s/%s/%dKB", set.Name, c.name, n>>8), func(b *testing.B) {
					for b.Loop() {
						c.do()
					}
					b.ReportMetric(float64(n)*float64(b.N)/float64(b.Elapsed().Nanoseconds()), "values/ns")
				})
			}
		}
	}
}
