package cost

import (
	"maps"
	"math"
	"slices"
	"time"

	"occlude/operators/gpu"
)

// DeviceTrial is a batch that a GPU computed, alone, and what that took.
type DeviceTrial struct {
	Traffic gpu.Traffic
	// Layers are seconds by the device's own clock, by layer Index, Elapsed those of the
	// host's for all of it.
	Layers  []float64
	Elapsed float64
	// Base is the base pass before it, and BaseElapsed the seconds of that.
	Base        BasePass
	BaseElapsed float64
	// WeightBytes were brought in so many pieces, within Bringing; 0 where they were there.
	WeightBytes  int64
	WeightPieces int
	Bringing     float64
}

// computing is the time of all layers.
func (t DeviceTrial) computing() (sum float64) {
	for _, s := range t.Layers {
		sum += s
	}
	return sum
}

// byLayer are the launches of each layer that was timed.
func (t DeviceTrial) byLayer() map[int][]gpu.Launch {
	all := map[int][]gpu.Launch{}
	for _, l := range t.Traffic.Launches {
		if l.Layer < len(t.Layers) && t.Layers[l.Layer] > 0 {
			all[l.Layer] = append(all[l.Layer], l)
		}
	}
	return all
}

// CalibrateDevice makes a profile of a kind, Quick or OfDevice: the constants by which a GPU's
// launches, batches, base passes and ways of weights are predicted best, one kind of timing after
// the other, beginning with those that were used so far. What no trial tells of stays.
func CalibrateDevice(before *Device, kind Kind, trials []DeviceTrial, now time.Time) *Device {
	d := *before
	d.Version, d.Kind, d.Measured, d.MACs = DeviceVersion, kind, now.UTC().Format(time.RFC3339), maps.Clone(before.MACs)
	d.fitLaunches(trials)
	d.fitBeside(trials)
	d.fitMemory(trials)
	d.fitWeights(trials)
	leastSpread := leastSpread
	if kind == Quick { // every model is another one than that of the trials
		leastSpread = leastSpreadOther
	}
	least, most := 1.0, 1.0
	for _, t := range trials {
		ratio := t.Elapsed / (d.Launches(t.Traffic.Launches) + d.Beside(t.Traffic))
		least, most = min(least, ratio), max(most, ratio)
	}
	d.Spread = Spread{Least: significant(least * math.Exp(-leastSpread)), Most: significant(most * math.Exp(leastSpread))}
	return &d
}

// Constants are changed by factors, large ones first, until smaller ones than this tell
// nothing. No constant changes by more than farthest.
const (
	largestFactor, smallestFactor = 4, 1.01
	farthest                      = 1e6
)

// descend changes one constant after the other by factors for as long as that makes off less.
func descend(constants []func(factor float64), off func() float64) {
	changed := make([]float64, len(constants)) // logarithms
	best := off()
	for factor := float64(largestFactor); factor > smallestFactor; {
		better := false
		for i, change := range constants {
			for _, f := range []float64{factor, 1 / factor} {
				if math.Abs(changed[i]+math.Log(f)) > math.Log(farthest) {
					continue
				}
				change(f)
				if now := off(); now < best*(1-1e-9) {
					best, better = now, true
					changed[i] += math.Log(f)
					break
				}
				change(1 / f)
			}
		}
		if !better {
			factor = math.Sqrt(factor)
		}
	}
}

// times changes a constant.
func times(constant *float64) func(factor float64) {
	return func(f float64) { *constant *= f }
}

// missed is how far a prediction is off, squared.
func missed(predicted, took float64) float64 {
	miss := math.Log(predicted / took)
	return miss * miss
}

// fitLaunches finds the constants by which the logarithms of layers' seconds, each weighed by its
// share of its batch, differ least from those predicted.
func (d *Device) fitLaunches(trials []DeviceTrial) {
	type layer struct {
		launches        []gpu.Launch
		seconds, weight float64
	}
	var layers []layer
	kinds := map[string]bool{}
	for _, t := range trials {
		all, by := t.computing(), t.byLayer()
		for _, i := range slices.Sorted(maps.Keys(by)) {
			layers = append(layers, layer{by[i], t.Layers[i], t.Layers[i] / all})
			for _, l := range by[i] {
				if kind := KernelKind(l.Kernel); kind != "" {
					kinds[kind] = true
				}
			}
		}
	}
	off := func() (sum float64) {
		for _, l := range layers {
			sum += l.weight * missed(d.Launches(l.launches), l.seconds)
		}
		return sum
	}
	constants := []func(factor float64){times(&d.Launch), times(&d.Memory)}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		constants = append(constants, func(f float64) { d.MACs[kind] *= f })
	}
	descend(constants, off)
	d.Launch, d.Memory = significant(d.Launch), significant(d.Memory)
	for kind := range kinds {
		d.MACs[kind] = significant(d.MACs[kind])
	}
}

// fitBeside finds what batches take beside computing: copies, and bytes up and down.
func (d *Device) fitBeside(trials []DeviceTrial) {
	descend([]func(factor float64){times(&d.Copy), times(&d.Up), times(&d.Down)}, func() (sum float64) {
		for _, t := range trials {
			sum += missed(t.computing()+d.Beside(t.Traffic), t.Elapsed)
		}
		return sum
	})
	d.Copy, d.Up, d.Down = significant(d.Copy), significant(d.Up), significant(d.Down)
}

// fitMemory finds what taking memory takes, by base passes, which take some for each view.
func (d *Device) fitMemory(trials []DeviceTrial) {
	descend([]func(factor float64){times(&d.Alloc)}, func() (sum float64) {
		for _, t := range trials {
			if t.BaseElapsed > 0 {
				sum += missed(d.BasePass(t.Base), t.BaseElapsed)
			}
		}
		return sum
	})
	d.Alloc = significant(d.Alloc)
}

// fitWeights finds how fast weights get to the device, large ones before all.
func (d *Device) fitWeights(trials []DeviceTrial) {
	descend([]func(factor float64){times(&d.Weights)}, func() (sum float64) {
		for _, t := range trials {
			if t.Bringing > 0 {
				sum += float64(t.WeightBytes) * missed(d.BringWeights(t.WeightBytes, t.WeightPieces), t.Bringing)
			}
		}
		return sum
	})
	d.Weights = significant(d.Weights)
}
