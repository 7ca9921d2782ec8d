package lang

import (
	"strings"
	"testing"
	"time"
)

// one parses a text that must be a single statement without fault.
func one(t *testing.T, src string) Statement {
	t.Helper()
	script, diagnostics := Parse("t", src)
	if len(diagnostics) > 0 {
		t.Fatalf("%s", diagnostics.Format(src))
	}
	if len(script.Statements) != 1 {
		t.Fatalf("%q is %d statements", src, len(script.Statements))
	}
	return script.Statements[0]
}

func str(s string) String  { return String{Value: s} }
func num(v float64) Number { return Number{Value: v} }
func bare(s string) Name   { return Name{Text: s} }

func TestStatements(t *testing.T) {
	three, scan, oct := num(3), str("scan.png"), bare("oct")
	occlude := func(change func(*Occlude)) *Occlude {
		o := &Occlude{Image: scan, Model: oct}
		change(o)
		return o
	}
	fill := func(f Fill) *Occlude { return occlude(func(o *Occlude) { o.Fill = &f }) }
	for _, test := range []struct {
		src  string
		want Statement
	}{
		{`CREATE MODEL oct FROM 'oct.onnx'`, &CreateModel{Model: oct, File: str("oct.onnx")}},
		{`create or replace model oct from 'oct.onnx'
			with (labels = 'oct.txt', mean = [0.485, .456, 4.06e-1], size = 224, layout = nchw, deep = [[1], []], pad = -1.5, crop = off)`,
			&CreateModel{Replace: true, Model: oct, File: str("oct.onnx"), Options: []Option{
				{Name: bare("labels"), Value: str("oct.txt")},
				{Name: bare("mean"), Value: List{Items: []Value{num(0.485), num(0.456), num(0.406)}}},
				{Name: bare("size"), Value: num(224)},
				{Name: bare("layout"), Value: Word{Text: "nchw"}},
				{Name: bare("deep"), Value: List{Items: []Value{List{Items: []Value{num(1)}}, List{}}}},
				{Name: bare("pad"), Value: num(-1.5)},
				{Name: bare("crop"), Value: Bool{}},
			}}},
		{`DROP MODEL oct`, &DropModel{Model: oct}},
		{`DROP MODEL IF EXISTS oct`, &DropModel{IfExists: true, Model: oct}},
		{`SHOW MODELS`, &ShowModels{}},
		{`DESCRIBE MODEL oct`, &DescribeModel{Model: oct}},
		{`PREDICT 'scan.png' USING oct`, &Predict{Image: scan, Model: oct}},
		{`PREDICT 'scan.png' USING oct WITH (device = 'cpu') TOP 3`, &Predict{Image: scan, Model: oct, Top: &three,
			Options: []Option{{Name: bare("device"), Value: str("cpu")}}}},
		{`OCCLUDE 'scan.png' USING oct`, &Occlude{Image: scan, Model: oct}},
		{`OCCLUDE 'scan.png' USING oct WITH (plan = full) COLORMAP jet_r INTO 'a.png', 'b.npy' WHERE x > 3
			FILL gray STRIDE 4x8 PATCH 16 FOR CLASS 'DME'`, &Occlude{
			Image: scan, Model: oct,
			Target: &Target{Class: str("DME")}, Patch: &Extent{W: 16, H: 16}, Stride: &Extent{W: 4, H: 8},
			Fill: &Fill{Color: [3]float64{128, 128, 128}}, Where: &Comparison{Op: Greater, Left: &Column{Name: "x"}, Right: three},
			Into: []String{str("a.png"), str("b.npy")}, Colormap: &String{Value: "jet_r"},
			Options: []Option{{Name: bare("plan"), Value: Word{Text: "full"}}},
		}},
		{`OCCLUDE 'scan.png' USING oct FOR CLASS 3`, occlude(func(o *Occlude) { o.Target = &Target{Class: three} })},
		{`OCCLUDE 'scan.png' USING oct FOR TOP 3`, occlude(func(o *Occlude) { o.Target = &Target{Top: &three} })},
		{`OCCLUDE 'scan.png' USING oct COLORMAP 'jet_r'`, occlude(func(o *Occlude) { o.Colormap = &String{Value: "jet_r"} })},
		{`OCCLUDE 'scan.png' USING oct AT (100, 80), (-4,0)`, occlude(func(o *Occlude) { o.At = []Point{{X: 100, Y: 80}, {X: -4}} })},
		{`OCCLUDE 'scan.png' USING oct FILL 'WHITE'`, fill(Fill{Color: [3]float64{255, 255, 255}})},
		{`OCCLUDE 'scan.png' USING oct FILL Black`, fill(Fill{})},
		{`OCCLUDE 'scan.png' USING oct FILL '#7F8081'`, fill(Fill{Color: [3]float64{127, 128, 129}})},
		{`OCCLUDE 'scan.png' USING oct FILL #7f8081`, fill(Fill{Color: [3]float64{127, 128, 129}})},
		{`OCCLUDE 'scan.png' USING oct FILL rgb(1, 2.5, 255)`, fill(Fill{Color: [3]float64{1, 2.5, 255}})},
		{`OCCLUDE 'scan.png' USING oct FILL mean(image)`, fill(Fill{Kind: FillMeanImage})},
		{`OCCLUDE 'scan.png' USING oct FILL MEAN(PATCH)`, fill(Fill{Kind: FillMeanPatch})},
		{`OCCLUDE 'scan.png' USING oct FILL blur(15)`, fill(Fill{Kind: FillBlur, Sigma: num(15)})},
		{`OCCLUDE 'scan.png' USING oct FILL noise(42)`, fill(Fill{Kind: FillNoise, Seed: num(42)})},
		{`OCCLUDE 'scan.png' USING oct FILL image('sky.png')`, fill(Fill{Kind: FillImage, Image: str("sky.png")})},
		{`OCCLUDE 'scan.png' USING oct SSIM >= 0.9`, occlude(func(o *Occlude) { o.Quality = &QualityGoal{Metric: "ssim", AtLeast: .9} })},
		{`OCCLUDE 'scan.png' USING oct WITHIN 5 SECONDS`, occlude(func(o *Occlude) { o.Within = &TimeGoal{Duration: 5 * time.Second} })},
		{`OCCLUDE 'scan.png' USING oct within 1.5 minutes or fail`, occlude(func(o *Occlude) {
			o.Within = &TimeGoal{Duration: 90 * time.Second, OrFail: true}
		})},
		{`OCCLUDE 'scan.png' USING oct WITHIN 250 MILLISECONDS OR FAIL`, occlude(func(o *Occlude) {
			o.Within = &TimeGoal{Duration: 250 * time.Millisecond, OrFail: true}
		})},
		{`OCCLUDE 'scan.png' USING oct VERIFY 100 POSITIONS`, occlude(func(o *Occlude) { o.Verify = &Verify{Positions: 100} })},
		{`OCCLUDE 'scan.png' USING oct progressive`, occlude(func(o *Occlude) { o.Progressive = true })},
		{`OCCLUDE 'scan.png' USING progressive PROGRESSIVE STRIDE 4`, &Occlude{Image: scan, Model: bare("progressive"), Progressive: true,
			Stride: &Extent{W: 4, H: 4}}},
		{`OCCLUDE 'scan.png' USING oct VERIFY ALL`, occlude(func(o *Occlude) { o.Verify = &Verify{All: true} })},
		{`OCCLUDE 'scan.png' USING oct VERIFY ALL WITHIN 1 SECOND SSIM >= 1 WHERE x > 3 OR y > 3`, occlude(func(o *Occlude) {
			o.Verify, o.Within, o.Quality = &Verify{All: true}, &TimeGoal{Duration: time.Second}, &QualityGoal{Metric: "ssim", AtLeast: 1}
			o.Where = &Or{Terms: []Expr{
				&Comparison{Op: Greater, Left: &Column{Name: "x"}, Right: three}, &Comparison{Op: Greater, Left: &Column{Name: "y"}, Right: three},
			}}
		})},
		{`ANALYZE MODEL oct`, &AnalyzeModel{Model: oct}},
		{`ANALYZE MODEL oct USING SAMPLE 3 FROM 'oct/*.png'`, &AnalyzeModel{Model: oct, Sample: &Sample{Size: 3, Files: str("oct/*.png")}}},
		{`ANALYZE MODEL oct FILL black STRIDE 8 USING SAMPLE 30 FROM 'oct/*.png' REPEATABLE (3) PATCH 24x16`, &AnalyzeModel{
			Model: oct, Sample: &Sample{Size: 30, Files: str("oct/*.png"), Seed: &three},
			Patch: &Extent{W: 24, H: 16}, Stride: &Extent{W: 8, H: 8}, Fill: &Fill{},
		}},
		{`EXPLAIN OCCLUDE 'scan.png' USING oct`, &Explain{Query: &Occlude{Image: scan, Model: oct}}},
		{`EXPLAIN ANALYZE PREDICT 'scan.png' USING oct`, &Explain{Analyze: true, Query: &Predict{Image: scan, Model: oct}}},
		{`EXPLAIN (ANALYZE on) PREDICT 'scan.png' USING oct`, &Explain{Analyze: true, Query: &Predict{Image: scan, Model: oct}}},
		{`EXPLAIN (analyze false, layers, rules off, format json) PREDICT 'scan.png' USING oct`, &Explain{
			Options: []Option{
				{Name: bare("layers")},
				{Name: bare("rules"), Value: Bool{}},
				{Name: bare("format"), Value: Word{Text: "json"}},
			}, Query: &Predict{Image: scan, Model: oct}}},
		{`COPY (OCCLUDE 'scan.png' USING oct) TO 'h.csv'`, &Copy{Query: &Occlude{Image: scan, Model: oct}, File: str("h.csv")}},
		{`COPY (SHOW MODELS) TO 'm' WITH (FORMAT json)`, &Copy{Query: &ShowModels{}, File: str("m"),
			Options: []Option{{Name: bare("format"), Value: Word{Text: "json"}}}}},
		{`COPY (PREDICT 'scan.png' USING oct TOP 3) TO 'm' (format CSV)`, &Copy{
			Query: &Predict{Image: scan, Model: oct, Top: &three}, File: str("m"),
			Options: []Option{{Name: bare("format"), Value: Word{Text: "csv"}}}}},
		{`SET threads = 3`, &Set{Setting: bare("threads"), Value: three}},
		{`SET device TO 'cpu'`, &Set{Setting: bare("device"), Value: str("cpu")}},
		{`SET progress = ON`, &Set{Setting: bare("progress"), Value: Bool{Value: true}}},
		{`SET plan = Auto`, &Set{Setting: bare("plan"), Value: Word{Text: "Auto"}}},
		{`SHOW threads`, &ShowSetting{Setting: bare("threads")}},
		{`SHOW "models"`, &ShowSetting{Setting: bare("models")}},
		{`SHOW ALL`, &ShowAll{}},
		{`RESET threads`, &Reset{Setting: bare("threads")}},
		{`RESET "all"`, &Reset{Setting: bare("all")}},
		{`RESET ALL`, &ResetAll{}},
	} {
		got := one(t, test.src+";")
		if !Equal(got, test.want) {
			t.Errorf("%s\n parses to %s\n instead of %s", test.src, got, test.want)
		}
		if span := got.Span(); span.From.Offset != 0 || span.To.Offset != len(test.src) {
			t.Errorf("%s: its span is %d to %d", test.src, span.From.Offset, span.To.Offset)
		}
	}
}

