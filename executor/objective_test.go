package executor_test

import (
	"math"
	"strings"
	"testing"

	"occlude/executor"
)

// Probabilities that rounding takes beyond 1 are sampled like 1. What is further
// outside is no probability, and the error says of what.
func TestProbabilitiesOutside(t *testing.T) {
	b := newBench(t)
	b.grayModel("gray.onnx", 40)
	colourful(t, "in.png", 40, 5)
	const query = "OCCLUDE 'in.png' USING %s FOR CLASS 1 PATCH 8 STRIDE 1 FILL rgb(255, 255, 255) SSIM >= 0.9 WITH (plan = approximate);"
	b.run("CREATE MODEL nearly FROM 'gray.onnx' WITH (output = probabilities, scale = 0.003923);") // 255 becomes 1.0004
	h := b.one(strings.ReplaceAll(query, "%s", "nearly"))
	if h.Count(executor.Exact) == len(h.States) {
		t.Fatal("nothing was sampled")
	}
	for i, p := range h.Classes[0].P {
		if math.Abs(float64(p)-1) > 1e-3 {
			t.Fatalf("position %d: %g under white", i, p)
		}
	}
	b.run("CREATE MODEL scores FROM 'gray.onnx' WITH (output = probabilities, scale = 0.004);") // 1.02
	err := b.fails(strings.ReplaceAll(query, "%s", "scores"))
	for _, part := range []string{`image "in.png"`, `model "scores"`, "gives 1.02", "for class 1 with the patch at (", "output = 'raw'"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q does not name %s", err, part)
		}
	}
}
