package executor_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"occlude/executor"
	"occlude/internal/npy"
)

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// finding is what a shipped image shows and where.
type finding struct {
	Image, Label string
	X, Y, W, H   int
}

// expected is what PyTorch makes of a shipped image.
type expected struct {
	Image         string
	Probabilities []float64
	Peak          *struct {
		Row, Col, X, Y int
		P              float64
	}
}

// The quickstart's map is the one that PyTorch finds by one full inference for
// each position.
func TestQuickstartIsPyTorchs(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	h := b.one("OCCLUDE 'examples/images/spiculated.png' USING chest FOR CLASS 'spiculated' PATCH 16 STRIDE 4 FILL gray;")
	want, _, err := npy.ReadFile("examples/images/expected.npy")
	if err != nil {
		t.Fatal(err)
	}
	got := h.Array()
	if !got.Shape().Eq(want.Shape()) {
		t.Fatalf("shape %v, want %v", got.Shape(), want.Shape())
	}
	p, q := got.Data().([]float32), want.Data().([]float32)
	for i := range p {
		if d := math.Abs(float64(p[i]) - float64(q[i])); !(d <= 1e-5) {
			t.Fatalf("position %d: p = %g, PyTorch has %g", i, p[i], q[i])
		}
	}
}

func TestExamplesAreClassifiedAsPyTorchDoes(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	var all []expected
	readJSON(t, "examples/images/expected.json", &all)
	if len(all) == 0 {
		t.Fatal("nothing is expected")
	}
	for _, e := range all {
		image := "examples/images/" + e.Image
		r := b.run("PREDICT '" + image + "' USING chest TOP 100;")[0].(*executor.Relation)
		if len(r.Rows) != len(e.Probabilities) {
			t.Fatalf("%s: %d classes for %d", image, len(r.Rows), len(e.Probabilities))
		}
		for _, row := range r.Rows {
			class, p := row[3].(int), row[5].(float32)
			if d := math.Abs(float64(p) - e.Probabilities[class]); !(d <= 1e-5) {
				t.Errorf("%s: class %d has p = %g, PyTorch %g", image, class, p, e.Probabilities[class])
			}
		}
	}
}

// What an explanation is for: the map of each shipped finding peaks where the
// finding is, at PyTorch's value there.
func TestPeaksLieInTheTrueBoxes(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	var truth []finding
	var all []expected
	readJSON(t, "examples/images/truth.json", &truth)
	readJSON(t, "examples/images/expected.json", &all)
	found := 0
	for i, f := range truth {
		if f.W == 0 {
			continue // nothing to find
		}
		found++
		image := "examples/images/" + f.Image
		// The finding's surroundings at the full stride, all else at a coarse one.
		h := b.one(fmt.Sprintf(`OCCLUDE '%s' USING chest FOR CLASS '%s' PATCH 16 STRIDE 4
		  WHERE x %% 16 = 0 AND y %% 16 = 0 OR x BETWEEN %d AND %d AND y BETWEEN %d AND %d;`, image, f.Label, f.X-28, f.X+f.W+12, f.Y-28, f.Y+f.H+12))
		peak, drop := h.Peak()
		if x, y := peak.X+8, peak.Y+8; x < f.X || x >= f.X+f.W || y < f.Y || y >= f.Y+f.H {
			t.Errorf("%s: the patch's centre at the peak, (%d, %d), lies outside of %+v", image, x, y, f)
		}
		want := all[i].Peak
		if all[i].Image != f.Image || want == nil {
			t.Fatalf("%s: PyTorch's peak is not there", image)
		}
		if peak.Row != want.Row || peak.Col != want.Col || peak.X != want.X || peak.Y != want.Y {
			t.Errorf("%s: the peak is at %+v, PyTorch's at %+v", image, peak, *want)
		}
		if p := float64(h.Classes[0].P0 - drop); !(math.Abs(p-want.P) <= 1e-5) {
			t.Errorf("%s: p = %g at the peak, PyTorch has %g", image, p, want.P)
		}
	}
	if found < 5 {
		t.Errorf("only %d findings", found)
	}
}
