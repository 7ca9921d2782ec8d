package notebook

import (
	"bytes"
	"fmt"
	"html"

	"occlude/executor"
	"occlude/repl"
)

// mostRows is how many rows of a table a notebook keeps: it holds every output in its
// file.
const mostRows = 200

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

// table writes a relation as HTML: numbers right, all else left. Styles stand with the
// cells, since front ends cut out style sheets.
func table(b *bytes.Buffer, r *executor.Relation) {
	escape := html.EscapeString
	right := make([]bool, len(r.Columns))
	for i := range right {
		right[i] = repl.IsNumeric(r, i)
	}
	align := func(i int) string {
		if right[i] {
			return "right"
		}
		return "left"
	}
	b.WriteString("<table>\n<thead><tr>")
	for i, c := range r.Columns {
		fmt.Fprintf(b, `<th style="text-align:%s">%s</th>`, align(i), escape(c))
	}
	b.WriteString("</tr></thead>\n<tbody>\n")
	for _, row := range r.Rows {
		b.WriteString("<tr>")
		for i, v := range row {
			fmt.Fprintf(b, `<td style="text-align:%s">%s</td>`, align(i), escape(repl.Cell(v)))
		}
		b.WriteString("</tr>\n")
	}
	b.WriteString("</tbody>\n</table>\n")
}
