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

// deviceCalibration is what the trials of ANALYZE MODEL on a GPU found.
type deviceCalibration struct {
	plan          *planner.DeviceTrials
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
	t := &timer{session: s, progress: progress, until: time.Now().Add(calibrationTime), rounds: modelRounds}
	found, err := t.all(ctx, p.Trials)
	if err != nil {
		return nil, err
	}
	c := &deviceCalibration{plan: p, before: p.Before(), measured: time.Now()}
	c.after, c.trials, err = p.Calibrated(found, c.measured)
	return c, err
}

// stored is the profile as it is kept, under the GPU's name as that of a processor is.
func (c *deviceCalibration) stored() (store.Calibration, error) {
	data, err := json.Marshal(c.after)
	if err != nil {
		return store.Calibration{}, fmt.Errorf("storing the calibration: %w", err)
	}
	return store.Calibration{Machine: gpuMachine(c.after.Name, c.after.Processors), Model: store.AnyModel, Profile: data, Measured: c.measured}, nil
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
	add("prepare", cost.UnitBytes, a.Prepare, b.Prepare)
	return r
}

// predictions lists what the batches took, and what was and is predicted.
func (c *deviceCalibration) predictions() *Relation {
	r := &Relation{Columns: []string{"plan", "convolutions", "patch", "positions", "seconds", "predicted_before", "predicted_after"}}
	for i, t := range c.trials {
		p := c.plan.Trials[i]
		r.Rows = append(r.Rows, []any{p.Chosen().Name, convolutions(p.Chosen().Algorithms), fmt.Sprintf("%dx%d", p.Grid.PatchW, p.Grid.PatchH),
			len(p.Grid.Positions), rounded(t.Seconds), rounded(t.Before), rounded(t.After)})
	}
	return r
}
