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

// CalibrateDevice finds the constants by which a GPU's launches and batches are predicted best,
// beginning with those that were used so far. What no trial tells of stays.
func CalibrateDevice(before *Device, trials []DeviceTrial, now time.Time) *Device {
	d := *before
	d.Version, d.Kind, d.Measured, d.MACs = DeviceVersion, OfDevice, now.UTC().Format(time.RFC3339), maps.Clone(before.MACs)
	d.fitLaunches(trials)
	d.fitBeside(trials)
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

// fitLaunches changes one constant after the other for as long as that makes the logarithms
// of layers' seconds, each weighed by its share of its batch, differ less from those predicted.
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
			miss := math.Log(d.Launches(l.launches) / l.seconds)
			sum += l.weight * miss * miss
		}
		return sum
	}
	constants := []func(factor float64){
		func(f float64) { d.Launch *= f },
		func(f float64) { d.Memory *= f },
	}
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		constants = append(constants, func(f float64) { d.MACs[kind] *= f })
	}
	changed := make([]float64, len(constants))
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
	d.Launch, d.Memory = significant(d.Launch), significant(d.Memory)
	for kind := range kinds {
		d.MACs[kind] = significant(d.MACs[kind])
	}
}

// fitBeside divides what batches take beside computing into copies and bytes, by least
// squares: the rates of bytes change by one factor, for nothing tells them apart.
func (d *Device) fitBeside(trials []DeviceTrial) {
	var n, x, y, xx, xy float64
	for _, t := range trials {
		bytes := d.Beside(t.Traffic) - 2*d.Copy
		beside := max(0, t.Elapsed-t.computing())
		n, x, y, xx, xy = n+1, x+bytes, y+beside, xx+bytes*bytes, xy+bytes*beside
	}
	if n == 0 || x == 0 {
		return
	}
	slope, fixed := 0.0, y/n
	if spread := n*xx - x*x; spread > 0 {
		slope = (n*xy - x*y) / spread
		fixed = (y - slope*x) / n
	}
	if slope <= 0 || fixed < 0 { // then all of it goes by bytes
		slope, fixed = max(xy/xx, 1e-6), 0
	}
	d.Copy = significant(fixed / 2)
	d.Up, d.Down, d.Prepare = significant(d.Up/slope), significant(d.Down/slope), significant(d.Prepare/slope)
}
