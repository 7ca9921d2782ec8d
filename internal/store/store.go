package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver, which is pure Go

	"occlude/internal/curve"
	"occlude/internal/defect"
)

// patience is how long a process waits for the transactions of others.
const patience = 5 * time.Second

// Store is a database of what survives a session. It may be used by several
// goroutines, one after the other, and its file by several processes.
type Store struct {
	path     string
	steps    []string // of the layout
	patience time.Duration

	turn     chan struct{} // holds a token while a method runs
	db       *sql.DB       // nil until the file is opened
	file     os.FileInfo   // the file that db has open
	writable bool          // db may be written
	mode     string        // db is opened in this way
	closed   bool
}

// Open returns the store in the file path, which need not exist: it is looked at
// on first use, and made, with its folder, when something is first written. With
// an empty path there is nothing stored, and no place for it.
func Open(path string) *Store {
	return &Store{path: path, steps: steps, patience: patience, turn: make(chan struct{}, 1)}
}

// Path returns the file's name.
func (s *Store) Path() string { return s.path }

// Close lets go of the file. A closed store is not used again.
func (s *Store) Close() error {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	s.closed = true
	return s.explain(context.Background(), s.disconnect())
}

// Put keeps calibrations and curves, each in place of the last one of the same key;
// all of them or none.
func (s *Store) Put(ctx context.Context, calibrations []Calibration, curves []curve.Curve) error {
	for _, c := range calibrations {
		if err := c.check(); err != nil {
			return err
		}
	}
	for _, c := range curves {
		if err := checkCurve(&c); err != nil {
			return err
		}
	}
	return s.write(ctx, func(tx *sql.Tx) error {
		for _, c := range calibrations {
			if err := putCalibration(ctx, tx, c); err != nil {
				return err
			}
		}
		for _, c := range curves {
			if err := putCurve(ctx, tx, c); err != nil {
				return err
			}
		}
		return nil
	})
}

// Read runs a function on the database, which has one connection: rows that are being
// read must be closed before the next query. Where nothing was ever stored it does not
// run the function, and found is false.
func (s *Store) Read(ctx context.Context, do func(*sql.DB) error) (found bool, err error) {
	err = s.read(ctx, do)
	if errors.Is(err, errNothing) {
		return false, nil
	}
	return err == nil, err
}

// Write runs a function in a transaction, all of which is kept or nothing. It makes
// the file where there is none.
func (s *Store) Write(ctx context.Context, do func(*sql.Tx) error) error { return s.write(ctx, do) }

// read runs a function on the database. Where nothing was ever stored it does not
// run it and returns errNothing.
func (s *Store) read(ctx context.Context, do func(*sql.DB) error) (err error) {
	return s.inTurn(ctx, false, do)
}

// write runs a function in a transaction, all of which is kept or nothing.
func (s *Store) write(ctx context.Context, do func(*sql.Tx) error) error {
	return s.inTurn(ctx, true, func(db *sql.DB) error {
		tx, err := db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer tx.Rollback() // does nothing after the commit
		if err := do(tx); err != nil {
			return err
		}
		return tx.Commit()
	})
}

// inTurn runs a function on the open database when no other does.
func (s *Store) inTurn(ctx context.Context, write bool, do func(*sql.DB) error) (err error) {
	defer defect.Recover(&err)
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	if err = s.connect(ctx, write); err == nil {
		err = do(s.db)
	}
	return s.explain(ctx, err)
}

// connect opens the file, unless it is open. For reading it makes no file.
func (s *Store) connect(ctx context.Context, write bool) error {
	switch {
	case s.closed:
		return errClosed
	case ctx.Err() != nil:
		return ctx.Err()
	case s.path == "" && write:
		return errNoFolder
	case s.path == "":
		return errNothing
	}
	info, err := os.Stat(s.path)
	missing := errors.Is(err, fs.ErrNotExist)
	switch {
	case missing && !write:
		s.disconnect()
		return errNothing
	case missing:
		if err = s.create(); err != nil {
			return err
		}
		if info, err = os.Stat(s.path); err != nil {
			return err
		}
	case err != nil:
		return err
	case info.IsDir():
		return errors.New("this is a folder, not a file")
	}
	// The file may have been moved away and made anew since it was opened, as
	// the advice about a damaged one says.
	if s.db != nil && os.SameFile(info, s.file) && (s.writable || !write) {
		return nil
	}
	s.disconnect()
	if !missing {
		if err := s.emptied(ctx); err != nil {
			return err
		}
	}
	if err := s.attach(ctx, write); err != nil {
		s.disconnect()
		return err
	}
	s.file = info
	return nil
}

