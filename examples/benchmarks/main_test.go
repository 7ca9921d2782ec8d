package main

import (
	"bytes"
	"context"
	"math"
	"strings"
	"testing"

	"occlude/examples/benchmarks/internal/peer"
)

// TestCheck is what a machine without peers gets.
func TestCheck(t *testing.T) {
	t.Chdir("../..")
	var out, progress bytes.Buffer
	args := []string{"-check", "-dir", t.TempDir(), "-python", "no-such-python"}
	if err := run(t.Context(), args, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, progress.String())
	}
	rows := map[string][]string{}
	var heading string
	for _, line := range strings.Split(out.String(), "\n") {
		if line != "" && line[0] != '|' {
			heading, _, _ = strings.Cut(line, ",")
		}
		if cells := strings.Split(strings.Trim(line, "| "), "|"); strings.HasPrefix(line, "| chest") {
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			rows[heading] = cells
		}
	}
	for heading, want := range map[string][]string{
		"Full inference":             {"chest", peer.ErrMissing.Error(), peer.ErrMissing.Error(), "*", "-", "-"},
		"Exact heat map":             {"chest", "64", peer.ErrMissing.Error(), peer.ErrMissing.Error(), "*", "-", "-"},
		"Peak memory of the process": {"chest", peer.ErrMissing.Error(), peer.ErrMissing.Error(), "*", "*", "*", "-"},
	} {
		got := rows[heading]
		if len(got) != len(want) {
			t.Fatalf("under %q there is %q, want %q, in\n%s", heading, got, want, out.String())
		}
		for i := range want {
			number := strings.Trim(got[i], "0123456789.e-+") == "" && got[i] != "-"
			if got[i] != want[i] && !(want[i] == "*" && number) {
				t.Errorf("under %q there is %q, want %q", heading, got[i], want[i])
			}
		}
	}
}

func TestFlags(t *testing.T) {
	for _, args := range []string{"-patch 0", "-networks nobody -occlude go", "here", "-what"} {
		if err := run(t.Context(), strings.Fields(args), &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", args)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := run(ctx, []string{"-check"}, &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
		t.Error("no error")
	}
}

// TestGrid covers the rim, and no position twice.
func TestGrid(t *testing.T) {
	for _, c := range []struct{ width, height, patch, stride, want int }{
		{224, 224, 16, 4, 53 * 53}, {299, 299, 16, 4, 72 * 72}, {20, 16, 16, 4, 2}, {21, 16, 16, 4, 3}, {16, 16, 16, 9, 1},
	} {
		got := grid(c.width, c.height, c.patch, c.stride)
		seen := map[[2]int]bool{}
		for _, p := range got {
			seen[p] = true
		}
		if len(got) != c.want || len(seen) != c.want || !seen[[2]int{c.width - c.patch, c.height - c.patch}] {
			t.Errorf("%+v gives %d positions, %d different: %v", c, len(got), len(seen), got)
		}
	}
}

// TestAgree: a peer that computes something else is no peer.
func TestAgree(t *testing.T) {
	at := [2]int{4, 8}
	answer := func(class int, p float64) *result { return &result{class: class, p: map[[2]int]float64{at: p}} }
	for _, c := range []struct {
		name  string
		other *result
		fine  bool
	}{
		{"the same", answer(1, .5), true},
		{"near", answer(1, .50005), true},
		{"far", answer(1, .5002), false},
		{"another class", answer(2, .5), false},
		{"not a number", answer(1, math.NaN()), false},
		{"no answer there", &result{class: 1, p: map[[2]int]float64{}}, false},
		{"missing", &result{missing: peer.ErrMissing.Error()}, true},
	} {
		n := &network{positions: [][2]int{at}, results: map[string]*result{full: answer(1, .5), incremental: answer(1, .5), onnxRuntime: c.other}}
		if err := agree([]*network{n}); (err == nil) != c.fine {
			t.Errorf("%s: the error is %v", c.name, err)
		}
	}
}
