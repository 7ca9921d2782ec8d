package planner

import (
	"context"
	"errors"
	"slices"
	"time"

	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
	"occlude/planner/cost"
)

// DeviceTrials measure a GPU, by a model or by a made-up network: batches of few and of many
// positions, of small and large patches, cut from a cover and with data of their own, and of
// full inference. Each is run alone, by one worker. Those of an algorithm begin with full inference
// at one position: any other position takes no longer.
type DeviceTrials struct {
	Device *Device
	Trials []*Occlude
	kind   cost.Kind    // of the profile to come
	card   *card        // whose rates predicted costs so far
	like   []batchTrial // the same as Trials, as they were asked for
}

// batchTrial is one of n positions, or as many as fit.
type batchTrial struct {
	plan string
	part float64 // of the input's sides, those of the patch
	n    int
	own  bool // patches have data of their own, which go up with the batch
}

// modelTrials measure a GPU by a model.
func modelTrials() (all []batchTrial) {
	for _, n := range []int{1, 16} {
		all = append(all, batchTrial{PlanFull, trialParts[0], n, false})
	}
	for _, part := range trialParts {
		for _, n := range []int{1, 16, 256} {
			all = append(all, batchTrial{PlanIncremental, part, n, false})
		}
	}
	return append(all, batchTrial{PlanIncremental, trialParts[len(trialParts)-1], 256, true})
}

// quickTrials measure it by a network that is made up: a GPU does each within milliseconds.
var quickTrials = []batchTrial{
	{PlanFull, 1. / 8, 1, false}, {PlanFull, 1. / 8, 16, false},
	{PlanIncremental, 1. / 8, 16, false}, {PlanIncremental, 1. / 8, 256, false},
	{PlanIncremental, 3. / 8, 256, false}, {PlanIncremental, 3. / 8, 256, true},
}

// QuickDevice plans trials of a GPU that take less than a second together, whatever the model.
func (p *Planner) QuickDevice(ctx context.Context, d *Device) (*DeviceTrials, error) {
	b := &binder{planner: p, env: &p.env}
	q, err := b.ofMadeUp(32, 16, true)
	if err != nil {
		return nil, err
	}
	return b.trialsOn(ctx, &card{Device: d, rates: cost.DeviceOf(d.Properties)}, cost.Quick, q, quickTrials)
}

// deviceTrials plans what is timed on the GPU that the settings name; nil where they name
// none.
func (b *binder) deviceTrials(ctx context.Context, at lang.Statement, q Occlude) (*DeviceTrials, error) {
	name := b.env.Settings.Device()
	if name == settings.DeviceAuto || name == settings.DeviceCPU {
		return nil, nil
	}
	c, err := b.card(ctx, name, q.Net)
	if err == nil {
		err = b.measureDevice(ctx, c) // which tells of kernels that the model needs not
	}
	if err != nil {
		span := at.Span()
		span.To = lang.Pos{}
		return nil, lang.Errorf(span, "%s: %w", name, err).WithHint("SET device = 'cpu' measures the processor")
	}
	return b.trialsOn(ctx, c, cost.OfDevice, q, modelTrials())
}

