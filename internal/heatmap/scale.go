package heatmap

import "math"

// minimumSpan keeps a colour bar from having no length when a map is constant.
// Changes of a millionth in probability mean nothing to anyone.
const minimumSpan = 1e-6

// scale says which number of a position is drawn and which range of it the
// colours span.
type scale struct {
	label        string // what the colour bar calls the number
	below, above string // what its two ends mean, if that can be said
	lo, hi       float64
	value        func(m *Map, i int) float64
	// clipped is set at an end of the bar beyond which some values lie.
	clippedLo, clippedHi bool
}

// t maps a value to a place on the colour map, 0 at lo and 1 at hi.
func (s *scale) t(value float64) float64 { return (value - s.lo) / (s.hi - s.lo) }

// scaling chooses a map's scale. Every panel has its own, since one class's
// probability may move a hundred times as far as another's.
type scaling func(m *Map) scale

// symmetric spans the largest change in either direction, so that no change is
// always the middle colour.
func symmetric(m *Map) scale {
	lo, hi := m.changes()
	most := max(-lo, hi, minimumSpan)
	s := dropScale(-most, most)
	s.below, s.above = "opposes", "supports the class"
	return s
}

// sequential spans every change and no change.
func sequential(m *Map) scale {
	lo, hi := m.changes()
	return dropScale(lo, max(hi, lo+minimumSpan))
}

func dropScale(lo, hi float64) scale {
	return scale{label: "p drop  (p₀ − p)", lo: lo, hi: hi, value: (*Map).drop}
}

// krypton spans p itself from 0.75 p0 to 1.25 p0, at most 1, as the pictures of
// Krypton (Nakandala, Kumar and Papakonstantinou, SIGMOD 2019) do. Scores that
// are no probabilities, being above 1 by more than rounding, keep 1.25 p0.
func krypton(m *Map) scale {
	p0 := float64(m.P0)
	if math.IsNaN(p0) || math.IsInf(p0, 0) {
		p0 = 0
	}
	lo, hi := min(0.75*p0, 1.25*p0), max(0.75*p0, 1.25*p0)
	if p0 <= 1.001 {
		hi = min(1, hi)
	}
	s := scale{label: "p  (occluded)", lo: lo, hi: max(hi, lo+minimumSpan)}
	s.value = func(m *Map, i int) float64 { return float64(m.P[i]) }
	for i := range m.P {
		s.clippedLo = s.clippedLo || s.value(m, i) < s.lo
		s.clippedHi = s.clippedHi || s.value(m, i) > s.hi
	}
	return s
}

// changes is the smallest interval that holds zero and every finite drop.
func (m *Map) changes() (lo, hi float64) {
	for i := range m.P {
		if d := m.drop(i); !math.IsNaN(d) && !math.IsInf(d, 0) {
			lo, hi = min(lo, d), max(hi, d)
		}
	}
	return lo, hi
}
