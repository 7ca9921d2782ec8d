package planner

import (
	"context"
	"fmt"
	"slices"
	"sort"

	"occlude/planner/cost"
)

// hints are the choices of the planner that a query forces.
type hints struct {
	plan    string // "" to let cost decide
	batch   int    // 0 likewise
	threads int    // likewise
	// sketches and trend are hintAuto (or ""), hintOn or hintOff.
	sketches, trend string
	accuracy        accuracy
	// approximation is the approximate plan that is asked for, nil for an exact one.
	approximation *approximation
	// adaptive is how goals may be met by sampling, nil where they may not, and
	// sampled the hints that demand it, "" for none.
	adaptive *Adaptive
	sampled  string
	// device is the name of the only one that may compute, "" for any, and deviceBy the
	// setting or hint that says so.
	device, deviceBy string
}

// considered are the plans to cost, the simpler one first where they cost the same.
// An approximate one is among them only if it is asked for.
func (h hints) considered() []*Candidate {
	all := []*Candidate{
		{Name: PlanFull, Rects: Rectangles{Rule: Whole}},
		{Name: PlanIncremental, Rects: Rectangles{Rule: Traced}},
	}
	if a := h.approximation; a != nil {
		all = append(all, &Candidate{Name: PlanApproximate, Rects: a.rects, DrillDown: a.drill})
	}
	return all
}

// forced is the plan that hints force, "" for none, and the hints.
func (h hints) forced() (plan, by string) {
	switch {
	case h.approximation != nil:
		return PlanApproximate, "WITH (" + h.approximation.hints + ")"
	case h.adaptive != nil && h.sampled != "":
		return PlanApproximate, "WITH (" + h.sampled + ")"
	}
	return h.plan, "WITH (plan = '" + h.plan + "')"
}

// resources are what a plan may use.
type resources struct {
	threads int
	cores   int         // of the machine, 0 for one a thread
	memory  int64       // bytes, 0 for no limit
	auto    bool        // the limit is what is free
	held    Memory      // whatever the plan
	rates   *cost.Rates // of each thread
	// choice are the rates of a thread alone, by which algorithms are chosen: how many
	// threads there are must not decide what is computed.
	choice *cost.Rates
	// allowed tells whether a choice is not ruled out; nil for all.
	allowed func(choice string) bool
	card    *card   // the GPU that computes, nil for the processor
	surveys surveys // of the query's positions, to which every device is costed; nil to keep none
}

func (r resources) enabled(choice string) bool { return r.allowed == nil || r.allowed(choice) }

// parallel is by how much threads divide the time: further threads than cores
// only take turns.
func (r resources) parallel() float64 {
	n := max(r.threads, 1)
	if r.cores > 0 {
		n = min(n, r.cores)
	}
	return float64(n)
}

// demands tells whether hints and goals allow a candidate.
func (h hints) demands(q *Occlude, c *Candidate) bool {
	forced, _ := h.forced()
	return (forced == "" || c.Name == forced) && (q.Goals.Within == 0 || c.Adaptive != nil) && h.allows(c)
}

// allows tells whether a candidate computes where it may.
func (h hints) allows(c *Candidate) bool { return h.device == "" || h.device == nameOf(c.Device) }

// candidates costs the ways to run a query on a device and orders them, the chosen one
// first.
func candidates(ctx context.Context, q *Occlude, h hints, r resources, kept []Views) ([]*Candidate, error) {
	all, err := considered(ctx, q, h, r, kept)
	if err != nil {
		return nil, err
	}
	return choose(q, h, all)
}

// considered costs the ways to run a query on a device: with a base pass, or where that is
// cheaper over views that are kept.
func considered(ctx context.Context, q *Occlude, h hints, r resources, kept []Views) ([]*Candidate, error) {
	all := h.considered()
	for _, c := range all {
		if err := c.cost(ctx, q, h, r); err != nil {
			return nil, err
		}
	}
	for _, c := range all {
		c.ruleOut(r)
	}
	exact := slices.DeleteFunc(slices.Clone(all), func(c *Candidate) bool { return len(c.off) > 0 })
	if h.adaptive != nil {
		if len(exact) == 0 {
			return nil, fmt.Errorf("%w; plans that sample compute their samples by one of these", noneLeft(all, func(*Candidate) bool { return true }))
		}
		c, err := adaptiveCandidate(ctx, q, h, r, exact)
		if err != nil {
			return nil, err
		}
		if err := c.cost(ctx, q, h, r); err != nil {
			return nil, err
		}
		c.ruleOut(r)
		all = append(all, c)
	}
	// What is computed must not depend on what is kept, but for the algorithms: so each
	// plan is made without it first.
	for i, c := range all {
		var err error
		if all[i], err = c.overKept(ctx, q, h, r, kept); err != nil {
			return nil, err
		}
		all[i].off = c.off
	}
	return all, nil
}

// choose orders candidates, the one to run first. It fails when none that the hints allow
// fits into the memory.
func choose(q *Occlude, h hints, all []*Candidate) ([]*Candidate, error) {
	forced, by := h.forced()
	rank := func(c *Candidate) int { // the lower one runs whatever it costs
		switch {
		case !h.demands(q, c):
			return 3
		case len(c.off) > 0:
			return 2
		case c.refused != nil:
			return 1
		}
		return 0
	}
	all = slices.Clone(all)
	sort.SliceStable(all, func(i, j int) bool {
		if a, b := rank(all[i]), rank(all[j]); a != b {
			return a < b
		}
		if all[i].refused != nil && all[j].refused != nil {
			return all[i].Estimate.PeakBytes < all[j].Estimate.PeakBytes
		}
		return all[i].wager() < all[j].wager()
	})
	if rank(all[0]) > 1 {
		return nil, noneLeft(all, func(c *Candidate) bool { return h.demands(q, c) })
	}
	if all[0].refused != nil {
		return all, all[0].refused
	}
	all[0].Forced = all[0].Name == forced
	explainChoice(q.Goals, h, all[0], all[1:], by)
	return all, nil
}

