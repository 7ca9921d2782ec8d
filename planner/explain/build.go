package explain

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/planner"
	"occlude/planner/rewrite"
)

// builder fills a report from a plan.
type builder struct {
	explain *planner.Explain
	query   *planner.Occlude
	actual  *planner.Actuals
}

func (b *builder) report() *Report {
	q := b.query
	r := &Report{
		Version:   Version,
		Statement: q.Statement(),
		Options:   b.options(),
		Model:     b.model(),
		Images:    append([]string{}, q.Images...),
		Target:    b.target(),
		Grid:      b.grid(),
		Fill:      q.Fill.Text,
		Goal:      goalOf(q.Goals),
		Outputs:   []Output{},
		Table:     q.Table,
		Warning:   q.Departs,
		Colormap:  q.Colormap,
		Plan:      b.plan(),
		Profile:   profile(q.Profile, q.ProfileAge),
		Rules:     rules(q.Fired, b.explain.Rules, q.Off),
		RuledOut:  append([]string{}, q.Off...),
		Actual:    b.measured(),
	}
	for _, o := range q.Outputs {
		r.Outputs = append(r.Outputs, Output{o.Path, o.Format})
	}
	for i, c := range q.Candidates {
		r.Candidates = append(r.Candidates, Candidate{
			Name: c.Name, Device: deviceOf(c), Chosen: i == 0, Reason: c.Reason, Positions: c.Positions(), Threads: c.Threads, Batch: c.Batch,
			GPU: gpuOf(c), FullFrom: b.fullFrom(c), Algorithms: b.convolutions(c), FullyConnected: b.fullyConnected(c), Estimate: rounded(c.Estimate),
		})
	}
	if b.explain.Layers {
		r.Layers = b.layers()
	}
	r.Operators = b.operators(r)
	return r
}

func (b *builder) options() []string {
	on := []string{}
	for _, o := range []struct {
		name string
		on   bool
	}{
		{"analyze", b.explain.Analyze}, {"alternatives", b.explain.Alternatives},
		{"layers", b.explain.Layers}, {"rules", b.explain.Rules},
	} {
		if o.on {
			on = append(on, o.name)
		}
	}
	return on
}

func (b *builder) model() Model {
	m := b.query.Model
	return Model{
		Name: m.Name, File: m.Path, Hash: m.Hash, Width: m.Spec.Width, Height: m.Spec.Height,
		Channels: m.Spec.Channels.String(), Resize: m.Spec.Resize.String(),
		Classes: m.Classes, Layers: len(b.query.Net.Layers),
	}
}

func (b *builder) target() Target {
	t := Target{Top: b.query.Target.Top}
	for _, c := range b.query.Target.Classes {
		t.Classes = append(t.Classes, Class{c, b.query.Model.Label(c)})
	}
	return t
}

func (b *builder) grid() Grid {
	g := b.query.Grid
	return Grid{
		Patch: Size{g.PatchW, g.PatchH}, Stride: Size{g.StrideW, g.StrideH},
		Listed: g.Listed, DropRim: g.DropRim, Rows: g.Rows(), Cols: g.Cols(),
		Where: b.query.Where, Positions: len(g.Positions),
	}
}

func (b *builder) plan() Plan {
	q, c := b.query, b.query.Chosen()
	base := q.Net.Work().MACs
	p := Plan{
		Name: c.Name, Forced: c.Forced, Device: q.Device, NoDevice: q.NoDevice, GPU: gpuOf(c), Threads: q.Threads, Batch: c.Batch, Seed: q.Seed, MemoryLimit: q.MemoryLimit, ThreadsAllowed: max(q.Allowed, q.Threads),
		Kernels: q.Choice().Kernels, Convolution: q.Convolution, Algorithms: b.convolutions(c), FullyConnected: b.fullyConnected(c),
		Error: significant(c.Estimate.Error), Tolerance: q.Tolerance,
		FullFrom: b.fullFrom(c), MACs: c.Estimate.MACs,
		FullMACs: base * int64(len(q.Grid.Positions)+1),
	}
	if c.Views != nil {
		p.Kept = &KeptViews{c.Views.Bytes}
	}
	p.Speedup = ratio(float64(p.FullMACs), float64(p.MACs))
	p.Approximation = b.approximation(c)
	if c.Levels != nil {
		p.Order = &Order{q.Progressive, c.Levels.Sizes()}
	}
	return p
}

// convolutions counts what a candidate computes convolutions by.
func (b *builder) convolutions(c *planner.Candidate) []AlgorithmCount {
	return b.algorithms(c, func(op network.Op) bool { _, is := op.(network.Conv); return is })
}

