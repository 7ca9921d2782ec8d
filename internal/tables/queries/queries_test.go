package queries

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/internal/store"
	"occlude/internal/tables"
	"occlude/lang"
)

// rows is a sink that keeps everything.
type rows struct {
	columns []string
	all     [][]any
}

func (r *rows) Columns(names []string) error {
	r.columns = names
	return nil
}

func (r *rows) Row(values []any) error {
	r.all = append(r.all, slices.Clone(values))
	return nil
}

// bench is a session over a store in a folder of its own.
type bench struct {
	t *testing.T
	*Session
	store *store.Store
}

func newBench(t *testing.T) *bench {
	t.Helper()
	s := store.Open(filepath.Join(t.TempDir(), "data", "occlude.db"))
	b := &bench{t, New(s, Env{Inputs: func() []Input { return nil }}), s}
	t.Cleanup(func() {
		b.Close()
		s.Close()
	})
	return b
}

// parse reads one statement.
func parse(t testing.TB, sql string) *lang.SQL {
	t.Helper()
	script, diagnostics := lang.ParseOptions{OptionalFinalSemicolon: true}.Parse("q", sql)
	if err := diagnostics.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return script.Statements[0].(*lang.SQL)
}

func (b *bench) try(sql string) (*rows, Done, error) {
	b.t.Helper()
	r := &rows{}
	done, err := b.Run(b.t.Context(), parse(b.t, sql), r)
	return r, done, err
}

func (b *bench) run(sql string) [][]any {
	b.t.Helper()
	r, _, err := b.try(sql)
	if err != nil {
		b.t.Fatalf("%s: %v", sql, err)
	}
	return r.all
}

// one is the only value of a result.
func (b *bench) one(sql string) any {
	b.t.Helper()
	all := b.run(sql)
	if len(all) != 1 || len(all[0]) != 1 {
		b.t.Fatalf("%s returns %v", sql, all)
	}
	return all[0][0]
}

// fails demands an error, and returns it as it is shown.
func (b *bench) fails(sql string) string {
	b.t.Helper()
	_, _, err := b.try(sql)
	var d *lang.Diagnostic
	if !errors.As(err, &d) {
		b.t.Fatalf("%s: no diagnostic, but %v", sql, err)
	}
	return d.Format(sql)
}

// keep stores a heat map of one class, of side x side positions.
func (b *bench) keep(table, image string, width int, drop func(x, y int) float32, side int) {
	b.t.Helper()
	t, err := tables.Open(b.t.Context(), b.store, table)
	if err != nil {
		b.t.Fatal(err)
	}
	m := &tables.Map{
		Key: tables.Key{Path: "/scans/" + image, Query: fmt.Sprint(width)}, Image: image, ImageHash: "i", Model: "m", ModelHash: "h",
		Text: "OCCLUDE", Plan: "{}", Classes: 1, Positions: side * side, Width: width, Height: width, Resize: "squash", PatchW: 8, PatchH: 6,
	}
	for i := range side {
		m.X, m.Y = append(m.X, 8*i), append(m.Y, 6*i)
		for j := range side {
			d := drop(j, i)
			m.Rows = append(m.Rows, []any{image, "m", 1, "c", 8 * j, 6 * i, 8, 6, float32(0.5), 0.5 - d, d, "exact"})
		}
	}
	m.Array = array(side)
	if _, err := t.Put(b.t.Context(), m); err != nil {
		b.t.Fatal(err)
	}
}

func TestValues(t *testing.T) {
	b := newBench(t)
	got := b.run("SELECT 1+1, 0.5, 'a''b', NULL, x'00ff', 1e999, '' UNION ALL VALUES (1, 2, 3, 4, 5, 6, 7)")
	want := [][]any{{int64(2), 0.5, "a'b", nil, []byte{0, 255}, inf, ""}, {int64(1), int64(2), int64(3), int64(4), int64(5), int64(6), int64(7)}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v\n%v", got, want)
	}
}

// Without a file nothing is made, until something is written.
func TestReadingMakesNoFile(t *testing.T) {
	b := newBench(t)
	b.one("SELECT 1")
	b.fails("SELECT * FROM maps")
	if found, err := filepath.Glob(filepath.Dir(b.store.Path())); err != nil || found != nil {
		t.Error(found, err)
	}
	b.run("CREATE TABLE t (x)")
	b.run("INSERT INTO t VALUES (3)")
	if n := b.one("SELECT x FROM t"); n != int64(3) {
		t.Error(n)
	}
	// And what another has written since is there.
	b.keep("maps", "a.png", 32, func(x, y int) float32 { return 0 }, 2)
	if n := b.one("SELECT count(*) FROM maps JOIN occlude_map ON map = id"); n != int64(4) {
		t.Error(n)
	}
}

