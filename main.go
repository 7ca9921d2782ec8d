// Occlude explains image classifiers: it runs OCCLUDE queries over ONNX models
// and draws which parts of an image a prediction rests on.
//
// This file holds the flags and puts the parts together; see doc.go of the
// packages lang, planner, operators, executor and repl for what they do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"runtime/debug"
	"sort"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia's tensor needs this version under current Go
	"golang.org/x/term"

	"occlude/executor"
	"occlude/internal/atomicfile"
	"occlude/internal/conformance"
	"occlude/internal/engine"
	"occlude/internal/store"
	"occlude/lang"
	"occlude/repl"
	"occlude/repl/live"
	"occlude/repl/picture"
)

// Exit statuses.
const (
	exitFine        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// commandLine is the whole of it; kong reads the tags. The help that people see
// is in help.go.
type commandLine struct {
	Run     runCommand     `cmd:"" default:"withargs" help:"Run statements: from -c, from -f, from standard input, or typed in."`
	Kernel  kernelCommand  `cmd:"" help:"Work in Jupyter: install the kernel, serve a notebook."`
	Check   checkCommand   `cmd:"" help:"Run ONNX test cases and compare with their expected outputs."`
	Version versionCommand `cmd:"" help:"Print the version."`
	Help    helpCommand    `cmd:"" help:"Explain the command line, or show a page of the manual."`
}

type runCommand struct {
	Command    []piece           `short:"c" sep:"none" placeholder:"SQL" help:"Run these statements; may be given again, and mixed with -f."`
	File       []piece           `short:"f" sep:"none" placeholder:"FILE" help:"Run the statements of a file, - for standard input."`
	Output     string            `short:"o" placeholder:"FILE" help:"Write results to a file instead of standard output."`
	Format     string            `enum:"table,csv,tsv,json,vertical" default:"table" help:"How results are printed: ${enum}."`
	Arrays     string            `type:"existingdir" placeholder:"DIR" help:"Keep each heat map in this folder as an array: 1.npy, 2.npy and so on."`
	NoProgress bool              `help:"Show no progress bar."`
	Variable   map[string]string `short:"v" placeholder:"NAME=VALUE" help:"Define a variable: :name, :'name' as a string, :\"name\" as a name."`
}

// piece is the value of -c or -f with its place on the command line, so that
// both run in the order they were given.
type piece struct {
	text  string
	place int
}

var places int

// Decode implements kong.MapperValue.
func (p *piece) Decode(ctx *kong.DecodeContext) error {
	places++
	p.place = places
	return ctx.Scan.PopValueInto("text", &p.text)
}

type checkCommand struct {
	Paths []string `arg:"" name:"path" help:"Folders of test cases, or single .onnx files with NAME_output_0.pb beside them."`
}

type versionCommand struct{}

type helpCommand struct {
	Topic []string `arg:"" optional:"" help:"A command, a page, or a word of the language."`
}

func main() {
	// The heap is mostly weights and activations, which hold no pointers: looking
	// for garbage costs next to nothing, and keeping twice the memory does not pay.
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(25)
	}
	os.Exit(run(os.Args[1:]))
}

func run(args []string) int {
	var cli commandLine
	parser, err := kong.New(&cli,
		kong.Name("occlude"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 92}),
		kong.Help(printHelp),
		kong.Exit(func(code int) { panic(exit(code)) }),
	)
	if err != nil {
		fmt.Fprintln(os.Stderr, "occlude:", err)
		return exitUsage
	}
	return guarded(func() int {
		command, err := parser.Parse(args)
		if err != nil {
			fmt.Fprintf(os.Stderr, "occlude: %v\nTry 'occlude help'.\n", misplaced(args, err))
			return exitUsage
		}
		switch words := strings.Fields(command.Command()); words[0] {
		case "kernel":
			return cli.Kernel.run(words[1])
		case "check":
			return cli.Check.run()
		case "version":
			fmt.Println(version())
			return exitFine
		case "help":
			return cli.Help.run(parser)
		}
		return cli.Run.run()
	})
}

// misplaced says what was probably meant by a query file without -f.
func misplaced(args []string, err error) error {
	for _, a := range args {
		if strings.HasPrefix(err.Error(), "unexpected argument "+a) {
			if _, err := os.Stat(a); err == nil {
				return fmt.Errorf("unexpected argument %s: -f %s runs that file", a, a)
			}
		}
	}
	return err
}

// interruptible is the context of a run that nobody sits in front of: Ctrl-C
// ends it, and so does SIGTERM. A second signal ends the process at once.
func interruptible() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// exit is how kong leaves after --help.
type exit int

func guarded(f func() int) (code int) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case exit:
			code = int(r)
		default:
			panic(r)
		}
	}()
	return f()
}

