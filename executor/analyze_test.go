package executor_test

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"occlude/executor"
	"occlude/internal/curve"
	"occlude/internal/quality"
	"occlude/internal/store"
	"occlude/planner"
)

// stored makes the session of a bench keep measurements in a file.
func stored(t *testing.T, b *bench, path string) *bench {
	t.Helper()
	b.session.Store = store.Open(path)
	t.Cleanup(func() { b.session.Store.Close() })
	return b
}

// known is what a store holds of the example's model.
func known(b *bench) (calibrated bool, curves []curve.Curve) {
	b.t.Helper()
	m, ok := b.session.Lookup("chest")
	if !ok {
		b.t.Fatal("there is no model")
	}
	p := b.session.Profile(context.Background(), m.Hash, b.session.Settings.Kernels())
	return p != nil, b.session.Curves(context.Background(), m.Hash)
}

func figures(t *testing.T, exact, other *executor.HeatMap) quality.Figures {
	t.Helper()
	g := exact.Plan.Grid
	of := func(h *executor.HeatMap) quality.Map { return quality.Map{W: g.Cols(), H: g.Rows(), P: h.Classes[0].P} }
	f, err := quality.Compare(of(exact), of(other), &quality.Picture{X: g.X, Y: g.Y, PatchW: g.PatchW, PatchH: g.PatchH,
		Width: g.Width, Height: g.Height, P0: exact.Classes[0].P0})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// What ANALYZE MODEL measures is what the queries themselves give, and a later session
// knows it.
func TestAnalyze(t *testing.T) {
	long(t)
	path := filepath.Join(t.TempDir(), "data", "occlude.db")
	b := stored(t, newBench(t), path)
	b.run(chest)
	results := b.run("ANALYZE MODEL chest USING SAMPLE 2 FROM 'examples/images/nodule*.png' PATCH 32 STRIDE 32 FILL black;")
	if len(results) != 4 {
		t.Fatalf("%d results", len(results))
	}
	said := results[3].(executor.Message).Text
	if !strings.Contains(said, "2 images of the 2 that fit") || !strings.Contains(said, "seed 42") {
		t.Error(said)
	}
	table := results[2].(*executor.Relation)
	if len(table.Rows) != len(curve.Taus()) {
		t.Fatalf("%v", table.Rows)
	}
	for i, tau := range curve.Taus() {
		var sum, krypton float64
		worst := math.Inf(1)
		for _, image := range []string{"nodule", "nodule-2"} {
			query := "OCCLUDE 'examples/images/" + image + ".png' USING chest PATCH 32 STRIDE 32 FILL black"
			h := b.one(query + ";")
			if i == 0 {
				sum, krypton, worst = sum+1, krypton+1, 1
				continue
			}
			f := figures(t, h, b.one(query+" WITH (tau = "+executor.Text(tau)+");"))
			sum, krypton, worst = sum+f.SSIM, krypton+f.SSIMKrypton, min(worst, f.SSIM)
		}
		row := table.Rows[i]
		// The calibration may have changed algorithms, and with them the last digits.
		near := func(column int, want float64) {
			if got := row[column].(float64); math.Abs(got-want) > 1e-3 {
				t.Errorf("at tau %g %s is %g, want %g", tau, table.Columns[column], got, want)
			}
		}
		near(0, tau)
		near(2, sum/2)
		near(3, worst)
		near(5, krypton/2)
	}
	later := stored(t, newSession(t), path)
	later.run(chest)
	h := later.one("OCCLUDE 'examples/images/clear.png' USING chest PATCH 32 STRIDE 32 FILL black;")
	if p := h.Plan.Profile; !p.Calibrated() || p.Model != "chest" || p.PerPicture <= 0 || p.PerImage <= 0 {
		t.Errorf("a later session plans with %+v", p)
	}
	c, ok := later.session.Curve(context.Background(), h.Plan.CurveKey(curve.SSIM))
	if !ok || c.Points[3].Mean != table.Rows[3][2] || len(c.Sample.Images) != 2 || c.Sample.Files != "examples/images/nodule*.png" {
		t.Errorf("a later session knows the curve %+v, %v", c, ok)
	}
	if d := later.run("DESCRIBE MODEL chest;")[0].(executor.Description).Plan; len(d.Curves) != 2 || !d.Profile.Calibrated() {
		t.Errorf("DESCRIBE MODEL has %d curves", len(d.Curves))
	}
	elsewhere := later.one("OCCLUDE 'examples/images/clear.png' USING chest PATCH 32 STRIDE 16 FILL black;").Plan.CurveKey(curve.SSIM)
	if _, ok := later.session.Curve(context.Background(), elsewhere); ok {
		t.Error("another stride has the curve, too")
	}
	// The same file, created in another way, has no curves, and the machine's rates.
	later.run("CREATE MODEL plain FROM 'examples/models/chest.onnx';")
	d := later.run("DESCRIBE MODEL plain;")[0].(executor.Description).Plan
	if len(d.Curves) != 0 || !d.Profile.Calibrated() {
		t.Errorf("another preprocessing has %d curves, calibrated %v", len(d.Curves), d.Profile.Calibrated())
	}
}

// ender ends a context with the first positions of a part.
type ender struct {
	part              int64 // from 1
	started, finished atomic.Int64
	cancel            context.CancelFunc
}

func (e *ender) Start(string, int)     { e.started.Add(1) }
func (e *ender) Expect(int)            {}
func (e *ender) Next(string, int, int) {}
func (e *ender) Finish()               { e.finished.Add(1) }
func (e *ender) Add(n int) {
	if n > 0 && e.started.Load() >= e.part {
		e.cancel()
	}
}

// An ANALYZE MODEL that is interrupted, in either half, leaves nothing behind.
func TestAnalyzeInterrupted(t *testing.T) {
	b := stored(t, newBench(t), filepath.Join(t.TempDir(), "occlude.db"))
	b.run(chest)
	b.run("SET threads = 2;")
	for _, part := range []int64{1, 2} {
		if part > 1 && testing.Short() {
			continue
		}
		ctx, cancel := context.WithCancel(context.Background())
		p := &ender{part: part, cancel: cancel}
		b.session.Progress = p
		results, err := b.try(ctx, "ANALYZE MODEL chest USING SAMPLE 9 FROM 'examples/images/*.png' STRIDE 8;")
		var stopped *executor.Interrupted
		if !errors.As(err, &stopped) || !errors.Is(err, context.Canceled) || len(results) != 0 {
			t.Fatalf("in part %d: %d results, %v", part, len(results), err)
		}
		if b.session.Progress != p || p.started.Load() != part || p.finished.Load() != part {
			t.Errorf("in part %d: the progress is %v, started %d times, finished %d times", part, b.session.Progress, p.started.Load(), p.finished.Load())
		}
		if calibrated, curves := known(b); calibrated || len(curves) > 0 {
			t.Errorf("in part %d: something was stored: %v, %d curves", part, calibrated, len(curves))
		}
		cancel()
	}
}

// What cannot work is said before any work is done.
func TestAnalyzeFailsEarly(t *testing.T) {
	b := stored(t, newBench(t), filepath.Join(t.TempDir(), "occlude.db"))
	b.run(chest)
	p := &ender{cancel: func() {}}
	b.session.Progress = p
	if err := os.WriteFile("broken.png", []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := b.fails("ANALYZE MODEL chest USING SAMPLE 2 FROM '*.png';"); !strings.Contains(err.Error(), "broken.png") {
		t.Error(err)
	}
	b.session.Store = store.Open("")
	if err := b.fails("ANALYZE MODEL chest;"); !strings.Contains(err.Error(), "OCCLUDE_DATA") {
		t.Error(err)
	}
	if p.started.Load() != 0 {
		t.Error("work had begun")
	}
}

// A store that cannot be read makes no query fail: its user is warned, once.
func TestDamagedStore(t *testing.T) {
	path := filepath.Join(t.TempDir(), "occlude.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	b := stored(t, newBench(t), path)
	var warnings []error
	b.session.Warn = func(err error) { warnings = append(warnings, err) }
	b.run(chest)
	for range 2 {
		if h := b.one("OCCLUDE 'examples/images/clear.png' USING chest STRIDE 208;"); h.Plan.Profile.Calibrated() {
			t.Error("the plan is calibrated")
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].Error(), path) {
		t.Errorf("warnings %v", warnings)
	}
}

// A calibration that this version cannot read counts as none.
func TestUselessCalibration(t *testing.T) {
	b := stored(t, newBench(t), filepath.Join(t.TempDir(), "occlude.db"))
	var warnings []error
	b.session.Warn = func(err error) { warnings = append(warnings, err) }
	b.run(chest)
	m, _ := b.session.Lookup("chest")
	kept := store.Calibration{Machine: executor.Machine(b.session.Settings.Kernels()), Model: m.Hash, Profile: []byte(`{"version": 1}`)}
	if err := b.session.Store.Put(context.Background(), []store.Calibration{kept}, nil); err != nil {
		t.Fatal(err)
	}
	if h := b.one("OCCLUDE 'examples/images/clear.png' USING chest STRIDE 208;"); h.Plan.Profile.Calibrated() {
		t.Error("the plan is calibrated")
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "version 1") {
		t.Errorf("warnings %v", warnings)
	}
}

var _ planner.Statistics = (*executor.Session)(nil)
