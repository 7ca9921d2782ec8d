package planner

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// Limits of what a worker computes together.
const (
	// usualBatch is enough for groups of equal rectangles and for the fixed costs
	// of a layer not to count; maxBatch is where reading weights more rarely
	// gains nothing any more.
	usualBatch, maxBatch = 64, 128
	// streamShare is the share of a batch's time that reading the weights may
	// take, if a larger batch can bring it down.
	streamShare = 0.25
	// leastBatch is what a batch is made smaller to before threads are given up: smaller
	// ones read the weights so often that a thread less costs no more.
	leastBatch = 8
	patchBytes = 256 << 20 // of a worker's patches, unless memory_limit says less
	// batchSeconds is about how long a batch may take: progress is told, and
	// the end is balanced, in whole batches.
	batchSeconds = 1.0
)

// size chooses the batch and the number of threads, and predicts the memory. What
// does not fit into the memory limit is refused, with what would fit.
func (c *Candidate) size(q *Occlude, tallies []tally, h hints, r resources) {
	c.refused = nil
	c.Estimate.ViewBytes = allViews(q.Net)
	if !c.ReadsViews() && !q.Keeps {
		c.Estimate.ViewBytes = keptByFull(q.Net)
	}
	c.shapes.weigh(q.Net)
	wanted := c.pace(q.Net, tallies, c.Positions(), r.rates)
	for threads := max(r.threads, 1); ; threads-- {
		share := (c.Positions() + threads - 1) / threads // no thread idle
		c.Threads, c.Batch = threads, max(1, min(wanted, share))
		if h.batch > 0 {
			c.Batch = min(h.batch, max(1, len(q.Grid.Positions)))
		}
		last := threads == 1 || h.threads > 0
		least := 1
		switch {
		case h.batch > 0:
			least = c.Batch
		case !last:
			least = min(c.Batch, leastBatch)
		}
		if c.fit(q, least, r) {
			return
		}
		if last {
			c.refused = &tooLarge{c, r.memory, r.auto}
			return
		}
	}
}

// fit makes the batch as large as the limits allow, but at least least, and tells
// whether that is within the memory limit.
func (c *Candidate) fit(q *Occlude, least int, r resources) bool {
	for {
		arena := c.workerBytes(q, c.Batch)
		c.ArenaBytes, c.Estimate.Memory = arena, c.peak(q, r.held, arena)
		c.Estimate.PeakBytes = c.Estimate.Memory.Total()
		within := r.memory == 0 || c.Estimate.PeakBytes <= r.memory
		if !within && c.Batch <= least {
			return false
		}
		if within && (arena <= patchBytes || c.Batch <= least) {
			break
		}
		c.Batch = max(least, min(c.Batch-1, int(float64(c.Batch)*min(7./8, patchBytes/float64(arena)))))
	}
	if usual := c.usualBatch(); usual < c.Batch {
		c.ArenaBytes = c.workerBytes(q, usual)
		c.Estimate.Memory = c.peak(q, r.held, c.ArenaBytes)
		c.Estimate.PeakBytes = c.Estimate.Memory.Total()
	}
	return true
}

// usualBatch is how many positions are computed together where all goes as expected:
// those of a stage are less than a batch where few are sampled.
func (c *Candidate) usualBatch() int {
	if c.Adaptive == nil {
		return c.Batch
	}
	// Beside positions that are computed exactly a stage has about as many sketches.
	stage := max(coarse, 2*c.Positions()/usualStages)
	return min(c.Batch, (stage+c.Threads-1)/c.Threads)
}

// sketches tells whether positions may be computed cheaply.
func (c *Candidate) sketches() bool { return c.Adaptive != nil && c.Adaptive.Sketches() }

// ReadsViews tells whether computing positions reads more of the base pass than full
// inference does: the image, the constants and the scores.
func (c *Candidate) ReadsViews() bool { return c.Rects.Rule != Whole || c.sketches() }

// peak is what is held when the most is: in the base pass, which makes every view, in
// the backward pass, or while positions are computed. Each worker's arena is there
// all the time.
func (c *Candidate) peak(q *Occlude, held Memory, arena int64) Memory {
	held.Packed = packedBytes(q.Net, c.Algorithms)
	held.Results = c.resultBytes(q) + c.estimatorBytes(q)
	held.Workers = int64(c.Threads) * arena
	base, backward, updates := held, held, held
	base.Views, updates.Views = allViews(q.Net), c.Estimate.ViewBytes
	if c.Views != nil {
		base = held // the views are there already
	}
	updates.Workers += int64(c.Threads) * notesBytes(q, c.Batch)
	if c.sketches() {
		backward.Packed += backwardBytes(q.Net)
		updates.Packed = backward.Packed
		backward.Views = updates.Views
		backward.Gradients, updates.Gradients = gradientBytes(q.Net, c.Adaptive.Gradients)
	}
	return base.Larger(backward).Larger(updates)
}

// pace is how many positions a worker should compute together: as many as keep
// reading the weights below its share of the time, in about batchSeconds.
func (c *Candidate) pace(net *network.Network, tallies []tally, positions int, r *cost.Rates) int {
	work := 0.0 // seconds of all positions
	for i, l := range net.Layers {
		how := c.Algorithms[i]
		work += r.Seconds(l, how, tallies[i].of(how))
	}
	each := work / float64(max(positions, 1))
	batch := usualBatch
	for ; batch < maxBatch; batch++ {
		streaming := 0.0 // seconds for each position
		for i, group := range groupsOf(net, c.largest(), c.Algorithms, batch) {
			if tallies[i].Runs > 0 {
				streaming += r.Streaming(net.Layers[i], c.Algorithms[i]) / float64(group)
			}
		}
		if streaming <= streamShare*each {
			break
		}
	}
	if each*float64(batch) > batchSeconds {
		return int(batchSeconds / each)
	}
	return batch
}

// largest are the largest rectangles of the layers.
func (c *Candidate) largest() []region.Rect {
	rects := make([]region.Rect, len(c.Layers))
	for i := range rects {
		rects[i] = c.Layers[i].Max
	}
	return rects
}

// stagesOf are the stages in which a worker takes a batch through the layers.
func stagesOf(net *network.Network, rects []region.Rect, algorithms []operators.Algorithm, batch int) []operators.Stage {
	return operators.Stages(net, rects, batch, func(i int) int64 { return streamedBytes(net.Layers[i], algorithms[i]) })
}

// groupsOf is, by layer Index, how many positions share a reading of the weights.
func groupsOf(net *network.Network, rects []region.Rect, algorithms []operators.Algorithm, batch int) []int {
	groups := make([]int, len(net.Layers))
	groups[0] = batch
	for _, s := range stagesOf(net, rects, algorithms, batch) {
		for i := s.From; i < s.To; i++ {
			groups[i] = min(s.Group, batch)
		}
	}
	return groups
}
