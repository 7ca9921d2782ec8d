package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"occlude/examples/benchmarks/internal/process"
	"occlude/internal/quality"
)

// bench measures, image by image: everything that is compared with one another
// is measured within the same minutes.
type bench struct {
	settings
	log      *log
	progress io.Writer
	scratch  string
	binary   string // "" where no processes are wanted
}

func measure(ctx context.Context, s settings, l *log, progress io.Writer) error {
	scratch, err := os.MkdirTemp("", "approximate")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	b := &bench{settings: s, log: l, progress: progress, scratch: scratch}
	if s.processes {
		if b.binary, err = process.Occlude(ctx, scratch); err != nil {
			return err
		}
	}
	begin := time.Now()
	for _, m := range s.subjects {
		var e *session // once there is something to measure
		for _, image := range m.images {
			if len(b.missing(m.model, image, 1)) == 0 {
				continue
			}
			if s.limit > 0 && time.Since(begin) > s.limit {
				return nil
			}
			if e == nil {
				if e, err = newSession(ctx, s, m.model, scratch); err != nil {
					return err
				}
			}
			if err := b.image(ctx, e, m.model, image); err != nil {
				return fmt.Errorf("model %s, image %s: %w", m.model, image, err)
			}
		}
	}
	return nil
}

func (b *bench) record(model, image string, q query) *record {
	name := strings.TrimSuffix(filepath.Base(model), ".onnx")
	return &record{Model: name, Image: filepath.Base(image), Family: q.family, Setting: q.setting, Seed: q.seed}
}

// missing are the queries for an image of which the log has nothing.
func (b *bench) missing(model, image string, exact float64) (all []query) {
	for _, q := range b.queries(exact) {
		if !b.log.Knows(b.record(model, image, q).key()) {
			all = append(all, q)
		}
	}
	return all
}

// image asks for the exact map, times ONNX Runtime, and asks for the others.
func (b *bench) image(ctx context.Context, e *session, model, image string) error {
	fmt.Fprintf(b.progress, "%s, %s: exact", filepath.Base(model), filepath.Base(image))
	exact, err := b.exact(ctx, e, image)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.progress, " %.3f s, ", exact.seconds)
	naive, err := e.naive(ctx, model, exact)
	if err != nil {
		return err
	}
	if naive > 0 {
		fmt.Fprintf(b.progress, "ONNX Runtime %.1f s, ", naive)
	}
	finish := func(r *record, f figures) error {
		r.Exact, r.Naive, r.Figures = exact.seconds, naive, f
		r.Positions = len(exact.Plan.Grid.Positions)
		return b.log.Add(r)
	}
	if err := b.references(model, image, exact, finish); err != nil {
		return err
	}
	queries := b.missing(model, image, exact.seconds)
	fmt.Fprintf(b.progress, "%d queries\n", len(queries))
	for _, q := range queries {
		r := b.record(model, image, q)
		var f figures
		var a answer
		if q.sample {
			_, at := exact.spread(b.positions)
			a, err = e.some(ctx, image, q, at, len(exact.Plan.Grid.Positions))
			f, _ = exact.compare(exact.field())
		} else if a, err = e.best(ctx, image, q); err == nil {
			f, err = exact.compare(a.field())
		}
		if err != nil {
			return err
		}
		r.Query, r.Seconds, r.Parts, r.Evaluated, r.Limit, r.Claim = a.source, a.seconds, a.parts(), a.Actual.Positions, q.limit, a.claim()
		if b.binary != "" && q.seed == firstSeed && !q.sample {
			if r.Process, r.Load, err = e.alone(ctx, b.binary, model, image, q); err != nil {
				return err
			}
		}
		if err := finish(r, f); err != nil {
			return err
		}
	}
	return nil
}

// exact asks for the exact map.
func (b *bench) exact(ctx context.Context, e *session, image string) (answer, error) {
	return e.best(ctx, image, query{family: incremental, hints: "plan = 'incremental'", seed: firstSeed})
}

// references records the exact map, and what the figures say of a map without
// content.
func (b *bench) references(model, image string, exact answer, finish func(*record, figures) error) error {
	field := exact.field()
	r := b.record(model, image, query{family: incremental, seed: firstSeed})
	if b.log.Knows(r.key()) {
		return nil
	}
	f, err := exact.compare(field)
	if err != nil {
		return err
	}
	r.Query, r.Seconds, r.Parts, r.Evaluated = exact.source, exact.seconds, exact.parts(), exact.Actual.Positions
	if err := finish(r, f); err != nil {
		return err
	}
	if f, err = exact.compare(flat(field)); err != nil {
		return err
	}
	return finish(b.record(model, image, query{family: constant, seed: firstSeed}), f)
}

// flat is a map that has the mean of another everywhere.
func flat(m quality.Map) quality.Map {
	sum := 0.
	for _, p := range m.P {
		sum += float64(p)
	}
	out := quality.Map{W: m.W, H: m.H, P: make([]float32, len(m.P))}
	for i := range out.P {
		out.P[i] = float32(sum / float64(len(m.P)))
	}
	return out
}
