package sampling

import "math"

// curve is a tabulated function of x >= 0 that has died out at the table's end:
// cubics that agree with it in value and slope at every 1/perUnit. Estimates take
// hundreds of thousands of correlations, and an exponential each would be most of
// their time.
type curve [][4]float64

const (
	perUnit   = 32
	curveEnds = 28 // e^-28 is below rounding beside 1
)

func newCurve(at, slope func(x float64) float64) curve {
	c := make(curve, curveEnds*perUnit)
	for i := range c {
		x0, x1 := float64(i)/perUnit, float64(i+1)/perUnit
		y0, y1 := at(x0), at(x1)
		d0, d1 := slope(x0)/perUnit, slope(x1)/perUnit
		c[i] = [4]float64{y0, d0, 3*(y1-y0) - 2*d0 - d1, 2*(y0-y1) + d0 + d1}
	}
	return c
}

// at is the function's value, within 1e-8.
func (c curve) at(x float64) float64 {
	if x >= curveEnds {
		return 0
	}
	x *= perUnit
	i := int(x)
	x -= float64(i)
	k := &c[i]
	return k[0] + x*(k[1]+x*(k[2]+x*k[3]))
}

// decay is e^-x.
var decay = newCurve(
	func(x float64) float64 { return math.Exp(-x) },
	func(x float64) float64 { return -math.Exp(-x) },
)

// tail is the chance of a standard normal variable to exceed x.
var tail = newCurve(
	func(x float64) float64 { return math.Erfc(x/math.Sqrt2) / 2 },
	func(x float64) float64 { return -math.Exp(-x*x/2) / math.Sqrt(2*math.Pi) },
)
