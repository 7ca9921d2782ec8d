package executor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"occlude/internal/chart"
	"occlude/internal/quality"
	"occlude/operators/gradient"
	"occlude/planner"
)

// Benchmark is what a BENCHMARK measured.
type Benchmark struct {
	Plan  *planner.Benchmark
	Plans []Measured // by index of Plan.Alternatives
	// Classes are those explained of the first image.
	Classes []ClassMap
	CPU     string
	Cores   int
}

// Measured is what was measured of one alternative, over all images of the query.
type Measured struct {
	// Seconds of each run that counts: from the files of the images to their heat
	// maps. Models are loaded and programs ready before that.
	Seconds   []float64
	MACs      int64 // multiply-adds
	Positions int   // computed
	PeakBytes int64 // all that was held at once, for the image with the most
	// Difference is the largest of p to the reference's, and SSIM the least
	// structural similarity to it, of all images and classes; NaN where there is no
	// reference, SSIM also where positions form no grid.
	Difference, SSIM float64

	maps []*HeatMap // of the last run
}

func (*Benchmark) result() {}

// Median is the middle of the seconds of the runs.
func (m *Measured) Median() float64 { return median(m.Seconds) }

// Range is the shortest and the longest run.
func (m *Measured) Range() (shortest, longest float64) {
	return slices.Min(m.Seconds), slices.Max(m.Seconds)
}

// Speedup is how many times as long as an alternative the baseline takes.
func (b *Benchmark) Speedup(i int) float64 {
	return b.Plans[b.Plan.Baseline].Median() / b.Plans[i].Median()
}

// Estimate is how many seconds the planner expects of an alternative, and the range in
// which it expects nine of ten queries to be.
func (b *Benchmark) Estimate(i int) (seconds, least, most float64) {
	q := b.Plan.Alternatives[i].Query
	e, n := q.Chosen().Estimate, float64(len(q.Images))
	return n * e.Seconds, n * e.Least, n * e.Most
}

// benchmark runs the alternatives in turn, each round beginning with another, so that
// a machine that becomes slower or faster does so for all. When it is interrupted, what
// was measured is a result nevertheless, if there is something of each.
func (s *Session) benchmark(ctx context.Context, p *planner.Benchmark, emit func(Result) error) error {
	loading := s.loading[p.Query.Model]
	defer func() { s.loading[p.Query.Model] = loading }() // what this prepares is no query's to account for
	if roomy(p) {
		done := s.keepPrograms(p.Query.Model, len(p.Alternatives))
		defer done()
	}
	on := machine(p.Query.Kernels)
	b := &Benchmark{Plan: p, Plans: make([]Measured, len(p.Alternatives)), CPU: on.CPU, Cores: on.Cores}
	if err := s.rounds(ctx, b); err != nil {
		missing := slices.ContainsFunc(b.Plans, func(m Measured) bool { return len(m.Seconds) == 0 })
		if ctx.Err() == nil || missing {
			return err
		}
		if b.judge() == nil {
			_ = emit(b) // it is more important that it was interrupted
		}
		return err
	}
	if err := b.judge(); err != nil {
		return err
	}
	return emit(b)
}

// roomy tells whether the programs of all alternatives fit into the memory beside what
// any of them takes.
func roomy(p *planner.Benchmark) bool {
	var packed, rest int64
	for _, a := range p.Alternatives {
		e := a.Query.Chosen().Estimate
		packed += e.Memory.Packed
		rest = max(rest, e.PeakBytes-e.Memory.Packed)
	}
	return p.Query.MemoryLimit == 0 || packed+rest <= p.Query.MemoryLimit
}

// prepare makes ready what a plan needs once, if it is not.
func (s *Session) prepare(ctx context.Context, p *planner.Occlude) error {
	_, err := s.programOf(ctx, p)
	if a := p.Chosen().Adaptive; err == nil && a != nil && a.Sketches() {
		_, err = s.gradients(p)
		if unknown := (*gradient.UnknownError)(nil); errors.As(err, &unknown) {
			err = nil // it samples without
		}
	}
	return err
}

// rounds takes the turns.
func (s *Session) rounds(ctx context.Context, b *Benchmark) error {
	p := b.Plan
	n, rounds := len(p.Alternatives), p.Warmup+p.Runs
	expected, total := make([]int, n), 0 // positions that a turn takes
	for i, a := range p.Alternatives {
		expected[i] = a.Query.Chosen().Positions() * len(a.Query.Images)
		total += expected[i] * rounds
	}
	whole := s.Progress
	_, done := s.onePart("BENCHMARK "+subject(p.Query), total)
	defer done()
	for round := range rounds {
		for turn := range n {
			i := (round + turn) % n
			seconds, err := s.turn(ctx, p.Alternatives[i].Query, &b.Plans[i])
			if err != nil {
				return err
			}
			if round >= p.Warmup {
				b.Plans[i].Seconds = append(b.Plans[i].Seconds, seconds)
			}
			if took := b.Plans[i].Positions; whole != nil && took != expected[i] { // and so will the others
				total += (took - expected[i]) * (rounds - round)
				expected[i] = took
				whole.Expect(total)
			}
		}
	}
	return nil
}

