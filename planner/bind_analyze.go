package planner

import (
	"context"
	"math/rand/v2"
	"slices"

	"occlude/internal/curve"
	"occlude/lang"
)

func (b *binder) analyze(ctx context.Context, s *lang.AnalyzeModel) (Plan, error) {
	m, o, err := b.model(s.Model)
	if err != nil {
		return nil, err
	}
	q := &Occlude{text: b.text, Model: m, Net: o.net, Fired: o.fired, Threads: b.cores(), Device: "cpu", Kernels: b.env.Settings.Kernels(),
		Profile: b.env.Profile, Convolution: ConvolutionAuto, Tolerance: defaultTolerance, Target: Target{Top: 1}, Seed: defaultSeed}
	like := &lang.Occlude{Located: s.Located, Patch: s.Patch, Stride: s.Stride}
	if q.Grid, err = b.grid(ctx, like, queryOptions{}, m); err != nil {
		return nil, err
	}
	if q.Fill, err = b.fill(s.Fill); err != nil {
		return nil, err
	}
	p := &Analyze{text: b.text, Model: m, Kernels: q.Kernels, Profile: b.env.Profile}
	if s.Sample != nil {
		if p.Sample, err = draw(s.Sample); err != nil {
			return nil, err
		}
	}
	if p.Device, err = b.deviceTrials(ctx, s, *q); err != nil {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		return nil, err
	}
	if p.Device == nil {
		err = b.trials(ctx, p, *q)
	}
	if err == nil && p.Sample != nil {
		// Maps are computed as any query computes them.
		q.Threads = min(q.Threads, b.env.Settings.Threads())
		var r resources
		if r, err = b.resources(m, o.net, q.Threads); err == nil {
			if p.Device != nil {
				r.card = p.Device.card
			}
			if err = p.Sample.plans(ctx, *q, r); err != nil && r.card != nil && ctx.Err() == nil {
				r.card = nil // which gives way, as the setting does
				err = p.Sample.plans(ctx, *q, r)
			}
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case err != nil:
		at := s.Span()
		at.To = lang.Pos{} // the statement's beginning
		return nil, lang.Errorf(at, "%w", err).WithHint("SET memory_limit or SET threads change that")
	}
	return p, nil
}

// draw chooses images, each as likely as any other.
func draw(s *lang.Sample) (*Sample, error) {
	found, err := imagesOf(s.Files)
	if err != nil {
		return nil, err
	}
	seed := defaultSeed
	if s.Seed != nil {
		if seed, err = wholeNumber(*s.Seed, 0); err != nil {
			return nil, err
		}
	}
	drawn := &Sample{Files: s.Files.Value, Found: len(found), Wanted: s.Size, Seed: int64(seed)}
	order := rand.New(rand.NewPCG(uint64(seed), 0)).Perm(len(found))
	for _, i := range order[:min(s.Size, len(found))] {
		drawn.Images = append(drawn.Images, found[i])
	}
	slices.Sort(drawn.Images)
	return drawn, nil
}

// plans fills in the plans of a sample's heat maps.
func (s *Sample) plans(ctx context.Context, q Occlude, r resources) error {
	h := hints{accuracy: accuracy{convolution: ConvolutionAuto, tolerance: defaultTolerance}}
	s.Thresholded = nil
	exact := q
	all, err := candidates(ctx, &exact, h, r, nil)
	if err != nil {
		return err
	}
	exact.Candidates, exact.Threads, exact.Device, exact.MemoryLimit = all, all[0].Threads, nameOf(all[0].Device), r.memory
	s.Exact = &exact
	for _, tau := range curve.Taus()[1:] {
		t, err := q.planned(ctx, Candidate{Name: PlanApproximate, Rects: Rectangles{Rule: Thresholded, Tau: tau}}, h, r)
		if err == nil {
			err = t.Chosen().refused
		}
		if err != nil {
			return err
		}
		t.Threads, t.Device = t.Chosen().Threads, nameOf(t.Chosen().Device)
		s.Thresholded = append(s.Thresholded, t)
	}
	return nil
}
