package explain

import (
	"fmt"
	"io"
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
	// Until is what a map must be expected to have; all 0 for whatever the time
	// allows.
	SSIM         float64 `json:"ssim"`
	Pearson      float64 `json:"pearson"`
	Top10Overlap float64 `json:"top10_overlap"`
	// SketchTau is the threshold of positions that are computed cheaply; 0 where
	// none are.
	SketchTau   float64 `json:"sketch_tau,omitempty"`
	SketchTauBy string  `json:"sketch_tau_by,omitempty"` // default, curve (of ANALYZE MODEL) or hint
	// SecondsExact and SecondsSketch are a position's.
	SecondsExact  float64 `json:"seconds_per_position"`
	SecondsSketch float64 `json:"seconds_per_sketch,omitempty"`
	// Stages are what was found, with ANALYZE.
	Stages []SamplingStage `json:"stages,omitempty"`
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
		s := fmt.Sprintf("within %s", planner.FormatSeconds(g.Within))
		if g.OrFail {
			s += ", or not at all"
		}
		parts = append(parts, s)
	}
	switch {
	case g.VerifyAll:
		parts = append(parts, "compared with the exact map")
	case g.Verify > 0:
		parts = append(parts, fmt.Sprintf("verified at %s", count(g.Verify, "position")))
	}
	return strings.Join(parts, "; ")
}

// sampling describes an adaptive candidate, nil for others.
func (b *builder) sampling(c *planner.Candidate) *Sampling {
	a := c.Adaptive
	if a == nil {
		return nil
	}
	s := &Sampling{SSIM: a.SSIM, Pearson: a.Pearson, Top10Overlap: a.Top10Overlap, SecondsExact: round(a.SecondsExact)}
	if a.Sketches() {
		s.SketchTau, s.SketchTauBy, s.SecondsSketch = a.Sketch.Tau, string(a.TauBy), round(a.SecondsSketch)
	}
	if b.actual != nil {
		for _, t := range b.actual.Stages {
			s.Stages = append(s.Stages, SamplingStage{Positions: t.Positions, Sketches: t.Sketches, Seconds: round(t.Seconds), EstimateSeconds: round(t.EstimateSeconds),
				MACs: t.MACs, SSIM: round(t.SSIM), SSIMLower: round(t.SSIMLower)})
		}
	}
	return s
}

// samplingOperators are those of an adaptive plan.
func (b *builder) samplingOperators(r *Report, inputs ...*Operator) *Operator {
	c, a := b.query.Chosen(), r.Actual
	e, s := c.Estimate, r.Plan.Approximation.Sampling
	from := inputs
	var backward *Operator
	if s.SketchTau > 0 {
		backward = &Operator{Name: "Backward pass", Detail: "gradient of each class's log-odds",
			Estimate: &Amount{round(e.BackwardSeconds), e.BackwardMACs, 0}, Inputs: inputs[:1]}
		from = append([]*Operator{backward}, inputs[1:]...)
	}
	sample := &Operator{Name: "Sample", Detail: fmt.Sprintf("about %d of %s in batches of %d on %s",
		c.Positions(), count(len(b.query.Grid.Positions), "position"), c.Batch, count(b.query.Threads, b.query.Device+" thread")),
		Estimate: &Amount{round(e.Seconds - e.BaseSeconds - e.BackwardSeconds - e.WriteSeconds), e.MACs - e.BaseMACs - e.BackwardMACs, e.PeakBytes - e.ViewBytes},
		Inputs:   from}
	until := "until the time is up"
	if s.SSIM > 0 {
		until = fmt.Sprintf("until SSIM >= %g is found twice", s.SSIM)
	}
	krige := &Operator{Name: "Interpolate", Detail: "a Gaussian process of log-odds, " + until, Inputs: []*Operator{sample}}
	if a != nil {
		estimating := 0.0
		for _, t := range s.Stages {
			estimating += t.EstimateSeconds
		}
		if backward != nil {
			backward.Actual = &Amount{Seconds: round(b.actual.BackwardSeconds)}
		}
		sample.Actual = &Amount{round(a.UpdateSeconds - estimating - b.actual.BackwardSeconds), a.MACs - a.BaseMACs, a.PeakBytes - a.ViewBytes}
		krige.Actual = &Amount{Seconds: round(estimating)}
	}
	return krige
}

// facts say in the header how positions are chosen.
func (s *Sampling) facts(f *facts) {
	f.add("Sampling", "%s a position; a map is estimated and judged after every stage", planner.FormatSeconds(s.SecondsExact))
	if s.SketchTau > 0 {
		f.add("Sketches", "%s a position: tau %g (%s), compensated by the gradient; only those chosen at random are exact",
			planner.FormatSeconds(s.SecondsSketch), s.SketchTau, s.SketchTauBy)
	} else {
		f.add("Sketches", "none: what they save would not pay for the backward pass")
	}
	if s.SSIM > 0 {
		f.add("Ends", "at SSIM %g, correlation %g and %g%% of the top tenth, as expected of the map", s.SSIM, s.Pearson, 100*s.Top10Overlap)
	}
}

// samplingTable shows what each stage found.
func (r *Report) samplingTable(w io.Writer) error {
	t := table{columns: []column{{title: "stage"}, {title: "exact"}, {title: "sketches"}, {title: "seconds"}, {title: "estimating"},
		{title: "mult-adds"}, {title: "SSIM"}, {title: "at least"}}}
	seconds := func(v float64) string { return fmt.Sprintf("%.3f", v) }
	for i, s := range r.Plan.Approximation.Sampling.Stages {
		t.add(fmt.Sprint(i+1), fmt.Sprint(s.Positions), fmt.Sprint(s.Sketches), seconds(s.Seconds), seconds(s.EstimateSeconds),
			amount(s.MACs), fmt.Sprintf("%.3f", s.SSIM), fmt.Sprintf("%.3f", s.SSIMLower))
	}
	if err := title(w, "Stages: positions computed, and how good the map was then expected to be"); err != nil {
		return err
	}
	return t.write(w)
}
