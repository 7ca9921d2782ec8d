package typeset

import (
	"math"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

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
		list, unit := Ticks(tt.lo, tt.hi, tt.n)
		var labels []string
		for _, tick := range list {
			labels = append(labels, tick.Label)
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
		list, unit := Ticks(lo, hi, n)
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
			if tick.Value < lo-1e-9*span || tick.Value > hi+1e-9*span {
				t.Fatalf("tick %g is off [%g, %g]", tick.Value, lo, hi)
			}
			if i > 0 && tick.Value <= list[i-1].Value {
				t.Fatalf("tick %g follows %g", tick.Value, list[i-1].Value)
			}
			said, err := strconv.ParseFloat(strings.Replace(tick.Label, "−", "-", 1), 64)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(said*power-tick.Value) > 1e-6*span {
				t.Fatalf("the label %s %s stands at %g", tick.Label, unit, tick.Value)
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
		if got := Number(tt.x); got != tt.want {
			t.Errorf("%g is written %q, want %q", tt.x, got, tt.want)
		}
	}
}
