package explain

import (
	"fmt"
	"slices"
	"strings"

	"occlude/planner"
)

// candidates says what was chosen and why the others were not.
func (r *Report) candidates(p page) error {
	t := table{columns: []column{{"plan", text}, {"verdict", text}, {"because", text}}}
	names := 0
	for _, c := range r.Candidates {
		names = max(names, width(r.title(c)))
	}
	room := p.columns() - names - gap - width("rejected") - gap
	for _, c := range r.Candidates {
		verdict := "rejected"
		if c.Chosen {
			verdict = "chosen"
		}
		t.add(r.title(c), verdict, strings.Join(wrap(oneLine(c.Reason), room), "\n"))
	}
	return p.table(&t)
}

// title is the name of a candidate, with its device where there are several.
func (r *Report) title(c Candidate) string {
	if r.onGPU() {
		return c.Name + ", " + c.Device
	}
	return c.Name
}

// onGPU tells whether some candidate computes on a GPU.
func (r *Report) onGPU() bool {
	return slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.GPU != nil })
}

// alternatives are the estimates of all candidates. Where some are a GPU's, the device takes
// the place of the positions, if all compute as many, and its memory that of the views.
func (r *Report) alternatives(p page) error {
	second, held := column{title: "positions"}, column{title: "views"}
	gpu, alike := r.onGPU(), !slices.ContainsFunc(r.Candidates, func(c Candidate) bool { return c.Positions != r.Candidates[0].Positions })
	if gpu {
		held.title = "on GPU"
	}
	if gpu && alike {
		second = column{"device", text}
	}
	t := table{columns: []column{{"plan", text}, second, {title: "seconds"}, {title: "base"}, {title: "mult-adds"},
		{title: "bytes"}, held, {title: "batch"}, {title: "error"}, {"full from", name}}}
	seconds := secondsUpTo(slowest(r.Candidates))
	for _, c := range r.Candidates {
		from := "never"
		if c.FullFrom != nil {
			from = fmt.Sprintf("%d %s", c.FullFrom.Index, layerName(c.FullFrom.Name))
		}
		title, second := c.Name, c.Device
		if !gpu || !alike {
			title, second = r.title(c), fmt.Sprint(c.Positions)
		}
		e := c.Estimate
		held := e.ViewBytes
		if gpu {
			held = c.GPU.bytes()
		}
		t.add(title, second, seconds(e.Seconds), seconds(e.BaseSeconds), amount(e.MACs), memory(e.PeakBytes), memory(held),
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
