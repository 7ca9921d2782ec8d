package executor_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"occlude/executor"
	"occlude/internal/settings"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/planner"
)

// stopper ends a context once a number of positions are computed.
type stopper struct {
	after    int64
	done     atomic.Int64
	cancel   context.CancelFunc
	started  int
	finished int
}

func (s *stopper) Start(string, int)     { s.started++ }
func (s *stopper) Expect(int)            {}
func (s *stopper) Next(string, int, int) {}
func (s *stopper) Finish()               { s.finished++ }
func (s *stopper) Add(n int) {
	if s.done.Add(int64(n)) >= s.after {
		s.cancel()
	}
}

func TestCancel(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	b.run("SET threads = 3;")
	before := runtime.NumGoroutine()
	for _, plan := range []string{"incremental", "full"} {
		ctx, cancel := context.WithCancel(context.Background())
		p := &stopper{after: 12, cancel: cancel}
		b.session.Progress = p
		_, err := b.try(ctx, "OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 1 WITH (batch = 4, plan = "+plan+");")
		var stopped *executor.Interrupted
		if !errors.As(err, &stopped) || !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: %v", plan, err)
		}
		if stopped.Done < 12 || stopped.Done >= stopped.Total || stopped.Total != 209*209 || stopped.Image != "examples/images/nodule.png" {
			t.Errorf("%s: %+v", plan, stopped)
		}
		if !strings.Contains(err.Error(), "of 43681 positions") {
			t.Errorf("%s: %v", plan, err)
		}
		if p.started != 1 || p.finished != 1 {
			t.Errorf("%s: the progress was started %d times and finished %d times", plan, p.started, p.finished)
		}
	}
	for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(deadline) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}

