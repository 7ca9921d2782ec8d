package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/lang"
)

// Loop reads statements line by line and runs each as soon as it is complete.
// An error is shown and the loop goes on.
type Loop struct {
	Engine  *engine.Engine
	Printer *Printer
	In      io.Reader
	Err     io.Writer // for prompts and errors
	// Interrupts tells of Ctrl-C, which ends the running statement and never the
	// loop; while nothing runs it throws away what was typed so far.
	Interrupts <-chan os.Signal
}

// Prompts of the loop.
const (
	prompt         = "occlude=> "
	promptContinue = "occlude-> "
)

// Run ends with the input or with the context, whose error it then returns. A
// read that is still waiting for input then goes on until it gets some.
func (l *Loop) Run(ctx context.Context) error {
	done := make(chan struct{})
	defer close(done)
	lines, failed := l.lines(done)
	var text strings.Builder
	for {
		fmt.Fprint(l.Err, promptFor(text.String()))
		select {
		case <-ctx.Done():
			fmt.Fprintln(l.Err)
			return ctx.Err()
		case <-l.Interrupts:
			fmt.Fprintln(l.Err)
			text.Reset()
		case line, ok := <-lines:
			if !ok {
				fmt.Fprintln(l.Err)
				l.one(ctx, text.String()) // to hear what it lacks
				return <-failed
			}
			if text.Len() == 0 && isQuit(line) {
				return nil
			}
			text.WriteString(line + "\n")
			if _, complete := lang.Complete(text.String()); !complete {
				continue
			}
			l.one(ctx, text.String())
			text.Reset()
		}
	}
}

// lines reads the input until it ends or done is closed; failed then holds why.
func (l *Loop) lines(done <-chan struct{}) (lines <-chan string, failed <-chan error) {
	out, end := make(chan string), make(chan error, 1)
	go func() {
		defer close(out)
		in := bufio.NewScanner(l.In)
		in.Buffer(nil, maxLine)
		for in.Scan() {
			select {
			case out <- in.Text():
			case <-done:
				return
			}
		}
		end <- in.Err()
	}()
	return out, end
}

// maxLine is the length in bytes of the longest line that is read.
const maxLine = 16 << 20

func promptFor(text string) string {
	if strings.TrimSpace(text) == "" {
		return prompt
	}
	return promptContinue
}

func isQuit(line string) bool {
	switch strings.ToLower(strings.TrimSuffix(strings.TrimSpace(line), ";")) {
	case "exit", "quit", `\q`:
		return true
	}
	return false
}

// one runs complete statements and shows what goes wrong.
func (l *Loop) one(ctx context.Context, source string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-l.Interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	err := l.Engine.Run(ctx, engine.Text{Source: source}, func(_ lang.Statement, r executor.Result) error {
		return l.Printer.Print(r)
	})
	ShowError(l.Err, err)
}

// ShowError prints an error, with source lines where it has a place in a text.
func ShowError(w io.Writer, err error) {
	if err == nil {
		return
	}
	if e := (*engine.Error)(nil); errors.As(err, &e) {
		fmt.Fprint(w, e.Format())
		return
	}
	fmt.Fprintf(w, "error: %v\n", err)
}
