package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"occlude/examples/benchmarks/internal/report"
)

// printReport prints how well the queries were predicted: for each network, for each
// kind, and for all, by what the estimates rest on; then query by query.
func printReport(w io.Writer, all []*record) {
	fmt.Fprintf(w, "%s; load %s.\n", report.Processor(), report.Load())
	for _, profile := range []string{byModel, byQuick, byNone} {
		some := slices.DeleteFunc(slices.Clone(all), func(r *record) bool { return r.Profile != profile })
		if len(some) == 0 {
			continue
		}
		fmt.Fprintf(w, "\nEstimates by the %s profile: how far they were off\n\n", profile)
		t := report.Table{{"queries", "number", "time: median error", "90%", "bias", "in range", "base pass: median error",
			"memory: median error", "90%", "regret: mean", "worst"}}
		for _, by := range []func(*record) string{
			func(r *record) string { return r.Network },
			func(r *record) string { return r.Name },
			func(r *record) string { return fmt.Sprintf("%d threads", r.Threads) },
			func(*record) string { return "all" },
		} {
			groups := map[string][]*record{}
			for _, r := range some {
				groups[by(r)] = append(groups[by(r)], r)
			}
			for _, name := range slices.Sorted(maps.Keys(groups)) {
				t = append(t, summary(name, groups[name]))
			}
		}
		t.Print(w)
		fmt.Fprint(w, "\nQuery by query, seconds and MiB\n\n")
		t = report.Table{{"network", "patch", "stride", "threads", "asked for", "plan", "positions", "estimated", "took", "ratio",
			"memory estimated", "was", "best alternative", "regret"}}
		for _, r := range some {
			name, _ := r.best()
			t = append(t, []string{r.Network, fmt.Sprint(r.Patch), fmt.Sprint(r.Stride), fmt.Sprint(r.Threads), r.Name, r.Plan,
				fmt.Sprint(r.Positions), fmt.Sprintf("%.3f", r.Estimate.Seconds), fmt.Sprintf("%.3f", r.Actual.Seconds),
				fmt.Sprintf("%.2f", r.Estimate.Seconds/r.Actual.Seconds), fmt.Sprintf("%.1f", r.Estimate.Bytes/(1<<20)),
				fmt.Sprintf("%.1f", r.Actual.Bytes/(1<<20)), name, percent(r.regret())})
		}
		t.Print(w)
	}
}

// summary is a row about some queries.
func summary(name string, some []*record) []string {
	var errors, ratios, bases, memory, regrets []float64
	inside, ranged := 0, 0
	for _, r := range some {
		errors = append(errors, off(r.Estimate.Seconds, r.Actual.Seconds))
		ratios = append(ratios, r.Estimate.Seconds/r.Actual.Seconds)
		bases = append(bases, off(r.Estimate.Base, r.Actual.Base))
		memory = append(memory, off(r.Estimate.Bytes, r.Actual.Bytes))
		if len(r.Others) > 0 {
			regrets = append(regrets, r.regret())
		}
		if r.Estimate.High > 0 {
			ranged++
			if r.Estimate.Low <= r.Actual.Seconds && r.Actual.Seconds <= r.Estimate.High {
				inside++
			}
		}
	}
	row := []string{name, fmt.Sprint(len(some)), percent(quantile(errors, .5)), percent(quantile(errors, .9)), fmt.Sprintf("%.2fx", quantile(ratios, .5)),
		"", percent(quantile(bases, .5)), percent(quantile(memory, .5)), percent(quantile(memory, .9)), "", ""}
	if ranged > 0 {
		row[5] = fmt.Sprintf("%d of %d", inside, ranged)
	}
	if len(regrets) > 0 {
		sum := 0.0
		for _, v := range regrets {
			sum += v
		}
		row[9], row[10] = percent(sum/float64(len(regrets))), percent(slices.Max(regrets))
	}
	return row
}

// off is by what part of the truth an estimate is off.
func off(estimated, actual float64) float64 { return math.Abs(estimated/actual - 1) }

// best is the fastest of the plans that were not chosen.
func (r *record) best() (hints string, seconds float64) {
	for _, name := range slices.Sorted(maps.Keys(r.Others)) {
		if s := r.Others[name]; hints == "" || s < seconds {
			hints, seconds = name, s
		}
	}
	return hints, seconds
}

// regret is by what part the chosen plan took longer than the fastest of all.
func (r *record) regret() float64 {
	if r.Others == nil {
		return 0
	}
	_, best := r.best()
	if best == 0 { // there is only one plan
		return 0
	}
	return max(0, r.Chosen/best-1)
}

func percent(v float64) string { return fmt.Sprintf("%.0f%%", 100*v) }
