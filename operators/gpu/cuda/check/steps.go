package main

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"occlude/operators/gpu"
	"occlude/operators/gpu/gputest"
	"occlude/operators/gpu/kernels"
	"occlude/operators/gpu/soft"
)

// step is a thing to check or to measure, independent of all others.
type step struct {
	part, name string
	run        func(ctx context.Context, on gputest.Card) (outcome, error)
}

// The parts, in the order in which they are done.
const (
	loading   = "load"
	functions = "functions"
	cases     = "kernels"
	networks  = "networks"
	rates     = "rates"
)

var parts = []string{loading, functions, cases, networks, rates}

// randomNetworks are tried with so many seeds, on images of so many pixels a side.
const randomNetworks, randomSide = 40, 12

// stepsOf lists the steps of some parts whose names match an expression.
func stepsOf(wanted, only string) (steps []step, err error) {
	name, err := regexp.Compile(only)
	if err != nil {
		return nil, fmt.Errorf("-only: %w", err)
	}
	has := map[string]bool{}
	for part := range strings.SplitSeq(wanted, ",") {
		if part = strings.TrimSpace(part); !slices.Contains(parts, part) {
			return nil, fmt.Errorf("there is no part %q; there are %s", part, strings.Join(parts, ", "))
		}
		has[part] = true
	}
	for _, s := range slices.Concat(loads(), numbers(), comparisons(), measurements()) {
		if has[s.part] && name.MatchString(s.name) {
			steps = append(steps, s)
		}
	}
	if len(steps) == 0 {
		return nil, fmt.Errorf("no step of %s has a name that matches %q", wanted, only)
	}
	return steps, nil
}

// loads is whether the driver takes the kernels.
func loads() []step {
	return []step{{loading, "kernels.ptx", func(_ context.Context, on gputest.Card) (o outcome, err error) {
		p := on.Driver.Properties()
		peak := p.Peak()
		o.Note = fmt.Sprintf("%s, compute capability %d.%d, %d multiprocessors, %d MB; at most %.1f TFLOP/s in float32, %.0f in fp16, %.0f GB/s",
			p.Name, p.Capability[0], p.Capability[1], p.Processors, p.Memory>>20, peak.Float32/1e12, peak.Float16/1e12, peak.Memory/1e9)
		release, err := on.Driver.Bind()
		if err != nil {
			return o, err
		}
		defer release()
		module, err := on.Driver.Load(kernels.PTX)
		if err != nil {
			return o, err
		}
		for _, k := range kernels.All() {
			if _, err := module.Kernel(k.Kernel(), kernels.TileOf(k.Kernel()).Shared); err != nil {
				return o, fmt.Errorf("%s: %w", k.Kernel(), err)
			}
		}
		return o, nil
	}}}
}

// numbers are the functions of one number.
func numbers() []step {
	var steps []step
	for fn, name := range kernels.Functions {
		if name == "" {
			name = "identity"
		}
		steps = append(steps, step{functions, name, func(_ context.Context, on gputest.Card) (o outcome, err error) {
			far, at, err := gputest.Function(on.Driver, fn)
			o.Definition = far
			if !(far < gputest.FunctionTolerance) {
				o.Verdict, o.Note = failed, fmt.Sprintf("at %g", at)
			}
			return o, err
		}})
	}
	return steps
}

// comparisons are cases.
func comparisons() []step {
	var steps []step
	for _, group := range []struct {
		part      string
		cases     []gputest.Case
		tolerance float64
	}{
		{cases, gputest.Kernels(), gputest.Tolerance},
		{networks, gputest.Architectures(), gputest.Tolerance},
		{networks, gputest.Random(randomNetworks, randomSide), gputest.RandomTolerance},
	} {
		for _, c := range group.cases {
			steps = append(steps, step{group.part, c.Name, func(ctx context.Context, on gputest.Card) (outcome, error) {
				return compare(ctx, on, c, group.tolerance)
			}})
		}
	}
	return steps
}

// compare compares the GPU with the twins and with the definitions.
func compare(ctx context.Context, on gputest.Card, c gputest.Case, tolerance float64) (o outcome, err error) {
	got, err := gputest.Run(ctx, on.Device, c)
	if err != nil {
		return o, err
	}
	twin, err := gputest.Run(ctx, gpu.NewDevice(&soft.Device{}), c)
	if err != nil {
		return o, fmt.Errorf("in software: %w", err)
	}
	definition, err := gputest.Definition(c)
	if err != nil {
		return o, fmt.Errorf("the definition: %w", err)
	}
	var where string
	if o.Twin, where = gputest.Compare(c, got, twin); !(o.Twin <= tolerance) {
		o.Verdict, o.Note = failed, where
	}
	if o.Definition, where = gputest.Compare(c, got, definition); !(o.Definition <= tolerance) {
		o.Verdict, o.Note = failed, where
	}
	return o, nil
}

// measurements are rates.
func measurements() []step {
	var steps []step
	for _, m := range gputest.Measurements() {
		steps = append(steps, step{rates, m.Name, func(ctx context.Context, on gputest.Card) (o outcome, err error) {
			r, err := m.Run(ctx, on)
			o.Rate = &r
			return o, err
		}})
	}
	return steps
}
