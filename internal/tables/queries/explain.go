package queries

import (
	"context"
	"errors"
	"os"
	"regexp"
	"slices"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"occlude/internal/cause"
	"occlude/internal/imageio"
	"occlude/internal/tables"
	"occlude/lang"
)

// explain turns an error into one about the statement.
func (s *Session) explain(ctx context.Context, t *statement, err error) error {
	var taken sinkError
	var diagnostic refused
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case errors.As(err, &taken):
		return taken.error
	case errors.As(err, &diagnostic):
		return diagnostic.Diagnostic
	}
	var code *sqlite.Error
	if !errors.As(err, &code) {
		return err
	}
	if s.guard.refused != nil && code.Code()&0xff == sqlite3.SQLITE_AUTH {
		k := t.find(s.guard.subject)
		return lang.Errorf(t.span(k.from, k.to), "%w", s.guard.refused)
	}
	if s.failure != nil {
		return t.failed(s.failure)
	}
	switch code.Code() & 0xff {
	case sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE, sqlite3.SQLITE_TOOBIG:
		return s.locate(ctx, t, err, message(code))
	}
	return s.store.Explain(ctx, err)
}

var resultCode = regexp.MustCompile(` \(\d+\)$`)

// message is what SQLite says, without what the driver puts around it: the name of
// the kind of error and its number.
func message(err *sqlite.Error) string {
	m := resultCode.ReplaceAllString(err.Error(), "")
	if _, rest, ok := strings.Cut(m, ": "); ok {
		return rest
	}
	return m
}

// failed is an error of one of our functions: at its mask, where it is about that and
// it stands in the statement, else at the function.
func (t *statement) failed(f *failure) error {
	at := t.find(f.function)
	for _, c := range calls(t.tokens) {
		if !c.function.is(f.function) {
			continue
		}
		at = c.function
		for _, a := range c.arguments {
			if len(a) == 1 && a[0].kind == text && strings.Contains(f.err.Error(), `"`+a[0].value()+`"`) {
				return lang.Errorf(t.span(a[0].from, a[0].to), "%w", f)
			}
		}
	}
	return lang.Errorf(t.span(at.from, at.to), "%w", f)
}

// checkMask makes sure that a mask that is named in the statement is there.
func (t *statement) checkMask(c call) error {
	for _, a := range c.arguments {
		if len(a) != 1 || a[0].kind != text {
			continue
		}
		at := t.span(a[0].from, a[0].to)
		file, _ := imageio.SplitFrame(a[0].value())
		switch info, err := os.Stat(file); {
		case os.IsNotExist(err):
			return lang.Errorf(at, "there is no mask file %q", a[0].value())
		case err != nil:
			return lang.Errorf(at, "mask %q: %w", a[0].value(), cause.Of(err))
		case info.IsDir():
			return lang.Errorf(at, "mask %q is a folder", a[0].value())
		}
		return nil // the one after it is the model
	}
	return nil
}

// locate finds the place of what SQLite complains about, and what may have been
// meant.
func (s *Session) locate(ctx context.Context, t *statement, err error, message string) error {
	if message == "incomplete input" {
		end := t.tokens[len(t.tokens)-1].to
		return lang.Errorf(t.span(end, end), "the statement ends too soon")
	}
	message, _, _ = strings.Cut(message, " - should this be") // a string: which the hint says
	what, subject, _ := strings.Cut(message, ": ")
	if m := inSentence.FindStringSubmatch(message); m != nil {
		subject = m[1] + m[2] + m[3] + m[4]
	}
	at, short := t.tokens[0], false
	if p := (*prepareError)(nil); errors.As(err, &p) && p.offset >= 0 {
		var from int
		from, short = t.origin(p.offset)
		at = t.at(from)
	} else if subject != "" {
		at = t.named(subject)
	}
	d := lang.Errorf(t.span(at.from, at.to), "%s", message)
	d.Err = err
	if short {
		return d.WithHint(shortHint(at.text))
	}
	if strings.HasSuffix(message, ": syntax error") && t.wantsName(at) {
		return d.WithHint(at.text + ` is a word of SQL; as a name it is written "` + at.text + `"`)
	}
	switch what {
	case "no such column":
		return d.WithHint(s.columnHint(ctx, t, subject))
	case "no such table":
		return d.WithHint(s.tableHint(ctx, subject))
	case "no such function":
		names, _ := s.strings(ctx, "SELECT DISTINCT name FROM pragma_function_list")
		return d.WithHint(lang.DidYouMean(subject, append(slices.Clone(functionNames), names...)))
	case "ambiguous column name":
		return d.WithHint("write the table before it: maps." + subject)
	}
	return d
}

