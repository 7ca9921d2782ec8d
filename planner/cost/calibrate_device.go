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
// the other, beginning with those that were used so far. Kinds of kernels that no trial tells of are
// taken to be faster or slower as the others are.
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

// What it costs that constants change, as the square of the logarithm, for each trial: rates, so that
// those of which trials hardly tell, or not at all, go along with the others; and fixed costs, which
// differ less from card to card. Few trials could be explained by either.
const (
	apart = 1e-3
	fixed = 1e-2
)

// descend changes constants by factors for as long as that makes off and what it costs less: all
// rates at once, each of them, then fixed costs.
func descend(rates, costs []func(factor float64), trials int, off func() float64) {
	all := func(f float64) {
		for _, change := range rates {
			change(f)
		}
	}
	constants := slices.Concat([]func(float64){all}, rates, costs)
	changed := make([]float64, len(constants)) // logarithms
	held := func() (sum float64) {
		sum = apart * changed[0] * changed[0]
		rates, costs := changed[1:1+len(rates)], changed[1+len(rates):]
		for _, c := range rates {
			d := c - mean(rates)
			sum += apart * d * d
		}
		for _, c := range costs {
			sum += fixed * c * c
		}
		return sum * float64(trials)
	}
	best := off() + held()
	for factor := float64(largestFactor); factor > smallestFactor; {
		better := false
		for i, change := range constants {
			for _, f := range []float64{factor, 1 / factor} {
				if math.Abs(changed[i]+math.Log(f)) > math.Log(farthest) {
					continue
				}
				change(f)
				changed[i] += math.Log(f)
				if now := off() + held(); now < best*(1-1e-9) {
					best, better = now, true
					break
				}
				change(1 / f)
				changed[i] -= math.Log(f)
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
	for _, t := range trials {
		all, by := t.computing(), t.byLayer()
		for _, i := range slices.Sorted(maps.Keys(by)) {
			layers = append(layers, layer{by[i], t.Layers[i], t.Layers[i] / all})
		}
	}
	off := func() (sum float64) {
		for _, l := range layers {
			sum += l.weight * missed(d.Launches(l.launches), l.seconds)
		}
		return sum
	}
	rates := []func(factor float64){times(&d.Memory)}
	kinds := slices.Sorted(maps.Keys(d.MACs))
	for _, kind := range kinds {
		rates = append(rates, func(f float64) { d.MACs[kind] *= f })
	}
	descend(rates, []func(factor float64){times(&d.Launch)}, len(trials), off)
	d.Launch, d.Memory = significant(d.Launch), significant(d.Memory)
	for _, kind := range kinds {
		d.MACs[kind] = significant(d.MACs[kind])
	}
}

// fitBeside finds what batches take beside computing: copies, and bytes up and down. What is little
// beside the rest of a batch is known the less.
func (d *Device) fitBeside(trials []DeviceTrial) {
	all := 0.0 // weights
	for _, t := range trials {
		all += max(0, t.Elapsed-t.computing()) / t.Elapsed
	}
	if all == 0 {
		return
	}
	descend([]func(factor float64){times(&d.Up), times(&d.Down)}, []func(factor float64){times(&d.Copy)}, len(trials), func() (sum float64) {
		for _, t := range trials {
			if beside := t.Elapsed - t.computing(); beside > 0 {
				sum += float64(len(trials)) / all * beside / t.Elapsed * missed(d.Beside(t.Traffic), beside)
			}
		}
		return sum
	})
	d.Copy, d.Up, d.Down = significant(d.Copy), significant(d.Up), significant(d.Down)
}

// fitMemory finds what taking memory takes, by base passes, which take some for each view.
func (d *Device) fitMemory(trials []DeviceTrial) {
	descend(nil, []func(factor float64){times(&d.Alloc)}, len(trials), func() (sum float64) {
		for _, t := range trials {
			sum += missed(d.BasePass(t.Base), t.BaseElapsed)
		}
		return sum
	})
	d.Alloc = significant(d.Alloc)
}

// fitWeights finds how fast weights get to the device.
func (d *Device) fitWeights(trials []DeviceTrial) {
	brought := slices.DeleteFunc(slices.Clone(trials), func(t DeviceTrial) bool { return t.Bringing == 0 })
	descend(nil, []func(factor float64){times(&d.Weights)}, len(brought), func() (sum float64) {
		for _, t := range brought {
			sum += missed(d.BringWeights(t.WeightBytes, t.WeightPieces), t.Bringing)
		}
		return sum
	})
	d.Weights = significant(d.Weights)
}
