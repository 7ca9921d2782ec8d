package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/store"
	"occlude/lang"
	"occlude/planner"
)

// bench asks one network after the other, in a session of its own.
type bench struct {
	settings
	log      *log
	progress io.Writer
	engine   *engine.Engine
	network  string
	begin    time.Time
}

func measure(ctx context.Context, s settings, l *log, progress io.Writer) error {
	scratch, err := os.MkdirTemp("", "cost")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if s.data == "" {
		s.data = scratch
	}
	begin := time.Now()
	for _, model := range s.models {
		b := &bench{settings: s, log: l, progress: progress, engine: engine.New(), network: strings.TrimSuffix(filepath.Base(model), ".onnx"), begin: begin}
		if err := b.all(ctx, model, filepath.Join(s.data, s.profile, b.network)); err != nil {
			return fmt.Errorf("network %s: %w", b.network, err)
		}
	}
	return nil
}

// all asks everything of a network. Each calibrates a store of its own.
func (b *bench) all(ctx context.Context, model, folder string) error {
	if b.profile != byNone {
		b.engine.Session.Store = store.Open(filepath.Join(folder, "occlude.db"))
		defer b.engine.Session.Store.Close()
	}
	if _, err := b.run(ctx, fmt.Sprintf("CREATE MODEL m FROM %s", lang.String{Value: model})); err != nil {
		return err
	}
	s := b.engine.Session
	m, ok := s.Lookup("m")
	if !ok {
		return errors.New("the model is gone")
	}
	if known := s.Profile(ctx, m.Hash, s.Settings.Kernels()); b.profile == byModel && (known == nil || known.Hash != m.Hash) {
		if _, err := b.run(ctx, "ANALYZE MODEL m"); err != nil {
			return err
		}
		b.begin = time.Now() // which is no query
	}
	if b.calibrated != "" {
		if _, err := b.run(ctx, fmt.Sprintf("EXPORT CALIBRATION TO %s", lang.String{Value: b.calibrated})); err != nil {
			return err
		}
	}
	in := m.Net.Input().Shape
	for _, q := range b.queries() {
		ask := func(hints string) string {
			return q.statement(strings.ReplaceAll(b.image, "'", "''"), min(in.H, in.W), b.positions, hints)
		}
		if b.log.Knows(key{b.network, b.profile, ask(q.hints), q.threads}) {
			continue
		}
		if b.limit > 0 && time.Since(b.begin) > b.limit {
			return nil
		}
		if _, err := b.run(ctx, fmt.Sprintf("SET threads = %d", q.threads)); err != nil {
			return err
		}
		r, err := b.query(ctx, q, ask)
		if err != nil {
			return err
		}
		if err := b.log.Add(r); err != nil {
			return err
		}
		fmt.Fprintf(b.progress, "%s: %s, %d threads: %.3f s estimated, %.3f s\n", b.network, r.Query, r.Threads, r.Estimate.Seconds, r.Actual.Seconds)
	}
	return nil
}

// plan is a way to compute a query.
type plan struct {
	hints  string
	chosen *planner.Candidate
	took   []float64 // seconds
	last   *executor.HeatMap
}

// query runs a query and, in turn with it, what the planner could have chosen
// instead.
func (b *bench) query(ctx context.Context, q query, ask func(hints string) string) (*record, error) {
	plans, err := b.plans(ctx, q, ask)
	if err != nil {
		return nil, err
	}
	for round := range b.repeat + 1 {
		for i := range plans {
			p := &plans[i]
			if b.settled(p, &plans[0]) {
				continue
			}
			if p.last, err = b.run(ctx, ask(p.hints)); err != nil {
				return nil, err
			}
			if p.last == nil {
				return nil, fmt.Errorf("%s: no heat map came", ask(p.hints))
			}
			if round == 1 { // the one before warmed up
				p.took = nil
			}
			p.took = append(p.took, p.last.Actual.Run)
		}
	}
	h := plans[0].last
	g, c := h.Plan.Grid, h.Plan.Chosen()
	r := &record{
		Network: b.network, Profile: b.profile, Name: q.name, Query: ask(q.hints), Threads: q.threads,
		Patch: g.PatchW, Stride: g.StrideW, Plan: c.Name, Positions: len(g.Positions),
		Estimate: parts{Seconds: c.Estimate.Seconds, Low: c.Estimate.Least, High: c.Estimate.Most, Base: c.Estimate.BaseSeconds, Bytes: float64(c.Estimate.PeakBytes)},
		Actual:   parts{Seconds: median(plans[0].took), Base: h.Actual.BaseSeconds, Bytes: float64(h.Actual.PeakBytes)},
	}
	if q.free {
		r.Chosen, r.Others = slices.Min(plans[0].took), map[string]float64{}
	}
	for _, p := range plans[1:] {
		r.Others[p.hints] = slices.Min(p.took)
	}
	return r, nil
}

// settled tells whether a plan needs no further run: it takes long, or it cannot be
// the best any more.
func (b *bench) settled(p, chosen *plan) bool {
	const hopeless = 1.5
	if len(p.took) == 0 {
		return false
	}
	return p.took[0] > b.longest || p != chosen && p.took[0] > hopeless*slices.Min(chosen.took)
}

// plans are the query's own, and those that the planner could have chosen instead and
// that differ from it and from each other.
func (b *bench) plans(ctx context.Context, q query, ask func(hints string) string) (plans []plan, err error) {
	hints := []string{q.hints}
	if b.choices {
		hints = append(hints, q.alternatives()...)
	}
	for _, h := range hints {
		p := plan{hints: h}
		err := b.engine.Run(ctx, engine.Text{Name: "benchmark", Source: "EXPLAIN " + ask(h), OpenEnd: true}, func(_ lang.Statement, r executor.Result) error {
			if e, ok := r.(*executor.Explanation); ok {
				p.chosen = e.Plan.Query.Chosen()
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		same := func(o plan) bool {
			return o.chosen.Name == p.chosen.Name && o.chosen.Rects == p.chosen.Rects && slices.Equal(o.chosen.Algorithms, p.chosen.Algorithms)
		}
		if !slices.ContainsFunc(plans, same) {
			plans = append(plans, p)
		}
	}
	return plans, nil
}

func (b *bench) run(ctx context.Context, source string) (h *executor.HeatMap, err error) {
	err = b.engine.Run(ctx, engine.Text{Name: "benchmark", Source: source, OpenEnd: true}, func(_ lang.Statement, r executor.Result) error {
		if m, ok := r.(*executor.HeatMap); ok {
			h = m
		}
		return nil
	})
	return h, err
}

func median(values []float64) float64 { return quantile(values, 0.5) }

// quantile is the value below which a part of them lies, between two of them in
// proportion.
func quantile(values []float64, part float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) == 0 {
		return 0
	}
	at := part * float64(len(sorted)-1)
	i := min(int(at), max(0, len(sorted)-2))
	if len(sorted) == 1 {
		return sorted[0]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
