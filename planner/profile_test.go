package planner_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"occlude/lang"
	"occlude/planner"
	"occlude/planner/cost"
)

// uneven makes a world whose profile was measured with the deep model: on all cores
// Winograd's algorithm is ten times slower, and with one thread direct convolutions
// of one layer are.
func uneven(t *testing.T) *world {
	t.Helper()
	w := newDeepWorld(t)
	q := w.query(t, deepQuery+";")
	p := *w.env.Profile
	alone := p.Kernels["generic"]
	busy := *alone
	busy.MACs = map[string]float64{}
	for class, rate := range alone.MACs {
		busy.MACs[class] = rate
	}
	busy.MACs[cost.Product] /= 10
	p.Kind, p.Cores, p.Hash, p.Measured = cost.OfModel, 4, q.Model.Hash, "2026-03-01T12:00:00Z"
	p.Busy = map[string]*cost.Rates{"generic": &busy}
	p.Spread, p.SpreadOther = cost.Spread{Least: 0.9, Most: 1.2}, cost.Spread{Least: 0.5, Most: 2}
	p.Own = &cost.Own{Base: 2, BaseBusy: 3, Layers: []cost.LayerFactors{
		{Index: 1, Layer: q.Net.Layers[1].Name, By: "F(2x2)", Cells: []float64{1}, Alone: []float64{0.01}, Busy: []float64{100}},
	}}
	w.env.Profile, w.env.Cores = &p, 4
	w.env.Now = func() time.Time { return time.Date(2026, 3, 1, 15, 0, 0, 0, time.UTC) }
	w.planner = planner.New(w.env)
	return w
}

// What is computed does not depend on how many threads compute it, whatever is known
// of them; how long that is expected to take does.
func TestThreadsChooseNoAlgorithm(t *testing.T) {
	w := uneven(t)
	one := w.query(t, "SET threads = 1; "+deepQuery+" WITH (plan = 'incremental');")
	four := w.query(t, "SET threads = 4; "+deepQuery+" WITH (plan = 'incremental');")
	if a, b := one.Chosen(), four.Chosen(); !slices.Equal(a.Algorithms, b.Algorithms) {
		t.Errorf("one thread computes by %s, four by %s", byName(a.Algorithms), byName(b.Algorithms))
	}
	if how := one.Chosen().Algorithms[1]; how != "F(2x2)" {
		t.Errorf("what was measured to be the fastest for a layer is not chosen, but %s", how)
	}
	if a, b := one.Chosen().Estimate.Seconds, four.Chosen().Estimate.Seconds; b < a {
		t.Errorf("four threads that hinder each other take %g s, one takes %g", b, a)
	}
}

// An estimate has the range of its profile, and the profile an age.
func TestRange(t *testing.T) {
	w := uneven(t)
	of := func(text string, least, most float64) {
		t.Helper()
		q := w.query(t, text)
		e := q.Chosen().Estimate
		if a, b := e.Least/e.Seconds, e.Most/e.Seconds; a < 0.999*least || a > 1.001*least || b < 0.999*most || b > 1.001*most {
			t.Errorf("%s: %g to %g of %g s", text, e.Least, e.Most, e.Seconds)
		}
		if q.ProfileAge != 3*time.Hour {
			t.Errorf("the profile is %s old", q.ProfileAge)
		}
	}
	of(deepQuery+";", 0.9, 1.2)
	of(deepQuery+" WITH (plan = 'approximate', tau = 0.5);", 0.9, 1.2)
	of("CREATE MODEL m FROM 'small.onnx'; OCCLUDE 'scan.png' USING m;", 0.5, 2)
}

// A profile is measured before the first plan that needs one, and no earlier; what a
// session knows counts more.
func TestMeasure(t *testing.T) {
	w := newDeepWorld(t)
	asked := 0
	quick := *w.env.Profile
	quick.Kind = cost.Quick
	w.env.Measure = func(context.Context, string) *cost.Profile { asked++; return &quick }
	w.planner = planner.New(w.env)
	for text, want := range map[string]int{
		"PREDICT 'scan.png' USING deep;": 0, "SHOW ALL;": 0, "DESCRIBE MODEL deep;": 0, deepQuery + ";": 1, "EXPLAIN " + deepQuery + ";": 1,
	} {
		asked = 0
		script, diagnostics := lang.Parse("test", text)
		if err := diagnostics.Err(); err != nil {
			t.Fatal(err)
		}
		p, err := w.planner.Plan(t.Context(), script.Statements[0])
		if err != nil {
			t.Fatal(err)
		}
		if asked != want {
			t.Errorf("%s measures %d times, want %d", text, asked, want)
		}
		if q, ok := p.(*planner.Occlude); ok && q.Profile.Kind != cost.Quick {
			t.Errorf("%s is planned by the %s profile", text, q.Profile.Kind)
		}
	}
}
