package sampling

import (
	"context"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// Of smooth maps the promise is kept, from few samples.
func TestPromiseOfSmoothMaps(t *testing.T) {
	g := grid(53, 53)
	var samples []int
	const maps = 24
	kept := 0
	for seed := range uint64(maps) {
		f := smooth(g, seed)
		r := run(t, newEstimator(t, g, Options{SSIM: 0.9, Pearson: 0.9, Top10Overlap: 0.7, Seed: seed, Threads: 2}), f)
		if r.Rough {
			t.Fatalf("map %d is called rough", seed)
		}
		q := figures(t, g, r.Classes[0], f)
		if q.SSIM >= 0.9 && q.Pearson >= 0.9 && q.Top10Overlap >= 0.6 {
			kept++
		}
		samples = append(samples, r.Samples)
	}
	slices.Sort(samples)
	if kept < maps-1 || samples[maps/2] > 281 {
		t.Errorf("the promise was kept for %d of %d maps, from %d samples in the median", kept, maps, samples[maps/2])
	}
}

// Rough maps are recognised, after little more than a tenth of the positions, and
// whoever goes on gets the exact map.
func TestRoughMaps(t *testing.T) {
	g := grid(37, 37)
	for seed := range uint64(3) {
		f := rough(g, seed)
		e := newEstimator(t, g, Options{SSIM: 0.9, Seed: seed, Threads: 2})
		r := run(t, e, f)
		if !r.Rough || r.Stop || r.Samples > r.Wanted*3/10 || r.Needed < 3*r.Wanted/4 {
			t.Fatalf("map %d: rough %v after %d samples, %d needed", seed, r.Rough, r.Samples, r.Needed)
		}
		for !r.Stop {
			observe(t, e, e.Next(t.Context()), f)
			r = estimate(t, e)
		}
		if q := figures(t, g, r.Classes[0], f); q.SSIM < 0.9 {
			t.Errorf("map %d: stopped at %d samples with an SSIM of %.3f", seed, r.Samples, q.SSIM)
		}
	}
}

// Positions are proposed once, never missing ones, until none are left; the map
// is then exact, and holes stay holes.
func TestEveryPosition(t *testing.T) {
	g := grid(17, 11)
	g.X[16] = g.X[15] + 2 // a rim
	g.Missing = make([]bool, 17*11)
	wanted := 0
	for i := range g.Missing {
		if g.Missing[i] = i%5 == 0 || i > 120 && i < 150; !g.Missing[i] {
			wanted++
		}
	}
	f := smooth(g, 1)
	e := newEstimator(t, g, Options{Seed: 9})
	seen := map[int]bool{}
	var r *Result
	for next := e.Next(t.Context()); len(next) > 0; next = e.Next(t.Context()) {
		for _, p := range next {
			if seen[p] || g.Missing[p] {
				t.Fatalf("position %d is proposed, missing %v", p, g.Missing[p])
			}
			seen[p] = true
		}
		observe(t, e, next, f)
		r = estimate(t, e)
		if r.Stop != (len(seen) == wanted) {
			t.Errorf("stop is %v at %d of %d positions, without a target", r.Stop, len(seen), wanted)
		}
		for p, v := range r.Classes[0].P {
			if math.IsNaN(v) != g.Missing[p] || seen[p] && v != Logit.at(f[p]) {
				t.Fatalf("position %d is %g in the map", p, v)
			}
		}
	}
	c := r.Classes[0]
	if r.Samples != wanted || c.SSIM != 1 || c.SSIMLower != 1 || c.Pearson != 1 || c.NRMSE != 0 || c.Top10Overlap < 0.99 {
		t.Errorf("all of %d positions are known: %+v", wanted, r)
	}
}

// The seed decides, the number of threads does not.
func TestDeterministic(t *testing.T) {
	g := grid(40, 30)
	f, f2 := smooth(g, 3), smooth(g, 4)
	sample := func(seed uint64, threads int) (*Result, []int) {
		e := newEstimator(t, g, Options{Classes: 2, SSIM: 0.9, Seed: seed, Threads: threads})
		r := run(t, e, f, f2)
		return r, e.samples
	}
	r1, s1 := sample(1, 1)
	r5, s5 := sample(1, 5)
	if !reflect.DeepEqual(r1, r5) || !slices.Equal(s1, s5) {
		t.Error("1 thread and 5 differ")
	}
	if _, other := sample(2, 1); slices.Equal(s1, other) {
		t.Error("two seeds choose the same positions")
	}
}

// Several classes are estimated from the same samples, and each keeps the promise.
func TestClasses(t *testing.T) {
	g := grid(53, 53)
	for seed := range uint64(4) {
		maps := [][]float64{smooth(g, seed), smooth(g, seed+50), smooth(g, seed+100)}
		for i := range maps[2] {
			maps[2][i] = -maps[2][i] - 5 // a class that is hardly there
		}
		r := run(t, newEstimator(t, g, Options{Classes: 3, SSIM: 0.9, Seed: seed, Threads: 2}), maps...)
		for k, c := range r.Classes {
			if q := figures(t, g, c, maps[k]); q.SSIM < 0.9 || r.Samples > 700 {
				t.Errorf("seed %d, class %d: SSIM %.3f from %d samples", seed, k, q.SSIM, r.Samples)
			}
		}
	}
}

// A feature that explains most of a rough map makes it a smooth one.
func TestFeature(t *testing.T) {
	g := grid(53, 53)
	base, fine := smooth(g, 1), rough(g, 1)
	f := make([]float64, len(base))
	for i := range f {
		f[i] = base[i] + 0.8*fine[i]
	}
	r := run(t, newEstimator(t, g, Options{SSIM: 0.9, Features: [][]float64{fine}, Threads: 2}), f)
	c := r.Classes[0]
	if q := figures(t, g, c, f); !r.Stop || r.Samples > 400 || q.SSIM < 0.9 || math.Abs(c.Slope-0.8) > 0.05 {
		t.Errorf("stop %v after %d samples, SSIM %.3f, slope %.3f", r.Stop, r.Samples, q.SSIM, c.Slope)
	}
	if r := run(t, newEstimator(t, g, Options{SSIM: 0.9, Threads: 2}), f); !r.Rough {
		t.Errorf("without it the map is not called rough, but done after %d samples", r.Samples)
	}
}

// Grids of a few positions, or in a line, and constant maps have figures too.
func TestDegenerate(t *testing.T) {
	for _, c := range []struct {
		name string
		w, h int
		f    func(i int) float64
	}{
		{"one position", 1, 1, func(int) float64 { return 0.5 }},
		{"three positions", 3, 1, func(i int) float64 { return float64(i) }},
		{"a row", 200, 1, func(i int) float64 { return math.Sin(float64(i) / 20) }},
		{"a column", 1, 200, func(i int) float64 { return math.Sin(float64(i) / 20) }},
		{"a constant", 30, 30, func(int) float64 { return 2 }},
		{"certainty", 30, 30, func(int) float64 { return math.Inf(1) }},
		{"a class that is certain", 30, 30, func(i int) float64 { return 25 + float64(i%7) }},
		{"a grid of 7 by 7", 7, 7, func(i int) float64 { return math.Sin(float64(i) / 5) }},
		{"one peak in a flat map", 30, 30, func(i int) float64 {
			if i == 431 {
				return -3
			}
			return 5
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := grid(c.w, c.h)
			f := make([]float64, c.w*c.h)
			for i := range f {
				f[i] = c.f(i)
			}
			r := run(t, newEstimator(t, g, Options{SSIM: 0.9}), f)
			if s := runSketched(t, newEstimator(t, g, Options{SSIM: 0.9, SketchCost: 0.1}), f, f); !s.Stop {
				t.Errorf("with perfect sketches it does not stop after %d samples", s.Samples)
			}
			if !r.Stop {
				t.Errorf("it does not stop after %d samples", r.Samples)
			}
			v := r.Classes[0]
			for _, x := range append([]float64{v.SSIM, v.SSIMLower, v.Pearson, v.NRMSE, v.Top10Overlap}, v.P...) {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("%+v", r)
				}
			}
			if q := figures(t, g, v, f); q.SSIM < 0.9 {
				t.Errorf("SSIM %.3f from %d of %d positions", q.SSIM, r.Samples, r.Wanted)
			}
		})
	}
}

