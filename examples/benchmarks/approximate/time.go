package main

import (
	"fmt"
	"io"

	"occlude/examples/benchmarks/internal/report"
)

// printTimes tells where the time of queries with a target goes.
func printTimes(w io.Writer, all []*record) {
	rows := groups(all, ssim)
	if len(rows) == 0 {
		return
	}
	fmt.Fprint(w, "\nSSIM >= q: where the time goes, medians in milliseconds\n\n")
	t := report.Table{{"network", "q", "statement", "plan", "base pass", "backward", "positions", "estimates", "the rest", "computed", "a process", "of it loading"}}
	ms := func(g *group, part func(*record) float64) string { return number("%.1f", 1000*median(g.of(part))) }
	for _, g := range rows {
		computed := g.of(func(r *record) float64 { return 100 * float64(r.Evaluated) / float64(r.Positions) })
		t = append(t, []string{
			g.model, fmt.Sprint(g.setting),
			ms(g, func(r *record) float64 { return r.Seconds }),
			ms(g, func(r *record) float64 { return r.Parts.Plan }),
			ms(g, func(r *record) float64 { return r.Parts.Base }),
			ms(g, func(r *record) float64 { return r.Parts.Backward }),
			ms(g, func(r *record) float64 { return r.Parts.Updates }),
			ms(g, func(r *record) float64 { return r.Parts.Estimate }),
			ms(g, (*record).rest),
			number("%.1f%%", median(computed)),
			ms(g, func(r *record) float64 { return positive(r.Process) }),
			ms(g, func(r *record) float64 { return positive(r.Load) }),
		})
	}
	t.Print(w)
}

// rest is what the parts leave of the statement's time.
func (r *record) rest() float64 {
	p := r.Parts
	return r.Seconds - p.Plan - p.Base - p.Backward - p.Updates - p.Estimate
}
