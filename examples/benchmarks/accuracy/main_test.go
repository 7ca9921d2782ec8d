package main

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
)

// TestExample: all ways of computing the example's network are near float64,
// and not all equal to it.
func TestExample(t *testing.T) {
	t.Chdir("../../..")
	var out bytes.Buffer
	args := []string{"-positions", "2", "-top", "5", "examples/models/chest.onnx"}
	if err := run(t.Context(), args, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	cells := strings.Fields(lines[len(lines)-1])
	if len(lines) != 2 || len(cells) != 2+len(plans) || cells[0] != "chest" {
		t.Fatalf("it prints\n%s", out.String())
	}
	largest := 0.
	for i, c := range cells[2:] {
		d, err := strconv.ParseFloat(c, 64)
		if err != nil || !(d <= tolerance) {
			t.Errorf("%s: %q, want at most %g", plans[i].name, c, tolerance)
		}
		largest = max(largest, d)
	}
	if largest == 0 {
		t.Error("float32 without any rounding")
	}
}

func TestDifference(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		got  []float64
		want float64
	}{
		{[]float64{1, 2, 3}, 0}, {[]float64{1, 2.5, 2.75}, .5}, {[]float64{nan, 2, 3}, nan}, {[]float64{1, nan, 4}, nan},
	} {
		d := difference([][]float64{c.got[:1], c.got[1:]}, [][]float64{{1}, {2, 3}})
		if d != c.want && !(math.IsNaN(d) && math.IsNaN(c.want)) {
			t.Errorf("%v differ by %g, want %g", c.got, d, c.want)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range []string{"", "-what", "-positions 0 x.onnx", "no-such.onnx", "-with what=1 ../../models/chest.onnx"} {
		if err := run(t.Context(), strings.Fields(args), &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
