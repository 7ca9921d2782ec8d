package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"occlude/internal/defect"
	"occlude/internal/tables"
	"occlude/lang"
)

// Sink takes the rows of a statement as they come. A value is an int64, a float64, a
// string, a []byte or nil for NULL; the slice is used again for the next row.
type Sink interface {
	Columns(names []string) error
	Row(values []any) error
}

// Done says what a statement did.
type Done struct {
	Returned bool   // rows, which the sink has got
	Text     string // what else it did: DELETE 12 rows, CREATE TABLE peaks
}

// Run runs a statement. What is wrong with it is a *lang.Diagnostic at the place of
// the very word, as far as SQLite tells.
func (s *Session) Run(ctx context.Context, q *lang.SQL, sink Sink) (Done, error) {
	return s.do(ctx, &statement{SQL: q}, sink)
}

// Read is Run for statements that change nothing: others are refused.
func (s *Session) Read(ctx context.Context, q *lang.SQL, sink Sink) error {
	_, err := s.do(ctx, &statement{SQL: q, readOnly: true}, sink)
	return err
}

func (s *Session) do(ctx context.Context, t *statement, sink Sink) (done Done, err error) {
	defer defect.Recover(&err)
	s.running = ctx
	t.tokens, t.expansion = scan(t.Text), expand(t.Text)
	if err := t.check(); err != nil {
		return Done{}, err
	}
	if done, err = s.run(ctx, t, sink); err != nil {
		return Done{}, s.explain(ctx, t, err)
	}
	return done, nil
}

// statement is one statement on its way.
type statement struct {
	*lang.SQL
	expansion
	tokens   []token // of Text
	readOnly bool    // it must not change anything
}

// refused is an error about a statement that was not made by SQLite.
type refused struct{ *lang.Diagnostic }

