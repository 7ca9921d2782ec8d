package executor

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/heatmap"
	"occlude/internal/imageio"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/planner"
	"occlude/planner/cost"
)

// A trial is run several times, a short one more often, and the median counts, which
// is what a query may expect. Beyond calibrationTime each is run once.
const (
	leastRounds, mostRounds = 3, 30
	roundsTime              = 400 * time.Millisecond
	calibrationTime         = 3 * time.Second
)

// calibration is what the trials of ANALYZE MODEL found.
type calibration struct {
	before, after *cost.Profile
	timings       []cost.Timing // of all trials
	trials        []trial
}

// trial is what a plan took.
type trial struct {
	plan    *planner.Occlude
	updates []cost.Timing
	seconds float64 // elapsed, of the updates
}

// calibrate times the trials on an image that it makes up: how long a layer takes
// does not depend on what is seen. perImage is what reading an image takes, 0 where
// nobody has measured that.
func (s *Session) calibrate(ctx context.Context, p *planner.Analyze, perImage float64) (*calibration, error) {
	in := p.Model.Net.Input().Shape
	pixels := imageio.Noise(1, in.H, in.W, in.C)
	total := 0
	for _, t := range p.Trials {
		total += len(t.Grid.Positions)
	}
	progress, done := s.onePart("calibration", total)
	defer done()
	found, start := &calibration{before: p.Profile}, time.Now()
	var timings [][]cost.Timing
	for _, plan := range p.Trials {
		t, err := s.trial(ctx, plan, pixels, start.Add(calibrationTime))
		if err != nil {
			return nil, err
		}
		timings = append(timings, t.updates)
		found.timings = append(found.timings, t.updates...)
		found.trials = append(found.trials, t)
		progress.Add(len(plan.Grid.Positions))
	}
	perPicture, err := drawing(p.Picture, pixels)
	if err == nil && perImage == 0 {
		perImage, err = reading(p.Picture)
	}
	if err != nil {
		return nil, err
	}
	m := machine(p.Kernels)
	found.after, err = p.Calibrated(timings, perImage, perPicture, fmt.Sprintf("%s, %d cores", m.CPU, m.Cores), time.Now())
	return found, err
}

// trial runs a plan's updates until it is known what they usually take.
func (s *Session) trial(ctx context.Context, p *planner.Occlude, pixels *tensor.Dense, until time.Time) (trial, error) {
	fail := func(err error) (trial, error) {
		if ctx.Err() != nil {
			err = &Interrupted{Cause: context.Cause(ctx)}
		}
		return trial{}, err
	}
	chosen := p.Chosen()
	program, err := s.program(ctx, p.Model, p.Net, cpu.Options{Kernels: p.Kernels, Algorithms: chosen.Algorithms, Threads: p.Threads})
	if err != nil {
		return fail(err)
	}
	cover, err := newOccluder(p.Fill, p.Model.Spec, pixels)
	if err != nil {
		return fail(err)
	}
	views, err := program.Base(ctx, normalised(p.Model.Spec, pixels), p.Threads)
	if err != nil {
		return fail(err)
	}
	quiet := *s
	quiet.Progress = nil // a round is over before anybody could see how far it is
	q := &query{session: &quiet, plan: p, program: program, images: 1}
	c := newComputation(q, &HeatMap{Plan: p, Image: "a made-up one", States: make([]State, len(p.Grid.Positions))}, views, cover)
	var rounds []operators.Stats // what was spent until the end of each
	var elapsed []float64
	begin := time.Now()
	for round := range mostRounds {
		start := time.Now()
		if round > 0 && start.After(until) || round >= leastRounds && start.Sub(begin) > roundsTime {
			break
		}
		if err := c.compute(ctx, jobs(chosen.Order, chosen.Rects, nil), chosen.Batch); err != nil {
			return fail(err)
		}
		rounds, elapsed = append(rounds, c.stats()), append(elapsed, time.Since(start).Seconds())
	}
	t := trial{plan: p, updates: p.Timings(usual(rounds)), seconds: median(elapsed)}
	t.spread()
	return t, nil
}

// spread adds to the layers' times, in proportion, what workers spend between them:
// on making patches, on waiting for each other.
func (t *trial) spread() {
	inside := 0.0
	for _, l := range t.updates {
		inside += l.Seconds
	}
	if all := t.seconds * float64(t.plan.Threads); inside > 0 && all > inside {
		for i := range t.updates {
			t.updates[i].Seconds *= all / inside
		}
	}
}

