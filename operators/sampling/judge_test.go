package sampling

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// damped is the map of f computed poorly, and what is known of n random positions.
func damped(g Grid, f []float64, n int, seed uint64) Approximation {
	random := rand.New(rand.NewPCG(seed, 11))
	a := Approximation{Grid: g, Seed: seed}
	for _, v := range seeming(f, 0.75, 0.05, seed) {
		a.P = append(a.P, Logit.at(v))
	}
	for _, p := range random.Perm(len(f))[:n] {
		a.Checked, a.Values = append(a.Checked, p), append(a.Values, Logit.at(f[p]))
	}
	return a
}

// Figures are about those against the exact map, and what is promised is kept.
func TestJudge(t *testing.T) {
	g := grid(40, 40)
	promised, kept, better := 0, 0, 0
	for seed := range uint64(30) {
		f := smooth(g, seed)
		if seed%2 == 1 {
			f = rough(g, seed)
		}
		a := damped(g, f, 64, seed)
		c, err := Judge(a)
		if err != nil {
			t.Fatal(err)
		}
		q, before := figures(t, g, c, f), figures(t, g, Class{P: a.P}, f)
		if math.Abs(c.SSIM-q.SSIM) > 0.1 || math.Abs(c.Pearson-q.Pearson) > 0.1 || math.Abs(c.NRMSE-q.NRMSE) > 0.05 {
			t.Errorf("seed %d: SSIM %.3f, Pearson %.3f, NRMSE %.3f, and truly %.3f, %.3f, %.3f",
				seed, c.SSIM, c.Pearson, c.NRMSE, q.SSIM, q.Pearson, q.NRMSE)
		}
		if c.SSIMLower >= 0.8 {
			promised++
			if q.SSIM >= 0.8 {
				kept++
			}
		}
		if q.NRMSE < before.NRMSE {
			better++
		}
	}
	if promised < 10 || kept < promised {
		t.Errorf("an SSIM of 0.8 was promised of %d maps and kept of %d", promised, kept)
	}
	if better < 25 {
		t.Errorf("checks make %d of 30 maps better", better)
	}
}

// Positions known exactly keep their values and have no variance, and checks of a
// perfect map find nothing.
func TestJudgeExact(t *testing.T) {
	g := grid(30, 20)
	f := smooth(g, 1)
	a := damped(g, f, 40, 1)
	a.Exact = make([]bool, len(f))
	for i := range 100 {
		a.Exact[i], a.P[i] = true, Logit.at(f[i])
	}
	c, err := Judge(a)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100 {
		if c.P[i] != a.P[i] || c.Variance[i] != 0 {
			t.Fatalf("position %d, known as %g, is %g ± %g", i, a.P[i], c.P[i], c.Variance[i])
		}
	}
	for i, v := range f {
		a.P[i] = Logit.at(v)
	}
	if c, err = Judge(a); err != nil || c.SSIMLower < 1-1e-6 || c.Pearson < 1-1e-6 || c.NRMSE > 1e-6 {
		t.Errorf("of a perfect map: SSIM from %g, Pearson %g, NRMSE %g, %v", c.SSIMLower, c.Pearson, c.NRMSE, err)
	}
}

func TestJudgeRefuses(t *testing.T) {
	g := grid(4, 4)
	p := make([]float64, 16)
	nine := []int{0, 1, 2, 3, 4, 5, 6, 7, 8}
	for _, c := range []struct {
		a       Approximation
		message string
	}{
		{Approximation{}, "without positions"},
		{Approximation{Grid: g, P: p[:3]}, "map of 3"},
		{Approximation{Grid: g, P: p, Checked: nine, Values: p[:8]}, "with 8 values"},
		{Approximation{Grid: g, P: p, Checked: nine[:7], Values: p[:7]}, "7 checks are too few"},
		{Approximation{Grid: g, P: p, Checked: []int{0, 1, 2, 3, 4, 5, 6, 16}, Values: p[:8]}, "position 16"},
		{Approximation{Grid: g, P: p, Checked: nine[:8], Values: []float64{0, 0, 0, 0, 0, 0, 0, math.NaN()}}, "no value"},
	} {
		if _, err := Judge(c.a); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("got %v, want an error about %q", err, c.message)
		}
	}
}
