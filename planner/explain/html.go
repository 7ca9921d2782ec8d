package explain

import (
	"bytes"
	"fmt"
	"html"
	"io"
	"slices"
	"strings"
)

// HTML writes what Text does as a piece of HTML, for notebooks.
func (r *Report) HTML(w io.Writer) error { return writeHTML(w, r.sections()) }

// HTML writes what Text does as a piece of HTML, for notebooks.
func (m *ModelReport) HTML(w io.Writer) error { return writeHTML(w, m.sections()) }

// htmlWidth is where texts are broken that wrap themselves: a notebook scrolls what
// is wider than it.
const htmlWidth = 150

// htmlPage is a page in a notebook. Front ends cut out style sheets and scripts, but
// not the style of an element; without one, theirs would set all cells right.
type htmlPage struct{ b *bytes.Buffer }

func (htmlPage) columns() int { return htmlWidth }

func (p htmlPage) title(text string) error {
	fmt.Fprintf(p.b, "<p>%s</p>\n", html.EscapeString(strings.ReplaceAll(text, "\n", " ")))
	return nil
}

func (p htmlPage) facts(f *facts) error {
	p.b.WriteString("<table>\n")
	for _, l := range f.lines {
		fmt.Fprintf(p.b, "<tr><th style=\"text-align:left\">%s</th><td style=\"text-align:left\">%s</td></tr>\n",
			html.EscapeString(l[0]), html.EscapeString(oneLine(l[1])))
	}
	p.b.WriteString("</table>\n")
	return nil
}

func (p htmlPage) table(t *table) error {
	p.b.WriteString("<table>\n<thead><tr>")
	for _, c := range t.columns {
		fmt.Fprintf(p.b, "<th style=\"text-align:%s\">%s</th>", c.kind.align(), html.EscapeString(c.title))
	}
	p.b.WriteString("</tr></thead>\n<tbody>\n")
	styles := t.styles()
	for _, row := range t.rows {
		p.b.WriteString("<tr>")
		for i, cell := range row {
			fmt.Fprintf(p.b, "<td style=\"%s\">%s</td>", styles[i], html.EscapeString(cell))
		}
		p.b.WriteString("</tr>\n")
	}
	p.b.WriteString("</tbody>\n</table>\n")
	return nil
}

// styles are those of the columns' cells: the branches of a tree must stand below each
// other.
func (t *table) styles() []string {
	styles := make([]string, len(t.columns))
	for i, c := range t.columns {
		styles[i] = "text-align:" + c.kind.align()
		if c.kind == number {
			styles[i] += ";white-space:nowrap"
			continue
		}
		styles[i] += ";white-space:pre"
		if slices.ContainsFunc(t.rows, func(row []string) bool { return strings.ContainsAny(row[i], "└├│") }) {
			styles[i] += ";font-family:monospace"
		}
	}
	return styles
}

// align is the side that a column stands on.
func (k kind) align() string {
	if k == number {
		return "right"
	}
	return "left"
}

// writeHTML writes sections one below the other.
func writeHTML(w io.Writer, sections []section) error {
	var b bytes.Buffer
	b.WriteString("<div>\n")
	for _, section := range sections {
		if err := section(htmlPage{&b}); err != nil {
			return err
		}
	}
	b.WriteString("</div>\n")
	_, err := w.Write(b.Bytes())
	return err
}