func TestCancelBeforeTheStart(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, text := range []string{
		"OCCLUDE 'examples/images/nodule.png' USING chest;", "PREDICT 'examples/images/nodule.png' USING chest;",
		"CREATE MODEL again FROM 'examples/models/chest.onnx';",
	} {
		if _, err := b.try(ctx, text); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// Images that are done stay done when a later one fails.
func TestFailureKeepsWhatIsDone(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	colourful(t, "a.png", 30, 1)
	if err := os.WriteFile("b.png", []byte("not a picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	results, err := b.try(context.Background(), "OCCLUDE '[ab].png' USING chest STRIDE 208 INTO 'out-{image}.npy' ON ERROR STOP;")
	if err == nil || !strings.Contains(err.Error(), "b.png") {
		t.Errorf("the broken picture gives %v", err)
	}
	if len(results) != 1 {
		t.Errorf("%d results", len(results))
	}
	if files, _ := filepath.Glob("out-*"); len(files) != 1 || files[0] != "out-a.npy" {
		t.Errorf("files %q", files)
	}
}

func TestModels(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	first, _ := b.session.Lookup("chest")
	if err := b.fails(chest); !strings.Contains(err.Error(), "already") {
		t.Error(err)
	}
	b.run("CREATE OR REPLACE" + strings.TrimPrefix(chest, "CREATE"))
	second, ok := b.session.Lookup("chest")
	if !ok || first == second {
		t.Error("the model was not replaced")
	}
	// A replacement that fails leaves the model as it was.
	if err := os.WriteFile("broken.onnx", []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	b.fails("CREATE OR REPLACE MODEL chest FROM 'broken.onnx';")
	if m, _ := b.session.Lookup("chest"); m != second {
		t.Error("a failed replacement took the model away")
	}
	b.run("CREATE MODEL \"Other One\" FROM 'examples/models/chest.onnx';")
	r := b.run("SHOW MODELS;")[0].(*executor.Relation)
	if len(r.Rows) != 2 || r.Rows[0][0] != "Other One" || r.Rows[1][0] != "chest" || r.Rows[1][3] != 5 {
		t.Errorf("%v", r.Rows)
	}
	b.run("DROP MODEL CHEST;")
	if _, ok := b.session.Lookup("chest"); ok {
		t.Error("the model is still there")
	}
	b.fails("DROP MODEL chest;")
	b.run("DROP MODEL IF EXISTS chest;")
}

func TestSettingsOfASession(t *testing.T) {
	b := newBench(t)
	show := func(name string) string {
		return b.run("SHOW " + name + ";")[0].(*executor.Relation).Rows[0][0].(string)
	}
	b.run("SET threads = 3; SET memory_limit TO '2 GiB'; SET format = CSV;")
	if show("threads") != "3" || show("memory_limit") != "2GiB" || show("format") != "csv" || show("device") != "auto" {
		t.Error(show("threads"), show("memory_limit"), show("format"), show("device"))
	}
	all := b.run("SHOW ALL;")[0].(*executor.Relation)
	if len(all.Columns) != 5 || len(all.Rows) != len(settings.All())+len(planner.Hints()) {
		t.Errorf("%v", all)
	}
	b.run("RESET threads;")
	if show("threads") != "auto" || show("format") != "csv" {
		t.Error(show("threads"), show("format"))
	}
	b.run("RESET ALL;")
	if show("format") != "table" {
		t.Error(show("format"))
	}
}

// An estimate within the limit is kept; a limit that nothing fits is an error.
func TestMemoryLimit(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	free := b.one("OCCLUDE 'examples/images/clear.png' USING chest STRIDE 52 WITH (plan = full);")
	b.run("SET threads = 1; SET memory_limit = '33 MB';")
	tight := b.one("OCCLUDE 'examples/images/clear.png' USING chest STRIDE 52 WITH (plan = full);")
	if bits(free) != bits(tight) {
		t.Error("the memory limit changes the map")
	}
	if tight.Actual.PeakBytes > 33e6 || tight.Plan.Chosen().Batch >= free.Plan.Chosen().Batch {
		t.Errorf("%d bytes, batches of %d", tight.Actual.PeakBytes, tight.Plan.Chosen().Batch)
	}
	b.run("SET memory_limit = '1MiB';")
	if err := b.fails("OCCLUDE 'examples/images/clear.png' USING chest;"); !strings.Contains(err.Error(), "memory_limit is") {
		t.Error(err)
	}
}

func TestAnalyzeRunsAndPlainExplainDoesNot(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	for _, analyze := range []bool{false, true} {
		explain := "EXPLAIN"
		if analyze {
			explain = "EXPLAIN ANALYZE"
		}
		r := b.run(explain + " OCCLUDE 'examples/images/clear.png' USING chest STRIDE 104 INTO 'e.npy';")[0].(*executor.Explanation)
		_, err := os.Stat("e.npy")
		if (r.Actual != nil) != analyze || (err == nil) != analyze {
			t.Errorf("%s: actual %v, file %v", explain, r.Actual, err)
		}
		if analyze && (r.Actual.Class != "clear" || r.Actual.Positions != 9) {
			t.Errorf("%+v", r.Actual)
		}
	}
}

func TestUnknownPlan(t *testing.T) {
	if err := executor.NewSession().Run(context.Background(), unknown{}, nil); err == nil {
		t.Error("an unknown plan was run")
	}
}

type unknown struct{ planner.Plan }

func (unknown) Statement() string { return "UNKNOWN" }

// A query prepares its network once; another model coming or going changes
// nothing about that.
func TestProgramsAreKept(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	query := "OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 208"
	if h := b.one(query + ";"); h.Actual.Load <= 0 {
		t.Error("the first query prepared nothing")
	}
	b.run("CREATE MODEL other FROM 'examples/models/chest.onnx'; DROP MODEL other;")
	if h := b.one(query + ";"); h.Actual.Load != 0 {
		t.Errorf("the second query prepared for %g s", h.Actual.Load)
	}
	for _, change := range []string{"SET kernels = 'generic';", "CREATE OR REPLACE" + strings.TrimPrefix(chest, "CREATE")} {
		b.run(change)
		if h := b.one(query + " WITH (convolution = direct);"); h.Actual.Load <= 0 {
			t.Errorf("after %s nothing was prepared", change)
		}
	}
}

// All sets of kernels and all ways to compute convolutions find the same map.
func TestKernelsAndConvolutionsAgree(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	query := "OCCLUDE 'examples/images/cavity.png' USING chest STRIDE 52"
	if testing.Short() {
		query = "OCCLUDE 'examples/images/cavity.png' USING chest STRIDE 208"
	}
	want := b.one(query + " WITH (convolution = direct);")
	for _, set := range simd.Available() {
		b.run("SET kernels = '" + set.Name + "';")
		for _, how := range append(operators.AllAlgorithms(), planner.ConvolutionAuto) {
			h := b.one(query + " WITH (convolution = '" + string(how) + "');")
			if d, err := distance(h, want); err != nil || !(d <= 1e-5) {
				t.Errorf("%s on %s: off by %g, %v", how, set.Name, d, err)
			}
			if h.Plan.Kernels != set.Name {
				t.Errorf("%s was planned for %s", h.Plan.Kernels, set.Name)
			}
			tiles := 0
			for _, a := range h.Plan.Chosen().Algorithms {
				if a == how && how != operators.Direct {
					tiles++
				}
			}
			if (how == operators.Winograd2 || how == operators.Winograd4 || how == operators.Winograd6) && tiles == 0 {
				t.Errorf("%s computes nothing", how)
			}
		}
	}
}
