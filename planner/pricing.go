package planner

import "occlude/planner/cost"

// pricing is how a device computes a candidate, as far as plans go. Everything that depends on
// the device is decided here, in this order, and nothing else is: onProcessor and onGPU.
type pricing interface {
	// choose fixes the algorithms, by the work of all positions with a base pass as one more:
	// neither the batch nor the order of positions, nor how many threads and how much memory
	// there is, decide what is computed.
	choose(want accuracy) error
	// size fixes the workers and the batch, when the order and the stages are known. What
	// fits nowhere is refused.
	size(h hints) error
	// price fills in the estimate, but for reading the image and writing the map.
	price() error
	// spread is how far off estimates are.
	spread() cost.Spread
}

// pricing is that of the device that the resources name.
func (c *Candidate) pricing(q *Occlude, tallies []tally, r resources) pricing {
	if r.card != nil {
		c.Device = r.card.Device
		return newOnGPU(c, q, r)
	}
	return &onProcessor{c, q, tallies, r}
}

// onProcessor is a candidate while it is costed on the processor.
type onProcessor struct {
	*Candidate
	query   *Occlude
	tallies []tally
	resources
}

func (o *onProcessor) choose(want accuracy) error {
	o.Candidate.choose(o.query.Net, o.tallies, o.resources.choice, want)
	return nil
}

func (o *onProcessor) size(h hints) error {
	o.Candidate.size(o.query, o.tallies, h, o.resources)
	return nil
}

func (o *onProcessor) price() error {
	r := o.resources
	r.threads = o.Threads
	o.Candidate.price(o.query.Net, o.tallies, r)
	return nil
}

func (o *onProcessor) spread() cost.Spread { return o.query.Profile.Of(o.query.Model.Hash) }
