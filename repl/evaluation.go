package repl

import (
	"fmt"
	"io"

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
	return evaluationNotes(p.Out, e)
}

// evaluationNotes says below a table of scores what cannot be read out of it: the means
// over several maps, how the steps between were made, and what that took.
func evaluationNotes(w io.Writer, e *executor.Evaluation) error {
	var lines [][2]string
	add := func(name, format string, args ...any) {
		lines = append(lines, [2]string{name, fmt.Sprintf(format, args...)})
	}
	p := e.Plan
	if maps := len(e.Scores) / len(p.Metrics); maps > 1 {
		width := 0
		for _, m := range p.Metrics {
			width = max(width, displaywidth.String(m.Text))
		}
		for i := range p.Metrics {
			m, name := &p.Metrics[i], ""
			if i == 0 {
				name = "means"
			}
			score, chance := e.Mean(m)
			text := fmt.Sprintf("%-*s %.4f of %d maps", width, m.Text, score, maps)
			if chance == chance {
				text += fmt.Sprintf(", chance %.4f", chance)
			}
			add(name, "%s; %s", text, m.Direction())
		}
	}
	if p.Walk != nil {
		how := "whole"
		if p.Incremental {
			how = "as updates"
		}
		add("curves", "%d images computed %s, %s multiply-adds%s", e.Inferences, how, planner.FormatCount(e.MACs), fewer(e.Whole(), e.MACs))
	}
	add("maps", "%s of %d positions in all, %s multiply-adds", p.Query.Chosen().Name, e.Positions, planner.FormatCount(e.MapMACs))
	add("time", "%s", planner.FormatSeconds(e.Seconds))
	for _, l := range lines {
		if _, err := fmt.Fprintf(w, "  %-9s %s\n", l[0], l[1]); err != nil {
			return err
		}
	}
	return nil
}
