package queries

import (
	"context"
	"database/sql"
	"os"

	"occlude/internal/tables"
)

// Table is a table or a view that there is.
type Table struct {
	Name    string
	Kind    string // heat maps, table or view
	Rows    any    // int64; nil of a view, which would have to be computed
	Images  any    // int64, of heat maps; otherwise nil
	Models  any    // string: their names; otherwise nil
	Bytes   any    // int64: of the rows and of the arrays; nil of a view
	Written any    // string: when the last heat map was, UTC; otherwise nil
}

// Tables lists the tables and views, by name.
func (s *Session) Tables(ctx context.Context) (all []Table, err error) {
	all, err = s.list(ctx)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return all, s.store.Explain(ctx, err)
}

func (s *Session) list(ctx context.Context) (all []Table, err error) {
	if err := s.connect(ctx, false); err != nil {
		return nil, err
	}
	defer s.handle.interruptWith(ctx)()
	defer s.asOurselves()()
	heatMaps, err := s.heatMapTables(ctx)
	if err != nil {
		return nil, err
	}
	names, err := s.tableNames(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range names {
		t := Table{Name: n}
		if err := s.describe(ctx, &t, heatMaps); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

func (s *Session) describe(ctx context.Context, t *Table, heatMaps map[string]bool) error {
	scan := func(query string, arguments []any, into ...any) error {
		return s.conn.QueryRowContext(ctx, query, arguments...).Scan(into...)
	}
	err := scan(`SELECT type FROM (SELECT name, type FROM main.sqlite_schema UNION ALL SELECT name, type FROM temp.sqlite_schema)
		WHERE type IN ('table', 'view') AND name = ?`, []any{t.Name}, &t.Kind)
	if err != nil || t.Kind == "view" {
		return err
	}
	var rows, bytes int64
	if err := scan("SELECT count(*) FROM "+tables.Quote(t.Name), nil, &rows); err != nil {
		return err
	}
	if err := scan(`SELECT coalesce(sum(pgsize), 0) FROM main.dbstat WHERE aggregate = 1 AND name IN
		(SELECT name FROM main.sqlite_schema WHERE tbl_name = ?)`, []any{t.Name}, &bytes); err != nil {
		return err
	}
	t.Rows, t.Bytes = rows, bytes
	if !heatMaps[tables.Fold(t.Name)] {
		return nil
	}
	t.Kind = "heat maps"
	var images int64
	var models, written sql.NullString
	if err := scan(`SELECT count(DISTINCT path), group_concat(DISTINCT model), max(finished) FROM main.occlude_map WHERE tbl = ?`,
		[]any{t.Name}, &images, &models, &written); err != nil {
		return err
	}
	arrays, err := s.strings(ctx, `SELECT array FROM main.occlude_map WHERE tbl = ?`, t.Name)
	if err != nil {
		return err
	}
	for _, a := range arrays {
		if info, err := os.Stat(tables.ArrayPath(s.store, a)); err == nil {
			bytes += info.Size()
		}
	}
	t.Images, t.Models, t.Written, t.Bytes = images, models.String, written.String, bytes
	return nil
}
