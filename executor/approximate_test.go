package executor_test

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/planner"
)

const cavity = "OCCLUDE 'examples/images/cavity.png' USING chest "

// With tau = 1 nothing is cropped, and with a fraction of 1 everything is computed
// again: both are the exact map to the bit, and say so.
func TestApproximationsThatLeaveNothingOut(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	exact := b.one(cavity + "FOR TOP 2 STRIDE 30 WITH (plan = incremental);")
	for _, hints := range []string{"tau = 1", "drill_down = 1, speedup = .9", "speedup = .5", "tau = 1, drill_down = 1, speedup = .8"} {
		h := b.one(cavity + "FOR TOP 2 STRIDE 30 WITH (" + hints + ");")
		if h.Plan.Chosen().Name != planner.PlanApproximate {
			t.Fatalf("%s: plan %s", hints, h.Plan.Chosen().Name)
		}
		if bits(h) != bits(exact) {
			t.Errorf("%s: other bits than the exact map's", hints)
		}
		if n := len(h.States); h.Count(executor.Exact) != n || n != 64 || h.Actual.Positions != n {
			t.Errorf("%s: %d of %d positions are exact, %d computed", hints, h.Count(executor.Exact), n, h.Actual.Positions)
		}
	}
}

// What a threshold leaves out is approximate, and cheaper; what it leaves alone
// has the exact map's bits.
func TestThreshold(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	exact := b.one(cavity + "STRIDE 30 WITH (plan = incremental, convolution = direct);")
	differ := 0
	for _, tau := range []string{".9", ".6", ".3"} {
		h := b.one(cavity + "STRIDE 30 WITH (tau = " + tau + ", convolution = direct);")
		if h.Count(executor.Interpolated) > 0 {
			t.Errorf("tau = %s interpolates", tau)
		}
		for i, s := range h.States {
			same := h.Classes[0].P[i] == exact.Classes[0].P[i]
			if s == executor.Exact && !same {
				t.Errorf("tau = %s: position %d is exact, but %g for %g", tau, i, h.Classes[0].P[i], exact.Classes[0].P[i])
			}
			if !same {
				differ++
			}
		}
		if h.Actual.MACs() != h.Plan.Chosen().Estimate.MACs {
			t.Errorf("tau = %s: %d multiply-adds for %d", tau, h.Actual.MACs(), h.Plan.Chosen().Estimate.MACs)
		}
		if tau == ".3" && (h.Actual.MACs() >= exact.Actual.MACs() || h.Count(executor.Approximate) < 60 || differ == 0) {
			t.Errorf("tau = %s: %d multiply-adds for %d, %d approximate, %d differ", tau, h.Actual.MACs(), exact.Actual.MACs(),
				h.Count(executor.Approximate), differ)
		}
	}
}

// Positions that are computed have the exact map's bits, and the others lie
// between those of the lattice around them; with holes, too.
func TestDrillDown(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, where := range []string{"", "WHERE NOT (x BETWEEN 64 AND 112 AND y BETWEEN 20 AND 90) AND x % 32 <> 0", "WHERE x = 48 AND y = 48"} {
		query := cavity + "STRIDE 16 " + where + " WITH "
		exact := b.one(query + "(plan = incremental);")
		h := b.one(query + "(drill_down = .2);")
		n := len(h.States)
		if got := h.Count(executor.Exact); got != h.Actual.Positions || h.Count(executor.Interpolated) != n-got {
			t.Errorf("%s: %d exact of %d computed", where, got, h.Actual.Positions)
		}
		p, all := h.Classes[0].P, exact.Classes[0].P
		low, high := slices.Min(all), slices.Max(all)
		for i, s := range h.States {
			if s == executor.Exact && math.Float32bits(p[i]) != math.Float32bits(all[i]) {
				t.Errorf("%s: position %d is exact, but %g for %g", where, i, p[i], all[i])
			}
			if !(p[i] >= low && p[i] <= high) {
				t.Errorf("%s: position %d is %g, the exact map has %g to %g", where, i, p[i], low, high)
			}
		}
		stages := h.Plan.Chosen().Stages
		if len(h.Actual.Stages) != 2 || h.Actual.Stages[0].Positions != stages[0].Positions || h.Actual.Stages[1].Positions > stages[1].Largest {
			t.Errorf("%s: stages %+v", where, h.Actual.Stages)
		}
		if m := h.Actual.Base.MACs() + h.Actual.Stages[0].MACs + h.Actual.Stages[1].MACs; m != h.Actual.MACs() {
			t.Errorf("%s: the stages make %d multiply-adds of %d", where, m, h.Actual.MACs())
		}
	}
}

