package planner_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"occlude/internal/network"
	"occlude/planner"
)

// TestSurvey plans for random networks, some of whose layers change at some positions only,
// and compares what layers are said to compute with the sums over all positions.
func TestSurvey(t *testing.T) {
	folder(t)
	w := newWorld(t)
	partly := 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 4))
		w.models["r"] = random(rng)
		rule := []string{"plan = incremental", "plan = full", "tau = 0.5"}[rng.IntN(3)]
		where := []string{"", "WHERE (x + 2 * y) % 3 < 2"}[rng.IntN(2)]
		p, err := w.plan(fmt.Sprintf("OCCLUDE 'scan.png' USING r FOR TOP 1 PATCH %d STRIDE %d %s WITH (%s);", 1+rng.IntN(4), 1+rng.IntN(2), where, rule))
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		q := p.(*planner.Occlude)
		c := q.Chosen()
		want := make([]planner.LayerEstimate, len(q.Net.Layers))
		for _, at := range q.Grid.Positions {
			rects, _ := c.Rects.At(q.Net, q.Grid.Rect(at), nil)
			for i, l := range q.Net.Layers[1:] {
				if r := rects[i+1]; !r.Empty() {
					e := &want[i+1]
					e.Work, e.Cells, e.Runs = e.Work.Plus(l.Work(r)), e.Cells+int64(r.Area()), e.Runs+1
					if r.IsWhole(l.Shape.H, l.Shape.W) {
						e.Whole++
					}
				}
			}
		}
		for i, e := range c.Layers {
			got := planner.LayerEstimate{Work: e.Work, Cells: e.Cells, Runs: e.Runs, Whole: e.Whole}
			if _, input := q.Net.Layers[i].Op.(network.Input); !input && got != want[i] {
				t.Errorf("seed %d, %s: %+v, summed up %+v", seed, q.Net.Layers[i], got, want[i])
			}
			if e.Runs > 0 && e.Runs < int64(len(q.Grid.Positions)) {
				partly++
			}
		}
	}
	if partly < 20 {
		t.Errorf("%d layers change at some positions only: the test says little", partly)
	}
}
