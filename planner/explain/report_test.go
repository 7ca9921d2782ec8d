package explain

import (
	"bytes"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"gonum.org/v1/gonum/graph/formats/dot"
	"gonum.org/v1/gonum/graph/formats/dot/ast"

	"occlude/planner"
)

var statements = []string{
	"EXPLAIN OCCLUDE 'scan.png' USING residual;",
	"EXPLAIN (ANALYZE, ALTERNATIVES, LAYERS, RULES) OCCLUDE 'scan.png' USING residual PATCH 4x9 STRIDE 7x3 INTO 'x.png';",
	"EXPLAIN (LAYERS) OCCLUDE 'scan.png' USING residual PATCH 48 STRIDE 1;",
	"EXPLAIN (ANALYZE, LAYERS) OCCLUDE 'scan.png' USING plain WITH (plan = 'full');",
	"EXPLAIN (ANALYZE, LAYERS) OCCLUDE 'scan.png' USING excite AT (0, 0);",
	"EXPLAIN (LAYERS, RULES) OCCLUDE '*.jpg' USING odd PATCH 1 STRIDE 2 WHERE x % 3 = 1;",
	"EXPLAIN (ANALYZE, LAYERS) OCCLUDE 'scan.png' USING residual WITH (tau = 0.5);",
	"EXPLAIN (ANALYZE, LAYERS) OCCLUDE 'scan.png' USING residual STRIDE 2x3 WHERE x <> 9 WITH (drill_down = .1);",
	"EXPLAIN (LAYERS) OCCLUDE 'scan.png' USING plain WITH (tau = 0.5, speedup = 2);",
	"EXPLAIN (ANALYZE, LAYERS) OCCLUDE 'scan.png' USING lesions FOR TOP 2 STRIDE 2 SSIM >= 0.9 VERIFY 30 POSITIONS;",
	"EXPLAIN (ANALYZE, LAYERS) OCCLUDE 'scan.png' USING lesions WITHIN 1.5 SECONDS;",
	"EXPLAIN (ANALYZE) OCCLUDE 'scan.png' USING residual VERIFY ALL WITH (drill_down = .2);",
}

// The shares of the operators make up the totals of the root, estimated and
// measured.
func TestOperatorsAddUp(t *testing.T) {
	p := bench(t)
	for _, s := range statements {
		r, _ := report(t, p, s)
		var estimate, actual Amount
		for _, n := range r.Operators.flatten("", "")[1:] {
			if e := n.operator.Estimate; e != nil {
				estimate = Amount{estimate.Seconds + e.Seconds, estimate.MACs + e.MACs, 0}
			}
			if a := n.operator.Actual; a != nil {
				actual = Amount{actual.Seconds + a.Seconds, actual.MACs + a.MACs, 0}
			}
		}
		check := func(what string, got Amount, root *Amount) {
			if math.Abs(got.Seconds-root.Seconds) > 1e-8 || got.MACs != root.MACs {
				t.Errorf("%s\n%s: the operators sum to %+v, the root says %+v", s, what, got, *root)
			}
		}
		check("estimate", estimate, r.Operators.Estimate)
		if r.Actual != nil {
			check("actual", actual, r.Operators.Actual)
		}
	}
}

// The layers' multiply-adds make up the plan's, with the base pass and the backward
// pass, where there is one.
func TestLayersAddUp(t *testing.T) {
	p := bench(t)
	for _, s := range statements {
		r, e := report(t, p, s)
		if r.Layers == nil {
			continue
		}
		var full, incremental int64
		for _, l := range r.Layers {
			full += l.FullMACs
			incremental += l.IncrementalMACs
		}
		base := e.Query.Net.Work().MACs
		passes := base + e.Query.Chosen().Estimate.BackwardMACs
		if full+base != r.Plan.FullMACs {
			t.Errorf("%s\nfull inference: layers and base pass sum to %d, the plan says %d", s, full+base, r.Plan.FullMACs)
		}
		want := incremental
		if r.Plan.Name == planner.PlanFull {
			want = full
		}
		if want+passes != r.Plan.MACs {
			t.Errorf("%s\nlayers and passes sum to %d, the plan says %d", s, want+passes, r.Plan.MACs)
		}
	}
}