// TestConditions shows what binds to what: full puts parentheses around
// everything.
func TestConditions(t *testing.T) {
	for src, full := range map[string]string{
		"x > 1 OR y > 2 AND w > 3":            "(x > 1) OR ((y > 2) AND (w > 3))",
		"(x > 1 OR y > 2) AND w > 3":          "((x > 1) OR (y > 2)) AND (w > 3)",
		"NOT x > 1 AND y > 2":                 "(NOT (x > 1)) AND (y > 2)",
		"NOT NOT x = 1":                       "NOT (NOT (x = 1))",
		"x + y * 2 > w - h - 1":               "(x + (y * 2)) > ((w - h) - 1)",
		"(x + y) * 2 >= 4 / -w % 3":           "((x + y) * 2) >= ((4 / (-w)) % 3)",
		"x - -1 <> - (x + 1)":                 "(x - (-1)) <> (-(x + 1))",
		"x BETWEEN 1 AND 2 AND y != 3":        "(x BETWEEN 1 AND 2) AND (y <> 3)",
		"x NOT BETWEEN 1 + 1 AND 2 OR h < 3":  "(x NOT BETWEEN (1 + 1) AND 2) OR (h < 3)",
		"X in (1, y + 2) and not inside('m')": "(x IN (1, (y + 2))) AND (NOT inside('m'))",
		"x NOT IN (1) OR INSIDE('it''s')":     "(x NOT IN (1)) OR inside('it''s')",
		"x <= 1 OR y = 2 OR (w > 3 OR h < 1)": "(x <= 1) OR (y = 2) OR ((w > 3) OR (h < 1))",
	} {
		where := one(t, "OCCLUDE 'a' USING m WHERE "+src+";").(*Occlude).Where
		if got := parenthesize(where); got != full {
			t.Errorf("%s\n means %s\n instead of %s", src, got, full)
		}
	}
}

