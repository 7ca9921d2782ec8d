package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What may keep a store from being used. The errors that methods return wrap one
// of these where it applies, name the file and say what to do.
var (
	// ErrDamaged is a file whose content makes no sense.
	ErrDamaged = errors.New("the file is damaged")
	// ErrForeign is a database that another program made.
	ErrForeign = errors.New("the file belongs to another program")
	// ErrNewer is a file of a layout that only later versions know.
	ErrNewer = errors.New("the file was written by a newer version of Occlude")
	// ErrPermission is a file or a folder that may not be read or written.
	ErrPermission = errors.New("permission is missing")
	// ErrBusy is a file that another process did not let go of.
	ErrBusy = errors.New("another process holds the file")
	// ErrDisk is a disk that does not take what is written, or give what is read.
	ErrDisk = errors.New("reading or writing failed")
)

// advice is what the user can do about an error.
var advice = []struct {
	of   error
	text string
}{
	{ErrDamaged, "move it away, and a new one is made; what it held has to be measured and computed again"},
	{ErrForeign, "set OCCLUDE_DATA to another folder"},
	{ErrNewer, "update Occlude, or set OCCLUDE_DATA to another folder"},
	{ErrPermission, "make the file and its folder writable, or set OCCLUDE_DATA to another folder"},
	{ErrBusy, "try again when it is done"},
	{ErrDisk, "see whether the disk is full or failing"},
	{errNoFolder, "set OCCLUDE_DATA to one"},
	{syscall.ENOSPC, "make room on the disk"},
	{syscall.ENOTDIR, "set OCCLUDE_DATA to a folder"},
}

var (
	errNoFolder = errors.New("there is no folder to keep it in")
	errNothing  = errors.New("nothing is stored") // and nobody is told
	errClosed   = errors.New("the store is closed")
)

// explained is an error for the user, to which nothing is to be added.
type explained struct{ error }

func (e explained) Unwrap() error { return e.error }

// explain turns what went wrong into an error for the user.
func (s *Store) explain(ctx context.Context, err error) error {
	if err == nil || errors.Is(err, errNothing) || errors.As(err, new(explained)) {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	err = classify(err)
	name := "the database"
	if s.path != "" {
		name = fmt.Sprintf("%s %q", name, s.path)
	}
	for _, a := range advice {
		if errors.Is(err, a.of) {
			return explained{fmt.Errorf("%s: %w; %s", name, err, a.text)}
		}
	}
	return explained{fmt.Errorf("%s: %w", name, err)}
}

// classify wraps what SQLite and the operating system say with our own words.
func classify(err error) error {
	switch resultCode(err) {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_MISMATCH:
		return fmt.Errorf("%w (%w)", ErrDamaged, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		// The file is known to exist. What cannot be opened is a file beside
		// it that SQLite would make.
		return fmt.Errorf("%w (%w)", ErrPermission, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrBusy
	case sqlite3.SQLITE_FULL:
		return syscall.ENOSPC
	case sqlite3.SQLITE_IOERR: // also where there is no room for a file beside it
		return fmt.Errorf("%w (%w)", ErrDisk, err)
	}
	if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("%w (%w)", ErrPermission, err)
	}
	return err
}

// resultCode returns SQLite's primary result code, 0 for other errors.
func resultCode(err error) int {
	if e := (*sqlite.Error)(nil); errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

func isBusy(err error) bool {
	code := resultCode(err)
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}
