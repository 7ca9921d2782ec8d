package planner_test

import (
	"math"
	"slices"
	"testing"

	"occlude/internal/network"
	"occlude/lang"
	"occlude/operators"
	"occlude/planner"
)

// leftovers are views that queries before have left, by image.
type leftovers map[string][]planner.Views

func (l leftovers) Views(_ *network.Network, kernels, image string) []planner.Views {
	if kernels != "generic" {
		return nil
	}
	return slices.Clone(l[image])
}

// newKeepingWorld has a model of several convolutions and a cache to fill.
func newKeepingWorld(t *testing.T) (*world, leftovers) {
	w := newDeepWorld(t)
	kept := leftovers{}
	w.env.Cache = kept
	w.planner = planner.New(w.env)
	return w, kept
}

// by is how a query is computed when all its convolutions are to be computed by one
// algorithm.
func (w *world) by(t *testing.T, query string, a operators.Algorithm) *planner.Candidate {
	t.Helper()
	cache := w.env.Cache
	w.env.Cache = nil
	alone := &world{models: w.models, settings: w.settings, env: w.env, planner: planner.New(w.env)}
	w.env.Cache = cache
	return alone.query(t, query+" WITH (plan = 'incremental', convolution = '"+string(a)+"');").Chosen()
}

// Views made by the algorithms that a plan would choose itself take its place, and
// nothing of it changes but that there is no base pass.
func TestOwnViewsAreTaken(t *testing.T) {
	w, kept := newKeepingWorld(t)
	for _, query := range []string{
		deepQuery, deepQuery + " WITH (plan = 'full')", deepQuery + " WITH (tau = 0.5)", "OCCLUDE 'scan.png' USING deep PATCH 8 STRIDE 2 WITH (drill_down = 0.3)",
		"OCCLUDE 'scan.png' USING deep PATCH 8 STRIDE 1 SSIM >= 0.8 WITH (sketches = 'on')", "OCCLUDE 'scan.png' USING deep PATCH 8 AT (0, 0)",
	} {
		delete(kept, "scan.png")
		own := w.query(t, query+";")
		kept["scan.png"] = []planner.Views{{Algorithms: own.Chosen().Algorithms, Bytes: 1234}}
		p := w.query(t, query+";")
		if !own.Keeps || own.Chosen().Views != nil || p.Chosen().Views == nil || p.Chosen().Views.Bytes != 1234 {
			t.Fatalf("%s: without kept views %+v, with them %+v", query, own.Chosen().Views, p.Chosen().Views)
		}
		if !p.Choice().Same(own.Choice()) {
			t.Errorf("%s: another choice:\n%v\n%v", query, p.Choice(), own.Choice())
		}
		a, b := own.Chosen().Estimate, p.Chosen().Estimate
		if b.BaseSeconds != 0 || b.BaseMACs != 0 || a.BaseMACs == 0 || b.MACs != a.MACs-a.BaseMACs || b.BackwardMACs != a.BackwardMACs {
			t.Errorf("%s: %+v over kept views, %+v with a base pass", query, b, a)
		}
		if d := a.Seconds - a.BaseSeconds - b.Seconds; !(math.Abs(d) <= .05*a.Seconds) {
			t.Errorf("%s: %g s over kept views, %g of %g s for the base pass", query, b.Seconds, a.BaseSeconds, a.Seconds)
		}
		if a.ViewBytes != b.ViewBytes || b.PeakBytes > a.PeakBytes {
			t.Errorf("%s: views of %d and %d bytes; %d over kept views, %d at most else", query, b.ViewBytes, a.ViewBytes, b.PeakBytes, a.PeakBytes)
		}
	}
}

