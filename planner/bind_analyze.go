package planner

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"occlude/internal/curve"
	"occlude/lang"
	"occlude/operators"
)

// trialSeconds is about how long a trial of ANALYZE MODEL takes, if the predictions
// that it is to correct are right.
const trialSeconds = 0.25

func (b *binder) analyze(ctx context.Context, s *lang.AnalyzeModel) (Plan, error) {
	m, o, err := b.model(s.Model)
	if err != nil {
		return nil, err
	}
	// Rates are those of a thread that has a core for itself.
	threads := b.env.Settings.Threads()
	if cores := b.env.Cores; cores > 0 {
		threads = min(threads, cores)
	}
	q := &Occlude{text: b.text, Model: m, Net: o.net, Fired: o.fired, Threads: threads, Device: "cpu",
		Profile: b.env.Profile, Convolution: ConvolutionAuto, Tolerance: defaultTolerance, Target: Target{Top: 1}, Seed: defaultSeed}
	like := &lang.Occlude{Located: s.Located, Patch: s.Patch, Stride: s.Stride}
	if q.Grid, err = b.grid(like, queryOptions{}, m); err != nil {
		return nil, err
	}
	if q.Fill, err = b.fill(s.Fill); err != nil {
		return nil, err
	}
	p := &Analyze{text: b.text, Model: m, Threads: q.Threads, Profile: b.env.Profile}
	if s.Sample != nil {
		if p.Sample, err = draw(s.Sample); err != nil {
			return nil, err
		}
	}
	r := resources{threads: q.Threads, cores: b.env.Cores, memory: b.env.Settings.MemoryLimit()}
	if p.Kernels, r.rates, err = b.kernels(); err != nil {
		return nil, err
	}
	q.Kernels = p.Kernels
	err = p.trials(ctx, *q, r)
	if err == nil && p.Sample != nil {
		err = p.Sample.plans(ctx, *q, r)
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

// trials plans what is timed, as far as the memory allows.
func (p *Analyze) trials(ctx context.Context, q Occlude, r resources) error {
	incremental, full := Candidate{Name: PlanIncremental, Rects: Rectangles{Rule: Traced}}, Candidate{Name: PlanFull, Rects: Rectangles{Rule: Whole}}
	var refused error
	for _, t := range []struct {
		candidate   Candidate
		convolution string
	}{
		{incremental, ConvolutionAuto}, {full, ConvolutionAuto},
		// What the predictions so far would not choose has to be measured, too.
		{incremental, string(operators.Direct)}, {incremental, string(operators.Winograd4)},
	} {
		h := hints{accuracy: accuracy{t.convolution, defaultTolerance}}
		all, err := q.planned(ctx, t.candidate, h, r)
		if err != nil {
			return err
		}
		if refused = all.Chosen().refused; refused != nil {
			continue
		}
		if p.Picture == nil {
			p.Picture = all
		}
		same := func(o *Occlude) bool {
			return o.Chosen().Name == t.candidate.Name && slices.Equal(o.Chosen().Algorithms, all.Chosen().Algorithms)
		}
		if slices.ContainsFunc(p.Trials, same) {
			continue
		}
		some := q
		some.Grid, some.Convolution = all.part(r.threads), t.convolution
		trial, err := some.planned(ctx, t.candidate, h, r)
		if err != nil {
			return err
		}
		p.Trials = append(p.Trials, trial)
	}
	if p.Trials == nil {
		return refused
	}
	return nil
}

// planned is the query with a candidate as its only one.
func (p Occlude) planned(ctx context.Context, c Candidate, h hints, r resources) (*Occlude, error) {
	if err := c.cost(ctx, &p, h, r); err != nil {
		return nil, err
	}
	p.Candidates = []*Candidate{&c}
	return &p, nil
}

// part is the grid with so many of its positions, spread over all of it, that each
// thread has the batch that it would have for all of them, as long as that
// takes no longer than a trial should.
func (p *Occlude) part(threads int) Grid {
	c, all := p.Chosen(), p.Grid.Positions
	each := (c.Estimate.Seconds - c.Estimate.BaseSeconds - c.Estimate.WriteSeconds) / float64(len(all))
	n := min(len(all), max(threads, min(threads*c.Batch, int(trialSeconds/math.Max(each, 1e-9)))))
	g := p.Grid
	g.Positions = make([]Position, n)
	for i := range g.Positions {
		g.Positions[i] = all[i*len(all)/n]
	}
	return g
}

// plans fills in the plans of a sample's heat maps.
func (s *Sample) plans(ctx context.Context, q Occlude, r resources) error {
	h := hints{accuracy: accuracy{ConvolutionAuto, defaultTolerance}}
	exact := q
	all, err := candidates(ctx, &exact, h, r)
	if err != nil {
		return err
	}
	exact.Candidates = all
	s.Exact = &exact
	for _, tau := range curve.Taus()[1:] {
		t, err := q.planned(ctx, Candidate{Name: PlanApproximate, Rects: Rectangles{Rule: Thresholded, Tau: tau}}, h, r)
		if err == nil {
			err = t.Chosen().refused
		}
		if err != nil {
			return err
		}
		s.Thresholded = append(s.Thresholded, t)
	}
	return nil
}
