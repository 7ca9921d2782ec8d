package queries

import (
	"testing"

	"occlude/lang"
)

// FuzzScan holds the scanner against the text, whatever that is, and against package
// lang, which finds out by itself where SQL ends: were they to disagree, a part of a
// text would be taken for another statement.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		"peak() FROM maps", "inside('a;b.png') AND mass_in(1, 2, 3, 4)", `"a;""b", [c;d], 'e;''f', x'00'`, "1 -- ;\n + /* ; */ .5e-3", "?1 :a @b $c #d", "'", "[", "/*", "heatmap(",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		end := 0
		for _, k := range scan(text) {
			if k.from < end || k.to <= k.from || k.to > len(text) || k.text != text[k.from:k.to] {
				t.Fatalf("%q has the token %+v behind byte %d", text, k, end)
			}
			_, end = k.value(), k.to
		}
		e := expand(text)
		shorter := e.sql
		for i := len(e.inserted) - 1; i >= 0; i-- {
			in := e.inserted[i]
			shorter = shorter[:in.from] + shorter[in.from+in.n:]
		}
		if shorter != text {
			t.Fatalf("%q was written out as %q, of which %+v", text, e.sql, e.inserted)
		}
		script, diagnostics := lang.Parse("fuzz", "SELECT "+text+";")
		if diagnostics.Err() != nil || len(script.Statements) != 1 {
			return
		}
		q, ok := script.Statements[0].(*lang.SQL)
		if !ok {
			return
		}
		for _, k := range scan(q.Text) {
			if k.text == ";" {
				t.Fatalf("%q is one statement to package lang, and has a semicolon at byte %d", q.Text, k.from)
			}
		}
	})
}
