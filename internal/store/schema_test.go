package store

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"occlude/internal/curve"
)

// with opens a store whose layout takes further steps.
func with(t testing.TB, path string, more ...string) *Store {
	s := open(t, path)
	s.steps = append(slices.Clone(s.steps), more...)
	return s
}

const (
	second = `ALTER TABLE occlude_calibration ADD COLUMN sockets INTEGER NOT NULL DEFAULT 2`
	third  = `UPDATE occlude_calibration SET sockets = sockets + 1`
)

func sockets(t testing.TB, s *Store) (n int) {
	t.Helper()
	must(t, s.db.QueryRow(`SELECT sockets FROM occlude_calibration`).Scan(&n))
	return n
}

// TestMigrations: an older file is brought to the present layout, whether it is
// read or written first, and keeps what it holds.
func TestMigrations(t *testing.T) {
	for _, test := range []struct {
		first   func(testing.TB, *Store)
		sockets int // writing replaces the row, with the column's default
	}{{holds, 3}, {fill, 2}} {
		path := file(t)
		fill(t, with(t, path))
		s := with(t, path, second, third)
		test.first(t, s)
		holds(t, s)
		if got := sockets(t, s); got != test.sockets {
			t.Errorf("sockets are %d, not %d", got, test.sockets)
		}
		again := with(t, path, second, third)
		holds(t, again)
		if at, err := layout(t.Context(), again.db); at != len(steps)+2 || err != nil {
			t.Errorf("layout %d, %v", at, err)
		}
	}
}

// TestMigrationsOnce: of many that find an old file, one brings it up to date.
func TestMigrationsOnce(t *testing.T) {
	path := file(t)
	fill(t, with(t, path))
	var wg sync.WaitGroup
	for range 8 {
		s := with(t, path, second, third)
		wg.Go(func() { holds(t, s) })
	}
	wg.Wait()
	s := with(t, path, second, third)
	holds(t, s)
	if got := sockets(t, s); got != 3 {
		t.Errorf("sockets are %d, not 3: the step was taken more than once, or not at all", got)
	}
}

// TestMigrationFails: then the file is as it was.
func TestMigrationFails(t *testing.T) {
	path := file(t)
	fill(t, with(t, path))
	s := with(t, path, second, `CREATE TABLE`)
	if err := s.Put(t.Context(), []Calibration{rates}, nil); err == nil || !strings.Contains(err.Error(), fmt.Sprint("layout ", len(steps)+2)) || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
	old := with(t, path)
	holds(t, old)
	if at, err := layout(t.Context(), old.db); at != len(steps) || err != nil {
		t.Errorf("layout %d, %v", at, err)
	}
}

// refuses demands that a store answers everything with an error of this kind,
// which names the file, and leaves the file alone.
func refuses(t testing.TB, s *Store, kind error) {
	t.Helper()
	before, err := os.ReadFile(s.path)
	must(t, err)
	_, _, reading := s.Calibration(t.Context(), machine, key.Model)
	_, listing := s.Curves(t.Context(), key.Model)
	for what, err := range map[string]error{
		"reading": reading, "listing": listing,
		"writing": s.Put(t.Context(), []Calibration{rates}, nil), "writing a curve": s.Put(t.Context(), nil, []curve.Curve{slope}),
	} {
		if !errors.Is(err, kind) || !strings.Contains(err.Error(), s.path) || !strings.Contains(err.Error(), ";") {
			t.Errorf("%s: %v", what, err)
		}
	}
	after, err := os.ReadFile(s.path)
	must(t, err)
	if string(before) != string(after) {
		t.Error("the file was changed")
	}
}

func TestNewer(t *testing.T) {
	path := file(t)
	newer := with(t, path, second)
	fill(t, newer)
	must(t, newer.Close())
	refuses(t, open(t, path), ErrNewer)
}

