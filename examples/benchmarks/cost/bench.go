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

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/store"
	"occlude/lang"
)

// bench asks one network after the other, in a session of its own.
type bench struct {
	settings
	log      *log
	progress io.Writer
	engine   *engine.Engine
	network  string
}

func measure(ctx context.Context, s settings, l *log, progress io.Writer) error {
	scratch, err := os.MkdirTemp("", "cost")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	for _, model := range s.models {
		b := &bench{settings: s, log: l, progress: progress, engine: engine.New(), network: strings.TrimSuffix(filepath.Base(model), ".onnx")}
		if err := b.all(ctx, model, filepath.Join(scratch, b.network)); err != nil {
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
	_, err := b.run(ctx, fmt.Sprintf("CREATE MODEL m FROM %s", quote(model)))
	if err == nil && b.profile == byModel {
		_, err = b.run(ctx, fmt.Sprintf("SET threads = %d; ANALYZE MODEL m", slices.Max(b.threads)))
	}
	if err == nil && b.calibrated != "" {
		_, err = b.run(ctx, fmt.Sprintf("EXPORT CALIBRATION TO %s", quote(b.calibrated)))
	}
	if err != nil {
		return err
	}
	m, ok := b.engine.Session.Lookup("m")
	if !ok {
		return errors.New("the model is gone")
	}
	in := m.Net.Input().Shape
	for _, q := range b.queries() {
		ask := func(hints string) string {
			return q.statement(strings.ReplaceAll(b.image, "'", "''"), min(in.H, in.W), b.positions, hints)
		}
		if b.log.known[key{b.network, b.profile, ask(q.hints), q.threads}] {
			continue
		}
		if _, err := b.run(ctx, fmt.Sprintf("SET threads = %d", q.threads)); err != nil {
			return err
		}
		r, err := b.query(ctx, q, ask)
		if err != nil {
			return err
		}
		if err := b.log.add(r); err != nil {
			return err
		}
		fmt.Fprintf(b.progress, "%s: %s, %d threads: %.3f s estimated, %.3f s\n", b.network, r.Query, r.Threads, r.Estimate.Seconds, r.Actual.Seconds)
	}
	return nil
}

// query runs a query and, in turn with it, what the planner could have chosen
// instead.
func (b *bench) query(ctx context.Context, q query, ask func(hints string) string) (*record, error) {
	h, took, err := b.times(ctx, ask(q.hints))
	if err != nil {
		return nil, err
	}
	g, c := h.Plan.Grid, h.Plan.Chosen()
	r := &record{
		Network: b.network, Profile: b.profile, Name: q.name, Query: ask(q.hints), Threads: q.threads,
		Patch: g.PatchW, Stride: g.StrideW, Plan: c.Name, Positions: len(g.Positions),
		Estimate: parts{Seconds: c.Estimate.Seconds, Low: c.Estimate.Least, High: c.Estimate.Most, Base: c.Estimate.BaseSeconds, Bytes: float64(c.Estimate.PeakBytes)},
		Actual:   parts{Seconds: median(took), Base: h.Actual.BaseSeconds, Bytes: float64(h.Actual.PeakBytes)},
	}
	others := q.alternatives()
	if !b.choices || len(others) == 0 {
		return r, nil
	}
	r.Others = map[string]float64{}
	for _, hints := range others {
		_, seconds, err := b.times(ctx, ask(hints))
		if err != nil {
			return nil, err
		}
		r.Others[hints] = median(seconds)
	}
	// Once more after the others, against drift.
	_, again, err := b.times(ctx, ask(q.hints))
	r.Chosen = median(append(took, again...))
	return r, err
}

// times runs a statement several times, once if it takes long. The seconds are those
// of the query alone: its estimate is without reading the model and preparing its
// weights.
func (b *bench) times(ctx context.Context, statement string) (h *executor.HeatMap, took []float64, err error) {
	for range b.repeat + 1 {
		if h, err = b.run(ctx, statement); err != nil {
			return nil, nil, err
		}
		if h == nil {
			return nil, nil, fmt.Errorf("%s: no heat map came", statement)
		}
		if took = append(took, h.Actual.Run); h.Actual.Run > b.longest {
			return h, took, nil
		}
	}
	return h, took[1:], nil
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

func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

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