func parenthesize(e Expr) string {
	inner := func(e Expr) string {
		switch e.(type) {
		case *Column, Number, *Inside:
			return e.String()
		}
		return "(" + parenthesize(e) + ")"
	}
	all := func(terms []Expr, separator string) string {
		var out []string
		for _, t := range terms {
			out = append(out, inner(t))
		}
		return strings.Join(out, separator)
	}
	switch e := e.(type) {
	case *Or:
		return all(e.Terms, " OR ")
	case *And:
		return all(e.Terms, " AND ")
	case *Not:
		return "NOT " + inner(e.X)
	case *Comparison:
		return inner(e.Left) + " " + string(e.Op) + " " + inner(e.Right)
	case *Between:
		return inner(e.X) + map[bool]string{true: " NOT"}[e.Not] + " BETWEEN " + inner(e.Low) + " AND " + inner(e.High)
	case *In:
		return inner(e.X) + map[bool]string{true: " NOT"}[e.Not] + " IN (" + all(e.List, ", ") + ")"
	case *Arith:
		return inner(e.Left) + " " + string(e.Op) + " " + inner(e.Right)
	case *Neg:
		return "-" + inner(e.X)
	}
	return e.String()
}

func TestExplainOptions(t *testing.T) {
	e := one(t, "EXPLAIN (LAYERS, RULES off, FORMAT Dot) OCCLUDE 'a' USING m;").(*Explain)
	for _, test := range []struct {
		name            string
		otherwise, want bool
	}{{"layers", false, true}, {"rules", true, false}, {"alternatives", true, true}, {"alternatives", false, false}} {
		if got := e.Flag(test.name, test.otherwise); got != test.want {
			t.Errorf("Flag(%q, %v) = %v", test.name, test.otherwise, got)
		}
	}
	if e.Format() != "dot" {
		t.Errorf("Format() = %q", e.Format())
	}
}

