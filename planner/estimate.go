package planner

import (
	"math"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/planner/cost"
)

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
