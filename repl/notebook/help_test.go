package notebook

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"occlude/internal/engine"
	"occlude/internal/jupyter"
)

func TestQuestions(t *testing.T) {
	for code, topic := range map[string]string{
		"?": "", "??": "", "?occlude": "occlude", "OCCLUDE?": "OCCLUDE", " ? create model ;\n": "create model", "chest ?": "chest", `"my m"?`: "my m",
	} {
		if got, ok := question(code); !ok || got != topic {
			t.Errorf("%q asks for %q", code, got)
		}
	}
	for _, code := range []string{"", "SHOW ALL;", "OCCLUDE '?", "PREDICT 'a?", "? a\n? b", "SELECT 'x' ?"} {
		if topic, ok := question(code); ok {
			t.Errorf("%q asks for %q", code, topic)
		}
	}
}

func TestHelp(t *testing.T) {
	k := session(t)
	ctx := context.Background()
	for topic, want := range map[string]string{
		"": "ANALYZE MODEL", "occlude": "See also: FOR", "threads": "`auto`", "chest": "layers", "CHEST": "layers", "approximation": "Approximate heat maps\n═══", "tau": "`tau`",
	} {
		b, err := k.page(ctx, topic)
		if err != nil || !strings.Contains(b["text/plain"], want) || len(b) != 2 {
			t.Errorf("%q: %v, %v", topic, b, err)
		}
		if strings.Contains(b["text/markdown"], "](") {
			t.Errorf("%q has links that lead nowhere", topic)
		}
	}
	if _, err := k.page(ctx, "oclude"); err == nil || !strings.Contains(err.Error(), "did you mean OCCLUDE?") {
		t.Errorf("a misspelt topic: %v", err)
	}
	if _, err := k.page(ctx, "drill_don"); err == nil || !strings.Contains(err.Error(), "did you mean drill_down?") {
		t.Errorf("a misspelt hint: %v", err)
	}
	// The bar is the cursor.
	for code, want := range map[string]string{
		"OCC|LUDE 'a.png' USING chest;": "OCCLUDE\n───", "OCCLUDE 'a.png' USING che|st;": "layers", "OCCLUDE 'a.png' USING chest STRI|DE 4": "PATCH and STRIDE\n───",
		"CREATE| MODEL": "CREATE MODEL\n───", "DROP MO|DEL": "DROP MODEL\n───", "DROP MODEL chest|": "layers", "SET thr|eads = 2": "The setting `threads` is `auto` now",
		"SELECT| 1": "SELECT and friends\n───", "?occlude|": "OCCLUDE\n───", "EXPLAIN (ANALY|ZE) OCCLUDE 'a.png' USING chest": "EXPLAIN\n───",
		// What says nothing for itself is told of by what it stands behind.
		"OCCLUDE 'a.p|ng' USING chest": "OCCLUDE\n───", "OCCLUDE 'a.png' USING chest AT (1, |2)": "AT\n──", "SELECT pe|ak() FROM t": "Functions of heat maps\n───",
		"OCCLUDE 'a.png' USING chest WITH (plan = incr|emental)": "`plan` in WITH", "OCCLUDE 'a.png' USING chest COLORMAP vir|idis": "INTO and COLORMAP\n───",
		// A word that several statements have is that of its own.
		"PREDICT 'a.png' USI|NG chest": "PREDICT\n───", "OCCLUDE 'a.png' USI|NG chest": "OCCLUDE\n───", "ANALYZE MODEL chest USI|NG 'a.png'": "ANALYZE MODEL\n───",
		"OCCLUDE 'a.png' USING chest FOR TO|P 2": "FOR\n───", "OCCLUDE 'a.png' USING chest FILL me|an(image)": "`mean` in FILL", "COPY (PREDICT 'a.png' USING chest) T|O 'a.csv'": "COPY\n───",
		"CREATE MODEL m FROM 'a.onnx' WITH (labels = '|x')": "`labels` in CREATE MODEL", "EXPLAIN (FOR|MAT JSON) OCCLUDE 'a.png' USING chest": "EXPLAIN\n───",
	} {
		cursor := strings.IndexByte(code, '|')
		b := k.Inspect(ctx, strings.Replace(code, "|", "", 1), cursor)
		if !strings.Contains(b["text/plain"], want) {
			t.Errorf("%s: %.200v", code, b)
		}
	}
	for _, code := range []string{"", "wibble", "'a.png'"} {
		if b := k.Inspect(ctx, code, len(code)); b != nil {
			t.Errorf("%q: %v", code, b)
		}
	}
}

func TestCompletion(t *testing.T) {
	k := session(t)
	code := "OCCLUDE 'images/nod' USING chest FOR CLASS 'nod"
	for _, c := range []struct {
		cursor int
		from   int
		want   string
	}{
		{len(code), 43, "[{'nodule' label}]"}, {19, 8, "[{'images/nodule-2.png path} {'images/nodule.png path}]"}, {30, 27, "[{chest model}]"}, {3, 0, "[{OCCLUDE keyword}]"},
	} {
		got := k.Complete(context.Background(), code, c.cursor)
		if got.From != c.from || got.To != c.cursor || fmt.Sprint(got.Matches) != c.want {
			t.Errorf("at %d: %+v, want %s from %d", c.cursor, got, c.want, c.from)
		}
	}
}

func TestCompleteness(t *testing.T) {
	k := New(engine.New(), "")
	for code, want := range map[string]jupyter.Completeness{
		"": jupyter.Complete, "SHOW ALL;": jupyter.Complete, "SHOW\nALL": jupyter.Incomplete, "?x": jupyter.Complete, "OCCLUDE 'a": jupyter.Incomplete,
		"SHOW ALL; SHOW": jupyter.Incomplete, "SHWO ALL;": jupyter.Invalid, "/* x": jupyter.Incomplete,
	} {
		if got := k.Completeness(code); got != want {
			t.Errorf("%q is %s, want %s", code, got, want)
		}
	}
}
