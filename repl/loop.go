package repl

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/lang"
)

// Loop reads statements line by line and runs each as soon as it is complete.
// An error is shown and the loop goes on. Ctrl-C cancels the running statement.
type Loop struct {
	Engine  *engine.Engine
	Printer *Printer
	In      io.Reader
	Err     io.Writer // for prompts and errors
}

// Prompts of the loop.
const (
	prompt         = "occlude=> "
	promptContinue = "occlude-> "
)

// Run ends with the input or with the context.
func (l *Loop) Run(ctx context.Context) error {
	lines := bufio.NewScanner(l.In)
	lines.Buffer(nil, 16<<20)
	var text strings.Builder
	for {
		fmt.Fprint(l.Err, promptFor(text.String()))
		if !lines.Scan() {
			fmt.Fprintln(l.Err)
			return lines.Err()
		}
		line := lines.Text()
		if text.Len() == 0 && isQuit(line) {
			return nil
		}
		text.WriteString(line + "\n")
		if _, complete := lang.Complete(text.String()); !complete {
			continue
		}
		l.one(ctx, text.String())
		text.Reset()
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
}

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
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt)
	defer stop()
	err := l.Engine.Run(ctx, engine.Text{Name: "", Source: source}, func(_ lang.Statement, r executor.Result) error {
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
