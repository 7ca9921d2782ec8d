package planner

import (
	"fmt"

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
	patchBytes  = 256 << 20 // of a worker's patches, unless memory_limit says less
	// batchSeconds is about how long a batch may take: progress is told, and
	// the end is balanced, in whole batches.
	batchSeconds = 1.0
)

// Of the processor's memory: what an arena takes at a time, in bytes, and the most
// tiles that are transformed together, those at the rim counted as parts of whole
// ones.
const (
	slabBytes  = 4 << 20
	chunkTiles = 144
)

// size chooses the batch and predicts the memory. Its error says that the memory
// limit leaves too little.
func (c *Candidate) size(net *network.Network, g Grid, tallies []tally, h hints, r resources) error {
	threads := int64(max(r.threads, 1))
	var base int64 // the base pass makes every view
	for _, l := range net.Layers {
		base += int64(l.Shape.Len()) * 4
	}
	c.Estimate.ViewBytes = base
	if c.Rects.Rule == Whole {
		c.Estimate.ViewBytes = keptByFull(net)
	}
	if a := c.Adaptive; a != nil && a.Sketches() { // gradients at most layers, and what goes with them
		c.Estimate.ViewBytes += base * int64(1+a.Gradients)
	}
	room := int64(patchBytes)
	if r.memory > 0 {
		room = min(room, (r.memory-c.Estimate.ViewBytes)/threads)
	}
	share := (c.Positions() + int(threads) - 1) / int(threads) // no thread idle
	c.Batch = max(1, min(c.pace(net, tallies, c.Positions(), r.rates), share))
	for c.Batch > 1 && c.workerBytes(net, g, c.Batch) > room {
		c.Batch--
	}
	if h.batch > 0 {
		c.Batch = min(h.batch, max(1, len(g.Positions)))
	}
	c.Estimate.PeakBytes = max(base, c.Estimate.ViewBytes+c.workerBytes(net, g, c.Batch)*threads)
	if r.memory == 0 || c.Estimate.PeakBytes <= r.memory {
		return nil
	}
	batch := ""
	if h.batch > 0 {
		batch = fmt.Sprintf(", batch = %d", c.Batch)
	}
	return fmt.Errorf("the %s plan needs %s for activations (threads = %d%s), memory_limit is %s",
		c.Name, FormatBytes(c.Estimate.PeakBytes), threads, batch, FormatBytes(r.memory))
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
	return operators.Stages(net, rects, batch, func(i int) int64 { return cost.WeightBytes(net.Layers[i], algorithms[i]) })
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

// workerBytes is the most memory that a worker's updates take at once. An update
// lives from the layer that makes it to the last that reads it: those that never
// leave their stage for one group of positions, the others for the whole batch.
// It counts the largest rectangle of each layer, so that a limit holds for any
// batch.
func (c *Candidate) workerBytes(net *network.Network, g Grid, batch int) int64 {
	last := make([]int, len(net.Layers)) // reader of each layer
	for i, l := range net.Layers {
		last[i] = i
		for _, in := range l.In {
			last[in.Index] = i
		}
	}
	last[net.Output.Index] = len(net.Layers)
	each := c.updateBytes(net)
	pixels := int64(g.PatchW*g.PatchH*net.Input().Shape.C) * 4
	var peak, held int64 // held is what stages hand on, for the whole batch
	for _, s := range stagesOf(net, c.largest(), c.Algorithms, batch) {
		group := int64(min(s.Group, batch))
		handed := int64(0)
		for i := s.From; i < s.To; i++ {
			if last[i] >= s.To {
				handed += each[i] * int64(batch)
			}
		}
		inside := int64(0)
		for i := s.From; i < s.To; i++ {
			if last[i] < s.To {
				inside += each[i] * group
			}
			peak = max(peak, held+handed+inside+c.scratchBytes(net.Layers[i], int(group)))
			for j := s.From; j <= i; j++ {
				if last[j] == i {
					inside -= each[j] * group
				}
			}
		}
		held += handed
		for j := 1; j < s.From; j++ {
			if last[j] >= s.From && last[j] < s.To {
				held -= each[j] * int64(batch)
			}
		}
	}
	peak += peak / 4 // gaps between blocks of different sizes
	slabs := max(1, (peak+slabBytes-1)/slabBytes)
	return pixels*int64(batch) + slabs*slabBytes
}

// updateBytes is what one position's update takes at each layer: the rectangle,
// or where that is more what a convolution reads around it, which stands around
// it in memory.
func (c *Candidate) updateBytes(net *network.Network) []int64 {
	cells := make([]int, len(net.Layers))
	for i, l := range net.Layers {
		r := c.Layers[i].Max
		cells[i] = max(cells[i], r.Area())
		op, ok := l.Op.(network.Conv)
		if !ok || r.Empty() {
			continue
		}
		h, w := op.Y.Input(r.Y).Len(), op.X.Input(r.X).Len()
		for _, in := range l.In {
			cells[in.Index] = max(cells[in.Index], h*w)
		}
	}
	bytes := make([]int64, len(net.Layers))
	for i, l := range net.Layers[1:] {
		bytes[i+1] = int64(cells[i+1]) * int64(l.Shape.C) * 4
	}
	return bytes
}

// scratchBytes is what a layer takes beside its input and output: the
// transformed tiles of a group.
func (c *Candidate) scratchBytes(l *network.Layer, group int) int64 {
	e := c.Layers[l.Index]
	if e.Runs == 0 {
		return 0
	}
	f := cost.Of(l, c.Algorithms[l.Index])
	if f.Points == 1 {
		return readBytes(l, e.Max)
	}
	op := l.Op.(network.Conv)
	channels := int64(op.GroupIn() + op.Filters())
	tiles := f.Tiles(e.Max)
	chunk := chunkTiles * tiles * int64(f.Points) / f.Products(e.Max)
	return 4 * min(tiles*int64(group), chunk) * int64(f.Points) * channels
}