func TestForeign(t *testing.T) {
	for _, made := range []string{"CREATE TABLE t (x)", "PRAGMA application_id = 42", "PRAGMA user_version = 1"} {
		path := file(t)
		db, err := sql.Open("sqlite", path)
		must(t, err)
		_, err = db.Exec(made)
		must(t, err)
		must(t, db.Close())
		refuses(t, open(t, path), ErrForeign)
	}
}

func TestNoDatabase(t *testing.T) {
	path := file(t)
	must(t, os.WriteFile(path, []byte(strings.Repeat("these are notes\n", 100)), 0o600))
	refuses(t, open(t, path), ErrDamaged)

	folder := t.TempDir()
	if _, _, err := open(t, folder).Calibration(t.Context(), machine, key.Model); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("a folder: %v", err)
	}
	below := filepath.Join(path, "sub", fileName)
	if err := open(t, below).Put(t.Context(), []Calibration{rates}, nil); err == nil || !strings.Contains(err.Error(), below) {
		t.Errorf("below a file: %v", err)
	}
}

// TestEmptied: what is left of a database is not taken for a new one. An empty file is
// one, unless there were tables.
func TestEmptied(t *testing.T) {
	path := file(t)
	must(t, os.WriteFile(path, nil, 0o600))
	s := open(t, path)
	fill(t, s)
	holds(t, s)
	must(t, s.Close())
	must(t, os.Mkdir(filepath.Join(filepath.Dir(path), Arrays), 0o700))
	holds(t, open(t, path))
	for _, size := range []int64{1, 99, 0} {
		must(t, os.Truncate(path, size))
		s := open(t, path)
		s.patience = 0
		refuses(t, s, ErrDamaged)
	}
	must(t, os.Rename(path, path+".old")) // as the error says
	again := open(t, path)
	fill(t, again)
	holds(t, again)
}

// TestMovedAway follows the advice for a damaged file, while a session has it
// open: the session goes on with a new one.
func TestMovedAway(t *testing.T) {
	path := file(t)
	s := open(t, path)
	fill(t, s)
	must(t, os.Rename(path, path+".older"))
	must(t, open(t, path).Put(t.Context(), []Calibration{rates}, nil)) // by another process, say
	if _, ok, err := s.Curve(t.Context(), key); ok || err != nil {
		t.Errorf("the file that was moved is still used: %v, %v", ok, err)
	}
	fill(t, s)
	holds(t, open(t, path+".older"))

	must(t, os.Rename(path, path+".old"))
	if _, ok, err := s.Calibration(t.Context(), machine, key.Model); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	fill(t, s)
	holds(t, s)
	holds(t, open(t, path))
	holds(t, open(t, path+".old"))
}

// TestDamage changes a byte here and there in a good file: it is read, or it is
// refused, and that is all that happens.
func TestDamage(t *testing.T) {
	path := file(t)
	s := open(t, path)
	fill(t, s)
	must(t, s.Close())
	good, err := os.ReadFile(path)
	must(t, err)
	damaged := 0
	check := func(content []byte) {
		t.Helper()
		must(t, os.WriteFile(path, content, 0o600))
		s := Open(path)
		defer s.Close()
		_, _, first := s.Calibration(t.Context(), machine, key.Model)
		_, second := s.Curves(t.Context(), key.Model)
		third := s.Put(t.Context(), nil, []curve.Curve{slope})
		for _, err := range []error{first, second, third} {
			if errors.Is(err, ErrDamaged) {
				damaged++
			}
			if err != nil && !strings.Contains(err.Error(), path) {
				t.Errorf("the error does not name the file: %v", err)
			}
		}
	}
	for at := 0; at < len(good); at += 1 + at/16 {
		for _, value := range []byte{0, 0xff, good[at] ^ 1} {
			content := slices.Clone(good)
			content[at] = value
			check(content)
		}
	}
	for size := 1; size < len(good); size += 511 {
		check(good[:size])
	}
	if damaged < 50 {
		t.Errorf("damage was noticed only %d times", damaged)
	}
}
