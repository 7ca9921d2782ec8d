package explain

import (
	"fmt"
	"math"
	"strings"

	"occlude/planner"
)

// Goal is what a query asks of its answer.
type Goal struct {
	SSIM      float64 `json:"ssim,omitempty"`
	Within    float64 `json:"within_seconds,omitempty"`
	OrFail    bool    `json:"or_fail,omitempty"`
	Verify    int     `json:"verify_positions,omitempty"`
	VerifyAll bool    `json:"verify_all,omitempty"`
}

// Sampling is how an adaptive plan chooses its positions.
type Sampling struct {
	// SSIM, Pearson and Top10Overlap are what ends it, if a map can be expected to have
	// them; all 0 for whatever the time allows.
	SSIM         float64 `json:"ssim"`
	Pearson      float64 `json:"pearson"`
	Top10Overlap float64 `json:"top10_overlap"`
	// ExactBy is the exact plan by which samples are computed.
	ExactBy string `json:"exact_by"`
	// SecondsExact are a position's.
	SecondsExact float64 `json:"seconds_per_position"`
	// Sketches is nil where no positions are computed cheaply.
	Sketches *Sketches `json:"sketches,omitempty"`
	// Stages are what was found, with ANALYZE.
	Stages []SamplingStage `json:"stages,omitempty"`
}

// Sketches are positions that are computed cheaply.
type Sketches struct {
	// Tau is the threshold of those that the map is interpolated between, RoughTau
	// that of a map all of which is sketched, by RoughTauBy: default, curve (of ANALYZE
	// MODEL) or hint.
	Tau        float64 `json:"tau"`
	RoughTau   float64 `json:"rough_tau"`
	RoughTauBy string  `json:"rough_tau_by"`
	// Seconds and RoughSeconds are a sketch's.
	Seconds      float64 `json:"seconds"`
	RoughSeconds float64 `json:"rough_seconds"`
	// Trend is the last of the layers that are computed at every position for a trend
	// of the map, nil where all are taken to first order; TrendSeconds are all
	// positions'.
	Trend        *LayerRef `json:"trend_until"`
	TrendSeconds float64   `json:"trend_seconds"`
}

// SamplingStage is what a stage of an adaptive plan took and found.
type SamplingStage struct {
	Positions       int     `json:"positions"`
	Sketches        int     `json:"sketches"` // computed cheaply
	Seconds         float64 `json:"seconds"`
	EstimateSeconds float64 `json:"estimate_seconds"`
	MACs            int64   `json:"multiply_adds"`
	SSIM            float64 `json:"ssim_estimated"`
	SSIMLower       float64 `json:"ssim_lower_bound"`
}

func goalOf(g planner.Goals) *Goal {
	if g == (planner.Goals{}) {
		return nil
	}
	return &Goal{SSIM: g.SSIM, Within: g.Within.Seconds(), OrFail: g.OrFail, Verify: g.Verify, VerifyAll: g.VerifyAll}
}

func (g *Goal) String() string {
	var parts []string
	if g.SSIM > 0 {
		parts = append(parts, fmt.Sprintf("SSIM >= %g", g.SSIM))
	}
	if g.Within > 0 {
		s := fmt.Sprintf("within %g seconds", g.Within)
		if g.Within == 1 {
			s = "within 1 second"
		}
		if g.OrFail {
			s += " or fail"
		}
		parts = append(parts, s)
	}
	switch {
	case g.VerifyAll:
		parts = append(parts, "verified by the exact map")
	case g.Verify > 0:
		parts = append(parts, "verified at "+planner.Counted(g.Verify, "random position"))
	}
	return strings.Join(parts, "; ")
}