// cost expects what a candidate takes for an image.
func (c *Candidate) cost(ctx context.Context, q *Occlude, h hints, r resources) error {
	net, g := q.Net, q.Grid
	found, err := r.surveys.of(ctx, net, g, c.Rects)
	if err != nil {
		return err
	}
	tallies := c.take(found)
	on := c.pricing(q, tallies, r)
	if c.Algorithms == nil { // else those of a plan that is taken up again, or of a trial
		if err := on.choose(h.accuracy); err != nil {
			return err
		}
	}
	c.refine(q)
	c.stages(g)
	c.expect(tallies, len(g.Positions))
	if err := on.size(h); err != nil {
		return err
	}
	if err := on.price(); err != nil {
		return err
	}
	c.divide()
	c.addSampling(net)
	c.Estimate.WriteSeconds = q.Profile.PerImage + q.Profile.PerPicture*float64(q.pictures()) + q.keeping()
	c.Estimate.Seconds += c.Estimate.WriteSeconds
	c.Estimate.Least, c.Estimate.Most = c.within(on.spread())
	return nil
}

// mapsDiffer is how many times more or fewer positions than expected a map may take
// that is sampled.
const mapsDiffer = 3

// within is the range of the estimate.
func (c *Candidate) within(s cost.Spread) (least, most float64) {
	if c.Adaptive != nil {
		s.Least, s.Most = s.Least/mapsDiffer, s.Most*mapsDiffer
	}
	return s.Least * c.Estimate.Seconds, s.Most * c.Estimate.Seconds
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

// explainChoice says in each candidate why it was taken or not; by are the hints
// that forced the best one, if it is forced.
func explainChoice(goals Goals, h hints, best *Candidate, others []*Candidate, by string) {
	against := func(a, b *Candidate) string {
		own, others := FormatSeconds(a.Estimate.Seconds), FormatSeconds(b.Estimate.Seconds)
		if own == others {
			return "about " + own + " either way"
		}
		return own + " against " + others
	}
	rival := others[0]
	best.Reason = "cheapest: " + against(best, rival)
	if best.Device != rival.Device {
		best.Reason += " on " + nameOf(rival.Device)
	}
	if h.device != "" {
		best.Reason = "cheapest on " + h.device + ": " + against(best, rival)
	}
	switch {
	case best.Forced:
		best.Reason = "forced by " + by
	case goals.Within > 0:
		best.Reason = "the only plan that ends in time whatever a position takes"
	case !h.allows(rival):
		best.Reason = "the only plan that is left on " + h.device
	case len(rival.off) > 0:
		best.Reason = "the only plan that is left"
	case rival.refused != nil:
		best.Reason = "the only one that fits into the memory"
	case goals.SSIM > mostPromised && best.Adaptive == nil:
		best.Reason += fmt.Sprintf("; no sample can promise SSIM above %g", mostPromised)
	}
	for _, c := range others {
		if !best.Forced && c.Adaptive != nil && c.refused == nil && c.Estimate.Seconds < best.Estimate.Seconds {
			best.Reason = "sure to be exact: " + against(best, c)
		}
		macs := float64(c.Estimate.MACs) / float64(max(best.Estimate.MACs, 1))
		switch seconds := against(c, best); {
		case len(c.off) > 0:
			c.Reason = "ruled out by " + offBy(c.off) + ": " + seconds
		case !h.allows(c) && c.Estimate.Seconds < best.Estimate.Seconds:
			c.Reason = "ruled out by " + h.deviceBy + ", though cheaper: " + seconds
		case !h.allows(c):
			c.Reason = "ruled out by " + h.deviceBy + ": " + seconds
		case best.Forced && c.Estimate.Seconds < best.Estimate.Seconds:
			c.Reason = "ruled out by the hint, though cheaper: " + seconds
		case best.Forced:
			c.Reason = "ruled out by the hint: " + seconds
		case goals.Within > 0:
			c.Reason = "computes every position, however long that takes: " + seconds
		case c.refused != nil:
			c.Reason = "too large: " + c.refused.Error()
		case c.Adaptive != nil && c.Estimate.Seconds < best.Estimate.Seconds:
			c.Reason = "not cheaper by half, which a map of unknown roughness has to be: " + seconds
			if c.Adaptive.dear() {
				c.Reason = "cheaper, unless the map is rough; to find that out would take too long: " + seconds
			}
		case c.Device != best.Device:
			c.Reason = fmt.Sprintf("dearer on %s: %s", nameOf(c.Device), seconds)
		case c.Rects.Rule == Traced && c.FullFrom <= 1:
			c.Reason = "every update covers the whole map from the first layer on"
		case macs >= 1.05:
			c.Reason = fmt.Sprintf("%.1fx the multiply-adds: %s", macs, seconds)
		case c.Device != nil && macs < 0.95:
			c.Reason = fmt.Sprintf("%.1fx fewer multiply-adds, but %s: %s", 1/macs, c.Estimate.OnGPU.slower(best.Estimate.OnGPU), seconds)
		default:
			c.Reason = "dearer: " + seconds
		}
	}
}
