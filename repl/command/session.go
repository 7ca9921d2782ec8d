package command

import (
	"context"
	"fmt"
	"io"
	"time"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/lang"
	"occlude/planner"
	"occlude/repl"
)

// Session runs statements and commands. One goroutine uses it at a time.
type Session struct {
	Engine  *engine.Engine
	Printer *repl.Printer
	Err     io.Writer // for what is no result: messages, times, errors, help
	// Columns, when set, is how wide what is written there may be, and Colors whether it
	// may have some.
	Columns func() int
	Colors  bool

	timing bool
	quiet  bool // messages are not printed: of statements in the rc file
	depth  int  // of scripts in one another
	output *redirection
}

// Close ends what commands began: the file of \o is then complete.
func (s *Session) Close() error { return s.redirect("") }

// Run runs statements, prints their results and, with \timing, what each took.
func (s *Session) Run(ctx context.Context, t engine.Text) error {
	watch := stopwatch{since: time.Now()}
	err := s.Engine.Run(ctx, t, func(of lang.Statement, r executor.Result) error {
		if s.timing {
			watch.at(s.Err, of)
		}
		if _, message := r.(executor.Message); message && s.quiet {
			return nil
		}
		err := s.Printer.Print(r)
		watch.printed = time.Now()
		return err
	})
	if s.timing {
		watch.tell(s.Err, time.Now())
	}
	return err
}

// stopwatch tells what each statement of a text took, its printing included.
type stopwatch struct {
	since   time.Time      // when the present statement began
	printed time.Time      // when its last result had been printed
	of      lang.Statement // the present one, nil before the first result
}

// at hears that a statement has a result.
func (w *stopwatch) at(to io.Writer, s lang.Statement) {
	if w.of != nil && w.of != s {
		w.tell(to, w.printed)
	}
	w.of = s
}

// tell ends a statement.
func (w *stopwatch) tell(to io.Writer, now time.Time) {
	fmt.Fprintf(to, "Time: %s\n", planner.FormatSeconds(now.Sub(w.since).Seconds()))
	w.since = now
}

// say tells of something that is no result.
func (s *Session) say(format string, args ...any) error {
	_, err := fmt.Fprintf(s.Err, format+"\n", args...)
	return err
}
