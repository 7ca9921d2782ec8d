package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"occlude/internal/imageio"
	"occlude/internal/store"
	"occlude/internal/tables"
)

// Session runs SQL for one session. It holds one connection to the database, which
// is its own: the functions that it knows, and the table last, are those of the
// session. One goroutine uses it at a time.
type Session struct {
	env    Env
	store  *store.Store
	driver *sqlite.Driver

	db     *sql.DB // nil until the first statement
	conn   *sql.Conn
	handle handle
	guard  guard
	stored bool        // conn is to the store's file, and not to memory
	file   os.FileInfo // which then is this one

	last     *Last
	lastMade bool // in this connection

	masks map[maskKey]mask

	// Of the statement that runs.
	running  context.Context
	geometry geometry
	used     map[[2]string]*imageio.Mask // by path and model
	failure  *failure
}

// Env is what a session asks of those around it.
type Env struct {
	// Inputs are those of the models of the session's catalog.
	Inputs func() []Input
}

// New makes a session over the tables of a store. It opens nothing yet.
func New(s *store.Store, env Env) *Session {
	return &Session{store: s, env: env, masks: map[maskKey]mask{}}
}

// Close lets go of the database.
func (s *Session) Close() error {
	if s.db == nil {
		return nil
	}
	err := errors.Join(s.conn.Close(), s.db.Close())
	s.db, s.conn, s.handle, s.lastMade = nil, nil, 0, false
	return err
}

// connector makes connections of a driver that is no one else's.
type connector struct {
	driver *sqlite.Driver
	dsn    string
}

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return c.driver.Open(c.dsn)
}

func (c connector) Driver() driver.Driver { return c.driver }

// memory is the database where there is no file: for SELECT 1 + 1, and for last. No
// "name" ever stands for a string, as SQLite would otherwise take it where there is
// no such column.
const (
	memory  = "file::memory:?_defensive=1&_error_rc=1"
	options = "&_dqs=0"
)

// connect opens the database, unless it is open. It makes a file only where there
// is something to write.
func (s *Session) connect(ctx context.Context, write bool) error {
	address, found, err := s.store.Address(ctx, write)
	if err != nil {
		return err
	}
	var file os.FileInfo
	if found {
		if file, err = os.Stat(s.store.Path()); err != nil {
			return err
		}
	} else {
		address = memory
	}
	if s.db != nil && s.stored == found && (!found || os.SameFile(s.file, file)) && s.alive() {
		return nil
	}
	if err := s.Close(); err != nil {
		return err
	}
	if s.driver == nil {
		d := &sqlite.Driver{}
		if err := s.register(d); err != nil {
			return err
		}
		d.RegisterConnectionHook(func(c sqlite.ExecQuerierContext, _ string) error {
			return c.(sqlite.AuthorizerRegisterer).RegisterAuthorizer(s.guard.authorize)
		})
		s.driver = d
	}
	defer s.asOurselves()()
	db := sql.OpenDB(connector{s.driver, address + options})
	conn, err := db.Conn(ctx)
	if err == nil {
		// Views may use our functions, and nobody else's are there to be misused.
		_, err = conn.ExecContext(ctx, "PRAGMA trusted_schema = on")
	}
	if err == nil {
		err = limit(conn)
	}
	if err != nil {
		db.Close()
		return err
	}
	s.db, s.conn, s.stored, s.file = db, conn, found, file
	s.handle, err = handleOf(conn)
	return err
}

// maxValue is how many bytes a text or a blob takes at most: one value alone should
// not fill the memory.
const maxValue = 256 << 20

// limit sets SQLite's own bounds.
func limit(conn *sql.Conn) error {
	for id, most := range map[int]int{sqlite3.SQLITE_LIMIT_LENGTH: maxValue, sqlite3.SQLITE_LIMIT_ATTACHED: 0} {
		if _, err := sqlite.Limit(conn, id, most); err != nil {
			return err
		}
	}
	return nil
}

// alive reports whether the connection was not given up after an error.
func (s *Session) alive() bool {
	return s.conn.Raw(func(any) error { return nil }) == nil
}

// heatMapTables are the tables that OCCLUDE has written.
func (s *Session) heatMapTables(ctx context.Context) (map[string]bool, error) {
	found := map[string]bool{}
	if !s.stored {
		return found, nil
	}
	names, err := s.strings(ctx, "SELECT DISTINCT lower(tbl) FROM main.occlude_map")
	for _, n := range names {
		found[n] = true
	}
	return found, err
}

// strings runs a query of ours that returns one column of texts.
func (s *Session) strings(ctx context.Context, query string, arguments ...any) (all []string, err error) {
	defer s.asOurselves()()
	rows, err := s.conn.QueryContext(ctx, query, arguments...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t string
		if err := rows.Scan(&t); err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// asOurselves lets statements do everything, until the function that it returns is
// called.
func (s *Session) asOurselves() func() {
	before := s.guard.own
	s.guard.own = true
	return func() { s.guard.own = before }
}

// tableNames are the tables and views that there are.
func (s *Session) tableNames(ctx context.Context) ([]string, error) {
	names, err := s.strings(ctx, `SELECT name FROM (SELECT name, type FROM main.sqlite_schema UNION SELECT name, type FROM temp.sqlite_schema)
		WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name NOT LIKE 'occlude\_%' ESCAPE '\' AND name <> ? ORDER BY name`, tables.Last)
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	return names, nil
}
