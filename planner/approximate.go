package planner

import (
	"fmt"
	"math"
	"strings"

	"occlude/lang"
	"occlude/operators/lattice"
)

// Defaults of adaptive drill-down.
const (
	defaultFraction = 0.25
	defaultSpeedup  = 3.0
)

// approximateHints are the hints of approximate plans as they were written, nil
// where nothing was.
type approximateHints struct {
	plan                   lang.Value // of whatever plan
	tau, fraction, speedup *numberHint
}

type numberHint struct {
	name  string
	value float64
	at    lang.Value
}

// approximation is an approximate plan that hints ask for.
type approximation struct {
	rects Rectangles
	drill *DrillDown // nil for all positions
	hints string     // that ask for it
}

// share reads a number above 0 and at most 1.
func share(name string, v lang.Value) (*numberHint, error) {
	h, err := positive(name, v)
	if err == nil && h.value > 1 {
		return nil, lang.Errorf(v.Span(), "%s is not above 0 and at most 1", v)
	}
	return h, err
}

// positive reads a number above 0.
func positive(name string, v lang.Value) (*numberHint, error) {
	n, err := numbers(v, 1)
	if err != nil {
		return nil, err
	}
	if n[0] <= 0 {
		return nil, lang.Errorf(v.Span(), "%s is not above 0", v)
	}
	return &numberHint{name, n[0], v}, nil
}

// approximation says which approximate plan the hints ask for on a grid, nil for
// none. The hint tau asks for projective field thresholding, drill_down and speedup
// for adaptive drill-down, and so does an approximate plan of which nothing more
// is said.
func (q *queryOptions) approximation(g Grid) (*approximation, error) {
	a := &approximation{rects: Rectangles{Rule: Traced}}
	var hints []string
	if q.plan == PlanApproximate {
		hints = append(hints, "plan = 'approximate'")
	}
	for _, h := range []*numberHint{q.approximate.tau, q.approximate.fraction, q.approximate.speedup} {
		if h == nil {
			continue
		}
		if q.plan != "" && q.plan != PlanApproximate {
			return nil, lang.Errorf(h.at.Span(), "%s approximates, but plan = '%s' is exact", h.name, q.plan).
				WithHint("leave out one of the two")
		}
		hints = append(hints, fmt.Sprintf("%s = %s", h.name, h.at))
	}
	if hints == nil {
		return nil, nil
	}
	a.hints = strings.Join(hints, ", ")
	if tau := q.approximate.tau; tau != nil {
		a.rects = Rectangles{Rule: Thresholded, Tau: tau.value}
	}
	if q.approximate.fraction == nil && q.approximate.speedup == nil && q.approximate.tau != nil {
		return a, nil
	}
	var err error
	a.drill, err = q.approximate.drillDown(g)
	return a, err
}

// drillDown is adaptive drill-down by the hints, or an error at the one to blame.
func (h *approximateHints) drillDown(g Grid) (*DrillDown, error) {
	d := &DrillDown{Fraction: defaultFraction, Speedup: defaultSpeedup}
	at, what := h.plan, "plan"
	if h.fraction != nil {
		d.Fraction, at, what = h.fraction.value, h.fraction.at, "drill_down"
	}
	if h.speedup != nil {
		d.Speedup, at, what = h.speedup.value, h.speedup.at, "speedup"
	}
	if g.Listed {
		return nil, lang.Errorf(at.Span(), "%s: a list of positions (AT) has no coarser grid", what).
			WithHint("tau approximates each of its positions")
	}
	strideW, strideH := float64(g.StrideW), float64(g.StrideH)
	most := lattice.Most(d.Fraction, max(strideW, strideH), float64(min(g.Width, g.Height)))
	if d.Speedup >= most {
		return nil, lang.Errorf(at.Span(), "%s: drill-down with a fraction of %s cannot be %s times faster on this grid, only less than %s times",
			what, short(d.Fraction), short(d.Speedup), short(most)).
			WithHint("a smaller speedup, drill_down or STRIDE would do")
	}
	d.WantedW, d.WantedH = lattice.Stride(d.Speedup, d.Fraction, strideW), lattice.Stride(d.Speedup, d.Fraction, strideH)
	d.StrideW, d.StrideH = lattice.Step(d.WantedW, strideW)*g.StrideW, lattice.Step(d.WantedH, strideH)*g.StrideH
	return d, nil
}

// steps are how many columns and rows of a grid the coarse stride is; 1 for no
// drill-down.
func (d *DrillDown) steps(g Grid) (x, y int) {
	if d == nil {
		return 1, 1
	}
	return d.StrideW / g.StrideW, d.StrideH / g.StrideH
}

// short prints a number of a hint with what people would write of it.
func short(v float64) string { return fmt.Sprintf("%.3g", v) }

// stages lays out what is computed one after the other, in the candidate's Order.
func (c *Candidate) stages(g Grid) {
	n := len(g.Positions)
	if c.Adaptive != nil {
		return // what is expected is there already
	}
	if c.DrillDown == nil {
		c.Stages = []Stage{{Order: c.Order, Positions: n}}
		return
	}
	stepX, stepY := c.DrillDown.steps(g)
	coarse := lattice.New(g.X, g.Y, g.cells(), stepX, stepY)
	known := coarse.Known()
	// The part of the largest that is known is what it is of all.
	redone := int(math.Ceil(c.DrillDown.Fraction*float64(n) - 1e-9))
	unknown := int(math.Round(float64(redone) * float64(n-len(known)) / float64(n)))
	c.Stages = []Stage{
		{Order: InOrder(c.Order, known), Positions: len(known), Enlarge: coarse},
		{Largest: redone, Positions: unknown},
	}
}

// InOrder brings some of the positions into the order that all have.
func InOrder(order, some []int32) []int32 {
	chosen := make([]bool, len(order))
	for _, i := range some {
		chosen[i] = true
	}
	list := make([]int32, 0, len(some))
	for _, i := range order {
		if chosen[i] {
			list = append(list, i)
		}
	}
	return list
}

// divide gives each stage its part of what all updates cost.
func (c *Candidate) divide() {
	seconds := c.Estimate.Seconds - c.Estimate.BaseSeconds
	macs, all := c.Estimate.MACs-c.Estimate.BaseMACs, c.Positions()
	for i := range c.Stages {
		s := &c.Stages[i]
		part := float64(s.Positions) / float64(max(all, 1))
		s.Seconds, s.MACs = seconds*part, int64(float64(macs)*part)
		if i == len(c.Stages)-1 {
			s.MACs = macs
			for _, before := range c.Stages[:i] {
				s.MACs -= before.MACs
			}
		}
	}
}
