package executor

import (
	"unsafe"

	"occlude/internal/memory"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
)

// held counts what a query of a model holds whatever it computes: weights, as they are
// and as its own program has packed them, nil for none, and the session's other models.
// What is kept for other queries is not counted: it is dropped where memory is scarce.
func (s *Session) held(p *planner.Occlude, own *program) (known *memory.Arrays, m planner.Memory) {
	known = &memory.Arrays{}
	m.Process = memory.Process
	m.Weights = known.Add(p.Model.Net.Arrays()...) + known.Add(p.Net.Arrays()...)
	if own != nil {
		m.Packed = known.Add(own.arrays()...)
	}
	for _, other := range s.models {
		m.Others += known.Add(other.Net.Arrays()...)
	}
	return known, m
}

// memory counts what the computation of a heat map held when it held the most.
func (c *computation) memory() planner.Memory {
	q, base := c.query, c.result.Actual.Base.Peak
	if c.result.Actual.Kept { // no base pass: workers have their memory from the beginning
		base = c.stats().Peak
	}
	known, held := q.session.held(q.plan, q.session.own(q.plan))
	pixels := c.result.Pixels.Data().([]float32)
	held.Results = known.Add(pixels, c.cover.cover) + int64(len(pixels))*4 // before it was normalised
	n := int64(len(c.result.States))
	held.Results += n * int64(unsafe.Sizeof(planner.Position{})+unsafe.Sizeof(job{})+2+4*uintptr(len(q.plan.Candidates)))
	for _, m := range c.result.Classes {
		held.Results += known.Add(m.P)
	}
	held.Results += c.estimating + q.plan.Chosen().Levels.Bytes()
	pass, updates := held, held
	pass.Views, pass.Workers = c.all, base
	updates.Views = known.Add(c.seen.Arrays()...)
	updates.Gradients = known.Add(c.views.Compensation.Arrays()...)
	updates.Workers = max(base, c.stats().Peak)
	for _, b := range c.batchers {
		updates.Workers += b.notes()
	}
	backward := pass
	backward.Gradients = c.gradients + updates.Gradients
	return pass.Larger(backward).Larger(updates)
}

// deviceMemory counts what the plan's GPU held for it, nil where it has none.
func (c *computation) deviceMemory() *planner.DeviceMemory {
	q := c.query
	if q.plan.Chosen().Device == nil {
		return nil
	}
	m := &planner.DeviceMemory{Views: c.resident, Workers: max(c.result.Actual.Base.Device.Peak, c.stats().Device.Peak)}
	if own := q.session.own(q.plan); own != nil {
		m.Weights = own.deviceBytes()
	}
	if c.views.Cover != nil { // each worker has it
		m.Workers += int64(len(c.batchers)) * 4 * int64(len(c.cover.cover))
	}
	return m
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
