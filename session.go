package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/term"

	"occlude/internal/atomicfile"
	"occlude/internal/engine"
	"occlude/internal/store"
	"occlude/repl"
	"occlude/repl/command"
	"occlude/repl/history"
	"occlude/repl/live"
	"occlude/repl/picture"
	"occlude/repl/shell"
)

// sessionFlags are those of all who run statements.
type sessionFlags struct {
	Output     string            `short:"o" placeholder:"FILE" help:"Write results to a file instead of standard output."`
	Format     string            `enum:"table,csv,tsv,json,vertical" default:"table" help:"How results are printed: ${enum}."`
	Arrays     string            `type:"existingdir" placeholder:"DIR" help:"Keep each heat map in this folder as an array: 1.npy, 2.npy and so on."`
	NoProgress bool              `help:"Show neither progress nor heat maps while they grow."`
	Variable   map[string]string `short:"v" placeholder:"NAME=VALUE" help:"Define a variable: :name, :'name' as a string, :\"name\" as a name."`
	RC         string            `name:"rc" xor:"rc" placeholder:"FILE" help:"Run this file first, instead of the rc file."`
	NoRC       bool              `name:"no-rc" xor:"rc" help:"Run no rc file."`
}

// replCommand reads statements one by one, whoever writes them.
type replCommand struct{ sessionFlags }

func (c *replCommand) run() int { return c.repl() }

// newEngine makes what runs statements, for the command line and for notebooks: with the
// user's store, and a collector that keeps to the memory that queries may hold.
func newEngine() *engine.Engine {
	e := engine.New()
	e.Session.Store = store.Open(store.DefaultPath())
	e.Session.Bound = bound
	return e
}

// session makes a session for the time of a run.
func (c *sessionFlags) session(run func(*command.Session) int) int {
	e := newEngine()
	if c.Variable != nil {
		e.Variables = c.Variable
	}
	defer e.Session.Close()
	warn := func(err error) { fmt.Fprintln(os.Stderr, "warning:", err) }
	e.Session.Warn = warn
	if err := e.Session.Settings.Start("format", c.Format); err != nil {
		return status(err)
	}
	p := &repl.Printer{Out: os.Stdout, Settings: &e.Session.Settings, Arrays: c.Arrays}
	if c.Output == "" {
		p.Terminal = picture.Open(os.Stdout, os.Getenv)
	}
	if !c.NoProgress {
		p.Above = live.Show(e.Session, os.Stderr, os.Getenv).Above
	}
	if err := picture.Check(os.Getenv); err != nil && (p.Terminal != nil || e.Session.Progress != nil) {
		warn(err)
	}
	s := &command.Session{Engine: e, Printer: p, Err: os.Stderr, Colors: colors(os.Stderr), Columns: func() int { return columns(os.Stderr) }}
	if c.Output == "" {
		return run(s)
	}
	code := exitFine
	err := atomicfile.Write(c.Output, func(w io.Writer) error {
		p.Out = w
		code = run(s) // what was printed before an error is kept
		return nil
	})
	if err != nil {
		return status(err)
	}
	return code
}

// repl reads statements from a person, or one by one from whatever standard input is:
// there Ctrl-C ends what runs, not the loop.
func (c *sessionFlags) repl() int {
	return c.session(func(s *command.Session) int {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
		defer stop()
		interrupts := make(chan os.Signal, 1)
		signal.Notify(interrupts, os.Interrupt)
		defer signal.Stop(interrupts)
		prompts := isTerminal(os.Stdin)
		l := &shell.Shell{
			Session: s, History: history.Open(history.DefaultPath()), In: os.Stdin, Err: os.Stderr, Interrupts: interrupts,
			Prompts: prompts, Editor: prompts && isTerminal(os.Stdout) && isTerminal(os.Stderr) && !picture.IsDumb(os.Getenv),
			Colors: colors(os.Stdout),
		}
		if !c.NoRC {
			l.RC = func(ctx context.Context) error {
				if c.RC != "" {
					return s.RC(ctx, c.RC, true)
				}
				return s.UserRC(ctx)
			}
		}
		if prompts {
			fmt.Fprintf(os.Stderr, "%s\n\\? lists commands, \\h topics to read. A statement ends in a semicolon.\n\n", version())
		}
		err := l.Run(ctx)
		if err := s.Close(); err != nil {
			return status(err)
		}
		switch {
		case errors.Is(err, shell.ErrInterrupted), errors.Is(err, context.Canceled):
			return exitInterrupted
		case errors.Is(err, shell.ErrFailed):
			return exitFailed
		}
		return status(err)
	})
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colors reports whether what is written to a file may be coloured.
func colors(f *os.File) bool {
	return isTerminal(f) && os.Getenv("NO_COLOR") == "" && !picture.IsDumb(os.Getenv)
}

// columns is how wide what is written to a file may be.
func columns(f *os.File) int {
	if width, _, err := term.GetSize(int(f.Fd())); err == nil && width > 0 {
		return width
	}
	return 100
}

// bound makes the collector run more often where the memory that queries may hold is
// nearly used up. The code is not the runtime's to count.
func bound(bytes int64) {
	const code = 12 << 20
	debug.SetMemoryLimit(max(code, bytes-code))
}
