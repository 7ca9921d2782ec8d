package executor

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"occlude/internal/model"
	"occlude/internal/tables/queries"
	"occlude/lang"
	"occlude/planner"
)

// Close lets go of what the session has open: the database.
func (s *Session) Close() error {
	if s.sql != nil {
		if err := s.sql.Close(); err != nil {
			return err
		}
	}
	return s.Store.Close()
}

// queries is what runs SQL.
func (s *Session) queries() *queries.Session {
	if s.sql == nil {
		s.sql = queries.New(s.Store, queries.Env{Inputs: func() (all []queries.Input) {
			for _, m := range s.Models() {
				all = append(all, inputOf(m))
			}
			return all
		}})
	}
	s.sql.SetLast(s.last.table())
	return s.sql
}

func inputOf(m *model.Model) queries.Input {
	return queries.Input{Model: m.Name, Shape: queries.Shape{
		Width: m.Spec.Width, Height: m.Spec.Height, Resize: m.Spec.Resize.String()}}
}

// query runs SQL and hands on its rows, or what it did.
func (s *Session) query(ctx context.Context, p *planner.Query, emit func(Result) error) error {
	at := p.SQL.Span()
	at.To = lang.Pos{} // the statement's beginning
	c := &collector{statement: at}
	done, err := s.queries().Run(ctx, p.SQL, c)
	switch {
	case err != nil:
		return err
	case done.Returned:
		return emit(&c.Relation)
	}
	return emit(Message{done.Text})
}

// collector keeps rows in memory, as far as that is sensible.
type collector struct {
	Relation
	statement lang.Span
	bytes     int
}

// maxCollected is how many bytes the rows of a result take at most, about. More is
// nothing that people read; it belongs into a file.
const maxCollected = 256 << 20

func (c *collector) Columns(names []string) error {
	c.Relation.Columns = names
	return nil
}

func (c *collector) Row(values []any) error {
	c.bytes += 24
	for _, v := range values {
		c.bytes += 24 // for the value and what it points to
		switch v := v.(type) {
		case string:
			c.bytes += len(v)
		case []byte:
			c.bytes += len(v)
		}
	}
	if c.bytes > maxCollected {
		return lang.Errorf(c.statement, "the result is too large to be held in memory: %d rows take %d MB, and there are more", len(c.Rows), c.bytes>>20).
			WithHint("LIMIT takes some of them; COPY (...) TO 'file.csv' writes any number, as they come")
	}
	c.Rows = append(c.Rows, slices.Clone(values))
	return nil
}

func (s *Session) showTables(ctx context.Context, emit func(Result) error) error {
	all, err := s.queries().Tables(ctx)
	if err != nil {
		return err
	}
	r := &Relation{Columns: []string{"table", "kind", "rows", "images", "models", "bytes", "written"}}
	for _, t := range all {
		r.Rows = append(r.Rows, []any{t.Name, t.Kind, t.Rows, t.Images, t.Models, t.Bytes, t.Written})
	}
	return emit(r)
}

// lastResult is what the table last will hold: the rows of the last statement that
// returned any.
type lastResult struct {
	parts []Tabular     // of the same columns: the heat maps of several images
	rows  int           // of heat maps
	lost  bool          // there were more than are kept
	made  *queries.Last // once it was asked for
}

// maxLast is how many rows are kept of a statement that returns heat map after heat
// map. A single result is kept whole.
const maxLast = 1_000_000

// add keeps one more part.
func (l *lastResult) add(t Tabular) {
	l.made = nil
	h, ok := t.(*HeatMap)
	if !ok {
		l.parts = append(l.parts, t.Relation())
		return
	}
	l.rows += len(h.Classes) * len(h.States)
	if l.lost = l.rows > maxLast && len(l.parts) > 0; l.lost {
		l.parts = l.parts[:1]
		return
	}
	// The rows need neither pixels nor networks, which may be large and many.
	m := &model.Model{Name: h.Plan.Model.Name, Spec: h.Plan.Model.Spec}
	l.parts = append(l.parts, &HeatMap{
		Plan: &planner.Occlude{Model: m, Grid: h.Plan.Grid}, Image: h.Image, Classes: h.Classes, States: h.States})
}

// table is the result as queries see it.
func (l *lastResult) table() *queries.Last {
	if l == nil {
		return nil
	}
	if l.made != nil {
		return l.made
	}
	out := &queries.Last{Columns: l.parts[0].Relation().Columns, Rows: l.all()}
	if l.lost {
		out.Lost = fmt.Errorf("the last result was too large to be kept: more than %d rows; OCCLUDE ... INTO TABLE keeps those of many images", maxLast)
	}
	for _, p := range l.parts {
		if h, ok := p.(*HeatMap); ok {
			if i := inputOf(h.Plan.Model); !slices.Contains(out.Inputs, i) {
				out.Inputs = append(out.Inputs, i)
			}
		}
	}
	l.made = out
	return out
}

func (l *lastResult) all() iter.Seq[[]any] {
	parts := l.parts
	return func(yield func([]any) bool) {
		for _, p := range parts {
			for _, row := range p.Relation().Rows {
				if !yield(row) {
					return
				}
			}
		}
	}
}
