package executor

import (
	"fmt"
	"io"

	"occlude/internal/chart"
	"occlude/planner"
)

// PNG draws the curves, a panel for each metric that has one: the map's over that of
// chance, or of several maps each, and their mean.
func (e *Evaluation) PNG(w io.Writer) error {
	q := e.Plan.Query
	maps := len(e.Scores) / len(e.Plan.Metrics)
	c := chart.Curves{Axis: "p of the class", High: 1}
	grid := fmt.Sprintf("patch %dx%d · stride %s · fill %s · %s", q.Grid.PatchW, q.Grid.PatchH, q.Grid.Stride(), q.Fill.Text, q.Chosen().Name)
	c.Title = fmt.Sprintf("%s · %s", subject(q), q.Model.Name)
	c.Subtitle = fmt.Sprintf("%d maps · %s", maps, grid)
	names := chart.Names{chart.Main: "the map", chart.Reference: "chance: its values at other places"}
	if maps == 1 {
		s := e.Scores[0]
		c.Subtitle = fmt.Sprintf("%s, p₀ = %.4f · %s", s.Class, s.P0, grid)
		c.Axis = fmt.Sprintf("p of %s", s.Class)
	} else {
		names = chart.Names{chart.Single: "each map", chart.Main: "their mean", chart.Reference: "chance: their values at other places, the mean"}
	}
	spacing := "close together at first"
	if e.Plan.Even {
		spacing = "even"
	}
	c.Caption = fmt.Sprintf("steps: %d, %s", e.Plan.Steps, spacing)
	if e.Plan.Random > 0 {
		c.Caption += fmt.Sprintf(" · chance: %s of each map, seed %d", planner.Counted(e.Plan.Random, "random order"), e.Plan.Seed)
	}
	for i := range e.Plan.Metrics {
		if m := &e.Plan.Metrics[i]; m.Curved() {
			c.Panels = append(c.Panels, e.panel(m))
		}
	}
	for _, p := range c.Panels {
		for _, l := range p.Lines {
			for _, y := range l.Y { // of scores that are no probabilities
				c.Low, c.High = min(c.Low, y), max(c.High, y)
			}
		}
	}
	return c.EncodePNG(w, names)
}

// panel is the curves of one metric.
func (e *Evaluation) panel(m *planner.Metric) chart.Panel {
	area, chance := e.Mean(m)
	p := chart.Panel{Title: m.Text, Note: fmt.Sprintf("area %.4f · %s", area, m.Direction())}
	if chance == chance {
		p.Note = fmt.Sprintf("area %.4f · chance %.4f · %s", area, chance, m.Direction())
	}
	p.Axis = "share of the pixels that became " + m.Fill.Text
	if m.Kind == planner.Insertion {
		p.Axis = "share of the pixels put onto " + m.Fill.Text
	}
	var curves, random [][]float64
	for _, s := range e.Scores {
		if s.Metric != m {
			continue
		}
		curves = append(curves, s.Curve)
		if s.ChanceCurve != nil {
			random = append(random, s.ChanceCurve)
		}
	}
	if len(curves) > 1 {
		for _, c := range curves {
			p.Lines = append(p.Lines, chart.Line{X: e.Shares, Y: c})
		}
	}
	if len(random) > 0 {
		p.Lines = append(p.Lines, chart.Line{X: e.Shares, Y: mean(random), Kind: chart.Reference})
	}
	p.Lines = append(p.Lines, chart.Line{X: e.Shares, Y: mean(curves), Kind: chart.Main})
	return p
}
