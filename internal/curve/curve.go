package curve

import (
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/mat"
)

// The metrics that curves are measured in, see package quality.
const (
	SSIM        = "ssim"
	SSIMKrypton = "ssim_krypton"
)

// MinTau is the lowest tau that curves are measured at, and the lowest that they
// advise.
const MinTau = 0.4

// Taus are where curves are measured, from 1, which leaves nothing out, to MinTau.
func Taus() []float64 { return []float64{1, 0.9, 0.8, 0.7, 0.6, 0.5, MinTau} }

// Key is what a curve depends on.
type Key struct {
	Model            string // content hash of the model's file
	Input            string // what is done to an image before the model sees it, and to what comes out, as text
	PatchW, PatchH   int    // pixels
	StrideW, StrideH int    // pixels
	Fill             string // as the language writes it
	Metric           string // SSIM or SSIMKrypton
}

// Curve is how quality falls with tau.
type Curve struct {
	Key
	Points   []Point    // by falling tau
	Fit      [3]float64 // quality is about Fit[0] + Fit[1] tau + Fit[2] tau^2
	Residual float64    // root of the mean square of the means' distances from the fit
	Sample   Sample
	Measured time.Time
}

// Point is the quality measured at one tau over the sample's images.
type Point struct {
	Tau     float64 `json:"tau"`
	Mean    float64 `json:"mean"`
	Worst   float64 `json:"worst"`
	Speedup float64 `json:"speedup"` // over the exact map, in seconds, the median of what was measured
}

// Sample says which images a curve was measured on.
type Sample struct {
	Files  string   // the pattern that they were drawn from
	Seed   int64    // of the draw
	Images []string // those drawn
}

// New fits a curve to points: the polynomial of second degree with the least
// squares of the distances from the means. Three different taus are needed.
func New(k Key, points []Point, s Sample, measured time.Time) (Curve, error) {
	c := Curve{Key: k, Points: points, Sample: s, Measured: measured}
	different := map[float64]bool{}
	for _, p := range points {
		different[p.Tau] = true
	}
	if len(different) < 3 {
		return Curve{}, fmt.Errorf("no curve can be fitted to %d points of %d different tau", len(points), len(different))
	}
	a, b := mat.NewDense(len(points), 3, nil), mat.NewVecDense(len(points), nil)
	for i, p := range points {
		a.SetRow(i, []float64{1, p.Tau, p.Tau * p.Tau})
		b.SetVec(i, p.Mean)
	}
	var fit mat.VecDense
	if err := fit.SolveVec(a, b); err != nil {
		return Curve{}, fmt.Errorf("no curve can be fitted to %d points: %w", len(points), err)
	}
	copy(c.Fit[:], fit.RawVector().Data)
	for _, p := range points {
		c.Residual += (c.At(p.Tau) - p.Mean) * (c.At(p.Tau) - p.Mean)
	}
	c.Residual = math.Sqrt(c.Residual / float64(len(points)))
	return c, nil
}

// At is the quality that the curve expects at a tau.
func (c *Curve) At(tau float64) float64 { return c.Fit[0] + tau*(c.Fit[1]+tau*c.Fit[2]) }

// LowestTau is the lowest tau in [MinTau, 1] at which, and at every tau above
// which, the curve expects at least the target; 1 where there is none. A fitted
// parabola may rise again below: that is the fit's doing, and no reason to go
// there.
func (c *Curve) LowestTau(target float64) float64 {
	if c.At(1) < target {
		return 1
	}
	// Between two of these the curve stays on one side of the target.
	breaks := []float64{1}
	for _, r := range c.crossings(target) { // the greater one first
		if r > MinTau && r < 1 {
			breaks = append(breaks, r)
		}
	}
	breaks = append(breaks, MinTau)
	lowest := 1.0
	for _, below := range breaks[1:] {
		if c.At((lowest+below)/2) < target {
			break
		}
		lowest = below
	}
	return lowest
}

// crossings are the taus at which the curve expects exactly the target, the
// greater one first.
func (c *Curve) crossings(target float64) []float64 {
	c0, c1, c2 := c.Fit[0]-target, c.Fit[1], c.Fit[2]
	d := c1*c1 - 4*c2*c0
	if d < 0 {
		return nil
	}
	// The root of larger magnitude first, the other from their product: without
	// the difference of nearly equal numbers.
	q := -(c1 + math.Copysign(math.Sqrt(d), c1)) / 2
	var roots []float64
	if c2 != 0 {
		roots = append(roots, q/c2)
	}
	if q != 0 {
		roots = append(roots, c0/q)
	}
	if len(roots) == 2 && roots[0] < roots[1] {
		roots[0], roots[1] = roots[1], roots[0]
	}
	return roots
}
