// Check runs every kernel on a GPU against its twin in software, and measures the
// convolutions. It is built where there is Go and carried to where there is a GPU:
//
//	go run ./operators/gpu/cuda/toolkit -out DIR
//	CGO_CFLAGS=-IDIR CGO_LDFLAGS=-LDIR go build -tags cuda -o check ./operators/gpu/cuda/check
//	./check            # all cases, then rates; ends with status 1 if a case fails
//	./check -rates=false
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"occlude/operators/gpu"
	"occlude/operators/gpu/cuda"
	"occlude/operators/gpu/gputest"
	"occlude/operators/gpu/soft"
)

func main() {
	number := flag.Int("device", 0, "the GPU, counted from 0")
	rates := flag.Bool("rates", true, "measure convolutions, too")
	positions := flag.Int("batch", 256, "positions of a batch that is measured")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *number, *positions, *rates); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		stop()
		os.Exit(1)
	}
}

// tolerance is how far a GPU may be from the software device, relative to the largest
// value of a map: float32 sums in another order.
const tolerance = 5e-6

func run(ctx context.Context, number, positions int, rates bool) error {
	opened, err := cuda.Open(number)
	if err != nil {
		return err
	}
	d := gpu.NewDevice(opened)
	p := d.Properties()
	fmt.Printf("%s, compute capability %d.%d, %d multiprocessors, %d MB\n\n", p.Name, p.Capability[0], p.Capability[1], p.Processors, p.Memory>>20)
	failed := 0
	for _, c := range append(gputest.Kernels(), gputest.Architectures()...) {
		start := time.Now()
		far, where, err := compare(ctx, d, c)
		verdict := "pass"
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil:
			verdict, where = "FAIL", err.Error()
			failed++
		case !(far <= tolerance):
			verdict = "FAIL"
			failed++
		default:
			where = ""
		}
		fmt.Printf("%s  %-40s %8.1e  %6s  %s\n", verdict, c.Name, far, time.Since(start).Round(time.Millisecond), where)
	}
	if failed > 0 {
		return fmt.Errorf("%d cases failed", failed)
	}
	if !rates {
		return nil
	}
	fmt.Printf("\n%-44s %-14s %12s %12s\n", "convolution, batch of "+fmt.Sprint(positions), "kernel", "ms", "GFLOP/s")
	return gputest.Rates(ctx, d, positions, func(r gputest.Rate) {
		fmt.Printf("%-44s %-14s %12.3f %12.0f\n", r.Layer, r.Kernel, r.Seconds*1e3, 2*float64(r.MACs)/r.Seconds/1e9)
	})
}

func compare(ctx context.Context, d *gpu.Device, c gputest.Case) (far float64, where string, err error) {
	got, err := gputest.Run(ctx, d, c)
	if err != nil {
		return 0, "", err
	}
	want, err := gputest.Run(ctx, gpu.NewDevice(&soft.Device{}), c)
	if err != nil {
		return 0, "", err
	}
	far, where = gputest.Compare(c, got, want)
	return far, where, nil
}
