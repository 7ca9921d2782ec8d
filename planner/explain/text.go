package explain

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"occlude/planner"
)

// Text writes the report for people, at most 100 columns wide.
func (r *Report) Text(w io.Writer) error {
	var b bytes.Buffer
	sections := []func(io.Writer) error{r.header, r.tree, r.candidates}
	if r.asked("layers") {
		sections = append(sections, r.layerUpdates, r.layerCosts)
	}
	if r.asked("rules") {
		sections = append(sections, r.ruleTable)
	}
	for i, section := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		if err := section(&b); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Report) asked(option string) bool {
	for _, o := range r.Options {
		if o == option {
			return true
		}
	}
	return false
}

// header says what is asked and how it is answered.
func (r *Report) header(w io.Writer) error {
	var f facts
	f.add("Model", "%s (%s): %dx%d %s in, %s out", r.Model.Name, r.Model.File,
		r.Model.Width, r.Model.Height, r.Model.Channels, count(r.Model.Classes, "class"))
	switch n := len(r.Images); {
	case n == 1:
		f.add("Image", "%s", r.Images[0])
	default:
		f.add("Images", "%d, %s to %s; estimates are for each", n, r.Images[0], r.Images[n-1])
	}
	f.add("Explains", "%s", r.Target)
	f.add("Grid", "%s", r.Grid)
	f.add("Fill", "%s", r.Fill)
	if len(r.Outputs) > 0 {
		names := make([]string, len(r.Outputs))
		for i, o := range r.Outputs {
			names[i] = o.Path
		}
		f.add("Into", "%s", strings.Join(names, ", "))
	}
	f.add("Plan", "%s: batches of %d, %s; %s", r.Plan.Name, r.Plan.Batch,
		count(r.Plan.Threads, r.Plan.Device+" thread"), r.fullFrom())
	f.add("Work", "%s", r.work())
	f.add("Cost", "%s", r.Profile)
	f.add("Rules", "%s", r.fired())
	if a := r.Actual; a != nil {
		f.add("Result", "class %s, p0 = %.4f; %s in %s", a.Class, a.P0,
			count(a.Positions, "position"), planner.FormatSeconds(a.RunSeconds))
		f.add("Before", "load %s, plan %s", planner.FormatSeconds(a.LoadSeconds), planner.FormatSeconds(a.PlanSeconds))
	}
	return f.write(w)
}

func (t Target) String() string {
	switch {
	case t.Top == 1:
		return "the most probable class"
	case t.Top > 1:
		return fmt.Sprintf("the %d most probable classes", t.Top)
	}
	names := make([]string, len(t.Classes))
	for i, c := range t.Classes {
		names[i] = fmt.Sprintf("class %d", c.ID)
		if c.Label != fmt.Sprint(c.ID) {
			names[i] += fmt.Sprintf(" %q", c.Label)
		}
	}
	return strings.Join(names, ", ")
}

