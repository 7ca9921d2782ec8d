package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"occlude/internal/network"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/gputest"
	"occlude/operators/gpu/soft"
)

// TestMain is the program, too: that of the processes that it starts.
func TestMain(m *testing.M) {
	if !slices.Contains(os.Args, "-from") {
		os.Exit(m.Run())
	}
	if err := check(context.Background(), os.Args[1:], open, os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// open gives devices in software: number 0 is broken, 1 takes for ever, there is no other.
func open(number int) (driver.Driver, error) {
	if number > 1 {
		return nil, errors.New("there is no such device")
	}
	return &faulty{Device: &soft.Device{}, slow: number == 1}, nil
}

// faulty is a device whose context does nothing more once a softmax was launched, and that
// takes the process with it when lrn is.
type faulty struct {
	*soft.Device
	slow, broken bool
}

var errBroken = errors.New("an illegal memory access was encountered")

func (d *faulty) Alloc(bytes int64) (driver.Pointer, error) {
	if d.broken {
		return 0, errBroken
	}
	return d.Device.Alloc(bytes)
}

func (d *faulty) Load(ptx string) (driver.Module, error) {
	if d.slow {
		time.Sleep(time.Hour)
	}
	m, err := d.Device.Load(ptx)
	return faultyModule{m}, err
}

type faultyModule struct{ driver.Module }

type faultyKernel struct {
	name string
	driver.Kernel
}

func (m faultyModule) Kernel(name string, shared int) (driver.Kernel, error) {
	k, err := m.Module.Kernel(name, shared)
	return faultyKernel{name, k}, err
}

func (d *faulty) NewStream() (driver.Stream, error) {
	s, err := d.Device.NewStream()
	return faultyStream{s, d}, err
}

type faultyStream struct {
	driver.Stream
	on *faulty
}

func (s faultyStream) Launch(k driver.Kernel, l driver.Launch) error {
	f := k.(faultyKernel)
	switch f.name {
	case "lrn":
		fmt.Fprintln(os.Stderr, "SIGSEGV: segmentation violation")
		os.Exit(3)
	case "softmax":
		s.on.broken = true
	}
	if s.on.broken {
		return errBroken
	}
	return s.Stream.Launch(f.Kernel, l)
}

// run is a run of the program and the outcomes that it wrote.
func run(t *testing.T, args ...string) (outcomes []outcome, printed string, err error) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "check.json")
	var out bytes.Buffer
	err = check(t.Context(), append(args, "-json", file), open, &out, &out)
	text, readErr := os.ReadFile(file)
	if readErr != nil {
		return nil, out.String(), err
	}
	var written struct{ Steps []outcome }
	if err := json.Unmarshal(text, &written); err != nil {
		t.Fatal(err)
	}
	return written.Steps, out.String(), err
}

// TestFaults: what fails does so alone.
func TestFaults(t *testing.T) {
	if testing.Short() {
		t.Skip("only computes for long")
	}
	const parts, only = "load,functions,kernels,networks", "^[a-z .]*$" // few, which are quick in software
	outcomes, printed, err := run(t, "-parts", parts, "-only", only, "-patience", "10m", "-budget", "10m")
	if err == nil || !strings.HasSuffix(err.Error(), "steps failed") {
		t.Errorf("the error is %v", err)
	}
	want := map[string]string{} // by case, what it fails with
	for _, c := range slices.Concat(gputest.Kernels(), gputest.Architectures()) {
		for _, l := range slices.Backward(c.Net.Layers) { // the first one counts
			switch l.Op.(type) {
			case network.Softmax:
				want[c.Name] = errBroken.Error()
			case network.LRN:
				want[c.Name] = "exit status 3: SIGSEGV"
			}
		}
	}
	steps, _ := stepsOf(parts, only)
	if len(outcomes) != len(steps) {
		t.Fatalf("%d outcomes of %d steps\n%s", len(outcomes), len(steps), printed)
	}
	for i, o := range outcomes {
		note := want[o.Name]
		if o.Name != steps[i].name || o.Part != steps[i].part {
			t.Errorf("step %d is %s, not %s", i, o.Name, steps[i].name)
		}
		if (o.Verdict == failed) != (note != "" && o.Part != functions) || note != "" && !strings.Contains(o.Note, note) {
			t.Errorf("%s, %s: %s, %s", o.Part, o.Name, o.Verdict, o.Note)
		}
	}
}

// TestLate: what takes for ever is ended, and what there is no time for is said.
func TestLate(t *testing.T) {
	outcomes, _, err := run(t, "-device", "1", "-parts", "load,functions", "-patience", "1ms", "-first", "300ms", "-budget", "200ms")
	if err == nil || len(outcomes) < 2 || outcomes[0].Verdict != failed || !strings.HasPrefix(outcomes[0].Note, errLate.Error()) {
		t.Fatalf("%v: %+v", err, outcomes)
	}
	for _, o := range outcomes[1:] {
		if o.Verdict != leftOut {
			t.Errorf("%+v", o)
		}
	}
}

func TestRefused(t *testing.T) {
	for args, want := range map[string]string{
		"-device 2":     "there is no such device",
		"-parts spoons": `no part "spoons"`,
		"-batch 0":      "at least 1",
		"-only nothing": "no step",
		"-only (":       "-only",
		"here":          "unexpected",
	} {
		if _, _, err := run(t, strings.Fields(args)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestProfiled: each measurement that profile.sh picks is there, and is one.
func TestProfiled(t *testing.T) {
	text, err := os.ReadFile("../../../../examples/benchmarks/gpu/profile.sh")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(text), "|| set -- ")
	line, _, _ := strings.Cut(after, "\n")
	expressions := strings.Split(strings.Trim(line, "'"), "' '")
	if len(expressions) < 2 {
		t.Fatalf("%q", line)
	}
	for _, e := range expressions {
		if steps, err := stepsOf(rates, e); err != nil || len(steps) != 1 {
			t.Errorf("%q: %d steps, %v", e, len(steps), err)
		}
	}
}
