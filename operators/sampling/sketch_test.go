package sampling

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// sketch tells what f seems to be at the stage's positions that want it.
func sketch(t testing.TB, e *Estimator, seems []float64) {
	t.Helper()
	if at := e.Sketches(); len(at) > 0 {
		if err := e.Sketch(at, [][]float64{pick(make([]float64, len(at)), seems, at)}); err != nil {
			t.Fatal(err)
		}
	}
}

// runSketched samples until there is enough, or the map is found rough.
func runSketched(t testing.TB, e *Estimator, f, seems []float64) *Result {
	t.Helper()
	for {
		next := e.Next(t.Context())
		sketch(t, e, seems)
		observe(t, e, next, f)
		if r := estimate(t, e); r.Stop || r.Rough {
			return r
		} else if len(next) == 0 {
			t.Fatal("no positions are left, and there is no end")
		}
	}
}

// seeming is f as a poor computation has it: damped around 3, and off by some noise.
func seeming(f []float64, damped, noise float64, seed uint64) []float64 {
	random := rand.New(rand.NewPCG(seed, 9))
	list := make([]float64, len(f))
	for i, v := range f {
		list[i] = 3 + damped*(v-3) + noise*random.NormFloat64()
	}
	return list
}

// Sketches take the place of most exact positions, and the promise is kept.
func TestSketchesOfSmoothMaps(t *testing.T) {
	g := grid(53, 53)
	var exact, without []int
	for seed := range uint64(8) {
		f := smooth(g, seed)
		o := Options{SSIM: 0.9, Seed: seed, Threads: 2}
		without = append(without, run(t, newEstimator(t, g, o), f).Samples)
		o.SketchCost = 0.2
		r := runSketched(t, newEstimator(t, g, o), f, seeming(f, 0.7, 0.02, seed))
		if q := figures(t, g, r.Classes[0], f); !r.Stop || q.SSIM < 0.9 || q.Pearson < 0.8 {
			t.Errorf("map %d: stop %v, SSIM %.3f, Pearson %.3f", seed, r.Stop, q.SSIM, q.Pearson)
		}
		if r.Sketches < r.Samples || r.Rho > 0.3 {
			t.Errorf("map %d: %d sketches for %d samples, rho %.3g", seed, r.Sketches, r.Samples, r.Rho)
		}
		exact = append(exact, r.Samples)
	}
	slices.Sort(exact)
	slices.Sort(without)
	if 3*exact[4] > 2*without[4] {
		t.Errorf("%d exact positions with sketches in the median, %d without", exact[4], without[4])
	}
}

// Sketches that tell nothing are given up, and do no harm.
func TestUselessSketches(t *testing.T) {
	g := grid(53, 53)
	for seed := range uint64(4) {
		f := smooth(g, seed)
		noise := seeming(f, 0, 2, seed)
		r := runSketched(t, newEstimator(t, g, Options{SSIM: 0.9, Seed: seed, Threads: 2, SketchCost: 0.3}), f, noise)
		if q := figures(t, g, r.Classes[0], f); q.SSIM < 0.9 || !r.Stop || 2*r.Sketches > 3*r.Samples || r.Rho < 1 {
			t.Errorf("map %d: SSIM %.3f from %d samples and %d sketches, rho %.3g", seed, q.SSIM, r.Samples, r.Sketches, r.Rho)
		}
	}
}

// Of a rough map everything is sketched where that takes less than to sample it.
func TestSketchesOfRoughMaps(t *testing.T) {
	g := grid(45, 45)
	for seed := range uint64(3) {
		f := rough(g, seed)
		o := Options{SSIM: 0.9, Seed: seed, Threads: 2, SketchCost: 0.2, WholeCost: 0.2}
		r := runSketched(t, newEstimator(t, g, o), f, seeming(f, 0.6, 0.03, seed))
		q := figures(t, g, r.Classes[0], f)
		if !r.Stop || r.Whole != r.Wanted || r.Samples > r.Wanted/4 || q.SSIM < 0.9 {
			t.Errorf("map %d: stop %v after %d samples and %d sketches of %d, SSIM %.3f", seed, r.Stop, r.Samples, r.Sketches, r.Wanted, q.SSIM)
		}
		if s := r.Classes[0].Slope; math.Abs(s-1/0.6) > 0.1 {
			t.Errorf("map %d: slope %.2f", seed, s)
		}
		// Neither pays if sketches are as dear as positions.
		o.SketchCost, o.WholeCost = 0.9, 0.9
		if r := runSketched(t, newEstimator(t, g, o), f, seeming(f, 0.6, 0.03, seed)); !r.Rough {
			t.Errorf("map %d: not rough at %d samples and %d sketches", seed, r.Samples, r.Sketches)
		}
	}
}

