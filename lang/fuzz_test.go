package lang

import (
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"
)

// FuzzParse: whatever the text, parsing ends without a panic; what is
// understood prints and parses back; every complaint lies in the text and can
// be shown; and the parser and the walk through its grammar agree.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"OCCLUDE 'scan.png' USING oct FOR CLASS 'DME' PATCH 16x16 STRIDE 4 FILL 'gray' INTO 'heat.png', 'heat.npy';",
		"CREATE OR REPLACE MODEL \"m 1\" FROM 'C:\\a.onnx' WITH (mean = [0.4, .5, -1e-3], labels = 'it''s', x = off);",
		"OCCLUDE 'a' USING m WHERE x BETWEEN 4 AND 180 AND NOT (y * -2 >= 60 OR inside('r')) OR w NOT IN (1, 2);",
		"EXPLAIN (ANALYZE, RULES off, FORMAT JSON) OCCLUDE 'a' USING m FILL rgb(1, 2.5, 3) AT (1, -2), (3, 4) COLORMAP jet;",
		"COPY (PREDICT 'a' USING m TOP 5) TO 'p.csv' (FORMAT csv); SHOW MODELS; SET a = auto; RESET ALL; DROP MODEL IF EXISTS m",
		"OCCLUDE 'a' USING m SSIM >= 0.9 WITHIN 1.5 MINUTES OR FAIL VERIFY 7 POSITIONS; OCCLUDE 'a' USING m VERIFY ALL WITHIN 5s;",
		"ANALYZE MODEL m USING SAMPLE 30 FROM 'a/*.png' REPEATABLE (42) PATCH 16x8 STRIDE 4 FILL mean(patch); ANALYZE MODEL m;",
		"SHOW MODELS -- no semicolon\nPREDICT 'a' USNG m; /* open",
		"OCCLUDE 'open USING m;\nSHOW ALL;\n\"also open",
		"\ufeff'写真' 16x 1e \x00 \xff # ‘ ;; ) ( [ ] x16",
		"\n" + strings.Repeat("\x80", 300), // parts of letters without a beginning
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, src string) {
		script, diagnostics := Parse("fuzz", src)
		for _, s := range script.Statements {
			checkRoundTrip(t, s)
			checkSpan(t, src, s.Span())
		}
		for _, d := range diagnostics {
			checkSpan(t, src, d.Span)
			if text := d.Format(src); d.Summary == "" || !strings.HasSuffix(text, "\n") {
				t.Fatalf("%q is no diagnostic", text)
			}
		}
		parts := Split(src)
		_, complete := Complete(src)
		if n := len(parts); complete && n > 0 && !parts[n-1].Terminated {
			t.Fatalf("complete, but its last statement has no end: %q", parts[n-1].Text)
		}
		for r := newReader("fuzz", src); r.next(); {
			if r.bad != nil || checkNesting(r.tokens) != nil {
				continue
			}
			tokens := append(r.tokens, lexer.EOFToken(r.end.Pos))
			_, err := parseStatement(tokens)
			if n, _ := expect(tokens); (err == nil) != (n == len(tokens)) {
				t.Fatalf("the parser says %v, the grammar stops at token %d of %d", err, n, len(tokens))
			}
		}
	})
}

func checkSpan(t *testing.T, src string, span Span) {
	t.Helper()
	if span.From.Offset < 0 || span.From.Offset > span.To.Offset || span.To.Offset > len(src) {
		t.Fatalf("the span %d to %d is not in the text", span.From.Offset, span.To.Offset)
	}
	before := src[:span.From.Offset]
	if line := strings.Count(before, "\n") + 1; line != span.From.Line {
		t.Fatalf("offset %d is on line %d, not %d", span.From.Offset, line, span.From.Line)
	}
}
