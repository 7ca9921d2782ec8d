package queries

import (
	"context"
	"database/sql"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"

	"occlude/internal/tables"
)

// Last is the last result of a session, which statements find in the table last. It
// is a reference: the table is made when a statement names it.
type Last struct {
	Columns []string
	Rows    iter.Seq[[]any]
	Inputs  []Input // of the models whose heat maps these are
	// Lost says why there are no rows, where there are none though there was a
	// result.
	Lost error
}

// SetLast tells what the last result is.
func (s *Session) SetLast(l *Last) {
	s.last, s.lastMade = l, false
}

// mentionsLast reports whether a statement may mean the table last.
func mentionsLast(tokens []token) bool {
	for i, t := range tokens {
		if t.kind != word && t.kind != name || !strings.EqualFold(t.value(), tables.Last) {
			continue
		}
		if i == 0 || !tokens[i-1].is("NULLS") {
			return true
		}
	}
	return false
}

// keptView reports whether a statement makes a view that other sessions see.
func keptView(tokens []token) bool {
	return len(tokens) > 1 && tokens[0].is("CREATE") && tokens[1].is("VIEW")
}

// makeLast makes the table last of the last result, unless it is there. Its columns
// have no types, so that each value keeps its own.
func (s *Session) makeLast(ctx context.Context) (err error) {
	if s.lastMade || s.last == nil || s.last.Lost != nil {
		return nil
	}
	if _, err := s.conn.ExecContext(ctx, "DROP TABLE IF EXISTS temp."+tables.Last); err != nil {
		return err
	}
	columns := distinct(s.last.Columns)
	marks := make([]string, len(columns))
	for i, c := range columns {
		columns[i] = tables.Quote(c)
		marks[i] = "?"
	}
	tx, err := s.conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, fmt.Sprintf("CREATE TEMP TABLE %s (%s)", tables.Last, strings.Join(columns, ", "))); err != nil {
		return err
	}
	if err := fill(ctx, tx, "INSERT INTO temp."+tables.Last+" VALUES ("+strings.Join(marks, ", ")+")", s.last.Rows); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	s.lastMade = true
	return nil
}

func fill(ctx context.Context, tx *sql.Tx, insert string, rows iter.Seq[[]any]) error {
	put, err := tx.PrepareContext(ctx, insert)
	if err != nil {
		return err
	}
	defer put.Close()
	stored := []any(nil)
	for row := range rows {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		stored = stored[:0]
		for _, v := range row {
			stored = append(stored, storable(v))
		}
		// Without the context, for each would start a goroutine to watch it.
		if _, err := put.Exec(stored...); err != nil {
			return err
		}
	}
	return nil
}

// storable is a relation's value as SQLite keeps it. SQLite knows neither float32,
// nor truth values but 0 and 1, nor what is no number. A float32 becomes the
// float64 of the same digits, as in tables of heat maps.
func storable(v any) any {
	switch v := v.(type) {
	case float32:
		return storable(tables.Number(v))
	case float64:
		if math.IsNaN(v) {
			return nil
		}
	case int:
		return int64(v)
	case bool:
		if v {
			return int64(1)
		}
		return int64(0)
	case nil, int64, string, []byte:
	default:
		return fmt.Sprint(v)
	}
	return v
}

// distinct gives columns of the same name names of their own, as SQLite does.
func distinct(columns []string) []string {
	seen := map[string]bool{}
	out := make([]string, len(columns))
	for i, c := range columns {
		unique := c
		for n := 1; seen[strings.ToLower(unique)]; n++ {
			unique = c + ":" + strconv.Itoa(n)
		}
		seen[strings.ToLower(unique)] = true
		out[i] = unique
	}
	return out
}
