package queries

import (
	"bytes"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Short forms are written out, and places in what SQLite sees lead back.
func TestExpand(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT peak() FROM m":                                               "SELECT peak(x, y, p_drop) FROM m",
		"SELECT PEAK( /* ) */ ) FROM m":                                      "SELECT PEAK( /* ) */ x, y, p_drop) FROM m",
		"SELECT peak(x, y, p)":                                               "SELECT peak(x, y, p)",
		"SELECT heatmap(), heatmap('png'), heatmap(a, b, c, 'png')":          "SELECT heatmap(x, y, w, h, p_drop), heatmap(x, y, w, h, p_drop, 'png'), heatmap(a, b, c, 'png')",
		"SELECT mass_in(1, (2), f(3, 4), \"peak()\")":                        "SELECT mass_in(1, (2), f(3, 4), \"peak()\", x, y, w, h, p_drop)",
		"SELECT mass_in(peak()->>'x', 0, 5, 5)":                              "SELECT mass_in(peak(x, y, p_drop)->>'x', 0, 5, 5, x, y, w, h, p_drop)",
		"SELECT 'peak()', [peak()], `peak()` -- peak()\n, inside('it''s (')": "SELECT 'peak()', [peak()], `peak()` -- peak()\n, inside(x, y, w, h, 'it''s (')",
		"SELECT inside(m.mask), m.peak()":                                    "SELECT inside(m.mask), m.peak()",
		"WITH mass_in(a, b, c, d) AS (SELECT 1":                              "WITH mass_in(a, b, c, d) AS (SELECT 1",
		"SELECT peak(":                                                       "SELECT peak(",
	} {
		e := expand(sql)
		if e.sql != want {
			t.Errorf("%s becomes %s, want %s", sql, e.sql, want)
		}
	}
	piece := rapid.SampledFrom([]string{"peak()", "heatmap('png')", "mass_in(1, 2, 3, 4)", "inside('a')", "'peak()'", "x", "(", ")", ",", "/* peak() */", "é"})
	rapid.Check(t, func(t *rapid.T) {
		sql := "SELECT " + strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), " ")
		e := expand(sql)
		kept := 0
		for i := range e.sql {
			at, short := e.origin(i)
			if short {
				if word := sql[at : at+4]; !strings.Contains("peak heatmap mass_in inside", word) {
					t.Fatalf("%q byte %d comes from %q", e.sql, i, sql[at:])
				}
				continue
			}
			if kept++; sql[at] != e.sql[i] {
				t.Fatalf("%q byte %d comes from byte %d", e.sql, i, at)
			}
		}
		if want := len([]rune(sql)); kept != want {
			t.Fatalf("%d characters of %d are kept", kept, want)
		}
	})
}

// Tokens are stretches of the text in their order, with nothing but blanks and
// comments between them; nothing makes the scanner stumble.
func TestScan(t *testing.T) {
	piece := rapid.SampledFrom([]string{"'", "\"", "`", "[", "]", "--", "/*", "*/", "\n", " ", "x'", "1e", "0x", "+", "a", "é", "\xff", ";", "(", ":", "->>", "."})
	rapid.Check(t, func(t *rapid.T) {
		sql := strings.Join(rapid.SliceOf(piece).Draw(t, "pieces"), "")
		end := 0
		for _, k := range scan(sql) {
			if k.from < end || k.to <= k.from || k.text != sql[k.from:k.to] {
				t.Fatalf("%q: token %+v after byte %d", sql, k, end)
			}
			for between := sql[end:k.from]; between != ""; {
				n := blank(between)
				if first := between[0]; n == 1 && !strings.ContainsRune(" \n", rune(first)) {
					t.Fatalf("%q: %q is left out", sql, between)
				}
				between = between[n:]
			}
			_ = k.value()
			end = k.to
		}
		expand(sql)
	})
}

