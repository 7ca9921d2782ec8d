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
	"strings"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/heatmap"
	"occlude/internal/imageio"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/planner"
	"occlude/planner/cost"
)

// A trial is run several times, a short one more often, and the median counts, which
// is what a query may expect. The first round is apart: its memory is new. Beyond
// calibrationTime each is run twice.
const (
	leastRounds, mostRounds = 3, 30
	calibrationTime         = 30 * time.Second
	// measureTime is when a machine that is measured on the way has told enough: on a
	// slow one the last trials are left out.
	measureTime = 600 * time.Millisecond
)

// roundsTime is how long the rounds of a short trial take: of a model, and of the
// network that every machine is measured by.
const (
	modelRounds   = 40 * time.Millisecond
	machineRounds = 10 * time.Millisecond
)

// calibration is what the trials of ANALYZE MODEL found.
type calibration struct {
	before, after *cost.Profile
	trials        []cost.Trial
	plans         []*planner.Occlude // of the trials that are not of the made-up network
}

// calibrate times the trials on images that it makes up: how long a layer takes
// does not depend on what is seen. perImage is what reading an image takes, 0 where
// nobody has measured that.
func (s *Session) calibrate(ctx context.Context, p *planner.Analyze, perImage float64) (*calibration, error) {
	total := 0
	for _, list := range [][]*planner.Occlude{p.Machine.Trials, p.Trials, p.Checks} {
		for _, t := range list {
			total += len(t.Grid.Positions)
		}
	}
	progress, done := s.onePart("calibration", total)
	defer done()
	t := &timer{session: s, progress: progress, until: time.Now().Add(calibrationTime), rounds: machineRounds}
	defer t.forget(p.Machine.Trials)
	found := planner.Found{PerImage: perImage}
	var err error
	if found.Machine, err = t.all(ctx, p.Machine.Trials); err != nil {
		return nil, err
	}
	t.rounds = modelRounds
	if found.Trials, err = t.all(ctx, p.Trials); err != nil {
		return nil, err
	}
	if found.Checks, err = t.all(ctx, p.Checks); err != nil {
		return nil, err
	}
	if err := fixedCosts(ctx, p.Picture, &found); err != nil {
		return nil, err
	}
	c := &calibration{before: p.Profile, plans: append(slices.Clone(p.Trials), p.Checks...)}
	c.after, c.trials, err = p.Calibrated(found, processor(), time.Now())
	return c, err
}

// Measure times what tells how fast this machine is, and keeps it for later sessions.
// Of several processes that do so at once, all go by what the first one found: plans of
// the same query must not differ.
func (s *Session) Measure(ctx context.Context, p *planner.Machine) (*cost.Profile, error) {
	// A place that cannot be written is found now, not after the work.
	if err := s.Store.Put(ctx, nil, nil); err != nil {
		if !s.warned[err.Error()] { // when it was read
			s.warn(ctx, fmt.Errorf("this machine is not measured, and plans go by default speeds: %w", err))
		}
		return nil, err
	}
	start := time.Now()
	t := &timer{session: s, progress: within{}, until: start, enough: start.Add(measureTime), rounds: machineRounds}
	defer t.forget(p.Trials)
	var found planner.Found
	var err error
	if found.Machine, err = t.all(ctx, p.Trials); err != nil {
		return nil, err
	}
	if err := fixedCosts(ctx, p.Picture, &found); err != nil {
		return nil, err
	}
	now := time.Now()
	profile, err := p.Calibrated(found, processor(), now)
	if err != nil {
		return nil, err
	}
	kept, err := stored(p.Kernels, profile, now)
	if err != nil {
		return nil, err
	}
	if kept, err = s.Store.PutUnless(ctx, kept, start); err != nil {
		return nil, err
	}
	return cost.Parse(kept.Profile)
}

