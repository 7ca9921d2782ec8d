package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// sumTolerance bounds the rounding of a sum of n products of which the largest
// partial sum is about size.
func sumTolerance(n int, size float64) float64 { return 1e-7 * float64(n+1) * (size + 1e-30) }

func TestDot(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 1))
	for _, set := range Available() {
		for _, n := range lengths {
			a, inspectA := guarded(n)
			b, inspectB := guarded(n)
			fillRandom(rng, a)
			fillRandom(rng, b)
			got := set.Dot(a, b)
			inspectA(t, "a")
			inspectB(t, "b")
			want := 0.0
			for i, x := range a {
				want += float64(x) * float64(b[i])
			}
			if !(math.Abs(got-want) <= sumTolerance(n, 1)) {
				t.Errorf("%s: the product of %d values is %g, want %g", set.Name, n, got, want)
			}
			if n > 0 {
				a[rng.IntN(n)] = float32(math.NaN())
				if got := set.Dot(a, b); !math.IsNaN(got) {
					t.Errorf("%s: a NaN among %d values comes out as %g", set.Name, n, got)
				}
			}
		}
	}
}

// The clamp's departure is what it does beyond its tangent at the clean value.
func TestClampDeparture(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 2))
	inf := float32(math.Inf(1))
	for _, set := range Available() {
		for _, limits := range [][2]float32{{0, inf}, {0, 6}, {-0.5, 0.25}, {-inf, 1}, {-inf, inf}} {
			low, high := limits[0], limits[1]
			for _, n := range lengths {
				name := fmt.Sprintf("%s: %d values in %v", set.Name, n, limits)
				in, inspectIn := guarded(n)
				marked, inspectMarked := guarded(n)
				out, inspectOut := guarded(n)
				gradients, clean := make([]float32, n), make([]float32, n)
				fillRandom(rng, gradients)
				want := 0.0
				for i := range in {
					in[i], clean[i] = 16*rng.Float32()-8, min(high, max(low, 16*rng.Float32()-8))
					tangent := in[i]
					if clean[i] <= low {
						tangent = low
					} else if clean[i] >= high {
						tangent = high
					}
					want += float64(gradients[i]) * (float64(min(high, max(low, in[i]))) - float64(tangent))
				}
				Mark(marked, gradients, clean, low, high)
				for i, g := range gradients {
					if d := differ(marked[i], float64(g), 1e-30); d > 4e-7 {
						t.Fatalf("%s: marking %g gives %g", name, g, marked[i])
					}
				}
				got := set.ClampDeparture(out, in, marked, low, high)
				inspectIn(t, name)
				inspectMarked(t, name)
				inspectOut(t, name)
				if !(math.Abs(got-want) <= 4*sumTolerance(n, 8)) {
					t.Fatalf("%s: departs by %g, want %g", name, got, want)
				}
				for i, x := range in {
					if out[i] != min(high, max(low, x)) {
						t.Fatalf("%s: %g becomes %g", name, x, out[i])
					}
				}
				if again := set.ClampDeparture(in, in, marked, low, high); again != got || !sameBits(in, out) {
					t.Fatalf("%s: in place it departs by %g, not by %g", name, again, got)
				}
			}
		}
	}
}

func TestTangentDeparture(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, set := range Available() {
		for _, n := range lengths {
			var rows [4][]float32 // out, in, slopes, offsets
			var inspect [4]func(*testing.T, string)
			for i := range rows {
				rows[i], inspect[i] = guarded(n)
				fillRandom(rng, rows[i])
			}
			want := make([]float64, n)
			for i := range want {
				want[i] = float64(rows[0][i]) - (float64(rows[2][i])*float64(rows[1][i]) + float64(rows[3][i]))
			}
			set.TangentDeparture(rows[0], rows[1], rows[2], rows[3])
			for _, look := range inspect {
				look(t, "tangents")
			}
			for i, got := range rows[0] {
				if math.Abs(float64(got)-want[i]) > 3e-7 {
					t.Fatalf("%s: value %d of %d departs by %g, want %g", set.Name, i, n, got, want[i])
				}
			}
		}
	}
}

func TestPoolDeparture(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, set := range Available() {
		for _, channels := range lengths {
			if channels == 0 {
				continue
			}
			taps, cells, step := 1+rng.IntN(9), 1+rng.IntN(4), channels*rng.IntN(3)
			name := fmt.Sprintf("%s: %d cells of %d channels, %d taps, %d apart", set.Name, cells, channels, taps, step)
			out, inspectOut := guarded(cells * channels)
			fillRandom(rng, out)
			p := Pool{Step: step * 4, Cells: cells, Channels: channels, Out: unsafe.Pointer(&out[0])}
			var rows [][]float32
			var inspect []func(*testing.T, string)
			for range taps {
				row, look := guarded((cells-1)*step + channels)
				fillRandom(rng, row)
				rows, inspect = append(rows, row), append(inspect, look)
				p.Taps = append(p.Taps, unsafe.Pointer(&row[0]))
			}
			shown, want := make([]uint8, cells*channels), make([]float32, cells*channels)
			for i := range shown {
				shown[i] = uint8(rng.IntN(taps))
				want[i] = out[i] - rows[shown[i]][i/channels*step+i%channels]
			}
			set.PoolDeparture(p, shown)
			for _, look := range append(inspect, inspectOut) {
				look(t, name)
			}
			if !sameBits(out, want) {
				t.Fatalf("%s: departs by %v, want %v", name, out, want)
			}
		}
	}
}
