package simd

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// special are the values at which functions slip, and between which their
// branches lie.
var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 3, -3, 6, -6, 9, -9, 20, -20, 87, -87, 88.7, -88.7, 90, -90, 104, -104, 150, -150,
	1e-6, -1e-6, 1e-20, -1e-20, math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, 1e30, -1e30,
	math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), math.Float32frombits(0xffc00000),
}

// lengths are those of rows around the edges of vectors.
var lengths = func() []int {
	all := []int{100, 127, 128, 129, 200}
	for n := range 70 {
		all = append(all, n)
	}
	return all
}()

// rowOf makes n guarded values, ordinary and special ones.
func rowOf(rng *rand.Rand, n int) ([]float32, func(*testing.T, string)) {
	row, inspect := guarded(n)
	for i := range row {
		switch row[i] = 16*rng.Float32() - 8; rng.IntN(4) {
		case 0:
			row[i] = special[rng.IntN(len(special))]
		case 1:
			row[i] *= 12
		}
	}
	return row, inspect
}

// differ tells by how much two numbers differ, relative to the wanted one or to
// small, if that is larger; NaN equals NaN.
func differ(got float32, want, small float64) float64 {
	g, w := float64(got), float64(float32(want))
	if g == w || math.IsNaN(g) && math.IsNaN(w) {
		return 0
	}
	return math.Abs(g-want) / max(math.Abs(want), small)
}

func TestFunctions(t *testing.T) {
	definitions := map[Function]func(x, a, b float64) float64{
		Clamp:       func(x, a, b float64) float64 { return min(b, max(a, x)) },
		LeakyRelu:   func(x, a, _ float64) float64 { return max(x, 0) + a*min(x, 0) },
		HardSigmoid: func(x, a, b float64) float64 { return min(1, max(0, a*x+b)) },
		HardSwish:   func(x, a, b float64) float64 { return x * min(1, max(0, a*x+b)) },
		Exp:         func(x, _, _ float64) float64 { return math.Exp(x) },
		Sigmoid:     func(x, _, _ float64) float64 { return 1 / (1 + math.Exp(-x)) },
		Swish:       func(x, a, _ float64) float64 { return x * (1 / (1 + math.Exp(-a*x))) },
		Tanh:        func(x, _, _ float64) float64 { return math.Tanh(x) },
		Gelu:        func(x, _, _ float64) float64 { return x / 2 * math.Erfc(-x/math.Sqrt2) },
		GeluTanh: func(x, _, _ float64) float64 {
			return x / (1 + math.Exp(-2*math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
		},
		Mish: func(x, _, _ float64) float64 {
			return x * math.Tanh(max(x, 0)+math.Log1p(math.Exp(-math.Abs(x))))
		},
		Elu: func(x, a, b float64) float64 { return b * (max(x, 0) + a*math.Expm1(min(x, 0))) },
	}
	parameters := map[Function][][2]float32{
		Clamp:       {{0, 6}, {0, float32(math.Inf(1))}, {-1, 0.5}, {2, 1}},
		LeakyRelu:   {{0.01, 0}, {-2, 0}},
		HardSigmoid: {{1. / 6, 0.5}, {0.2, 0.5}},
		HardSwish:   {{1. / 6, 0.5}},
		Swish:       {{1, 0}, {1.7, 0}},
		Elu:         {{1, 1}, {1.6732632, 1.0507010}},
	}
	// Where the formula itself subtracts or multiplies an exponent, in float32,
	// results are exact relative to these.
	small := map[Function]float64{HardSigmoid: 1, HardSwish: 10, Swish: 1e-3, GeluTanh: 0.1}
	rng := rand.New(rand.NewPCG(1, 1))
	for f := range functionCount {
		if parameters[f] == nil {
			parameters[f] = [][2]float32{{}}
		}
		for _, p := range parameters[f] {
			for _, set := range Available() {
				worst, at := 0., float32(0)
				for _, n := range lengths {
					in, inspectIn := rowOf(rng, n)
					out, inspectOut := guarded(n)
					set.Apply(f, out, in, p[0], p[1])
					inspectIn(t, "the input")
					inspectOut(t, "the output")
					for i, x := range in {
						a, b := float64(p[0]), float64(p[1])
						if d := differ(out[i], definitions[f](float64(x), a, b), max(small[f], 1e-30)); !(d <= worst) {
							worst, at = d, x
						}
						var alone [1]float32
						set.Apply(f, alone[:], in[i:i+1], p[0], p[1])
						if !sameBits(alone[:], out[i:i+1]) {
							t.Errorf("%s: function %d of %g alone is %g, in a row %g", set.Name, f, x, alone[0], out[i])
						}
					}
					set.Apply(f, in, in, p[0], p[1])
					if !sameBits(in, out) {
						t.Errorf("%s: function %d in place differs", set.Name, f)
					}
				}
				if !(worst <= 6e-7) {
					t.Errorf("%s: function %d %v of %g is off by %g", set.Name, f, p, at, worst)
				}
			}
		}
	}
}

func TestOperations(t *testing.T) {
	definitions := [operationCount]func(a, b float64) float64{
		Add:      func(a, b float64) float64 { return a + b },
		Subtract: func(a, b float64) float64 { return a - b },
		Multiply: func(a, b float64) float64 { return a * b },
		Divide:   func(a, b float64) float64 { return a / b },
		Maximum:  func(a, b float64) float64 { return max(a, b) },
		Minimum:  func(a, b float64) float64 { return min(a, b) },
	}
	rng := rand.New(rand.NewPCG(1, 2))
	inf := float32(math.Inf(1))
	for op, define := range definitions {
		for _, set := range Available() {
			for _, bounds := range [][2]float32{{-inf, inf}, {0, inf}, {0, 6}} {
				for _, n := range lengths {
					a, inspectA := rowOf(rng, n)
					b, inspectB := rowOf(rng, n)
					out, inspect := guarded(n)
					set.Combine(Operation(op), out, a, b, bounds[0], bounds[1])
					inspectA(t, "a")
					inspectB(t, "b")
					inspect(t, "the output")
					for i := range out {
						// Adding in float64 first would round twice.
						want := min(float64(bounds[1]), max(float64(bounds[0]), float64(float32(define(float64(a[i]), float64(b[i]))))))
						if d := differ(out[i], want, 0); d != 0 {
							t.Fatalf("%s: operation %d of %g and %g in %v is %g, want %g", set.Name, op, a[i], b[i], bounds, out[i], want)
						}
					}
					set.Combine(Operation(op), a, a, b, bounds[0], bounds[1])
					if !equal(a, out) {
						t.Errorf("%s: operation %d in place differs", set.Name, op)
					}
				}
			}
		}
	}
}

// equal tells whether all numbers are, NaN and NaN included.
func equal(a, b []float32) bool {
	for i := range a {
		if differ(a[i], float64(b[i]), 0) != 0 {
			return false
		}
	}
	return len(a) == len(b)
}

func TestChannelwise(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 3))
	for _, set := range Available() {
		for _, channels := range lengths[1:] {
			if channels == 0 {
				continue
			}
			for cells := range 4 {
				name := fmt.Sprintf("%s: %d cells of %d channels", set.Name, cells, channels)
				in, inspectIn := rowOf(rng, cells*channels)
				out, inspectOut := guarded(cells * channels)
				a, inspectA := guarded(channels)
				b, inspectB := guarded(channels)
				fillRandom(rng, a)
				fillRandom(rng, b)
				check := func(what string, want func(x, a, b float64) float64) {
					t.Helper()
					for i, x := range in {
						c := i % channels
						if want := want(float64(x), float64(a[c]), float64(b[c])); math.Abs(float64(out[i])-want) > 2e-7*(math.Abs(float64(x))+1) ||
							math.IsNaN(float64(out[i])) != math.IsNaN(want) {
							t.Fatalf("%s: %s of %g with %g, %g is %g, want %g", name, what, x, a[c], b[c], out[i], want)
						}
					}
					inspectIn(t, "the input")
					inspectOut(t, "the output")
					inspectA(t, "the first numbers")
					inspectB(t, "the second numbers")
				}
				set.Affine(out, in, a, b, -0.5, 6)
				check("affine", func(x, a, b float64) float64 { return min(6, max(-0.5, a*x+b)) })
				set.PRelu(out, in, a)
				check("prelu", func(x, a, _ float64) float64 { return max(x, 0) + a*min(x, 0) })
			}
		}
	}
}

