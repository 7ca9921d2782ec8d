package executor_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"occlude/executor"
)

// bits are a heat map's values as they are in memory.
func bits(h *executor.HeatMap) string {
	var b strings.Builder
	for _, c := range h.Classes {
		fmt.Fprintf(&b, "%d %08x:", c.ID, math.Float32bits(c.P0))
		for _, p := range c.P {
			fmt.Fprintf(&b, " %08x", math.Float32bits(p))
		}
	}
	return b.String()
}

func TestSameBitsForAnyThreadsAndBatch(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	allThreads, batches := []int{1, 2, 3, 7}, []string{"", ", batch = 1", ", batch = 5", ", batch = 1000"}
	if testing.Short() {
		allThreads, batches = []int{1, 3}, []string{"", ", batch = 1"}
	}
	for plan, stride := range map[string]int{"incremental": 30, "full": 104} {
		want := ""
		for _, threads := range allThreads {
			b.run(fmt.Sprintf("SET threads = %d;", threads))
			for _, batch := range batches {
				h := b.one(fmt.Sprintf("OCCLUDE 'examples/images/cavity.png' USING chest FOR TOP 2 STRIDE %d WITH (plan = %s%s);", stride, plan, batch))
				if got := bits(h); want == "" {
					want = got
				} else if got != want {
					t.Errorf("plan %s%s with %d threads gives other bits", plan, batch, threads)
				}
				if h.Plan.Threads != threads || h.Plan.Chosen().Name != plan {
					t.Errorf("plan %s with %d threads for %s with %d", h.Plan.Chosen().Name, h.Plan.Threads, plan, threads)
				}
			}
		}
	}
}

// Every way to put and fill the patch, under both plans.
func TestFullAndIncrementalAgree(t *testing.T) {
	long(t)
	b := newBench(t)
	b.run(chest)
	colourful(t, "colours.png", 224, 1)
	colourful(t, "other.png", 100, 2)
	for _, clauses := range []string{
		"STRIDE 104",
		"STRIDE 104 FILL black",
		"STRIDE 104 FILL white",
		"STRIDE 104 FILL '#7f7f7f'",
		"STRIDE 104 FILL #ff2000",
		"STRIDE 104 FILL rgb(10, 200.5, 90)",
		"STRIDE 104 FILL mean(image)",
		"STRIDE 104 FILL mean(patch)",
		"STRIDE 104 FILL blur(4)",
		"STRIDE 104 FILL noise(7)",
		"STRIDE 104 FILL image('other.png')",
		"FOR TOP 5 STRIDE 104",
		"FOR CLASS 'cavity' STRIDE 104",
		"FOR CLASS 0 STRIDE 104",
		"PATCH 31x9 STRIDE 97x110",
		"PATCH 1 STRIDE 111",
		"PATCH 100x224 STRIDE 124",
		"PATCH 224 STRIDE 1",
		"STRIDE 100 WITH (edge = drop)",
		"STRIDE 8 WHERE x BETWEEN 100 AND 110 AND (y < 20 OR y > 200)",
		"AT (0, 0), (208, 0), (0, 208), (208, 208), (101, 97), (101, 97)",
	} {
		query := "OCCLUDE 'colours.png' USING chest " + clauses
		with := func(plan string) *executor.HeatMap {
			if q, ok := strings.CutSuffix(query, ")"); ok && strings.Contains(query, "WITH (") {
				return b.one(q + ", plan = " + plan + ");")
			}
			return b.one(query + " WITH (plan = " + plan + ");")
		}
		full, incremental := with("full"), with("incremental")
		if d, err := distance(full, incremental); err != nil || !(d <= 1e-5) {
			t.Errorf("%s: the plans differ by %g, %v", query, d, err)
		}
		if n := len(full.Plan.Grid.Positions); full.Actual.Positions != n || len(full.Classes[0].P) != n {
			t.Errorf("%s: %d positions asked for, %d computed", query, n, full.Actual.Positions)
		}
	}
}

// Workers get their memory at once, and need hardly more, whichever of the batches is
// the one that takes the most.
func TestWorkersKeepToTheirMemory(t *testing.T) {
	b := newBench(t)
	b.run(chest + "SET threads = 1;")
	for _, query := range []string{
		"PATCH 40 STRIDE 26 WITH (plan = 'incremental', batch = 64, convolution = 'F(4x4)');",
		"PATCH 40 STRIDE 14 WITH (plan = 'incremental', batch = 64, convolution = 'F(4x4)');",
		"PATCH 56 STRIDE 20 WITH (plan = 'incremental', batch = 64, convolution = 'F(6x6)');",
	} {
		h := b.one("OCCLUDE 'examples/images/nodule.png' USING chest " + query)
		if held, expected := h.Actual.Memory.Workers, h.Plan.Chosen().Estimate.Memory.Workers; float64(held) > 1.05*float64(expected) {
			t.Errorf("%s: %d bytes held, %d expected", query, held, expected)
		}
	}
}

// The work that was predicted is the work that is done.
func TestActualWorkIsEstimated(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, plan := range []string{"full", "incremental"} {
		for _, threads := range []int{1, 3} {
			b.run(fmt.Sprintf("SET threads = %d;", threads))
			h := b.one(fmt.Sprintf("OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104 WITH (plan = %s);", plan))
			e := h.Plan.Chosen().Estimate
			if h.Actual.MACs() != e.MACs || h.Actual.Base.MACs() != e.BaseMACs {
				t.Errorf("%s: %d multiply-adds (%d base) for %d (%d)", plan, h.Actual.MACs(), h.Actual.Base.MACs(), e.MACs, e.BaseMACs)
			}
			if h.Actual.ViewBytes != e.ViewBytes {
				t.Errorf("%s: views of %d bytes for %d", plan, h.Actual.ViewBytes, e.ViewBytes)
			}
			if share := float64(h.Actual.PeakBytes) / float64(e.PeakBytes); share < 0.9 || share > 1.1 {
				t.Errorf("%s, %d threads: %+v held, %+v expected", plan, threads, h.Actual.Memory, e.Memory)
			}
			if h.Actual.UpdateSeconds <= 0 || h.Actual.BaseSeconds <= 0 || h.Actual.UpdateSeconds+h.Actual.BaseSeconds > h.Actual.Run {
				t.Errorf("%s: %+v", plan, h.Actual)
			}
		}
	}
}

// Full inference reads no view, so its bits do not tell whether there are some: a mean of
// the image, for one, could go by that of the clean image.
func TestFullReadsNoViews(t *testing.T) {
	b := newKeeping(t)
	colourful(t, "colours.png", 30, 1)
	b.grayModel("gray.onnx", 30)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw);")
	const query = "OCCLUDE 'colours.png' USING g FOR CLASS 0 PATCH 4 STRIDE 1 WITH (plan = full);"
	kept := b.one(query)
	b.run("SET view_cache = off;")
	if bits(b.one(query)) != bits(kept) {
		t.Error("other bits where views are kept")
	}
}
