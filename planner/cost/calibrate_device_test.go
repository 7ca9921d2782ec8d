package cost

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
)

// A GPU's constants are found from what it takes, from those of another one.
func TestCalibrateDevice(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 70))
	truth := DeviceOf(driver.Properties{Name: "one", Processors: 40})
	truth.Launch, truth.Copy, truth.Memory = 3e-6, 8e-6, 4e11
	truth.MACs = map[string]float64{KernelFFMA: 5e12, KernelDirect: 2e11, KernelDepthwise: 3e11}
	truth.Up, truth.Down, truth.Weights, truth.Alloc = 2*truth.Up, 3*truth.Down, truth.Weights/2, truth.Alloc/5
	var trials []DeviceTrial
	for i := range 12 {
		var b DeviceTrial
		size := math.Exp(rng.Float64() * 7)
		for layer, kernel := range []string{"place", "conv_ffma_128", "pool", "conv_direct", "conv_depthwise", "conv_ffma_64", "softmax"} {
			l := gpu.Launch{Layer: layer, Kernel: kernel, Blocks: int64(1 + 40*size), Together: 2, Load: gpu.Load{Launches: 1, Read: int64(1e4 * size), Written: int64(3e4 * size)}}
			if KernelKind(kernel) != "" {
				l.Tiles = int64(1e7 * size * rng.Float64())
			}
			b.Traffic.Launches = append(b.Traffic.Launches, l)
			b.Layers = append(b.Layers, truth.Launches([]gpu.Launch{l})*(0.98+0.04*rng.Float64()))
		}
		// Some batches have patches of their own: without such all bytes grow alike.
		b.Traffic.Tables, b.Traffic.Scores, b.Traffic.Patches = int64(2e3*size), int64(8e3*size), int64(i%2*2e4*int(size))
		b.Elapsed = b.computing() + truth.Beside(b.Traffic)
		b.Base = BasePass{Traffic: b.Traffic, Image: 1 << 20, Views: 40}
		b.BaseElapsed = truth.BasePass(b.Base) * (0.98 + 0.04*rng.Float64())
		if i < 2 {
			b.WeightBytes, b.WeightPieces = int64(1e7+1e8*float64(i)), 20
			b.Bringing = truth.BringWeights(b.WeightBytes, b.WeightPieces)
		}
		trials = append(trials, b)
	}
	found := CalibrateDevice(DeviceOf(driver.Properties{Name: "one", Processors: 40}), OfDevice, trials, time.Now())
	if err := found.check(); err != nil || !found.Calibrated() {
		t.Fatalf("%+v: %v", found, err)
	}
	for _, b := range trials {
		for what, ratio := range map[string]float64{
			"launches": found.Launches(b.Traffic.Launches) / b.computing(), "beside": found.Beside(b.Traffic) / truth.Beside(b.Traffic),
			"base": found.BasePass(b.Base) / b.BaseElapsed,
		} {
			if !(ratio > 0.93 && ratio < 1.07) {
				t.Errorf("%s of a batch are predicted %.2f times as long", what, ratio)
			}
		}
	}
	for kind, rate := range truth.MACs {
		if r := found.MACs[kind] / rate; !(r > 0.8 && r < 1.25) {
			t.Errorf("%s: %g multiply-adds a second, not %g", kind, found.MACs[kind], rate)
		}
	}
	for what, ratio := range map[string]float64{
		"up": found.Up / truth.Up, "down": found.Down / truth.Down, "weights": found.Weights / truth.Weights, "memory": found.Alloc / truth.Alloc,
	} {
		if !(ratio > 0.8 && ratio < 1.25) {
			t.Errorf("%s: found is %.2f times what is right: %+v", what, ratio, found)
		}
	}
	// Nothing tells of tensor cores: they are faster or slower as the others are.
	without := DeviceOf(driver.Properties{Name: "one", Processors: 40})
	without.MACs[KernelF16x3] = 1e12
	least, most := found.Memory/without.Memory, found.Memory/without.Memory
	for kind, rate := range found.MACs {
		least, most = min(least, rate/without.MACs[kind]), max(most, rate/without.MACs[kind])
	}
	if r := CalibrateDevice(without, OfDevice, trials, time.Now()).MACs[KernelF16x3] / 1e12; !(r > 1.1*least && r < most/1.1) {
		t.Errorf("tensor cores are taken to be %g times as fast, all else is %g to %g times", r, least, most)
	}
	quick := CalibrateDevice(DeviceOf(driver.Properties{Name: "one", Processors: 40}), Quick, trials, time.Now())
	if quick.Spread.Least > 0.7 || quick.Spread.Most < 1.4 || quick.Kind != Quick {
		t.Errorf("a quick profile is sure of %+v", quick.Spread)
	}
}
