package explain

import (
	"fmt"
	"strings"
)

// layerUpdates shows how the update grows from layer to layer.
func (r *Report) layerUpdates(p page) error {
	t := table{columns: []column{{title: "#"}, {"layer", name}, {"operation", text}, {title: "output"},
		{title: "least"}, {title: "most"}, {title: "mean"}, {title: "changed"}, {title: "whole"}}}
	names := r.layerNames()
	for i, l := range r.Layers {
		u := l.Update
		t.add(fmt.Sprint(l.Index), names[i], operation(l.Kind, l.Detail), l.Shape.String(),
			u.Min.String(), u.Max.String(), share(u.MeanShare), share(u.Changed), share(u.Whole))
	}
	if err := p.title("Updates: the rectangle of each layer to compute at a position, W x H cells; its mean as a\n" +
		"share of the map; the share of positions at which the layer changes, and changes as a whole"); err != nil {
		return err
	}
	return p.table(&t)
}

func (r *Report) layerNames() []string {
	names := make([]string, len(r.Layers))
	for i, l := range r.Layers {
		names[i] = l.Name
	}
	return layerNames(names)
}

// layerCosts shows where the time goes.
func (r *Report) layerCosts(p page) error {
	t := table{columns: []column{{title: "#"}, {"layer", name}, {"by", text}, {title: "full"}, {title: "incremental"}, {title: "fewer"},
		{title: "seconds"}, {title: "share"}}}
	if r.Plan.Approximation != nil {
		t.columns[4].title = r.Plan.Name
	}
	head := "Cost: what computes convolutions, multiply-adds of all positions, "
	if r.Plan.GPU != nil {
		head = "Cost: what computes convolutions and fully-connected layers, multiply-adds of all positions,\n"
	}
	head += fmt.Sprintf("seconds of the %s plan", r.Plan.Name)
	if r.Actual != nil {
		t.columns = append(t.columns, column{title: "actual"}, column{title: "ratio"}, column{title: "mult-adds"})
		head += ";\nbeside them the seconds and multiply-adds that were measured"
	}
	total, longest := 0.0, 0.0
	for _, l := range r.Layers {
		total += l.Seconds
		longest = max(longest, l.Seconds)
		if l.Actual != nil {
			longest = max(longest, l.Actual.Seconds)
		}
	}
	seconds := secondsUpTo(longest)
	names := r.layerNames()
	for i, l := range r.Layers {
		row := []string{fmt.Sprint(l.Index), names[i], l.Algorithm, amount(l.FullMACs), amount(l.IncrementalMACs),
			times(ratio(float64(l.FullMACs), float64(l.IncrementalMACs))), seconds(l.Seconds), share(ratio(l.Seconds, total))}
		if r.Actual != nil {
			a := LayerActual{}
			if l.Actual != nil {
				a = *l.Actual
			}
			row = append(row, seconds(a.Seconds), times(ratio(a.Seconds, l.Seconds)), amount(a.MACs))
		}
		t.add(row...)
	}
	if err := p.title(head); err != nil {
		return err
	}
	return p.table(&t)
}

// ruleTable lists every rule, with what it did.
func (r *Report) ruleTable(p page) error {
	names := 0
	for _, rule := range r.Rules {
		names = max(names, width(rule.Name))
	}
	room := p.columns() - names - gap - width("fired") - gap
	t := table{columns: []column{{"rule", text}, {title: "fired"}, {"what it does", text}}}
	for _, rule := range r.Rules {
		lines := wrap(rule.Doc, room)
		fired := ""
		switch {
		case rule.Off:
			fired = "off"
		case rule.Count > 0:
			fired = fmt.Sprint(rule.Count)
		}
		if len(rule.Layers) > 0 {
			lines = append(lines, "  "+oneLine(some(rule.Layers, room-2)))
		}
		t.add(rule.Name, fired, strings.Join(lines, "\n"))
	}
	return p.table(&t)
}

// some lists as many names as fit in n columns, and counts the others.
func some(names []string, n int) string {
	s := strings.Join(names, ", ")
	if width(s) <= n {
		return s
	}
	s = ""
	for i, name := range names {
		more := ""
		if rest := len(names) - i - 1; rest > 0 {
			more = fmt.Sprintf(" and %d more", rest)
		}
		longer := s + name
		if i > 0 {
			longer = s + ", " + name
		}
		if width(longer+more) > n {
			if i == 0 {
				return shortenMiddle(name, n-width(more)) + more
			}
			return fmt.Sprintf("%s and %d more", s, len(names)-i)
		}
		s = longer
	}
	return s
}

// operation describes what a layer does in a few words: "conv 3x3/2, relu".
func operation(kind, detail string) string {
	switch {
	case detail == "":
		return kind
	case kind == "activation":
		return detail
	case kind == "lrn" || detail[0] >= '0' && detail[0] <= '9':
		return kind + " " + detail
	}
	return kind + ", " + detail
}
