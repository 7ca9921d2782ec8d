package executor_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"occlude/executor"
	"occlude/internal/network/networktest"
	"occlude/lang"
	"occlude/operators/gpu/driver"
	"occlude/planner"
)

// planned plans the last of some statements after the others have run.
func (l *lab) planned(text string) planner.Plan {
	l.t.Helper()
	script, diagnostics := lang.Parse("test", text)
	if err := diagnostics.Err(); err != nil {
		l.t.Fatal(err)
	}
	for i, s := range script.Statements {
		p, err := l.bench.planner.Plan(l.t.Context(), s)
		if err != nil {
			l.t.Fatal(err)
		}
		if i == len(script.Statements)-1 {
			return p
		}
		if err := l.session.Run(l.t.Context(), p, func(executor.Result) error { return nil }); err != nil {
			l.t.Fatal(err)
		}
	}
	return nil
}

// execute runs a plan that returns a heat map.
func (l *lab) execute(ctx context.Context, p planner.Plan) (h *executor.HeatMap, err error) {
	err = l.session.Run(ctx, p, func(r executor.Result) error {
		h = r.(*executor.HeatMap)
		return nil
	})
	return h, err
}

const covered = "OCCLUDE 'picture.png' USING m FOR TOP 2 PATCH 5 STRIDE 2 WITH (plan = incremental, batch = 24"