// sampling describes an adaptive candidate, nil for others.
func (b *builder) sampling(c *planner.Candidate) *Sampling {
	a := c.Adaptive
	if a == nil {
		return nil
	}
	s := &Sampling{SSIM: a.SSIM, Pearson: a.Pearson, Top10Overlap: a.Top10Overlap, ExactBy: planner.PlanIncremental, SecondsExact: round(a.SecondsExact)}
	if c.Rects.Rule == planner.Whole {
		s.ExactBy = planner.PlanFull
	}
	if a.Sketches() {
		s.Sketches = &Sketches{
			Tau: a.Sketch.Tau, RoughTau: a.Whole.Tau, RoughTauBy: string(a.TauBy),
			Seconds: round(a.SketchCost * a.SecondsExact), RoughSeconds: round(a.WholeCost * a.SecondsExact), TrendSeconds: round(a.SecondsFeature),
		}
		if i := a.Feature.Until; i > 0 {
			s.Sketches.Trend = &LayerRef{i, b.query.Net.Layers[i].Name}
		}
	}
	if b.actual != nil {
		for _, t := range b.actual.Stages {
			s.Stages = append(s.Stages, SamplingStage{
				Positions: t.Positions, Sketches: t.Sketches, Seconds: round(t.Seconds), EstimateSeconds: round(t.EstimateSeconds),
				MACs: t.MACs, SSIM: round(t.SSIM), SSIMLower: round(t.SSIMLower),
			})
		}
	}
	return s
}

// samplingOperators are those of an adaptive plan.
func (b *builder) samplingOperators(r *Report, verify *Operator, inputs ...*Operator) *Operator {
	c, a := b.query.Chosen(), r.Actual
	e, s := c.Estimate, r.Plan.Approximation.Sampling
	from := inputs
	var backward *Operator
	if s.Sketches != nil {
		detail := "gradient of each class's score"
		if s.Sketches.Trend != nil {
			detail += "; the trend of all positions"
		}
		backward = &Operator{Name: "Backward pass", Detail: detail,
			Estimate: &Amount{round(e.BackwardSeconds + s.Sketches.TrendSeconds), e.BackwardMACs, e.Memory.Gradients}, Inputs: inputs[:1]}
		from = append([]*Operator{backward}, inputs[1:]...)
	}
	sample := &Operator{Name: "Sample", Detail: fmt.Sprintf("about %d of %s in batches of %d %s",
		c.Positions(), planner.Counted(len(b.query.Grid.Positions), "position"), c.Batch, byWorkers(b.query.Threads, b.query.Device)),
		Estimate: &Amount{0, e.MACs - e.BaseMACs - e.BackwardMACs, e.Memory.Workers},
		Inputs:   from}
	sample.Estimate.Seconds = e.Seconds - e.BaseSeconds - e.WriteSeconds - c.Adaptive.SecondsEstimating
	if backward != nil {
		sample.Estimate.Seconds -= backward.Estimate.Seconds
	}
	sample.Estimate.Seconds = round(sample.Estimate.Seconds)
	until := "until the time is up"
	if s.SSIM > 0 {
		until = fmt.Sprintf("until SSIM >= %g", s.SSIM)
	}
	interpolate := &Operator{Name: "Interpolate", Detail: "a Gaussian process of the samples, " + until,
		Estimate: &Amount{Seconds: round(c.Adaptive.SecondsEstimating)}, Inputs: []*Operator{sample}}
	if a == nil {
		return verify.over(interpolate, Amount{}, false)
	}
	left := Amount{a.UpdateSeconds, a.MACs - a.BaseMACs, 0}
	if backward != nil {
		backward.Actual = left.take(round(b.actual.BackwardSeconds), b.actual.BackwardMACs, false)
		backward.Actual.Bytes = a.Memory.Gradients
	}
	var computing, estimating float64
	var macs int64
	for _, t := range s.Stages {
		computing, estimating, macs = computing+t.Seconds-t.EstimateSeconds, estimating+t.EstimateSeconds, macs+t.MACs
	}
	interpolate.Actual = left.take(round(estimating), 0, false)
	sample.Actual = left.take(round(computing), macs, verify == nil)
	sample.Actual.Bytes = a.Memory.Workers
	return verify.over(interpolate, left, true)
}

