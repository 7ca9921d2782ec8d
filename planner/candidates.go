package planner

import (
	"context"
	"fmt"
	"sort"

	"occlude/internal/network"
	"occlude/operators/region"
	"occlude/planner/cost"
)

// hints are the choices of the planner that a query forces.
type hints struct {
	plan  string // "" to let cost decide
	batch int    // 0 likewise
}

// resources are what a plan may use.
type resources struct {
	threads int
	memory  int64 // bytes, 0 for no limit
}

// candidates costs the ways to run a query and orders them, the chosen one
// first. It fails when none that the hints allow fits into the memory.
func candidates(ctx context.Context, q *Occlude, h hints, r resources) ([]*Candidate, error) {
	net, g, p := q.Net, q.Grid, q.Profile
	write := p.PerImage + p.PerPicture*float64(q.pictures())
	var all []*Candidate
	for _, name := range []string{PlanFull, PlanIncremental} { // the simpler one where they cost the same
		c := &Candidate{Name: name}
		if name == PlanFull {
			c.whole = wholeRects(net)
		}
		if err := c.estimate(ctx, net, g, r, p); err != nil {
			return nil, err
		}
		c.Estimate.WriteSeconds = write
		c.Estimate.Seconds += write
		c.refused = c.size(net, g, h, r)
		all = append(all, c)
	}
	rank := func(c *Candidate) int { // the lower one runs whatever it costs
		switch {
		case h.plan != "" && c.Name != h.plan:
			return 2
		case c.refused != nil:
			return 1
		}
		return 0
	}
	sort.SliceStable(all, func(i, j int) bool {
		if a, b := rank(all[i]), rank(all[j]); a != b {
			return a < b
		}
		if all[i].refused != nil && all[j].refused != nil {
			return all[i].Estimate.PeakBytes < all[j].Estimate.PeakBytes
		}
		return all[i].Estimate.Seconds < all[j].Estimate.Seconds
	})
	if all[0].refused != nil {
		return nil, all[0].refused
	}
	all[0].Forced = h.plan != ""
	explainChoice(all[0], all[1:])
	return all, nil
}

// pictures is the number of pictures to draw for each image.
func (p *Occlude) pictures() int {
	n := 0
	for _, o := range p.Outputs {
		if o.Format == WritePNG {
			n++
		}
	}
	return n
}

// estimate sums the work of all positions, layer by layer.
func (c *Candidate) estimate(ctx context.Context, net *network.Network, g Grid, r resources, p *cost.Profile) error {
	n := len(net.Layers)
	c.Layers = make([]LayerEstimate, n)
	amounts := make([]cost.Amount, n)
	var rects []region.Rect
	whole := func(l *network.Layer, rect region.Rect) bool { return rect.IsWhole(l.Shape.H, l.Shape.W) }
	for i, pos := range g.Positions {
		if i%1024 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		rects = c.rects(net, g, pos, rects)
		for j, l := range net.Layers[1:] {
			rect := rects[j+1]
			if rect.Empty() {
				continue
			}
			e, a := &c.Layers[j+1], &amounts[j+1]
			work := l.Work(rect)
			a.Work = a.Work.Plus(work)
			a.Values += int64(rect.Area()) * int64(l.Shape.C)
			a.ReadBytes += readBytes(l, rect)
			a.Runs++
			e.Cells += int64(rect.Area())
			if whole(l, rect) {
				e.Whole++
			}
			if e.Runs == 0 || rect.Area() < e.Min.Area() {
				e.Min = rect
			}
			if rect.Area() > e.Max.Area() {
				e.Max = rect
			}
			e.Runs++
		}
	}
	threads := float64(max(r.threads, 1))
	base := net.Work()
	c.Estimate = Estimate{MACs: base.MACs, BaseMACs: base.MACs}
	for j, l := range net.Layers {
		e := &c.Layers[j]
		e.Work = amounts[j].Work
		e.Seconds = p.Seconds(l, amounts[j]) / threads
		c.Estimate.Seconds += e.Seconds
		c.Estimate.MACs += e.Work.MACs
		c.Estimate.BaseSeconds += p.Seconds(l, wholeAmount(l)) / threads
		c.Estimate.ViewBytes += int64(l.Shape.Len()) * 4
	}
	c.Estimate.Seconds += c.Estimate.BaseSeconds
	c.FullFrom = n
	for j := n - 1; j > 0; j-- {
		if e := c.Layers[j]; e.Whole < int64(len(g.Positions)) && e.Runs > 0 {
			break
		} else if e.Runs > 0 {
			c.FullFrom = j
		}
	}
	return nil
}

