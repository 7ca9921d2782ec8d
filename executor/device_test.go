package executor_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/model"
	"occlude/internal/network/networktest"
	"occlude/internal/store"
	"occlude/lang"
	"occlude/operators/gpu"
	"occlude/operators/gpu/devices"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
	"occlude/planner"
	"occlude/planner/explain"
)

// lab is a bench with one model of a random network, which a GPU in software computes, too, and
// a picture for it.
type lab struct {
	*bench
	gpu    *soft.Device
	warned []string
}

// newLab makes one of the first networks from a seed on that takes images and that a GPU
// computes.
func newLab(t *testing.T, seed uint64, o networktest.Options) *lab {
	t.Helper()
	for ; ; seed += 1000 {
		net := networktest.Random(rand.New(rand.NewPCG(seed, 4)), o)
		in := net.Input().Shape
		if in.C != 1 && in.C != 3 || gpu.Check(net) != nil {
			continue
		}
		l := &lab{bench: newBench(t), gpu: &soft.Device{}}
		m := &model.Model{Name: "m", Hash: fmt.Sprintf("%x", seed), Net: net, Classes: net.Output.Shape.Len(), Output: model.OutputProbabilities, Spec: specFor(in)}
		l.session.Warn = func(err error) { l.warned = append(l.warned, err.Error()) }
		l.session.Devices = devices.New(func(n int) (driver.Driver, error) {
			if n > 0 {
				return nil, &driver.Absent{Reason: "there is one GPU"}
			}
			return l.gpu, nil
		})
		l.env.Catalog, l.env.Devices, l.env.Cache = single{m}, l.session, l.session
		l.planner = planner.New(l.env)
		colourful(t, "picture.png", 24, seed)
		return l
	}
}

// on runs a query that returns one heat map on a device.
func (l *lab) on(device, query string) *executor.HeatMap {
	l.t.Helper()
	l.run("SET device = '" + device + "';")
	h := l.one(query)
	if got := h.Plan.Device; got != device {
		l.t.Fatalf("%s\nwas computed on %s, not on %s: %s", query, got, device, l.warned)
	}
	return h
}

// agree demands that two maps are as near as those of different devices have to be.
func (l *lab) agree(query string, a, b *executor.HeatMap) {
	l.t.Helper()
	if d, err := distance(a, b); err != nil || !(d <= 1e-4) {
		l.t.Errorf("%s\ndiffers by %g, %v", query, d, err)
	}
	if !slices.Equal(a.States, b.States) {
		l.t.Errorf("%s\nhas other states", query)
	}
}

// held is what the GPU holds when nothing is kept any more.
func (l *lab) held() int64 {
	l.t.Helper()
	l.run("CLEAR CACHE;")
	now, _ := l.gpu.Held()
	return now
}

// pick takes one of some.
func pick[T any](rng *rand.Rand, all ...T) T { return all[rng.IntN(len(all))] }

// query makes up a query about a model, which both devices answer alike.
func query(rng *rand.Rand, m *model.Model) string {
	var b strings.Builder
	in, classes := m.Net.Input().Shape, m.Classes
	w, h := 1+rng.IntN(min(6, in.W)), 1+rng.IntN(min(6, in.H))
	b.WriteString("OCCLUDE 'picture.png' USING m")
	switch rng.IntN(3) {
	case 0:
		fmt.Fprintf(&b, " FOR CLASS %d", rng.IntN(classes))
	case 1:
		fmt.Fprintf(&b, " FOR TOP %d", 1+rng.IntN(classes))
	}
	fmt.Fprintf(&b, " PATCH %dx%d", w, h)
	listed := rng.IntN(5) == 0
	if !listed {
		fmt.Fprintf(&b, " STRIDE %dx%d", 1+rng.IntN(4), 1+rng.IntN(4))
	}
	b.WriteString(pick(rng, "", " FILL mean(patch)", " FILL mean(image)", " FILL blur(2)", " FILL noise(3)", " FILL image('other.png')", " FILL rgb(1, 200, 30)"))
	switch {
	case listed:
		fmt.Fprintf(&b, " AT (0, 0), (%d, %d), (0, %d)", in.W-w, in.H-h, in.H-h)
	case rng.IntN(3) == 0:
		b.WriteString(" WHERE x BETWEEN 2 AND 5 OR y < 2")
	}
	if !listed && rng.IntN(3) == 0 {
		b.WriteString(" PROGRESSIVE")
	}
	fmt.Fprintf(&b, " WITH (%s", pick(rng, "plan = full", "plan = incremental", "tau = 0.6"))
	if n := rng.IntN(3); n > 0 {
		fmt.Fprintf(&b, ", batch = %d", []int{1, 7}[n-1])
	}
	b.WriteString(");")
	return b.String()
}

