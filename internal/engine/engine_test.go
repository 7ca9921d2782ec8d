package engine_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/executor"
	"occlude/internal/defect"
	"occlude/internal/engine"
	"occlude/internal/store"
	"occlude/lang"
	"occlude/operators/gpu/devices"
	"occlude/operators/gpu/driver"
	"occlude/operators/gpu/soft"
	"occlude/planner"
	"occlude/planner/cost"
	"occlude/planner/explain"
)

// run runs a text and collects its results.
func run(e *engine.Engine, text engine.Text) (results []executor.Result, err error) {
	err = e.Run(context.Background(), text, func(_ lang.Statement, r executor.Result) error {
		results = append(results, r)
		return nil
	})
	return results, err
}

// inExamples makes an engine whose working directory is the examples' folder.
func inExamples(t *testing.T) *engine.Engine {
	t.Helper()
	dir, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	return engine.New()
}

func TestVariables(t *testing.T) {
	for _, c := range []struct{ source, want string }{
		{"SET threads = :n;", "SET threads = 3;"},
		{"SET threads = :n", "SET threads = 3"},
		{"SET format = :'it''s';", ""},
		{"SET format = :'text';", "SET format = 'a ''quoted'' text';"},
		{`SHOW :"text";`, `SHOW "a 'quoted' text";`},
		{`SHOW :"double";`, `SHOW "a ""b""";`},
		{"-- :nobody\n/* :nobody */ SET threads = :n;", "-- :nobody\n/* :nobody */ SET threads = 3;"},
		{"PREDICT ':nobody' USING \":nobody\";", "PREDICT ':nobody' USING \":nobody\";"},
		{"PREDICT 'it''s :nobody' USING :word_1;", "PREDICT 'it''s :nobody' USING chest;"},
		{"::n :: : :1 :'n", ":3 :: : :1 :'n"},
		{"'open :n", "'open :n"},
		{"/* open :n", "/* open :n"},
	} {
		e := engine.New()
		e.Variables = map[string]string{"n": "3", "text": "a 'quoted' text", "double": `a "b"`, "word_1": "chest"}
		got, err := e.Substitute(engine.Text{Name: "v", Source: c.source})
		if c.want == "" {
			if err == nil {
				t.Errorf("%s becomes %s", c.source, got)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%s becomes %s, %v; want %s", c.source, got, err, c.want)
		}
	}
}

func TestUndefinedVariable(t *testing.T) {
	e := engine.New()
	e.Variables = map[string]string{"image": "x.png"}
	for source, want := range map[string]string{
		"SHOW ALL;\nPREDICT :'imge' USING é;": "v:2:9: error: there is no variable \"imge\"\n  PREDICT :'imge' USING é;\n          ^~~~~~~\n  hint: did you mean image?\n",
		"PREDICT 'é' USING :m;":               "v:1:19: error: there is no variable \"m\"\n  PREDICT 'é' USING :m;\n                    ^~\n  hint: -v m=value defines it, and in the shell \\set m value\n",
	} {
		_, err := run(e, engine.Text{Name: "v", Source: source})
		var shown *engine.Error
		if !errors.As(err, &shown) || shown.Format() != want {
			t.Errorf("%s\ngives\n%v", source, err)
			if shown != nil {
				t.Errorf("shown as\n%s", shown.Format())
			}
		}
	}
}

// A text runs to its first error, and not at all if it cannot be read.
func TestFirstErrorEndsTheText(t *testing.T) {
	e := engine.New()
	results, err := run(e, engine.Text{Name: "t", Source: "SET threads = 2;\nSHOW threads;\nSHOW wibble;\nSET threads = 7;"})
	if len(results) != 2 || err == nil || !strings.HasPrefix(err.Error(), "t:3:6: error: there is no setting") {
		t.Errorf("%d results, %v", len(results), err)
	}
	results, err = run(e, engine.Text{Name: "t", Source: "SET threads = 5;\nSHO threads;\nSHOW;"})
	if len(results) != 0 || err == nil || strings.Count(err.Error(), "error:") != 2 {
		t.Errorf("%d results, %v", len(results), err)
	}
	if n := e.Session.Settings.Threads(); n != 2 {
		t.Errorf("%d threads", n)
	}
}

func TestOpenEnd(t *testing.T) {
	e := engine.New()
	if _, err := run(e, engine.Text{Name: "t", Source: "SHOW ALL; SHOW threads"}); err == nil {
		t.Error("a missing semicolon is accepted")
	}
	if results, err := run(e, engine.Text{Name: "t", Source: "SHOW ALL; SHOW threads", OpenEnd: true}); err != nil || len(results) != 2 {
		t.Errorf("%d results, %v", len(results), err)
	}
	for _, empty := range []string{"", " \n", "-- nothing\n", ";;"} {
		if results, err := run(e, engine.Text{Source: empty}); err != nil || len(results) != 0 {
			t.Errorf("%q: %d results, %v", empty, len(results), err)
		}
	}
}

// An error without a place gets its statement's; a model's, that of its file.
func TestErrorsHaveAPlace(t *testing.T) {
	e := inExamples(t)
	_, err := run(e, engine.Text{Name: "t", Source: "SHOW ALL;\n  CREATE MODEL m FROM 'images/truth.json';"})
	var shown *engine.Error
	if !errors.As(err, &shown) || !strings.HasPrefix(shown.Format(), "t:2:23: error: ") || !strings.Contains(shown.Format(), "truth.json") {
		t.Errorf("%v", err)
	}
	if lines := strings.Split(shown.Format(), "\n"); len(lines) < 3 || !strings.Contains(lines[2], "^~~") {
		t.Errorf("shown as\n%s", shown.Format())
	}
}

// A panic is an error, and the session goes on.
func TestPanicEndsTheStatementOnly(t *testing.T) {
	e := engine.New()
	err := e.Run(context.Background(), engine.Text{Name: "t", Source: "SHOW ALL;"}, func(lang.Statement, executor.Result) error { panic("oh") })
	var d *defect.Defect
	if !errors.As(err, &d) || d.Value != "oh" {
		t.Errorf("%v", err)
	}
	if _, err := run(e, engine.Text{Name: "t", Source: "SHOW ALL;"}); err != nil {
		t.Error(err)
	}
}

// All time spent on a model is accounted to the first heat map that uses it,
// whoever made it necessary.
func TestLoadingIsAccountedOnce(t *testing.T) {
	e := inExamples(t)
	occlude := "OCCLUDE 'images/clear.png' USING m STRIDE 208;"
	heatMap := func(text string) *executor.HeatMap {
		t.Helper()
		results, err := run(e, engine.Text{Source: text})
		if err != nil {
			t.Fatal(err)
		}
		return results[len(results)-1].(*executor.HeatMap)
	}
	create := "CREATE OR REPLACE MODEL m FROM 'models/chest.onnx';"
	first := heatMap(create + occlude)
	if a := first.Actual; a.Load <= 0 || a.Plan <= 0 || a.Run <= 0 {
		t.Errorf("%+v", a)
	}
	if second := heatMap(occlude); second.Actual.Load != 0 || second.Actual.Plan <= 0 {
		t.Errorf("%+v", second.Actual)
	}
	// A PREDICT in front makes the model ready, but accounts for nothing.
	created, err := run(e, engine.Text{Source: create + "PREDICT 'images/clear.png' USING m; DESCRIBE MODEL m;"})
	if err != nil || len(created) != 3 {
		t.Fatal(len(created), err)
	}
	m, _ := e.Session.Lookup("m")
	if after := heatMap(occlude); after.Actual.Load <= m.Loading.Seconds() {
		t.Errorf("load %g s, reading the file alone took %g s", after.Actual.Load, m.Loading.Seconds())
	}
}

// withGPU makes an engine with a GPU in software, which keeps what it measures in a file.
func withGPU(t *testing.T, path string, gpu *soft.Device) *engine.Engine {
	t.Helper()
	e := engine.New()
	e.Session.Store = store.Open(path)
	t.Cleanup(func() { e.Session.Store.Close() })
	e.Session.Devices = devices.New(func(n int) (driver.Driver, error) {
		if n > 0 {
			return nil, &driver.Absent{Reason: "there is one GPU"}
		}
		return gpu, nil
	})
	return e
}

// Of a query that takes long a GPU may be the choice.
const large = "CREATE OR REPLACE MODEL m FROM 'models/chest.onnx'; EXPLAIN OCCLUDE 'images/clear.png' USING m STRIDE 1 WITH (plan = full);"

// explained runs a text that ends in an EXPLAIN.
func explained(t *testing.T, e *engine.Engine, text string) *planner.Occlude {
	t.Helper()
	results, err := run(e, engine.Text{Name: "t", Source: text})
	if err != nil {
		t.Fatal(err)
	}
	return results[len(results)-1].(*executor.Explanation).Plan.Query
}

// A GPU is measured before the first plan that might be one of it, once for all sessions. One in
// software is slow, and found to be: the processor computes unless somebody demands the GPU.
func TestGPUIsMeasuredOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "occlude.db")
	var gpu soft.Device
	inExamples(t)
	e := withGPU(t, path, &gpu)
	// Little work, or none of its own, is no reason to ask for a GPU.
	if _, err := run(e, engine.Text{Source: strings.Replace(large, "STRIDE 1", "STRIDE 104", 1) + "DESCRIBE MODEL m; SHOW DEVICES;"}); err != nil || gpu.Launches("") > 0 {
		t.Fatalf("%d launches, %v", gpu.Launches(""), err)
	}
	q := explained(t, e, large)
	launches := gpu.Launches("")
	if launches == 0 || q.Device != "cpu" {
		t.Errorf("%d launches, then a plan on %s", launches, q.Device)
	}
	if held, _ := gpu.Held(); held > 0 {
		t.Errorf("%d bytes stay on the GPU", held)
	}
	for _, c := range q.Candidates {
		if c.Device == nil || !c.Possible() {
			continue
		}
		p := c.Estimate.OnGPU.Profile
		if p.Kind != cost.Quick || !(c.Estimate.Seconds > 5*q.Chosen().Estimate.Seconds) || !(c.Estimate.Seconds < 1e6) {
			t.Errorf("%s on the GPU is expected to take %g s, on the processor %g s, by %+v", c.Name, c.Estimate.Seconds, q.Chosen().Estimate.Seconds, p)
		}
	}
	later := withGPU(t, path, &gpu)
	if forced := explained(t, later, "SET device = 'cuda:0'; "+large); forced.Device != "cuda:0" || forced.Chosen().Estimate.OnGPU.Profile.Kind != cost.Quick || gpu.Launches("") != launches {
		t.Errorf("later: on %s, %d launches after %d", forced.Device, gpu.Launches(""), launches)
	}
	results, err := run(later, engine.Text{Source: large})
	var text strings.Builder
	if err == nil {
		err = explain.New(results[len(results)-1].(*executor.Explanation).Plan, nil).Text(&text)
	}
	if err != nil || !strings.Contains(text.String(), "uncalibrated: the quick profile of the software device") {
		t.Errorf("%v:\n%s", err, text.String())
	}
}

