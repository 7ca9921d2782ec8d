package executor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"occlude/internal/defect"
	"occlude/operators/compensation"
	"occlude/operators/gradient"
	"occlude/operators/region"
)

// backward runs the backward pass: it makes what compensates sketches, and gives
// the plan's feature by class and cell. A network or an image whose derivatives are
// not known has neither, which the result says.
func (s *sampler) backward(ctx context.Context) ([][]float64, error) {
	start := time.Now()
	defer func() {
		s.result.Actual.BackwardSeconds, s.result.Actual.BackwardMACs = time.Since(start).Seconds(), s.stats().MACs()
	}()
	p := s.query.plan
	without := func(err error) ([][]float64, error) {
		if fault := new(defect.Defect); ctx.Err() != nil || errors.As(err, &fault) {
			return nil, s.query.interrupted(ctx, err, s.result.Image, 0)
		}
		s.notes = append(s.notes, fmt.Sprintf("all samples are exact: %v", err))
		return nil, nil
	}
	program, err := s.query.session.gradients(p)
	unknown := new(gradient.UnknownError)
	switch {
	case errors.As(err, &unknown):
		return without(err)
	case err != nil:
		return nil, err
	}
	objectives := make([]gradient.Objective, len(s.result.Classes))
	for k, c := range s.result.Classes {
		objectives[k] = gradient.Objective{Kind: s.odds.kind, Class: c.ID}
	}
	gradients, err := program.Run(ctx, s.views, objectives, compensation.Wanted(p.Net, program), p.Threads)
	s.gradients = program.Peak()
	if err != nil {
		return without(err)
	}
	if s.views.Compensation, err = compensation.New(ctx, p.Net, program, s.views, gradients, p.Threads); err != nil {
		return without(err)
	}
	if s.plan.Feature.Until == 0 || !s.clock.has(seconds(s.plan.SecondsFeature*shortest)) {
		return s.taylor(gradients)
	}
	return s.feature(ctx)
}

// shortest is how many times as long as the feature the time has to be that is
// left for it.
const shortest = 10

// feature computes the plan's feature.
func (s *sampler) feature(ctx context.Context) ([][]float64, error) {
	p := s.query.plan
	first := s.newEstimates(s.plan.Feature)
	s.silent = true // no position is done with that
	defer func() { s.silent = false }()
	if err := s.compute(ctx, first.jobs(p.Chosen().Order), s.clock.batch()); err != nil {
		return nil, err
	}
	features := make([][]float64, len(first.values))
	for k, f := range first.values {
		features[k] = make([]float64, len(s.positions))
		for cell, at := range s.positions {
			if at >= 0 {
				features[k][cell] = f[at]
			}
		}
	}
	return features, nil
}

// taylor is the expansion by class and cell.
func (s *sampler) taylor(gradients []*gradient.Gradients) ([][]float64, error) {
	image, g := s.views.Layers[0], s.query.plan.Grid
	cover := s.cover.whole()
	features := make([][]float64, len(gradients))
	for k, of := range gradients {
		taylor, err := gradient.NewTaylor(of.Out[0], image, cover)
		if err != nil {
			return nil, err
		}
		for _, y := range g.Y {
			for _, x := range g.X {
				features[k] = append(features[k], taylor.At(region.Of(x, y, g.PatchW, g.PatchH)))
			}
		}
	}
	return features, nil
}