// Queries of all kinds have the same answer on a GPU, and leave nothing there.
func TestDevicesAgree(t *testing.T) {
	networks := uint64(12)
	if testing.Short() {
		networks = 3
	}
	for seed := range networks {
		l := newLab(t, seed, networktest.Options{Blocks: 4})
		colourful(t, "other.png", 30, seed+1)
		rng := rand.New(rand.NewPCG(seed, 5))
		for range 4 {
			q := query(rng, l.env.Catalog.Models()[0])
			l.run("SET view_cache = " + pick(rng, "off", "'64MB'") + ";")
			l.agree(q, l.on("cpu", q), l.on("cuda:0", q))
		}
		if n := l.held(); n != 0 {
			t.Errorf("seed %d: %d bytes stay on the GPU", seed, n)
		}
		if len(l.warned) > 0 {
			t.Errorf("seed %d: %s", seed, l.warned)
		}
	}
}

// A map's bits are the same for any batch and number of workers, and for views that were kept.
func TestSameBitsOnDevice(t *testing.T) {
	for seed := range uint64(2) {
		l := newLab(t, 50+seed, networktest.Options{Blocks: 4})
		for _, plan := range []string{"plan = full", "plan = incremental", "tau = 0.7"} {
			want := ""
			for _, more := range []string{"", ", batch = 1", ", batch = 1000", ", threads = 1, batch = 3"} {
				h := l.on("cuda:0", "OCCLUDE 'picture.png' USING m FOR TOP 2 PATCH 5 STRIDE 3 WITH ("+plan+more+");")
				if got := bits(h); want == "" {
					want = got
				} else if got != want {
					t.Errorf("seed %d: %s%s has other bits", seed, plan, more)
				}
			}
		}
	}
}

// Plans of several stages on a GPU compute each position as a plan of one does: drilling
// down, sampling, which does without sketches there, and checks.
func TestDeviceStages(t *testing.T) {
	l := newLab(t, 70, networktest.Options{Side: 24, Blocks: 4})
	const grid = "OCCLUDE 'picture.png' USING m FOR TOP 2 PATCH 5 STRIDE 1 "
	whole := l.on("cuda:0", grid+"WITH (plan = incremental);")
	for _, goal := range []string{
		"WITH (drill_down = 0.3, speedup = 1.5)", "PROGRESSIVE WITH (drill_down = 0.2, speedup = 2)",
		"SSIM >= 0.9", "SSIM >= 0.8 VERIFY ALL", "SSIM >= 0.9 VERIFY 5 POSITIONS", "WITHIN 20 SECONDS",
	} {
		h := l.on("cuda:0", grid+goal+";")
		exact := 0
		for i, state := range h.States {
			if state != executor.Exact {
				continue
			}
			exact++
			for k, c := range h.Classes {
				if c.P[i] != whole.Classes[k].P[i] {
					t.Fatalf("%s: position %d is %v, not %v", goal, i, c.P[i], whole.Classes[k].P[i])
				}
			}
		}
		if exact == 0 || h.Actual.BackwardMACs != 0 {
			t.Errorf("%s: %d exact positions, %d multiply-adds of a backward pass", goal, exact, h.Actual.BackwardMACs)
		}
	}
	if n := l.held(); n != 0 {
		t.Errorf("%d bytes stay on the GPU", n)
	}
}