// What hinders the measurement of a GPU makes no query fail: no place for what is found, too little
// memory, a failing device, which is tried once.
func TestGPUThatIsNotMeasured(t *testing.T) {
	inExamples(t)
	broken := 0
	for name, c := range map[string]struct {
		path string
		gpu  *soft.Device
	}{
		"no place":      {"", &soft.Device{}},
		"no folder":     {"images/clear.png/occlude.db", &soft.Device{}},
		"little memory": {filepath.Join(t.TempDir(), "occlude.db"), &soft.Device{Limit: 1 << 20}},
		"broken": {filepath.Join(t.TempDir(), "occlude.db"), &soft.Device{Before: func(string) error {
			broken++
			return errors.New("out of order")
		}}},
	} {
		e := withGPU(t, c.path, c.gpu)
		for range 2 {
			q := explained(t, e, large)
			for _, c := range q.Candidates {
				if c.Device != nil && c.Possible() && c.Estimate.OnGPU.Profile.Kind != cost.OfProperties {
					t.Errorf("%s: rates are %+v", name, c.Estimate.OnGPU.Profile)
				}
			}
		}
		if n := c.gpu.Launches(""); n > 0 && c.gpu.Before == nil {
			t.Errorf("%s: %d launches", name, n)
		}
	}
	if broken != 1 {
		t.Errorf("the failing GPU was tried %d times", broken)
	}
}

