package heatmap

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestScales(t *testing.T) {
	line := func(p0 float32, p ...float32) Map {
		x := make([]int, len(p))
		for i := range x {
			x[i] = i
		}
		return Map{Rows: 1, Cols: len(p), X: x, Y: []int{0}, PatchW: 1, PatchH: 1, P0: p0, P: p}
	}
	inf := float32(math.Inf(1))
	for _, tt := range []struct {
		name   string
		choose scaling
		m      Map
		lo, hi float64
	}{
		{"symmetric takes the larger side", symmetric, line(0.5, 0.25, 0.625), -0.25, 0.25},
		{"symmetric of gains", symmetric, line(0.25, 0.75, 0.25), -0.5, 0.5},
		{"symmetric ignores NaN", symmetric, line(0.5, nan, 0.375), -0.125, 0.125},
		{"symmetric ignores infinities", symmetric, line(0.5, inf, -inf, 0.375), -0.125, 0.125},
		{"symmetric of nothing", symmetric, line(0.5, nan), -minimumSpan, minimumSpan},
		{"symmetric of a constant", symmetric, line(0, 0, 0), -minimumSpan, minimumSpan},
		{"sequential", sequential, line(0.5, 0.25, 0.625), -0.125, 0.25},
		{"sequential holds zero", sequential, line(0.5, 0.25, 0.375), 0, 0.25},
		{"sequential of a constant", sequential, line(0.5, 0.5), 0, minimumSpan},
		{"krypton", krypton, line(0.5, 0.1), 0.375, 0.625},
		{"krypton stops at 1", krypton, line(1, 0.1), 0.75, 1},
		{"krypton of a rounded 1", krypton, line(1.0000001, 0.1), 0.75, 1},
		{"krypton of a score", krypton, line(8, 0.1), 6, 10},
		{"krypton of a negative score", krypton, line(-8, 0.1), -10, -6},
		{"krypton of zero", krypton, line(0, 0.1), 0, minimumSpan},
		{"krypton of NaN", krypton, line(nan, 0.1), 0, minimumSpan},
	} {
		s := tt.choose(&tt.m)
		if math.Abs(s.lo-tt.lo) > 1e-6*math.Abs(tt.lo) || math.Abs(s.hi-tt.hi) > 1e-6*math.Abs(tt.hi) {
			t.Errorf("%s: [%g, %g], want [%g, %g]", tt.name, s.lo, s.hi, tt.lo, tt.hi)
		}
	}
	m := line(0.5, 0.1, 0.5)
	if s := krypton(&m); !s.clippedLo || s.clippedHi {
		t.Error("p = 0.1 lies below Krypton's scale of p0 = 0.5, and nothing above")
	}
}

func TestTicks(t *testing.T) {
	for _, tt := range []struct {
		lo, hi float64
		n      int
		want   string
	}{
		{-0.72, 0.72, 10, "−0.6 −0.4 −0.2 0 0.2 0.4 0.6"},
		{0.75, 1, 5, "0.75 0.80 0.85 0.90 0.95 1.00"},
		{0, 224, 6, "0 50 100 150 200"},
		{0, 32, 5, "0 10 20 30"},
		{-1e-6, 1e-6, 4, "−1.0 −0.5 0 0.5 1.0 ×10⁻⁶"},
		{-3e38, 3e38, 6, "−3 −2 −1 0 1 2 3 ×10³⁸"},
		{0, 0.003, 3, "0 0.001 0.002 0.003"},
	} {
		list, unit := ticks(tt.lo, tt.hi, tt.n)
		var labels []string
		for _, tick := range list {
			labels = append(labels, tick.label)
		}
		if got := strings.TrimSpace(strings.Join(labels, " ") + " " + unit); got != tt.want {
			t.Errorf("[%g, %g]: %q, want %q", tt.lo, tt.hi, got, tt.want)
		}
	}
}

// Ticks ascend, lie on the scale, are not too many, and say where they lie.
func TestTicksTellTheTruth(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		span := math.Pow(10, rapid.Float64Range(-6, 38).Draw(t, "magnitude"))
		lo := -span * rapid.SampledFrom([]float64{0, 0.03, 0.5, 1}).Draw(t, "below zero")
		hi := lo + span
		n := rapid.IntRange(2, 13).Draw(t, "n")
		list, unit := ticks(lo, hi, n)
		power := 1.0
		if unit != "" {
			digits := unit[len("×10"):]
			for i := range 10 {
				digits = strings.ReplaceAll(digits, superscript(i), strconv.Itoa(i))
			}
			e, err := strconv.Atoi(strings.ReplaceAll(digits, "⁻", "-"))
			if err != nil {
				t.Fatal(err)
			}
			power = math.Pow10(e)
		}
		if len(list) == 0 || len(list) > n+1 {
			t.Fatalf("%d ticks on [%g, %g] for %d", len(list), lo, hi, n)
		}
		for i, tick := range list {
			if tick.value < lo-1e-9*span || tick.value > hi+1e-9*span {
				t.Fatalf("tick %g is off [%g, %g]", tick.value, lo, hi)
			}
			if i > 0 && tick.value <= list[i-1].value {
				t.Fatalf("tick %g follows %g", tick.value, list[i-1].value)
			}
			said, err := strconv.ParseFloat(strings.Replace(tick.label, "−", "-", 1), 64)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(said*power-tick.value) > 1e-6*span {
				t.Fatalf("the label %s %s stands at %g", tick.label, unit, tick.value)
			}
		}
	})
}

func TestNumber(t *testing.T) {
	for _, tt := range []struct {
		x    float64
		want string
	}{
		{0, "0"}, {0.9731, "0.973"}, {1, "1.00"}, {-0.05, "−0.0500"}, {0.00123, "0.00123"},
		{2.3e-5, "2.30×10⁻⁵"}, {-3e38, "−3.00×10³⁸"}, {12345.6, "12346"}, {0.9996, "1.00"}, {123.4, "123"},
		{math.Inf(1), "∞"}, {math.Inf(-1), "−∞"}, {math.NaN(), "not a number"},
	} {
		if got := number(tt.x); got != tt.want {
			t.Errorf("%g is written %q, want %q", tt.x, got, tt.want)
		}
	}
}
