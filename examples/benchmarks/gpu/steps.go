package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"
)

// bench is what the steps share.
type bench struct {
	settings
	scratch  string
	progress io.Writer
	begun    time.Time
	memory   *memory
	torch    *torch
}

// all does the steps: of networks with a target answers and times, and then the same of the
// others, so that what matters is there when the time is up. What came out is written behind
// every step.
func (b *bench) all(ctx context.Context, r *record) {
	first := slices.DeleteFunc(slices.Clone(r.Results), func(n *result) bool { return targets[n.Network] == 0 })
	rest := slices.DeleteFunc(slices.Clone(r.Results), func(n *result) bool { return targets[n.Network] != 0 })
	for _, group := range [][]*result{first, rest} {
		for _, step := range []struct {
			name string
			do   func(context.Context, *result) error
		}{{"answers", b.answers}, {"times", b.times}} {
			for _, n := range group {
				if step.name == "times" && n.Plan == "" && ctx.Err() == nil && time.Since(b.begun) < b.budget {
					n.LeftOut = append(n.LeftOut, "times: it has no answers")
					continue
				}
				b.within(ctx, n, step.name, step.do)
				if err := r.write(b.out); err != nil {
					fmt.Fprintln(b.progress, err)
				}
			}
		}
	}
}

// Reasons for which a step ends early.
var errBudget, errStep = errors.New("no time was left"), errors.New("it took too long")

// within does a step of a network in the time that there is for it.
func (b *bench) within(ctx context.Context, n *result, name string, do func(context.Context, *result) error) {
	left := b.budget - time.Since(b.begun)
	if ctx.Err() != nil || left <= 0 {
		n.LeftOut = append(n.LeftOut, name+": "+errBudget.Error())
		return
	}
	limit, why := b.step, errStep
	if left < limit {
		limit, why = left, errBudget
	}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, why)
	defer cancel()
	start := time.Now()
	fmt.Fprintf(b.progress, "%4.0f s  %s, %s ...", time.Since(b.begun).Seconds(), n.Network, name)
	err := do(ctx, n)
	fmt.Fprintf(b.progress, " %.1f s\n", time.Since(start).Seconds())
	switch {
	case err == nil:
	case errors.Is(err, errBudget) || errors.Is(context.Cause(ctx), errBudget):
		n.LeftOut = append(n.LeftOut, name+": "+errBudget.Error())
	default:
		n.Failed = append(n.Failed, fmt.Sprintf("%s: %v", name, err))
		fmt.Fprintf(b.progress, "        %v\n", err)
	}
}

// tried are so many positions that tell how long the processor takes for one.
const tried = 16

// answers computes a network's heat map on the device, the same positions, or some of them, on the
// processor, and some of those by PyTorch in float64.
func (b *bench) answers(ctx context.Context, n *result) (err error) {
	grid := b.grid(n.Side)
	var ours heatMap
	n.Memory.Device, err = b.memory.during(ctx, func() error {
		ours, err = b.explain(ctx, n, b.device, nil)
		return err
	})
	if err != nil {
		return fmt.Errorf("on %s: %w", b.device, err)
	}
	if len(ours.p) != len(grid) {
		return fmt.Errorf("%d positions of %d", len(ours.p), len(grid))
	}
	n.Plan, n.Explain, n.Memory.Counted = ours.plan, ours.report, ours.deviceBytes
	if n.Auto, err = b.chosen(ctx, n); err != nil {
		return err
	}

	// In a random order, corners first: any part of it is a sample.
	rand.New(rand.NewPCG(uint64(n.Side), 1)).Shuffle(len(grid), func(i, j int) { grid[i], grid[j] = grid[j], grid[i] })
	last := n.Side - b.patch
	slices.SortStableFunc(grid, func(p, q position) int { return q.corner(last) - p.corner(last) })
	some, err := b.explain(ctx, n, "cpu", grid[:min(tried, len(grid))])
	if err != nil {
		return fmt.Errorf("on the processor: %w", err)
	}
	sample := grid
	if each := some.updateSeconds / float64(len(some.p)); each*float64(len(grid)) > b.cpu.Seconds() {
		sample = grid[:max(tried, min(len(grid), int(b.cpu.Seconds()/each)))]
	}
	reference, err := b.explain(ctx, n, "cpu", sample)
	if err != nil {
		return fmt.Errorf("on the processor: %w", err)
	}
	n.Compared = len(sample)
	n.Apart.DeviceFromCPU = ours.apart(reference)

	if b.torch.missing() {
		return nil
	}
	a, err := b.torch.ask(ctx, b.job(n, "float64", sample[:min(b.exact, len(sample))]))
	if err != nil {
		return fmt.Errorf("PyTorch in float64: %w", err)
	}
	n.exact = a.heatMap()
	n.Exact = len(a.P)
	n.Apart.DeviceFromFloat64, n.Apart.CPUFromFloat64 = ours.apart(n.exact), reference.apart(n.exact)
	return nil
}

// times measures a network's heat map on the device, by both exact plans, and by PyTorch with
// and without tf32.
func (b *bench) times(ctx context.Context, n *result) error {
	for _, c := range []struct {
		mode  string
		into  *figures
		apart **float64
	}{{"float32", &n.PyTorch, &n.Apart.PyTorchFromFloat64}, {"tf32", &n.PyTorchTF32, &n.Apart.TF32FromFloat64}} {
		if b.torch.missing() {
			break
		}
		job := b.job(n, c.mode, nil)
		var a naive
		used, err := b.memory.sinceStart(ctx, func() (err error) {
			a, err = b.torch.ask(ctx, job)
			return err
		})
		if err != nil {
			return fmt.Errorf("PyTorch in %s: %w", c.mode, err)
		}
		*c.into = figures{Seconds: median(a.Seconds), Least: slices.Min(a.Seconds), Most: slices.Max(a.Seconds), Allocated: a.Allocated, Reserved: a.Reserved, Device: used}
		if n.exact.p != nil {
			*c.apart = a.heatMap().apart(n.exact)
		}
	}
	plans, err := b.benchmark(ctx, n)
	if err != nil {
		return err
	}
	n.Plans = plans
	return nil
}

func median(seconds []float64) float64 {
	sorted := slices.Sorted(slices.Values(seconds))
	return sorted[len(sorted)/2]
}
