package curve

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// TestLowestTau compares with the definition, on a fine mesh, for parabolas of
// every kind and targets above, below and on them.
func TestLowestTau(t *testing.T) {
	const mesh = 6000 // steps from MinTau to 1
	definition := func(c *Curve, target float64) float64 {
		lowest := 1.0
		for i := range mesh + 1 {
			tau := 1 - (1-MinTau)*float64(i)/mesh
			if c.At(tau) < target {
				break
			}
			lowest = tau
		}
		return lowest
	}
	rng := rand.New(rand.NewPCG(1, 2))
	kinds := map[string]int{}
	for range 20000 {
		c := Curve{Fit: [3]float64{rng.NormFloat64(), 3 * rng.NormFloat64(), 3 * rng.NormFloat64()}}
		switch rng.IntN(6) {
		case 0:
			c.Fit[2] = 0
		case 1:
			c.Fit[1], c.Fit[2] = 0, 0
		case 2: // apex inside
			c.Fit[1] = -2 * c.Fit[2] * (MinTau + (1-MinTau)*rng.Float64())
		}
		target := c.At(0.2 + rng.Float64())
		got, want := c.LowestTau(target), definition(&c, target)
		if math.Abs(got-want) > 2*(1-MinTau)/mesh {
			// On the target itself rounding decides: a hair less must agree.
			if eased := definition(&c, target-1e-12); math.Abs(got-eased) > 2*(1-MinTau)/mesh {
				t.Fatalf("%v at %g gives tau %g, its definition %g", c.Fit, target, got, want)
			}
		}
		switch {
		case got == 1:
			kinds["none"]++
		case got == MinTau:
			kinds["all"]++
		default:
			kinds["between"]++
		}
	}
	for _, k := range []string{"none", "all", "between"} {
		if kinds[k] < 1000 {
			t.Errorf("%s: %d of 20000 cases", k, kinds[k])
		}
	}
}

func TestLowestTauByHand(t *testing.T) {
	// 1 - 4 (tau - .7)^2: rises to .7, then falls to .64.
	hill := Curve{Fit: [3]float64{1 - 4*.49, 5.6, -4}}
	// .5 + 4 (tau - .7)^2: falls to .7, then rises to .86.
	valley := Curve{Fit: [3]float64{.5 + 4*.49, -5.6, 4}}
	// 1 - 2 (tau - .8)^2: the same, but 1 is above what is below .6.
	peak := Curve{Fit: [3]float64{1 - 2*.64, 3.2, -2}}
	line := Curve{Fit: [3]float64{.5, .5, 0}}
	flat := Curve{Fit: [3]float64{.9, 0, 0}}
	for _, c := range []struct {
		curve        Curve
		target, want float64
	}{
		{hill, .6, .4}, {hill, .64 - 1e-9, .4}, {hill, .65, 1}, {hill, .9, 1},
		{valley, .8, .7 + math.Sqrt(.075)}, {valley, .86 - 1e-9, 1 - 1e-9/2.4}, {valley, .87, 1}, {valley, .5, .4}, {valley, .4, .4},
		{peak, .9, .8 - math.Sqrt(.05)}, {peak, .92, .8 - .2}, {peak, .92 + 1e-6, 1},
		{line, .9, .8}, {line, .7, .4}, {line, .2, .4}, {line, 1, 1},
		{flat, .9, .4}, {flat, .91, 1},
	} {
		if got := c.curve.LowestTau(c.target); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%v: the lowest tau for %g is %g, want %g", c.curve.Fit, c.target, got, c.want)
		}
	}
}

func TestNew(t *testing.T) {
	var points []Point
	truth := Curve{Fit: [3]float64{.2, 1.5, -.7}}
	for _, tau := range Taus() {
		points = append(points, Point{Tau: tau, Mean: truth.At(tau)})
	}
	c, err := New(Key{Metric: SSIM}, points, Sample{Seed: 3}, time.Unix(0, 0))
	if err != nil || c.Residual > 1e-12 || c.Metric != SSIM || c.Sample.Seed != 3 {
		t.Fatalf("%+v, %v", c, err)
	}
	for i, v := range c.Fit {
		if math.Abs(v-truth.Fit[i]) > 1e-10 {
			t.Errorf("the fit is %v", c.Fit)
		}
	}
	// Nothing close by fits noisy points better.
	rng := rand.New(rand.NewPCG(5, 6))
	for i := range points {
		points[i].Mean += rng.NormFloat64() / 10
	}
	if c, err = New(Key{}, points, Sample{}, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		other, sum := c, 0.0
		for i := range other.Fit {
			other.Fit[i] += rng.NormFloat64() / 100
		}
		for _, p := range points {
			sum += (other.At(p.Tau) - p.Mean) * (other.At(p.Tau) - p.Mean)
		}
		if rms := math.Sqrt(sum / float64(len(points))); rms < c.Residual-1e-12 {
			t.Fatalf("%v leaves %g, the fit %v leaves %g", other.Fit, rms, c.Fit, c.Residual)
		}
	}
	for _, few := range [][]Point{nil, points[:1], points[:2], {points[0], points[1], points[1]}} {
		if c, err := New(Key{}, few, Sample{}, time.Time{}); err == nil {
			t.Errorf("%d points give %v", len(few), c.Fit)
		}
	}
}
