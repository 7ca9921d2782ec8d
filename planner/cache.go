package planner

import (
	"context"
	"slices"

	"occlude/internal/network"
	"occlude/lang"
	"occlude/operators"
)

// Cache is what the planner asks about what queries before have left.
type Cache interface {
	// Views are those of an image, as its file is now, that were made by a network with
	// a set of kernels. Those that were used last come first.
	Views(net *network.Network, kernels, image string) []Views
}

// Views were materialized by a query before: a plan that computes with the same
// algorithms has no base pass to run, and finds the weights packed.
type Views struct {
	// Device is what keeps them, as SET device names it: only there they are of use. "" is
	// the processor, too.
	Device     string
	Algorithms []operators.Algorithm // by layer Index
	Bytes      int64
}

// on tells whether a device has the views.
func (v Views) on(d *Device) bool { return v.Device == nameOf(d) || v.Device == "" && d == nil }

// The plans about what is kept for other queries.
type (
	// ShowCache lists it.
	ShowCache struct{ text }
	// ClearCache lets go of it.
	ClearCache struct{ text }
)

// inner plans a query that another statement runs for a purpose of its own.
func (b *binder) inner(ctx context.Context, q *lang.Occlude) (*Occlude, error) {
	plan, err := b.planner.plan(ctx, q, b.planner.env.alone())
	if err != nil {
		return nil, err
	}
	return plan.(*Occlude), nil
}

// alone is the world without what queries before have left, of which the answer to a
// question about queries must not depend.
func (e Env) alone() *Env {
	e.Cache = nil
	return &e
}

// keeps tells whether a query leaves its views to others, and may go by theirs.
func (b *binder) keeps(p *Occlude) bool {
	return b.env.Cache != nil && p.Table == "" && allViews(p.Net)+4*int64(p.Net.Input().Shape.Len()) <= b.env.Settings.ViewCache()
}

// kept are the views that a device has of all images of a query, made by the same
// algorithms.
func (b *binder) kept(p *Occlude, on *Device) (common []Views) {
	if !p.Keeps {
		return nil
	}
	for i, image := range p.Images {
		views := slices.DeleteFunc(b.env.Cache.Views(p.Net, p.Kernels, image), func(v Views) bool { return !v.on(on) })
		if i == 0 {
			common = views
		}
		common = slices.DeleteFunc(common, func(v Views) bool {
			return !slices.ContainsFunc(views, func(w Views) bool { return slices.Equal(v.Algorithms, w.Algorithms) })
		})
		if len(common) == 0 {
			return nil
		}
	}
	return common
}

// over is the candidate as it would run over views that are kept: by the algorithms that
// made them, which a query's hints and settings may forbid. Nil where they do.
func (c *Candidate) over(ctx context.Context, q *Occlude, h hints, r resources, views Views) (*Candidate, error) {
	k := &Candidate{Name: c.Name, Rects: c.Rects, DrillDown: c.DrillDown, Algorithms: views.Algorithms, Views: &views}
	if !slices.Equal(k.Algorithms, c.Algorithms) && !h.accuracy.allows(q.Net, k.Algorithms, c.Estimate.Error) {
		return nil, nil
	}
	if c.Adaptive != nil {
		a := *c.Adaptive
		a.SecondsBefore -= c.Estimate.BaseSeconds
		k.Adaptive, k.Stages = &a, a.stages(q)
	}
	return k, k.cost(ctx, q, h, r)
}

// overKept is the best way to run a candidate: with a base pass, or over one of the
// views that are kept. Views made by the algorithms that it would choose itself are
// always better than making them again.
func (c *Candidate) overKept(ctx context.Context, q *Occlude, h hints, r resources, kept []Views) (*Candidate, error) {
	best := c
	for _, views := range kept {
		k, err := c.over(ctx, q, h, r, views)
		if err != nil {
			return nil, err
		}
		if k != nil && (k.refused == nil || best.refused != nil) && k.Estimate.Seconds < best.Estimate.Seconds {
			best = k
		}
	}
	return best, nil
}
