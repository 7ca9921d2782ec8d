package queries

import (
	"context"
	"database/sql"
	"reflect"
	"sync"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// handle is what SQLite calls a connection. The driver keeps it to itself, and with it
// two things that nothing else gives: an interrupt that also ends the wait for a
// later row (the driver's own ends that for the first), and the place of an error in
// the text of a statement.
type handle uintptr

// handleOf finds the handle of a connection.
func handleOf(conn *sql.Conn) (h handle, err error) {
	err = conn.Raw(func(c any) error {
		v := reflect.ValueOf(c)
		if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
			return nil
		}
		if f := v.Elem().FieldByName("db"); f.IsValid() && f.Kind() == reflect.Uintptr {
			h = handle(f.Uint())
		}
		return nil
	})
	return h, err
}

// interruptWith ends what runs on the connection when a context does. stop must be
// called before the connection is closed.
func (h handle) interruptWith(ctx context.Context) (stop func()) {
	if h == 0 {
		return func() {}
	}
	done := make(chan struct{})
	unwatch := context.AfterFunc(ctx, func() {
		defer close(done)
		tls := libc.NewTLS()
		defer tls.Close()
		sqlite3.Xsqlite3_interrupt(tls, uintptr(h))
	})
	return sync.OnceFunc(func() {
		if !unwatch() {
			<-done
		}
	})
}

// errorOffset is the byte of its statement that the last error is about, -1 where
// SQLite does not know.
func (h handle) errorOffset() int {
	if h == 0 {
		return -1
	}
	tls := libc.NewTLS()
	defer tls.Close()
	return int(sqlite3.Xsqlite3_error_offset(tls, uintptr(h)))
}
