package planner

import (
	"fmt"
	"slices"
	"strings"

	"occlude/internal/settings"
	"occlude/operators"
)

// switches are the choices by which a candidate can be ruled out.
func (c *Candidate) switches() []string {
	if c.Name != PlanApproximate {
		return []string{c.Name}
	}
	names := []string{PlanApproximate}
	if c.Rects.Rule == Thresholded {
		names = append(names, "thresholding")
	}
	if c.DrillDown != nil {
		names = append(names, "drill_down")
	}
	if c.Adaptive != nil {
		names = append(names, "sampling")
	}
	return names
}

// ruleOut notes by which settings the candidate is ruled out.
func (c *Candidate) ruleOut(r resources) {
	c.off = nil
	for _, name := range c.switches() {
		if !r.enabled(name) {
			c.off = append(c.off, settings.SwitchOf(name))
		}
	}
}

// offBy names settings that are off.
func offBy(names []string) string {
	return "SET " + strings.Join(names, " = off, SET ") + " = off"
}

// noneLeft tells that all candidates that a query allows are ruled out.
func noneLeft(all []*Candidate, allowed func(*Candidate) bool) error {
	var names, plans []string
	for _, c := range all {
		if len(c.off) > 0 && allowed(c) {
			names, plans = append(names, c.off...), append(plans, c.Name)
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) == 0 {
		return fmt.Errorf("no plan is left that could answer this")
	}
	are := "is"
	if len(plans) > 1 {
		are = "are"
	}
	return fmt.Errorf("no plan is left: %s %s ruled out by %s", strings.Join(plans, " and "), are, offBy(names))
}

// choiceOf is what a switch calls an algorithm, "" for the direct one, which always is left.
func choiceOf(a operators.Algorithm) string {
	switch {
	case a == operators.Tensor:
		return string(a)
	case a.Tile() > 1:
		return fmt.Sprintf("winograd_%d", a.Tile())
	}
	return ""
}

// ruledOut are the algorithms that switches rule out.
func ruledOut(s *settings.Settings) (off []operators.Algorithm) {
	for _, a := range append(operators.AllAlgorithms(), operators.Tensor) {
		if choice := choiceOf(a); choice != "" && !s.Enabled(choice) {
			off = append(off, a)
		}
	}
	return off
}

// accuracy is what a query wants of convolutions where it says nothing of them.
func (b *binder) accuracy() accuracy {
	return accuracy{convolution: ConvolutionAuto, tolerance: defaultTolerance, off: ruledOut(b.env.Settings)}
}