// usual takes, for each layer, the median over rounds of which the totals after each
// are given.
func usual(totals []operators.Stats) operators.Stats {
	out := operators.Stats{Layers: slices.Clone(totals[0].Layers)}
	for i := range out.Layers {
		spent, before := make([]float64, len(totals)), int64(0)
		for round, t := range totals {
			now := t.Layers[i].Nanos
			spent[round], before = float64(now-before), now
		}
		out.Layers[i].Nanos = int64(median(spent))
	}
	return out
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// drawing is the seconds that a picture of a heat map takes.
func drawing(p *planner.Occlude, pixels *tensor.Dense) (float64, error) {
	h := &HeatMap{Plan: p, Image: "calibration.png", Pixels: pixels, States: make([]State, len(p.Grid.Positions))}
	c := ClassMap{Label: p.Model.Label(0), P0: 0.5, P: make([]float32, len(p.Grid.Positions))}
	for i, pos := range p.Grid.Positions {
		c.P[i] = 0.5 + 0.4*float32(math.Sin(float64(pos.X)/20)*math.Cos(float64(pos.Y)/30))
	}
	h.Classes = []ClassMap{c}
	start := time.Now()
	err := heatmap.EncodePNG(io.Discard, h.Figure())
	return time.Since(start).Seconds(), err
}

// reading is the seconds that reading an image of the input's size takes.
func reading(p *planner.Occlude) (float64, error) {
	in := p.Model.Net.Input().Shape
	picture := image.NewNRGBA(image.Rect(0, 0, in.W, in.H))
	for y := range in.H {
		for x := range in.W {
			picture.SetNRGBA(x, y, color.NRGBA{uint8(x / 2), uint8(y / 2), uint8((x + y) ^ (x * y >> 8)), 255})
		}
	}
	dir, err := os.MkdirTemp("", "occlude-")
	if err != nil {
		return 0, fmt.Errorf("timing how an image is read: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "calibration.png")
	f, err := os.Create(path)
	if err != nil {
		return 0, fmt.Errorf("timing how an image is read: %w", err)
	}
	err = png.Encode(f, picture)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return 0, fmt.Errorf("timing how an image is read: %w", err)
	}
	var took []float64
	for range leastRounds {
		start := time.Now()
		if _, _, err := input(p.Model, path); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start).Seconds())
	}
	return median(took), nil
}

// rates are those of a set of kernels before and after.
func (c *calibration) rates(kernels string) (before, after *cost.Rates, err error) {
	if before, err = c.before.For(kernels); err != nil {
		return nil, nil, err
	}
	after, err = c.after.For(kernels)
	return before, after, err
}

// constants lists what was measured, and what it was taken for before.
func (c *calibration) constants(kernels string) (*Relation, error) {
	before, after, err := c.rates(kernels)
	if err != nil {
		return nil, err
	}
	r := &Relation{Columns: []string{"constant", "unit", "before", "after", "share_of_time"}}
	old := before.Terms(nil)
	for i, t := range after.Terms(c.timings) {
		r.Rows = append(r.Rows, []any{t.Name, t.Unit, rounded(old[i].Value), rounded(t.Value), math.Round(max(0, t.Share)*1e4) / 1e4})
	}
	r.Rows = append(r.Rows,
		[]any{"per image", cost.UnitSeconds, rounded(c.before.PerImage), rounded(c.after.PerImage), 0.0},
		[]any{"per picture", cost.UnitSeconds, rounded(c.before.PerPicture), rounded(c.after.PerPicture), 0.0})
	return r, nil
}

// rounded keeps three digits: no measurement of time has more.
func rounded(v float64) float64 {
	if v == 0 {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	return math.Round(v/unit) * unit
}

// predictions lists what the plans took, and what was and is predicted.
func (c *calibration) predictions(kernels string) (*Relation, error) {
	before, after, err := c.rates(kernels)
	if err != nil {
		return nil, err
	}
	r := &Relation{Columns: []string{"plan", "convolution", "positions", "seconds", "predicted_before", "predicted_after"}}
	for _, t := range c.trials {
		threads := float64(t.plan.Threads)
		r.Rows = append(r.Rows, []any{t.plan.Chosen().Name, t.plan.Convolution, len(t.plan.Grid.Positions), t.seconds,
			before.Predict(t.updates) / threads, after.Predict(t.updates) / threads})
	}
	return r, nil
}
