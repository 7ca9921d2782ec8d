package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"occlude/internal/defect"
	"occlude/internal/engine"
	"occlude/repl"
	"occlude/repl/command"
	"occlude/repl/history"
)

// Shell reads statements and commands and runs them. An error is shown and the shell
// goes on.
type Shell struct {
	Session *command.Session
	History *history.File
	In      io.Reader
	Err     io.Writer // for prompts and errors
	// Interrupts tells of Ctrl-C.
	Interrupts <-chan os.Signal
	// Prompts are printed for somebody to see; the editor always has them.
	Prompts bool
	// Editor lets lines be edited: In is the process's terminal, and so are its outputs.
	Editor bool
	// Colors may be used.
	Colors bool
	// RC, when set, runs the rc file, before anything is read.
	RC func(context.Context) error

	from    reader
	last    string    // what was run last
	dropped time.Time // when Ctrl-C dropped what was typed, or ended what ran
	asked   bool      // Ctrl-C at an empty prompt was answered with a question
	failed  bool      // something did
	warned  bool      // that there is no history
}

// How the shell ends, but for nil and what ends reading.
var (
	// ErrInterrupted is Ctrl-C, twice.
	ErrInterrupted = errors.New("interrupted")
	// ErrFailed is the end of lines that nobody typed, of which some failed.
	ErrFailed = errors.New("a statement failed")
)

// How a read may end besides.
var (
	errInterrupt = errors.New("Ctrl-C")
	errEdit      = errors.New("to be edited") // what is typed
)

// reader gives what is typed.
type reader interface {
	// read gives a text whose statements are complete, or whose last line is a command.
	// It begins with what is pending. It fails with io.EOF, to which a text may lack its
	// end, with errInterrupt or errEdit, or with the context's error.
	read(ctx context.Context, pending string) (string, error)
}

// Run ends with the input or with the context, whose error it then returns. A read that
// is still waiting for input then goes on until it gets some.
func (s *Shell) Run(ctx context.Context) error {
	end := s.open()
	defer end()
	if s.RC != nil {
		if err := s.run(ctx, s.RC); err != nil {
			return err
		}
	}
	for pending, quit := "", false; !quit; {
		text, err := s.from.read(ctx, pending)
		switch {
		case errors.Is(err, errInterrupt):
			if s.twice(text) {
				return ErrInterrupted
			}
			pending = ""
			continue
		case errors.Is(err, errEdit):
			pending, quit, err = s.edit(ctx, "", text)
		case errors.Is(err, io.EOF):
			quit = true
			_, _, err = s.take(ctx, text) // to hear what it lacks
		case err == nil:
			pending, quit, err = s.take(ctx, text)
		}
		if err != nil {
			return err
		}
	}
	return s.status()
}

// open begins to read.
func (s *Shell) open() (end func()) {
	if s.History == nil {
		s.History = history.Open("")
	}
	if s.Editor {
		e := newEditor(s)
		s.from = e
		return e.close
	}
	p := newPlain(s.In, s.Interrupts)
	if s.Prompts {
		p.prompts = s.Err
	}
	s.from = p
	return p.close
}

// status is how the shell ends when its input does.
func (s *Shell) status() error {
	if s.failed && !s.Prompts && !s.Editor {
		return ErrFailed
	}
	return nil
}

// soon is how long after one Ctrl-C another is meant to be the second of two.
const soon = time.Second

// twice hears of Ctrl-C at the prompt and reports whether that ends the shell.
func (s *Shell) twice(text string) bool {
	if strings.TrimSpace(text) != "" {
		s.dropped, s.asked = time.Now(), false
		return false
	}
	if s.asked || time.Since(s.dropped) < soon {
		return true
	}
	s.asked = true
	fmt.Fprintln(s.Err, "Ctrl-C once more leaves, and so does Ctrl-D.")
	return false
}

// take runs what was typed. pending is what of it is still to be ended.
func (s *Shell) take(ctx context.Context, text string) (pending string, quit bool, err error) {
	s.asked, s.dropped = false, time.Time{}
	text = strings.TrimRight(text, " \t\r\n")
	if text == "" {
		return "", false, nil
	}
	next := new(command.Next) // which what runs may still change when nobody waits for it
	begin := strings.LastIndexByte(text, '\n') + 1
	_, whole := command.Complete(text[:begin])
	if !command.Is(text[begin:], text[:begin]) || whole && begin > 0 {
		s.remember(text)
		s.last = text
		err = s.run(ctx, func(ctx context.Context) (err error) {
			*next, err = s.Session.Script(ctx, engine.Text{Source: text})
			return err
		})
		if err != nil {
			return "", false, err
		}
		return "", next.Quit, nil
	}
	// A command, alone or in the midst of a statement.
	pending = strings.TrimSuffix(text[:begin], "\n")
	s.remember(text[begin:])
	err = s.run(ctx, func(ctx context.Context) (err error) {
		*next, err = s.Session.Do(ctx, engine.Text{Source: text[begin:]}, 0)
		return err
	})
	switch {
	case err != nil:
		return "", false, err
	case next.Edit:
		return s.edit(ctx, next.File, pending)
	}
	return pending, next.Quit, nil
}

// run does something that Ctrl-C ends, and shows what goes wrong. A second Ctrl-C does
// not wait for that.
func (s *Shell) run(ctx context.Context, do func(context.Context) error) error {
	inside, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() {
		var err error
		defer func() { done <- err }()
		defer defect.Recover(&err)
		err = do(inside)
	}()
	for {
		select {
		case err := <-done:
			repl.ShowError(s.Err, err)
			s.failed = s.failed || err != nil
			return ctx.Err()
		case <-s.Interrupts:
			if inside.Err() != nil {
				return ErrInterrupted
			}
			s.echoed()
			s.dropped = time.Now()
			cancel()
		}
	}
}

// echoed takes away what the terminal shows of Ctrl-C.
func (s *Shell) echoed() {
	switch {
	case s.Editor:
		fmt.Fprint(s.Err, "\r\x1b[K")
	case s.Prompts:
		fmt.Fprintln(s.Err)
	}
}

// remember adds what was typed to the history.
func (s *Shell) remember(text string) {
	if !s.Editor && !s.Prompts {
		return // nobody typed it
	}
	s.warn(s.History.Add(text))
}

// warn tells once that there is no history.
func (s *Shell) warn(err error) {
	if err != nil && !s.warned {
		s.warned = true
		fmt.Fprintln(s.Err, "warning:", err)
	}
}
