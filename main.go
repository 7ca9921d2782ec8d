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
	"os"
	"os/signal"
	"runtime/debug"
	"sort"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	_ "go4.org/unsafe/assume-no-moving-gc" // gorgonia's tensor needs this version under current Go

	"occlude/internal/conformance"
	"occlude/internal/engine"
	"occlude/lang"
	"occlude/repl"
	"occlude/repl/command"
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
	Repl    replCommand    `cmd:"" help:"Type statements in, or read them one by one from standard input."`
	Kernel  kernelCommand  `cmd:"" help:"Work in Jupyter: install the kernel, serve a notebook."`
	Check   checkCommand   `cmd:"" help:"Run ONNX test cases and compare with their expected outputs."`
	Version versionCommand `cmd:"" help:"Print the version."`
	Help    helpCommand    `cmd:"" help:"Explain the command line, or show a page of the manual."`

	PrintVersion versionFlag `name:"version" help:"Print the version, as 'occlude version' does."`
}

type runCommand struct {
	Command []piece `short:"c" sep:"none" placeholder:"SQL" help:"Run these statements; may be given again, and mixed with -f."`
	File    []piece `short:"f" sep:"none" placeholder:"FILE" help:"Run the statements of a file, - for standard input."`
	sessionFlags
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

// versionFlag prints the version, and that is all.
type versionFlag bool

// BeforeReset implements a hook of kong.
func (versionFlag) BeforeReset(parser *kong.Kong) error {
	if _, err := fmt.Fprintln(parser.Stdout, version()); err != nil {
		return err
	}
	parser.Exit(exitFine)
	return nil
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
		if isUnprinted(err) { // of --help
			return status(err)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "occlude: %v\nTry 'occlude help'.\n", misplaced(args, err))
			return exitUsage
		}
		switch words := strings.Fields(command.Command()); words[0] {
		case "repl":
			return cli.Repl.run()
		case "kernel":
			return cli.Kernel.run(words[1])
		case "check":
			return cli.Check.run()
		case "version":
			_, err := fmt.Println(version())
			return status(err)
		case "help":
			return cli.Help.run(parser)
		}
		return cli.Run.run()
	})
}

// misplaced says what was probably meant by a query file without -f, and by a statement
// without -c.
func misplaced(args []string, err error) error {
	for i, a := range args {
		if !strings.HasPrefix(err.Error(), "unexpected argument "+a) {
			continue
		}
		if _, err := os.Stat(a); err == nil {
			return fmt.Errorf("unexpected argument %s: -f %s runs that file", a, a)
		}
		if first, _, _ := strings.Cut(a, " "); lang.BeginsStatement(first) {
			return fmt.Errorf("unexpected argument %s: -c \"%s\" runs that statement", first, strings.Join(args[i:], " "))
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
	if texts == nil {
		return c.sessionFlags.repl()
	}
	return c.session(func(s *command.Session) int {
		ctx, stop := interruptible()
		defer stop()
		if err := s.RC(ctx, c.RC, true); err != nil {
			return status(err)
		}
		for _, t := range texts {
			if err := s.Run(ctx, t); err != nil {
				return status(err)
			}
		}
		return exitFine
	})
}

// texts reads what is to be run; nil means that a person will type it.
func (c *runCommand) texts() ([]engine.Text, error) {
	if len(c.Command)+len(c.File) == 0 {
		if isTerminal(os.Stdin) {
			return nil, nil
		}
		data, err := command.ReadFile("-")
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
		data, err := command.ReadFile(p.text)
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