// fullyConnected counts the same of fully-connected layers, for which a GPU has several ways.
func (b *builder) fullyConnected(c *planner.Candidate) []AlgorithmCount {
	if c.Device == nil {
		return nil
	}
	return b.algorithms(c, func(op network.Op) bool { _, is := op.(network.Dense); return is })
}

// algorithms counts what a candidate's layers of a kind are computed by, in the order of the
// planner's table.
func (b *builder) algorithms(c *planner.Candidate, kind func(network.Op) bool) []AlgorithmCount {
	times := map[operators.Algorithm]int{}
	for i, l := range b.query.Net.Layers {
		if kind(l.Op) {
			times[c.Algorithms[i]]++
		}
	}
	counts := []AlgorithmCount{}
	for _, a := range append(operators.AllAlgorithms(), operators.Tensor) {
		if n := times[a]; n > 0 {
			counts = append(counts, AlgorithmCount{string(a), n})
		}
	}
	return counts
}

func (b *builder) fullFrom(c *planner.Candidate) *LayerRef {
	if c.FullFrom >= len(b.query.Net.Layers) {
		return nil
	}
	return &LayerRef{c.FullFrom, b.query.Net.Layers[c.FullFrom].Name}
}

func (b *builder) measured() *Actual {
	a := b.actual
	if a == nil {
		return nil
	}
	sketches := 0
	for _, s := range a.Stages {
		sketches += s.Sketches
	}
	return &Actual{
		Image: a.Image, Class: a.Class, P0: a.P0, Positions: a.Positions - sketches, Sketches: sketches,
		LoadSeconds: a.Load, PlanSeconds: a.Plan, RunSeconds: a.Run,
		BaseSeconds: a.BaseSeconds, Kept: a.Kept, UpdateSeconds: a.UpdateSeconds,
		MACs: a.MACs(), BaseMACs: a.Base.MACs(), PeakBytes: a.PeakBytes, ViewBytes: a.ViewBytes, Memory: memoryOf(a.Memory),
		Device: deviceActual(b.query, a),
	}
}

// rules lists what the rewrites did: those that fired, or all in their order.
func rules(fired []rewrite.Fired, all bool, off []string) []Rule {
	byName := map[string]rewrite.Fired{}
	out := []Rule{}
	for _, f := range fired {
		byName[f.Rule] = f
	}
	table := append([]rewrite.Rule{{Name: "fold-shapes",
		Doc: "compute what depends on shapes and weights alone when the model is loaded"}}, rewrite.Rules()...)
	for _, r := range table {
		f, ok := byName[r.Name]
		if ok || all {
			out = append(out, Rule{r.Name, r.Doc, f.Count, f.Layers, slices.Contains(off, settings.SwitchOf(r.Name))})
		}
	}
	return out
}

// layers describes each layer by what incremental inference has to do of it, also
// where full inference was chosen, or by what an approximate plan does.
func (b *builder) layers() []Layer {
	q := b.query
	incremental := q.Chosen()
	for _, c := range q.Candidates {
		if q.Chosen().Rects.Rule == planner.Whole && c.Rects.Rule == planner.Traced {
			incremental = c
		}
	}
	positions := float64(incremental.Positions())
	out := make([]Layer, len(q.Net.Layers))
	for i, l := range q.Net.Layers {
		e := incremental.Layers[i]
		d := Layer{
			Index: i, Name: l.Name, Kind: l.Op.Kind(), Detail: l.Op.Detail(), Inputs: indices(l),
			Shape: Shape{l.Shape.H, l.Shape.W, l.Shape.C},
			Update: Update{
				Min: Size{e.Min.W(), e.Min.H()}, Max: Size{e.Max.W(), e.Max.H()},
				MeanCells: ratio(float64(e.Cells), float64(e.Runs)),
				Changed:   ratio(float64(e.Runs), positions), Whole: ratio(float64(e.Whole), positions),
			},
			FullMACs:        l.Work(l.Shape.Whole()).MACs * int64(len(q.Grid.Positions)),
			IncrementalMACs: e.Work.MACs,
			Seconds:         round(q.Chosen().Layers[i].Seconds),
			Algorithm:       string(q.Chosen().Algorithms[i]),
		}
		if i == 0 { // planning computes nothing of the input, which is the patch itself
			patch := Size{q.Grid.PatchW, q.Grid.PatchH}
			d.Update = Update{Min: patch, Max: patch, MeanCells: float64(patch.Width * patch.Height), Changed: 1}
			if l.Shape.W == patch.Width && l.Shape.H == patch.Height {
				d.Update.Whole = 1
			}
		}
		d.Update.MeanShare = ratio(d.Update.MeanCells, float64(l.Shape.Cells()))
		if b.actual != nil && i < len(b.actual.Updates.Layers) {
			s := b.actual.Updates.Layers[i]
			d.Actual = &LayerActual{round(float64(s.Nanos) / 1e9 / float64(max(q.Threads, 1))), s.MACs}
		}
		out[i] = d
	}
	return out
}

