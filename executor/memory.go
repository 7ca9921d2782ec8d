package executor

import (
	"unsafe"

	"occlude/internal/memory"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
)

// held counts what a query of a model holds whatever it computes: weights, and the
// session's other models. What is kept for other queries is not counted: it is
// dropped where memory is scarce.
func (s *Session) held(p *planner.Occlude) (known *memory.Arrays, m planner.Memory) {
	known = &memory.Arrays{}
	m.Process = memory.Process
	m.Weights = known.Add(p.Model.Net.Arrays()...) + known.Add(p.Net.Arrays()...)
	if made := s.programs[p.Model]; len(made) > 0 { // the last one is that of the plan that is running
		m.Packed = known.Add(made[len(made)-1].arrays()...)
	}
	for _, other := range s.models {
		m.Others += known.Add(other.Net.Arrays()...)
	}
	return known, m
}

// arrays are what a program holds in an order of its own.
func (p program) arrays() [][]float32 {
	all := p.ready.Arrays()
	if p.backward != nil {
		all = append(all, p.backward.Arrays()...)
	}
	return all
}

// memory counts what the computation of a heat map held when it held the most, of
// which base was in the base pass.
func (c *computation) memory(base int64) planner.Memory {
	q := c.query
	known, held := q.session.held(q.plan)
	pixels := c.result.Pixels.Data().([]float32)
	held.Results = known.Add(pixels, c.cover.cover) + int64(len(pixels))*4 // before it was normalised
	n := int64(len(c.result.States))
	held.Results += n * int64(unsafe.Sizeof(planner.Position{})+unsafe.Sizeof(job{})+2+4*uintptr(len(q.plan.Candidates)))
	for _, m := range c.result.Classes {
		held.Results += known.Add(m.P)
	}
	held.Results += c.estimating
	pass, updates := held, held
	pass.Views, pass.Workers = c.all, base
	updates.Views = known.Add(c.views.Arrays()...)
	updates.Gradients = known.Add(c.views.Compensation.Arrays()...)
	updates.Workers = max(base, c.stats().Peak)
	for _, b := range c.batchers {
		updates.Workers += b.notes()
	}
	backward := pass
	backward.Gradients = c.gradients + updates.Gradients
	return pass.Larger(backward).Larger(updates)
}

// notes is what a batcher keeps of each position of its batches, in bytes.
func (b *batcher) notes() int64 {
	var known memory.Arrays
	n := known.Add(b.patches...) + known.Add(b.scores...) + int64(cap(b.updates))*int64(unsafe.Sizeof(operators.Update{}))
	for i := range b.rects {
		n += int64(cap(b.rects[i])+cap(b.reads[i])) * int64(unsafe.Sizeof(region.Rect{}))
	}
	return n
}