// The positions computed again are those with the largest enlarged p_drop, over all
// classes.
func TestDrillDownComputesTheLargestAgain(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	const hints = "(drill_down = .2, speedup = 2, convolution = direct);"
	for _, classes := range []string{"", "FOR TOP 3 "} {
		h := b.one(cavity + classes + "STRIDE 16 WITH " + hints)
		// The coarse map alone: a fraction so small that it has one position.
		coarse := b.one(cavity + classes + "STRIDE 16 WITH (drill_down = 1e-6, speedup = 3.3, convolution = direct);")
		lattice := h.Plan.Chosen().Stages[0]
		if got := coarse.Plan.Chosen().Stages[0].Positions; got != lattice.Positions {
			t.Fatalf("lattices of %d and %d positions", lattice.Positions, got)
		}
		drop := func(i int) float32 {
			d := float32(math.Inf(-1))
			for _, m := range coarse.Classes {
				d = max(d, m.P0-m.P[i])
			}
			return d
		}
		known := map[int32]bool{}
		for _, i := range lattice.Order {
			known[i] = true
		}
		again, left := float32(math.Inf(1)), float32(math.Inf(-1))
		for i, s := range h.States {
			switch {
			case known[int32(i)]:
			case coarse.States[i] == executor.Exact: // its enlarged value is not to be seen
			case s == executor.Exact:
				again = min(again, drop(i))
			default:
				left = max(left, drop(i))
			}
		}
		if again < left {
			t.Errorf("%s: a position of %g was left, one of %g computed again", classes, left, again)
		}
	}
}

// Approximate plans keep the promise of all plans.
func TestApproximateBitsForAnyThreadsAndBatch(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	want, states := "", []executor.State(nil)
	for _, threads := range []int{1, 3} {
		b.run(fmt.Sprintf("SET threads = %d;", threads))
		for _, batch := range []string{"", ", batch = 1", ", batch = 5"} {
			h := b.one(cavity + "FOR TOP 2 STRIDE 24 WITH (tau = .5, drill_down = .2, speedup = 2" + batch + ");")
			if want == "" {
				want, states = bits(h), h.States
			}
			if bits(h) != want || !slices.Equal(h.States, states) {
				t.Errorf("%d threads%s give other bits", threads, batch)
			}
		}
	}
}

// The state column and the summary of files.
func TestStatesAreWritten(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	h := b.one(cavity + "FOR TOP 2 STRIDE 30 INTO 'h.csv', 'h.json' WITH (tau = .3, speedup = 2);")
	data, err := os.ReadFile("h.csv")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(data))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for i, row := range rows[1:] {
		state := row[len(row)-1]
		if want := h.States[i%64].String(); state != want {
			t.Errorf("row %d is %s, not %s", i, state, want)
		}
		if strings.Contains(strings.Join(row, ","), "NaN") {
			t.Errorf("row %d: %v", i, row)
		}
		count[state]++
	}
	if len(rows) != 129 || count["approximate"] == 0 || count["interpolated"] == 0 {
		t.Errorf("%d rows: %v", len(rows), count)
	}
	text, err := os.ReadFile("h.json")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), `"state": "interpolated"`); got != count["interpolated"] {
		t.Errorf("json has %d interpolated rows, csv %d", got, count["interpolated"])
	}
}

// An interruption in the second stage says how far all of it had come.
func TestInterruptedStage(t *testing.T) {
	b := newBench(t)
	b.run(chest + "SET threads = 1;")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	// The first stage has 9 positions or fewer: those of the grid's 36 at stride 60.
	b.session.Progress = &stopper{after: 12, cancel: cancel}
	_, err := b.try(ctx, cavity+"STRIDE 30 WITH (drill_down = .5, speedup = 1.5, batch = 2);")
	var stopped *executor.Interrupted
	if !errors.As(err, &stopped) || stopped.Done < 12 || stopped.Done > stopped.Total {
		t.Errorf("%v", err)
	}
}