// Statements that are made of heat maps compute them on a GPU, too.
func TestStatementsOnDevice(t *testing.T) {
	l := newLab(t, 71, networktest.Options{Side: 24, Blocks: 4})
	l.session.Store = store.Open("data/occlude.db")
	colourful(t, "other.png", 24, 5)
	const grid = "OCCLUDE 'picture.png' USING m PATCH 5 STRIDE 3"
	l.run("SET device = 'cuda:0';")

	c := l.run("COMPARE (" + grid + " WITH (device = 'cpu')) WITH (" + grid + ");")[0].(*executor.Comparison)
	if a, b := c.First.Plan.Device, c.Second.Plan.Device; a != "cpu" || b != "cuda:0" || !(math.Abs(c.Classes[0].Difference) <= 1e-4) {
		t.Errorf("COMPARE: on %s and %s, apart by %g", a, b, c.Classes[0].Difference)
	}

	b := l.run("BENCHMARK (RUNS 2, WARMUP 1) " + grid + ";")[0].(*executor.Benchmark)
	for i, a := range b.Plan.Alternatives {
		if m := b.Plans[i]; a.Query.Device != "cuda:0" && a.Chosen || len(m.Seconds) != 2 || !(m.Difference <= 1e-4) {
			t.Errorf("BENCHMARK: %s on %s: %+v", a.Name, a.Query.Device, m)
		}
	}

	e := l.run("EVALUATE (" + grid + " FOR TOP 2) USING deletion, insertion WITH (steps = 6);")[0].(*executor.Evaluation)
	l.run("SET device = 'cpu';")
	same := l.run("EVALUATE (" + grid + " FOR TOP 2) USING deletion, insertion WITH (steps = 6);")[0].(*executor.Evaluation)
	if e.Plan.Query.Device != "cuda:0" || len(e.Scores) != len(same.Scores) {
		t.Fatalf("EVALUATE: %d and %d scores, on %s", len(e.Scores), len(same.Scores), e.Plan.Query.Device)
	}
	for i, s := range e.Scores {
		if d := math.Abs(s.Value - same.Scores[i].Value); !(d <= 1e-3) {
			t.Errorf("EVALUATE: score %d is %g, on the processor %g", i, s.Value, same.Scores[i].Value)
		}
	}

	l.run("SET device = 'cuda:0';")
	const into = "OCCLUDE '*.png' USING m PATCH 5 STRIDE 3 INTO TABLE maps WITH (plan = incremental);"
	if f := l.fill(into); f.Computed != 2 {
		t.Errorf("INTO TABLE: %+v", f)
	}
	if f := l.fill(into); f.Skipped != 2 {
		t.Errorf("INTO TABLE again: %+v", f)
	}
	l.kept("maps", l.one(grid+" WITH (plan = incremental);"))

	x := l.run("EXPLAIN ANALYZE " + grid + ";")[0].(*executor.Explanation)
	chosen, a := x.Plan.Query.Chosen(), x.Actual
	d := a.Base.Device.Plus(a.Updates.Device)
	if a.OnDevice == nil || chosen.Estimate.OnGPU == nil || d.Launches == 0 || d.Down == 0 {
		t.Fatalf("EXPLAIN ANALYZE: %+v", a)
	}
	for i, layer := range x.Plan.Query.Net.Layers {
		if runs := a.Updates.Layers[i].Runs; runs > 0 && i > 0 && a.Updates.Layers[i].Nanos <= 0 {
			t.Errorf("EXPLAIN ANALYZE: %s took no time at %d positions", layer, runs)
		}
	}
	var text strings.Builder
	if err := explain.New(x.Plan, a).Text(&text); err != nil || !strings.Contains(text.String(), "\nDid       cuda:0: ") {
		t.Errorf("EXPLAIN ANALYZE: %v\n%s", err, text.String())
	}
	if n := l.held(); n != 0 {
		t.Errorf("%d bytes stay on the GPU", n)
	}
	if len(l.warned) > 0 {
		t.Errorf("warned of %s", l.warned)
	}
}