func TestMix(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 9))
	for _, set := range Available() {
		for _, n := range lengths {
			a, inspectA := rowOf(rng, n)
			b, inspectB := rowOf(rng, n)
			c, inspectC := rowOf(rng, n)
			out, inspectOut := guarded(n)
			for _, row := range [][]float32{a, b, c} {
				fillRandom(rng, row)
			}
			f, g, h := rng.Float32(), -rng.Float32(), 2*rng.Float32()
			set.Mix(out, a, b, c, f, g, h)
			for i := range out {
				want := float64(f)*float64(a[i]) + float64(g)*float64(b[i]) + float64(h)*float64(c[i])
				if math.Abs(float64(out[i])-want) > 6e-7 {
					t.Fatalf("%s: %g*%g + %g*%g + %g*%g is %g, want %g", set.Name, f, a[i], g, b[i], h, c[i], out[i], want)
				}
			}
			for _, inspect := range []func(*testing.T, string){inspectA, inspectB, inspectC, inspectOut} {
				inspect(t, "a row")
			}
		}
	}
}

func TestGather(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 5))
	for _, set := range Available() {
		for _, n := range lengths {
			in, inspectIn := guarded(1 + rng.IntN(100))
			out, inspectOut := guarded(n)
			fillRandom(rng, in)
			index, want := make([]int32, n), make([]float32, n)
			for i := range index {
				index[i] = int32(rng.IntN(len(in)))
				want[i] = in[index[i]]
			}
			set.Gather(out, in, index)
			inspectIn(t, "the input")
			inspectOut(t, "the output")
			if !sameBits(out, want) {
				t.Errorf("%s: %v of %v are %v", set.Name, index, in, out)
			}
		}
	}
}

func TestLRN(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 6))
	for _, set := range Available() {
		for _, n := range lengths {
			size := 1 + rng.IntN(7)
			in, inspectIn := rowOf(rng, n)
			squares, inspectSquares := guarded(n + size - 1)
			out, inspectOut := guarded(n)
			for i := range squares {
				squares[i] = 50 * rng.Float32()
			}
			set.LRN(out, in, squares, size, 0.02, 1.5)
			inspectIn(t, "the input")
			inspectSquares(t, "the squares")
			inspectOut(t, "the output")
			for c, x := range in {
				energy := 1.5
				for _, v := range squares[c : c+size] {
					energy += float64(float32(0.02)) * float64(v)
				}
				if want := float64(x) / math.Pow(energy, 0.75); !(differ(out[c], want, 1e-30) <= 6e-7) {
					t.Errorf("%s: %g with energy %g is %g, want %g", set.Name, x, energy, out[c], want)
				}
			}
		}
	}
}