// trialsOn plans trials of a query's model on a GPU, by each algorithm that it has.
func (b *binder) trialsOn(ctx context.Context, c *card, kind cost.Kind, q Occlude, wanted []batchTrial) (*DeviceTrials, error) {
	d := &DeviceTrials{Device: c.Device, kind: kind, card: c}
	for i, algorithm := range b.algorithmsOn(c) {
		for _, w := range wanted {
			if i > 0 && w.own {
				continue // copies know of no algorithms
			}
			if err := b.deviceTrial(ctx, d, q, algorithm, w); err != nil {
				return nil, err
			}
		}
	}
	if len(d.Trials) == 0 {
		return nil, errors.New("no trial fits into the memory")
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

// deviceTrial plans a trial, unless it does not fit, or there is one like it.
func (b *binder) deviceTrial(ctx context.Context, to *DeviceTrials, q Occlude, algorithm string, want batchTrial) error {
	r, err := b.resources(q.Model, q.Net, 1)
	if err != nil {
		return err
	}
	r.card = to.card
	q.Threads, q.Progressive, q.Device = 1, "", to.Device.Name
	if want.own {
		q.Fill = Fill{Kind: FillMeanPatch, Text: "mean(patch)"}
	}
	if q.Grid, err = trialGrid(q.Net.Input().Shape, want.part); err != nil {
		return err
	}
	all := q.Grid.Positions
	want.n = min(want.n, len(all))
	q.Grid.Positions = make([]Position, want.n)
	for i := range q.Grid.Positions {
		q.Grid.Positions[i] = all[i*len(all)/want.n]
	}
	h := hints{batch: want.n, threads: 1, accuracy: accuracy{convolution: algorithm, tolerance: defaultTolerance}}
	c := Candidate{Name: want.plan, Rects: Rectangles{Rule: Traced}}
	if want.plan == PlanFull {
		c.Rects.Rule = Whole
	}
	if algorithm != ConvolutionAuto {
		c.Algorithms = forcedAlgorithms(q.Net, algorithm)
	}
	trial, err := q.planned(ctx, c, h, r)
	if err != nil || trial.Chosen().refused != nil {
		return err
	}
	for i, l := range to.like {
		if l == want && slices.Equal(to.Trials[i].Chosen().Algorithms, trial.Chosen().Algorithms) {
			return nil
		}
	}
	to.Trials, to.like = append(to.Trials, trial), append(to.like, want)
	return nil
}

// Calibrated is a profile of the GPU that predicts the trials best, and what predicted them
// before and predicts them now; now is when it was made. Trials that took no time were not run.
func (d *DeviceTrials) Calibrated(found []Measured, now time.Time) (after *cost.Device, trials []DeviceTrial, err error) {
	var measured []cost.DeviceTrial
	for i, m := range found {
		if m.Seconds == 0 {
			continue
		}
		t, err := d.measured(d.Trials[i], m)
		if err != nil {
			return nil, nil, err
		}
		measured = append(measured, t)
		trials = append(trials, DeviceTrial{Plan: d.Trials[i]})
	}
	before := d.Before()
	after = cost.CalibrateDevice(before, d.kind, measured, now)
	for i, t := range measured {
		of := &trials[i]
		of.Seconds = t.Elapsed
		of.Before = before.Launches(t.Traffic.Launches) + before.Beside(t.Traffic)
		of.After = after.Launches(t.Traffic.Launches) + after.Beside(t.Traffic)
	}
	return after, trials, nil
}

// measured puts what a trial does beside what it took.
func (d *DeviceTrials) measured(p *Occlude, m Measured) (t cost.DeviceTrial, err error) {
	c := p.Chosen()
	g := newOnGPU(c, p, resources{card: d.card})
	g.arrange()
	if err := g.by(c.Algorithms); err != nil {
		return t, err
	}
	if t.Traffic, err = g.shape.TrafficOf(g.batch, g.views); err != nil {
		return t, err
	}
	if t.Base, err = g.pass(); err != nil {
		return t, err
	}
	t.Elapsed, t.BaseElapsed, t.Layers = m.Seconds, m.Base, make([]float64, len(m.Updates.Layers))
	for l, s := range m.Updates.Layers {
		t.Layers[l] = float64(s.Nanos) / 1e9
	}
	t.WeightBytes, t.WeightPieces, t.Bringing = g.shape.Weights(), weightPieces(p.Net), m.Bringing
	return t, nil
}

// DeviceTrial is what a trial took, and what was and is predicted.
type DeviceTrial struct {
	Plan                   *Occlude
	Seconds, Before, After float64
}

// Before is the profile that predicted costs so far.
func (d *DeviceTrials) Before() *cost.Device { return d.card.rates }
