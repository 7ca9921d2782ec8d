package executor

import (
	"slices"
	"sync"
)

// Watcher is a Progress that looks at heat maps while they grow.
type Watcher interface {
	Progress
	// Watch hands over the heat map that is being computed. Any goroutine may look at
	// it, until Finish or the next Start or Watch.
	Watch(g *Growing)
}

// Growing is a heat map that is being computed. Workers write what they computed into
// it batch by batch, so it can be looked at meanwhile.
type Growing struct {
	mu     sync.Mutex // held by whoever writes to values or states
	result *HeatMap
}

// grow begins a heat map of which nothing is known.
func grow(h *HeatMap) *Growing {
	for i := range h.States {
		h.States[i] = Missing
	}
	for _, c := range h.Classes {
		for i := range c.P {
			c.P[i] = nan
		}
	}
	return &Growing{result: h}
}

// change lets f write to the values and states.
func (g *Growing) change(f func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f()
}

// Look is what is known of the map now: a copy, marked as partial, without what is only
// known in the end. It is nil while nothing is known. Of a plan that goes from coarse to
// fine the positions to come are interpolated.
func (g *Growing) Look() *HeatMap {
	var seen *HeatMap
	g.change(func() { seen = g.result.snapshot() })
	if seen.Count(Missing) == len(seen.States) {
		return nil
	}
	seen.fill()
	seen.Partial = true
	return seen
}

// fill interpolates what is missing, if the plan's order lets that be more than a guess.
// Something must be known.
func (h *HeatMap) fill() {
	levels := h.Plan.Chosen().Levels
	if levels == nil || h.Count(Missing) == 0 {
		return
	}
	known := make([]bool, len(h.States))
	for i, s := range h.States {
		if known[i] = s != Missing; !known[i] {
			h.States[i] = Interpolated
		}
	}
	maps := make([][]float32, len(h.Classes))
	for i, c := range h.Classes {
		maps[i] = c.P
	}
	levels.Fill(known, maps...)
}

// snapshot copies the values and states of a map, with what they are of.
func (h *HeatMap) snapshot() *HeatMap {
	s := &HeatMap{Plan: h.Plan, Image: h.Image, Pixels: h.Pixels, Classes: slices.Clone(h.Classes), States: slices.Clone(h.States)}
	for i, c := range h.Classes {
		s.Classes[i].P = slices.Clone(c.P)
	}
	return s
}