// turn computes the heat maps of all images once. Of an interrupted one nothing counts.
func (s *Session) turn(ctx context.Context, p *planner.Occlude, m *Measured) (seconds float64, err error) {
	if err := s.prepare(ctx, p); err != nil {
		return 0, err
	}
	runtime.GC() // what others have left behind is not this one's to clear away
	q, start := *p, time.Now()
	q.Started = start  // of which WITHIN counts
	q.Continue = false // or the sums would not be of the same images
	found := Measured{Seconds: m.Seconds}
	run := s.newStream(&q, func(h *HeatMap) error {
		found.MACs += h.Actual.MACs()
		found.Positions += h.Actual.Positions
		found.PeakBytes = max(found.PeakBytes, h.Actual.PeakBytes)
		h.Pixels = nil // which nobody needs any more
		found.maps = append(found.maps, h)
		return nil
	})
	run.faithful = true // or the seconds would be of another plan
	if err = run.run(ctx); err == nil {
		*m = found
	}
	return time.Since(start).Seconds(), err
}

// judge compares the maps with the reference's.
func (b *Benchmark) judge() error {
	reference := &b.Plans[b.Plan.Baseline]
	b.Classes = reference.maps[0].Classes
	for i := range b.Plans {
		m := &b.Plans[i]
		m.Difference, m.SSIM = math.NaN(), math.NaN()
		if !b.Plan.Reference() {
			continue
		}
		for j, h := range m.maps {
			if err := m.compare(reference.maps[j], h); err != nil {
				return err
			}
		}
	}
	for i := range b.Plans {
		b.Plans[i].maps = nil
	}
	return nil
}

// compare adds an image's map to what is known of the difference.
func (m *Measured) compare(reference, h *HeatMap) error {
	for _, c := range h.Classes {
		at := slices.IndexFunc(reference.Classes, func(r ClassMap) bool { return r.ID == c.ID })
		if at < 0 {
			continue // TOP n where two classes are equally probable, but for rounding
		}
		r := reference.Classes[at]
		for i := range c.P {
			if d := math.Abs(float64(c.P[i]) - float64(r.P[i])); !(m.Difference >= d) { // none yet, or less
				m.Difference = d
			}
		}
		if h.Plan.Grid.Listed {
			continue
		}
		figures, err := quality.Compare(h.comparable(r), h.comparable(c), nil)
		if err != nil {
			return err
		}
		if !(m.SSIM <= figures.SSIM) {
			m.SSIM = figures.SSIM
		}
	}
	return nil
}

// Relation has a row for each alternative.
func (b *Benchmark) Relation() *Relation {
	p := b.Plan
	r := &Relation{Columns: []string{"image", "images", "model", "plan", "chosen", "baseline", "runs", "median_seconds", "min_seconds", "max_seconds",
		"speedup", "estimated_seconds", "estimated_least_seconds", "estimated_most_seconds", "estimate_to_median", "positions", "multiply_adds", "estimated_peak_bytes", "peak_bytes",
		"max_difference", "ssim", "threads", "cpu"}}
	for i, a := range p.Alternatives {
		m, q := &b.Plans[i], a.Query
		shortest, longest := m.Range()
		estimate, least, most := b.Estimate(i)
		r.Rows = append(r.Rows, []any{
			q.Images[0], len(q.Images), q.Model.Name, a.Name, a.Chosen, i == p.Baseline, len(m.Seconds), m.Median(), shortest, longest,
			b.Speedup(i), estimate, least, most, estimate / m.Median(), m.Positions, int(m.MACs), int(q.Chosen().Estimate.PeakBytes), int(m.PeakBytes),
			m.Difference, m.SSIM, q.Threads, b.CPU,
		})
	}
	return r
}

// subject is the name of a query's image, or how many there are.
func subject(p *planner.Occlude) string {
	if n := len(p.Images); n > 1 {
		return planner.Counted(n, "image")
	}
	return filepath.Base(p.Images[0])
}

// PNG draws the figure.
func (b *Benchmark) PNG(w io.Writer) error { return b.Figure().EncodePNG(w) }

// Figure has the median of each alternative's seconds as a bar, with what the planner
// expected beside it.
func (b *Benchmark) Figure() *chart.Bars {
	p, q := b.Plan, b.Plan.Query
	c := &chart.Bars{
		Title:    fmt.Sprintf("%s · %s", subject(q), q.Model.Name),
		Subtitle: fmt.Sprintf("patch %dx%d · stride %s · fill %s · %d positions", q.Grid.PatchW, q.Grid.PatchH, q.Grid.Stride(), q.Fill.Text, len(q.Grid.Positions)),
		Caption:  fmt.Sprintf("%s · threads %d · kernels %s · runs: %d of each plan", b.CPU, q.Threads, q.Kernels, p.Runs),
		Axis:     "seconds", Mark: "estimate",
	}
	if len(p.Alternatives) > 1 {
		c.Caption += " in turn · speedup against " + p.Alternatives[p.Baseline].Name
	}
	unit, slowest := 1.0, 0.0
	for i := range b.Plans {
		slowest = max(slowest, b.Plans[i].Median())
	}
	if slowest < 1 {
		unit, c.Axis = 1000, "milliseconds"
	}
	for i, a := range p.Alternatives {
		m := &b.Plans[i]
		shortest, longest := m.Range()
		estimate, _, _ := b.Estimate(i)
		bar := chart.Bar{
			Name: a.Name, Note: planner.FormatSeconds(m.Median()),
			Value: unit * m.Median(), Low: unit * shortest, High: unit * longest, Mark: unit * estimate, Strong: a.Chosen,
		}
		if a.Chosen {
			bar.Name += " *"
		}
		if i != p.Baseline {
			bar.Note += " · " + planner.FormatTimes(b.Speedup(i))
		}
		c.Rows = append(c.Rows, bar)
	}
	if slices.ContainsFunc(p.Alternatives, func(a planner.Alternative) bool { return a.Chosen }) { // several, where hints ask for what would be chosen
		c.Caption += " · * the planner's choice"
	}
	return c
}
