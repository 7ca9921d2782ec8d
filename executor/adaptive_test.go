package executor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
)

// A sampled map is as good as it says, and what it computed is what the exact plan
// computes.
func TestSampled(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	exact := b.one(cavity + "STRIDE 4;")
	for _, query := range []string{"STRIDE 4 SSIM >= 0.9 VERIFY ALL WITH (plan = 'approximate');", "STRIDE 4 SSIM >= 0.95 FOR TOP 2 VERIFY ALL WITH (plan = 'approximate');"} {
		h := b.one(cavity + query)
		q := h.Quality
		if q == nil || !q.Reached || len(q.Classes) != len(h.Classes) {
			t.Fatalf("%s: quality %+v", query, q)
		}
		for k, c := range q.Classes {
			if c.Measured == nil || c.Measured.SSIM < q.Target || c.Measured.Pearson < .9 {
				t.Errorf("%s: class %d is %+v, to have an SSIM of %g", query, k, c.Measured, q.Target)
			}
			if math.Abs(c.Measured.SSIM-c.SSIM) > .1 {
				t.Errorf("%s: class %d has an SSIM of %g, expected was %g", query, k, c.Measured.SSIM, c.SSIM)
			}
		}
		sampled := h.Count(executor.Exact)
		if sampled == 0 || sampled > len(h.States)*2/3 || sampled+h.Count(executor.Approximate)+h.Count(executor.Interpolated) != len(h.States) {
			t.Errorf("%s: %d of %d positions are exact, %d interpolated", query, sampled, len(h.States), h.Count(executor.Interpolated))
		}
		for i, s := range h.States {
			if d := math.Abs(float64(h.Classes[0].P[i] - exact.Classes[0].P[i])); s == executor.Exact && d > 1e-5 {
				t.Fatalf("%s: position %d claims to be exact and is off by %g", query, i, d)
			}
		}
	}
}

// The same plan gives the same bits for any threads and batch; another seed
// samples elsewhere.
func TestSampledBits(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	query := func(with string) *executor.HeatMap {
		return b.one(cavity + "STRIDE 5 SSIM >= 0.9 WITH (plan = 'approximate', " + with + ");")
	}
	want := query("seed = 1")
	for _, set := range []string{"1", "3"} {
		b.run("SET threads = " + set + ";")
		for _, batch := range []string{"", ", batch = 5"} {
			if got := query("seed = 1" + batch); !slices.Equal(got.Classes[0].P, want.Classes[0].P) || !slices.Equal(got.States, want.States) {
				t.Errorf("threads = %s%s give another map", set, batch)
			}
		}
	}
	if slices.Equal(query("seed = 2").States, want.States) {
		t.Error("another seed takes the same samples")
	}
}

// With time to spare the map is exact; without any it is coarse, and says so.
func TestWithin(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	exact := b.one(cavity + "STRIDE 16;")
	h := b.one(cavity + "STRIDE 16 WITHIN 1000 SECONDS;")
	if d, err := distance(h, exact); err != nil || d > 1e-5 || h.Count(executor.Exact) != len(h.States) || !h.Quality.Reached {
		t.Errorf("with time to spare it is off by %g (%v): %+v", d, err, h.Quality)
	}
	h = b.one(cavity + "STRIDE 4 WITHIN 0.001 SECONDS;")
	if n := h.Count(executor.Exact); n < 16 || n > 100 {
		t.Errorf("in no time %d positions were computed", n)
	}
	if h.Quality.Reached || !slices.Contains(h.Quality.Notes, "not even the coarsest map fitted into the time") {
		t.Errorf("in no time the map is said to be %+v", h.Quality)
	}
	for i, p := range h.Classes[0].P {
		if !(p >= 0 && p <= 1) {
			t.Fatalf("position %d has p = %g", i, p)
		}
	}
	err := b.fails(cavity + "WITHIN 0.001 SECONDS OR FAIL;")
	if !strings.Contains(err.Error(), "coarsest map") {
		t.Error(err)
	}
	// Several images share the time.
	for _, h := range b.maps("OCCLUDE 'examples/images/*.png' USING chest STRIDE 40 WITHIN 1000 SECONDS;") {
		if h.Count(executor.Exact) != len(h.States) {
			t.Errorf("%s: %d of %d are exact", h.Image, h.Count(executor.Exact), len(h.States))
		}
	}
}

