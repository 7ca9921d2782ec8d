package planner_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/lang"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
	"occlude/planner/cost"
)

// query binds one OCCLUDE after some settings.
func (w *world) query(t *testing.T, text string) *planner.Occlude {
	t.Helper()
	script, diagnostics := lang.Parse("test", text)
	if err := diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	var last planner.Plan
	for _, s := range script.Statements {
		p, err := w.planner.Plan(t.Context(), s)
		if err != nil {
			t.Fatalf("%s\n%v", s, err)
		}
		if _, err := w.apply(p); err != nil {
			t.Fatal(err)
		}
		last = p
	}
	return last.(*planner.Occlude)
}

// byName counts the layers that each algorithm computes.
func byName(algorithms []operators.Algorithm) string {
	var parts []string
	for _, a := range operators.AllAlgorithms() {
		n := 0
		for _, b := range algorithms {
			if a == b {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, a))
		}
	}
	return strings.Join(parts, ", ")
}

// deepQuery is a query on a model of six convolutions of 3x3 and one of 5x5.
const deepQuery = "OCCLUDE 'scan.png' USING deep PATCH 8 STRIDE 8"

func newDeepWorld(t *testing.T) *world {
	t.Helper()
	folder(t)
	w := newWorld(t)
	w.query(t, "CREATE MODEL deep FROM 'deep.onnx'; "+deepQuery+";")
	return w
}

// Without a goal that stands in the way each layer is computed by what is the
// fastest for it, unless a rougher algorithm gains too little, in each plan by
// itself; that the plan's batch is not the one for which they are compared makes
// little difference.
func TestFastestIsChosen(t *testing.T) {
	w := newDeepWorld(t)
	free := w.query(t, deepQuery+" WITH (tolerance = 1);")
	gains := 0
	for _, a := range operators.AllAlgorithms() {
		forced := w.query(t, deepQuery+" WITH (convolution = '"+string(a)+"');")
		for i, c := range free.Candidates {
			if forced.Candidates[i].Name != c.Name {
				t.Fatal("the plans changed places: choose another query")
			}
			for j, l := range c.Layers {
				other := forced.Candidates[i].Layers[j]
				const worthwhile = 0.86 // what a rougher algorithm may take of the other's seconds, and be preferred
				if worthwhile*l.Seconds > 1.1*other.Seconds {
					t.Errorf("the %s plan computes layer %d by %s in %g s, %s would take %g", c.Name, j, c.Algorithms[j], l.Seconds, a, other.Seconds)
				}
				if l.Seconds < other.Seconds {
					gains++
				}
			}
		}
	}
	if gains == 0 {
		t.Error("all algorithms are equally fast")
	}
}

// The tighter the goal, the slower and the more exact the plan.
func TestToleranceDecides(t *testing.T) {
	w := newDeepWorld(t)
	estimate := func(tolerance float64) planner.Estimate {
		c := w.query(t, fmt.Sprintf("%s WITH (tolerance = %.9f);", deepQuery, tolerance)).Chosen()
		if c.Estimate.Error > tolerance {
			t.Errorf("tolerance %g: an error of %g is expected", tolerance, c.Estimate.Error)
		}
		return c.Estimate
	}
	last := estimate(1)
	changes := 0
	for tolerance := 2e-5; tolerance > 2.3e-6; tolerance *= .9 {
		e := estimate(tolerance)
		if e.Seconds < last.Seconds || e.Error > last.Error {
			t.Errorf("tolerance %g: %g s, error %g; before %g s, error %g", tolerance, e.Seconds, e.Error, last.Seconds, last.Error)
		}
		if e.Error < last.Error {
			changes++
		}
		last = e
	}
	if changes < 5 {
		t.Errorf("the plan changed %d times", changes)
	}
	for i, a := range w.query(t, deepQuery+" WITH (tolerance = 2.3e-6);").Chosen().Algorithms {
		if a != "" && a != operators.Direct && a != operators.Winograd2 {
			t.Errorf("layer %d is computed by %s", i, a)
		}
	}
}

// Forced words are obeyed where they apply.
func TestForcedConvolution(t *testing.T) {
	w := newDeepWorld(t)
	for _, c := range []struct{ word, want string }{
		{"direct", "7 direct"}, {"DIRECT", "7 direct"},
		{"'F(2x2)'", "7 F(2x2)"}, {"'f(4x4)'", "7 F(4x4)"},
		{"'F(6x6)'", "1 direct, 6 F(6x6)"}, {"'F(4)'", "7 direct"},
	} {
		p := w.query(t, deepQuery+" WITH (convolution = "+c.word+");")
		for _, candidate := range p.Candidates {
			if got := byName(candidate.Algorithms); got != c.want {
				t.Errorf("%s: the %s plan has %s, want %s", c.word, candidate.Name, got, c.want)
			}
		}
	}
}