// What interrupts a stage leaves what was known before, and a stage that was not
// finished is proposed again, in other positions maybe.
func TestInterrupted(t *testing.T) {
	g := grid(30, 30)
	f := smooth(g, 2)
	e := newEstimator(t, g, Options{SSIM: 0.9})
	observe(t, e, e.Next(t.Context()), f)
	before := estimate(t, e)
	next := e.Next(t.Context())
	observe(t, e, next[:5], f)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.Estimate(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if e.last != before {
		t.Error("an interrupted estimate changed the last one")
	}
	passes, fitted := e.passes, e.fitted
	if _, err := e.judge(ctx, verdict{}); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if chosen := e.design.widest(ctx, 100, nil); len(chosen) > 0 || e.passes != passes || e.fitted != fitted {
		t.Errorf("%d positions were chosen for nobody", len(chosen))
	}
	r := estimate(t, e)
	if r.Samples != before.Samples+5 || r.Checks != before.Checks+5 {
		t.Errorf("%d samples and %d checks after five of a stage were observed", r.Samples, r.Checks)
	}
	seen := map[int]bool{}
	for _, p := range e.samples {
		seen[p] = true
	}
	for _, p := range e.Next(t.Context()) {
		if seen[p] {
			t.Fatalf("position %d is proposed again", p)
		}
	}
	if r := run(t, e, f); !r.Stop {
		t.Error("it never stops")
	}
}

// Positions that were proposed and not observed are proposed again, to the last.
func TestUnfinishedStages(t *testing.T) {
	g := grid(12, 12)
	f := smooth(g, 2)
	e := newEstimator(t, g, Options{})
	for {
		next := e.Next(t.Context())
		if len(next) == 0 {
			break
		}
		observe(t, e, next[:1+len(next)/2], f)
		estimate(t, e)
	}
	if len(e.samples) != 144 {
		t.Errorf("%d of 144 positions were observed", len(e.samples))
	}
}

// Stages grow with what is known, a quarter of each at random; a flat map is done
// once two stages have found it so.
func TestStages(t *testing.T) {
	g := grid(53, 53)
	flat := make([]float64, 53*53)
	for i := range flat {
		flat[i] = 1 + 1e-3*float64(i%53)
	}
	e := newEstimator(t, g, Options{SSIM: 0.9})
	for stage, want := range []struct{ size, random, samples int }{
		{48, 12, 48}, {24, 12, 72}, {24, 12, 96}, {24, 12, 120}, {24, 12, 144}, {24, 12, 168}, {26, 12, 194},
	} {
		next := e.Next(t.Context())
		if len(next) != want.size || len(e.random) != want.random {
			t.Errorf("stage %d has %d positions, %d at random, want %+v", stage+1, len(next), len(e.random), want)
		}
		observe(t, e, next, flat)
		r := estimate(t, e)
		if r.Stage != stage+1 || r.Samples != want.samples || r.Stop != (stage > 0) || r.Rough {
			t.Errorf("stage %d: %d samples after stage %d, stop %v, rough %v", stage+1, r.Samples, r.Stage, r.Stop, r.Rough)
		}
	}
}

// A map that is not at all what it was thought to be is found out by the next
// stage's random positions.
func TestChecks(t *testing.T) {
	g := grid(53, 53)
	f, surprise := smooth(g, 1), rough(g, 1)
	e := newEstimator(t, g, Options{SSIM: 0.9})
	for range 3 {
		observe(t, e, e.Next(t.Context()), f)
		estimate(t, e)
	}
	calm := e.last.Classes[0]
	observe(t, e, e.Next(t.Context()), surprise)
	r := estimate(t, e)
	if c := r.Classes[0]; r.Stop || r.Checks != 48 || c.Ratio < 10 || c.RatioUpper < c.Ratio || c.SSIMLower > 0.5 || calm.SSIMLower < 0.8 {
		t.Errorf("after %d checks the errors are %.2f to %.2f times what was predicted, SSIM above %.3f; before above %.3f",
			r.Checks, c.Ratio, c.RatioUpper, c.SSIMLower, calm.SSIMLower)
	}
}

func TestRefused(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		g       Grid
		patch   int
		o       Options
		message string
	}{
		{Grid{}, 16, Options{}, "without positions"},
		{Grid{X: []int{0, 0}, Y: []int{0}}, 16, Options{}, "ascend"},
		{Grid{X: []int{0}, Y: []int{4, 0}}, 16, Options{}, "ascend"},
		{Grid{X: []int{0, 1}, Y: []int{0}, Missing: []bool{true}}, 16, Options{}, "missing"},
		{Grid{X: []int{0}, Y: []int{0}, Missing: []bool{true}}, 16, Options{}, "all missing"},
		{grid(2, 2), 0, Options{}, "0x0"},
		{grid(2, 2), 16, Options{Classes: 2, Features: make([][]float64, 1)}, "features of 1"},
		{grid(2, 2), 16, Options{Features: [][]float64{{1}}}, "1 positions of 4"},
		{grid(2, 2), 16, Options{Features: [][]float64{{1, 2, nan, 4}}}, "NaN at position 2"},
	} {
		if _, err := New(c.g, c.patch, c.patch, c.o); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("got %v, want an error about %q", err, c.message)
		}
	}
	g := grid(5, 5)
	g.Missing = make([]bool, 25)
	g.Missing[7] = true
	e := newEstimator(t, g, Options{})
	observe(t, e, []int{3, 4}, make([]float64, 25))
	for _, c := range []struct {
		positions []int
		f         [][]float64
		message   string
	}{
		{[]int{1}, nil, "0 classes"},
		{[]int{1}, [][]float64{{1, 2}}, "2 positions of 1"},
		{[]int{25}, [][]float64{{1}}, "not on the grid"},
		{[]int{7}, [][]float64{{1}}, "not on the grid"},
		{[]int{3}, [][]float64{{1}}, "twice"},
		{[]int{1, 1}, [][]float64{{1, 1}}, "twice"},
		{[]int{1}, [][]float64{{nan}}, "no number"},
	} {
		if err := e.Observe(c.positions, c.f); err == nil || !strings.Contains(err.Error(), c.message) {
			t.Errorf("got %v, want an error about %q", err, c.message)
		}
	}
	if _, err := e.Estimate(context.Background()); err == nil || !strings.Contains(err.Error(), "too few") {
		t.Errorf("two samples: %v", err)
	}
}
