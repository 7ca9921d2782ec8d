package planner_test

import (
	"fmt"
	"strings"

	"occlude/planner"
)

// evaluation describes what EVALUATE is bound to.
func evaluation(p *planner.Evaluate) string {
	var b strings.Builder
	q := p.Query
	fmt.Fprintf(&b, "evaluate %d positions of %q by", len(q.Grid.Positions), q.Images)
	for _, m := range p.Metrics {
		fmt.Fprintf(&b, "\n%s: %s", m.Text, m.Direction())
		switch {
		case m.Curved():
			fmt.Fprintf(&b, ", fill %s %+v", m.Fill.Text, m.Fill)
		case m.Box.Mask != "":
			fmt.Fprintf(&b, ", mask")
			for _, image := range q.Images {
				b.WriteString(" " + m.Box.For(image))
			}
		default:
			fmt.Fprintf(&b, ", box %v", m.Box.Rect)
		}
	}
	fmt.Fprintf(&b, "\nmargin %g", p.Margin)
	if p.Walk == nil {
		return b.String() + ", no curves"
	}
	c := p.Walk.Chosen()
	fmt.Fprintf(&b, ", steps %d, even %t, random %d, seed %d: %d images besides the ends, %s, batch %d", p.Steps, p.Even, p.Random, p.Seed,
		p.StepsEach(), c.Name, c.Batch)
	if p.Incremental != (c.Rects.Rule == planner.Traced) {
		b.WriteString(" AGAINST ITS RECTANGLES")
	}
	return b.String()
}
