package executor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"occlude/internal/store"
	"occlude/planner"
	"occlude/planner/cost"
)

// A GPU whose trials take longer than this is a slow one: those are left out that could last
// beyond.
const deviceTime = 2 * calibrationTime

// deviceCalibration is what the trials of a GPU found.
type deviceCalibration struct {
	before, after *cost.Device
	trials        []planner.DeviceTrial
	measured      time.Time
}

// calibrateDevice times batches on a GPU, each of which one worker computes alone: how long a
// launch takes is told by the GPU's own clock, what is beside it by the host's.
func (s *Session) calibrateDevice(ctx context.Context, p *planner.DeviceTrials) (*deviceCalibration, error) {
	total := 0
	for _, t := range p.Trials {
		total += len(t.Grid.Positions)
	}
	progress, done := s.onePart("calibration of "+p.Device.Name, total)
	defer done()
	now := time.Now()
	t := &timer{session: s, progress: progress, until: now.Add(calibrationTime), enough: now.Add(deviceTime), rounds: modelRounds}
	return t.device(ctx, p)
}

// MeasureDevice does the same in less than a second, by trials of a made-up network, and keeps what
// is found for later sessions, as Measure does.
func (s *Session) MeasureDevice(ctx context.Context, p *planner.DeviceTrials) (*cost.Device, error) {
	// A place that cannot be written is found now, not after the work.
	if err := s.Store.Put(ctx, nil, nil); err != nil {
		return nil, err
	}
	start := time.Now()
	t := &timer{session: s, progress: within{}, until: start, enough: start.Add(measureTime), rounds: machineRounds}
	c, err := t.device(ctx, p)
	t.forget(p.Trials)
	s.collect([]string{p.Device.Name})
	if err != nil {
		return nil, err
	}
	kept, err := storedDevice(c.after, c.measured)
	if err != nil {
		return nil, err
	}
	if kept, err = s.Store.PutUnless(ctx, kept, start); err != nil {
		return nil, err
	}
	return cost.ParseDevice(kept.Profile)
}

// device runs the trials of a GPU, but for those that could last beyond the time.
func (t *timer) device(ctx context.Context, p *planner.DeviceTrials) (*deviceCalibration, error) {
	found := make([]planner.Measured, len(p.Trials))
	each := 0.0 // seconds of a position at most, by the algorithms of the last one that was tried alone
	for i, trial := range p.Trials {
		n := float64(len(trial.Grid.Positions))
		if left := time.Until(t.enough).Seconds(); left < leastRounds*n*each {
			t.progress.Add(len(trial.Grid.Positions))
			continue
		}
		var err error
		if found[i], err = t.one(ctx, trial); err != nil {
			return nil, err
		}
		if took := found[i].Seconds / n; trial.Chosen().Name == planner.PlanFull && (n == 1 || took < each) {
			each = took
		}
	}
	c := &deviceCalibration{before: p.Before(), measured: time.Now()}
	var err error
	c.after, c.trials, err = p.Calibrated(found, c.measured)
	return c, err
}

// storedDevice is a GPU's profile as it is kept, under the GPU's name as that of a processor is.
func storedDevice(d *cost.Device, at time.Time) (store.Calibration, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return store.Calibration{}, fmt.Errorf("storing the calibration: %w", err)
	}
	return store.Calibration{Machine: gpuMachine(d.Name, d.Processors), Model: store.AnyModel, Profile: data, Measured: at}, nil
}

// gpuMachine is what the calibration of a GPU is kept for.
func gpuMachine(name string, processors int) store.Machine {
	return store.Machine{CPU: name, Cores: processors, Kernels: deviceKernels}
}

// constants lists what was measured, and what it was taken for before.
func (c *deviceCalibration) constants() *Relation {
	r := &Relation{Columns: []string{"constant", "unit", "before", "after"}}
	add := func(name, unit string, before, after float64) {
		r.Rows = append(r.Rows, []any{name, unit, rounded(before), rounded(after)})
	}
	a, b := c.before, c.after
	for _, kind := range slices.Sorted(maps.Keys(b.MACs)) {
		add(kind, "multiply-adds/s", a.MACs[kind], b.MACs[kind])
	}
	add("memory", cost.UnitBytes, a.Memory, b.Memory)
	add("launch", cost.UnitSeconds, a.Launch, b.Launch)
	add("copy", cost.UnitSeconds, a.Copy, b.Copy)
	add("upload", cost.UnitBytes, a.Up, b.Up)
	add("download", cost.UnitBytes, a.Down, b.Down)
	add("weight upload", cost.UnitBytes, a.Weights, b.Weights)
	add("allocation", cost.UnitSeconds, a.Alloc, b.Alloc)
	return r
}

// predictions lists what the batches took, and what was and is predicted.
func (c *deviceCalibration) predictions() *Relation {
	r := &Relation{Columns: []string{"plan", "convolutions", "patch", "positions", "seconds", "predicted_before", "predicted_after"}}
	for _, t := range c.trials {
		p := t.Plan
		r.Rows = append(r.Rows, []any{p.Chosen().Name, convolutions(p.Chosen().Algorithms), fmt.Sprintf("%dx%d", p.Grid.PatchW, p.Grid.PatchH),
			len(p.Grid.Positions), rounded(t.Seconds), rounded(t.Before), rounded(t.After)})
	}
	return r
}
