package repl

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/planner"
)

// evaluation prints scores, and for people what they are and what they took.
func (p *Printer) evaluation(e *executor.Evaluation) error {
	if err := p.relation(e.Relation()); err != nil || p.Settings.Format() != settings.FormatTable {
		return err
	}
	if err := evaluationNotes(p.people(), e); err != nil {
		return err
	}
	return p.figure(e)
}

// evaluationNotes says below a table of scores what cannot be read out of it: the means
// over several maps, how the scores were made, and what that took.
func evaluationNotes(w io.Writer, e *executor.Evaluation) error {
	var lines [][2]string
	add := func(name, format string, args ...any) {
		lines = append(lines, [2]string{name, fmt.Sprintf(format, args...)})
	}
	p := e.Plan
	maps := len(e.Scores) / len(p.Metrics)
	if maps > 1 {
		name := "means"
		for i := range p.Metrics {
			add(name, "%s", meanText(e, &p.Metrics[i]))
			name = ""
		}
	}
	add("maps", "%s: %s, %s, %s multiply-adds", planner.Counted(maps, "map"), p.Query.Chosen().Name, planner.Counted(e.Positions, "position"), planner.FormatCount(e.MapMACs))
	if p.Walk != nil {
		text := planner.Counted(p.Steps, "step")
		if !p.Even {
			text += ", close together at first"
		}
		if p.Random > 0 {
			text += fmt.Sprintf("; chance by %s a map, seed %d", planner.Counted(p.Random, "random order"), p.Seed)
		}
		add("curves", "%s", text)
		how := "computed whole"
		if p.Incremental {
			how = "computed as updates"
		}
		add("", "%s %s, %s multiply-adds%s", planner.Counted(e.Inferences, "image"), how, planner.FormatCount(e.MACs), fewer(e.Whole(), e.MACs))
	}
	if slices.ContainsFunc(p.Metrics, func(m planner.Metric) bool { return m.Kind == planner.Pointing }) {
		add("pointing", "a hit if the peak is at most %g pixels from the box", p.Margin)
	}
	add("time", "%s", planner.FormatSeconds(e.Seconds))
	for _, l := range lines {
		if _, err := fmt.Fprint(w, field(l[0], "%s", l[1])); err != nil {
			return err
		}
	}
	return nil
}

// meanText is the mean of a metric over several maps.
func meanText(e *executor.Evaluation, m *planner.Metric) string {
	width := 0
	for _, other := range e.Plan.Metrics {
		width = max(width, displaywidth.String(other.Text))
	}
	score, chance := e.Mean(m)
	text := fmt.Sprintf("%s%s  %.4f", m.Text, strings.Repeat(" ", width-displaywidth.String(m.Text)), score)
	if chance == chance {
		text += fmt.Sprintf(", chance %.4f", chance)
	}
	return text + "; " + m.Direction()
}
