package main

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"occlude/examples/benchmarks/internal/journal"
)

// rows are the cells of a report's tables below a heading.
func rows(text, heading string) (cells [][]string) {
	_, text, _ = strings.Cut(text, "\n"+heading)
	_, text, _ = strings.Cut(text, "\n\n")
	text, _, _ = strings.Cut(text, "\n\n")
	for line := range strings.Lines(text) {
		var row []string
		for _, c := range strings.Split(strings.Trim(line, "| \n"), "|") {
			row = append(row, strings.TrimSpace(c))
		}
		cells = append(cells, row)
	}
	return cells
}

// TestCheck: the whole program on the example's network, where maps are quick.
func TestCheck(t *testing.T) {
	t.Chdir("../../..")
	path := filepath.Join(t.TempDir(), "runs.jsonl")
	args := []string{"-check", "-dir", t.TempDir(), "-log", path}
	var out, again bytes.Buffer
	if err := run(t.Context(), args, &out, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	l, err := journal.Open(path, (*record).key)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	families := map[string]int{}
	for _, r := range l.Records {
		families[r.Family]++
		switch f := r.Figures; r.Family {
		case incremental, full:
			if f.SSIM != 1 || f.Pearson < 1-1e-12 || f.Top10 != 1 {
				t.Errorf("the exact map is %+v of itself", f)
			}
		case constant:
			if f.Pearson != 0 || f.SSIM > 0.95 {
				t.Errorf("a constant map is %+v", f)
			}
		case tau:
			if r.Setting == 1 && f.SSIM < 0.9999 {
				t.Errorf("with tau = 1 the figures are %+v", f)
			}
		case ssim:
			if r.Claim == nil || math.Abs(r.Claim.SSIM-f.SSIM) > 0.5 {
				t.Errorf("asked for %g, found %+v, the query says %+v", r.Setting, f, r.Claim)
			}
		}
		if r.Family != constant && (r.Seconds <= 0 || r.Evaluated == 0) {
			t.Errorf("%+v", r)
		}
	}
	if want := map[string]int{incremental: 1, full: 1, constant: 1, tau: 7, drillDown: 4, both: 4, ssim: 7, within: 7}; !equal(families, want) {
		t.Errorf("measured: %v, want %v", families, want)
	}
	for _, heading := range []string{"SSIM >= q: the true", "SSIM >= q: how many", "WITHIN", "SSIM >= q: where"} {
		if r := rows(out.String(), heading); len(r) < 3 || len(r[0]) != len(r[2]) || r[2][0] != "chest" {
			t.Errorf("under %q there is %q", heading, r)
		}
	}
	// Nothing is measured twice, and a report needs no models.
	l.Close()
	if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if err := run(t.Context(), []string{"-report", "-log", path}, &again, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	if tables := func(s string) string { return s[strings.Index(s, "\nSSIM"):] }; tables(again.String()) != tables(out.String()) {
		t.Errorf("the log's tables are\n%s\nwere\n%s", again.String(), out.String())
	}
}

func equal(a, b map[string]int) bool {
	for k := range a {
		if a[k] != b[k] {
			return false
		}
	}
	return len(a) == len(b)
}

// TestPromises: what the tables say of measurements that are known.
func TestPromises(t *testing.T) {
	made := func(ssim, seconds, spread float64) *record {
		return &record{
			Model: "net", Family: "SSIM", Setting: .9, Seconds: seconds, Exact: 4, Naive: 40,
			Figures: figures{SSIM: ssim, Pearson: ssim, Top10: .8, Range: spread}, Claim: &claim{SSIM: ssim + .01, Lower: .93},
		}
	}
	all := []*record{made(.95, 1, .5), made(.92, 2, .5), made(.89999, 5, .01), made(.99, 1, .3)}
	for _, part := range []float64{.99, 1.05, 1.2, .5} {
		all = append(all, &record{Model: "net", Family: "WITHIN", Setting: .1, Seconds: part, Limit: 1, Exact: 10, Figures: figures{SSIM: .8}})
	}
	var out bytes.Buffer
	printReport(&out, settings{report: true}, all)
	for heading, want := range map[string]string{
		"SSIM >= q: the true": "net 0.9 4 75% 0.935 0.900 0.950 0.80 3 0.930 50% 0.010",
		"SSIM >= q: how many": "net 0.9 1.500 4.000 40.0 3.0x 0.80x 4.0x 30.0x 8.0x 40.0x",
		"WITHIN":              "net 0.1 1.000 4 75% +20% 102% 0.800 0.800 - -",
	} {
		r := rows(out.String(), heading)
		if len(r) != 3 || strings.Join(r[2], " ") != want {
			t.Errorf("under %q there is %q, want %q", heading, r, want)
		}
	}
}

// TestQueries: a target that the sweep asks for as well is asked for once.
func TestQueries(t *testing.T) {
	s := settings{targets: []float64{.9, .97}, within: []float64{.1, .25}, seeds: 3, sweep: true}
	seen := map[string]bool{}
	for _, q := range s.queries(2) {
		text := strings.Join([]string{q.goal, q.hints, string(rune('0' + q.seed - firstSeed))}, "/")
		if seen[text] {
			t.Errorf("%s comes twice", text)
		}
		seen[text] = true
	}
	for _, want := range []string{"SSIM >= 0.9//0", "SSIM >= 0.97//2", "WITHIN 500 MILLISECONDS//2", "WITHIN 200 MILLISECONDS//0", "/tau = 1.0/0", "/plan = 'full'/0"} {
		if !seen[want] {
			t.Errorf("%q is not asked", want)
		}
	}
}

func TestUsage(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "broken.jsonl")
	if err := os.WriteFile(broken, []byte("{\"model\": 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	chest := "../../models/chest.onnx=../../images/clear.png"
	for _, args := range [][]string{
		nil, {"-what"}, {"chest.onnx"}, {"no.onnx=*.png"}, {"../../models/chest.onnx=no/*.png"}, {"../../models/chest.onnx=[.png"},
		{"-targets", "1.5", chest}, {"-targets", "x", chest}, {"-within", "0", chest}, {"-seeds", "0", chest}, {"-report"},
		{"-report", "-log", broken}, {"-report", "-log", broken, chest}, {"-with", "what = 1", chest},
	} {
		if err := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-targets", "0.9", chest}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
		t.Error("cancelled: no error")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{1, 2}, 1.5}, {[]float64{1, 2, 7}, 2}} {
		if got := median(slices.Clone(c.values)); got != c.want {
			t.Errorf("the median of %v is %v, want %v", c.values, got, c.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("nothing has a median")
	}
}