// Views made by other algorithms are taken where that costs less than a base pass and the
// query's own choice.
func TestOtherViewsAreTakenByCost(t *testing.T) {
	w, kept := newKeepingWorld(t)
	taken := map[bool]int{}
	for _, a := range operators.AllAlgorithms() {
		for _, clauses := range []string{"AT (0, 0)", "STRIDE 16", "STRIDE 8", "STRIDE 4", "STRIDE 2"} {
			query := "OCCLUDE 'scan.png' USING deep PATCH 8 " + clauses
			delete(kept, "scan.png")
			own := w.query(t, query+" WITH (plan = 'incremental');").Chosen()
			forced := w.by(t, query, a)
			kept["scan.png"] = []planner.Views{{Algorithms: forced.Algorithms}}
			c := w.query(t, query+" WITH (plan = 'incremental');").Chosen()
			less := forced.Estimate.Seconds - forced.Estimate.BaseSeconds
			if math.Abs(less-own.Estimate.Seconds) < .02*less {
				continue // as near as makes no difference
			}
			if want := less < own.Estimate.Seconds; (c.Views != nil) != want {
				t.Errorf("%s, views by %s: taken %v; %g s over them, %g with a base pass", clauses, byName(forced.Algorithms), !want, less, own.Estimate.Seconds)
			}
			if taken[c.Views != nil]++; c.Views != nil && !slices.Equal(c.Algorithms, forced.Algorithms) {
				t.Errorf("%s: views by %s, updates by %s", clauses, byName(forced.Algorithms), byName(c.Algorithms))
			}
		}
	}
	if taken[true] == 0 || taken[false] == 0 {
		t.Errorf("taken %v", taken)
	}
	// Of several the cheapest.
	query := "OCCLUDE 'scan.png' USING deep PATCH 8 AT (0, 0)"
	direct, tiled := w.by(t, query, operators.Direct), w.by(t, query, operators.Winograd2)
	kept["scan.png"] = []planner.Views{{Algorithms: direct.Algorithms}, {Algorithms: tiled.Algorithms}}
	want := direct
	if tiled.Estimate.Seconds-tiled.Estimate.BaseSeconds < direct.Estimate.Seconds-direct.Estimate.BaseSeconds {
		want = tiled
	}
	if c := w.query(t, query+" WITH (plan = 'incremental');").Chosen(); !slices.Equal(c.Algorithms, want.Algorithms) {
		t.Errorf("%s, and %s is cheaper", byName(c.Algorithms), byName(want.Algorithms))
	}
}

// What hints and settings say of algorithms holds for views, too, and some queries go by
// none.
func TestViewsThatAreNotTaken(t *testing.T) {
	w, kept := newKeepingWorld(t)
	const few = "OCCLUDE 'scan.png' USING deep PATCH 8 AT (0, 0)"
	rough := w.by(t, few, operators.Winograd6)
	kept["scan.png"] = []planner.Views{{Algorithms: rough.Algorithms}}
	for _, c := range []struct {
		query string
		want  bool
	}{
		{few + " WITH (tolerance = 1);", true},
		{few + " WITH (tolerance = 3e-6);", false},
		{few + " WITH (convolution = 'direct');", false},
		{few + " WITH (convolution = 'F(6x6)');", true},
		{"SET enable_winograd_6 = off; " + few + " WITH (tolerance = 1);", false},
		{"RESET ALL; SET view_cache = off; " + few + " WITH (tolerance = 1);", false},
		{"RESET ALL; " + few + " WITH (tolerance = 1);", true},
		{"OCCLUDE 'scan.png' USING deep PATCH 8 AT (0, 0) INTO TABLE new WITH (tolerance = 1);", false},
		{"OCCLUDE '*.png' USING deep PATCH 8 AT (0, 0) WITH (tolerance = 1);", false}, // of the others there are none
	} {
		if p := w.query(t, c.query); (p.Chosen().Views != nil) != c.want {
			t.Errorf("%s: taken %v", c.query, !c.want)
		}
	}
	if rough.Estimate.Error <= 3e-6 {
		t.Errorf("an error of %g is within the tolerance", rough.Estimate.Error)
	}
	inner := func(text string) *planner.Occlude {
		t.Helper()
		script, diagnostics := lang.Parse("test", text)
		if err := diagnostics.Err(); err != nil {
			t.Fatal(err)
		}
		p, err := w.planner.Plan(t.Context(), script.Statements[0])
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		switch p := p.(type) {
		case *planner.Explain:
			return p.Query
		case *planner.Copy:
			return p.Query.(*planner.Occlude)
		case *planner.Benchmark:
			return p.Query
		case *planner.Compare:
			return p.Second
		case *planner.Evaluate:
			return p.Query
		}
		t.Fatalf("%s: a %T", text, p)
		return nil
	}
	const query = few + " WITH (tolerance = 1)"
	for text, want := range map[string]bool{
		"EXPLAIN " + query: true, "COPY (" + query + ") TO 'x.csv'": true, "BENCHMARK " + query: false,
		"COMPARE (" + query + ") WITH (" + query + ")": false, "EVALUATE (" + query + ") USING deletion": false,
	} {
		if p := inner(text + ";"); p.Keeps != want || (p.Chosen().Views != nil) != want {
			t.Errorf("%s: keeps %v, goes by kept views %v", text, p.Keeps, p.Chosen().Views != nil)
		}
	}
}
