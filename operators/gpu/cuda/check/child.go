package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"time"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/gputest"
)

// opener opens a GPU by its number.
type opener func(number int) (driver.Driver, error)

// Verdicts.
const (
	passed   = "pass"
	failed   = "FAIL"
	leftOut  = "left out"
	noDevice = "no device"
)

// outcome is what a step came to.
type outcome struct {
	Part    string `json:"part"`
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	// Twin and Definition are how far results are from those of the kernels' twins in software,
	// and from the definitions in float64, in units of Compare.
	Twin       float64       `json:"twin,omitempty"`
	Definition float64       `json:"definition,omitempty"`
	Rate       *gputest.Rate `json:"rate,omitempty"`
	Note       string        `json:"note,omitempty"` // where the largest difference is, or what went wrong
	Took       float64       `json:"took"`           // seconds
}

// child does the steps from one on, and prints what each came to, a JSON object a line. It ends
// behind the first that has an error, for no context of CUDA outlives a kernel's fault.
func child(ctx context.Context, c config, steps []step, open opener, stdout io.Writer) error {
	out := json.NewEncoder(stdout)
	opened, err := open(c.device)
	if err != nil {
		return out.Encode(outcome{Verdict: noDevice, Note: err.Error()})
	}
	on := gputest.Card{Driver: opened, Device: gpu.NewDevice(opened), Positions: c.positions}
	for _, s := range steps[c.from:] {
		start := time.Now()
		o, err := guarded(ctx, s, on)
		o.Part, o.Name, o.Took = s.part, s.name, time.Since(start).Seconds()
		// JSON has no number for what is infinitely far.
		o.Twin, o.Definition = min(o.Twin, math.MaxFloat64), min(o.Definition, math.MaxFloat64)
		switch {
		case err != nil:
			o.Verdict, o.Note = failed, err.Error()
		case o.Verdict == "":
			o.Verdict = passed
		}
		if err := out.Encode(o); err != nil {
			return err
		}
		if err != nil {
			return nil
		}
	}
	return nil
}

// guarded does a step, whose panic is an error like others.
func guarded(ctx context.Context, s step, on gputest.Card) (o outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return s.run(ctx, on)
}