// A GPU that has less memory than when the plan was made, for others use it, too, computes
// fewer positions at a time; one that has not enough for anything leaves the query to the
// processor, which is said once.
func TestDeviceMemoryRunsOut(t *testing.T) {
	l := newLab(t, 60, networktest.Options{Blocks: 4})
	l.run("SET view_cache = off;")
	want := l.on("cuda:0", covered+");")
	weights, _ := l.gpu.Held()
	_, most := l.gpu.Held()
	for _, share := range []float64{0.9, 0.6, 0.3} {
		for _, threads := range []int{1, 2} {
			l.gpu.Limit = 0
			p := l.planned(fmt.Sprintf("%s, threads = %d);", covered, threads)).(*planner.Occlude)
			arenas := p.Chosen().ArenaBytes * int64(p.Threads)
			l.gpu.Limit = most - int64((1-share)*float64(arenas))
			h, err := l.execute(t.Context(), p)
			if err != nil {
				t.Fatalf("with %g of the memory: %v", share, err)
			}
			if bits(h) != bits(want) || h.Plan.Device != "cuda:0" {
				t.Errorf("with %g of the memory another map, of %s", share, h.Plan.Device)
			}
		}
	}
	if len(l.warned) > 0 {
		t.Errorf("warned of %s", l.warned)
	}
	processor := l.on("cpu", covered+");")
	for range 2 {
		l.gpu.Limit = 0
		p := l.planned("SET device = 'cuda:0'; " + covered + ");")
		l.gpu.Limit = weights + 1000
		h, err := l.execute(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		if bits(h) != bits(processor) || h.Plan.Device != "cpu" || !strings.Contains(h.Plan.NoDevice, "too little memory") {
			t.Errorf("another map, of %s: %s", h.Plan.Device, h.Plan.NoDevice)
		}
	}
	l.gpu.Limit = 0
	p := l.planned(covered + ", device = 'cuda:0');")
	l.gpu.Limit = weights + 1000
	if _, err := l.execute(t.Context(), p); !errors.Is(err, driver.ErrMemory) {
		t.Errorf("a hint demands the GPU: %v", err)
	}
	if len(l.warned) != 1 || !strings.Contains(l.warned[0], "cuda:0 (software device)") || !strings.Contains(l.warned[0], "computed on the processor instead") {
		t.Errorf("warned of %s", l.warned)
	}
}

// What is kept on a GPU for others makes room for a query, what was used the longest ago first.
func TestDeviceMakesRoom(t *testing.T) {
	l := newLab(t, 61, networktest.Options{Blocks: 4})
	for n := range 4 {
		colourful(t, fmt.Sprintf("%d.png", n), 24, uint64(n))
	}
	one := func(n int) *executor.HeatMap {
		return l.on("cuda:0", fmt.Sprintf("OCCLUDE '%d.png' USING m PATCH 5 STRIDE 2 WITH (threads = 1, batch = 2);", n))
	}
	first := one(0)
	need, views := first.Actual.OnDevice.Total(), first.Actual.OnDevice.Views
	now, most := l.gpu.Held()
	if m := first.Actual.OnDevice; now != m.Weights+m.Views || most < now {
		t.Errorf("%d bytes are held, at most %d, of %+v", now, most, m)
	}
	l.gpu.Limit = need*17/16 + 3*views/2
	left := int((l.gpu.Limit-need)/views) + 1 // with those of the last query
	for n := 1; n < 4; n++ {
		one(n)
	}
	if len(l.warned) > 0 {
		t.Errorf("warned of %s", l.warned)
	}
	images := map[string]bool{}
	for _, r := range l.run("SHOW CACHE;")[0].(*executor.Relation).Rows {
		if r[4] != "cuda:0" || r[6] == 0 {
			t.Errorf("kept is %v", r)
		}
		if r[0] == "views" {
			images[r[2].(string)] = true
		}
	}
	if len(images) != left || left > 3 || !images["3.png"] || !images["2.png"] {
		t.Errorf("views of %v are kept, not of %d", images, left)
	}
	if h := one(3); !h.Actual.Kept {
		t.Error("the views are made again")
	}
	if n := l.held(); n != 0 {
		t.Errorf("%d bytes stay", n)
	}
}

// A device that fails ends the query, by its name. One that is lost is not used again.
func TestDeviceFails(t *testing.T) {
	l := newLab(t, 62, networktest.Options{Blocks: 4})
	want := l.on("cuda:0", covered+");")
	fault := func(err error) {
		n := 0
		l.gpu.Before = func(string) error {
			if n++; n == 3 {
				return err
			}
			return nil
		}
	}
	fault(errors.New("a bad day"))
	err := l.fails(covered + ", threads = 1);")
	if text := err.Error(); !strings.Contains(text, "cuda:0 (software device): ") || !strings.Contains(text, "a bad day") {
		t.Errorf("the error is %v", err)
	}
	l.gpu.Before = nil
	if h := l.on("cuda:0", covered+");"); bits(h) != bits(want) {
		t.Error("another map after a fault")
	}
	fault(fmt.Errorf("%w: it fell off the bus", driver.ErrLost))
	if err := l.fails(covered + ", threads = 1);"); !errors.Is(err, driver.ErrLost) || !strings.Contains(err.Error(), "cuda:0 (software device): ") {
		t.Errorf("the error is %v", err)
	}
	for range 2 {
		h := l.one(covered + ");")
		if h.Plan.Device != "cpu" || !strings.Contains(h.Plan.NoDevice, "fell off the bus") {
			t.Errorf("computed on %s: %s", h.Plan.Device, h.Plan.NoDevice)
		}
		l.agree(covered, h, want)
	}
	if len(l.warned) != 1 || !strings.Contains(l.warned[0], "lost") {
		t.Errorf("warned of %s", l.warned)
	}
	rows := l.run("SHOW DEVICES;")[0].(*executor.Relation).Rows
	if len(rows) != 2 || rows[0][0] != "cpu" || rows[0][4] != true || rows[1][0] != "cuda:0" || rows[1][4] != false || !strings.Contains(fmt.Sprint(rows[1]), "fell off the bus") {
		t.Errorf("the devices are %v", rows)
	}
	l.run("SHOW CACHE; CLEAR CACHE;")
}

// Of a driver that does not take the kernels the planner knows once a query has tried.
func TestDeviceTakesNoKernels(t *testing.T) {
	l := newLab(t, 62, networktest.Options{Blocks: 4})
	want := l.on("cpu", covered+");")
	l.gpu.Unready = errors.New("CUDA error 222")
	l.run("SET device = 'cuda:0';")
	if err := l.fails(covered + ");"); !errors.Is(err, driver.ErrKernels) || !strings.Contains(err.Error(), "cuda:0 (software device): ") {
		t.Errorf("the error is %v", err)
	}
	for range 2 {
		if h := l.one(covered + ");"); bits(h) != bits(want) || h.Plan.Device != "cpu" || !strings.Contains(h.Plan.NoDevice, "does not take the kernels: CUDA error 222") {
			t.Errorf("another map, of %s: %s", h.Plan.Device, h.Plan.NoDevice)
		}
	}
	if len(l.warned) != 1 {
		t.Errorf("warned of %s", l.warned)
	}
	if rows := l.run("SHOW DEVICES;")[0].(*executor.Relation).Rows; rows[1][4] != false || !strings.Contains(fmt.Sprint(rows[1]), "CUDA error 222") {
		t.Errorf("the devices are %v", rows)
	}
}

// A context that ends leaves a part of the map, and nothing at work.
func TestDeviceIsInterrupted(t *testing.T) {
	l := newLab(t, 63, networktest.Options{Blocks: 4})
	whole := l.on("cuda:0", covered+");")
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	l.gpu.Before = func(string) error {
		if n++; n == 40 {
			cancel()
		}
		return nil
	}
	start := time.Now()
	h, err := l.execute(ctx, l.planned("OCCLUDE 'picture.png' USING m FOR TOP 2 PATCH 5 STRIDE 2 WITH (plan = incremental, batch = 4, threads = 1);"))
	if stopped := (*executor.Interrupted)(nil); !errors.As(err, &stopped) || h == nil || !h.Partial || h.Count(executor.Missing) == 0 {
		t.Fatalf("after %v: %v", time.Since(start), err)
	}
	for i, state := range h.States {
		if state == executor.Exact && h.Classes[0].P[i] != whole.Classes[0].P[i] {
			t.Fatalf("position %d is another one", i)
		}
	}
	l.gpu.Before = nil
	if n := l.held(); n != 0 {
		t.Errorf("%d bytes stay", n)
	}
}
