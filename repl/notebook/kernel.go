package notebook

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/jupyter"
	"occlude/lang"
	"occlude/repl/complete"
)

// Kernel runs cells in one session.
type Kernel struct {
	// Begin, when set, runs before the first cell and may write what that shows on
	// stderr: it is not run when the kernel starts, for Jupyter does not wait long.
	Begin func(ctx context.Context, errs io.Writer)

	engine  *engine.Engine
	version string
}

// New makes a kernel of an engine, which it then has for itself. The version is told
// to front ends.
func New(e *engine.Engine, version string) *Kernel { return &Kernel{engine: e, version: version} }

// Info implements jupyter.Kernel.
func (k *Kernel) Info() jupyter.Info {
	return jupyter.Info{
		Implementation: "occlude", Version: k.version,
		Banner: "Occlude explains image classifiers by occlusion. ? lists statements and topics, OCCLUDE? explains one.",
		Language: jupyter.Language{
			Name: "occlude", Version: k.version, FileExtension: ".oql",
			// To editors it is SQL.
			MIMEType: "text/x-sql", PygmentsLexer: "sql", CodeMirrorMode: "sql",
		},
	}
}

// Execute implements jupyter.Kernel.
func (k *Kernel) Execute(ctx context.Context, c jupyter.Cell, out *jupyter.Output) error {
	bar := &progress{out: out, name: fmt.Sprintf("occlude-progress-%d", c.Count)}
	v := newView(out, &k.engine.Session.Settings)
	s := k.engine.Session
	s.Progress = bar
	s.Warn = func(err error) { out.Stream(jupyter.Stderr, fmt.Sprintf("warning: %v\n", err)) }
	defer func() { s.Progress, s.Warn = nil, nil }()
	if begin := k.Begin; begin != nil {
		k.Begin = nil
		begin(ctx, stderr{out})
	}
	if topic, ok := question(c.Code); ok {
		page, err := k.page(ctx, topic)
		if err != nil {
			return failure(err)
		}
		out.Page(page)
		return nil
	}
	// A cell says where it ends: its last statement needs no semicolon.
	text := engine.Text{Name: fmt.Sprintf("[%d]", c.Count), Source: c.Code, OpenEnd: true}
	err := k.engine.Run(ctx, text, func(_ lang.Statement, r executor.Result) error {
		bar.takeAway()
		return v.show(r)
	})
	bar.takeAway()
	if err != nil {
		return failure(err)
	}
	return nil
}

// stderr is a cell's.
type stderr struct{ out *jupyter.Output }

// Write implements io.Writer.
func (s stderr) Write(text []byte) (int, error) {
	s.out.Stream(jupyter.Stderr, string(text))
	return len(text), nil
}

// Complete implements jupyter.Kernel.
func (k *Kernel) Complete(_ context.Context, code string, cursor int) jupyter.Completion {
	found := complete.At(code, cursor, complete.Of(k.engine.Session))
	c := jupyter.Completion{From: found.From, To: cursor}
	for _, x := range found.Candidates {
		kind := x.Kind
		if kind == string(lang.KindImage) || kind == string(lang.KindFile) {
			kind = "path" // as IPython has it
		}
		c.Matches = append(c.Matches, jupyter.Match{Text: x.Text, Kind: kind})
	}
	return c
}

// Completeness implements jupyter.Kernel.
func (k *Kernel) Completeness(code string) jupyter.Completeness {
	if _, ok := question(code); ok {
		return jupyter.Complete
	}
	if _, ok := lang.Complete(code); !ok {
		return jupyter.Incomplete
	}
	if _, diagnostics := lang.Parse("", code); len(diagnostics) > 0 {
		return jupyter.Invalid
	}
	return jupyter.Complete
}

// failure shows an error as the command line does, with colours.
func failure(err error) *jupyter.Failure {
	f := &jupyter.Failure{Name: "Error", Value: err.Error()}
	if errors.Is(err, context.Canceled) {
		f.Name = "Interrupted"
	}
	text := "error: " + err.Error()
	if e := (*engine.Error)(nil); errors.As(err, &e) {
		text = e.Format()
	}
	for line := range strings.Lines(text) {
		f.Traceback = append(f.Traceback, coloured(strings.TrimRight(line, "\n")))
	}
	return f
}

// coloured sets off what an error's line is about.
func coloured(line string) string {
	const red, bold, plain = "\x1b[31m", "\x1b[1;31m", "\x1b[0m"
	if marks := strings.TrimLeft(line, " "); marks != "" && strings.Trim(marks, "^~") == "" {
		return red + line + plain
	}
	if before, after, ok := strings.Cut(line, "error: "); ok && !strings.Contains(strings.TrimSuffix(before, " "), " ") {
		return before + bold + "error:" + plain + " " + after
	}
	return line
}
