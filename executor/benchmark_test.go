package executor_test

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"math"
	"os"
	"slices"
	"sync"
	"testing"

	"occlude/executor"
)

// told is what a progress was told.
type told struct {
	mu              sync.Mutex
	expected, added int
	parts, finished int
	then            func(added int) // after each Add
}

func (p *told) Start(_ string, positions int) { p.parts, p.expected = p.parts+1, positions }
func (p *told) Next(string, int, int)         {}
func (p *told) Expect(positions int)          { p.expected = positions }
func (p *told) Finish()                       { p.finished++ }

func (p *told) Add(positions int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.added += positions
	if p.then != nil {
		p.then(p.added)
	}
}

const nodule = "OCCLUDE 'examples/images/nodule.png' USING chest PATCH 24 STRIDE 40 FOR TOP 2"

// TestBenchmark holds what is said of each plan against the plan's own query.
func TestBenchmark(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	heard := &told{}
	b.session.Progress = heard
	r := b.run("BENCHMARK (RUNS 2, PLANS (approximate WITH (tau = 0.2), full, incremental WITH (batch = 1), approximate)) " + nodule + ";")[0].(*executor.Benchmark)
	b.session.Progress = nil
	if heard.parts != 1 || heard.finished != 1 || heard.added != heard.expected {
		t.Errorf("the progress was told of %d positions of %d, in %d parts, %d finished", heard.added, heard.expected, heard.parts, heard.finished)
	}
	if name := r.Plan.Alternatives[r.Plan.Baseline].Name; name != "full" || !r.Plan.Reference() {
		t.Errorf("the others are told against %s", name)
	}
	exact := b.one(nodule + " WITH (plan = full);")
	for i, hints := range []string{"tau = 0.2", "plan = full", "plan = incremental, batch = 1", "plan = approximate"} {
		m, alone := &r.Plans[i], b.one(nodule+" WITH ("+hints+");")
		want, err := distance(exact, alone)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(m.Difference-want) > 1e-12 {
			t.Errorf("%s: p is off by %g, want %g", hints, m.Difference, want)
		}
		if m.MACs != alone.Actual.MACs() || m.Positions != alone.Actual.Positions {
			t.Errorf("%s: %d multiply-adds at %d positions, want %d at %d", hints, m.MACs, m.Positions, alone.Actual.MACs(), alone.Actual.Positions)
		}
		estimate, least, most := r.Estimate(i)
		if len(m.Seconds) != 2 || m.PeakBytes <= 0 || estimate != alone.Plan.Chosen().Estimate.Seconds || !(least < estimate && estimate < most) {
			t.Errorf("%s: %+v, %g s expected, %g to %g", hints, m, estimate, least, most)
		}
		if shortest, longest := m.Range(); !(0 < shortest && shortest <= m.Median() && m.Median() <= longest) {
			t.Errorf("%s: %g s of %v", hints, m.Median(), m.Seconds)
		}
		switch {
		case i == 1 && (m.SSIM != 1 || r.Speedup(i) != 1), i == 2 && !(m.SSIM > 1-1e-6), i%3 == 0 && !(m.SSIM < 0.99999):
			t.Errorf("%s: SSIM %g, speedup %g", hints, m.SSIM, r.Speedup(i))
		}
	}
	if n := len(r.Relation().Rows); n != 4 {
		t.Errorf("%d rows", n)
	}
	b.run("COPY (BENCHMARK (RUNS 1, WARMUP 0) " + nodule + ") TO 'b.png';")
	f, err := os.Open("b.png")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := png.Decode(f); err != nil {
		t.Error(err)
	}
}

// Plans that compute convolutions in different ways stay ready for their turns where
// there is room for all, and are let go of afterwards.
func TestBenchmarkPacksOnce(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	during := func() (ready []int, r *executor.Benchmark) {
		b.session.Progress = &told{then: func(int) { ready = append(ready, b.session.Programs("chest")) }}
		r = b.run("BENCHMARK (RUNS 2, WARMUP 0, PLANS (incremental WITH (convolution = direct), incremental WITH (convolution = 'F(2x2)'), incremental WITH (convolution = 'F(4x4)'))) " +
			nodule + ";")[0].(*executor.Benchmark)
		if n := b.session.Programs("chest"); n != 2 {
			t.Errorf("%d programs are kept", n)
		}
		return ready, r
	}
	ready, r := during()
	if last := len(ready) - 1; ready[last] != 3 || !slices.IsSorted(ready) {
		t.Errorf("%v programs were ready", ready)
	}
	limit, least := int64(0), int64(math.MaxInt64)
	for _, a := range r.Plan.Alternatives {
		e := a.Query.Chosen().Estimate
		limit, least = max(limit, e.PeakBytes), min(least, e.Memory.Packed)
	}
	b.run(fmt.Sprintf("SET memory_limit = '%dB';", limit+least/2))
	if ready, _ := during(); slices.Max(ready) != 2 {
		t.Errorf("%v programs were ready where there is no room for a second", ready)
	}
}

// An interrupted benchmark returns what it has of all plans; a file is not written.
func TestBenchmarkInterrupted(t *testing.T) {
	newBench(t)
	for _, c := range []struct {
		after   int // positions
		copied  bool
		results int
	}{{0, false, 0}, {40, false, 0}, {150, false, 1}, {150, true, 0}} {
		b := newSession(t)
		b.run(chest)
		ctx, cancel := context.WithCancel(context.Background())
		b.session.Progress = &told{then: func(added int) {
			if added >= c.after {
				cancel()
			}
		}}
		text := "BENCHMARK (RUNS 1000, WARMUP 0) " + nodule // 36 positions in two ways
		if c.copied {
			text = "COPY (" + text + ") TO 'b.csv'"
		}
		results, err := b.try(ctx, text+";")
		cancel()
		if told := (*executor.Interrupted)(nil); !errors.As(err, &told) && !errors.Is(err, context.Canceled) {
			t.Errorf("after %d positions: %v", c.after, err)
		}
		if len(results) != c.results {
			t.Fatalf("after %d positions: %d results", c.after, len(results))
		}
		for _, r := range results {
			for i, m := range r.(*executor.Benchmark).Plans {
				if n := len(m.Seconds); n == 0 || n > 4 || math.IsNaN(m.Difference) {
					t.Errorf("plan %d ran %d times and is off by %g", i, n, m.Difference)
				}
			}
		}
		if _, err := os.Stat("b.csv"); err == nil {
			t.Error("a part of the result was written")
		}
	}
}

// Without an exact plan there is nothing to judge the others by, and a list of
// positions has no structure.
func TestBenchmarkWithoutReference(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	r := b.run("BENCHMARK (RUNS 1, WARMUP 0, PLANS (approximate WITH (tau = 0.5), approximate WITH (tau = 0.2))) " + nodule + ";")[0].(*executor.Benchmark)
	for i, m := range r.Plans {
		if !math.IsNaN(m.Difference) || !math.IsNaN(m.SSIM) {
			t.Errorf("plan %d: %g and %g", i, m.Difference, m.SSIM)
		}
	}
	r = b.run("BENCHMARK (RUNS 1, WARMUP 0) OCCLUDE 'examples/images/n*.png' USING chest AT (0, 0), (160, 72);")[0].(*executor.Benchmark)
	images := len(r.Plan.Query.Images)
	for i, m := range r.Plans {
		if !(m.Difference < 1e-4) || !math.IsNaN(m.SSIM) || m.Positions != 2*images || images < 2 {
			t.Errorf("plan %d: %g and %g of %d positions in %d images", i, m.Difference, m.SSIM, m.Positions, images)
		}
	}
}
