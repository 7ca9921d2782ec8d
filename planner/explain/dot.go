package explain

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"occlude/planner"
)

// DOT writes the report as a Graphviz graph: the operator tree, and with LAYERS
// the layer graph, its nodes the darker the more of the time they take.
func (r *Report) DOT(w io.Writer) error {
	var b bytes.Buffer
	b.WriteString("digraph explain {\n")
	b.WriteString("  graph [fontname=\"Helvetica\", labelloc=t, label=" + quote(wrap(oneLine(r.Statement), pageWidth)...) + "];\n")
	b.WriteString("  node [fontname=\"Helvetica\", fontsize=11, shape=box, style=\"filled,rounded\", fillcolor=white];\n")
	b.WriteString("  edge [fontname=\"Helvetica\", fontsize=9, arrowsize=0.7];\n")
	b.WriteString("  subgraph cluster_plan {\n    label=\"plan\";\n")
	id := 0
	r.Operators.dot(&b, &id, r.Operators.Estimate.Seconds)
	b.WriteString("  }\n")
	var f facts
	if r.device(&f); len(f.lines) > 0 {
		var label []string
		for _, l := range f.lines {
			label = append(label, wrap(l[0]+": "+l[1], pageWidth)...)
		}
		fmt.Fprintf(&b, "  device [shape=note, style=filled, label=%s];\n", quote(label...))
	}
	if r.Layers != nil {
		r.layerGraph(&b)
	}
	b.WriteString("}\n")
	_, err := w.Write(b.Bytes())
	return err
}

// dot writes the operator and those that feed it, and returns its number.
func (o *Operator) dot(b *bytes.Buffer, next *int, total float64) int {
	id := *next
	*next++
	label := []string{o.Name, o.Detail}
	share := 0.0
	if o.Estimate != nil {
		label = append(label, "estimated "+o.Estimate.String())
		if id > 0 { // the root is the sum
			share = ratio(o.Estimate.Seconds, total)
		}
	}
	if o.Actual != nil {
		label = append(label, "actual "+o.Actual.String())
	}
	fmt.Fprintf(b, "    op%d [label=%s, fillcolor=%s];\n", id, quote(label...), heat(share))
	for _, in := range o.Inputs {
		fmt.Fprintf(b, "    op%d -> op%d;\n", in.dot(b, next, total), id)
	}
	return id
}

// String lists the amounts that are not zero.
func (a *Amount) String() string {
	var parts []string
	if a.Seconds > 0 {
		parts = append(parts, planner.FormatSeconds(a.Seconds))
	}
	if s := amount(a.MACs); s != "" {
		parts = append(parts, s+" multiply-adds")
	}
	if s := memory(a.Bytes); s != "" {
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

func (r *Report) layerGraph(b *bytes.Buffer) {
	total := 0.0
	for _, l := range r.Layers {
		total += l.Seconds
	}
	b.WriteString("  subgraph cluster_layers {\n    label=\"layers\";\n")
	for _, l := range r.Layers {
		label := []string{fmt.Sprintf("%d %s", l.Index, l.Name), operation(l.Kind, l.Detail)}
		if l.Algorithm != "" {
			label[1] += " by " + l.Algorithm
		}
		if u := l.Update; u.Changed > 0 {
			label = append(label, fmt.Sprintf("%s, update %s to %s", l.Shape, u.Min, u.Max))
		} else {
			label = append(label, l.Shape.String()+", unchanged")
		}
		cost := Amount{Seconds: l.Seconds, MACs: l.IncrementalMACs}
		if r.Plan.Name == planner.PlanFull {
			cost.MACs = l.FullMACs
		}
		if s := cost.String(); s != "" {
			label = append(label, "estimated "+s)
		}
		if l.Actual != nil {
			if s := (&Amount{Seconds: l.Actual.Seconds, MACs: l.Actual.MACs}).String(); s != "" {
				label = append(label, "actual "+s)
			}
		}
		fmt.Fprintf(b, "    layer%d [label=%s, fillcolor=%s];\n", l.Index, quote(label...), heat(ratio(l.Seconds, total)))
	}
	for _, l := range r.Layers {
		for _, in := range l.Inputs {
			fmt.Fprintf(b, "    layer%d -> layer%d [label=%s];\n", in, l.Index, quote(r.Layers[in].Shape.String()))
		}
	}
	b.WriteString("  }\n")
}

// heat is a fill that goes from white to orange with a share of the time.
func heat(share float64) string {
	return fmt.Sprintf("\"0.080 %.3f 1.000\"", min(1, max(0, share)))
}

// quote makes one DOT string of lines.
func quote(lines ...string) string {
	escaped := make([]string, 0, len(lines))
	for _, l := range lines {
		l = strings.ReplaceAll(shortenMiddle(oneLine(l), pageWidth), `\`, `\\`)
		escaped = append(escaped, strings.ReplaceAll(l, `"`, `\"`))
	}
	return `"` + strings.Join(escaped, `\n`) + `"`
}
