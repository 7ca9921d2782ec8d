package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

func TestPool(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 1))
	for _, set := range Available() {
		for _, channels := range lengths {
			if channels == 0 {
				continue
			}
			taps, cells, step := 1+rng.IntN(9), 1+rng.IntN(4), channels*rng.IntN(3)
			name := fmt.Sprintf("%s: %d cells of %d channels, %d taps, %d apart", set.Name, cells, channels, taps, step)
			var rows [][]float32
			var inspect []func(*testing.T, string)
			p := Pool{Step: step * 4, Cells: cells, Channels: channels}
			for range taps {
				row, look := rowOf(rng, (cells-1)*step+channels)
				rows, inspect = append(rows, row), append(inspect, look)
				p.Taps = append(p.Taps, unsafe.Pointer(&row[0]))
			}
			check := func(what string, run func(p Pool), fold func(a, b float32) float32, scale float32) {
				t.Helper()
				out, look := guarded(cells * channels)
				p.Out = unsafe.Pointer(&out[0])
				run(p)
				for _, look := range append(inspect, look) {
					look(t, name)
				}
				for x := range cells {
					for c := range channels {
						want := rows[0][x*step+c]
						for _, row := range rows[1:] {
							want = fold(want, row[x*step+c])
						}
						if got := out[x*channels+c]; differ(got, float64(want*scale), 0) != 0 {
							t.Fatalf("%s: %s is %g, want %g", name, what, got, want*scale)
						}
					}
				}
			}
			check("the maximum", set.Maximum, func(a, b float32) float32 { return max(a, b) }, 1)
			check("the mean", func(p Pool) { set.Mean(p, 0.125) }, func(a, b float32) float32 { return a + b }, 0.125)
		}
	}
}

func TestSum(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, set := range Available() {
		for _, channels := range lengths {
			for cells := range 5 {
				if channels == 0 {
					continue
				}
				name := fmt.Sprintf("%s: %d cells of %d channels", set.Name, cells, channels)
				now, inspectNow := guarded(cells * channels)
				then, inspectThen := guarded(cells * channels)
				fillRandom(rng, now)
				fillRandom(rng, then)
				const guard = 8
				sums := make([]float64, channels+guard)
				for c := range sums {
					sums[c] = float64(c)
				}
				set.Sum(sums[:channels], now)
				set.SumDifference(sums[:channels], now, then)
				inspectNow(t, name)
				inspectThen(t, name)
				for c, got := range sums {
					want := float64(c)
					if c < channels {
						for i := c; i < len(now); i += channels {
							want += 2*float64(now[i]) - float64(then[i])
						}
					}
					if math.Abs(got-want) > 1e-13*(1+math.Abs(want)) {
						t.Fatalf("%s: sum %d is %g, want %g", name, c, got, want)
					}
				}
			}
		}
	}
}
