package repl_test

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"image"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/repl"
	"occlude/repl/picture"
)

// printed runs a text and gives what a printer makes of it.
func printed(t *testing.T, format, text string, change func(*repl.Printer)) string {
	t.Helper()
	dir, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	e := engine.New()
	if err := e.Session.Settings.Start("format", format); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	p := &repl.Printer{Out: &out, Settings: &e.Session.Settings}
	if change != nil {
		change(p)
	}
	const create = `CREATE MODEL chest FROM 'models/chest.onnx' WITH (labels = 'models/chest.labels.txt', mean = [0.30, 0.30, 0.30], std = [0.27, 0.27, 0.27]);`
	err = e.Run(context.Background(), engine.Text{Source: create + "SET threads = 2;" + text}, func(_ lang.Statement, r executor.Result) error { return p.Print(r) })
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// timeless takes out what differs from run to run.
func timeless(s string) string {
	return regexp.MustCompile(`[0-9.]+ (us|ms|s|min [0-9]+ s)\b`).ReplaceAllString(s, "T")
}

const created = "CREATE MODEL chest: 28 layers, 52.3 k parameters, input 224x224, 5 classes\nSET\n"

func TestSummaryForPeople(t *testing.T) {
	got := timeless(printed(t, "table", `
		OCCLUDE 'images/nodule.png' USING chest FOR TOP 2 STRIDE 104 WHERE x > 0;
		OCCLUDE 'images/nodule.png' USING chest PATCH 8x16 STRIDE 64x208 FILL black WITH (plan = full);
		OCCLUDE 'images/nodule.png' USING chest AT (0, 0);`, nil))
	want := created + `OCCLUDE images/nodule.png USING chest
  class     nodule (class 1), p0 = 0.9532
            clear (class 0), p0 = 0.0175
  grid      patch 16x16, stride 104, fill gray: 3 x 3 = 9 positions, 6 where x > 0
  peak      p falls by 0.0013 with the patch at (104, 208)
  plan      incremental on cpu, threads 2, batch 3; 94.6 M multiply-adds, 5.8x fewer than full inference
  time      T = load T + plan T + run T
OCCLUDE images/nodule.png USING chest
  class     nodule (class 1), p0 = 0.9532
  grid      patch 8x16, stride 64x208, fill black: 2 x 5 = 10 positions
  peak      p falls by 0.0005 with the patch at (0, 208)
  plan      full on cpu, threads 2, batch 5; 781 M multiply-adds, 1.1x fewer than full inference
  views     kept by a query before: no base pass
  time      T = load T + plan T + run T
OCCLUDE images/nodule.png USING chest
  class     nodule (class 1), p0 = 0.9532
  grid      patch 16x16, fill gray: 1 by hand
  peak      p falls nowhere; it rises least, by 0.0001, with the patch at (0, 0)
  plan      incremental on cpu, threads 2, batch 1; 2.19 M multiply-adds, 71.5x fewer than full inference
  views     kept by a query before: no base pass
  time      T = load T + plan T + run T
`
	if got != want {
		t.Errorf("printed\n%s\nwant\n%s", got, want)
	}
}

// What was not computed, or not wholly, is told.
func TestSummaryOfAnApproximation(t *testing.T) {
	const query = "OCCLUDE 'images/nodule.png' USING chest STRIDE 30 WITH (drill_down = .1, speedup = 3);"
	// A lattice of 4 x 4 positions, and of the 7 largest those that are not on it.
	text := printed(t, "table", query, nil)
	var exact, rest int
	line := text[strings.Index(text, "  states"):]
	if _, err := fmt.Sscanf(line, "  states %d exact, 0 approximate, %d interpolated\n", &exact, &rest); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	if exact < 16 || exact > 23 || exact+rest != 64 {
		t.Errorf("%d exact, %d interpolated", exact, rest)
	}
	text = printed(t, "json", query, nil)
	var s repl.Summary
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		t.Fatal(err)
	}
	if want := (repl.SummaryStates{Exact: exact, Interpolated: rest}); s.States != want || s.Evaluated != exact || s.Positions != 64 {
		t.Errorf("%+v, %d evaluated of %d; want %+v", s.States, s.Evaluated, s.Positions, want)
	}
}