// create makes an empty file for its owner alone, in a folder of the same kind.
// An empty file is an empty database. A file that somebody else made meanwhile is
// not even opened: closing it would undo this process's locks on it.
func (s *Store) create() error {
	if err := os.MkdirAll(filepath.Dir(s.path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// Arrays is the folder beside the database that holds the arrays of tables.
const Arrays = "arrays"

// emptied refuses what SQLite takes for a new database, and is what a fault of the disk or
// a copy cut short has left of one. An empty file is new, unless there are arrays of the
// tables that it had; another process may be about to fill it.
func (s *Store) emptied(ctx context.Context) error {
	const header = 100 // bytes
	for deadline := time.Now().Add(s.patience); ; {
		info, err := os.Stat(s.path)
		if err != nil || info.Size() >= header {
			return nil // which attaching will tell
		}
		if info.Size() > 0 {
			return fmt.Errorf("%w: it is %d bytes long", ErrDamaged, info.Size())
		}
		if _, err := os.Stat(filepath.Join(filepath.Dir(s.path), Arrays)); err != nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%w: it is empty, and beside it are arrays of tables", ErrDamaged)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (s *Store) disconnect() error {
	if s.db == nil {
		return nil
	}
	err := s.db.Close()
	s.db, s.file, s.writable = nil, nil, false
	return err
}

// The ways in which a file is opened, as the parameters of an SQLite address. A
// file in write-ahead mode wants to be written even by those who only read it,
// unless they promise that nobody else writes it, which holds where nobody can.
const (
	readWrite = "mode=rw"
	readOnly  = "mode=ro"
	unchanged = "mode=ro&immutable=1"
)

// attach opens the file and brings it to the present layout. It makes do with a
// file that cannot be written if that is not wanted.
func (s *Store) attach(ctx context.Context, write bool) error {
	err := s.attachAs(ctx, readWrite)
	for _, mode := range []string{readOnly, unchanged} {
		if write || !isRefused(err) {
			break
		}
		err = s.attachAs(ctx, mode)
	}
	return err
}

// isRefused reports whether a file could not be opened in one way, and might be
// in another.
func isRefused(err error) bool { return errors.Is(classify(err), ErrPermission) }

func (s *Store) attachAs(ctx context.Context, mode string) error {
	s.disconnect()
	address, err := s.address(mode)
	if err != nil {
		return err
	}
	if s.db, err = sql.Open("sqlite", address); err != nil {
		return err
	}
	s.db.SetMaxOpenConns(1) // transactions are short, and two would only wait for each other
	s.writable, s.mode = mode == readWrite, mode
	at, err := layout(ctx, s.db)
	switch {
	case err != nil:
		return err
	case at > len(s.steps):
		return fmt.Errorf("%w (layout %d; this one knows %d)", ErrNewer, at, len(s.steps))
	case at == len(s.steps):
		return nil
	case s.writable:
		return s.migrate(ctx)
	case at == 0:
		return errNothing // an empty file
	default:
		return fmt.Errorf("%w to bring the file from layout %d to %d", ErrPermission, at, len(s.steps))
	}
}

// address is the file's name as SQLite takes it, with what each connection is to
// do: wait for others, take the write lock when a transaction begins (and not
// when it first writes, which may be too late), trust no file to be sane, and
// bring each transaction from the log into the file itself, as soon as nobody
// reads, so that the file can be copied or moved.
func (s *Store) address(mode string) (string, error) {
	path, err := filepath.Abs(s.path)
	if err != nil {
		return "", err
	}
	path = filepath.ToSlash(path)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path // C:/folder
	}
	file := url.URL{Scheme: "file", Path: path, RawQuery: fmt.Sprintf(
		"%s&_txlock=immediate&_busy_timeout=%d&_defensive=1&_error_rc=1&_pragma=trusted_schema(0)&_pragma=cell_size_check(1)&_pragma=wal_autocheckpoint(1)",
		mode, s.patience.Milliseconds())}
	return file.String(), nil
}