func TestChanges(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct{ sql, did string }{
		{"CREATE TABLE t AS SELECT 1 AS a UNION SELECT 2 UNION SELECT 3", "CREATE TABLE t: 3 rows"},
		{"CREATE TABLE IF NOT EXISTS main.\"a b\" (x INTEGER PRIMARY KEY, y DATE)", "CREATE TABLE a b"},
		{"INSERT INTO \"a b\" VALUES (1, '2026-01-02'), (2, 'x')", "INSERT 2 rows"},
		{"REPLACE INTO \"a b\" VALUES (1, '2026-01-03')", "REPLACE 1 row"},
		{"UPDATE t SET a = a + 1 WHERE a > 1", "UPDATE 2 rows"},
		{"WITH m AS (SELECT max(a) AS a FROM t) DELETE FROM t WHERE a = (SELECT a FROM m)", "DELETE 1 row"},
		{"DELETE FROM t WHERE 0", "DELETE 0 rows"},
		{"ALTER TABLE t RENAME TO u", "ALTER TABLE t"},
		{"ALTER TABLE u RENAME COLUMN a TO last", "ALTER TABLE u"},
		{"CREATE UNIQUE INDEX i ON u (last)", "CREATE INDEX i"},
		{"CREATE TEMP TABLE x AS SELECT 1", "CREATE TABLE x: 1 row"},
		{"CREATE VIEW v AS SELECT * FROM u", "CREATE VIEW v"},
		{"DROP INDEX i", "DROP INDEX i"},
		{"DROP VIEW IF EXISTS v", "DROP VIEW v"},
	} {
		_, done, err := b.try(c.sql)
		if err != nil || done.Returned || done.Text != c.did {
			t.Errorf("%s: %+v, %v; want %s", c.sql, done, err, c.did)
		}
	}
	r, done, err := b.try("DELETE FROM u RETURNING last * 10 AS ten")
	if err != nil || !done.Returned || fmt.Sprint(r.columns, r.all) != "[ten] [[10] [30]]" {
		t.Error(r, done, err)
	}
	if got := b.run(`SELECT x, y FROM "a b" ORDER BY x`); fmt.Sprint(got) != "[[1 2026-01-03] [2 x]]" {
		t.Error(got)
	}
}

// A statement that fails leaves nothing behind.
func TestChangesAreWhole(t *testing.T) {
	b := newBench(t)
	b.run("CREATE TABLE t (x UNIQUE)")
	b.run("INSERT INTO t VALUES (1)")
	for _, sql := range []string{
		"INSERT INTO t SELECT 2 UNION ALL SELECT 1",
		"ALTER TABLE t RENAME TO last",
		"ALTER TABLE t RENAME TO occlude_t",
		"ALTER TABLE t RENAME TO 'last'",
		"CREATE TABLE u AS SELECT peak(x, x, 'no number') FROM t",
	} {
		b.fails(sql)
	}
	if got := b.run("SELECT * FROM t"); fmt.Sprint(got) != "[[1]]" {
		t.Error(got)
	}
	names, err := b.tableNames(context.Background())
	if err != nil || !slices.Equal(names, []string{"t"}) {
		t.Error(names, err)
	}
}

// Dropping a table of heat maps takes along what is known of it.
func TestDrop(t *testing.T) {
	b := newBench(t)
	flat := func(x, y int) float32 { return 0 }
	b.keep("maps", "a.png", 32, flat, 2)
	b.keep("maps", "b.png", 32, flat, 2)
	b.keep("others", "a.png", 32, flat, 2)
	arrays := func() int {
		found, err := filepath.Glob(filepath.Join(filepath.Dir(b.store.Path()), "arrays", "*", "*.npy"))
		if err != nil {
			t.Fatal(err)
		}
		return len(found)
	}
	if n := arrays(); n != 3 {
		t.Fatal(n, "arrays")
	}
	b.run("CREATE TEMP TABLE maps (x)")
	b.run("DROP TABLE maps")
	if n := arrays(); n != 3 {
		t.Fatal(n, "arrays after a temporary table of the same name")
	}
	b.run("DROP TABLE MAPS")
	if got := b.run("SELECT tbl, image FROM occlude_map"); fmt.Sprint(got) != "[[others a.png]]" || arrays() != 1 {
		t.Error(got, arrays())
	}
}

// SQLite folds the letters A to Z alone: what differs in the case of another is another table.
func TestNamesOfAnyScript(t *testing.T) {
	b := newBench(t)
	flat := func(x, y int) float32 { return 0 }
	b.keep("Über", "a.png", 32, flat, 2)
	b.keep("über", "a.png", 32, flat, 2)
	b.run("DROP TABLE Über")
	got := b.run("SELECT tbl, array FROM occlude_map")
	if len(got) != 1 || got[0][0] != "über" {
		t.Fatal(got)
	}
	if _, err := os.Stat(tables.ArrayPath(b.store, got[0][1].(string))); err != nil {
		t.Error(err)
	}
	if all, err := b.Tables(t.Context()); err != nil || len(all) != 1 || all[0].Kind != "heat maps" {
		t.Error(all, err)
	}
}

