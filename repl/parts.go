package repl

import (
	"fmt"
	"io"
	"strings"

	"occlude/executor"
)

// Part is a piece of what is printed of a result: lines of text, or a table.
type Part struct {
	Text   string
	Titles []string   // of a table's columns; nil in text
	Right  []bool     // columns that are aligned to the right
	Rows   [][]string // a text for each column
}

// Parts are the pieces of a result that is printed for people as tables with text
// around them, in their order; nil of any other. Others than terminals, who set tables
// in their own way, take a result apart by them.
func Parts(r executor.Result) []Part {
	switch r := r.(type) {
	case *executor.Benchmark:
		return benchmarkParts(r)
	case *executor.Evaluation:
		var notes strings.Builder
		if evaluationNotes(&notes, r) != nil {
			return nil // a Builder takes everything
		}
		return []Part{tablePart(r.Relation()), {Text: notes.String()}}
	}
	return nil
}

// tablePart is a relation's.
func tablePart(r *executor.Relation) Part {
	p := Part{Titles: r.Columns, Right: make([]bool, len(r.Columns))}
	for i := range p.Right {
		p.Right[i] = IsNumeric(r, i)
	}
	for _, row := range r.Rows {
		cells := make([]string, len(row))
		for i, v := range row {
			cells[i] = Cell(v)
		}
		p.Rows = append(p.Rows, cells)
	}
	return p
}

// print writes a part for terminals.
func (p Part) print(w io.Writer) error {
	if p.Titles == nil {
		_, err := fmt.Fprint(w, p.Text)
		return err
	}
	return columns(w, p.Titles, p.Right, p.Rows)
}
