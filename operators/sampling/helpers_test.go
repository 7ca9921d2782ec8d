package sampling

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"occlude/internal/quality"
)

// grid is one of w by h positions, stride 4.
func grid(w, h int) Grid {
	var g Grid
	for i := range w {
		g.X = append(g.X, 4*i)
	}
	for i := range h {
		g.Y = append(g.Y, 4*i)
	}
	return g
}

// smooth is a confident class with a lesion: f falls around one place, and waves
// gently elsewhere.
func smooth(g Grid, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 1))
	cx, cy := float64(g.X[len(g.X)-1])*(0.2+0.6*random.Float64()), float64(g.Y[len(g.Y)-1])*(0.2+0.6*random.Float64())
	phase := 6 * random.Float64()
	var f []float64
	for _, y := range g.Y {
		for _, x := range g.X {
			d2 := square(float64(x)-cx) + square(float64(y)-cy)
			f = append(f, 3-3*math.Exp(-d2/(2*18*18))+0.1*math.Sin(float64(x)/30+phase)*math.Cos(float64(y)/40))
		}
	}
	return f
}

// rough is a map that no neighbour tells anything of.
func rough(g Grid, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 2))
	f := make([]float64, len(g.X)*len(g.Y))
	for i := range f {
		f[i] = 1 + random.NormFloat64()
	}
	return f
}

// at are the values of some positions.
func at(f []float64, positions []int) []float64 {
	return pick(make([]float64, len(positions)), f, positions)
}

func newEstimator(t testing.TB, g Grid, o Options) *Estimator {
	t.Helper()
	e, err := New(g, 16, 16, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func observe(t testing.TB, e *Estimator, positions []int, maps ...[]float64) {
	t.Helper()
	f := make([][]float64, len(maps))
	for k, m := range maps {
		f[k] = at(m, positions)
	}
	if err := e.Observe(positions, f); err != nil {
		t.Fatal(err)
	}
}

func estimate(t testing.TB, e *Estimator) *Result {
	t.Helper()
	r, err := e.Estimate(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// run samples until the estimator has enough, or finds the map rough.
func run(t testing.TB, e *Estimator, maps ...[]float64) *Result {
	t.Helper()
	for {
		next := e.Next(t.Context())
		observe(t, e, next, maps...)
		if r := estimate(t, e); r.Stop || r.Rough {
			return r
		} else if len(next) == 0 {
			t.Fatal("no positions are left, and there is no end")
		}
	}
}

// figures compare a class's map with the exact f.
func figures(t testing.TB, g Grid, c Class, f []float64) quality.Figures {
	t.Helper()
	exact, approximate := quality.Map{W: len(g.X), H: len(g.Y)}, quality.Map{W: len(g.X), H: len(g.Y)}
	for i, v := range f {
		exact.P = append(exact.P, float32(Logit.at(v)))
		approximate.P = append(approximate.P, float32(c.P[i]))
	}
	q, err := quality.Compare(exact, approximate, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q
}