// fixedCosts measures what an image and a picture take, where nobody has.
func fixedCosts(ctx context.Context, p *planner.Occlude, found *planner.Found) (err error) {
	in := p.Model.Net.Input().Shape
	if found.PerPicture, err = drawing(p, imageio.Noise(1, in.H, in.W, in.C)); err == nil && found.PerImage == 0 {
		found.PerImage, err = reading(ctx, p)
	}
	return err
}

// timer runs trials.
type timer struct {
	session  *Session
	progress Progress
	until    time.Time // when trials are run as rarely as can be
	enough   time.Time // when no further one is begun, zero for never
	rounds   time.Duration
	loaded   bool // a GPU has its kernels
}

// over tells whether trials have told enough.
func (t *timer) over() bool { return !t.enough.IsZero() && time.Now().After(t.enough) }

// forget lets go of the made-up network of some trials.
func (t *timer) forget(trials []*planner.Occlude) {
	for _, p := range trials {
		delete(t.session.programs, p.Model)
		delete(t.session.loading, p.Model)
	}
}

func (t *timer) all(ctx context.Context, plans []*planner.Occlude) (all []planner.Measured, err error) {
	for _, p := range plans {
		if t.over() {
			break
		}
		m, err := t.one(ctx, p)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// one runs a trial on an image that is made up.
func (t *timer) one(ctx context.Context, p *planner.Occlude) (planner.Measured, error) {
	in := p.Model.Net.Input().Shape
	m, err := t.trial(ctx, p, imageio.Noise(1, in.H, in.W, in.C))
	if err != nil && ctx.Err() != nil {
		err = &Interrupted{Cause: context.Cause(ctx)}
	}
	t.progress.Add(len(p.Grid.Positions))
	return m, err
}

// trial runs a plan's updates until it is known what they usually take.
func (t *timer) trial(ctx context.Context, p *planner.Occlude, pixels *tensor.Dense) (m planner.Measured, err error) {
	chosen := p.Chosen()
	t.session.makeRoom(p, nil)
	program, bringing, err := t.program(ctx, p)
	if err != nil {
		return m, err
	}
	m.Bringing = bringing
	cover, err := newOccluder(ctx, p.Fill, p.Model.Spec, pixels)
	if err != nil {
		return m, err
	}
	defer program.Trim()
	var views *operators.Views
	defer func() {
		if views != nil {
			views.Drop(noLayer)
		}
	}()
	for pass := range 2 { // the first base pass after weights were packed takes longer
		if pass > 0 && t.over() {
			break
		}
		program.Trim()
		program.Reserve(p.Threads, chosen.ArenaBytes)
		start := time.Now()
		if views != nil {
			views.Drop(noLayer)
		}
		if views, err = program.Base(ctx, normalised(p.Model.Spec, pixels), p.Threads); err != nil {
			return m, err
		}
		m.Base = time.Since(start).Seconds()
	}
	quiet := *t.session
	quiet.Progress = nil // a round is over before anybody could see how far it is
	q := &query{session: &quiet, plan: p, program: program, images: 1}
	c := newComputation(q, &HeatMap{Plan: p, Image: "a made-up one", States: make([]State, len(p.Grid.Positions))}, views, cover)
	defer c.release()
	var rounds []operators.Stats // what was spent until the end of each
	var elapsed []float64
	begin := time.Now()
	for round := range mostRounds {
		start := time.Now()
		if round > 1 && start.After(t.until) || round >= leastRounds && start.Sub(begin) > t.rounds {
			break
		}
		if err := c.compute(ctx, jobs(chosen.Order, chosen.Rects, nil), chosen.Batch); err != nil {
			return m, err
		}
		rounds, elapsed = append(rounds, c.stats()), append(elapsed, time.Since(start).Seconds())
	}
	m.First, m.Fresh = elapsed[0], c.stats().Peak
	m.Seconds, m.Updates = median(elapsed[1:]), usual(rounds)
	return m, nil
}

// program makes a trial's program ready, and tells how long that took on a GPU; 0 where it was there.
func (t *timer) program(ctx context.Context, p *planner.Occlude) (ready operators.Program, bringing float64, err error) {
	way := wayOf(p)
	measured := way.device != settings.DeviceCPU && t.session.own(p) == nil
	if measured && !t.loaded { // the first one has the driver make the kernels ready
		if _, err := t.session.make(ctx, p.Net, way, 0, nil); err != nil {
			return nil, 0, err
		}
		t.session.collect([]string{way.device})
		t.loaded = true
	}
	start := time.Now()
	ready, err = t.session.program(ctx, p.Model, p.Net, way, 0)
	if measured {
		bringing = time.Since(start).Seconds()
	}
	return ready, bringing, err
}

// usual takes, for each layer, the median over all rounds but the first, of which the
// totals after each are given.
func usual(totals []operators.Stats) operators.Stats {
	out := operators.Stats{Layers: slices.Clone(totals[0].Layers)}
	for i := range out.Layers {
		spent, before := make([]float64, len(totals)-1), totals[0].Layers[i].Nanos
		for round, t := range totals[1:] {
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
func reading(ctx context.Context, p *planner.Occlude) (float64, error) {
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
		if _, _, err := input(ctx, p.Model, path); err != nil {
			return 0, err
		}
		took = append(took, time.Since(start).Seconds())
	}
	return median(took), nil
}

// constants lists what was measured, and what it was taken for before: of a thread
// alone, and of each while all cores work.
func (c *calibration) constants(kernels string) (*Relation, error) {
	before, err := c.before.For(kernels)
	if err != nil {
		return nil, err
	}
	after, err := c.after.For(kernels)
	if err != nil {
		return nil, err
	}
	busy := after
	if r, ok := c.after.Busy[kernels]; ok {
		busy = r
	}
	var alone []cost.Timing
	for _, t := range c.trials {
		if t.Threads == 1 {
			alone = append(alone, t.Updates...)
		}
	}
	r := &Relation{Columns: []string{"constant", "unit", "before", "after", "on_all_cores", "share_of_time"}}
	add := func(name, unit string, before, after, busy, share float64) {
		r.Rows = append(r.Rows, []any{name, unit, rounded(before), rounded(after), rounded(busy), math.Round(max(0, share)*1e4) / 1e4})
	}
	old, onAll := before.Terms(nil), busy.Terms(nil)
	for i, t := range after.Terms(alone) {
		add(t.Name, t.Unit, old[i].Value, t.Value, onAll[i].Value, t.Share)
	}
	add("fresh memory", cost.UnitBytes, before.Fresh, after.Fresh, busy.Fresh, 0)
	add("per image", cost.UnitSeconds, c.before.PerImage, c.after.PerImage, c.after.PerImage, 0)
	add("per picture", cost.UnitSeconds, c.before.PerPicture, c.after.PerPicture, c.after.PerPicture, 0)
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
	r := &Relation{Columns: []string{"trial", "plan", "convolutions", "patch", "threads", "positions", "seconds", "predicted_before", "predicted_after"}}
	all := slices.DeleteFunc(slices.Clone(c.trials), func(t cost.Trial) bool { return t.Other })
	for i, p := range c.plans {
		t, trial := all[i], "learnt from"
		if t.Check {
			trial = "check"
		}
		before, err := c.before.Elapsed(kernels, t)
		if err != nil {
			return nil, err
		}
		after, err := c.after.Elapsed(kernels, t)
		if err != nil {
			return nil, err
		}
		r.Rows = append(r.Rows, []any{trial, p.Chosen().Name, convolutions(p.Chosen().Algorithms), fmt.Sprintf("%dx%d", p.Grid.PatchW, p.Grid.PatchH),
			t.Threads, len(p.Grid.Positions), rounded(t.Took()), rounded(before), rounded(after)})
	}
	return r, nil
}

// convolutions names the algorithms in use.
func convolutions(chosen []operators.Algorithm) string {
	var names []string
	for _, a := range operators.AllAlgorithms() {
		if slices.Contains(chosen, a) {
			names = append(names, string(a))
		}
	}
	return strings.Join(names, ", ")
}
