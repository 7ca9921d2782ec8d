package executor_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"occlude/executor"
)

// A picture says how good its map is, and of how many positions it is made.
func TestCaptions(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for query, want := range map[string]string{
		"STRIDE 24;": "incremental · patch 16x16 · stride 24 · fill gray · 100 positions",
		"STRIDE 24x26 VERIFY ALL WITH (tau = 0.1);": `approximate, SSIM 0\.\d\d · patch 16x16 · stride 24x26 · fill gray · 90 positions`,
		"STRIDE 12 WITHIN 0.001 SECONDS;":           `approximate, SSIM about 0\.\d\d · patch 16x16 · stride 12 · fill gray · %d of 361 positions`,
		"STRIDE 24 WITHIN 1000 SECONDS;":            "approximate · patch 16x16 · stride 24 · fill gray · 100 positions",
	} {
		h := b.one(cavity + query)
		if h.Count(executor.Interpolated) > 0 {
			want = fmt.Sprintf(want, len(h.States)-h.Count(executor.Interpolated))
		}
		if got := h.Figure().Caption; !regexp.MustCompile("^" + want + "$").MatchString(got) {
			t.Errorf("%s: the caption is %q", query, got)
		}
	}
}

// A chart explains its star once, of however many plans the planner would choose each.
func TestBenchmarkCaption(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	r := b.run("BENCHMARK (RUNS 1, WARMUP 0, PLANS (incremental, incremental WITH (device = cpu))) " + nodule + ";")[0].(*executor.Benchmark)
	stars := 0
	for _, a := range r.Plan.Alternatives {
		if a.Chosen {
			stars++
		}
	}
	if f := r.Figure(); stars != 2 || strings.Count(f.Caption, "*") != 1 {
		t.Errorf("%d plans are the planner's choice; the caption is %q", stars, f.Caption)
	}
}
