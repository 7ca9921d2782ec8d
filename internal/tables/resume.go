package tables

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"

	"occlude/internal/store"
)

// Kept is a heat map that a table has.
type Kept struct {
	ID        int64
	ImageHash string
}

// Find gives the map that the table has for a key, nil where it has none, or not all
// of it: where somebody has deleted rows, or its array.
func (t *Table) Find(ctx context.Context, k Key) (m *Kept, err error) {
	_, err = t.store.Read(ctx, func(db *sql.DB) (err error) {
		m, err = t.find(ctx, db, k)
		return err
	})
	return m, err
}

func (t *Table) find(ctx context.Context, q querier, k Key) (*Kept, error) {
	var m Kept
	var array string
	var whole bool
	row := q.QueryRowContext(ctx, `SELECT id, image_hash, array, classes * positions = (SELECT count(*) FROM `+Quote(t.Name)+` WHERE map = id)
		FROM occlude_map WHERE tbl = ? AND path = ? AND query_hash = ?`, t.Name, k.Path, k.Query)
	switch err := row.Scan(&m.ID, &m.ImageHash, &array, &whole); {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	case !whole:
		return nil, nil
	}
	if _, err := os.Stat(ArrayPath(t.store, array)); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return &m, nil
}

// Begin says that a query is about to put heat maps into the table, which are computed
// by a plan, as [Map.Plan] says it. It returns the plan that counts: that of whoever
// was first.
func (t *Table) Begin(ctx context.Context, query, plan string) (begun string, err error) {
	err = t.write(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT OR IGNORE INTO occlude_begun (tbl, query_hash, plan) VALUES (?, ?, ?)`, t.Name, query, plan)
		if err != nil {
			return err
		}
		return tx.QueryRowContext(ctx, `SELECT plan FROM occlude_begun WHERE tbl = ? AND query_hash = ?`, t.Name, query).Scan(&begun)
	})
	return begun, err
}

// Begun is the plan that counts for a query's heat maps in a table, see [Table.Begin];
// "" where nobody has begun to put any into it.
func Begun(ctx context.Context, s *store.Store, table, query string) (plan string, err error) {
	_, err = s.Read(ctx, func(db *sql.DB) error {
		row := db.QueryRowContext(ctx, `SELECT plan FROM occlude_begun WHERE tbl = ? AND query_hash = ?
			AND EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = tbl COLLATE NOCASE)`, table, query)
		if err := row.Scan(&plan); !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		return nil
	})
	return plan, err
}
