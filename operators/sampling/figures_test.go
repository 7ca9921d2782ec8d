package sampling

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestMoments(t *testing.T) {
	for _, mean := range []float64{-12, -2, 0, 1, 6, 14} {
		for _, sd := range []float64{0, 0.01, 0.3, 1} {
			// The trapezoidal rule over ten standard deviations.
			var weight, first, second float64
			for i := -4000; i <= 4000; i++ {
				z := float64(i) / 400
				w, d := math.Exp(-z*z/2), Logit.at(mean+sd*z)-Logit.at(mean)
				weight, first, second = weight+w, first+w*d, second+w*d*d
			}
			first, second = first/weight, second/weight
			m, v := Logit.moments(mean, sd)
			slope := Logit.at(mean) * (1 - Logit.at(mean))
			if math.Abs(m-Logit.at(mean)-first) > 1e-3*slope || math.Abs(v-(second-first*first)) > 2e-3*slope*slope {
				t.Errorf("f %g ± %g: %g ± %g, want %g ± %g", mean, sd, m, v, Logit.at(mean)+first, second-first*first)
			}
		}
	}
	if m, v := Identity.moments(3, 2); m != 3 || v != 4 {
		t.Errorf("the identity has moments %g, %g", m, v)
	}
}

// wavy is a class's map of w by h with errors of standard deviation sd in f.
func wavy(w, h int, sd float64) *class {
	c := &class{p: make([]float64, w*h), variance: make([]float64, w*h), mu: make([]float64, w*h), sigma: make([]float64, w*h)}
	for i := range c.p {
		x, y := float64(i%w), float64(i/w)
		c.mu[i] = 1 + math.Sin(x/5)*math.Cos(y/4)
		c.sigma[i] = sd * (1 + x/float64(w))
		c.p[i], c.variance[i] = Logit.moments(c.mu[i], c.sigma[i])
	}
	return c
}

// The figures predicted are the means of those measured over exact maps drawn
// at random around the map.
func TestFiguresOfDrawnMaps(t *testing.T) {
	const w, h, draws = 24, 20, 60
	g := grid(w, h)
	for _, sd := range []float64{0.02, 0.1, 0.3} {
		c := wavy(w, h, sd)
		random := rand.New(rand.NewPCG(1, 1))
		var ssim, pearson, nrmse, top float64
		for range draws {
			f := make([]float64, w*h)
			for i := range f {
				f[i] = c.mu[i] + c.sigma[i]*random.NormFloat64()
			}
			q := figures(t, g, Class{P: c.p}, f)
			ssim += q.SSIM / draws
			pearson += q.Pearson / draws
			nrmse += q.NRMSE * q.Range / draws
			top += q.Top10Overlap / draws
		}
		s := newWindows(w, h, c.p, c.variance)
		lo, hi := extremes(c.p)
		p, n := c.agreement(1)
		overlap, _ := c.overlap()
		for _, v := range []struct {
			name            string
			predicted, real float64
			within          float64
		}{
			{"ssim", s.similarity(1), ssim, 0.02},
			{"pearson", p, pearson, 0.01},
			{"nrmse", n * (hi - lo), nrmse, 0.02 * nrmse},
			{"top10_overlap", overlap, top, 0.03},
		} {
			if math.Abs(v.predicted-v.real) > v.within {
				t.Errorf("errors of %g: %s is predicted as %.3f and is %.3f", sd, v.name, v.predicted, v.real)
			}
		}
	}
}

func TestSensitivity(t *testing.T) {
	const w, h = 13, 9
	c := wavy(w, h, 0.1)
	for _, i := range []int{2, 20, 40} {
		c.p[i] = math.NaN() // a hole
	}
	s := newWindows(w, h, c.p, c.variance)
	falls := s.sensitivity()
	for i := range c.p {
		if math.IsNaN(c.p[i]) {
			continue
		}
		const step = 1e-7
		more := slices.Clone(c.variance)
		more[i] += step
		// The window's mean, which the common share moves, is left aside.
		want := (s.contrast() - newWindows(w, h, c.p, more).contrast()) / step
		if math.Abs(falls[i]-want) > 1e-4*want+1e-9 {
			t.Errorf("position %d: %g, want %g", i, falls[i], want)
		}
	}
}

// contrast is the similarity without its first factor.
func (s *windows) contrast() float64 {
	var sum float64
	for _, m := range s.list {
		sum += m.n * (2*m.spread + s.c2) / (2*m.spread + m.errors + s.c2)
	}
	return sum / s.positions
}

func TestTolerance(t *testing.T) {
	c := wavy(20, 20, 0.3)
	s := newWindows(20, 20, c.p, c.variance)
	if x := s.tolerance(0.95, 0.001, 100); math.Abs(s.similarity(x)-0.95) > 1e-4 {
		t.Errorf("at a scale of %g the similarity is %g, want 0.95", x, s.similarity(x))
	}
	if x := s.tolerance(0.1, 0.01, 1); x != 1 {
		t.Errorf("%g is borne of 1", x)
	}
}

func TestRatio(t *testing.T) {
	random := func() *rand.Rand { return rand.New(rand.NewPCG(4, 4)) }
	if point, upper := ratio(nil, random()); point != 1 || upper != unverified {
		t.Errorf("without checks: %g, %g", point, upper)
	}
	if point, upper := ratio([]check{{predicted: 1}, {predicted: 2}}, random()); point != leastPoint || upper != leastUpper {
		t.Errorf("without errors: %g, %g", point, upper)
	}
	if point, upper := ratio([]check{{}, {}}, random()); point != 1 || upper != 1 {
		t.Errorf("where nothing can be felt: %g, %g", point, upper)
	}
	// Squares of normal errors with three times the variance predicted.
	r := random()
	covered := 0
	for range 100 {
		var list []check
		for range 40 {
			list = append(list, check{observed: 3 * square(r.NormFloat64()), predicted: 1})
		}
		if _, upper := ratio(list, r); upper >= 3 {
			covered++
		}
	}
	if covered < 78 || covered > 98 {
		t.Errorf("the upper ratio covers the true one in %d of 100 cases, want about 90", covered)
	}
}