// A sampled map says how good it is taken to be, and how good it is, the same in
// all formats.
func TestSummaryOfASampledMap(t *testing.T) {
	const query = "OCCLUDE 'images/cavity.png' USING chest FOR TOP 2 STRIDE 5 SSIM >= 0.7 VERIFY ALL WITH (plan = 'approximate');"
	var s repl.Summary
	if err := json.Unmarshal([]byte(printed(t, "json", query, nil)), &s); err != nil {
		t.Fatal(err)
	}
	q := s.Quality
	if q == nil || q.Target != .7 || q.Reached == nil || len(q.Classes) != 2 || q.Verified == 0 {
		t.Fatalf("quality %+v", q)
	}
	if s.Plan != "approximate" || s.States.Exact+s.States.Approximate+s.States.Interpolated != s.Positions || s.Evaluated < s.Positions {
		t.Errorf("%+v", s)
	}
	text := printed(t, "table", query, nil)
	least := func(figure func(repl.ClassFigures) *float64) float64 {
		return min(*figure(q.Classes[0]), *figure(q.Classes[1]))
	}
	estimated := least(func(c repl.ClassFigures) *float64 { return c.SSIMEstimated })
	measured := least(func(c repl.ClassFigures) *float64 { return c.Measured.SSIM })
	for _, c := range q.Classes {
		if line := fmt.Sprintf("%s: SSIM about %.3f, lower bound %.3f;", c.Class, math.Floor(*c.SSIMEstimated*1000)/1000, math.Floor(*c.SSIMLower*1000)/1000); !strings.Contains(text, line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
	records, err := csv.NewReader(strings.NewReader(printed(t, "csv", query, nil))).ReadAll()
	if err != nil || len(records) != 2 {
		t.Fatalf("%v: %v", records, err)
	}
	for column, want := range map[string]any{
		"exact": s.States.Exact, "approximate": s.States.Approximate, "interpolated": s.States.Interpolated,
		"ssim_estimated": estimated, "ssim_measured": measured,
	} {
		i := slices.Index(records[0], column)
		if i < 0 || records[1][i] != executor.Text(want) {
			t.Errorf("%s is not %v in %q", column, want, records)
		}
	}
}

func TestJSONOfAnOcclude(t *testing.T) {
	text := printed(t, "json", `
		OCCLUDE 'images/nodule*.png' USING chest FOR TOP 2 STRIDE 104 WHERE x > 0;
		SHOW threads; SHOW MODELS; DESCRIBE MODEL chest; PREDICT 'images/clear.png' USING chest TOP 1;
		EXPLAIN OCCLUDE 'images/clear.png' USING chest; EXPLAIN (ANALYZE, FORMAT DOT) OCCLUDE 'images/clear.png' USING chest AT (1, 1);
		OCCLUDE 'images/clear.png' USING chest AT (5, 5), (9, 9) WITH (plan = full, seed = 9);`, nil)
	var values []any
	for d := json.NewDecoder(strings.NewReader(text)); ; {
		var v any
		if err := d.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, text)
		}
		values = append(values, v)
	}
	if len(values) != 9 {
		t.Fatalf("%d values in\n%s", len(values), text)
	}
	first, second, last := values[0].(map[string]any), values[1].(map[string]any), values[8].(map[string]any)
	for _, o := range []map[string]any{first, second, last} {
		for _, field := range []string{"image", "model", "class", "class_id", "p0", "classes", "positions", "evaluated", "grid", "plan", "seconds", "multiply_adds", "outputs"} {
			if _, ok := o[field]; !ok {
				t.Errorf("no %s in %v", field, o)
			}
		}
	}
	is := func(name string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	is("image", first["image"], "images/nodule-2.png")
	is("image", second["image"], "images/nodule.png")
	is("class", second["class"], "nodule")
	is("class_id", second["class_id"], 1)
	is("classes", len(second["classes"].([]any)), 2)
	is("grid", second["grid"], map[string]any{"rows": 3.0, "cols": 3.0})
	is("positions", second["positions"], 6)
	is("evaluated", second["evaluated"], 6)
	is("plan", second["plan"], "incremental")
	is("where", second["where"], "x > 0")
	is("seed", second["seed"], 42)
	is("outputs", second["outputs"], []any{})
	seconds := func(o map[string]any, part string) float64 { return o["seconds"].(map[string]any)[part].(float64) }
	if seconds(first, "load") <= 0 || seconds(first, "plan") <= 0 || seconds(first, "run") <= 0 || seconds(second, "load") != 0 || seconds(second, "plan") != 0 || seconds(second, "run") <= 0 {
		t.Errorf("seconds of the first image %v, of the second %v", first["seconds"], second["seconds"])
	}
	is("grid of a list", last["grid"], map[string]any{"rows": 1.0, "cols": 2.0})
	is("plan", last["plan"], "full")
	is("seed", last["seed"], 9)
	is("multiply-adds of two inferences", last["multiply_adds"], 2*78124232.0)
	is("views kept", last["views_kept"], true)
	is("views kept", second["views_kept"], false)
	if _, ok := last["where"]; ok {
		t.Error("there is a where without one")
	}
}

func TestCSVOfAnOcclude(t *testing.T) {
	for format, comma := range map[string]rune{"csv": ',', "tsv": '\t'} {
		text := printed(t, format, "OCCLUDE 'images/nodule*.png' USING chest STRIDE 208; OCCLUDE 'images/clear.png' USING chest STRIDE 208;", nil)
		r := csv.NewReader(strings.NewReader(text))
		r.Comma = comma
		records, err := r.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var first []string
		for _, rec := range records {
			first = append(first, rec[0])
		}
		if want := []string{"image", "images/nodule-2.png", "images/nodule.png", "image", "images/clear.png"}; !slices.Equal(first, want) {
			t.Errorf("%s: %q, want %q", format, first, want)
		}
	}
}

func TestTables(t *testing.T) {
	const query = "PREDICT 'images/cavity.png' USING chest TOP 2;"
	for format, want := range map[string]string{
		"table": created + ` image             | model | rank | class_id | class        | p       
-------------------+-------+------+----------+--------------+---------
 images/cavity.png | chest |    1 |        2 | cavity       | 0.96547 
 images/cavity.png | chest |    2 |        4 | ground glass | 0.01331 
(2 rows)
`,
		"vertical": created + `-[ RECORD 1 ]---------------
image    | images/cavity.png
model    | chest
rank     | 1
class_id | 2
class    | cavity
p        | 0.96547
-[ RECORD 2 ]---------------
image    | images/cavity.png
model    | chest
rank     | 2
class_id | 4
class    | ground glass
p        | 0.01331
(2 rows)
`,
	} {
		if got := printed(t, format, query, nil); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", format, got, want)
		}
	}
	got := printed(t, "csv", query, nil)
	if !strings.HasPrefix(got, "image,model,rank,class_id,class,p\nimages/cavity.png,chest,1,2,cavity,0.9654") || strings.Count(got, "\n") != 3 {
		t.Errorf("csv:\n%s", got)
	}
}