// The measurement of a GPU ends with its statement, and the next one makes up for it.
func TestGPUMeasurementIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	launches := 0
	gpu := &soft.Device{Before: func(string) error {
		launches++
		cancel()
		return nil
	}}
	inExamples(t)
	e := withGPU(t, filepath.Join(t.TempDir(), "occlude.db"), gpu)
	err := e.Run(ctx, engine.Text{Source: large}, func(lang.Statement, executor.Result) error { return nil })
	var stopped *executor.Interrupted
	if !errors.As(err, &stopped) || launches > 100 {
		t.Errorf("%d launches, %v", launches, err)
	}
	gpu.Before = nil
	q := explained(t, e, large)
	for _, c := range q.Candidates {
		if c.Device != nil && c.Possible() && c.Estimate.OnGPU.Profile.Kind != cost.Quick {
			t.Errorf("rates are still %+v", c.Estimate.OnGPU.Profile)
		}
	}
	if held, _ := gpu.Held(); held > 0 {
		t.Errorf("%d bytes stay on the GPU", held)
	}
}

func ExampleEngine() {
	e := engine.New()
	err := e.Run(context.Background(), engine.Text{Name: "example", Source: "SET threads = 2; SHOW threads;"},
		func(s lang.Statement, r executor.Result) error {
			if table, ok := r.(*executor.Relation); ok {
				fmt.Println(s, table.Rows[0][0])
			}
			return nil
		})
	fmt.Println(err)
	// Output:
	// SHOW threads 2
	// <nil>
}

// A driver that does not take the kernels, which shows when a query is under way, leaves it to
// the processor.
func TestDriverTakesNoKernels(t *testing.T) {
	const query = "OCCLUDE 'images/clear.png' USING chest PATCH 32 STRIDE 96"
	inExamples(t)
	for _, text := range []string{
		query, "EXPLAIN ANALYZE " + query, "BENCHMARK " + query, "COMPARE (" + query + ") WITH (" + query + ")", query + " SSIM >= 0.5 VERIFY 2 POSITIONS",
		"EVALUATE (" + query + ") USING deletion",
	} {
		e := engine.New()
		e.Session.Devices = devices.New(func(int) (driver.Driver, error) {
			return &soft.Device{Unready: errors.New("CUDA error 222")}, nil
		})
		var warned []string
		e.Session.Warn = func(err error) { warned = append(warned, err.Error()) }
		_, err := run(e, engine.Text{Name: "t", Source: "CREATE MODEL chest FROM 'models/chest.onnx'; SET device = 'cuda:0'; " + text + ";"})
		if err != nil || len(warned) == 0 || !strings.Contains(warned[0], "does not take the kernels: CUDA error 222") {
			t.Errorf("%s: %v, warned of %s", text, err, warned)
		}
	}
}
