package executor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"occlude/internal/curve"
	"occlude/internal/store"
	"occlude/planner"
	"occlude/planner/cost"
)

// analyze measures the machine, or its GPU, and, where a sample of images is given, how quality
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
	results, kept, text, err := s.runTrials(ctx, p, perImage)
	if err != nil {
		return err
	}
	var curves []curve.Curve
	if p.Sample != nil {
		if curves, err = s.curves(ctx, p.Sample); err != nil {
			return err
		}
		results = append(results, curveRelation(curves))
	}
	if err := s.Store.Put(ctx, []store.Calibration{kept}, curves); err != nil {
		return err
	}
	for _, r := range append(results, Message{text + aboutCurves(p, curves)}) {
		if err := emit(r); err != nil {
			return err
		}
	}
	return nil
}

// runTrials runs them, and gives what they show, what is to be kept, and in words what was
// done.
func (s *Session) runTrials(ctx context.Context, p *planner.Analyze, perImage float64) (results []Result, kept store.Calibration, text string, err error) {
	told := func(on string, s cost.Spread) string {
		return fmt.Sprintf("ANALYZE MODEL %s: calibrated %s; queries are expected to take %.0f%% to %.0f%% of the estimate", p.Model.Name, on, 100*s.Least, 100*s.Most)
	}
	if p.Device != nil {
		found, err := s.calibrateDevice(ctx, p.Device)
		if err != nil {
			return nil, kept, "", err
		}
		kept, err = storedDevice(found.after, found.measured)
		on := fmt.Sprintf("%s (%s)", p.Device.Device.Name, found.after.Name)
		return []Result{found.constants(), found.predictions()}, kept, told(on, found.after.Spread), err
	}
	found, err := s.calibrate(ctx, p, perImage)
	if err != nil {
		return nil, kept, "", err
	}
	predictions, err := found.predictions(p.Kernels)
	if err != nil {
		return nil, kept, "", err
	}
	constants, err := found.constants(p.Kernels)
	if err != nil {
		return nil, kept, "", err
	}
	threads := "1 thread"
	if n := found.after.Cores; n > 1 {
		threads = fmt.Sprintf("1 and %d threads", n)
	}
	kept, err = stored(p.Kernels, found.after, time.Now())
	return []Result{constants, predictions}, kept, told(fmt.Sprintf("for %s kernels on %s", p.Kernels, threads), found.after.Spread), err
}

// aboutCurves says in words what was found on a sample of images, if there is one.
func aboutCurves(p *planner.Analyze, curves []curve.Curve) string {
	if p.Sample == nil {
		return ""
	}
	var b strings.Builder
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
