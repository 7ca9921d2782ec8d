package explain

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/cockroachdb/datadriven"

	"occlude/planner"
)

// TestGolden shows what each statement prints. Seconds come from the profile in
// testdata and measurements are made by hand, so nothing depends on the machine.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		file, err := filepath.Abs(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			p := bench(t)
			datadriven.RunTest(t, file, func(t *testing.T, d *datadriven.TestData) string {
				if d.Cmd != "show" {
					d.Fatalf(t, "no command %q", d.Cmd)
				}
				var b bytes.Buffer
				if err := show(t, p, d.Input, &b); err != nil {
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