// ANALYZE MODEL measures the GPU that SET device names, and plans go by what it found.
func TestAnalyzeOnDevice(t *testing.T) {
	l := newLab(t, 72, networktest.Options{Side: 16, Blocks: 4})
	l.session.Store = store.Open("data/occlude.db")
	const q = "OCCLUDE 'picture.png' USING m PATCH 3 STRIDE 2;"
	before := l.on("cuda:0", q).Plan.Chosen().Estimate
	results := l.run("SET view_cache = off; ANALYZE MODEL m PATCH 3 STRIDE 2;")[1:]
	constants, predictions := results[0].(*executor.Relation), results[1].(*executor.Relation)
	changed := 0
	for _, row := range constants.Rows {
		if !(row[3].(float64) >= 0) {
			t.Errorf("%v", row)
		}
		if row[2] != row[3] {
			changed++
		}
	}
	if changed < 3 || len(predictions.Rows) < 5 {
		t.Errorf("constants %v, predictions %v", constants.Rows, predictions.Rows)
	}
	if text := results[2].(executor.Message).Text; !strings.HasPrefix(text, "ANALYZE MODEL m: calibrated cuda:0 (software device); ") {
		t.Error(text)
	}
	rows := l.run("SHOW CALIBRATION;")[0].(*executor.Relation).Rows
	if r := rows[0]; r[0] != "software device" || r[2] != "cuda" || r[3] != "device" || r[9] != "here" {
		t.Errorf("SHOW CALIBRATION: %v", r)
	}
	l.run("CLEAR CACHE;")
	after := l.on("cuda:0", q).Plan.Chosen().Estimate
	if after.Seconds == before.Seconds || after.Least/after.Seconds == before.Least/before.Seconds {
		t.Errorf("expected are %g s, from %g s on, as before", after.Seconds, after.Least)
	}
	if n := l.held(); n != 0 {
		t.Errorf("%d bytes stay on the GPU", n)
	}
	if len(l.warned) > 0 {
		t.Errorf("warned of %s", l.warned)
	}
}

// The heat maps of a sample are computed on the GPU that is measured, and tell the same of quality;
// where they do not fit there, the processor computes them.
func TestSampleOnDevice(t *testing.T) {
	const analyze = "SET view_cache = off; ANALYZE MODEL m USING SAMPLE 1 FROM 'picture.png' PATCH 5 STRIDE 2;"
	var want [][]any
	for _, device := range []string{"cpu", "cuda:0"} {
		l := newLab(t, 72, networktest.Options{Side: 16, Blocks: 4})
		l.session.Store = store.Open("data/occlude.db")
		script, diagnostics := lang.Parse("test", analyze)
		if err := diagnostics.Err(); err != nil {
			t.Fatal(err)
		}
		l.run("SET device = '" + device + "';")
		p, err := l.planner.Plan(t.Context(), script.Statements[1])
		if err != nil {
			t.Fatal(err)
		}
		sample := p.(*planner.Analyze).Sample
		for _, q := range append(sample.Thresholded, sample.Exact) {
			if q.Device != device || (q.Chosen().Device != nil) != (device != "cpu") {
				t.Errorf("with device %s, %s is planned on %s", device, q.Chosen().Name, q.Device)
			}
		}
		results := l.run(analyze)
		rows := results[3].(*executor.Relation).Rows
		if want == nil {
			want = rows
		}
		for i, row := range rows {
			for _, column := range []int{0, 2, 3, 5} { // tau, and means and least of both metrics
				if a, b := row[column].(float64), want[i][column].(float64); !(math.Abs(a-b) <= 1e-3) {
					t.Errorf("on %s row %d is %v, want %v", device, i, row, want[i])
				}
			}
		}
		if n := l.held(); n != 0 {
			t.Errorf("%d bytes stay on the GPU", n)
		}
		if len(l.warned) > 0 {
			t.Errorf("warned of %s", l.warned)
		}
	}
}
