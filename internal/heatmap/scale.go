package heatmap

import (
	"math"
	"strconv"
	"strings"
)

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

// tick is a labelled place on an axis.
type tick struct {
	value float64
	label string
}

// ticks places about n round numbers (1, 2 or 5 times a power of ten apart) from
// lo to hi. When they are awkwardly large or small, a common power of ten is
// taken out of the labels and returned as unit, such as "×10⁻⁶".
func ticks(lo, hi float64, n int) (list []tick, unit string) {
	exponent := 0
	if most := exponentOf(max(math.Abs(lo), math.Abs(hi))); most < -3 || most > 4 {
		exponent = most
		unit = "×10" + superscript(exponent)
	}
	// Divide before choosing: a float64 of extreme exponent has no headroom.
	lo, hi = scaleDown(lo, exponent), scaleDown(hi, exponent)
	step, stepExponent := roundStep((hi - lo) / float64(max(n, 1)))
	decimals := max(0, -stepExponent)
	const slack = 1e-9 // of a step: an end that is a tick but for rounding is one
	for k := math.Ceil(lo/step - slack); k <= hi/step+slack; k++ {
		label := strconv.FormatFloat(k*step, 'f', decimals, 64)
		list = append(list, tick{math.Min(math.Max(k*step, lo), hi), typographic(label)})
	}
	for i := range list {
		list[i].value = scaleUp(list[i].value, exponent)
	}
	return list, unit
}

// roundStep is the smallest of 1, 2, 5 times a power of ten that is not below x,
// and that power.
func roundStep(x float64) (step float64, exponent int) {
	exponent = exponentOf(x)
	power := math.Pow10(exponent)
	for _, digit := range []float64{1, 2, 5} {
		if digit*power >= x*(1-1e-9) {
			return digit * power, exponent
		}
	}
	return math.Pow10(exponent + 1), exponent + 1
}

// exponentOf is the power of ten of x's first digit.
func exponentOf(x float64) int {
	if !(x > 0) {
		return 0
	}
	return int(math.Floor(math.Log10(x) + 1e-12))
}

// scaleDown is x / 10^e, exact where the two are representable.
func scaleDown(x float64, e int) float64 {
	if e < 0 {
		return x * math.Pow10(-e)
	}
	return x / math.Pow10(e)
}

func scaleUp(x float64, e int) float64 { return scaleDown(x, -e) }

// number writes x with three significant digits, as text is set: a real minus
// sign, powers of ten rather than an E.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return "not a number"
	case math.IsInf(x, 1):
		return "∞"
	case math.IsInf(x, -1):
		return "−∞"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', 2, 64), "e")
	e, _ := strconv.Atoi(exponent) // FormatFloat's own
	if e < -3 || e > 4 {
		return typographic(mantissa) + "×10" + superscript(e)
	}
	return typographic(strconv.FormatFloat(x, 'f', max(0, 2-e), 64))
}

// typographic turns a number's ASCII hyphen into a minus sign and drops the sign
// of zero.
func typographic(number string) string {
	if strings.Trim(number, "-0.") == "" {
		return "0"
	}
	return strings.Replace(number, "-", "−", 1)
}

var superscripts = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
	"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

func superscript(n int) string { return superscripts.Replace(strconv.Itoa(n)) }
