package cost

import (
	"fmt"
	"math"
	"sort"

	"occlude/internal/network"
	"occlude/operators"
)

// Own is what the layers of a model were found to take beside what the rates predict.
type Own struct {
	Layers []LayerFactors `json:"layers"`
	// Base are the seconds of the base pass over those of its layers and its memory,
	// on one thread and on all cores.
	Base     float64 `json:"base_pass_on_one_thread"`
	BaseBusy float64 `json:"base_pass_on_all_cores"`
}

// LayerFactors are the seconds of a layer over those that the rates predict, by the
// size of the rectangles that it computes. Small ones cost more for a cell than
// large ones, and by how much depends on the layer.
type LayerFactors struct {
	Index int                 `json:"index"`
	Layer string              `json:"layer"`
	By    operators.Algorithm `json:"by,omitempty"`
	Cells []float64           `json:"cells"` // of a rectangle, rising
	Alone []float64           `json:"one_thread"`
	Busy  []float64           `json:"all_cores"`
}

func (o *Own) check() error {
	if o == nil {
		return nil
	}
	if !(o.Base > 0) || !(o.BaseBusy > 0) {
		return fmt.Errorf("a factor of the base pass is not positive")
	}
	for _, l := range o.Layers {
		if n := len(l.Cells); n == 0 || len(l.Alone) != n || len(l.Busy) != n || !sort.Float64sAreSorted(l.Cells) {
			return fmt.Errorf("layer %s: sizes and factors do not belong together", l.Layer)
		}
		for i := range l.Cells {
			if !(l.Cells[i] > 0) || !(l.Alone[i] > 0) || !(l.Busy[i] > 0) {
				return fmt.Errorf("layer %s: a size or a factor is not positive", l.Layer)
			}
		}
	}
	return nil
}

// fits tells whether the layers are those of a network.
func (o *Own) fits(net *network.Network) bool {
	for _, l := range o.Layers {
		if l.Index < 0 || l.Index >= len(net.Layers) || net.Layers[l.Index].Name != l.Layer {
			return false
		}
	}
	return true
}

// ownRates is Own, made ready for one network and a number of threads.
type ownRates struct {
	layers [][]*LayerFactors // by layer Index
	busy   float64           // how much of a factor is that of Busy
	base   float64
}

// on makes the factors ready; busy is the share of the cores beside one that work.
func (o *Own) on(net *network.Network, busy float64) *ownRates {
	r := &ownRates{layers: make([][]*LayerFactors, len(net.Layers)), busy: busy, base: between(o.Base, o.BaseBusy, busy)}
	for i := range o.Layers {
		l := &o.Layers[i]
		r.layers[l.Index] = append(r.layers[l.Index], l)
	}
	return r
}

// between goes from one factor to another, by their ratio.
func between(a, b, share float64) float64 { return a * math.Pow(b/a, share) }

// factor is that of a layer for rectangles of an amount's mean size: between two
// sizes that were measured by the logarithm of the size, beyond them the nearest's.
func (r *ownRates) factor(l *network.Layer, how operators.Algorithm, a Amount) float64 {
	if r == nil || a.Runs == 0 || l.Index >= len(r.layers) {
		return 1
	}
	cells := float64(a.Values) / float64(l.Shape.C) / float64(a.Runs)
	for _, f := range r.layers[l.Index] {
		if f.By != how {
			continue
		}
		at := func(i int) float64 { return between(f.Alone[i], f.Busy[i], r.busy) }
		last := len(f.Cells) - 1
		i := sort.SearchFloat64s(f.Cells, cells)
		switch {
		case i == 0:
			return at(0)
		case i > last:
			return at(last)
		}
		return between(at(i-1), at(i), math.Log(cells/f.Cells[i-1])/math.Log(f.Cells[i]/f.Cells[i-1]))
	}
	return 1
}

// BasePass is what a base pass takes beside the sum of its layers and of the time in
// which its memory comes: 1 for models of which nothing is known.
func (r *Rates) BasePass() float64 {
	if r.own == nil {
		return 1
	}
	return r.own.base
}
