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
	"occlude/lang"
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