// Wide characters keep the columns straight.
func TestVerticalMeasuresCharacters(t *testing.T) {
	var out strings.Builder
	var s settings.Settings
	if err := s.Set("format", "vertical"); err != nil {
		t.Fatal(err)
	}
	p := &repl.Printer{Out: &out, Settings: &s}
	if err := p.Print(&executor.Relation{Columns: []string{"類", "abc"}, Rows: [][]any{{1.5, "x"}}}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "類  | 1.5\nabc | x\n(1 row)\n") {
		t.Error(out.String())
	}
}

// blocks is a terminal of some columns that draws half-blocks.
func blocks(columns int) *picture.Terminal {
	return &picture.Terminal{Protocol: picture.Blocks, Size: func() picture.Size {
		return picture.Size{Columns: columns, Lines: 40, Cell: image.Pt(10, 20)}
	}}
}

func TestPictureOnATerminal(t *testing.T) {
	const query = "OCCLUDE 'images/cavity.png' USING chest STRIDE 104; OCCLUDE 'images/cavity.png' USING chest AT (1, 1);"
	with := printed(t, "table", query, func(p *repl.Printer) { p.Terminal = blocks(30) })
	if strings.Count(with, "▀") < 100 {
		t.Errorf("no picture in\n%s", with)
	}
	for _, line := range strings.Split(with, "\n") {
		if strings.Count(line, "▀") > 30 {
			t.Errorf("a line of %d blocks", strings.Count(line, "▀"))
		}
	}
	if without := printed(t, "table", query, nil); strings.ContainsAny(without, "▀\x1b") {
		t.Errorf("a picture in\n%s", without)
	}
	if asJSON := printed(t, "json", query, func(p *repl.Printer) { p.Terminal = blocks(80) }); strings.ContainsAny(asJSON, "▀\x1b") {
		t.Errorf("a picture in\n%s", asJSON)
	}
}

