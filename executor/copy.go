package executor

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"occlude/internal/atomicfile"
	"occlude/internal/tables/queries"
	"occlude/lang"
	"occlude/planner"
)

// copy runs a query and writes what it returns.
func (s *Session) copy(ctx context.Context, p *planner.Copy, emit func(Result) error) error {
	if q, ok := p.Query.(*planner.Query); ok {
		return s.copyRows(ctx, p, q, emit)
	}
	return s.run(ctx, p.Query, func(r Result) error {
		t, ok := r.(Tabular)
		if !ok {
			return fmt.Errorf("%s returns no rows to copy", p.Query.Statement())
		}
		if h, ok := r.(*HeatMap); ok && h.Partial { // which the error that follows tells
			return nil
		}
		if ctx.Err() != nil { // what an interrupted query still returns is for the eye
			return context.Cause(ctx)
		}
		path := p.Out.Path
		if h, ok := r.(*HeatMap); ok {
			path = p.Out.For(h.Image)
		}
		if err := write(p.Out.Format, path, r); err != nil {
			return err
		}
		return emit(copied(len(t.Relation().Rows), path))
	})
}

// copied tells how many rows went where.
func copied(rows int, path string) Message {
	if rows == 1 {
		return Message{"COPY 1 row to " + path}
	}
	return Message{fmt.Sprintf("COPY %d rows to %s", rows, path)}
}

// copyRows writes the rows of SQL: as they come where they are written as rows, so
// that there may be any number of them.
func (s *Session) copyRows(ctx context.Context, p *planner.Copy, q *planner.Query, emit func(Result) error) error {
	if p.Out.Format == planner.WritePNG || p.Out.Format == planner.WriteNPY {
		return s.copyMaps(ctx, p, q, emit)
	}
	var out *counter
	err := atomicfile.Write(p.Out.Path, func(w io.Writer) error {
		rows, err := newRowWriter(p.Out.Format, w)
		if err != nil {
			return err
		}
		out = &counter{rowWriter: rows}
		if err := s.queries().Read(ctx, q.SQL, out); err != nil {
			return err
		}
		return out.Close()
	})
	if err != nil {
		return err
	}
	return emit(copied(out.rows, p.Out.Path))
}

// counter counts the rows that it hands on.
type counter struct {
	rowWriter
	rows int
}

func (c *counter) Row(values []any) error {
	c.rows++
	return c.rowWriter.Row(values)
}

// copyMaps writes arrays or pictures: those that a column holds, or the one that the
// columns x, y and p_drop make.
func (s *Session) copyMaps(ctx context.Context, p *planner.Copy, q *planner.Query, emit func(Result) error) error {
	m := &mapWriter{out: p.Out, file: p.File}
	if err := s.queries().Read(ctx, q.SQL, m); err != nil {
		return err
	}
	if err := m.Close(); err != nil {
		return err
	}
	for i, path := range m.written {
		if err := emit(copied(m.rows[i], path)); err != nil {
			return err
		}
	}
	return nil
}

// mapWriter writes arrays or pictures of rows.
type mapWriter struct {
	out  planner.Output
	file lang.Span // of the file's name in the statement

	columns []string
	grid    *queries.GridBuilder // of rows that are positions; nil of rows that hold blobs
	blob    []byte               // of the first row, until it is known to be the only one
	n       int                  // rows

	written []string
	rows    []int // of each
}

var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func (m *mapWriter) errorf(format string, args ...any) *lang.Diagnostic {
	return lang.Errorf(m.file, format, args...)
}

// Columns implements queries.Sink.
func (m *mapWriter) Columns(names []string) error {
	m.columns = names
	m.grid = queries.NewGridBuilder(names)
	for _, p := range placeholder.FindAllString(m.out.Path, -1) {
		if m.grid != nil {
			return m.errorf("rows of x, y and p_drop make one heat map, and %s is for several", p).
				WithHint("SELECT heatmap(), image ... GROUP BY image makes several")
		}
		if m.column(p) < 0 {
			hint := lang.DidYouMean(strings.Trim(p, "{}"), names)
			if hint == "" {
				hint = "the columns are " + strings.Join(names, ", ")
			}
			return m.errorf("the query has no column %s to name files by", p).WithHint(hint)
		}
	}
	return nil
}

