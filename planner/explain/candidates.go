package explain

import (
	"fmt"
	"strings"

	"occlude/planner"
)

// candidates says what was chosen and why the others were not.
func (r *Report) candidates(p page) error {
	t := table{columns: []column{{"plan", text}, {"verdict", text}, {"because", text}}}
	names := 0
	for _, c := range r.Candidates {
		names = max(names, width(c.Name))
	}
	room := p.columns() - names - gap - width("rejected") - gap
	for _, c := range r.Candidates {
		verdict := "rejected"
		if c.Chosen {
			verdict = "chosen"
		}
		t.add(c.Name, verdict, strings.Join(wrap(oneLine(c.Reason), room), "\n"))
	}
	return p.table(&t)
}

// alternatives are the estimates of all candidates.
func (r *Report) alternatives(p page) error {
	t := table{columns: []column{{"plan", text}, {title: "positions"}, {title: "seconds"}, {title: "base"}, {title: "mult-adds"},
		{title: "bytes"}, {title: "views"}, {title: "batch"}, {title: "error"}, {"full from", name}}}
	seconds := secondsUpTo(slowest(r.Candidates))
	for _, c := range r.Candidates {
		from := "never"
		if c.FullFrom != nil {
			from = fmt.Sprintf("%d %s", c.FullFrom.Index, layerName(c.FullFrom.Name))
		}
		e := c.Estimate
		t.add(c.Name, fmt.Sprint(c.Positions), seconds(e.Seconds), seconds(e.BaseSeconds), amount(e.MACs), memory(e.PeakBytes), memory(e.ViewBytes),
			fmt.Sprint(c.Batch), planner.FormatError(e.Error), from)
	}
	return p.table(&t)
}

func slowest(candidates []Candidate) float64 {
	s := 0.0
	for _, c := range candidates {
		s = max(s, c.Estimate.Seconds)
	}
	return s
}
