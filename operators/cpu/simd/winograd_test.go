package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// field is vectors of values in a buffer of NaNs, each by itself: reading what
// lies between them spoils a result, writing there is seen.
type vectors struct {
	data                 []float32
	channels             int
	first, stride, step  int // in values
	perTransform, number int
}

// guard is what surrounds the vectors: NaN, of bits that no computation gives.
var guard = math.Float32frombits(0x7fc0beef)

// newVectors makes room for count transforms of n vectors each, with gaps of a
// few values between vectors.
func newVectors(rng *rand.Rand, channels, n, count int) *vectors {
	v := &vectors{channels: channels, first: 1 + rng.IntN(40), perTransform: n, number: count}
	v.stride = channels + 1 + rng.IntN(20)
	v.step = n*v.stride + rng.IntN(9)
	v.data = make([]float32, v.first+count*v.step+40)
	for i := range v.data {
		v.data[i] = guard
	}
	return v
}

// at is vector k of transform i.
func (v *vectors) at(i, k int) []float32 { return v.data[v.first+i*v.step+k*v.stride:][:v.channels] }

func (v *vectors) pointer() unsafe.Pointer { return unsafe.Pointer(&v.data[v.first]) }

// randomize fills all vectors.
func (v *vectors) randomize(rng *rand.Rand) *vectors {
	for i := range v.number {
		for k := range v.perTransform {
			for c := range v.channels {
				v.at(i, k)[c] = float32(rng.NormFloat64())
			}
		}
	}
	return v
}

// strays counts the guards that were overwritten, apart from the first n vectors
// of each transform.
func (v *vectors) strays(n int) int {
	inside := make([]bool, len(v.data))
	for i := range v.number {
		for k := range n {
			for c := range v.channels {
				inside[v.first+i*v.step+k*v.stride+c] = true
			}
		}
	}
	strays := 0
	for i, x := range v.data {
		if !inside[i] && math.Float32bits(x) != math.Float32bits(guard) {
			strays++
		}
	}
	return strays
}

// algorithms are all that there are of up to nine taps.
func algorithms(t *testing.T, set *Set, do func(t *testing.T, w *Winograd)) {
	for tile := 2; tile <= 6; tile++ {
		for taps := 2; taps <= 9; taps++ {
			if !HasWinograd(tile, taps) {
				continue
			}
			w, err := set.Winograd(tile, taps)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(fmt.Sprintf("%s F(%d,%d)", set.Name, tile, taps), func(t *testing.T) { do(t, w) })
		}
	}
}

// TestWinogradFilters checks the algorithm itself in every set: with the products
// in float64 the tile's outputs are those of the definition.
func TestWinogradFilters(t *testing.T) {
	for _, set := range Available() {
		algorithms(t, set, func(t *testing.T, w *Winograd) {
			rng := rand.New(rand.NewPCG(1, 2))
			const channels = 21
			d := newVectors(rng, channels, w.Points, 1).randomize(rng)
			v := newVectors(rng, channels, w.Points, 1)
			w.Input(&Transform{
				In: d.pointer(), InStride: d.stride * 4, Out: v.pointer(), OutStride: v.stride * 4, Count: 1, Channels: channels,
			})
			filter := make([]float64, w.Taps)
			for k := range filter {
				filter[k] = rng.NormFloat64()
			}
			for i, row := range w.Filter() {
				u := 0.0
				for k, g := range row {
					u += g * filter[k]
				}
				for c := range v.at(0, i) {
					v.at(0, i)[c] = float32(u * float64(v.at(0, i)[c]))
				}
			}
			y := newVectors(rng, channels, w.Tile, 1)
			w.Output(&Transform{
				In: v.pointer(), InStride: v.stride * 4, Out: y.pointer(), OutStride: y.stride * 4, Count: 1, Channels: channels,
			})
			for i := range w.Tile {
				for c, got := range y.at(0, i) {
					want := 0.0
					for k, g := range filter {
						want += g * float64(d.at(0, i+k)[c])
					}
					if math.Abs(float64(got)-want) > 2e-4 {
						t.Errorf("output %d of channel %d is %g, want %g", i, c, got, want)
					}
				}
			}
		})
	}
}

// TestWinogradLoops compares the loops of every set with the generic ones, for
// numbers of channels around a vector, and checks that they keep to their
// vectors and that channels and transforms do not see each other.
func TestWinogradLoops(t *testing.T) {
	for _, set := range Available() {
		algorithms(t, set, func(t *testing.T, w *Winograd) {
			rng := rand.New(rand.NewPCG(3, 4))
			for channels := 1; channels <= 3*set.Lanes+1; channels++ {
				count := 1 + rng.IntN(4)
				in := newVectors(rng, channels, w.Points, count).randomize(rng)
				transform := func(out *vectors) *Transform {
					return &Transform{
						In: in.pointer(), InStride: in.stride * 4, InStep: in.step * 4,
						Out: out.pointer(), OutStride: out.stride * 4, OutStep: out.step * 4,
						Count: count, Channels: channels,
					}
				}
				got, want := newVectors(rng, channels, w.Points, count), newVectors(rng, channels, w.Points, count)
				w.Input(transform(got))
				inputGeneric(w, transform(want))
				same(t, "input", got, want, w.Points)

				got, want = newVectors(rng, channels, w.Tile, count), newVectors(rng, channels, w.Tile, count)
				w.Output(transform(got))
				outputGeneric(w, transform(want))
				same(t, "output", got, want, w.Tile)

				bias, add := newVectors(rng, channels, 1, 1).randomize(rng), newVectors(rng, channels, w.Tile, count).randomize(rng)
				for rows := 1; rows <= w.Tile; rows++ {
					store := func(out *vectors) *Store {
						s := &Store{Transform: *transform(out), Rows: rows, Bias: bias.pointer(), Low: float32(math.Inf(-1)), High: 3}
						if rng.IntN(2) == 0 {
							s.Low = -1
						}
						return s
					}
					got, want = newVectors(rng, channels, w.Tile, count), newVectors(rng, channels, w.Tile, count)
					g, v := store(got), store(want)
					v.Low = g.Low
					if rng.IntN(2) == 0 {
						g.Add, g.AddStride, g.AddStep = add.pointer(), add.stride*4, add.step*4
						v.Add, v.AddStride, v.AddStep = g.Add, g.AddStride, g.AddStep
					}
					w.Store(g)
					storeGeneric(w, v)
					same(t, fmt.Sprintf("store %d rows", rows), got, want, rows)
				}
			}
		})
	}
}

// same compares the first n vectors of each transform with those of the generic
// loop, and with themselves computed alone.
func same(t *testing.T, what string, got, want *vectors, n int) {
	t.Helper()
	if s := got.strays(n); s > 0 {
		t.Errorf("%s of %d channels: %d values written elsewhere", what, got.channels, s)
	}
	for i := range got.number {
		for k := range n {
			for c, g := range got.at(i, k) {
				if v := want.at(i, k)[c]; math.Abs(float64(g-v)) > 1e-5*max(1, math.Abs(float64(v))) || math.IsNaN(float64(g)) {
					t.Fatalf("%s of %d channels, transform %d, vector %d: value %d is %g, generic gives %g", what, got.channels, i, k, c, g, v)
				}
			}
		}
	}
}
