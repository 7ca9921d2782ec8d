package cost_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/planner/cost"
)

// made is a GPU with rates that are easy to follow.
func made() *cost.Device {
	return &cost.Device{
		Version: cost.DeviceVersion, Kind: cost.OfDevice, Name: "Test GPU", Processors: 10, Measured: "2020-02-02T00:00:00Z",
		MACs:   map[string]float64{cost.KernelFFMA: 1e12, cost.KernelDirect: 1e11, cost.KernelDepthwise: 1e11},
		Memory: 1e11, Launch: 1e-5, Copy: 1e-5, Alloc: 1e-4, Up: 1e9, Down: 1e9, Weights: 1e9,
	}
}

// TestLaunches computes by hand: the longer of arithmetic and memory, the last wave, and what
// a launch takes beside.
func TestLaunches(t *testing.T) {
	d := made()
	launch := func(kernel string, blocks, tiles, bytes int64) gpu.Launch {
		return gpu.Launch{Kernel: kernel, Blocks: blocks, Together: 2, Load: gpu.Load{Tiles: tiles, Read: bytes / 2, Written: bytes - bytes/2}}
	}
	for _, c := range []struct {
		of   gpu.Launch
		want float64
	}{
		{launch("conv_ffma_128", 20, 1e9, 1e7), 1e-3},             // arithmetic
		{launch("conv_ffma_64", 20, 1e9, 2e8), 2e-3},              // memory
		{launch("conv_ffma_64", 10, 1e9, 0), 2e-3},                // half of the GPU
		{launch("conv_ffma_64", 21, 21e8, 0), 4e-3},               // a second wave of one block
		{launch("conv_direct", 20, 1e9, 1e7), 1e-2},               // another rate
		{launch("pool", 20, 0, 1e8), 1e-3},                        // no arithmetic that counts
		{launch("conv_f16x3_128x128", 20, 1e9, 1e7), math.Inf(1)}, // nobody knows
	} {
		if got := d.Launches([]gpu.Launch{c.of}); math.Abs(got-c.want-d.Launch) > 1e-12 && got != c.want {
			t.Errorf("%+v: %g s, want %g and %g", c.of, got, c.want, d.Launch)
		}
	}
	all := []gpu.Launch{launch("pool", 5, 0, 1e8), launch("conv_direct", 20, 1e9, 1e7)}
	if got := d.Launches(all) - d.Launches(all[:1]) - d.Launches(all[1:]); math.Abs(got) > 1e-12 {
		t.Errorf("two launches differ from their sum by %g s", got)
	}
}

// TestElapsed checks what two workers gain: never more than the half, and never less than
// nothing.
func TestElapsed(t *testing.T) {
	d := made()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 1000 {
		n, computing, beside := 1+rng.IntN(20), rng.ExpFloat64(), rng.ExpFloat64()
		one, two := d.Elapsed(n, 1, computing, beside), d.Elapsed(n, 2, computing, beside)
		if two > one*(1+1e-12) || two < one/2 || two < float64(n)*max(computing, beside) {
			t.Errorf("%d batches of %g and %g s: %g s by one worker, %g s by two", n, computing, beside, one, two)
		}
	}
}

// TestDeviceOf checks that a profile nobody measured says so, keeps below what the card
// can do, and is one that can be read; with and without clocks.
func TestDeviceOf(t *testing.T) {
	for _, p := range []driver.Properties{
		{Name: "A", Capability: [2]int{9, 0}, Processors: 132, Clock: 1980e6, MemoryClock: 3200e6, MemoryBus: 6144},
		{Name: "B", Capability: [2]int{8, 6}, Processors: 30, Clock: 1500e6, MemoryClock: 7000e6, MemoryBus: 192},
		{Name: "C", Capability: [2]int{8, 0}, Processors: 1},
	} {
		d := cost.DeviceOf(p)
		peak := p.Peak()
		if d.Calibrated() || d.Measured != "" || d.Spread.Most < 2 || d.Spread.Least > 0.5 {
			t.Errorf("%s: %+v pretends to be measured", p.Name, d)
		}
		if p.Clock > 0 && (d.MACs[cost.KernelFFMA] >= peak.Float32/2 || d.MACs[cost.KernelF16x3] > peak.Float16/6 || d.Memory >= peak.Memory) {
			t.Errorf("%s: %+v is beyond %+v", p.Name, d, peak)
		}
		if _, tensor := d.MACs[cost.KernelF16x3]; tensor != (p.Name != "B") { // of whose tensor cores nothing is known
			t.Errorf("%s: a rate of tensor cores: %v", p.Name, tensor)
		}
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := cost.ParseDevice(data); err != nil {
			t.Errorf("%s: %v", p.Name, err)
		}
	}
}

// TestParseDevice refuses profiles that costs cannot be told by.
func TestParseDevice(t *testing.T) {
	for want, change := range map[string]func(*cost.Device){
		"":                           func(*cost.Device) {},
		"version 1, not 2":           func(d *cost.Device) { d.Version = 1 },
		`kind "model" is none of`:    func(d *cost.Device) { d.Kind = cost.OfModel },
		"no multiply-adds per":       func(d *cost.Device) { delete(d.MACs, cost.KernelDirect) },
		"0 multiply-adds per second": func(d *cost.Device) { d.MACs["f16x3"] = 0 },
		"is not positive":            func(d *cost.Device) { d.Up = 0 },
		"a fixed cost is negative":   func(d *cost.Device) { d.Launch = -1 },
		"a spread of 2 to 1":         func(d *cost.Device) { d.Spread = cost.Spread{Least: 2, Most: 1} },
	} {
		d := made()
		change(d)
		data, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		read, err := cost.ParseDevice(data)
		switch {
		case want == "" && (err != nil || read.Spread.Most == 0):
			t.Errorf("%+v, %v", read, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%v, want %q", err, want)
		}
	}
}
