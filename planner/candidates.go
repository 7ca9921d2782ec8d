package planner

import (
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

// candidates costs the ways to run a grid and orders them, the chosen one first.
func candidates(net *network.Network, g Grid, h hints, r resources, p *cost.Profile) ([]*Candidate, error) {
	var all []*Candidate
	for _, name := range []string{PlanIncremental, PlanFull} {
		c := &Candidate{Name: name}
		c.estimate(net, g, r, p)
		if err := c.size(net, g, h, r); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	sort.SliceStable(all, func(i, j int) bool {
		if h.plan != "" && (all[i].Name == h.plan) != (all[j].Name == h.plan) {
			return all[i].Name == h.plan
		}
		return all[i].Estimate.Seconds < all[j].Estimate.Seconds
	})
	all[0].Forced = h.plan != ""
	explainChoice(all, len(net.Layers))
	return all, nil
}

// estimate sums the work of all positions, layer by layer.
func (c *Candidate) estimate(net *network.Network, g Grid, r resources, p *cost.Profile) {
	n := len(net.Layers)
	c.Layers = make([]LayerEstimate, n)
	amounts := make([]cost.Amount, n)
	var rects []region.Rect
	whole := func(l *network.Layer, rect region.Rect) bool { return rect.IsWhole(l.Shape.H, l.Shape.W) }
	for i, pos := range g.Positions {
		if i == 0 || c.Name != PlanFull { // full inference is the same everywhere
			rects = c.rects(net, g, pos, rects)
		}
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
	c.Estimate.Seconds += c.Estimate.BaseSeconds + p.PerImage
	c.FullFrom = n
	for j := n - 1; j > 0; j-- {
		if e := c.Layers[j]; e.Whole < int64(len(g.Positions)) && e.Runs > 0 {
			break
		} else if e.Runs > 0 {
			c.FullFrom = j
		}
	}
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
)

// size chooses the batch and predicts the memory.
func (c *Candidate) size(net *network.Network, g Grid, h hints, r resources) error {
	each := c.positionBytes(net, len(g.Positions))
	threads := int64(max(r.threads, 1))
	base := c.Estimate.ViewBytes // the base pass makes every view
	if c.Name == PlanFull {
		c.Estimate.ViewBytes = keptByFull(net)
	}
	views := c.Estimate.ViewBytes
	room := int64(patchBytes)
	if r.memory > 0 {
		room = min(room, (r.memory-views)/threads)
		if room < each || r.memory < base {
			return fmt.Errorf("the %s plan needs at least %s for activations with %d threads, memory_limit is %s",
				c.Name, FormatBytes(max(base, views+each*threads)), threads, FormatBytes(r.memory))
		}
	}
	share := (len(g.Positions) + 4*r.threads - 1) / (4 * r.threads) // a few batches for each thread, for balance
	c.Batch = max(1, min(maxBatch, int(room/max(each, 1)), share))
	if h.batch > 0 {
		c.Batch = min(h.batch, max(1, len(g.Positions)))
		if r.memory > 0 && int64(c.Batch)*each > room {
			return fmt.Errorf("a batch of %d needs %s for activations, memory_limit is %s",
				c.Batch, FormatBytes(views+each*threads*int64(c.Batch)), FormatBytes(r.memory))
		}
	}
	c.Estimate.PeakBytes = max(base, views+each*int64(c.Batch)*threads)
	return nil
}

// keptByFull is what full inference keeps of the base pass: the probabilities,
// and the maps that do not depend on the image.
func keptByFull(net *network.Network) int64 {
	n := int64(net.Output.Shape.Len())
	for _, l := range net.Layers {
		if _, constant := l.Op.(network.Const); constant {
			n += int64(l.Shape.Len())
		}
	}
	return n * 4
}

// positionBytes is the most memory that one position's patches take at once: a
// patch lives from the layer that makes it to the last that reads it.
func (c *Candidate) positionBytes(net *network.Network, positions int) int64 {
	last := make([]int, len(net.Layers))
	for i, l := range net.Layers {
		last[i] = i
		for _, in := range l.In {
			last[in.Index] = i
		}
	}
	bytes := func(i int) int64 {
		return c.Layers[i].Cells / int64(max(positions, 1)) * int64(net.Layers[i].Shape.C) * 4
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
			if last[j] == i {
				live -= bytes(j)
			}
		}
	}
	return peak
}

// explainChoice says in each candidate why it was taken or not.
func explainChoice(all []*Candidate, layers int) {
	best := all[0]
	for i, c := range all {
		others := all[1]
		if i > 0 {
			others = best
		}
		seconds := fmt.Sprintf("%s against %s", FormatSeconds(c.Estimate.Seconds), FormatSeconds(others.Estimate.Seconds))
		macs := float64(c.Estimate.MACs) / float64(max(others.Estimate.MACs, 1))
		switch {
		case i == 0 && c.Forced:
			c.Reason = "forced by WITH (plan = '" + c.Name + "')"
		case i == 0:
			c.Reason = "cheapest: " + seconds
		case best.Forced && c.Estimate.Seconds < best.Estimate.Seconds:
			c.Reason = fmt.Sprintf("ruled out by the hint, though cheaper: %s", seconds)
		case best.Forced:
			c.Reason = fmt.Sprintf("ruled out by the hint: %s", seconds)
		case c.Name == PlanIncremental && c.FullFrom <= 1:
			c.Reason = "every update covers the whole map from the first layer on"
		case macs >= 1.05:
			c.Reason = fmt.Sprintf("%.1fx the multiply-adds: %s", macs, seconds)
		default:
			c.Reason = "dearer: " + seconds
		}
	}
}
