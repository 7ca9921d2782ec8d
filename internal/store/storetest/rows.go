// Package storetest lets tests see what a store's file holds.
package storetest

import (
	"database/sql"
	"testing"

	"occlude/internal/store"
)

// Rows gives the rows of a query.
func Rows(t testing.TB, s *store.Store, query string, args ...any) (all [][]any) {
	t.Helper()
	_, err := s.Read(t.Context(), func(db *sql.DB) error {
		rows, err := db.Query(query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		names, err := rows.Columns()
		if err != nil {
			return err
		}
		for rows.Next() {
			row, to := make([]any, len(names)), make([]any, len(names))
			for i := range row {
				to[i] = &row[i]
			}
			if err := rows.Scan(to...); err != nil {
				return err
			}
			all = append(all, row)
		}
		return rows.Err()
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
