package planner

import (
	"context"
	"slices"
	"time"

	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
	"occlude/planner/cost"
)

// DeviceTrials measure a GPU by a model: batches of few and of many positions, of small and
// large patches, and of full inference, each run alone, by one worker.
type DeviceTrials struct {
	Device *Device
	Trials []*Occlude
	before *cost.Device // that predicted costs so far
}

// trialBatches are how many positions the batches of trials have, as far as they fit into
// the GPU's memory.
var trialBatches = []int{1, 16, 256}

// deviceTrials plans what is timed on the GPU that the settings name; nil where they name
// none.
func (b *binder) deviceTrials(ctx context.Context, at lang.Statement, q Occlude) (*DeviceTrials, error) {
	name := b.env.Settings.Device()
	if name == settings.DeviceAuto || name == settings.DeviceCPU {
		return nil, nil
	}
	c, err := b.card(ctx, name, q.Net)
	if err != nil {
		span := at.Span()
		span.To = lang.Pos{}
		return nil, lang.Errorf(span, "%s: %w", name, err).WithHint("SET device = 'cpu' measures the processor")
	}
	d := &DeviceTrials{Device: c.Device, before: c.rates}
	for _, algorithm := range b.algorithmsOn(c) {
		for _, part := range trialParts {
			for _, n := range trialBatches {
				if err := b.deviceTrial(ctx, d, c, q, Candidate{Name: PlanIncremental, Rects: Rectangles{Rule: Traced}}, algorithm, part, n); err != nil {
					return nil, err
				}
			}
		}
		for _, n := range trialBatches[:2] {
			if err := b.deviceTrial(ctx, d, c, q, Candidate{Name: PlanFull, Rects: Rectangles{Rule: Whole}}, algorithm, trialParts[0], n); err != nil {
				return nil, err
			}
		}
	}
	return d, nil
}

// algorithmsOn are those that a GPU is tried with.
func (b *binder) algorithmsOn(c *card) []string {
	if c.rates.MACs[cost.KernelF16x3] > 0 {
		return []string{string(operators.Direct), ConvolutionAuto}
	}
	return []string{string(operators.Direct)}
}

// deviceTrial plans a batch of n positions, unless they do not fit.
func (b *binder) deviceTrial(ctx context.Context, to *DeviceTrials, on *card, q Occlude, c Candidate, algorithm string, part float64, n int) error {
	r, err := b.resources(q.Model, q.Net, 1)
	if err != nil {
		return err
	}
	r.card = on
	q.Threads, q.Progressive, q.Device = 1, "", on.Name
	if q.Grid, err = trialGrid(q.Net.Input().Shape, part); err != nil {
		return err
	}
	all := q.Grid.Positions
	q.Grid.Positions = make([]Position, min(n, len(all)))
	for i := range q.Grid.Positions {
		q.Grid.Positions[i] = all[i*len(all)/len(q.Grid.Positions)]
	}
	h := hints{batch: n, threads: 1, accuracy: accuracy{convolution: algorithm, tolerance: defaultTolerance}}
	if algorithm != ConvolutionAuto {
		c.Algorithms = forcedAlgorithms(q.Net, algorithm)
	}
	trial, err := q.planned(ctx, c, h, r)
	if err != nil {
		return err
	}
	like := func(o *Occlude) bool {
		return o.Chosen().Name == c.Name && o.Grid.PatchW == trial.Grid.PatchW && o.Grid.PatchH == trial.Grid.PatchH && len(o.Grid.Positions) == len(trial.Grid.Positions) &&
			slices.Equal(o.Chosen().Algorithms, trial.Chosen().Algorithms)
	}
	if trial.Chosen().refused == nil && !slices.ContainsFunc(to.Trials, like) {
		to.Trials = append(to.Trials, trial)
	}
	return nil
}

// Calibrated is a profile of the GPU that predicts the trials best, and what predicted them
// before and predicts them now; now is when it was made.
func (d *DeviceTrials) Calibrated(found []Measured, now time.Time) (after *cost.Device, trials []DeviceTrial, err error) {
	measured := make([]cost.DeviceTrial, len(found))
	for i, m := range found {
		p := d.Trials[i]
		c := p.Chosen()
		g := onGPU{Candidate: c, query: p, views: c.ReadsViews()}
		g.updates()
		if err := g.by(c.Algorithms); err != nil {
			return nil, nil, err
		}
		t := &measured[i]
		if t.Traffic, err = g.shape.TrafficOf(g.batch, g.views); err != nil {
			return nil, nil, err
		}
		t.Elapsed, t.Layers = m.Seconds, make([]float64, len(m.Updates.Layers))
		for l, s := range m.Updates.Layers {
			t.Layers[l] = float64(s.Nanos) / 1e9
		}
	}
	after = cost.CalibrateDevice(d.before, measured, now)
	for _, t := range measured {
		trials = append(trials, DeviceTrial{
			Seconds: t.Elapsed, Before: d.before.Launches(t.Traffic.Launches) + d.before.Beside(t.Traffic),
			After: after.Launches(t.Traffic.Launches) + after.Beside(t.Traffic),
		})
	}
	return after, trials, nil
}

// DeviceTrial is what a trial took, and what was and is predicted.
type DeviceTrial struct{ Seconds, Before, After float64 }

// Before is the profile that predicted costs so far.
func (d *DeviceTrials) Before() *cost.Device { return d.before }