// status turns an error into an exit status, after showing it.
func status(err error) int {
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, context.Canceled):
		repl.ShowError(os.Stderr, err)
		return exitInterrupted
	}
	repl.ShowError(os.Stderr, err)
	return exitFailed
}

func (c *checkCommand) run() int {
	ctx, stop := interruptible()
	defer stop()
	summary, err := conformance.Run(ctx, c.Paths, os.Stdout)
	if err == nil && summary.Failed > 0 {
		return exitFailed
	}
	return status(err)
}

func (c *runCommand) run() int {
	texts, err := c.texts()
	if err != nil {
		return status(err)
	}
	e := engine.New()
	e.Variables = c.Variable
	e.Session.Store = store.Open(store.DefaultPath())
	defer e.Session.Close()
	warn := func(err error) { fmt.Fprintln(os.Stderr, "warning:", err) }
	e.Session.Warn = warn
	e.Session.Bound = bound
	if err := e.Session.Settings.Start("format", c.Format); err != nil {
		return status(err)
	}
	p := &repl.Printer{Out: os.Stdout, Settings: &e.Session.Settings, Arrays: c.Arrays}
	if c.Output == "" {
		p.Terminal = picture.Open(os.Stdout, os.Getenv)
	}
	if !c.NoProgress {
		display := live.Show(e.Session, os.Stderr, os.Getenv)
		p.Above = display.Above
	}
	if err := picture.Check(os.Getenv); err != nil && (p.Terminal != nil || e.Session.Progress != nil) {
		warn(err)
	}
	if c.Output == "" {
		return c.print(e, texts, p)
	}
	code := exitFine
	err = atomicfile.Write(c.Output, func(w io.Writer) error {
		p.Out = w
		code = c.print(e, texts, p) // what was printed before an error is kept
		return nil
	})
	if err != nil {
		return status(err)
	}
	return code
}

// bound makes the collector run more often where the memory that queries may hold is
// nearly used up. The code is not the runtime's to count.
func bound(bytes int64) {
	const code = 12 << 20
	debug.SetMemoryLimit(max(code, bytes-code))
}

// print runs the texts, or the interactive loop when there are none.
func (c *runCommand) print(e *engine.Engine, texts []engine.Text, p *repl.Printer) int {
	if texts == nil {
		return c.loop(e, p)
	}
	ctx, stop := interruptible()
	defer stop()
	for _, t := range texts {
		err := e.Run(ctx, t, func(_ lang.Statement, r executor.Result) error { return p.Print(r) })
		if err != nil {
			return status(err)
		}
	}
	return exitFine
}

// loop reads statements from a person: there Ctrl-C ends what runs, not the loop.
func (c *runCommand) loop(e *engine.Engine, p *repl.Printer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	defer signal.Stop(interrupts)
	l := &repl.Loop{Engine: e, Printer: p, In: os.Stdin, Err: os.Stderr, Interrupts: interrupts}
	return status(l.Run(ctx))
}

// texts reads what is to be run; nil means that a person will type it.
func (c *runCommand) texts() ([]engine.Text, error) {
	if len(c.Command)+len(c.File) == 0 {
		if term.IsTerminal(int(os.Stdin.Fd())) {
			return nil, nil
		}
		data, err := readText("-")
		if err != nil {
			return nil, err
		}
		return []engine.Text{{Name: "stdin", Source: data}}, nil
	}
	type placed struct {
		engine.Text
		place int
	}
	var all []placed
	for _, p := range c.Command {
		all = append(all, placed{engine.Text{Name: "-c", Source: p.text, OpenEnd: true}, p.place})
	}
	for _, p := range c.File {
		data, err := readText(p.text)
		if err != nil {
			return nil, err
		}
		name := p.text
		if name == "-" {
			name = "stdin"
		}
		all = append(all, placed{engine.Text{Name: name, Source: data}, p.place})
	}
	sort.SliceStable(all, func(i, j int) bool { return all[i].place < all[j].place })
	texts := make([]engine.Text, len(all))
	for i, p := range all {
		texts[i] = p.Text
	}
	return texts, nil
}

// maxText bounds the size of a query file.
const maxText = 64 << 20

func readText(path string) (string, error) {
	if path == "-" {
		return readAll("standard input", os.Stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("query file %q: %w", path, cause(err))
	}
	defer f.Close()
	return readAll(fmt.Sprintf("query file %q", path), f)
}

func readAll(name string, from io.Reader) (string, error) {
	data, err := io.ReadAll(io.LimitReader(from, maxText+1))
	if err != nil {
		return "", fmt.Errorf("%s: %w", name, cause(err))
	}
	if len(data) > maxText {
		return "", fmt.Errorf("%s: larger than %d MiB", name, maxText>>20)
	}
	return string(data), nil
}

// cause is an error of the file system without the operation and the name.
func cause(err error) error {
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		return e.Err
	}
	return err
}