// inSentence finds the name in messages that do not end in it after a colon.
var inSentence = regexp.MustCompile(`^table .+ has no column named (.+)$|^table (.+) has \d+ columns but |^cannot store .+ column (.+)$|^use DROP \w+ to delete \w+ (.+)$`)

// wantsName reports whether a word stands where a name should.
func (t *statement) wantsName(at token) bool {
	i := slices.Index(t.tokens, at)
	return at.kind == word && i > 0 &&
		slices.Contains([]string{"AS", "FROM", "JOIN", "TABLE", "VIEW", "INTO", "UPDATE", "SELECT", "BY", ",", "("}, strings.ToUpper(t.tokens[i-1].text))
}

// named is the token of a name that a message holds: the name of a table, or one with
// a database's or a table's before a dot.
func (t *statement) named(subject string) token {
	table, column, _ := strings.Cut(subject, ".")
	for _, n := range []string{subject, column, table} {
		if k := t.find(n); k.from > 0 {
			return k
		}
	}
	return t.tokens[0]
}

// at is the token that stands at a byte of Text, or the last one before it.
func (t *statement) at(offset int) token {
	found := t.tokens[0]
	for _, k := range t.tokens {
		if k.from <= offset {
			found = k
		}
	}
	return found
}

// shortHint says what the short form of a function stands for.
func shortHint(function string) string {
	for _, s := range shorthands {
		if !strings.EqualFold(s.function, function) {
			continue
		}
		switch s.function {
		case "inside":
			return "inside('mask.png') stands for inside(x, y, w, h, 'mask.png'): write that, with the columns meant"
		case "mass_in":
			return "mass_in(x, y, width, height) stands for mass_in(x, y, width, height, x, y, w, h, p_drop): write that, with the columns meant"
		}
		return s.function + "() stands for " + s.function + "(" + s.front + "): write that, with the columns meant"
	}
	return ""
}

// columnHint names the column that was probably meant, of the tables that the
// statement names.
func (s *Session) columnHint(ctx context.Context, t *statement, column string) string {
	of := ""
	if i := strings.LastIndexByte(column, '.'); i >= 0 {
		of, column = column[:i], column[i+1:]
	}
	quoted := strings.HasPrefix(column, `"`)
	column = strings.Trim(column, `"`)
	all, err := s.tableNames(ctx)
	if err != nil {
		return ""
	}
	var candidates, named []string
	for _, table := range append(all, tables.Last, "occlude_map") {
		k := t.find(table)
		if k.from == 0 {
			continue
		}
		columns, err := s.strings(ctx, "SELECT name FROM pragma_table_info(?)", table)
		if err != nil {
			continue
		}
		candidates = append(candidates, columns...)
		named = append(named, table+" has the columns "+strings.Join(columns, ", "))
	}
	if slices.ContainsFunc(candidates, func(c string) bool { return strings.EqualFold(c, column) }) {
		if of != "" {
			return "nothing that is read here is called " + of
		}
		return "a table that is named here has it, but not what is read at this place"
	}
	if hint := lang.DidYouMean(column, candidates); hint != "" {
		return hint
	}
	if quoted {
		return "a text is written in single quotes: '" + column + "'"
	}
	if len(named) == 1 {
		return named[0]
	}
	return ""
}

// tableHint names the table that was probably meant, or those that there are.
func (s *Session) tableHint(ctx context.Context, table string) string {
	if strings.EqualFold(table, tables.Last) {
		return "last is the last result, and there is none yet"
	}
	all, err := s.tableNames(ctx)
	if err != nil {
		return ""
	}
	if len(all) == 0 {
		return "there are none yet: OCCLUDE ... INTO TABLE maps makes one, and last is the last result"
	}
	if hint := lang.DidYouMean(table, append(all, tables.Last)); hint != "" {
		return hint
	}
	return "the tables are " + strings.Join(all, ", ")
}
