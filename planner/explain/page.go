package explain

import (
	"bytes"
	"fmt"
	"io"
)

// page is where a report is written for people: in a terminal or in a notebook.
type page interface {
	// columns is how wide what is written may be.
	columns() int
	title(text string) error
	facts(*facts) error
	table(*table) error
}

// section is a part of a report.
type section func(page) error

// textPage is a page in a terminal.
type textPage struct{ w io.Writer }

func (textPage) columns() int { return pageWidth }

func (p textPage) title(text string) error {
	_, err := fmt.Fprintln(p.w, text)
	return err
}

func (p textPage) facts(f *facts) error { return f.write(p.w) }

func (p textPage) table(t *table) error { return t.write(p.w) }

// writeText writes sections with an empty line between them.
func writeText(w io.Writer, sections []section) error {
	var b bytes.Buffer
	for i, section := range sections {
		if i > 0 {
			b.WriteByte('\n')
		}
		if err := section(textPage{&b}); err != nil {
			return err
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