// VERIFY measures the error of a map that hints made.
func TestVerify(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	exact := b.one(cavity + "STRIDE 12;")
	h := b.one(cavity + "STRIDE 12 VERIFY ALL WITH (tau = 0.1);")
	rough := b.one(cavity + "STRIDE 12 WITH (tau = 0.1);")
	if d, err := distance(h, rough); err != nil || d > 0 || h.Count(executor.Approximate) == 0 {
		t.Errorf("verifying all changed the map by %g: %v", d, err)
	}
	if m := h.Quality.Classes[0].Measured; m == nil || !(m.NRMSE > 0) || !(m.SSIM < 1) || math.IsNaN(m.SSIMKrypton) {
		t.Errorf("measured was %+v", m)
	}
	h = b.one(cavity + "STRIDE 12 VERIFY 30 POSITIONS WITH (tau = 0.1);")
	c := h.Quality.Checks
	if c == nil || c.Positions != 30 || !(c.RMS > 0) || !(c.Worst >= c.RMS) || h.Count(executor.Exact) < 30 {
		t.Fatalf("checks are %+v, %d positions exact", c, h.Count(executor.Exact))
	}
	worst := 0.0
	for i, p := range h.Classes[0].P {
		was := float64(rough.Classes[0].P[i])
		if p != rough.Classes[0].P[i] {
			worst = max(worst, math.Abs(was-float64(exact.Classes[0].P[i])))
		}
	}
	if math.Abs(worst-c.Worst) > 1e-5 {
		t.Errorf("the worst check is said to be off by %g, it is by %g", c.Worst, worst)
	}
	h = b.one(cavity + "STRIDE 20 VERIFY 5 POSITIONS;")
	if h.Quality == nil || !h.Quality.Reached || h.Quality.Checks != nil || len(h.Quality.Notes) != 1 {
		t.Errorf("verifying an exact map found %+v", h.Quality)
	}
}

// Goals that no plan can keep are refused, and a list of positions is exact.
func TestGoalsRefused(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for query, want := range map[string]string{
		"WITHIN 5 SECONDS WITH (plan = 'incremental');": "computes every position",
		"SSIM >= 0.9 WITH (drill_down = 0.2);":          "drill_down says which positions",
		"SSIM >= 0.9 WITH (plan = 'full', tau = 0.5);":  "tau approximates",
		"AT (8, 8) WITHIN 1 SECONDS;":                   "a list of positions",
		"WITHIN 1 SECONDS VERIFY ALL;":                  "VERIFY ALL computes every position",
	} {
		if err := b.fails(cavity + query); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", query, err)
		}
	}
	if h := b.one(cavity + "AT (8, 8), (30, 40) SSIM >= 0.9;"); h.Count(executor.Exact) != 2 {
		t.Error("a list of positions is not exact")
	}
}

// An interruption while sampling says how far it had come.
func TestInterruptedSampling(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	b.session.Progress = &stopper{after: 60, cancel: cancel}
	_, err := b.try(ctx, cavity+"STRIDE 2 SSIM >= 0.95 WITH (plan = 'approximate');")
	var stopped *executor.Interrupted
	if !errors.As(err, &stopped) || stopped.Done < 48 || stopped.Done > stopped.Total {
		t.Errorf("%v", err)
	}
}

// With a quality and time to spare a map ends when it is good enough; above what
// samples can promise it is exact.
func TestQualityWithinTime(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	plain := b.one(cavity + "STRIDE 5 SSIM >= 0.8 WITH (plan = 'approximate');")
	h := b.one(cavity + "STRIDE 5 SSIM >= 0.8 WITHIN 1000 SECONDS;")
	if n := plain.Count(executor.Exact); n == len(plain.States) || h.Count(executor.Exact) != n || !h.Quality.Reached {
		t.Errorf("%d of %d positions were computed, without a limit %d", h.Count(executor.Exact), len(h.States), n)
	}
	if h := b.one(cavity + "STRIDE 10 SSIM >= 0.98 WITHIN 1000 SECONDS;"); h.Count(executor.Exact) != len(h.States) {
		t.Errorf("%d of %d positions were computed", h.Count(executor.Exact), len(h.States))
	}
}
