package explain

import (
	"fmt"
	"io"
	"strings"
	"time"

	"occlude/planner"
	"occlude/planner/cost"
)

// Text writes the report for people, at most 100 columns wide.
func (r *Report) Text(w io.Writer) error { return writeText(w, r.sections()) }

// sections are the report's parts in their order.
func (r *Report) sections() []section {
	sections := []section{r.header, r.tree}
	if a := r.Plan.Approximation; a != nil && a.Sampling != nil && len(a.Sampling.Stages) > 0 {
		sections = append(sections, r.samplingTable)
	}
	sections = append(sections, r.candidates)
	if r.asked("alternatives") {
		sections = append(sections, r.alternatives)
	}
	if r.asked("layers") {
		sections = append(sections, r.layerUpdates, r.layerCosts)
	}
	if r.asked("rules") {
		sections = append(sections, r.ruleTable)
	}
	return sections
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
func (r *Report) header(p page) error {
	var f facts
	f.add("Model", "%s (%s): %dx%d %s in, %s out", r.Model.Name, r.Model.File,
		r.Model.Width, r.Model.Height, r.Model.Channels, planner.Counted(r.Model.Classes, "class"))
	switch n := len(r.Images); {
	case n == 1:
		f.add("Image", "%s", r.Images[0])
	default:
		f.add("Images", "%d, %s to %s; estimates are for each", n, r.Images[0], r.Images[n-1])
	}
	f.add("Explains", "%s", r.Target)
	f.add("Grid", "%s", r.Grid)
	f.add("Fill", "%s", r.Fill)
	if r.Goal != nil {
		f.add("Goal", "%s", r.Goal)
	}
	if into := r.into(); into != nil {
		f.add("Into", "%s", strings.Join(into, ", "))
	}
	if r.Warning != "" {
		f.add("Warning", "%s", r.Warning)
	}
	f.add("Plan", "%s: batches of %d, %s; %s", r.Plan.Name, r.Plan.Batch,
		workers(r.Plan.Threads, r.Plan.Device), r.fullFrom())
	r.device(&f)
	if k := r.Plan.Kept; k != nil {
		f.add("Views", "kept by a query before (%s%s): no base pass", planner.FormatBytes(k.Bytes), r.each())
	}
	r.approximation(&f)
	if o := r.Plan.Order; o != nil {
		f.add("Order", "%s", o)
	}
	f.add("Kernels", "%s", r.kernels())
	f.add("Work", "%s", r.work())
	f.add("Expected", "%s", r.expected())
	r.memoryFacts(&f)
	f.add("Cost", "%s", r.cost())
	f.add("Rules", "%s", r.fired())
	if len(r.RuledOut) > 0 {
		f.add("Off", "%s", strings.Join(r.RuledOut, ", "))
	}
	if a := r.Actual; a != nil {
		result := fmt.Sprintf("class %s, p0 = %.4f", a.Class, a.P0)
		if len(r.Images) > 1 {
			result = a.Image + ": " + result
		}
		f.add("Result", "%s", result)
		took := fmt.Sprintf("run %s for %s", planner.FormatSeconds(a.RunSeconds), planner.Counted(a.Positions, "position"))
		if a.Sketches > 0 {
			took += " and " + planner.Counted(a.Sketches, "sketch")
		}
		if a.LoadSeconds > 0 || a.PlanSeconds > 0 { // accounted to the first of several images
			took = fmt.Sprintf("load %s, plan %s, %s", planner.FormatSeconds(a.LoadSeconds), planner.FormatSeconds(a.PlanSeconds), took)
		}
		f.add("Took", "%s", took)
		if kept := r.Plan.Kept != nil; kept && !a.Kept {
			f.add("But", "the views were no longer there, or the image has changed: its base pass was run")
		} else if a.Kept && !kept {
			f.add("But", "its views were kept by a query before: no base pass was run")
		}
	}
	return p.facts(&f)
}

// each says that an amount is that of one of several images.
func (r *Report) each() string {
	if len(r.Images) > 1 {
		return " each"
	}
	return ""
}

// into lists where the heat maps go, the table first.
func (r *Report) into() (list []string) {
	if r.Table != "" {
		list = append(list, "table "+r.Table)
	}
	for _, o := range r.Outputs {
		list = append(list, o.Path)
	}
	return list
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

// String says why the order is what it is, too.
func (o *Order) String() string {
	levels := make([]string, len(o.Levels))
	for i, n := range o.Levels {
		levels[i] = fmt.Sprint(n)
	}
	why := "PROGRESSIVE"
	if o.By == planner.BySetting {
		why = "SET progressive = on"
	}
	return fmt.Sprintf("coarse to fine, levels of %s positions, as %s asks", strings.Join(levels, ", "), why)
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
		return fmt.Sprintf("patch %s at %s given by hand", g.Patch, planner.Counted(g.Positions, "position"))
	}
	all := g.Rows * g.Cols
	shape := fmt.Sprintf("%d x %d", g.Rows, g.Cols)
	if g.Rows != g.Cols { // which is which would be a guess
		shape = planner.Counted(g.Rows, "row") + " x " + planner.Counted(g.Cols, "column")
	}
	s := fmt.Sprintf("patch %s, stride %s: %s = %s", g.Patch, g.Stride, shape, planner.Counted(all, "position"))
	if g.Where != "" {
		s += fmt.Sprintf(", %d after WHERE %s", g.Positions, g.Where)
	}
	if g.DropRim {
		s += "; the rim is left out"
	}
	return s
}

func (p Profile) String() string {
	when, _, _ := strings.Cut(p.Measured, "T")
	if p.Age > 0 {
		when += ", " + planner.FormatAge(time.Duration(p.Age*float64(time.Second))) + ","
	}
	switch cost.Kind(p.Kind) {
	case cost.OfModel:
		return fmt.Sprintf("calibrated %s with model %s on %s", when, p.Model, p.CPU)
	case cost.Quick:
		return fmt.Sprintf("uncalibrated: this machine's quick profile, measured %s on %s", when, p.CPU)
	}
	return fmt.Sprintf("uncalibrated: the default profile, measured %s on %s", when, p.CPU)
}

// kernels says how convolutions are computed, and what that makes of the result.
func (r *Report) kernels() string {
	s := r.Plan.Kernels
	for _, kind := range []struct {
		name string
		by   []AlgorithmCount
	}{{"convolutions", r.Plan.Algorithms}, {"fully connected", r.Plan.FullyConnected}} {
		var by []string
		for _, a := range kind.by {
			by = append(by, fmt.Sprintf("%d %s", a.Layers, a.Algorithm))
		}
		if len(by) > 0 {
			s += "; " + kind.name + ": " + strings.Join(by, ", ")
		}
	}
	if r.Plan.Convolution != planner.ConvolutionAuto {
		s += fmt.Sprintf("; forced by WITH (convolution = '%s')", r.Plan.Convolution)
	}
	return fmt.Sprintf("%s; expected error %s, tolerance %s", s, planner.FormatError(r.Plan.Error), planner.FormatError(r.Plan.Tolerance))
}

func (r *Report) fullFrom() string {
	if r.Plan.Name == planner.PlanFull {
		return "every layer is full"
	}
	if a := r.Plan.Approximation; a != nil && a.Sampling != nil {
		if a.Sampling.ExactBy == planner.PlanFull {
			return "samples by full inference"
		}
		return "samples by incremental inference, " + fullFrom(r.Plan.FullFrom)
	}
	return fullFrom(r.Plan.FullFrom)
}

func fullFrom(l *LayerRef) string {
	if l == nil {
		return "never full"
	}
	return fmt.Sprintf("full from layer %d on (%s)", l.Index, layerName(l.Name))
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

// expected is the time of the chosen plan, and its range.
func (r *Report) expected() string {
	e := r.Candidates[0].Estimate
	return planner.FormatRange(e.Seconds, e.Least, e.Most)
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
func (r *Report) tree(p page) error {
	t := table{columns: []column{{"operator", text}}}
	if r.Actual == nil {
		t.columns = append(t.columns, column{title: "seconds"}, column{title: "multiply-adds"}, column{title: "bytes"})
	} else {
		t.columns = append(t.columns, column{title: "seconds"}, column{title: "actual"}, column{title: "ratio"},
			column{title: "mult-adds"}, column{title: "actual"}, column{title: "bytes"}, column{title: "actual"})
	}
	// The numbers decide how much room the texts have.
	nodes := r.Operators.flatten("", "")
	seconds := secondsUpTo(r.longest())
	for _, n := range nodes {
		t.add(append([]string{""}, n.operator.cells(r.Actual != nil, seconds)...)...)
	}
	_, taken := t.widths()
	room := p.columns() - (taken - width("operator"))
	for i, n := range nodes {
		t.rows[i][0] = n.lines(room, r.Actual == nil)
	}
	return p.table(&t)
}

// longest is the longest time in the operator tree.
func (r *Report) longest() float64 {
	longest := r.Operators.Estimate.Seconds
	if r.Actual != nil {
		longest = max(longest, r.Actual.RunSeconds)
	}
	return longest
}

func (o *Operator) cells(actual bool, seconds func(float64) string) []string {
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

// lines is the node's text, on as many lines as it takes in room columns. Where
// measurements leave little room, a detail that does not fit is left out: the
// header has it too.
func (n node) lines(room int, details bool) string {
	s := n.operator.Name
	if d := oneLine(n.operator.Detail); d != "" && (details || width(n.first+s+": "+d) <= room) {
		s += ": " + d
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

// The cells of a table are empty where there is nothing to tell.

// secondsUpTo prints the times of a column whose longest is given, all with as
// many decimals, so that they can be compared at a glance.
func secondsUpTo(longest float64) func(float64) string {
	decimals := 1
	for v := longest; v < 100 && decimals < 6; v *= 10 {
		decimals++
	}
	return func(s float64) string {
		if s <= 0 {
			return ""
		}
		return fmt.Sprintf("%.*f", decimals, s)
	}
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
