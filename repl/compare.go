package repl

import (
	"fmt"
	"strings"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/planner"
)

func (p *Printer) comparison(c *executor.Comparison) error {
	if p.Settings.Format() != settings.FormatTable {
		return p.relation(comparisonSummary(c))
	}
	if _, err := fmt.Fprint(p.people(), comparisonText(c)); err != nil {
		return err
	}
	b, err := p.Terminal.Comparison(c)
	return p.block(b, err)
}

// comparisonSummary has a row for each rank; the positions' rows come from COPY.
func comparisonSummary(c *executor.Comparison) *executor.Relation {
	r := &executor.Relation{Columns: []string{"rank", "image_first", "image_second", "model_first", "model_second", "class_first", "class_second",
		"p0_first", "p0_second", "positions", "pearson", "ssim", "largest_difference", "largest_x", "largest_y",
		"peak_x_first", "peak_y_first", "peak_p_drop_first", "peak_x_second", "peak_y_second", "peak_p_drop_second"}}
	for k, l := range c.Classes {
		a, b := c.First.Classes[k], c.Second.Classes[k]
		peakA, dropA := c.First.PeakOf(k)
		peakB, dropB := c.Second.PeakOf(k)
		r.Rows = append(r.Rows, []any{
			k + 1, c.First.Image, c.Second.Image, c.First.Plan.Model.Name, c.Second.Plan.Model.Name, a.Label, b.Label,
			a.P0, b.P0, len(c.First.Plan.Grid.Positions), l.Pearson, l.SSIM, l.Difference, l.At.X, l.At.Y,
			peakA.X, peakA.Y, dropA, peakB.X, peakB.Y, dropB,
		})
	}
	return r
}

// comparisonText is the summary for people.
func comparisonText(c *executor.Comparison) string {
	var t strings.Builder
	line := func(name, format string, args ...any) {
		t.WriteString(field(name, format, args...))
	}
	fmt.Fprintf(&t, "COMPARE %s USING %s WITH %s USING %s\n", c.First.Image, c.First.Plan.Model.Name, c.Second.Image, c.Second.Plan.Model.Name)
	line("grid", "%s", positionsText(c.First.Plan))
	for k, l := range c.Classes {
		if len(c.Classes) > 1 {
			fmt.Fprintf(&t, " rank %d\n", k+1)
		}
		for _, side := range []struct {
			name string
			of   *executor.HeatMap
		}{{"first", c.First}, {"second", c.Second}} {
			m, q := side.of.Classes[k], side.of.Plan
			peak, drop := side.of.PeakOf(k)
			how := q.Chosen().Name
			if similarity := side.of.Quality.Similarity(); similarity != "" {
				how += ", " + similarity
			}
			line(side.name, "%s (class %d), p0 = %.4f, fill %s, %s; %s", m.Label, m.ID, m.P0, q.Fill.Text, how, fallText(drop, peak, ""))
		}
		line("alike", "correlation %s, SSIM %s", digits(number(l.Pearson)), digits(number(l.SSIM)))
		line("apart", "at most by %+.4f, first - second, with the patch at (%d, %d)", l.Difference, l.At.X, l.At.Y)
	}
	run := func(h *executor.HeatMap) string { return planner.FormatSeconds(h.Actual.Run) }
	line("time", "run %s and %s", run(c.First), run(c.Second))
	return t.String()
}
