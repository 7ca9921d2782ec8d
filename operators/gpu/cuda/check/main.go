// Check runs every kernel on a GPU against its twin in software and against the definitions in
// float64, and measures what the GPU does a second. It is built where there is Go and carried
// to where there is a GPU:
//
//	go run ./operators/gpu/cuda/toolkit -out DIR
//	CGO_CFLAGS=-IDIR CGO_LDFLAGS=-LDIR go build -tags cuda -o check ./operators/gpu/cuda/check
//	./check                            # all, in less than two minutes; status 1 if anything fails
//	./check -parts kernels,networks    # without the rates
//	./check -json check.json           # the figures, for programs
//	./check -parts rates -only '10x10.*tensor' -patience 9m -budget 9m    # below a profiler
//
// No step depends on another: a kernel that faults takes its context with it, and one that
// never ends would take the program, so the steps run in a process of their own (child.go),
// which is replaced by a fresh one behind a step that fails or takes too long.
//
//	main.go     the flags; the processes, one after the other
//	child.go    a process: steps, until one fails
//	steps.go    what is checked and measured
//	report.go   what is printed, and written as JSON
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"time"

	"occlude/operators/gpu/cuda"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := check(ctx, os.Args[1:], cuda.Open, os.Stdout, os.Stderr)
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

// config are the flags.
type config struct {
	device    int
	positions int
	parts     string
	only      string
	budget    time.Duration
	patience  time.Duration
	first     time.Duration // on top of that, for the first step of a process
	json      string
	from      int // of a child: the first step
}

func flags(args []string, stderr io.Writer) (c config, err error) {
	f := flag.NewFlagSet("check", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.IntVar(&c.device, "device", 0, "the GPU, counted from 0")
	f.IntVar(&c.positions, "batch", 256, "positions of a batch that is measured")
	f.StringVar(&c.parts, "parts", strings.Join(parts, ","), "what to do")
	f.StringVar(&c.only, "only", "", "only steps whose name matches this `expression`")
	f.DurationVar(&c.budget, "budget", 90*time.Second, "begin no step after this time")
	f.DurationVar(&c.patience, "patience", 20*time.Second, "for a step; what takes longer has failed")
	f.DurationVar(&c.first, "first", 30*time.Second, "on top of that for a process's first step, behind the driver's compiler")
	f.StringVar(&c.json, "json", "", "write the figures to a `file`, too")
	f.IntVar(&c.from, "from", -1, "of a process that the program starts itself: its first step")
	if err := f.Parse(args); err != nil {
		return c, err
	}
	if f.NArg() > 0 {
		return c, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if c.positions < 1 {
		return c, errors.New("-batch must be at least 1")
	}
	return c, nil
}

// check is the program.
func check(ctx context.Context, args []string, open opener, stdout, stderr io.Writer) error {
	c, err := flags(args, stderr)
	if err != nil {
		return err
	}
	steps, err := stepsOf(c.parts, c.only)
	if err != nil {
		return err
	}
	if c.from >= 0 {
		return child(ctx, c, steps, open, stdout)
	}
	r := &report{to: stdout, begun: time.Now()}
	for at := 0; at < len(steps); {
		if time.Since(r.begun) > c.budget {
			for _, s := range steps[at:] {
				r.add(outcome{Part: s.part, Name: s.name, Verdict: leftOut})
			}
			break
		}
		if at, err = process(ctx, c, args, steps, at, r); err != nil {
			return err
		}
	}
	return errors.Join(r.summarise(), r.write(c.json))
}

// errLate ends a process whose step takes too long, errStopped one that is needed no more.
var errLate, errStopped = errors.New("it took too long"), errors.New("stopped")

// process has a process of its own do the steps from one on, as far as it comes, and gives the
// first that is left to do. The error is one with which no other process would do better.
func process(outer context.Context, c config, args []string, steps []step, from int, r *report) (next int, err error) {
	self, err := os.Executable()
	if err != nil {
		return from, err
	}
	ctx, stop := context.WithCancelCause(outer)
	defer stop(nil)
	cmd := exec.CommandContext(ctx, self, append(append([]string(nil), args...), "-from", fmt.Sprint(from))...)
	var complaints bytes.Buffer
	cmd.Stderr, cmd.WaitDelay = &complaints, time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return from, err
	}
	if err := cmd.Start(); err != nil {
		return from, err
	}
	watch := time.AfterFunc(c.patience+c.first, func() { stop(errLate) })
	defer watch.Stop()
	lines := json.NewDecoder(out)
	var last outcome
	for next = from; next < len(steps); next++ {
		// Nothing more comes where the process has ended.
		if last = (outcome{}); lines.Decode(&last) != nil || last.Verdict == noDevice {
			break
		}
		r.add(last)
		if time.Since(r.begun) > c.budget {
			stop(errStopped)
		}
		watch.Reset(c.patience)
	}
	watch.Stop()
	err = cmd.Wait()
	switch cause := context.Cause(ctx); {
	case outer.Err() != nil:
		return next, context.Cause(outer)
	case last.Verdict == noDevice:
		return next, errors.New(last.Note)
	case cause == errStopped, next == len(steps):
		return next, nil
	case cause == errLate:
		err = errLate
	case err == nil && next > from:
		return next, nil // behind a step that failed
	case err == nil:
		err = errors.New("it said nothing")
	}
	said := strings.Split(strings.TrimSpace(complaints.String()), "\n")
	note := strings.TrimSuffix(fmt.Sprintf("%v: %s", err, strings.Join(said[:min(len(said), 3)], "; ")), ": ")
	r.add(outcome{Part: steps[next].part, Name: steps[next].name, Verdict: failed, Note: note})
	return next + 1, nil
}
