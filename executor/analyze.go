package executor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"occlude/internal/curve"
	"occlude/internal/store"
	"occlude/planner"
)

// analyze measures the machine and, where a sample of images is given, how quality
// falls with tau. All of it is stored at the end, or nothing.
func (s *Session) analyze(ctx context.Context, p *planner.Analyze, emit func(Result) error) error {
	// A place that cannot be written is found now, not after the work.
	if err := s.Store.Put(ctx, nil, nil); err != nil {
		return err
	}
	// What this prepares is no query's to account for.
	loading := s.loading[p.Model]
	defer func() { s.loading[p.Model] = loading }()
	perImage := 0.0
	if p.Sample != nil {
		var err error
		if perImage, err = readAll(ctx, p); err != nil {
			return err
		}
	}
	found, err := s.calibrate(ctx, p, perImage)
	if err != nil {
		return err
	}
	predictions, err := found.predictions(p.Kernels)
	if err != nil {
		return err
	}
	constants, err := found.constants(p.Kernels)
	if err != nil {
		return err
	}
	results := []Result{constants, predictions}
	var curves []curve.Curve
	if p.Sample != nil {
		if curves, err = s.curves(ctx, p.Sample); err != nil {
			return err
		}
		results = append(results, curveRelation(curves))
	}
	kept, err := stored(p.Kernels, found.after, time.Now())
	if err != nil {
		return err
	}
	if err := s.Store.Put(ctx, []store.Calibration{kept}, curves); err != nil {
		return err
	}
	for _, r := range append(results, Message{summary(p, found, curves)}) {
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// summary says in words what was done.
func summary(p *planner.Analyze, found *calibration, curves []curve.Curve) string {
	var b strings.Builder
	threads := "1 thread"
	if n := found.after.Cores; n > 1 {
		threads = fmt.Sprintf("1 and %d threads", n)
	}
	fmt.Fprintf(&b, "ANALYZE MODEL %s: calibrated for %s kernels on %s; queries are expected to take %.0f%% to %.0f%% of the estimate",
		p.Model.Name, p.Kernels, threads, 100*found.after.Spread.Least, 100*found.after.Spread.Most)
	if p.Sample == nil {
		return b.String()
	}
	n := len(p.Sample.Images)
	fmt.Fprintf(&b, "; %s of the %d that fit %s, seed %d", planner.Counted(n, "image"), p.Sample.Found, p.Sample.Files, p.Sample.Seed)
	if n < p.Sample.Wanted {
		fmt.Fprintf(&b, ": fewer than the %d that were asked for", p.Sample.Wanted)
	}
	for _, c := range curves {
		fmt.Fprintf(&b, "\n  %s is expected to be", c.Metric)
		for i, q := range []float64{0.9, 0.95} {
			if i > 0 {
				b.WriteString(", and")
			}
			fmt.Fprintf(&b, " at least %g from tau %.3g on", q, c.LowestTau(q))
		}
	}
	return b.String()
}

// onePart makes the progress of everything until done is called one part, of so many
// positions, which may be told to it directly, too.
func (s *Session) onePart(name string, positions int) (part Progress, done func()) {
	whole := s.Progress
	if whole == nil {
		return within{}, func() {}
	}
	whole.Start(name, positions)
	s.Progress = within{whole}
	return s.Progress, func() {
		s.Progress = whole
		whole.Finish()
	}
}

// within is the progress of something that is a part of a whole, nil where nobody
// listens.
type within struct{ whole Progress }

func (within) Start(string, int) {}
func (within) Expect(int)        {}
func (within) Finish()           {}

func (w within) Next(image string, number, of int) {
	if w.whole != nil {
		w.whole.Next(image, number, of)
	}
}

func (w within) Add(positions int) {
	if w.whole != nil {
		w.whole.Add(positions)
	}
}