func TestTables(t *testing.T) {
	b := newBench(t)
	b.SetLast(&Last{Columns: []string{"a"}, Rows: slices.Values([][]any{{1}})})
	b.one("SELECT * FROM last")
	if all, err := b.Tables(b.t.Context()); len(all) != 0 || err != nil {
		t.Error(all, err)
	}
	b.keep("maps", "a.png", 32, func(x, y int) float32 { return 0 }, 3)
	b.keep("maps", "b.png", 32, func(x, y int) float32 { return 0 }, 2)
	b.run("CREATE TABLE t AS SELECT 1")
	b.run("CREATE TEMP VIEW v AS SELECT * FROM t")
	all, err := b.Tables(b.t.Context())
	if err != nil || len(all) != 3 {
		t.Fatal(all, err)
	}
	maps := all[0]
	if maps.Bytes.(int64) < 4096+2*128 || len(maps.Written.(string)) < len("2006-01-02") {
		t.Error(maps)
	}
	maps.Bytes, maps.Written = nil, nil
	if want := (Table{Name: "maps", Kind: "heat maps", Rows: int64(13), Images: int64(2), Models: "m"}); maps != want {
		t.Errorf("%+v, want %+v", maps, want)
	}
	if all[1].Kind != "table" || all[1].Rows != int64(1) || all[2].Kind != "view" || all[2].Rows != nil {
		t.Error(all)
	}
}

func TestLast(t *testing.T) {
	b := newBench(t)
	if got := b.fails("SELECT * FROM last"); !strings.Contains(got, "there is none yet") {
		t.Error(got)
	}
	made := 0
	last := &Last{Columns: []string{"a", "A", "", "a:1"}, Rows: func(yield func([]any) bool) {
		made++
		_ = yield([]any{1, float32(0.1), true, "x"}) && yield([]any{int64(2), nil, []byte{1}, nan})
	}}
	b.SetLast(last)
	b.one("SELECT 1 ORDER BY 1 NULLS LAST")
	if made != 0 {
		t.Error("made for who does not name it")
	}
	want := [][]any{{int64(1), 0.1, int64(1), "x"}, {int64(2), nil, []byte{1}, nil}}
	for range 2 {
		r, _, err := b.try(`SELECT * FROM "LAST"`)
		if err != nil || !reflect.DeepEqual(r.all, want) || !slices.Equal(r.columns, []string{"a", "A:1", "", "a:1:1"}) {
			t.Errorf("%v %q %v", r.all, r.columns, err)
		}
	}
	if made != 1 {
		t.Error("made", made, "times")
	}
	for _, sql := range []string{"DELETE FROM last", "INSERT INTO last VALUES (1, 2, 3, 4)", "DROP TABLE last", "CREATE TABLE last (x)", "CREATE TEMP VIEW last AS SELECT 1", "CREATE INDEX i ON last (a)"} {
		if got := b.fails(sql); !strings.Contains(got, "last result") {
			t.Error(got)
		}
	}
	b.run("CREATE TABLE kept AS SELECT * FROM last") // makes the file, and with it a new connection
	if n := b.one("SELECT count(*) FROM last, kept"); n != int64(4) {
		t.Error(n)
	}
	b.SetLast(&Last{Columns: []string{"b"}, Rows: slices.Values([][]any{{"new"}})})
	if v := b.one("SELECT b FROM last"); v != "new" {
		t.Error(v)
	}
	b.SetLast(&Last{Lost: errors.New("it was too large")})
	if got := b.fails("SELECT 1 FROM last"); !strings.HasPrefix(got, "q:1:15: error: it was too large\n") {
		t.Error(got)
	}
}

// What is only to be read is not changed.
func TestRead(t *testing.T) {
	b := newBench(t)
	b.run("CREATE TABLE t AS SELECT 1 AS x")
	err := b.Read(t.Context(), parse(t, "WITH a AS (SELECT 1 AS x)\nDELETE FROM t RETURNING x"), &rows{})
	if err == nil || err.Error() != "q:2:1: error: a query is wanted here, and this changes something" {
		t.Error(err)
	}
	if n := b.one("SELECT count(*) FROM t"); n != int64(1) {
		t.Error(n)
	}
}

// A session survives that its file is moved away, made anew, or may only be read.
func TestFiles(t *testing.T) {
	b := newBench(t)
	b.SetLast(&Last{Columns: []string{"a"}, Rows: slices.Values([][]any{{7}})})
	b.run("CREATE TABLE t AS SELECT a FROM last")
	path := b.store.Path()
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if n := b.one("SELECT t.a + last.a FROM t, last"); n != int64(14) {
		t.Error(n)
	}
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	if got := b.fails("SELECT * FROM t"); !strings.Contains(got, "no such table: t\n") {
		t.Error(got)
	}
	if n := b.one("SELECT a FROM last"); n != int64(7) {
		t.Error(n)
	}
	b.run("CREATE TABLE u AS SELECT a FROM last")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("no database at all, but a longer text than SQLite's header is, which has a hundred bytes in it"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.try("SELECT * FROM u"); !errors.Is(err, store.ErrDamaged) && !errors.Is(err, store.ErrForeign) {
		t.Error(err)
	}
}