// column is the number of the column that a placeholder names, -1 for none.
func (m *mapWriter) column(placeholder string) int {
	return slices.IndexFunc(m.columns, func(c string) bool { return strings.EqualFold(c, strings.Trim(placeholder, "{}")) })
}

// Row implements queries.Sink.
func (m *mapWriter) Row(values []any) error {
	m.n++
	if m.grid != nil {
		if err := m.grid.Add(values); err != nil {
			return m.errorf("%w", err).WithHint("WHERE image = ... AND class = ... takes one map, heatmap() the mean of several")
		}
		return nil
	}
	blob := m.find(values)
	if blob == nil {
		return m.refuse(values)
	}
	if placeholder.MatchString(m.out.Path) {
		return m.put(m.name(values), blob)
	}
	if m.n > 1 {
		return m.errorf("several rows would all be written to %q", m.out.Path).
			WithHint("put a column into the name, such as {image}: it stands for the row's value")
	}
	m.blob = blob
	return nil
}

// find is the first value of a row that is in the file's format; nil if there is none.
func (m *mapWriter) find(values []any) []byte {
	for _, v := range values {
		if blob, ok := v.([]byte); ok && blobFormat(blob) == m.out.Format {
			return blob
		}
	}
	return nil
}

// refuse says why a row cannot be written.
func (m *mapWriter) refuse(values []any) error {
	for i, v := range values {
		if blob, ok := v.([]byte); ok && blobFormat(blob) != "" {
			return m.errorf("the column %q holds %s, which cannot be written as %s", m.columns[i], blobText(blob), m.out.Format).
				WithHint("heatmap(..., 'png') makes pictures, heatmap(...) arrays")
		}
	}
	return m.errorf("row %d has nothing to write as %s", m.n, m.out.Format).
		WithHint("such a file is made of a column that holds one, as heatmap() does, or of the columns x, y and p_drop")
}

// name fills a row's values into the file's name. No value leads into another folder.
func (m *mapWriter) name(values []any) string {
	return placeholder.ReplaceAllStringFunc(m.out.Path, func(p string) string {
		text := Text(values[m.column(p)])
		if strings.EqualFold(p, planner.ImagePlaceholder) {
			text = planner.BaseName(text)
		}
		return strings.Map(func(r rune) rune {
			if r < ' ' || strings.ContainsRune(`/\:*?"<>|`, r) {
				return '_'
			}
			return r
		}, text)
	})
}

// put writes one file.
func (m *mapWriter) put(path string, blob []byte) error {
	if slices.Contains(m.written, path) {
		return m.errorf("%q would be written twice", path).WithHint("put a column into the name that tells the rows apart")
	}
	err := atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(blob)
		return err
	})
	if err != nil {
		return err
	}
	m.written, m.rows = append(m.written, path), append(m.rows, 1)
	return nil
}

// Close writes what was to be known whole.
func (m *mapWriter) Close() error {
	switch {
	case m.n == 0:
		return m.errorf("the query returns no rows, and so nothing to write as %s", m.out.Format)
	case m.blob != nil:
		return m.put(m.out.Path, m.blob)
	case m.grid == nil:
		return nil
	}
	g, err := m.grid.Grid()
	if err != nil {
		return m.errorf("%w", err)
	}
	err = atomicfile.Write(m.out.Path, func(w io.Writer) error {
		if m.out.Format == planner.WriteNPY {
			return g.NPY(w)
		}
		return g.PNG(w)
	})
	m.written, m.rows = []string{m.out.Path}, []int{m.n}
	return err
}
