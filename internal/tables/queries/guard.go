package queries

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"modernc.org/sqlite"

	"occlude/internal/tables"
)

// guard is asked by SQLite about everything that a statement is about to do, before
// it does any of it. It allows what people do with tables, writes down what that
// is, and refuses what reaches beyond them: our own tables, other files, settings of
// the database.
type guard struct {
	own      bool // the statement is ours: nothing is refused
	heatMaps map[string]bool

	reads     map[string]bool // tables, their names in small letters; views are their tables
	changed   map[string]bool
	schema    bool // tables, views or indexes are made or dropped
	functions map[string]bool
	dropped   []string // tables, but temporary ones
	refused   error    // why, if it was
	subject   string   // the name that it was refused for
}

// begin forgets the last statement.
func (g *guard) begin() {
	*g = guard{heatMaps: g.heatMaps, reads: map[string]bool{}, changed: map[string]bool{}, functions: map[string]bool{}}
}

// writes reports whether the statement changes anything.
func (g *guard) writes() bool { return g.schema || len(g.changed) > 0 }

// ours reports whether a table belongs to us, or to SQLite's machinery.
func ours(table string) bool { return strings.HasPrefix(tables.Fold(table), "occlude_") }

// readable are those of our own tables that people may read.
var readable = []string{"occlude_map", "occlude_failure"}

// readPragmas are the pragmas that only tell something, as the functions pragma_....
var readPragmas = []string{"table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo",
	"foreign_key_list", "function_list", "collation_list", "compile_options"}

// closedFunctions reach beyond the tables; most are not even built in.
var closedFunctions = []string{"load_extension", "readfile", "writefile", "edit", "fts3_tokenizer", "sqlite_dbpage"}

func (g *guard) authorize(action sqlite.AuthorizerActionCode, a, b, _, _ string) sqlite.AuthorizerReturnCode {
	if g.own {
		return sqlite.AuthorizerOK
	}
	if err := g.check(action, a, b); err != nil {
		if g.refused == nil {
			g.refused, g.subject = err, subject(action, a, b)
		}
		return sqlite.AuthorizerDeny
	}
	return sqlite.AuthorizerOK
}

// subject is what an action is about, of its two arguments.
func subject(action sqlite.AuthorizerActionCode, a, b string) string {
	switch action {
	case sqlite.AuthFunction, sqlite.AuthAlterTable, sqlite.AuthCreateIndex, sqlite.AuthCreateTempIndex, sqlite.AuthDropIndex, sqlite.AuthDropTempIndex:
		return b
	}
	return a
}

func (g *guard) check(action sqlite.AuthorizerActionCode, a, b string) error {
	switch action {
	case sqlite.AuthSelect, sqlite.AuthRecursive:
		return nil
	case sqlite.AuthRead:
		return g.read(a)
	case sqlite.AuthFunction:
		return g.function(b)
	case sqlite.AuthPragma:
		if slices.Contains(readPragmas, strings.ToLower(a)) {
			return nil
		}
		return errors.New("PRAGMA is not for queries")
	case sqlite.AuthInsert, sqlite.AuthUpdate, sqlite.AuthDelete:
		return g.change(a)
	case sqlite.AuthCreateTable, sqlite.AuthCreateView, sqlite.AuthCreateTempTable, sqlite.AuthCreateTempView:
		g.schema = true
		return tables.Check(a)
	case sqlite.AuthDropTable, sqlite.AuthDropTempTable:
		g.schema = true
		if action == sqlite.AuthDropTable { // a temporary one may have the name of another
			g.dropped = append(g.dropped, tables.Fold(a))
		}
		return g.change(a)
	case sqlite.AuthDropView, sqlite.AuthDropTempView:
		g.schema = true
		return nil
	case sqlite.AuthCreateIndex, sqlite.AuthCreateTempIndex, sqlite.AuthDropIndex, sqlite.AuthDropTempIndex:
		g.schema = true
		return g.change(b)
	case sqlite.AuthReindex:
		return nil // by CREATE INDEX
	case sqlite.AuthAlterTable:
		g.schema = true
		if g.heatMaps[tables.Fold(b)] {
			return fmt.Errorf("%q is a table of heat maps, which keeps its name and its columns", b)
		}
		return g.change(b)
	case sqlite.AuthAttach, sqlite.AuthDetach:
		return errors.New("no other database can be attached")
	case sqlite.AuthCreateVTable, sqlite.AuthDropVTable:
		return errors.New("there are no virtual tables here")
	case sqlite.AuthCreateTrigger, sqlite.AuthCreateTempTrigger, sqlite.AuthDropTrigger, sqlite.AuthDropTempTrigger:
		return errors.New("there are no triggers here")
	}
	return fmt.Errorf("this is not for queries (action %d of SQLite)", action)
}

func (g *guard) read(table string) error {
	if key := tables.Fold(table); !ours(key) || slices.Contains(readable, key) {
		g.reads[key] = true
		return nil
	}
	return fmt.Errorf("%q is not for queries: of our own tables only %s are", table, strings.Join(readable, " and "))
}

func (g *guard) change(table string) error {
	key := tables.Fold(table)
	switch {
	case key == tables.Last:
		return fmt.Errorf("%q is the last result and cannot be changed", tables.Last)
	case ours(key):
		return fmt.Errorf("%q cannot be changed: the tables whose names begin with occlude_ are ours", table)
	case key == "sqlite_sequence" && !g.schema:
		return fmt.Errorf("%q is SQLite's own", table)
	case strings.HasPrefix(key, "sqlite_"):
		return nil // along with what is made or dropped; by itself SQLite refuses it
	}
	g.changed[key] = true
	return nil
}

func (g *guard) function(name string) error {
	key := strings.ToLower(name)
	if slices.Contains(closedFunctions, key) {
		return fmt.Errorf("the function %s is not for queries", name)
	}
	g.functions[key] = true
	return nil
}