// check finds what need not be asked of SQLite.
func (t *statement) check() error {
	if i := strings.IndexByte(t.Text, 0); i >= 0 { // where SQLite would take the statement to end
		return lang.Errorf(t.span(i, i+1), "the text holds a NUL byte")
	}
	for _, k := range t.tokens {
		switch {
		case k.kind == unknown:
			d := lang.Errorf(t.span(k.from, k.to), "a query takes no parameters")
			if strings.HasPrefix(t.Text[k.from:], ":") {
				d.WithHint(`:name is for variables, which -v name=value defines; in SQL "name" and 'text' are quoted like that`)
			}
			return d
		case k.text == ";":
			return lang.Errorf(t.span(k.from, k.to), "one statement at a time")
		}
	}
	for _, c := range calls(t.tokens) {
		if c.function.is("inside") {
			if err := t.checkMask(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Session) run(ctx context.Context, t *statement, sink Sink) (Done, error) {
	if err := s.connect(ctx, !t.Returns()); err != nil {
		return Done{}, err
	}
	stop := s.handle.interruptWith(ctx)
	defer func() { stop() }()
	writes, err := s.prepare(ctx, t)
	if err == nil && writes && t.readOnly {
		k := t.changing()
		return Done{}, refused{lang.Errorf(t.span(k.from, k.to), "a query is wanted here, and this changes something")}
	}
	if err == nil && writes && t.Returns() { // WITH ... DELETE
		stop() // the connection may be given up for another
		if err = s.connect(ctx, true); err == nil {
			stop = s.handle.interruptWith(ctx)
			writes, err = s.prepare(ctx, t)
		}
	}
	if err != nil {
		return Done{}, err
	}
	if s.guard.functions["inside"] {
		if err := s.lookAround(ctx, s.guard.reads); err != nil {
			return Done{}, err
		}
	}
	if writes || !t.Returns() {
		return s.change(ctx, t, sink)
	}
	if err := s.queryOnly(ctx, true); err != nil {
		return Done{}, err
	}
	s.guard.begin()
	rows, err := s.conn.QueryContext(ctx, t.sql)
	if err != nil {
		return Done{}, err
	}
	return Done{Returned: true}, s.stream(ctx, rows, sink)
}

// prepare lets SQLite and the guard look at a statement, without running it, and
// makes the table last for it.
func (s *Session) prepare(ctx context.Context, t *statement) (writes bool, err error) {
	defer s.asOurselves()()
	if err := s.queryOnly(ctx, false); err != nil { // as the last one may have left it
		return false, err
	}
	if mentionsLast(t.tokens) {
		if keptView(t.tokens) {
			k := t.find(tables.Last)
			return false, refused{lang.Errorf(t.span(k.from, k.to), "a view outlives the session, and the last result does not").
				WithHint("CREATE TABLE ... AS SELECT keeps its rows, CREATE TEMP VIEW shows them in this session")}
		}
		if s.last != nil && s.last.Lost != nil {
			k := t.find(tables.Last)
			return false, refused{lang.Errorf(t.span(k.from, k.to), "%w", s.last.Lost)}
		}
		if err := s.makeLast(ctx); err != nil {
			return false, err
		}
	}
	if s.guard.heatMaps, err = s.heatMapTables(ctx); err != nil {
		return false, err
	}
	s.failure = nil
	s.guard.begin()
	prepared, err := s.conn.PrepareContext(ctx, t.sql)
	if err != nil {
		return false, &prepareError{err, s.handle.errorOffset()}
	}
	return s.guard.writes(), prepared.Close()
}

// prepareError is what SQLite says about a statement before it runs, and where.
type prepareError struct {
	error
	offset int // in the statement as it was handed to SQLite; -1 where it is not known
}

func (e *prepareError) Unwrap() error { return e.error }

func (s *Session) queryOnly(ctx context.Context, on bool) error {
	defer s.asOurselves()()
	_, err := s.conn.ExecContext(ctx, fmt.Sprintf("PRAGMA query_only = %t", on))
	return err
}

// stream hands rows to a sink.
func (s *Session) stream(ctx context.Context, rows *sql.Rows, sink Sink) error {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	if err := sink.Columns(columns); err != nil {
		return sinkError{err}
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		places[i] = &values[i]
	}
	for rows.Next() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := rows.Scan(places...); err != nil {
			return err
		}
		for i, v := range values {
			if t, ok := v.(time.Time); ok { // of a column declared as one
				values[i] = timeText(t)
			}
		}
		if err := sink.Row(values); err != nil {
			return sinkError{err}
		}
	}
	return rows.Err()
}

// sinkError is an error of who takes the rows: no error of the statement.
type sinkError struct{ error }

func (e sinkError) Unwrap() error { return e.error }

// timeText is a time as SQLite writes it.
func timeText(t time.Time) string {
	_, offset := t.Zone()
	switch {
	case offset != 0:
		return t.Format("2006-01-02 15:04:05.999999999-07:00")
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format(time.DateOnly)
	}
	return t.Format("2006-01-02 15:04:05.999999999")
}

// change runs a statement that changes something, all of it or nothing.
func (s *Session) change(ctx context.Context, t *statement, sink Sink) (done Done, err error) {
	s.guard.own = true
	tx, err := s.conn.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return done, err
	}
	var arrays []string
	defer func() {
		if err != nil {
			s.guard.own = true
			tx.Rollback()
		}
	}()
	before, err := s.names(ctx, tx)
	if err != nil {
		return done, err
	}
	s.guard.begin()
	rows, err := tx.QueryContext(ctx, t.sql)
	if err != nil {
		return done, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return done, err
	}
	if done.Returned = len(columns) > 0; done.Returned {
		err = s.stream(ctx, rows, sink)
	} else {
		for rows.Next() {
			continue
		}
		err = errors.Join(rows.Err(), rows.Close())
	}
	if err != nil {
		return done, err
	}
	s.guard.own = true
	for _, name := range s.guard.dropped {
		if s.stored && s.guard.heatMaps[name] {
			forgotten, err := tables.Forget(ctx, tx, name)
			if err != nil {
				return done, err
			}
			arrays = append(arrays, forgotten...)
		}
	}
	after, err := s.names(ctx, tx)
	if err != nil {
		return done, err
	}
	for _, name := range after {
		if slices.Contains(before, name) {
			continue
		}
		if err := tables.Check(name); err != nil { // which the guard does not hear of where ALTER TABLE gives the name
			k := t.find(name)
			return done, refused{lang.Errorf(t.span(k.from, k.to), "%w", err)}
		}
	}
	if done.Text, err = t.did(ctx, tx); err != nil {
		return done, err
	}
	if err := tx.Commit(); err != nil {
		return done, err
	}
	tables.RemoveArrays(s.store, arrays)
	return done, nil
}

// names are those of all tables and views.
func (s *Session) names(ctx context.Context, tx *sql.Tx) (all []string, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT name FROM main.sqlite_schema WHERE type IN ('table', 'view')
		UNION SELECT name FROM temp.sqlite_schema WHERE type IN ('table', 'view')`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		all = append(all, name)
	}
	return all, rows.Err()
}

// did says what a statement has changed.
func (t *statement) did(ctx context.Context, tx *sql.Tx) (string, error) {
	verb := t.Verb
	switch verb {
	case "CREATE", "DROP", "ALTER":
		kind, name := t.object()
		text := verb + " " + kind + " " + name
		if kind != "TABLE" || verb != "CREATE" || !t.has("AS") {
			return text, nil
		}
		var n int64
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM "+tables.Quote(name)).Scan(&n)
		return text + ": " + rowCount(n), err
	case "WITH":
		verb = strings.ToUpper(t.changing().text)
	}
	var n int64
	err := tx.QueryRowContext(ctx, "SELECT changes()").Scan(&n)
	return verb + " " + rowCount(n), err
}

// changing is the first word that changes something; the first of all where there is
// none.
func (t *statement) changing() token {
	for _, k := range t.tokens {
		if k.kind == word && slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "REPLACE"}, strings.ToUpper(k.text)) {
			return k
		}
	}
	return t.tokens[0]
}

func rowCount(n int64) string {
	if n == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", n)
}

// object is what CREATE, DROP or ALTER is about: its kind, and its name without that
// of its database.
func (t *statement) object() (kind, object string) {
	for i, k := range t.tokens {
		if kind == "" {
			if k.is("TABLE") || k.is("VIEW") || k.is("INDEX") {
				kind = strings.ToUpper(k.text)
			}
			continue
		}
		switch {
		case k.is("IF"), k.is("NOT"), k.is("EXISTS"):
		case i+1 < len(t.tokens) && t.tokens[i+1].text == ".", k.text == ".":
		default:
			return kind, k.value()
		}
	}
	return kind, ""
}

// has reports whether a word stands in the statement.
func (t *statement) has(word string) bool {
	return slices.ContainsFunc(t.tokens, func(k token) bool { return k.is(word) })
}

// find is the first word or name of the statement that is a name, in any case; the
// first of all where there is none.
func (t *statement) find(s string) token {
	for _, k := range t.tokens {
		if (k.kind == word || k.kind == name) && strings.EqualFold(k.value(), s) {
			return k
		}
	}
	return t.tokens[0]
}

// span is a stretch of Text in the source.
func (t *statement) span(from, to int) lang.Span {
	return lang.Span{From: t.Place(from), To: t.Place(to)}
}