// An error stands where its cause does.
func TestPlaces(t *testing.T) {
	b := newBench(t)
	b.keep("maps", "a.png", 32, func(x, y int) float32 { return 0 }, 2)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("no.png", []byte("no picture"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, want string }{
		{"SELECT class,\n  p_dop FROM maps", "q:2:3: error: no such column: p_dop\n    p_dop FROM maps\n    ^~~~~\n  hint: did you mean p_drop?\n"},
		{"SELECT maps.p, m.clas FROM maps AS m JOIN maps USING (map)", "q:1:16: error: no such column: m.clas\n"},
		{"SELECT 'é', \"wide\" FROM maps", "q:1:13: error: no such column: \"wide\"\n"},
		{"SELECT \"DME\" FROM maps", "  hint: a text is written in single quotes: 'DME'\n"},
		{"SELECT count(*)\nFROM map", "q:2:6: error: no such table: map\n  FROM map\n       ^~~\n  hint: did you mean maps?\n"},
		{"SELECT 1 FROM elsewhere", "  hint: the tables are maps\n"},
		{"SELECT x FRM maps, maps", "q:1:14: error: near \"maps\": syntax error\n"},
		{"SELECT x\nFROM maps\nWHERE AND x > 1", "q:3:7: error: near \"AND\": syntax error\n"},
		{"SELECT x AS group FROM maps", "q:1:13: error: near \"group\": syntax error\n  SELECT x AS group FROM maps\n              ^~~~~\n  hint: group is a word of SQL; as a name it is written \"group\"\n"},
		{"SELECT x FROM", "q:1:14: error: the statement ends too soon\n"},
		{"SELECT heatmp(x, y, p) FROM maps", "q:1:8: error: no such function: heatmp\n  SELECT heatmp(x, y, p) FROM maps\n         ^~~~~~\n  hint: did you mean heatmap?\n"},
		{"SELECT x FROM maps a, maps b", "q:1:8: error: ambiguous column name: x\n"},
		{"SELECT peak() FROM maps a, maps b", "q:1:8: error: ambiguous column name: x\n  SELECT peak() FROM maps a, maps b\n         ^~~~\n  hint: peak() stands for peak(x, y, p_drop): write that, with the columns meant\n"},
		{"SELECT 1,\n inside('gone.png') FROM maps", "q:2:9: error: there is no mask file \"gone.png\"\n"},
		{"SELECT inside('.') FROM maps", "q:1:15: error: mask \".\" is a folder\n"},
		{"SELECT x FROM maps WHERE inside('no.png')", "q:1:33: error: inside: image \"no.png\": "},
		{"SELECT peak(x, class, p) FROM maps", "q:1:8: error: peak: y is \"c\", not a number\n"},
		{"SELECT 1, mass_in(1, 2, 3) FROM maps", "q:1:11: error: mass_in: it takes a box"},
		{"SELECT heatmap(x, y, p, 'jpg') FROM maps", "q:1:25: error: heatmap: the last argument is \"jpg\""},
		{"SELECT max(x) FROM maps WHERE max(x) > 1", "q:1:31: error: misuse of aggregate: max()"},
		{"SELECT 1 UNION SELECT 1, 2", "error: SELECTs to the left and right of UNION do not have the same number of result columns"},
		{"INSERT INTO maps SELECT * FROM maps", "q:1:13: error: UNIQUE constraint failed: maps.map, maps.class_id, maps.y, maps.x\n"},
		{"SELECT x FROM (SELECT y FROM maps)", "q:1:8: error: no such column: x\n  SELECT x FROM (SELECT y FROM maps)\n         ^\n  hint: a table that is named here has it, but not what is read at this place\n"},
		{"SELECT a.x FROM maps AS b", "  hint: nothing that is read here is called a\n"},
		{"INSERT INTO maps (zz) VALUES (1)", "q:1:19: error: table maps has no column named zz\n"},
		{"INSERT INTO maps VALUES (1, 2)", "q:1:13: error: table maps has 13 columns but 2 values were supplied\n"},
		{"UPDATE maps SET x = 'wide'", "q:1:17: error: cannot store TEXT value in INTEGER column maps.x\n"},
		{"DROP VIEW maps", "q:1:11: error: use DROP TABLE to delete table maps\n"},
		{"CREATE VIEW v AS\nSELECT * FROM last", "q:2:15: error: a view outlives the session, and the last result does not\n"},
		{"SELECT ?1", "q:1:8: error: a query takes no parameters\n"},
		{"SELECT x FROM maps WHERE p > :p", "  hint: :name is for variables"},
		{"SELECT abs(-9223372036854775808)", "error: integer overflow\n"},
	} {
		if got := b.fails(c.sql); !strings.Contains(got, c.want) {
			t.Errorf("%s\ngives\n%s\nwant\n%s", c.sql, got, c.want)
		}
	}
	if n := b.one("SELECT count(*) FROM maps"); n != int64(4) {
		t.Error(n)
	}
}

// What reaches beyond the tables is refused, and changes nothing.
func TestHostile(t *testing.T) {
	b := newBench(t)
	b.keep("maps", "a.png", 32, func(x, y int) float32 { return 0 }, 2)
	b.run("CREATE TABLE t (x)")
	t.Chdir(t.TempDir())
	for sql, want := range map[string]string{
		"SELECT * FROM occlude_calibration":                                             `"occlude_calibration" is not for queries`,
		"SELECT count(*) FROM (SELECT 1 FROM OCCLUDE_CURVE)":                            "is not for queries",
		"SELECT load_extension('x')":                                                    "not authorized",
		"SELECT * FROM pragma_journal_mode":                                             "PRAGMA is not for queries",
		"SELECT * FROM pragma_query_only":                                               "PRAGMA is not for queries",
		"SELECT writefile('x', 'y')":                                                    "no such function",
		"DELETE FROM occlude_map":                                                       "occlude_",
		"UPDATE occlude_map SET array = '../../x'":                                      "occlude_",
		"INSERT INTO occlude_failure SELECT 1":                                          "occlude_",
		"WITH a AS (SELECT 1) DELETE FROM occlude_map":                                  "occlude_",
		"REPLACE INTO main.occlude_map SELECT * FROM occlude_map":                       "occlude_",
		"DROP TABLE occlude_map":                                                        "occlude_",
		"ALTER TABLE occlude_map ADD COLUMN x":                                          "occlude_",
		"CREATE INDEX i ON occlude_map (tbl)":                                           "occlude_",
		"CREATE TABLE occlude_x (x)":                                                    "occlude_",
		"CREATE TEMP TABLE Occlude_map (x)":                                             "occlude_",
		"ALTER TABLE maps RENAME TO x":                                                  "keeps its name",
		"ALTER TABLE maps ADD COLUMN z":                                                 "keeps its name",
		"DELETE FROM sqlite_sequence":                                                   "SQLite's own",
		"UPDATE sqlite_schema SET sql = ''":                                             "may not be modified",
		"INSERT INTO sqlite_schema VALUES ('table', 'x', 'x', 2, 'CREATE TABLE x (y)')": "may not be modified",
	} {
		if got := b.fails(sql); !strings.Contains(got, want) {
			t.Errorf("%s\ngives\n%s\nwant %s", sql, got, want)
		}
	}
	if got := b.run("SELECT (SELECT count(*) FROM maps), (SELECT count(*) FROM occlude_map), (SELECT count(*) FROM t)"); fmt.Sprint(got) != "[[4 1 0]]" {
		t.Error(got)
	}
	// A string that ends a statement for SQLite and not for the language does not
	// smuggle in another one.
	q := parse(t, "SELECT 1")
	q.Text = "SELECT 1; DROP TABLE t"
	if _, err := b.Run(t.Context(), q, &rows{}); err == nil || !strings.Contains(err.Error(), "one statement at a time") {
		t.Error(err)
	}
	q.Text = "DELETE FROM t\x00 WHERE x = 1"
	if _, err := b.Run(t.Context(), q, &rows{}); err == nil || !strings.Contains(err.Error(), "NUL") {
		t.Error(err)
	}
	for _, pragma := range []string{"PRAGMA query_only = off", "ATTACH 'x.db' AS x", "VACUUM INTO 'x.db'", "COMMIT", "DETACH main", "SAVEPOINT x", "ANALYZE", "REINDEX",
		"CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1", "CREATE VIRTUAL TABLE f USING fts5(x)"} {
		q.Text, q.Verb = pragma, "SELECT"
		if _, err := b.Run(t.Context(), q, &rows{}); err == nil {
			t.Errorf("%s is run", pragma)
		}
	}
	if made, err := os.ReadDir("."); len(made) > 0 || err != nil {
		t.Error(made, err)
	}
}

// A context ends a statement in its first step, and between two rows that are far
// apart; the session goes on.
func TestCancel(t *testing.T) {
	b := newBench(t)
	b.run("CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT i FROM n")
	const forever = "(SELECT 1 FROM t a, t b, t c, t d, t e WHERE a.i + b.i + c.i + d.i + e.i < 0)"
	for _, sql := range []string{
		"SELECT " + forever,
		"SELECT i, CASE WHEN i > 1 THEN " + forever + " END FROM t",
		"SELECT count(peak) FROM (SELECT peak(a.i, b.i, c.i) AS peak FROM t a, t b, t c, t d)",
		"UPDATE t SET i = " + forever,
		"CREATE TABLE u AS SELECT " + forever + " FROM t",
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("enough")
		stop := time.AfterFunc(30*time.Millisecond, func() { cancel(why) })
		defer stop.Stop()
		if _, err := b.Run(ctx, parse(t, sql), &rows{}); !errors.Is(err, why) {
			t.Errorf("%s: %v", sql, err)
		}
		if n := b.one("SELECT sum(i) FROM t"); n != int64(500500) {
			t.Errorf("after %s: %v", sql, n)
		}
	}
	if b.handle == 0 {
		t.Error("the driver has no handle any more that can be found")
	}
}

// SQLite finishes the aggregates of an interrupted statement, too.
func TestInterruptedAggregates(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	m := newHeatMap()
	a := &adapter{m, func(err error) error { return err }, ctx}
	if err := a.Step(nil, []driver.Value{int64(0), int64(0), 0.5}); err != nil {
		t.Fatal(err)
	}
	if v, err := a.WindowValue(nil); v == nil || err != nil {
		t.Errorf("%v, %v", v, err)
	}
	cancel()
	if v, err := a.WindowValue(nil); v != nil || err != nil {
		t.Errorf("after an interrupt %v, %v", v, err)
	}
}

// An error of who takes the rows ends the statement as it is.
func TestSinkErrors(t *testing.T) {
	b := newBench(t)
	full := errors.New("the disk is full")
	if _, err := b.Run(t.Context(), parse(t, "SELECT 1"), broken{full}); err != full {
		t.Error(err)
	}
	b.one("SELECT 1")
}

type broken struct{ err error }

func (broken) Columns([]string) error { return nil }
func (b broken) Row([]any) error      { return b.err }

// What is wrong with the database is said once.
func TestDamagedDatabase(t *testing.T) {
	b := newBench(t)
	if err := os.MkdirAll(filepath.Dir(b.store.Path()), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(b.store.Path(), bytes.Repeat([]byte("no database "), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.try("SELECT 1"); err == nil || strings.Count(err.Error(), "damaged") != 1 {
		t.Error(err)
	}
}