// operators builds the tree.
func (b *builder) operators(r *Report) *Operator {
	q, c, a := b.query, b.query.Chosen(), r.Actual
	e := rounded(c.Estimate)
	s := q.Net.Input().Shape

	read := &Operator{Name: "Read image", Detail: fmt.Sprintf("%s to %dx%d %s", r.Model.Resize, s.W, s.H, r.Model.Channels)}
	patch := &Operator{Name: "Cover the patch", Detail: fmt.Sprintf("%dx%d pixels with %s", q.Grid.PatchW, q.Grid.PatchH, q.Fill.Text)}
	base := &Operator{
		Name: "Materialize views", Detail: fmt.Sprintf("base pass over %s", planner.Counted(len(q.Net.Layers)-1, "layer")),
		Estimate: &Amount{e.BaseSeconds, e.BaseMACs, e.ViewBytes}, Inputs: []*Operator{read},
	}
	switch {
	case c.Views != nil:
		base.Name, base.Detail, base.Inputs = "Kept views", "of a query before, no base pass", nil
	case c.Rects.Rule == planner.Whole:
		base.Name, base.Detail = "Base pass", "the whole image, for p0"
	}
	if g := c.Estimate.OnGPU; g != nil && g.BringSeconds > 0 {
		bring := &Operator{Name: "Bring weights", Detail: "to " + q.Device, Estimate: &Amount{Seconds: round(g.BringSeconds), Bytes: g.Weights}}
		base.Estimate.Seconds = round(e.BaseSeconds - bring.Estimate.Seconds)
		base.Inputs = append(base.Inputs, bring)
	}
	maps := &Operator{Name: "Heat map", Detail: heatMap(r), Inputs: []*Operator{b.updates(r, base, patch)}}
	write := &Operator{
		Name: "Write", Detail: fixedCost, Estimate: &Amount{Seconds: e.WriteSeconds}, Inputs: []*Operator{maps},
	}
	if into := r.into(); into == nil {
		write.Name = "Summarize"
	} else {
		write.Detail = strings.Join(into, ", ") + "; " + fixedCost
	}
	root := &Operator{
		Name: "Occlude", Detail: image(r), Estimate: &Amount{e.Seconds, e.MACs, e.PeakBytes}, Inputs: []*Operator{write},
	}
	if a != nil {
		root.Actual = &Amount{a.RunSeconds, a.MACs, a.PeakBytes}
		write.Actual = &Amount{Seconds: max(0, round(a.RunSeconds-a.BaseSeconds-a.UpdateSeconds))}
		base.Actual = &Amount{a.BaseSeconds, a.BaseMACs, a.ViewBytes}
	}
	return root
}

const fixedCost = "reading, drawing and writing at a fixed cost"

func heatMap(r *Report) string {
	classes := planner.Counted(max(r.Target.Top, len(r.Target.Classes)), "class")
	if r.Grid.Listed {
		return fmt.Sprintf("%s, a list of %s", classes, planner.Counted(r.Grid.Positions, "position"))
	}
	size := fmt.Sprintf("%s, %d x %d", classes, r.Grid.Rows, r.Grid.Cols)
	if r.Plan.Order != nil {
		size += ", coarse to fine"
	}
	return size
}

func image(r *Report) string {
	if r.Actual != nil {
		return r.Actual.Image
	}
	if len(r.Images) == 1 {
		return r.Images[0]
	}
	return fmt.Sprintf("each of %d images", len(r.Images))
}

// ratio is a over b, 0 where there is nothing to divide by.
func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return round(a / b)
}

// round keeps nine decimals, nanoseconds of a time: what lies behind them is no
// knowledge, and not the same on every processor.
func round(v float64) float64 { return math.Round(v*1e9) / 1e9 }

// significant keeps three digits of a small number.
func significant(v float64) float64 {
	short, err := strconv.ParseFloat(strconv.FormatFloat(v, 'e', 2, 64), 64)
	if err != nil {
		return v
	}
	return short
}

// rounded is an estimate with rounded times.
func rounded(e planner.Estimate) Estimate {
	return Estimate{
		Seconds: round(e.Seconds), Least: round(e.Least), Most: round(e.Most), BaseSeconds: round(e.BaseSeconds), WriteSeconds: round(e.WriteSeconds),
		MACs: e.MACs, BaseMACs: e.BaseMACs, PeakBytes: e.PeakBytes, ViewBytes: e.ViewBytes, Memory: memoryOf(e.Memory), Error: significant(e.Error),
	}
}
