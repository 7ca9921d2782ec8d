package repl

import (
	"fmt"
	"math"
	"strings"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/planner"
)

func (p *Printer) benchmark(b *executor.Benchmark) error {
	if p.Settings.Format() != settings.FormatTable {
		return p.relation(b.Relation())
	}
	for i, part := range benchmarkParts(b) {
		if i > 0 {
			if _, err := fmt.Fprintln(p.Out); err != nil {
				return err
			}
		}
		if err := part.print(p.people()); err != nil {
			return err
		}
	}
	return p.figure(b)
}

// benchmarkParts are what was run, how long each plan takes, and what each does.
func benchmarkParts(b *executor.Benchmark) []Part {
	parts := []Part{{Text: benchmarkTitle(b)}}
	for _, of := range []func(*executor.Benchmark) ([]string, [][]string){times, answers} {
		titles, rows := of(b)
		right := make([]bool, len(titles))
		for i := range right {
			right[i] = i > 0
		}
		parts = append(parts, Part{Titles: titles, Right: right, Rows: rows})
	}
	return parts
}

// benchmarkTitle says what was run, and on what.
func benchmarkTitle(b *executor.Benchmark) string {
	var t strings.Builder
	p, q := b.Plan, b.Plan.Query
	line := func(name, format string, args ...any) {
		t.WriteString(field(name, format, args...))
	}
	image := q.Images[0]
	if n := len(q.Images); n > 1 {
		image = fmt.Sprintf("%d images, %s to %s,", n, image, q.Images[n-1])
	}
	fmt.Fprintf(&t, "BENCHMARK %s USING %s\n", image, q.Model.Name)
	if len(q.Images) == 1 {
		name := "class"
		for _, c := range b.Classes {
			line(name, "%s (class %d), p0 = %.4f", c.Label, c.ID, c.P0)
			name = ""
		}
	}
	line("grid", "%s", gridText(q))
	line("machine", "%s, %s; threads %d, kernels %s", b.CPU, planner.Counted(b.Cores, "core"), q.Threads, q.Kernels)
	runs := fmt.Sprintf("%d of each plan, in turn", p.Runs)
	if p.Warmup > 0 {
		runs += fmt.Sprintf(", after %d that %s", p.Warmup, map[bool]string{true: "does not count", false: "do not count"}[p.Warmup == 1])
	}
	line("runs", "%s", runs)
	timed := "from the image's file to its heat map"
	if n := len(q.Images); n > 1 {
		timed = fmt.Sprintf("from the %d images' files to their heat maps", n)
	}
	line("time", "%s; models were loaded and weights packed before", timed)
	against := p.Alternatives[p.Baseline].Name
	if p.Reference() {
		line("against", "%s: speedup, largest difference of p, SSIM", against)
	} else {
		line("against", "%s: speedup; no plan is exact, so there is nothing to judge the maps by", against)
	}
	for _, c := range p.Refused {
		line("left out", "%s, %s", c.Name, c.Reason)
	}
	for _, a := range p.Alternatives {
		if a.Chosen {
			line("*", "what the planner would choose")
		}
	}
	return t.String()
}

// times has a row for each plan: how long it takes.
func times(b *executor.Benchmark) (titles []string, rows [][]string) {
	for i, a := range b.Plan.Alternatives {
		m := &b.Plans[i]
		shortest, longest := m.Range()
		estimate, least, most := b.Estimate(i)
		rows = append(rows, []string{
			planName(a), fmt.Sprint(len(m.Seconds)), planner.FormatSeconds(m.Median()),
			planner.FormatSeconds(shortest) + " to " + planner.FormatSeconds(longest), planner.FormatTimes(b.Speedup(i)),
			fmt.Sprintf("%s (%s to %s)", planner.FormatSeconds(estimate), planner.FormatSeconds(least), planner.FormatSeconds(most)),
			planner.FormatTimes(estimate / m.Median()),
		})
	}
	return []string{"plan", "runs", "median", "range", "speedup", "estimate", "estimate / median"}, rows
}

// answers has a row for each plan: what it does and what comes of it.
func answers(b *executor.Benchmark) (titles []string, rows [][]string) {
	for i, a := range b.Plan.Alternatives {
		m := &b.Plans[i]
		difference, ssim := "reference", "reference"
		if i != b.Plan.Baseline || !b.Plan.Reference() {
			difference, ssim = apart(m.Difference), figure(math.Floor(m.SSIM*1e4+1e-2)/1e4, "%.4f") // down, but for rounding
		}
		rows = append(rows, []string{
			planName(a), fmt.Sprint(m.Positions), planner.FormatCount(m.MACs), planner.FormatBytes(m.PeakBytes),
			planner.FormatBytes(a.Query.Chosen().Estimate.PeakBytes), difference, ssim,
		})
	}
	return []string{"plan", "positions", "multiply-adds", "memory", "estimate", "difference", "SSIM"}, rows
}

// planName is an alternative's name, with a star at the one that would be chosen.
func planName(a planner.Alternative) string {
	if a.Chosen {
		return a.Name + " *"
	}
	return a.Name
}

// apart prints a difference of probabilities, which may not be defined.
func apart(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 1e-3:
		return planner.FormatError(v)
	}
	return figure(v, "%.3f")
}

// figure prints a number that may not be defined.
func figure(v float64, format string) string {
	if math.IsNaN(v) {
		return "-"
	}
	return fmt.Sprintf(format, v)
}
