package tables

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"occlude/internal/store"
)

// columns of a table of heat maps, in their order: those of the relation that an
// OCCLUDE returns, and the number of the heat map.
var columns = []struct{ name, kind string }{
	{"image", "TEXT NOT NULL"},
	{"model", "TEXT NOT NULL"},
	{"class_id", "INTEGER NOT NULL"},
	{"class", "TEXT NOT NULL"},
	{"x", "INTEGER NOT NULL"},
	{"y", "INTEGER NOT NULL"},
	{"w", "INTEGER NOT NULL"},
	{"h", "INTEGER NOT NULL"},
	{"p0", "REAL NOT NULL"},
	{"p", "REAL NOT NULL"},
	{"p_drop", "REAL NOT NULL"},
	{"state", "TEXT NOT NULL"},
	{"map", "INTEGER NOT NULL"},
}

// Columns are the names of a table's columns, in their order.
func Columns() []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	return names
}

// Last is the name of the last result, which no table may take.
const Last = "last"

// Fold is what tells the names of tables apart. SQLite's names are the same in any case, but of the letters A to Z alone.
func Fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r - 'A' + 'a'
		}
		return r
	}, name)
}

// Check tells why no table may have a name.
func Check(name string) error {
	switch key := Fold(name); {
	case key == "":
		return errors.New("a table needs a name")
	case strings.HasPrefix(key, "occlude_"), strings.HasPrefix(key, "sqlite_"):
		return fmt.Errorf("%q cannot be a table: names that begin with %s are taken", name, key[:strings.IndexByte(key, '_')+1])
	case key == Last:
		return fmt.Errorf("%q cannot be a table: it is the last result", name)
	}
	return nil
}

// Takes tells why heat maps cannot be put into a table: because there is one of that
// name that is something else. It makes nothing.
func Takes(ctx context.Context, s *store.Store, name string) error {
	if err := Check(name); err != nil {
		return err
	}
	if folder := filepath.Base(folder(name)); len(folder) > longestFolder {
		return fmt.Errorf("the table's name is too long for a folder of arrays: %d bytes of %d", len(folder), longestFolder)
	}
	var refused error
	_, err := s.Read(ctx, func(db *sql.DB) (err error) {
		_, refused, err = find(ctx, db, name)
		return err
	})
	if err == nil {
		err = refused
	}
	return err
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// find gives the name of a table as it was created, "" if there is none, and why it
// can take no heat maps, if it cannot.
func find(ctx context.Context, q querier, name string) (found string, refused, err error) {
	var kind string
	row := q.QueryRowContext(ctx, `SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ? COLLATE NOCASE`, name)
	if err := row.Scan(&found, &kind); errors.Is(err, sql.ErrNoRows) {
		return "", nil, nil
	} else if err != nil {
		return "", nil, err
	}
	if kind != "table" {
		return found, fmt.Errorf("%q is a %s, not a table", found, kind), nil
	}
	rows, err := q.QueryContext(ctx, `SELECT name FROM pragma_table_info(?)`, found)
	if err != nil {
		return "", nil, err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var n string
		if err := rows.Scan(&n); err != nil {
			return "", nil, err
		}
		names = append(names, n)
	}
	if err := rows.Err(); err != nil {
		return "", nil, err
	}
	if !slices.Equal(names, Columns()) {
		refused = fmt.Errorf("the table %q is no table of heat maps: its columns are %s", found, strings.Join(names, ", "))
	}
	return found, refused, nil
}

// create is the statement that makes a table. WITHOUT ROWID: the rows of a heat map
// stand together, in the order of the grid, and are found by its number.
func create(name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (", Quote(name))
	for _, c := range columns {
		fmt.Fprintf(&b, "%s %s, ", c.name, c.kind)
	}
	b.WriteString("PRIMARY KEY (map, class_id, y, x)) STRICT, WITHOUT ROWID")
	return b.String()
}

// Quote makes a name of SQL.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// arraysFolder is where the arrays of all tables are, beside the database.
const arraysFolder = store.Arrays

// longestFolder is the most bytes that file systems take as a name.
const longestFolder = 255

// folder is that of a table's arrays, from the database's.
func folder(name string) string {
	name = url.PathEscape(Fold(name))
	if strings.HasPrefix(name, ".") {
		name = "%2E" + name[1:]
	}
	return filepath.Join(arraysFolder, name)
}

// ArrayPath is where an array is that occlude_map names.
func ArrayPath(s *store.Store, array string) string {
	return filepath.Join(filepath.Dir(s.Path()), filepath.FromSlash(array))
}

// RemoveArrays takes away arrays that no map names any more. One that stays is no
// harm.
func RemoveArrays(s *store.Store, arrays []string) {
	for _, a := range arrays {
		_ = os.Remove(ArrayPath(s, a))
	}
}