// With sketches, too, the seed decides and the number of threads does not, and
// positions that were only sketched are not certain.
func TestSketchesDeterministic(t *testing.T) {
	g := grid(40, 30)
	f := smooth(g, 3)
	var maps [][]float64
	for _, threads := range []int{1, 3} {
		e := newEstimator(t, g, Options{SSIM: 0.95, Threads: threads, SketchCost: 0.1})
		r := runSketched(t, e, f, seeming(f, 0.8, 0.1, 1))
		maps = append(maps, r.Classes[0].P)
		for p, s := range e.done {
			if c := r.Classes[0]; s != (c.Variance[p] == 0) || s && c.P[p] != Logit.at(f[p]) {
				t.Fatalf("position %d, observed %v, has the value %g ± %g", p, s, c.P[p], c.Variance[p])
			}
		}
	}
	if !slices.Equal(maps[0], maps[1]) {
		t.Error("1 thread and 3 differ")
	}
}

func TestLine(t *testing.T) {
	x, y := []float64{0, 1, 2, 3}, []float64{5, 6.5, 8, 9.5}
	pairs := func(visit func(x, y float64)) {
		for i := range x {
			visit(x[i], y[i])
		}
	}
	// The differences' variance 1.25/4, over 0.3², is what the prior slope of 1 weighs.
	if l := newLine(pairs); math.Abs(l.slope-(7.5+1.25/4/0.09)/(5+1.25/4/0.09)) > 1e-12 || l.at(1.5) != 7.25 {
		t.Errorf("%+v", l)
	}
	if l := newLine(func(visit func(x, y float64)) { visit(2, 2) }); l.slope != 1 || l.at(5) != 5 {
		t.Errorf("one exact pair: %+v", l)
	}
}

// Where samples' sketches tell too little of a rough map, finer ones are tried at
// random positions, and then made everywhere, where coarse ones were made too.
func TestFineSketches(t *testing.T) {
	g := grid(45, 45)
	f := rough(g, 1)
	coarse, fine := seeming(f, 0.3, 0.4, 1), seeming(f, 0.7, 0.02, 2)
	e := newEstimator(t, g, Options{SSIM: 0.9, Seed: 1, SketchCost: 0.1, WholeCost: 0.3, StageCost: 10})
	tried, all := 0, 0
	var r *Result
	for r == nil || !r.Stop {
		next, seems := e.Next(t.Context()), coarse
		if e.Whole() {
			seems = fine
			if n := len(e.Sketches()); n < len(e.wanted)/2 {
				tried += n
			} else {
				all += n
			}
		}
		sketch(t, e, seems)
		observe(t, e, next, f)
		if r = estimate(t, e); r.Rough {
			t.Fatalf("called rough after %d samples", r.Samples)
		}
	}
	if q := figures(t, g, r.Classes[0], f); q.SSIM < 0.9 || r.Samples > r.Wanted/5 {
		t.Errorf("SSIM %.3f from %d samples", q.SSIM, r.Samples)
	}
	if tried == 0 || tried+all != r.Wanted || r.Whole != r.Wanted || r.Sketches == 0 {
		t.Errorf("%d fine sketches were tried and %d made of %d, beside %d coarse ones", tried, all, r.Wanted, r.Sketches)
	}
	if s := r.Classes[0].Slope; math.Abs(s-1/0.7) > 0.1 {
		t.Errorf("slope %.2f over the fine sketches", s)
	}
}

// Sketches at all positions, as samples, are not the end of it.
func TestSketchedOut(t *testing.T) {
	g := grid(14, 14)
	for seed := range uint64(3) {
		f := smooth(g, seed)
		e := newEstimator(t, g, Options{SSIM: 0.9999, Seed: seed, SketchCost: 0.01, WholeCost: 0.01})
		r := runSketched(t, e, f, seeming(f, 0.9, 0.1, seed))
		if q := figures(t, g, r.Classes[0], f); !r.Rough && q.SSIM < 0.99 || r.Stage > 20 {
			t.Errorf("map %d: SSIM %.4f after %d stages", seed, q.SSIM, r.Stage)
		}
	}
}

// Where stages are dear there are fewer, larger ones.
func TestStageCost(t *testing.T) {
	g := grid(53, 53)
	stages := map[float64]int{}
	for _, cost := range []float64{0, 40} {
		for seed := range uint64(5) {
			f, fine := smooth(g, seed), rough(g, seed)
			for i := range f {
				f[i] += 0.15 * fine[i]
			}
			e := newEstimator(t, g, Options{SSIM: 0.9, Top10Overlap: 0.7, Seed: seed, SketchCost: 0.1, StageCost: cost})
			stages[cost] += runSketched(t, e, f, seeming(f, 0.9, 0.02, seed)).Stage
		}
	}
	if stages[40] >= stages[0] {
		t.Errorf("%d stages where they cost nothing, %d where they cost as 40 positions", stages[0], stages[40])
	}
}