// TestPositions looks up what each position points at.
func TestPositions(t *testing.T) {
	const src = "SHOW ALL;\r\n\tOCCLUDE '写真.png' -- é\n  USING oct PATCH 8x4;"
	script, diagnostics := Parse("f", src)
	if len(diagnostics) > 0 {
		t.Fatal(diagnostics)
	}
	o := script.Statements[1].(*Occlude)
	for _, test := range []struct {
		node      Node
		text      string
		line, col int
		lineTo    int
		colTo     int
	}{
		{o, "OCCLUDE '写真.png' -- é\n  USING oct PATCH 8x4", 2, 2, 3, 22},
		{o.Image, "'写真.png'", 2, 10, 2, 18},
		{o.Model, "oct", 3, 9, 3, 12},
		{o.Patch, "8x4", 3, 19, 3, 22},
	} {
		span := test.node.Span()
		if got := src[span.From.Offset:span.To.Offset]; got != test.text {
			t.Errorf("%s spans %q", test.text, got)
		}
		want := Span{
			Pos{"f", span.From.Offset, test.line, test.col},
			Pos{"f", span.To.Offset, test.lineTo, test.colTo},
		}
		if span != want {
			t.Errorf("%s is at %v-%v, not %v-%v", test.text, span.From, span.To, want.From, want.To)
		}
	}
}

