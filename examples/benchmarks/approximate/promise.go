package main

import (
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"

	"occlude/examples/benchmarks/internal/report"
)

// printReport prints what was measured, in Markdown.
func printReport(w io.Writer, s settings, all []*record) {
	fmt.Fprintf(w, "%s on %s, %s/%s with %d cores.\n", time.Now().Format("January 2006"),
		report.Processor(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU())
	if !s.report {
		fmt.Fprintf(w, "Patch %d, stride %d, threads %d.\n", s.patch, s.stride, s.threads)
	}
	all = steadied(all)
	printPromises(w, all)
	printGains(w, all)
	printWithin(w, all)
	printTimes(w, all)
}

// steadied gives all records of a model the median of its times for the exact plan
// and of ONNX Runtime. Neither depends on the image, but both on what else the
// machine does just then.
func steadied(all []*record) []*record {
	exact, naive := map[string][]float64{}, map[string][]float64{}
	seen := map[[2]string]bool{}
	for _, r := range all {
		if at := [2]string{r.Model, r.Image}; !seen[at] {
			seen[at] = true
			exact[r.Model] = append(exact[r.Model], r.Exact)
			if r.Naive > 0 {
				naive[r.Model] = append(naive[r.Model], r.Naive)
			}
		}
	}
	out := make([]*record, len(all))
	for i, r := range all {
		c := *r
		c.Exact, c.Naive = median(slices.Sorted(slices.Values(exact[r.Model]))), median(slices.Sorted(slices.Values(naive[r.Model])))
		out[i] = &c
	}
	return out
}

// group is the records of one row of a table.
type group struct {
	model   string
	setting float64
	records []*record
}

// groups puts the records of a family in rows, by model and setting.
func groups(all []*record, family string) (rows []*group) {
	for _, r := range all {
		if r.Family != family {
			continue
		}
		i := slices.IndexFunc(rows, func(g *group) bool { return g.model == r.Model && g.setting == r.Setting })
		if i < 0 {
			i, rows = len(rows), append(rows, &group{model: r.Model, setting: r.Setting})
		}
		rows[i].records = append(rows[i].records, r)
	}
	slices.SortStableFunc(rows, func(a, b *group) int {
		if a.model != b.model {
			return 0 // as they come
		}
		return int(math.Copysign(1, a.setting-b.setting))
	})
	return rows
}

// of is a figure of each record; NaN leaves a record out.
func (g *group) of(figure func(*record) float64) (values []float64) {
	for _, r := range g.records {
		if v := figure(r); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

// count is how many records are as wanted.
func (g *group) count(wanted func(*record) bool) (n int) {
	for _, r := range g.records {
		if wanted(r) {
			n++
		}
	}
	return n
}

// median of sorted values, NaN of none.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

func number(format string, v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return "-"
	}
	return fmt.Sprintf(format, v)
}

// ranged are the values of the map's figures where there is something to see:
// hiding a part of the image changes the probability by more than a twentieth.
func ranged(figure func(figures) float64) func(*record) float64 {
	const least = 0.05
	return func(r *record) float64 {
		if r.Figures.Range <= least {
			return math.NaN()
		}
		return figure(r.Figures)
	}
}

var (
	structural  = func(r *record) float64 { return r.Figures.SSIM }
	correlation = ranged(func(f figures) float64 { return f.Pearson })
	overlap     = ranged(func(f figures) float64 { return f.Top10 })
	overExact   = func(r *record) float64 { return r.Exact / r.Seconds }
	overNaive   = func(r *record) float64 { return r.Naive / r.Seconds }
)

func positive(v float64) float64 {
	if v <= 0 {
		return math.NaN()
	}
	return v
}

func percent(part, whole int) string {
	return fmt.Sprintf("%.4g%%", 100*float64(part)/float64(max(whole, 1)))
}

// kept tells whether a query's map was as good as asked.
func kept(r *record) bool { return r.Figures.SSIM >= r.Setting }

func printPromises(w io.Writer, all []*record) {
	rows := groups(all, ssim)
	if len(rows) == 0 {
		return
	}
	fmt.Fprint(w, "\nSSIM >= q: the true figures of the maps, against the exact ones\n\n")
	t := report.Table{{"network", "q", "queries", "kept", "SSIM", "least", "Pearson", "top 10%", "of maps", "bound", "not above", "estimate off by"}}
	for _, g := range rows {
		said := g.count(func(r *record) bool { return r.Claim != nil })
		below := g.count(func(r *record) bool { return r.Claim != nil && r.Claim.Lower <= r.Figures.SSIM })
		expected := g.of(func(r *record) float64 {
			if r.Claim == nil {
				return math.NaN()
			}
			return math.Abs(r.Claim.SSIM - r.Figures.SSIM)
		})
		bound := g.of(func(r *record) float64 {
			if r.Claim == nil {
				return math.NaN()
			}
			return r.Claim.Lower
		})
		t = append(t, append(g.quality(kept),
			number("%.3f", median(bound)), percent(below, said), number("%.3f", median(expected))))
	}
	for _, g := range groups(all, constant) {
		row := g.quality(func(*record) bool { return false })
		row[1], row[3] = "a constant map", "-"
		t = append(t, append(row, "-", "-", "-"))
	}
	t.Print(w)
}

// quality is the beginning of a row: what maps were like.
func (g *group) quality(kept func(*record) bool) []string {
	s, c := g.of(structural), g.of(correlation)
	return []string{
		g.model, fmt.Sprint(g.setting), fmt.Sprint(len(g.records)), percent(g.count(kept), len(g.records)),
		number("%.3f", median(s)), number("%.3f", s[0]), number("%.3f", median(c)), number("%.2f", median(g.of(overlap))), fmt.Sprint(len(c)),
	}
}

func printGains(w io.Writer, all []*record) {
	rows := groups(all, ssim)
	if len(rows) == 0 {
		return
	}
	fmt.Fprint(w, "\nSSIM >= q: how many times faster, by the statements' wall time\n\n")
	t := report.Table{{"network", "q", "seconds", "exact plan", "ONNX Runtime", "over exact", "least", "most", "over ONNX Runtime", "least", "most"}}
	for _, g := range rows {
		e, n := g.of(overExact), g.of(overNaive)
		t = append(t, []string{
			g.model, fmt.Sprint(g.setting), number("%.3f", median(g.of(func(r *record) float64 { return r.Seconds }))),
			number("%.3f", median(g.of(func(r *record) float64 { return r.Exact }))),
			number("%.1f", median(g.of(func(r *record) float64 { return r.Naive }))),
			number("%.1fx", median(e)), number("%.2fx", least(e)), number("%.1fx", most(e)),
			number("%.1fx", median(n)), number("%.1fx", least(n)), number("%.1fx", most(n)),
		})
	}
	t.Print(w)
}

// least and most are of sorted values.
func least(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	return v[0]
}

func most(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	return v[len(v)-1]
}

func printWithin(w io.Writer, all []*record) {
	rows := groups(all, within)
	if len(rows) == 0 {
		return
	}
	const tolerance = 1.1
	fmt.Fprint(w, "\nWITHIN t, which is a part of the exact plan's time; kept: done in t and a tenth\n\n")
	t := report.Table{{"network", "part", "seconds", "queries", "kept", "latest", "time used", "SSIM", "least", "Pearson", "top 10%"}}
	for _, g := range rows {
		used := g.of(func(r *record) float64 { return r.Seconds / r.Limit })
		s := g.of(structural)
		t = append(t, []string{
			g.model, fmt.Sprint(g.setting), number("%.3f", median(g.of(func(r *record) float64 { return r.Limit }))), fmt.Sprint(len(g.records)),
			percent(g.count(func(r *record) bool { return r.Seconds <= tolerance*r.Limit }), len(g.records)),
			number("%+.0f%%", 100*(most(used)-1)), number("%.0f%%", 100*median(used)),
			number("%.3f", median(s)), number("%.3f", least(s)), number("%.3f", median(g.of(correlation))), number("%.2f", median(g.of(overlap))),
		})
	}
	t.Print(w)
}
