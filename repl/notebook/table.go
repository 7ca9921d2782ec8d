package notebook

import (
	"bytes"
	"fmt"
	"html"
	"unicode/utf8"

	"occlude/executor"
	"occlude/repl"
)

const (
	// mostRows is how many rows of a table a notebook keeps: it holds every output in
	// its file.
	mostRows = 200
	// widest is how many characters of a text a cell of a table shows.
	widest = 200
	// mostPicture is how many bytes of pictures a table shows; those beyond are told of.
	mostPicture = 4 << 20
)

// shortened cuts off rows that a notebook would not keep, and says so.
func shortened(r *executor.Relation) *executor.Relation {
	if len(r.Rows) <= mostRows {
		return r
	}
	more := make([]any, len(r.Columns))
	if len(more) > 0 {
		more[0] = fmt.Sprintf("… and %d more rows; COPY writes all of them", len(r.Rows)-mostRows)
	}
	rows := append(append([][]any{}, r.Rows[:mostRows]...), more)
	return &executor.Relation{Columns: r.Columns, Rows: rows}
}

// grid writes tables as HTML: numbers right, all else left. Styles stand with the
// cells, since front ends cut out style sheets.
type grid struct {
	*bytes.Buffer
	right []bool // by column
}

// begin writes the titles.
func (g grid) begin(titles []string) {
	g.WriteString("<table>\n<thead><tr>")
	for i, t := range titles {
		fmt.Fprintf(g, `<th style="%s">%s</th>`, g.style(i), escaped(t))
	}
	g.WriteString("</tr></thead>\n<tbody>\n")
}

// row writes a row, of whose cells it is given the HTML.
func (g grid) row(n int, cell func(i int) string) {
	g.WriteString("<tr>")
	for i := range n {
		fmt.Fprintf(g, `<td style="%s">%s</td>`, g.style(i), cell(i))
	}
	g.WriteString("</tr>\n")
}

func (g grid) end() { g.WriteString("</tbody>\n</table>\n") }

func (g grid) style(i int) string {
	if g.right[i] {
		return "text-align:right;white-space:nowrap"
	}
	return "text-align:left"
}

// escaped is a text in HTML, cut where it is long.
func escaped(text string) string {
	if utf8.RuneCountInString(text) > widest {
		text = string([]rune(text)[:widest]) + "…"
	}
	return html.EscapeString(text)
}

// table writes a relation as HTML, with the pictures that are in it.
func table(b *bytes.Buffer, r *executor.Relation) {
	g := grid{b, make([]bool, len(r.Columns))}
	for i := range g.right {
		g.right[i] = repl.IsNumeric(r, i)
	}
	g.begin(r.Columns)
	room := mostPicture
	for _, row := range r.Rows {
		g.row(len(row), func(i int) string {
			text := repl.Cell(row[i])
			if p := thumbnail(row[i], text); p != "" && len(p) <= room {
				room -= len(p)
				return p
			}
			return escaped(text)
		})
	}
	g.end()
}

// parts writes a result that is in parts.
func parts(b *bytes.Buffer, all []repl.Part) {
	for _, p := range all {
		if p.Titles == nil {
			fmt.Fprintf(b, "<pre>%s</pre>\n", html.EscapeString(p.Text))
			continue
		}
		g := grid{b, p.Right}
		g.begin(p.Titles)
		for _, row := range p.Rows {
			g.row(len(row), func(i int) string { return escaped(row[i]) })
		}
		g.end()
	}
}
