package repl

import (
	"bufio"
	"io"
	"strings"

	"github.com/clipperhouse/displaywidth"
)

// columns prints rows below titles, with lines between the columns:
//
//	class  | positions
//	--------+-----------
//	nodule |       196
//
// right tells which columns are aligned to the right. It is written out here since
// results may have a hundred thousand rows, and tablewriter, which draws EXPLAIN's
// trees, takes a quarter of a millisecond for each.
func columns(w io.Writer, titles []string, right []bool, rows [][]string) error {
	widths := make([]int, len(titles))
	for i, t := range titles {
		widths[i] = displaywidth.String(t)
	}
	for _, row := range rows {
		for i, c := range row {
			widths[i] = max(widths[i], displaywidth.String(c))
		}
	}
	out := bufio.NewWriter(w)
	line := func(cells []string, right []bool) {
		for i, c := range cells {
			if i > 0 {
				out.WriteString("|")
			}
			padding := strings.Repeat(" ", widths[i]-displaywidth.String(c))
			if right != nil && right[i] {
				c = padding + c
			} else {
				c += padding
			}
			out.WriteString(" " + c + " ")
		}
		out.WriteString("\n")
	}
	line(titles, nil)
	for i, width := range widths {
		if i > 0 {
			out.WriteString("+")
		}
		out.WriteString(strings.Repeat("-", width+2))
	}
	out.WriteString("\n")
	for _, row := range rows {
		line(row, right)
	}
	return out.Flush() // which gives the first error of all writes
}
