package planner

import (
	"context"
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// measure adds up the work of all positions, layer by layer, and brings the
// positions into their order. What a layer does is independent of the algorithm
// but for the tiles.
func (c *Candidate) measure(ctx context.Context, net *network.Network, g Grid) ([]tally, error) {
	n := len(net.Layers)
	c.Layers = make([]LayerEstimate, n)
	tallies := make([]tally, n)
	for i, l := range net.Layers {
		forms := cost.Forms(l)
		tallies[i] = tally{forms: forms, products: make([]int64, len(forms))}
	}
	shapes := newShapes(len(g.Positions))
	var rects []region.Rect
	for i, pos := range g.Positions {
		if i%1024 == 0 && ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		rects, _ = c.Rects.At(net, g.Rect(pos), rects)
		shapes.add(rects)
	}
	for _, k := range shapes.kinds { // equal shapes take equal work, but for what lies beside the map
		for j, l := range net.Layers[1:] {
			if rect := k.rects[j+1]; !rect.Empty() {
				tallies[j+1].add(l, rect, k.runs)
				c.Layers[j+1].add(l, rect, k.runs)
			}
		}
	}
	c.Order, c.shapes = shapes.order(), shapes
	c.FullFrom = n
	for j := n - 1; j > 0; j-- {
		if runs := tallies[j].Runs; c.Layers[j].Whole < int64(len(g.Positions)) && runs > 0 {
			break
		} else if runs > 0 {
			c.FullFrom = j
		}
	}
	return tallies, nil
}

// expect turns the work of all positions into that of those which are expected
// to be computed. Which they are, running tells: each has the mean work of all.
func (c *Candidate) expect(tallies []tally, all int) {
	part := float64(c.Positions()) / float64(all)
	of := func(n *int64) { *n = int64(math.Round(float64(*n) * part)) }
	for i := range tallies {
		t, e := &tallies[i], &c.Layers[i]
		if part != 1 {
			for _, n := range []*int64{&t.MACs, &t.Steps, &t.Values, &t.ReadBytes, &t.Runs, &e.Cells, &e.Whole} {
				of(n)
			}
			for j := range t.products {
				of(&t.products[j])
			}
		}
		e.Work, e.Runs = t.Work, t.Runs
	}
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

// wholeTally is what a layer does in the base pass.
func wholeTally(l *network.Layer) *tally {
	forms := cost.Forms(l)
	t := &tally{forms: forms, products: make([]int64, len(forms))}
	t.add(l, l.Shape.Whole(), 1)
	return t
}

// viewBytes is what a base pass writes.
func viewBytes(net *network.Network) (n int64) {
	for _, l := range net.Layers[1:] {
		if _, constant := l.Op.(network.Const); !constant {
			n += 4 * int64(l.Shape.Len())
		}
	}
	return n
}

// price turns the work into seconds and error, for the candidate's algorithms
// and batch.
func (c *Candidate) price(net *network.Network, tallies []tally, r resources) {
	e := &c.Estimate
	e.MACs, e.BaseMACs = 0, 0
	// What workers write to comes from the system while they run, and so do the views.
	e.Seconds, e.BaseSeconds = r.rates.FreshSeconds(e.Memory.Workers), 0
	cores := r.parallel()
	c.updates = make([]cost.Amount, len(net.Layers))
	together := groupsOf(net, c.largest(), c.Algorithms, c.Batch)
	for j, l := range net.Layers {
		how := c.Algorithms[j]
		amount := tallies[j].of(how)
		amount.Groups = float64((amount.Runs + int64(together[j]) - 1) / int64(together[j]))
		c.updates[j] = amount
		c.Layers[j].Seconds = r.rates.Seconds(l, how, amount) / cores
		e.Seconds += c.Layers[j].Seconds
		e.MACs += c.Layers[j].Work.MACs
	}
	if c.Views == nil {
		e.BaseMACs, e.BaseSeconds = net.Work().MACs, c.baseSeconds(net, r)
		e.MACs += e.BaseMACs
		e.Seconds += e.BaseSeconds
	}
	e.Error = cost.Error(net, c.Algorithms)
}

// baseSeconds is what a base pass takes.
func (c *Candidate) baseSeconds(net *network.Network, r resources) float64 {
	cores := r.parallel()
	seconds := r.rates.FreshSeconds(viewBytes(net))
	for j, l := range net.Layers {
		if _, constant := l.Op.(network.Const); constant || j == 0 {
			continue
		}
		amount := wholeTally(l).of(c.Algorithms[j])
		amount.Groups = cores // each thread reads the weights
		seconds += r.rates.Seconds(l, c.Algorithms[j], amount) / cores
	}
	return seconds * r.rates.BasePass()
}

// choose fixes the algorithms. The base pass counts as one more position.
func (c *Candidate) choose(net *network.Network, tallies []tally, r *cost.Rates, want accuracy) {
	all := make([]tally, len(tallies))
	for i, l := range net.Layers {
		all[i] = *wholeTally(l)
		all[i].Work = all[i].Work.Plus(tallies[i].Work)
		all[i].Values += tallies[i].Values
		all[i].ReadBytes += tallies[i].ReadBytes
		all[i].Runs += tallies[i].Runs
		for j, n := range tallies[i].products {
			all[i].products[j] += n
		}
	}
	batch := choiceBatch
	if c.Adaptive != nil {
		batch = stageBatch
	}
	shareWeights(net, all, c.largest(), batch)
	c.Algorithms = chooseAlgorithms(net, all, r, want)
}

// wholeAlgorithms are those of inference on whole images.
func wholeAlgorithms(net *network.Network, r *cost.Rates, want accuracy) []operators.Algorithm {
	tallies := make([]tally, len(net.Layers))
	for i, l := range net.Layers {
		tallies[i] = *wholeTally(l)
	}
	shareWeights(net, tallies, wholeRects(net, nil), choiceBatch)
	return chooseAlgorithms(net, tallies, r, want)
}
