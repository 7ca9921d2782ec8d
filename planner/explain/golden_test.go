package explain

import (
	"bytes"
	"encoding/xml"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/cockroachdb/datadriven"

	"occlude/planner"
)

// TestGolden shows what each statement prints. Seconds come from the profile in
// testdata and measurements are made by hand, so nothing depends on the machine.
func TestGolden(t *testing.T) { goldens(t, "testdata/*.txt", nil) }

// TestGoldenGPU shows plans on GPUs.
func TestGoldenGPU(t *testing.T) { goldens(t, "testdata/gpu/*.txt", machine{}) }

// goldens runs golden files, each by a planner of its own: show prints what a statement
// does, and set changes a setting.
func goldens(t *testing.T, pattern string, on planner.Devices) {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			p, settings := benchOf(t, on)
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				var b bytes.Buffer
				var err error
				switch d.Cmd {
				case "show":
					err = show(t, p, d.Input, &b)
				case "set":
					name, value, _ := strings.Cut(d.Input, " = ")
					err = settings.Set(name, value)
				default:
					d.Fatalf(t, "no command %q", d.Cmd)
				}
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				return b.String()
			})
		})
	}
}

// show runs a statement as the engine does.
func show(t *testing.T, p *planner.Planner, statement string, b *bytes.Buffer) error {
	if strings.HasPrefix(statement, "DESCRIBE") {
		m := Describe(plan(t, p, statement).(*planner.Describe))
		if err := m.Text(b); err != nil {
			return err
		}
		checkHTML(t, m.HTML, b.String())
		return checkPage(t, b.String())
	}
	r, e := report(t, p, statement)
	switch e.Format {
	case planner.FormatJSON:
		return r.JSON(b)
	case planner.FormatDOT:
		return r.DOT(b)
	}
	if err := r.Text(b); err != nil {
		return err
	}
	checkHTML(t, r.HTML, b.String())
	return checkPage(t, b.String())
}

// checkPage makes sure that a text fits the page and holds nothing but text.
func checkPage(t *testing.T, text string) error {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if width(line) > pageWidth {
			t.Errorf("%d columns: %s", width(line), line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("spaces at the end: %q", line)
		}
		if strings.ContainsFunc(line, unicode.IsControl) {
			t.Errorf("control characters: %q", line)
		}
	}
	return nil
}

// checkHTML makes sure that HTML is well formed, and says what the text says but for
// what is shortened there.
func checkHTML(t *testing.T, write func(io.Writer) error, text string) {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	d := xml.NewDecoder(&b)
	var said strings.Builder
	for {
		token, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%v in HTML that says\n%s", err, said.String())
		}
		if chars, ok := token.(xml.CharData); ok {
			said.Write(chars)
			said.WriteByte('\n')
		}
	}
	// A wider page has room for more of a list, and for a detail behind a colon.
	split := func(s string) []string {
		return strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || r == ':' || r == ',' })
	}
	words := split(said.String())
	for _, word := range split(text) {
		if strings.Trim(word, "─│├└") != "" && !strings.Contains(word, ellipsis) && !slices.Contains(words, word) {
			t.Errorf("the HTML does not say %q:\n%s", word, said.String())
			return
		}
	}
}
