package planner

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/planner/cost"
)

// Limits of what a worker computes together.
const (
	// usualBatch is enough for groups of equal rectangles and for the fixed costs
	// of a layer not to count; maxBatch is where reading weights more rarely
	// gains nothing any more.
	usualBatch, maxBatch = 32, 64
	// streamShare is the share of a batch's time that reading the weights may
	// take, if a larger batch can bring it down.
	streamShare = 0.25
	patchBytes  = 256 << 20 // of a worker's patches, unless memory_limit says less
	// batchSeconds is about how long a batch may take: progress is told, and
	// the end is balanced, in whole batches.
	batchSeconds = 1.0
)

// workerBytes is what a worker takes for patches however small they are: the
// least slab of the processor's arena.
const workerBytes = 4 << 20

// size chooses the batch and predicts the memory. Its error says that the memory
// limit leaves too little.
func (c *Candidate) size(net *network.Network, g Grid, tallies []tally, h hints, r resources) error {
	each := c.positionBytes(net, g)
	each += each / 4 // gaps between blocks of different sizes
	worker := func(batch int) int64 { return max(each*int64(batch), workerBytes) }
	threads := int64(max(r.threads, 1))
	var base int64 // the base pass makes every view
	for _, l := range net.Layers {
		base += int64(l.Shape.Len()) * 4
	}
	c.Estimate.ViewBytes = base
	if c.Name == PlanFull {
		c.Estimate.ViewBytes = keptByFull(net)
	}
	views := c.Estimate.ViewBytes
	room := int64(patchBytes)
	c.Batch = 1
	c.Estimate.PeakBytes = max(base, views+worker(1)*threads)
	if r.memory > 0 {
		room = min(room, (r.memory-views)/threads)
		if r.memory < c.Estimate.PeakBytes {
			return fmt.Errorf("the %s plan needs %s for activations (threads = %d), memory_limit is %s",
				c.Name, FormatBytes(c.Estimate.PeakBytes), threads, FormatBytes(r.memory))
		}
	}
	share := (len(g.Positions) + 4*r.threads - 1) / (4 * r.threads) // a few batches for each thread, for balance
	c.Batch = max(1, min(c.pace(net, tallies, len(g.Positions), r.rates), int(room/max(each, 1)), share))
	if h.batch > 0 {
		c.Batch = min(h.batch, max(1, len(g.Positions)))
		if r.memory > 0 && int64(c.Batch)*each > room {
			c.Estimate.PeakBytes = max(base, views+worker(c.Batch)*threads)
			return fmt.Errorf("the %s plan needs %s for activations (threads = %d, batch = %d), memory_limit is %s",
				c.Name, FormatBytes(c.Estimate.PeakBytes), threads, c.Batch, FormatBytes(r.memory))
		}
	}
	c.Estimate.PeakBytes = max(base, views+worker(c.Batch)*threads)
	return nil
}

// pace is how many positions a worker should compute together: as many as keep
// reading the weights below its share of the time, in about batchSeconds.
func (c *Candidate) pace(net *network.Network, tallies []tally, positions int, r *cost.Rates) int {
	var work, streaming float64 // seconds of all positions, and of each batch
	for i, l := range net.Layers {
		if tallies[i].Runs == 0 {
			continue
		}
		how := c.Algorithms[i]
		work += r.Seconds(l, how, tallies[i].of(how))
		streaming += r.Streaming(l, how)
	}
	each := work / float64(max(positions, 1))
	if each <= 0 { // no layer changes at any position
		return maxBatch
	}
	batch := max(usualBatch, math.Ceil(streaming/streamShare/each))
	return int(min(batch, maxBatch, batchSeconds/each))
}

// keptByFull is what full inference keeps of the base pass: the probabilities,
// the image, and the maps that do not depend on it.
func keptByFull(net *network.Network) int64 {
	n := int64(net.Output.Shape.Len() + net.Input().Shape.Len())
	for _, l := range net.Layers {
		if _, constant := l.Op.(network.Const); constant {
			n += int64(l.Shape.Len())
		}
	}
	return n * 4
}

// positionBytes is the most memory that one position's patches take at once: a
// patch lives from the layer that makes it to the last that reads it. It counts
// the largest rectangle of each layer, so that a limit holds for any batch.
func (c *Candidate) positionBytes(net *network.Network, g Grid) int64 {
	last := make([]int, len(net.Layers))
	for i, l := range net.Layers {
		last[i] = i
		for _, in := range l.In {
			last[in.Index] = i
		}
	}
	bytes := func(i int) int64 {
		area := c.Layers[i].Max.Area()
		if i == 0 { // the occluded pixels, which stay to the end
			area = g.PatchW * g.PatchH
		}
		return int64(area) * int64(net.Layers[i].Shape.C) * 4
	}
	var live, peak int64
	for i, l := range net.Layers {
		live += bytes(i)
		scratch := int64(0)
		if e := c.Layers[i]; e.Runs > 0 {
			scratch = readBytes(l, e.Max)
		}
		peak = max(peak, live+scratch)
		for j := range i + 1 {
			if last[j] == i && j > 0 {
				live -= bytes(j)
			}
		}
	}
	return peak
}