func wholeAmount(l *network.Layer) cost.Amount {
	rect := l.Shape.Whole()
	return cost.Amount{Work: l.Work(rect), Values: int64(l.Shape.Len()), ReadBytes: readBytes(l, rect), Runs: 1}
}

// readBytes is the read-in context that a windowed layer puts together.
func readBytes(l *network.Layer, out region.Rect) int64 {
	switch l.Op.(type) {
	case network.Conv, network.Pool:
		return int64(l.Reads(0, out).Area()) * int64(l.In[0].Shape.C) * 4
	}
	return 0
}

// Limits of what a worker computes together. Beyond maxBatch weights are
// streamed rarely enough that more gains nothing.
const (
	maxBatch   = 32
	patchBytes = 256 << 20 // of a worker's patches, unless memory_limit says less
	// batchSeconds is about how long a batch may take: progress is told, and
	// the end is balanced, in whole batches.
	batchSeconds = 1.0
)

// workerBytes is what a worker takes for patches however small they are: the
// least slab of the processor's arena.
const workerBytes = 4 << 20

// size chooses the batch and predicts the memory. Its error says that the memory
// limit leaves too little.
func (c *Candidate) size(net *network.Network, g Grid, h hints, r resources) error {
	each := c.positionBytes(net, g)
	each += each / 4 // gaps between blocks of different sizes
	worker := func(batch int) int64 { return max(each*int64(batch), workerBytes) }
	threads := int64(max(r.threads, 1))
	base := c.Estimate.ViewBytes // the base pass makes every view
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
	c.Batch = max(1, min(maxBatch, int(room/max(each, 1)), share, c.pace(len(g.Positions), r.threads)))
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

// pace is how many positions a worker computes in batchSeconds.
func (c *Candidate) pace(positions, threads int) int {
	var seconds float64 // elapsed, of all positions
	for _, l := range c.Layers {
		seconds += l.Seconds
	}
	each := seconds * float64(max(threads, 1)) / float64(max(positions, 1))
	if each*maxBatch <= batchSeconds {
		return maxBatch
	}
	return int(batchSeconds / each)
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

// explainChoice says in each candidate why it was taken or not.
func explainChoice(best *Candidate, others []*Candidate) {
	against := func(a, b *Candidate) string {
		return fmt.Sprintf("%s against %s", FormatSeconds(a.Estimate.Seconds), FormatSeconds(b.Estimate.Seconds))
	}
	best.Reason = "cheapest: " + against(best, others[0])
	switch {
	case best.Forced:
		best.Reason = "forced by WITH (plan = '" + best.Name + "')"
	case others[0].refused != nil:
		best.Reason = "the only one that fits into the memory"
	}
	for _, c := range others {
		macs := float64(c.Estimate.MACs) / float64(max(best.Estimate.MACs, 1))
		switch seconds := against(c, best); {
		case best.Forced && c.Estimate.Seconds < best.Estimate.Seconds:
			c.Reason = "ruled out by the hint, though cheaper: " + seconds
		case best.Forced:
			c.Reason = "ruled out by the hint: " + seconds
		case c.refused != nil:
			c.Reason = "too large: " + c.refused.Error()
		case c.Name == PlanIncremental && c.FullFrom <= 1:
			c.Reason = "every update covers the whole map from the first layer on"
		case macs >= 1.05:
			c.Reason = fmt.Sprintf("%.1fx the multiply-adds: %s", macs, seconds)
		default:
			c.Reason = "dearer: " + seconds
		}
	}
}