// EXPLAIN and DESCRIBE print something in every format.
func TestReports(t *testing.T) {
	for format, begins := range map[string][]string{
		"table": {"Model    ", "digraph", "Model  "}, "vertical": {"Model    ", "digraph", "Model  "}, "json": {"{", "{", "{"},
		"csv": {"Model  ", "digraph", "layer,"}, "tsv": {"Model  ", "digraph", "layer\t"},
	} {
		for i, query := range []string{
			"EXPLAIN OCCLUDE 'images/clear.png' USING chest;", "EXPLAIN (FORMAT DOT) OCCLUDE 'images/clear.png' USING chest;", "DESCRIBE MODEL chest;",
		} {
			got := strings.TrimPrefix(printed(t, format, query, nil), created)
			if !strings.HasPrefix(got, begins[i]) {
				t.Errorf("%s of %s begins\n%.200s", format, query, got)
			}
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// What cannot be written is an error of the statement.
// Names are shown, not obeyed by the terminal.
func TestNamesWithControlCharacters(t *testing.T) {
	data, err := os.ReadFile("../examples/images/nodule.png")
	if err != nil {
		t.Fatal(err)
	}
	image := filepath.Join(t.TempDir(), "\x1b[31mred\a.png")
	if err := os.WriteFile(image, data, 0o600); err != nil {
		t.Skip(err)
	}
	query := fmt.Sprintf("OCCLUDE '%s' USING chest AT (0, 0)", image)
	for _, text := range []string{query, "EXPLAIN " + query, "PREDICT '" + image + "' USING chest", "COMPARE (" + query + ") WITH (" + query + ")",
		"BENCHMARK " + query, "EVALUATE (OCCLUDE '" + image + "' USING chest STRIDE 208) USING deletion"} {
		got := printed(t, "table", text+";", nil)
		if strings.ContainsAny(got, "\x1b\a") || !strings.Contains(got, "[31mred") {
			t.Errorf("%.9s prints %q", text, got)
		}
	}
}

func TestPrintFailsWithItsWriter(t *testing.T) {
	for _, format := range []string{"table", "vertical", "csv", "tsv", "json"} {
		var s settings.Settings
		if err := s.Set("format", format); err != nil {
			t.Fatal(err)
		}
		p := &repl.Printer{Out: full{}, Settings: &s}
		if err := p.Print(&executor.Relation{Columns: []string{"a"}, Rows: [][]any{{1}}}); err == nil {
			t.Errorf("%s: no error", format)
		}
	}
}
