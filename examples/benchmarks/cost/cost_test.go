package main

import (
	"bytes"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"occlude/examples/benchmarks/internal/journal"
)

// TestRun: the whole program on the example's network, with few positions. Predictions
// are not judged here: the machine may be busy.
func TestRun(t *testing.T) {
	t.Chdir("../../..")
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	args := []string{"-profile", "quick", "-positions", "16", "-repeat", "1", "-log", path}
	var out, progress bytes.Buffer
	if err := run(t.Context(), args, &out, &progress); err != nil {
		t.Fatal(err)
	}
	l, err := journal.Open(path, (*record).key)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plans := map[string]int{}
	for _, r := range l.Records {
		plans[r.Name]++
		if r.Network != "chest" || !(r.Estimate.Seconds > 0) || !(r.Actual.Seconds > 0) || r.Estimate.Low > r.Estimate.Seconds || r.Estimate.High < r.Estimate.Seconds {
			t.Errorf("%+v", r)
		}
		if chosen := r.Name == "chosen"; chosen != (len(r.Others) > 1) {
			t.Errorf("%s has the alternatives %v", r.Query, r.Others)
		}
	}
	if len(plans) != 4 || len(l.Records) < 10 {
		t.Errorf("the queries are %v", plans)
	}
	for _, want := range []string{"| chest ", "| all ", "Query by query", "| drill-down "} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, out.String())
		}
	}
	// What the log has is not measured again.
	var again bytes.Buffer
	progress.Reset()
	if err := run(t.Context(), args, &again, &progress); err != nil || progress.Len() > 0 {
		t.Errorf("%v, and measured again: %s", err, progress.String())
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-profile", "none"}, {"-repeat", "0"}, {"-report"}, {"nowhere"}} {
		if _, err := flags(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%q is accepted", args)
		}
	}
}

func TestQuantile(t *testing.T) {
	values := []float64{4, 1, 3, 2}
	for part, want := range map[float64]float64{0: 1, 0.5: 2.5, 0.9: 3.7, 1: 4} {
		if got := quantile(values, part); math.Abs(got-want) > 1e-12 {
			t.Errorf("%g of %v is %g, want %g", part, values, got, want)
		}
	}
	if !slices.Equal(values, []float64{4, 1, 3, 2}) {
		t.Error("the values were sorted in place")
	}
}
