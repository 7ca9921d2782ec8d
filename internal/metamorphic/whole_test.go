package metamorphic

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync/atomic"

	"occlude/executor"
)

// truth demands that what a map of whatever plan calls exact is so.
func truth(k *trial, _ *rand.Rand, q query) error {
	h, err := k.answer(q.text())
	if err != nil {
		return err
	}
	exact, err := k.answer(q.exact().hinted("plan", "'incremental'").text())
	if err != nil {
		return err
	}
	k.measured.near++
	return k.holdsWhatIsExact(h, exact)
}

// holdsWhatIsExact compares the positions of a map that are exact.
func (k *trial) holdsWhatIsExact(h, exact *executor.HeatMap) error {
	for _, m := range h.Classes {
		other := classOf(exact, m.ID)
		if other == nil {
			continue // nearly as probable
		}
		for i, p := range m.P {
			pos := h.Plan.Grid.Positions[i]
			if h.States[i] == executor.Missing {
				continue
			}
			if math.IsNaN(float64(p)) || math.IsInf(float64(p), 0) {
				return differ("p of class %s at (%d, %d) is %v, %s", m.Label, pos.X, pos.Y, p, h.States[i])
			}
			if h.States[i] != executor.Exact {
				continue
			}
			if err := k.near(fmt.Sprintf("p of class %s at (%d, %d), which is called exact,", m.Label, pos.X, pos.Y), exact, p, other.P[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

// stopper cancels a query after some positions.
type stopper struct {
	left   atomic.Int64
	cancel context.CancelFunc
}

func (*stopper) Start(string, int)     {}
func (*stopper) Expect(int)            {}
func (*stopper) Next(string, int, int) {}
func (*stopper) Finish()               {}
func (s *stopper) Add(n int) {
	if s.left.Add(-int64(n)) <= 0 {
		s.cancel()
	}
}

// cancelled ends the query while it runs: what its map has by then is as in the complete
// one.
func cancelled(k *trial, rng *rand.Rand, q query) error {
	q = q.timeless()
	complete, err := k.answer(q.text())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := &stopper{cancel: cancel}
	s.left.Store(1 + rng.Int64N(int64(max(1, complete.Actual.Positions))))
	k.engine.Session.Progress = s
	defer func() { k.engine.Session.Progress = nil }()
	if _, err := k.run("CLEAR CACHE"); err != nil {
		return err
	}
	csv := k.path("cancelled.csv")
	results, err := k.during(ctx, q.with("INTO", "'"+csv+"'").text())
	var stopped *executor.Interrupted
	switch {
	case err == nil: // the last positions were under way already
		k.measured.bits++
		return k.agree(complete, results[0].(*executor.HeatMap))
	case !errors.As(err, &stopped):
		return fmt.Errorf("a cancelled query ends with: %w", err)
	case len(results) == 0: // before its first position
		return nil
	}
	h := results[0].(*executor.HeatMap)
	if !h.Partial {
		return differ("a map is complete, but its query ended with: %v", err)
	}
	k.measured.near++
	if err := sameCSV(csv, h); err != nil {
		return err
	}
	return k.holdsWhatIsExact(h, complete)
}

// pattern asks for several images at once: each has the map that it has alone.
func pattern(k *trial, _ *rand.Rand, q query) error {
	q = q.timeless().on(k.path("picture*.png")).with("ON ERROR", "STOP")
	results, err := k.run("RESET ALL; CLEAR CACHE; " + q.text())
	if err != nil {
		return fmt.Errorf("%s\n%w", q.text(), err)
	}
	var maps []*executor.HeatMap
	for _, r := range results {
		if h, ok := r.(*executor.HeatMap); ok {
			maps = append(maps, h)
		}
	}
	if len(maps) != len(k.pictures) {
		return differ("%d maps of %d images", len(maps), len(k.pictures))
	}
	for i, h := range maps {
		if filepath.ToSlash(h.Image) != k.pictures[i] {
			return differ("map %d is of %s, not of %s", i, h.Image, k.pictures[i])
		}
		one, err := k.answer(q.on(k.pictures[i]).text())
		if err == nil {
			err = k.agree(one, h)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", k.pictures[i], err)
		}
	}
	return nil
}

// benchmark demands that BENCHMARK finds no difference between exact plans.
func benchmark(k *trial, _ *rand.Rand, q query) error {
	q = q.exact().without("INTO", "ON ERROR", "COLORMAP").unhinted("plan", "convolution", "batch")
	text := "BENCHMARK (RUNS 1, WARMUP 0, PLANS (full, incremental, incremental WITH (batch = 2), full WITH (convolution = 'direct'))) " + q.text()
	results, err := k.run("RESET ALL; CLEAR CACHE; " + text)
	if err != nil {
		return fmt.Errorf("%s\n%w", text, err)
	}
	b := results[len(results)-1].(*executor.Benchmark)
	h, err := k.answer(q.text())
	if err != nil {
		return err
	}
	k.measured.near++
	for i, m := range b.Plans {
		if !(m.Difference <= k.tolerance(h)) {
			return differ("%s\nfinds plan %s to differ by %g", text, b.Plan.Alternatives[i].Name, m.Difference)
		}
	}
	return nil
}

// evaluate demands that scores do not depend on how their steps are computed.
func evaluate(k *trial, rng *rand.Rand, q query) error {
	q = q.exact().without("INTO", "COLORMAP").hinted("plan", "'incremental'").hinted("convolution", "'direct'")
	metrics := []string{"deletion", "insertion", "deletion('black'), insertion('white')", "deletion, insertion, pointing(1, 1, 3, 3), energy(0, 0, 4, 3)"}[rng.IntN(4)]
	text := "EVALUATE (" + q.text() + ") USING " + metrics + " WITH (random = 0, steps = 6, plan = "
	var all []*executor.Evaluation
	for _, plan := range []string{"full", "incremental"} {
		results, err := k.run("RESET ALL; CLEAR CACHE; " + text + plan + ")")
		if err != nil {
			return fmt.Errorf("%s%s)\n%w", text, plan, err)
		}
		all = append(all, results[len(results)-1].(*executor.Evaluation))
	}
	k.measured.near++
	a, b := all[0].Scores, all[1].Scores
	if len(a) != len(b) || len(a) == 0 {
		return differ("%s\nhas %d scores in full, %d incrementally", text, len(a), len(b))
	}
	for i, s := range a {
		for j, p := range append([]float64{s.Value}, s.Curve...) {
			other := append([]float64{b[i].Value}, b[i].Curve...)[j]
			if limit := tolerance * max(1, math.Abs(p)); !(math.Abs(p-other) <= limit) {
				return differ("%s\ngives %s of class %s as %v in full, %v incrementally (value %d)", text, s.Metric.Text, s.Class, p, other, j)
			}
		}
	}
	return nil
}