// What changes the speed of a plan but not its result must not change how its
// convolutions are computed.
func TestThreadsAndBatchDoNotDecide(t *testing.T) {
	w := newDeepWorld(t)
	for _, tolerance := range []string{"1e-4", "9.5e-6", "6e-6"} {
		want := map[string][]operators.Algorithm{}
		for _, threads := range []string{"1", "2", "64"} {
			for _, batch := range []string{"", ", batch = 1", ", batch = 7", ", batch = 1000"} {
				for _, memory := range []string{"auto", "'4GB'"} {
					p := w.query(t, fmt.Sprintf("SET threads = %s; SET memory_limit = %s; %s WITH (tolerance = %s%s);",
						threads, memory, deepQuery, tolerance, batch))
					for _, c := range p.Candidates {
						if want[c.Name] == nil {
							want[c.Name] = c.Algorithms
						}
						if !slices.Equal(want[c.Name], c.Algorithms) {
							t.Errorf("tolerance %s, %s threads%s, memory %s: the %s plan has %s instead of %s", tolerance, threads, batch, memory,
								c.Name, byName(c.Algorithms), byName(want[c.Name]))
						}
					}
				}
			}
		}
	}
}

// PREDICT and full inference of the same model compute it in the same way.
func TestPredictIsFullInference(t *testing.T) {
	w := newDeepWorld(t)
	full := w.query(t, deepQuery+" WITH (plan = full);")
	script, _ := lang.Parse("test", "PREDICT 'scan.png' USING deep;")
	p, err := w.planner.Plan(t.Context(), script.Statements[0])
	if err != nil {
		t.Fatal(err)
	}
	predict := p.(*planner.Predict)
	if !slices.Equal(predict.Algorithms, full.Chosen().Algorithms) || predict.Kernels != full.Kernels {
		t.Errorf("PREDICT computes %s with %s, OCCLUDE %s with %s", byName(predict.Algorithms), predict.Kernels,
			byName(full.Chosen().Algorithms), full.Kernels)
	}
}

// The order is a permutation in which positions of equal shapes stand together,
// in the order of the grid.
func TestOrder(t *testing.T) {
	folder(t)
	w := newWorld(t)
	w.query(t, "CREATE MODEL big FROM 'wide.onnx'; OCCLUDE 'scan.png' USING big;")
	for _, clauses := range []string{
		"PATCH 5 STRIDE 3", "PATCH 16x9 STRIDE 4x7", "PATCH 8 STRIDE 4 WHERE (x + y) % 3 = 0", "AT (0, 0), (40, 40), (0, 0), (41, 41), (80, 0), (42, 42)",
		"PATCH 5 STRIDE 3 WITH (plan = full)",
	} {
		p := w.query(t, "OCCLUDE 'scan.png' USING big "+clauses+";")
		c := p.Chosen()
		seen := make([]bool, len(p.Grid.Positions))
		done := map[string]bool{}
		last, lastAt := "", int32(-1)
		for _, i := range c.Order {
			if seen[i] {
				t.Fatalf("%s: position %d comes twice", clauses, i)
			}
			seen[i] = true
			rects, _ := c.Rects.At(p.Net, p.Grid.Rect(p.Grid.Positions[i]), nil)
			shape := shapeOf(rects)
			switch {
			case shape != last && done[shape]:
				t.Errorf("%s: position %d stands apart from those like it", clauses, i)
			case shape == last && i < lastAt:
				t.Errorf("%s: position %d comes after %d", clauses, i, lastAt)
			}
			done[shape], last, lastAt = true, shape, i
		}
		if len(c.Order) != len(seen) {
			t.Errorf("%s: %d of %d positions", clauses, len(c.Order), len(seen))
		}
		if c.Name == planner.PlanIncremental && len(seen) > 100 && len(done) > len(seen)/2 {
			t.Errorf("%s: %d shapes of %d positions", clauses, len(done), len(seen))
		}
	}
}

