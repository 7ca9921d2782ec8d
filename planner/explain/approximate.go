package explain

import (
	"fmt"
	"strings"

	"occlude/planner"
)

// approximation is how a candidate approximates, nil if it does not.
func (b *builder) approximation(c *planner.Candidate) *Approximation {
	d := c.DrillDown
	if c.Rects.Rule != planner.Thresholded && d == nil && c.Adaptive == nil {
		return nil
	}
	a := &Approximation{Tau: c.Rects.Tau, Positions: c.Positions()}
	a.Speedup = ratio(float64(len(b.query.Grid.Positions)), float64(a.Positions))
	if d != nil {
		a.DrillDown = &DrillDown{
			Fraction: d.Fraction, Speedup: d.Speedup,
			Wanted: Stride{round(d.WantedW), round(d.WantedH)}, Stride: Size{d.StrideW, d.StrideH},
		}
	}
	if a.Sampling = b.sampling(c); a.Sampling != nil {
		return a
	}
	for i, s := range c.Stages {
		stage := Stage{Positions: s.Positions, Largest: s.Largest, Seconds: round(s.Seconds), MACs: s.MACs}
		if b.actual != nil && i < len(b.actual.Stages) {
			t := b.actual.Stages[i]
			stage.Actual = &StageActual{t.Positions, round(t.Seconds), t.MACs}
		}
		a.Stages = append(a.Stages, stage)
	}
	return a
}

// updates builds the operators that compute positions from the views and the
// patches: one for each stage, and between them what fills in the map.
func (b *builder) updates(r *Report, inputs ...*Operator) *Operator {
	q, c, a := b.query, b.query.Chosen(), r.Actual
	verify := b.verification()
	if c.Adaptive != nil {
		return b.samplingOperators(r, verify, inputs...)
	}
	e := rounded(c.Estimate)
	names := map[planner.RectangleRule]string{
		planner.Whole: "Full inference", planner.Traced: "Incremental inference", planner.Thresholded: "Thresholded inference",
	}
	on := fmt.Sprintf(" in batches of %d %s", c.Batch, byWorkers(q.Threads, q.Device))
	if c.Rects.Rule == planner.Thresholded {
		on += fmt.Sprintf(", tau %g", c.Rects.Tau)
	}
	// What all stages take, of which the last one's share is what is left.
	left := Amount{round(e.Seconds - e.BaseSeconds - e.WriteSeconds), e.MACs - e.BaseMACs, e.Memory.Workers}
	var leftActual Amount
	if a != nil {
		leftActual = Amount{a.UpdateSeconds, a.MACs - a.BaseMACs, a.Memory.Workers}
	}
	var top *Operator
	for i, s := range c.Stages {
		op := &Operator{Name: names[c.Rects.Rule], Detail: planner.Counted(s.Positions, "position") + on, Inputs: inputs}
		if s.Order == nil {
			op.Name = "Drill down"
			op.Detail = fmt.Sprintf("the %d largest p_drops, about %d not yet computed", s.Largest, s.Positions)
		}
		last := i == len(c.Stages)-1
		op.Estimate = left.take(s.Seconds, s.MACs, last)
		last = last && verify == nil
		if a != nil && i < len(b.actual.Stages) {
			t := b.actual.Stages[i]
			op.Actual = leftActual.take(t.Seconds, t.MACs, last)
		}
		top = op
		if s.Enlarge != nil {
			d, g := c.DrillDown, q.Grid
			top = &Operator{Name: "Enlarge", Inputs: []*Operator{op},
				Detail: fmt.Sprintf("bilinear, stride %s to %s", Size{d.StrideW, d.StrideH}, Size{g.StrideW, g.StrideH})}
		}
		inputs = []*Operator{top}
	}
	return verify.over(top, leftActual, a != nil)
}

// verification is what VERIFY does when the map is done, nil where there is
// nothing to do.
func (b *builder) verification() *Operator {
	goals, c := b.query.Goals, b.query.Chosen()
	if !goals.Verifies() || c.Name != planner.PlanApproximate {
		return nil
	}
	what := planner.Counted(goals.Verify, "random position") + " computed exactly"
	if goals.VerifyAll {
		what = "the exact map beside this one"
	}
	return &Operator{Name: "Verify", Detail: what + "; not in the estimate"}
}

// over puts the verification, if there is one, over what it verifies; it took what
// is left.
func (o *Operator) over(verified *Operator, left Amount, measured bool) *Operator {
	if o == nil {
		return verified
	}
	o.Inputs = []*Operator{verified}
	if measured {
		o.Actual = &Amount{left.Seconds, left.MACs, 0}
	}
	return o
}

// take takes a part away, or with all what is left; memory goes to the first,
// for later stages use the same.
func (a *Amount) take(seconds float64, macs int64, all bool) *Amount {
	part := Amount{round(seconds), macs, a.Bytes}
	if all {
		part = *a
	}
	*a = Amount{round(a.Seconds - part.Seconds), a.MACs - part.MACs, 0}
	return &part
}

// approximation says in the header what is left out, and what that saves.
func (r *Report) approximation(f *facts) {
	a := r.Plan.Approximation
	if a == nil {
		return
	}
	if a.Sampling != nil {
		a.Sampling.facts(f, a.Positions, r.Grid.Positions, r.Goal != nil && r.Goal.Within > 0)
		return
	}
	if a.Tau > 0 {
		f.add("Tau", "%g: at most %.3g%% of a layer's width and height is computed", a.Tau, 100*a.Tau)
	}
	d := a.DrillDown
	if d == nil {
		return
	}
	f.add("Drill", "stride %s, rounded up to %s, to be %s faster; the %.3g%% of largest p_drop again",
		d.Wanted, d.Stride, times(d.Speedup), 100*d.Fraction)
	stages := make([]string, len(a.Stages))
	for i, s := range a.Stages {
		stages[i] = fmt.Sprintf("%d in %s", s.Positions, planner.FormatSeconds(s.Seconds))
		if t := s.Actual; t != nil {
			stages[i] += fmt.Sprintf(" (actual %d in %s)", t.Positions, planner.FormatSeconds(t.Seconds))
		}
	}
	f.add("Stages", "%s: %s of %d, %s fewer", strings.Join(stages, ", then "),
		planner.Counted(a.Positions, "position"), r.Grid.Positions, times(a.Speedup))
}

func (s Stride) String() string { return fmt.Sprintf("%.4gx%.4g", s.Width, s.Height) }
