package typeset

import (
	"math"
	"strconv"
	"strings"
)

// Tick is a labelled place on an axis.
type Tick struct {
	Value float64
	Label string
}

// Ticks places about n round numbers (1, 2 or 5 times a power of ten apart) from
// lo to hi. When they are awkwardly large or small, a common power of ten is
// taken out of the labels and returned as unit, such as "×10⁻⁶".
func Ticks(lo, hi float64, n int) (list []Tick, unit string) {
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
		list = append(list, Tick{math.Min(math.Max(k*step, lo), hi), typographic(label)})
	}
	for i := range list {
		list[i].Value = scaleUp(list[i].Value, exponent)
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

// Number writes x with three significant digits, as text is set: a real minus
// sign, powers of ten rather than an E.
func Number(x float64) string {
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