// PROGRESSIVE goes through the levels, and in each of them positions of equal shapes
// stand together all the same. A list keeps its order.
func TestOrderOfLevels(t *testing.T) {
	folder(t)
	w := newWorld(t)
	w.query(t, "CREATE MODEL big FROM 'wide.onnx'; OCCLUDE 'scan.png' USING big;")
	for _, clauses := range []string{
		"PATCH 5 STRIDE 3", "PATCH 16x9 STRIDE 4x7", "PATCH 8 STRIDE 4 WHERE (x + y) % 3 = 0", "PATCH 5 STRIDE 3 WITH (plan = full)",
		"PATCH 5 STRIDE 3 WITH (tau = 0.5)", "PATCH 5 STRIDE 2 WITH (drill_down = 0.2, speedup = 3)", "PATCH 5 STRIDE 3 SSIM >= 0.9 WITH (plan = 'approximate')",
	} {
		p := w.query(t, "OCCLUDE 'scan.png' USING big PROGRESSIVE "+clauses+";")
		c := p.Chosen()
		if p.Progressive != planner.ByClause || c.Levels == nil {
			t.Fatalf("%s: in the order of the %q", clauses, p.Progressive)
		}
		sorted := slices.Clone(c.Order)
		if c.Levels.Sort(sorted); !slices.Equal(sorted, c.Order) {
			t.Errorf("%s: a position comes before those of a coarser level", clauses)
		}
		sizes := c.Levels.Sizes()
		if sizes[0] < 16 || len(sizes) < 2 {
			t.Errorf("%s: levels of %d", clauses, sizes)
		}
		rest := c.Order
		for level, n := range sizes {
			done, last := map[string]bool{}, ""
			for _, i := range rest[:n] {
				rects, _ := c.Rects.At(p.Net, p.Grid.Rect(p.Grid.Positions[i]), nil)
				shape := shapeOf(rects)
				if shape != last && done[shape] {
					t.Fatalf("%s: position %d of level %d stands apart from those like it", clauses, i, level)
				}
				done[shape], last = true, shape
			}
			rest = rest[n:]
		}
	}
	const list = "AT (40, 40), (0, 0), (41, 41)"
	plain, p := w.query(t, "OCCLUDE 'scan.png' USING big "+list+";"), w.query(t, "OCCLUDE 'scan.png' USING big PROGRESSIVE "+list+";")
	if p.Progressive != "" || !slices.Equal(p.Chosen().Order, plain.Chosen().Order) {
		t.Errorf("the order of a list is %d because of %q", p.Chosen().Order, p.Progressive)
	}
	if p := w.query(t, "SET progressive = on; OCCLUDE 'scan.png' USING big PATCH 8;"); p.Progressive != planner.BySetting {
		t.Errorf("in the order of the %q", p.Progressive)
	}
}

func shapeOf(rects []region.Rect) string {
	var b strings.Builder
	for _, r := range rects {
		fmt.Fprintf(&b, "%dx%d ", r.W(), r.H())
	}
	return b.String()
}

// Threads beyond the cores save no time.
func TestCoresBoundTheSpeed(t *testing.T) {
	folder(t)
	w := newWorld(t)
	seconds := func(threads, cores int) float64 {
		w.env.Cores = cores
		w.planner = planner.New(w.env)
		e := w.query(t, fmt.Sprintf("SET threads = %d; OCCLUDE 'scan.png' USING big PATCH 8 STRIDE 8 WITH (batch = 4);", threads)).Chosen().Estimate
		return e.Seconds - e.WriteSeconds
	}
	w.query(t, "CREATE MODEL big FROM 'wide.onnx'; OCCLUDE 'scan.png' USING big;")
	one := seconds(1, 2)
	for _, c := range []struct {
		threads, cores int
		want           float64
	}{{1, 1, one}, {2, 1, one}, {2, 2, one / 2}, {8, 2, one / 2}, {8, 0, one / 8}} {
		if got := seconds(c.threads, c.cores); math.Abs(got-c.want) > .05*c.want {
			t.Errorf("%d threads on %d cores: %g s, want %g", c.threads, c.cores, got, c.want)
		}
	}
}

// A batch is large enough that reading its weights takes a quarter of its time,
// and small enough that it takes about a second.
func TestBatch(t *testing.T) {
	folder(t)
	w := newWorld(t)
	net := network.New("in", network.Shape{H: 32, W: 32, C: 3})
	for _, op := range []network.Op{network.Flatten{}, network.Dense{Weights: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(100, 3072))}} {
		if _, err := net.Add("", op, net.Output); err != nil {
			t.Fatal(err)
		}
	}
	w.models["vector"] = &model.Model{Name: "vector", Net: net, Spec: imageio.DefaultSpec(32, 32), Classes: 100}
	for _, c := range []struct {
		macs, weights float64 // a second
		want          int
	}{
		// A position takes 0.3 ms, reading the weights 0.1 ms, 6 ms and 12 ms.
		{1e9, 1e10, 64}, {1e9, 2e8, 80}, {1e9, 1e8, 128},
		// A position takes 0.1 s, 3 s.
		{3.072e6, 1e10, 9}, {1e5, 1e10, 1},
	} {
		rates, err := w.env.Profile.For("generic")
		if err != nil {
			t.Fatal(err)
		}
		rates.MACs[cost.Dense], rates.Weights = c.macs, c.weights
		if got := w.query(t, "SET threads = 1; OCCLUDE 'scan.png' USING vector PATCH 8 STRIDE 1;").Chosen().Batch; got != c.want {
			t.Errorf("%g multiply-adds and %g bytes of weights a second: batches of %d, want %d", c.macs, c.weights, got, c.want)
		}
	}
}
