package lang

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
)

func TestDidYouMean(t *testing.T) {
	models := []string{"oct", "resnet18", "resnet50", "vgg16", "USING", "x", "y"}
	for word, want := range map[string]string{
		"resnt18":                 "did you mean resnet18?",
		"RESNET81":                "did you mean resnet18?",
		"otc":                     "did you mean oct?",
		"using":                   "did you mean USING?",
		"oc":                      "did you mean oct?",
		"vgg19":                   "did you mean vgg16?",
		"z":                       "",
		"":                        "",
		"mobilenet":               "",
		strings.Repeat("x", 1000): "",
	} {
		if got := DidYouMean(word, models); got != want {
			t.Errorf("%.20s: %q, not %q", word, got, want)
		}
	}
	for _, test := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"abc", "", 3}, {"", "abc", 3}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"写真", "写", 1}, {"ab", "ba", 1}} {
		if got := distance(test.a, test.b); got != test.want {
			t.Errorf("%q and %q are %d apart, not %d", test.a, test.b, got, test.want)
		}
	}
}

// TestForeignDiagnostic is what the planner does with a tree.
func TestForeignDiagnostic(t *testing.T) {
	const src = "SHOW ALL;\nOCCLUDE 'a.png' USING otc;\n"
	script, _ := Parse("q.oql", src)
	o := script.Statements[1].(*Occlude)
	var err error = Errorf(o.Model.Span(), "there is no model %s: %w", o.Model, fs.ErrNotExist).
		WithHint(DidYouMean(o.Model.Text, []string{"vgg", "oct"}))

	if want := "q.oql:2:23: error: there is no model otc: file does not exist"; err.Error() != want {
		t.Errorf("Error() = %q", err)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the error it wraps is lost")
	}
	want := `q.oql:2:23: error: there is no model otc: file does not exist
  OCCLUDE 'a.png' USING otc;
                        ^~~
  hint: did you mean oct?
`
	all := Diagnostics{err.(*Diagnostic), {Summary: "it is late"}}
	if got := all.Format(src); got != want+"error: it is late\n" {
		t.Errorf("Format gives\n%s", got)
	}
	var d *Diagnostic
	if !errors.Is(all.Err(), fs.ErrNotExist) || !errors.As(all.Err(), &d) {
		t.Error("the diagnostics do not lead to their errors")
	}
	if got := all.Error(); !strings.HasSuffix(got, "\nerror: it is late") {
		t.Errorf("Error() = %q", got)
	}
	if (Diagnostics)(nil).Err() != nil {
		t.Error("no diagnostics are an error")
	}
	// A span of another text cannot be shown.
	if got := d.Format("short"); strings.Contains(got, "^") {
		t.Errorf("an unrelated text is underlined:\n%s", got)
	}
}

// What is complained of may quote a file, which must not reach the terminal.
func TestControlCharacters(t *testing.T) {
	d := Errorf(Span{}, "no \x1b[31mmodel\r").WithHint("\x07did you mean it?")
	if got, want := d.Error(), `error: no \x1b[31mmodel\r`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if text := d.Format(""); strings.ContainsAny(text, "\x1b\x07\r") {
		t.Errorf("%q", text)
	}
}

// A list of a file's names may be as long as the file.
func TestLongSummary(t *testing.T) {
	d := Errorf(Span{}, "none of %s", strings.Repeat("ö", 1e6)).WithHint(strings.Repeat("a", 1e6))
	if text := d.Format(""); len(text) > 3*maxSummary || !utf8.ValidString(text) || !strings.Contains(text, "ö...") {
		t.Errorf("%d bytes: %.100q", len(text), text)
	}
}

func TestLongLines(t *testing.T) {
	long := strings.Repeat("写", 5000)
	src := "PREDICT '" + long + "' USNG m WITH (a = '" + long + "');"
	_, diagnostics := Parse("t", src)
	lines := strings.Split(diagnostics.Format(src), "\n")
	for _, line := range lines {
		if len(line) > 300 {
			t.Errorf("a line of %d bytes", len(line))
		}
	}
	text, marks := lines[1], lines[2]
	if !strings.HasPrefix(text, "  ...写") || !strings.HasSuffix(text, "写...") {
		t.Errorf("the line is not cut: %s", text)
	}
	// The wide characters before the word take two columns each.
	before, _, _ := strings.Cut(text, "USNG")
	wide := strings.Count(before, "写")
	if column := len([]rune(before)) + wide; strings.Index(marks, "^~~~") != column {
		t.Errorf("USNG is in column %d:\n%s\n%s", column, text, marks)
	}
}

func TestKeywords(t *testing.T) {
	words := Keywords()
	if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
		t.Error("the keywords are not sorted, or one is there twice")
	}
	for _, word := range []string{"OCCLUDE", "BETWEEN", "inside", "gray", "COLORMAP", "ALTERNATIVES", "x", "REPLACE"} {
		if !slices.Contains(words, word) {
			t.Errorf("%s is missing", word)
		}
	}
	// What is reserved is a word of the grammar.
	for _, word := range reserved {
		if !slices.Contains(words, word) {
			t.Errorf("%s is reserved for nothing", word)
		}
	}
}

// However narrow the terminal, the marks stand under the token, in lines that it does not break.
func TestFit(t *testing.T) {
	x := strings.Repeat("x", 40)
	for _, c := range []struct{ source, token string }{
		{"SHOW wibble;", "wibble"}, {"OCCLUDE '" + x + "' USING m WIBBL;", "WIBBL"}, {"WIBBL '" + x + x + "';", "WIBBL"},
		{"OCCLUDE '" + x + "' WIBBL '" + x + "';", "WIBBL"}, {"'日本語漢字" + x + "' WIBBL '日本語漢字日本語漢字" + x + "'", "WIBBL"},
		{"'" + x + "' " + strings.Repeat("漢", 50), strings.Repeat("漢", 50)},
	} {
		from := strings.Index(c.source, c.token)
		d := &Diagnostic{Span: Place("f", c.source, from, from+len(c.token)), Summary: "no"}
		for columns := 12; columns < 200; columns++ {
			lines := strings.Split(Fit(d.Format(c.source), columns), "\n")
			text, marks := lines[1], lines[2]
			if displaywidth.String(text) > columns || len(marks) > columns {
				t.Fatalf("%d columns:\n%s\n%s", columns, text, marks)
			}
			place := strings.Index(text, c.token[:3])
			if place < 0 || displaywidth.String(text[:place]) != strings.IndexByte(marks, '^') {
				t.Fatalf("%d columns:\n%s\n%s", columns, text, marks)
			}
		}
	}
}