// TestGoalPositions: a goal spans its whole clause, so that whoever cannot keep
// it points at all of it.
func TestGoalPositions(t *testing.T) {
	const src = "OCCLUDE 'a' USING m SSIM >= 0.9 WITHIN 5 SECONDS OR FAIL VERIFY 7 POSITIONS;"
	o := one(t, src).(*Occlude)
	for want, node := range map[string]Node{
		"SSIM >= 0.9": o.Quality, "WITHIN 5 SECONDS OR FAIL": o.Within, "VERIFY 7 POSITIONS": o.Verify,
	} {
		span := node.Span()
		if got := src[span.From.Offset:span.To.Offset]; got != want {
			t.Errorf("%s spans %q", want, got)
		}
		if node.String() != want {
			t.Errorf("%s prints as %q", want, node)
		}
	}
}

func TestSplit(t *testing.T) {
	const src = "-- first\nSHOW MODELS ;; PREDICT ';' /* ; */ USING \"a;b\" -- ;\n TOP 3; broken ) 'x' ; SHOW ALL -- end"
	want := []Part{
		{Text: "SHOW MODELS ;", Terminated: true},
		{Text: "PREDICT ';' /* ; */ USING \"a;b\" -- ;\n TOP 3;", Terminated: true},
		{Text: "broken ) 'x' ;", Terminated: true},
		{Text: "SHOW ALL"},
	}
	parts := Split(src)
	if len(parts) != len(want) {
		t.Fatalf("%d parts: %v", len(parts), parts)
	}
	for i, p := range parts {
		if p.Text != want[i].Text || p.Terminated != want[i].Terminated {
			t.Errorf("part %d is %q, %v", i, p.Text, p.Terminated)
		}
		if src[p.From.Offset:p.To.Offset] != p.Text {
			t.Errorf("part %d spans %q", i, src[p.From.Offset:p.To.Offset])
		}
	}
	if p := parts[1]; p.From.Line != 2 || p.From.Col != 16 || p.To.Line != 3 || p.To.Col != 8 {
		t.Errorf("part 1 is at %v to %v", p.From, p.To)
	}
}

func TestComplete(t *testing.T) {
	for src, lacks := range map[string]string{
		"":                                 "",
		"  -- nothing here":                "",
		"SHOW MODELS;":                     "",
		"SHOW MODELS; -- and a comment":    "",
		"SHOW MODELS; /* and\n another */": "",
		"SHOW MODELS":                      ";",
		"SHOW MODELS -- ;":                 ";",
		"SHOW MODELS; SHOW":                ";",
		"nonsense":                         ";",
		"nonsense;":                        "",
		"OCCLUDE 'scan":                    "'",
		"OCCLUDE 'scan;":                   "'",
		"OCCLUDE 'it''s":                   "'",
		"OCCLUDE 'it''s'":                  ";",
		"OCCLUDE 'a' USING \"my":           `"`,
		"SHOW /* MODELS;":                  "*/",
		"SHOW MODELS; /* what":             "*/",
		"COPY (OCCLUDE 'a' USING m":        ")",
		"SET a = [1, (2":                   ")",
		"SET a = [1, 2":                    "]",
		"COPY (OCCLUDE 'a' USING m;":       "",
		"SHOW 'a;' MODELS":                 ";",
	} {
		got, ok := Complete(src)
		if got != lacks || ok != (lacks == "") {
			t.Errorf("Complete(%q) = %q, %v", src, got, ok)
		}
	}
}