func (s Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

func (s Shape) String() string {
	if s.Height == 1 && s.Width == 1 {
		return fmt.Sprint(s.Channels)
	}
	return fmt.Sprintf("%dx%dx%d", s.Width, s.Height, s.Channels)
}

func (g Grid) String() string {
	if g.Listed {
		return fmt.Sprintf("patch %s at %s given by hand", g.Patch, count(g.Positions, "position"))
	}
	all := g.Rows * g.Cols
	s := fmt.Sprintf("patch %s, stride %s: %d x %d = %s", g.Patch, g.Stride, g.Rows, g.Cols, count(all, "position"))
	if g.Where != "" {
		s += fmt.Sprintf(", %d after WHERE %s", g.Positions, g.Where)
	}
	if g.DropRim {
		s += "; the rim is left out"
	}
	return s
}

func (p Profile) String() string {
	where := fmt.Sprintf("measured %s on %s", p.Measured, p.CPU)
	if p.Calibrated {
		return "calibrated: " + where
	}
	return "uncalibrated: the default profile, " + where
}

func (r *Report) fullFrom() string {
	if r.Plan.Name == planner.PlanFull {
		return "every layer is full"
	}
	return fullFrom(r.Plan.FullFrom)
}

func fullFrom(l *LayerRef) string {
	if l == nil {
		return "never full"
	}
	return fmt.Sprintf("full from layer %d %q on", l.Index, l.Name)
}

func (r *Report) work() string {
	s := planner.FormatCount(r.Plan.MACs) + " multiply-adds"
	if r.Plan.Name == planner.PlanFull {
		return s
	}
	if r.Plan.Speedup >= 1 {
		return fmt.Sprintf("%s, %s fewer than full inference (%s)", s, times(r.Plan.Speedup), planner.FormatCount(r.Plan.FullMACs))
	}
	return fmt.Sprintf("%s, %s those of full inference (%s)", s,
		times(ratio(1, r.Plan.Speedup)), planner.FormatCount(r.Plan.FullMACs))
}

// fired lists the rules that fired, with how often.
func (r *Report) fired() string {
	var names []string
	for _, rule := range r.Rules {
		if rule.Count > 0 {
			names = append(names, fmt.Sprintf("%s %d", rule.Name, rule.Count))
		}
	}
	if names == nil {
		return "none fired"
	}
	return strings.Join(names, ", ")
}

// tree is the operator tree with the cost of each node.
func (r *Report) tree(w io.Writer) error {
	t := table{columns: []column{{"operator", text}}}
	if r.Actual == nil {
		t.columns = append(t.columns, column{title: "seconds"}, column{title: "multiply-adds"}, column{title: "bytes"})
	} else {
		t.columns = append(t.columns, column{title: "estimate"}, column{title: "actual"}, column{title: "ratio"},
			column{title: "multiply-adds"}, column{title: "actual"}, column{title: "bytes"}, column{title: "actual"})
	}
	// The numbers decide how much room the texts have.
	nodes := r.Operators.flatten("", "")
	for _, n := range nodes {
		t.add(append([]string{""}, n.operator.cells(r.Actual != nil)...)...)
	}
	_, taken := t.widths()
	room := pageWidth - (taken - width("operator"))
	for i, n := range nodes {
		t.rows[i][0] = n.lines(room)
	}
	return t.write(w)
}

func (o *Operator) cells(actual bool) []string {
	var e, a Amount
	if o.Estimate != nil {
		e = *o.Estimate
	}
	if !actual {
		return []string{seconds(e.Seconds), amount(e.MACs), memory(e.Bytes)}
	}
	if o.Actual != nil {
		a = *o.Actual
	}
	return []string{seconds(e.Seconds), seconds(a.Seconds), times(ratio(a.Seconds, e.Seconds)),
		amount(e.MACs), amount(a.MACs), memory(e.Bytes), memory(a.Bytes)}
}

// node is an operator with the branches that are drawn before its first line
// and before those that follow.
type node struct {
	operator    *Operator
	first, next string
}

func (o *Operator) flatten(first, next string) []node {
	bar := "   "
	if len(o.Inputs) > 0 {
		bar = "│  "
	}
	nodes := []node{{o, first, next + bar}}
	for i, in := range o.Inputs {
		if i == len(o.Inputs)-1 {
			nodes = append(nodes, in.flatten(next+"└─ ", next+"   ")...)
		} else {
			nodes = append(nodes, in.flatten(next+"├─ ", next+"│  ")...)
		}
	}
	return nodes
}

// lines is the node's text, on as many lines as it takes in n columns.
func (n node) lines(room int) string {
	s := n.operator.Name
	if n.operator.Detail != "" {
		s += ": " + oneLine(n.operator.Detail)
	}
	lines := wrap(s, room-width(n.next))
	for i := range lines {
		if i == 0 {
			lines[i] = n.first + lines[i]
		} else {
			lines[i] = n.next + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// candidates says what was chosen and why the others were not.
func (r *Report) candidates(w io.Writer) error {
	t := table{columns: []column{{"plan", text}, {"", text}, {"because", text}}}
	for _, c := range r.Candidates {
		verdict := "rejected"
		if c.Chosen {
			verdict = "chosen"
		}
		t.add(c.Name, verdict, c.Reason)
	}
	if err := t.write(w); err != nil || !r.asked("alternatives") {
		return err
	}
	if _, err := fmt.Fprintln(w); err != nil {
		return err
	}
	t = table{columns: []column{{"plan", text}, {title: "seconds"}, {title: "base pass"}, {title: "multiply-adds"},
		{title: "bytes"}, {title: "of them views"}, {title: "batch"}, {"full from", name}}}
	for _, c := range r.Candidates {
		from := "never"
		if c.FullFrom != nil {
			from = fmt.Sprintf("%d %s", c.FullFrom.Index, c.FullFrom.Name)
		}
		e := c.Estimate
		t.add(c.Name, seconds(e.Seconds), seconds(e.BaseSeconds), amount(e.MACs), memory(e.PeakBytes), memory(e.ViewBytes),
			fmt.Sprint(c.Batch), from)
	}
	return t.write(w)
}

// layerUpdates shows how the update grows from layer to layer.
func (r *Report) layerUpdates(w io.Writer) error {
	t := table{columns: []column{{title: "#"}, {"layer", name}, {"operation", text}, {title: "output"},
		{title: "least"}, {title: "most"}, {title: "mean"}, {title: "changed"}, {title: "whole"}}}
	for _, l := range r.Layers {
		u := l.Update
		t.add(fmt.Sprint(l.Index), l.Name, operation(l.Kind, l.Detail), l.Shape.String(),
			u.Min.String(), u.Max.String(), share(u.MeanShare), share(u.Changed), share(u.Whole))
	}
	if err := title(w, "Updates: the rectangle of each layer to compute at a position, W x H cells; its mean as a\n"+
		"share of the map; the share of positions at which the layer changes, and changes as a whole"); err != nil {
		return err
	}
	return t.write(w)
}

// layerCosts shows where the time goes.
func (r *Report) layerCosts(w io.Writer) error {
	t := table{columns: []column{{title: "#"}, {"layer", name}, {title: "full"}, {title: "incremental"}, {title: "fewer"},
		{title: "seconds"}, {title: "share"}}}
	if r.Actual != nil {
		t.columns = append(t.columns, column{title: "actual"}, column{title: "ratio"}, column{title: "multiply-adds"})
	}
	total := 0.0
	for _, l := range r.Layers {
		total += l.Seconds
	}
	for _, l := range r.Layers {
		row := []string{fmt.Sprint(l.Index), l.Name, amount(l.FullMACs), amount(l.IncrementalMACs),
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
	if err := title(w, fmt.Sprintf("Cost: multiply-adds of all positions under both plans, and seconds of the %s plan", r.Plan.Name)); err != nil {
		return err
	}
	return t.write(w)
}

// ruleTable lists every rule, with what it did.
func (r *Report) ruleTable(w io.Writer) error { return writeRules(w, r.Rules) }

func writeRules(w io.Writer, rules []Rule) error {
	t := table{columns: []column{{"rule", text}, {title: "fired"}, {"what it does, and the layers it changed or dropped", text}}}
	for _, rule := range rules {
		what := rule.Doc
		if len(rule.Layers) > 0 {
			what += "\n  " + strings.Join(rule.Layers, ", ")
		}
		fired := "-"
		if rule.Count > 0 {
			fired = fmt.Sprint(rule.Count)
		}
		t.add(rule.Name, fired, what)
	}
	return t.write(w)
}

func title(w io.Writer, s string) error {
	_, err := fmt.Fprintln(w, s)
	return err
}

func operation(kind, detail string) string {
	if detail == "" {
		return kind
	}
	return kind + " " + detail
}

// The cells of a table: a dash where there is nothing to tell.

func seconds(s float64) string {
	if s <= 0 {
		return ""
	}
	return planner.FormatSeconds(s)
}

func amount(n int64) string {
	if n == 0 {
		return ""
	}
	return planner.FormatCount(n)
}

func memory(n int64) string {
	if n <= 0 {
		return ""
	}
	return planner.FormatBytes(n)
}

func share(f float64) string {
	switch {
	case f <= 0:
		return ""
	case f < .001:
		return "<0.1%"
	case f < .0995:
		return fmt.Sprintf("%.1f%%", f*100)
	}
	return fmt.Sprintf("%.0f%%", f*100)
}

// times prints a factor.
func times(f float64) string {
	switch {
	case f <= 0:
		return ""
	case f < 1.995:
		return fmt.Sprintf("%.2fx", f)
	case f < 99.95:
		return fmt.Sprintf("%.1fx", f)
	}
	return fmt.Sprintf("%.0fx", f)
}
