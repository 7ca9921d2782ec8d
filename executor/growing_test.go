package executor_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"occlude/executor"
)

// watcher looks at maps all the time while they grow, from a goroutine of its own.
type watcher struct {
	quit, gone chan struct{}
	seen       []*executor.HeatMap
}

func (*watcher) Start(string, int)     {}
func (*watcher) Next(string, int, int) {}
func (*watcher) Expect(int)            {}
func (*watcher) Add(int)               {}

func (w *watcher) Watch(g *executor.Growing) {
	w.Finish()
	w.quit, w.gone = make(chan struct{}), make(chan struct{})
	go func() {
		defer close(w.gone)
		for last := false; !last; {
			select {
			case <-w.quit:
				last = true
			default:
			}
			if h := g.Look(); h != nil {
				w.seen = append(w.seen, h)
			}
		}
	}()
}

func (w *watcher) Finish() {
	if w.quit != nil {
		close(w.quit)
		<-w.gone
		w.quit = nil
	}
}

// computed tells whether a state says so.
func computed(s executor.State) bool { return s == executor.Exact || s == executor.Approximate }

// A growing map can be looked at whatever computes it: what is seen is marked as
// partial, what is missing has no value, what was computed stays as it is, and what was
// seen last is the answer.
func TestLook(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, query := range []string{
		"FOR TOP 2 STRIDE 20 WITH (batch = 1);",
		"STRIDE 30 WITH (plan = full);",
		"STRIDE 20 WITH (tau = 0.5, batch = 2);",
		"STRIDE 10 WITH (drill_down = 0.2, speedup = 3, batch = 4);",
		"STRIDE 12 SSIM >= 0.7 VERIFY 20 POSITIONS WITH (plan = 'approximate');",
		"STRIDE 20 VERIFY ALL WITH (drill_down = 0.2, speedup = 2);",
		"AT (0, 0), (100, 100), (7, 9), (80, 81), (33, 10);",
	} {
		w := &watcher{}
		b.session.Progress = w
		final := b.one(cavity + query)
		if final.Partial || final.Count(executor.Missing) > 0 {
			t.Fatalf("%s: the answer is partial: %v, %d missing", query, final.Partial, final.Count(executor.Missing))
		}
		if len(w.seen) == 0 {
			t.Fatalf("%s: nothing was seen", query)
		}
		for n, h := range w.seen {
			if !h.Partial || h.Image != final.Image || h.Plan != final.Plan || h.Pixels == nil {
				t.Fatalf("%s: %+v was seen", query, h)
			}
			for k, c := range h.Classes {
				for i, s := range h.States {
					p := c.P[i]
					if missing := s == executor.Missing; missing != (p != p) {
						t.Fatalf("%s: position %d is %s and %g", query, i, s, p)
					}
					if s == executor.Exact && final.States[i] == executor.Exact && p != final.Classes[k].P[i] {
						t.Fatalf("%s: position %d was %g and exact, in the end %g", query, i, p, final.Classes[k].P[i])
					}
					if n > 0 && computed(w.seen[n-1].States[i]) && !computed(s) && h.Image == w.seen[n-1].Image {
						t.Fatalf("%s: position %d was computed and is %s", query, i, s)
					}
				}
			}
		}
		last := w.seen[len(w.seen)-1]
		if !slices.Equal(last.States, final.States) || bits(last) != bits(final) {
			t.Errorf("%s: what was seen last is not the answer", query)
		}
	}
}

// Of several images each is watched.
func TestLookAtSeveral(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	w := &watcher{}
	b.session.Progress = w
	for _, h := range b.maps("OCCLUDE 'examples/images/c*.png' USING chest STRIDE 30;") {
		if !slices.ContainsFunc(w.seen, func(s *executor.HeatMap) bool { return s.Image == h.Image && bits(s) == bits(h) }) {
			t.Errorf("nobody saw the map of %s", h.Image)
		}
	}
}

// The peak is found among the positions that are known.
func TestPeakOfPartial(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	h := b.one(cavity + "STRIDE 40;")
	want, drop := h.Peak()
	for i := range h.States {
		if h.Plan.Grid.Positions[i] != want {
			h.States[i], h.Classes[0].P[i] = executor.Missing, float32(math.NaN())
		}
	}
	if at, d := h.Peak(); at != want || d != drop {
		t.Errorf("the peak is %+v, %g; want %+v, %g", at, d, want, drop)
	}
	for _, row := range h.Relation().Rows {
		if missing := row[11] == "missing"; missing != (row[9] == nil) || missing != (row[10] == nil) || row[8] == nil {
			t.Errorf("row %v", row)
		}
	}
}

// stopping watches until a context ends after some positions, and beyond.
type stopping struct {
	watcher
	*stopper
}

func (*stopping) Start(string, int)     {}
func (*stopping) Next(string, int, int) {}
func (*stopping) Expect(int)            {}
func (s *stopping) Add(n int)           { s.stopper.Add(n) }
func (s *stopping) Finish()             { s.watcher.Finish() }

// Of several images the one in work can still be looked at while it is made a partial
// map: the race detector would tell.
func TestLookAtTheLastOfSeveral(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w := &stopping{stopper: &stopper{after: 20, cancel: cancel}}
	b.session.Progress = w
	results, err := b.try(ctx, "OCCLUDE 'examples/images/c*.png' USING chest STRIDE 20 PROGRESSIVE WITH (batch = 2);")
	if told := (*executor.Interrupted)(nil); !errors.As(err, &told) || len(results) != 1 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	h, last := results[0].(*executor.HeatMap), w.watcher.seen[len(w.watcher.seen)-1]
	if !slices.Equal(last.States, h.States) || bits(last) != bits(h) {
		t.Error("what was seen last is not what is left")
	}
}