// facts say in the header how positions are chosen.
func (s *Sampling) facts(f *facts, expected, all int, within bool) {
	positions := fmt.Sprintf("about %d of %s", expected, planner.Counted(all, "position"))
	if s.SSIM == 0 {
		positions += ", which fit into the time"
	}
	f.add("Sampling", "%s, %s each; the map is estimated and judged after every stage", positions, planner.FormatSeconds(s.SecondsExact))
	s.Sketches.facts(f)
	ends := "when the time is up"
	if s.SSIM > 0 {
		ends = fmt.Sprintf("when two stages in a row find SSIM to be at least %g, and correlation %g and %g%% of the top tenth are expected",
			s.SSIM, s.Pearson, 100*s.Top10Overlap)
		if within {
			ends += "; or when the time is up"
		}
	}
	f.add("Ends", "%s", ends)
}

// facts say how positions are computed cheaply.
func (s *Sketches) facts(f *facts) {
	if s == nil {
		f.add("Sketches", "none: what they save would not pay for the backward pass")
		return
	}
	by := map[planner.TauSource]string{
		planner.TauUsual: "the default", planner.TauCurve: "by the model's curve", planner.TauHint: "by the hint",
	}[planner.TauSource(s.RoughTauBy)]
	if s.Tau == s.RoughTau {
		f.add("Sketches", "where they pay, %s each: tau %g (%s), what that leaves out added to first order", planner.FormatSeconds(s.Seconds), s.Tau, by)
	} else {
		f.add("Sketches", "where they pay, %s each: tau %g, what that leaves out added to first order; all positions of a rough map, %s each: tau %g (%s)",
			planner.FormatSeconds(s.Seconds), s.Tau, planner.FormatSeconds(s.RoughSeconds), s.RoughTau, by)
	}
	trend := "all layers to first order"
	if t := s.Trend; t != nil {
		trend = fmt.Sprintf("layers up to %d (%s) at every position, in %s, the others to first order", t.Index, layerName(t.Name), planner.FormatSeconds(s.TrendSeconds))
	}
	f.add("Trend", "%s", trend)
}

// samplingTable shows what each stage found, and what all took.
func (r *Report) samplingTable(p page) error {
	stages := r.Plan.Approximation.Sampling.Stages
	all := SamplingStage{}
	longest := 0.0
	for _, s := range stages {
		all.Positions, all.Sketches, all.MACs = all.Positions+s.Positions, all.Sketches+s.Sketches, all.MACs+s.MACs
		all.Seconds, all.EstimateSeconds = all.Seconds+s.Seconds, all.EstimateSeconds+s.EstimateSeconds
		longest = max(longest, s.Seconds)
	}
	t := table{columns: []column{{title: "stage"}, {title: "positions"}}}
	if all.Sketches > 0 {
		t.columns = append(t.columns, column{title: "sketches"})
	}
	t.columns = append(t.columns, column{title: "mult-adds"}, column{title: "seconds"}, column{title: "estimating"}, column{title: "SSIM"}, column{title: "lower bound"})
	seconds := secondsUpTo(longest)
	row := func(name string, s SamplingStage, found ...string) {
		cells := []string{name, fmt.Sprint(s.Positions)}
		if all.Sketches > 0 {
			cells = append(cells, fmt.Sprint(s.Sketches))
		}
		t.add(append(append(cells, amount(s.MACs), seconds(s.Seconds), seconds(s.EstimateSeconds)), found...)...)
	}
	for i, s := range stages {
		row(fmt.Sprint(i+1), s, similarity(s.SSIM), similarity(s.SSIMLower))
	}
	row("all", all, "", "")
	head := "Stages: what was computed, and the SSIM then to be expected of the map"
	if max(r.Target.Top, len(r.Target.Classes)) > 1 {
		head += ", of the class with the least"
	}
	if err := p.title(head); err != nil {
		return err
	}
	return p.table(&t)
}

// similarity is rounded down, so that nothing but an exact map has 1.000.
func similarity(v float64) string { return fmt.Sprintf("%.3f", math.Floor(v*1000+1e-6)/1000) }
