package explain

import (
	"fmt"
	"strings"

	"occlude/planner"
	"occlude/planner/cost"
)

// GPU is what a plan takes of a GPU, and what its costs there are told by.
type GPU struct {
	Card string `json:"card"` // as its maker calls it
	// Calibrated tells whether rates were measured on the card by ANALYZE MODEL. Kind says how they
	// came about, Measured when; they may be what its properties allow, times assumed shares.
	Calibrated bool   `json:"calibrated"`
	Kind       string `json:"kind"` // device, quick or properties
	Measured   string `json:"measured,omitempty"`

	// Bytes of its memory when a plan holds the most: weights, views, and what all workers
	// have for their batches; and what of it is free.
	Weights int64 `json:"weight_bytes"`
	Views   int64 `json:"view_bytes"`
	Workers int64 `json:"worker_bytes"`
	Free    int64 `json:"free_bytes"`

	Batches  int     `json:"batches"`  // of an image
	Launches int     `json:"launches"` // of an image
	Fill     float64 `json:"fill"`     // the share of the GPU that launches occupy, 0 to 1
	// Moved are the bytes that an image's launches read and write of its memory.
	Moved int64 `json:"bytes_moved"`

	// Bytes that are copied to the GPU and back, for an image, beside weights, and for a batch.
	Up        int64 `json:"bytes_up"`
	Down      int64 `json:"bytes_down"`
	BatchUp   int64 `json:"batch_bytes_up"`
	BatchDown int64 `json:"batch_bytes_down"`

	BringSeconds float64 `json:"weight_seconds"` // of bringing the weights
}

// deviceOf names what computes a candidate.
func deviceOf(c *planner.Candidate) string {
	if c.Device == nil {
		return planner.CPU
	}
	return c.Device.Name
}

// gpuOf is what a candidate takes of its GPU, nil for the processor's.
func gpuOf(c *planner.Candidate) *GPU {
	g := c.Estimate.OnGPU
	if c.Device == nil || g == nil {
		return nil
	}
	return &GPU{
		Card: c.Device.Properties.Name, Calibrated: g.Profile.Calibrated(), Kind: string(g.Profile.Kind), Measured: g.Profile.Measured,
		Weights: g.Weights, Views: g.Views, Workers: g.Workers, Free: g.Free,
		Batches: g.Batches, Launches: g.Launches, Fill: significant(g.Fill), Moved: g.Moved,
		Up: g.Up, Down: g.Down, BatchUp: g.BatchUp, BatchDown: g.BatchDown, BringSeconds: round(g.BringSeconds),
	}
}

// bytes is all that is held of the GPU's memory, 0 for the processor's plans.
func (g *GPU) bytes() int64 {
	if g == nil {
		return 0
	}
	return g.Weights + g.Views + g.Workers
}

// workers are those of a plan, for people.
func workers(n int, device string) string {
	if device == planner.CPU {
		return planner.Counted(n, device+" thread")
	}
	return planner.Counted(n, "worker") + " on " + device
}

// byWorkers says that they compute something.
func byWorkers(n int, device string) string {
	if device == planner.CPU {
		return "on " + workers(n, device)
	}
	return "by " + workers(n, device)
}

// device says in the header what computes, if it is a GPU or one could have.
func (r *Report) device(f *facts) {
	g := r.Plan.GPU
	if g == nil {
		if r.Plan.NoDevice != "" {
			f.add("Device", "%s; %s", r.Plan.Device, r.Plan.NoDevice)
		}
		return
	}
	f.add("Device", "%s, %s: %s, %s, which fill %.0f%% of it and read and write %s there%s", r.Plan.Device, g.Card,
		planner.Counted(g.Batches, "batch"), planner.Counted(g.Launches, "launch"), 100*g.Fill, planner.FormatBytes(g.Moved), r.each())
	copies := fmt.Sprintf("%s to it and %s back%s, of it %s and %s a batch; weights %s, once", planner.FormatBytes(g.Up), planner.FormatBytes(g.Down), r.each(),
		planner.FormatBytes(g.BatchUp), planner.FormatBytes(g.BatchDown), planner.FormatBytes(g.Weights))
	if r.Plan.Kept != nil {
		copies, _, _ = strings.Cut(copies, "; weights")
	}
	held := fmt.Sprintf("at most %s of %s that are free: weights %s, views %s, workers %s", planner.FormatBytes(g.bytes()), planner.FormatBytes(g.Free),
		planner.FormatBytes(g.Weights), planner.FormatBytes(g.Views), planner.FormatBytes(g.Workers))
	f.add("Copies", "%s", copies)
	f.add("On GPU", "%s", held)
}

// cost says what the estimates rest on.
func (r *Report) cost() string {
	g := r.Plan.GPU
	if g == nil {
		return r.Profile.String()
	}
	device := fmt.Sprintf("uncalibrated: nothing was measured on the %s, so its rates are assumed shares of what its clocks allow", g.Card)
	switch when, _, _ := strings.Cut(g.Measured, "T"); cost.Kind(g.Kind) {
	case cost.OfDevice:
		device = fmt.Sprintf("calibrated %s on the %s", when, g.Card)
	case cost.Quick:
		device = fmt.Sprintf("uncalibrated: the quick profile of the %s, measured %s", g.Card, when)
	}
	host := "the default profile"
	if cost.Kind(r.Profile.Kind) != cost.Committed {
		host = strings.TrimPrefix(r.Profile.String(), "uncalibrated: ")
	}
	return device + "; reading and drawing: " + host
}