// The JSON of a report is the report: nothing is lost on the way.
func TestJSONRoundTrip(t *testing.T) {
	p := bench(t)
	for _, s := range statements {
		r, _ := report(t, p, s)
		var b bytes.Buffer
		if err := r.JSON(&b); err != nil {
			t.Fatal(err)
		}
		back := &Report{}
		d := json.NewDecoder(&b)
		d.DisallowUnknownFields()
		if err := d.Decode(back); err != nil {
			t.Fatal(err)
		}
		var text, again bytes.Buffer
		if err := r.Text(&text); err != nil {
			t.Fatal(err)
		}
		if err := back.Text(&again); err != nil {
			t.Fatal(err)
		}
		if text.String() != again.String() {
			t.Errorf("%s\nprints otherwise after a round trip through JSON:\n%s\n%s", s, text.String(), again.String())
		}
		if back.Version != Version {
			t.Errorf("version %d", back.Version)
		}
	}
	for name := range networks {
		m := Describe(plan(t, p, "DESCRIBE MODEL "+name+";").(*planner.Describe))
		var b bytes.Buffer
		if err := m.JSON(&b); err != nil {
			t.Fatal(err)
		}
		back := &ModelReport{}
		if err := json.Unmarshal(b.Bytes(), back); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(m, back) {
			t.Errorf("%s: a round trip through JSON makes\n%+v of\n%+v", name, back, m)
		}
	}
}

// Whatever the names, the graph is well-formed and holds every operator and
// layer.
func TestDOTParses(t *testing.T) {
	p := bench(t)
	for _, s := range statements {
		r, _ := report(t, p, s)
		var b bytes.Buffer
		if err := r.DOT(&b); err != nil {
			t.Fatal(err)
		}
		file, err := dot.ParseBytes(b.Bytes())
		if err != nil {
			t.Fatalf("%s\n%v\n%s", s, err, b.String())
		}
		nodes := 0
		for _, graph := range file.Graphs[0].Stmts {
			if cluster, ok := graph.(*ast.Subgraph); ok {
				for _, inner := range cluster.Stmts {
					if _, ok := inner.(*ast.NodeStmt); ok {
						nodes++
					}
				}
			}
		}
		if want := len(r.Operators.flatten("", "")) + len(r.Layers); nodes != want {
			t.Errorf("%s\n%d nodes, not %d", s, nodes, want)
		}
	}
}

// Sections appear when they are asked for, and only then.
func TestSections(t *testing.T) {
	p := bench(t)
	for _, c := range []struct{ option, sign string }{
		{"LAYERS", "Updates: "}, {"ALTERNATIVES", "views  "}, {"RULES", "what it does"}, {"ANALYZE", "Took"},
	} {
		for _, on := range []bool{true, false} {
			statement := "EXPLAIN OCCLUDE 'scan.png' USING plain;"
			if on {
				statement = "EXPLAIN (" + c.option + ") OCCLUDE 'scan.png' USING plain;"
			}
			r, _ := report(t, p, statement)
			var b bytes.Buffer
			if err := r.Text(&b); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(b.String(), c.sign) != on {
				t.Errorf("%s: %q is there: %v\n%s", statement, c.sign, !on, b.String())
			}
		}
	}
}

func TestRowsFitColumns(t *testing.T) {
	p := bench(t)
	m := Describe(plan(t, p, "DESCRIBE MODEL excite;").(*planner.Describe))
	rows := m.Rows()
	if len(rows) != len(m.Layers) {
		t.Fatalf("%d rows for %d layers", len(rows), len(m.Layers))
	}
	for _, row := range rows {
		if len(row) != len(m.Columns()) {
			t.Errorf("%d values for %d columns: %v", len(row), len(m.Columns()), row)
		}
		for i, v := range row {
			switch v.(type) {
			case string, int, int64, float64, bool:
			default:
				t.Errorf("column %s holds a %T", m.Columns()[i], v)
			}
		}
	}
}

// What became of views that were kept, or turned out to be.
func TestViewsAreWhatTheyWere(t *testing.T) {
	p := bench(t)
	for image, was := range map[string]bool{"kept.png": true, "scan.png": false} {
		e := plan(t, p, "EXPLAIN ANALYZE OCCLUDE '"+image+"' USING residual;").(*planner.Explain)
		for _, is := range []bool{true, false} {
			a := actuals(e.Query)
			a.Kept = is
			r := New(e, a)
			var b strings.Builder
			if err := r.Text(&b); err != nil {
				t.Fatal(err)
			}
			if (r.Plan.Kept != nil) != was || r.Actual.Kept != is || strings.Contains(b.String(), "\nBut ") != (was != is) {
				t.Errorf("planned %v, found %v:\n%s", was, is, b.String())
			}
		}
	}
}
