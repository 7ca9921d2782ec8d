package planner

import (
	"context"
	"slices"

	"occlude/internal/network"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// survey is what the positions of a query have to compute by a rule of rectangles, whatever
// computes it.
type survey struct {
	tallies  []tally // by layer Index
	layers   []LayerEstimate
	shapes   *shapes
	order    []int32 // of the positions, see shapes.order
	fullFrom int
}

// surveys are those of a query, by rule: the same for every device and all views.
type surveys map[Rectangles]*survey

// of is the survey by a rule, made when it is asked for first; without surveys to keep it in,
// each time.
func (s surveys) of(ctx context.Context, net *network.Network, g Grid, by Rectangles) (*survey, error) {
	if known := s[by]; known != nil {
		return known, nil
	}
	made, err := newSurvey(ctx, net, g, by)
	if err == nil && s != nil {
		s[by] = made
	}
	return made, err
}

// newSurvey adds up the work of all positions, layer by layer, and brings the positions into
// their order. What a layer does is independent of the algorithm but for the tiles.
func newSurvey(ctx context.Context, net *network.Network, g Grid, by Rectangles) (*survey, error) {
	n := len(net.Layers)
	s := &survey{tallies: make([]tally, n), layers: make([]LayerEstimate, n), shapes: newShapes(len(g.Positions)), fullFrom: n}
	for i, l := range net.Layers {
		forms := cost.Forms(l)
		s.tallies[i] = tally{forms: forms, products: make([]int64, len(forms))}
	}
	changeable := changeable(net)
	var rects []region.Rect
	for i, pos := range g.Positions {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if !s.shapes.foreseen(pos) {
			rects, _ = by.At(net, g.Rect(pos), rects)
			s.shapes.add(pos, rects, changeable)
		}
	}
	for _, k := range s.shapes.kinds { // equal shapes take equal work, but for what lies beside the map
		for j, l := range net.Layers[1:] {
			if rect := k.rects[j+1]; !rect.Empty() {
				s.tallies[j+1].add(l, rect, k.runs)
				s.layers[j+1].add(l, rect, k.runs)
			}
		}
	}
	s.order = s.shapes.order()
	for j := n - 1; j > 0; j-- {
		if runs := s.tallies[j].Runs; s.layers[j].Whole < int64(len(g.Positions)) && runs > 0 {
			break
		} else if runs > 0 {
			s.fullFrom = j
		}
	}
	return s, nil
}

// changeable tells, by layer Index, which layers depend on the image.
func changeable(net *network.Network) []bool {
	depends := make([]bool, len(net.Layers))
	depends[0] = true
	for i, l := range net.Layers {
		for _, in := range l.In {
			depends[i] = depends[i] || depends[in.Index]
		}
	}
	return depends
}

// take makes a survey the candidate's own, and gives what expect may scale.
func (c *Candidate) take(s *survey) []tally {
	c.Layers, c.Order, c.shapes, c.FullFrom = slices.Clone(s.layers), slices.Clone(s.order), s.shapes, s.fullFrom
	tallies := slices.Clone(s.tallies)
	for i := range tallies {
		tallies[i].products = slices.Clone(tallies[i].products)
	}
	return tallies
}

// add counts runs that compute rectangles of the shape of r.
func (t *tally) add(l *network.Layer, r region.Rect, runs int64) {
	work := l.Work(r)
	t.MACs += runs * work.MACs
	t.Steps += runs * work.Steps
	t.Values += runs * int64(r.Area()) * int64(l.Shape.C)
	t.ReadBytes += runs * readBytes(l, r)
	t.Runs += runs
	for i, f := range t.forms {
		t.products[i] += runs * f.Products(r)
	}
}

func (e *LayerEstimate) add(l *network.Layer, r region.Rect, runs int64) {
	e.Cells += runs * int64(r.Area())
	if r.IsWhole(l.Shape.H, l.Shape.W) {
		e.Whole += runs
	}
	if e.Min.Empty() || r.Area() < e.Min.Area() {
		e.Min = r
	}
	if r.Area() > e.Max.Area() {
		e.Max = r
	}
}

// readBytes is the read-in context that a windowed layer puts together.
func readBytes(l *network.Layer, out region.Rect) int64 {
	switch l.Op.(type) {
	case network.Conv, network.Pool:
		return int64(l.Reads(0, out).Area()) * int64(l.In[0].Shape.C) * 4
	}
	return 0
}
