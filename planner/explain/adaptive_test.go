package explain

import (
	"bytes"
	"strings"
	"testing"

	"occlude/planner"
)

// Where full inference is the cheapest exact plan, samples are computed by it.
func TestSamplesByFullInference(t *testing.T) {
	e := plan(t, bench(t), "EXPLAIN OCCLUDE 'scan.png' USING lesions SSIM >= 0.8;").(*planner.Explain)
	e.Query.Chosen().Rects = planner.Rectangles{Rule: planner.Whole}
	r := New(e, nil)
	var b bytes.Buffer
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	if by := r.Plan.Approximation.Sampling.ExactBy; by != planner.PlanFull || !strings.Contains(b.String(), "; samples by full inference\n") {
		t.Errorf("samples by %s:\n%s", by, b.String())
	}
}

// Only an exact map is said to be one.
func TestSimilarityIsRoundedDown(t *testing.T) {
	for v, want := range map[float64]string{1: "1.000", .99999: "0.999", .9: "0.900", .29: "0.290", .12345: "0.123", 0: "0.000"} {
		if got := similarity(v); got != want {
			t.Errorf("%v is printed as %s, want %s", v, got, want)
		}
	}
}

func TestGoalInWords(t *testing.T) {
	for want, g := range map[string]Goal{
		"SSIM >= 0.9": {SSIM: .9},
		"SSIM >= 0.9; within 0.25 seconds or fail; verified at 2 random positions": {SSIM: .9, Within: .25, OrFail: true, Verify: 2},
		"within 1 second; verified by the exact map":                               {Within: 1, VerifyAll: true},
	} {
		if got := g.String(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
