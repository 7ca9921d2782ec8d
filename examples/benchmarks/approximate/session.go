package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/quality"
	"occlude/lang"
)

// session runs statements on one model, which is read and prepared once.
type session struct {
	settings
	engine  *engine.Engine
	scratch string
}

func newSession(ctx context.Context, s settings, model, scratch string) (*session, error) {
	e := &session{settings: s, engine: engine.New(), scratch: scratch}
	_, err := e.run(ctx, e.prologue(model))
	return e, err
}

// prologue is what comes before the first query.
func (s settings) prologue(model string) string {
	with := ""
	if s.with != "" {
		with = fmt.Sprintf(" WITH (%s)", s.with)
	}
	return fmt.Sprintf("SET threads = %d; CREATE MODEL m FROM %s%s;", s.threads, lang.String{Value: model}, with)
}

// statement is the query as text. Writing the map is part of its time.
func (e *session) statement(image, where, format string, q query) string {
	hints := fmt.Sprintf("seed = %d", q.seed)
	if q.hints != "" {
		hints = q.hints + ", " + hints
	}
	into := ""
	if format != "none" {
		into = "INTO " + lang.String{Value: filepath.Join(e.scratch, "heat."+format)}.String()
	}
	return fmt.Sprintf("OCCLUDE %s USING m PATCH %d %s FILL gray %s %s WITH (%s);", lang.String{Value: image}, e.patch, where, q.goal, into, hints)
}

func (s settings) strides() string { return fmt.Sprintf("STRIDE %d", s.stride) }

func (e *session) run(ctx context.Context, source string) (h *executor.HeatMap, err error) {
	err = e.engine.Run(ctx, engine.Text{Name: "benchmark", Source: source}, func(_ lang.Statement, r executor.Result) error {
		if m, ok := r.(*executor.HeatMap); ok {
			h = m
		}
		return nil
	})
	return h, err
}

// answer is a heat map and how long its statement took.
type answer struct {
	*executor.HeatMap
	source  string
	seconds float64
}

// ask runs a query for an image's heat map.
func (e *session) ask(ctx context.Context, image string, q query) (answer, error) {
	return e.timed(ctx, e.statement(image, e.strides(), e.into, q))
}

// best asks again where hints name the plan and it is quick, so that what a
// session does once for a plan does not count. Queries that promise something
// are asked once: planning is theirs.
func (e *session) best(ctx context.Context, image string, q query) (best answer, err error) {
	const quick = 10 // seconds
	best, err = e.ask(ctx, image, q)
	if err != nil || q.goal != "" || best.seconds > quick {
		return best, err
	}
	again, err := e.ask(ctx, image, q)
	if err == nil && again.seconds < best.seconds {
		best = again
	}
	return best, err
}

func (e *session) timed(ctx context.Context, source string) (a answer, err error) {
	a.source = source
	start := time.Now()
	a.HeatMap, err = e.run(ctx, source)
	a.seconds = time.Since(start).Seconds()
	if err == nil && a.HeatMap == nil {
		err = errors.New("no heat map came")
	}
	if err != nil {
		return a, fmt.Errorf("%s: %w", source, err)
	}
	return a, nil
}

// some asks for a few positions only and concludes what all would take.
func (e *session) some(ctx context.Context, image string, q query, at [][2]int, all int) (answer, error) {
	a, err := e.timed(ctx, e.statement(image, "AT "+list(at), "npy", q))
	if err == nil {
		u := a.Actual.UpdateSeconds
		a.seconds += u*float64(all)/float64(len(at)) - u
	}
	return a, err
}

func list(at [][2]int) string {
	var texts []string
	for _, p := range at {
		texts = append(texts, fmt.Sprintf("(%d, %d)", p[0], p[1]))
	}
	return strings.Join(texts, ", ")
}

// field is an answer as package quality takes it.
func (a answer) field() quality.Map {
	g := a.Plan.Grid
	return quality.Map{W: g.Cols(), H: g.Rows(), P: a.Array().Float32s()}
}

// compare judges another map by this one, the exact one.
func (a answer) compare(other quality.Map) (figures, error) {
	g := a.Plan.Grid
	picture := &quality.Picture{
		X: g.X, Y: g.Y, PatchW: g.PatchW, PatchH: g.PatchH, Width: g.Width, Height: g.Height, P0: a.Classes[0].P0,
	}
	f, err := quality.Compare(a.field(), other, picture)
	return newFigures(f), err
}

// parts splits an answer's time.
func (a answer) parts() parts {
	p := parts{Plan: a.Actual.Plan, Base: a.Actual.BaseSeconds, Backward: a.Actual.BackwardSeconds, Updates: a.Actual.UpdateSeconds}
	for _, s := range a.Actual.Stages {
		p.Estimate += s.EstimateSeconds
	}
	p.Updates -= p.Backward + p.Estimate
	return p
}

// claim is what an answer says of its quality, nil where it says nothing.
func (a answer) claim() *claim {
	q := a.Quality
	if q == nil || len(q.Classes) == 0 {
		return nil
	}
	c := q.Classes[0]
	return &claim{SSIM: c.SSIM, Lower: c.SSIMLower, Pearson: c.Pearson, Top10: c.Top10Overlap, Reached: q.Reached, Notes: q.Notes}
}
