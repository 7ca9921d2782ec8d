package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"occlude/docs"
	"occlude/lang"
	"occlude/repl"
)

const description = "Explains image classifiers by occlusion."

// usage is the help of the whole command line. Most people never need another
// command than run, so its flags stand here.
const usage = `Occlude explains image classifiers: it slides a patch over an image and draws
where the prediction falls.

Usage:
  occlude [flags]             run statements; without -c, -f or a pipe, type them in
  occlude repl [flags]        type statements in; of a pipe, run one by one and go on after errors
  occlude kernel install      offer Occlude in Jupyter: --user, or --prefix=DIR for an environment
  occlude check PATH...       run ONNX test cases and compare with what they expect
  occlude help [TOPIC]        this page, a command, or what the manual says, see below
  occlude version             print the version; so does --version

Flags:
  -c, --command=SQL           run these statements; may be given again, and mixed with -f
  -f, --file=FILE             run the statements of a file, - for standard input
  -o, --output=FILE           write results to a file instead of standard output
      --format=FORMAT         how results are printed: table, csv, tsv, json or vertical
      --arrays=DIR            keep each heat map in a folder as an array: 1.npy, 2.npy and so on
  -v, --variable=NAME=VALUE   define a variable: :NAME, :'NAME' as a string, :"NAME" as a name
      --no-progress           show no progress, nor heat maps while they grow
      --rc=FILE               run this file first; at the prompt it is rc.oql, see help repl
      --no-rc                 run no rc file
  -h, --help                  show this page

Examples:
  occlude -f examples/quickstart.oql
  occlude -c "CREATE MODEL m FROM 'model.onnx'" -c "OCCLUDE 'photo.jpg' USING m INTO 'heat.png'"
  occlude -v image=photo.jpg -f query.oql --format json

Tables, and what is measured of this machine, are kept in the folder that OCCLUDE_DATA names, else
in ~/.local/share/occlude. Results go to standard output, all else to standard error. Exit status:
0 fine, 1 a statement failed and the rest was not run, 2 wrong usage, 130 interrupted.

`

// printHelp implements kong.HelpPrinter.
func printHelp(options kong.HelpOptions, ctx *kong.Context) error {
	if ctx.Selected() != nil {
		err := kong.DefaultHelpPrinter(options, ctx)
		fmt.Fprintln(ctx.Stdout)
		return err
	}
	_, err := fmt.Fprint(ctx.Stdout, usage, docs.Overview("occlude help"))
	return err
}

// run prints the help of a command or what the manual says of a topic.
func (c *helpCommand) run(parser *kong.Kong) int {
	topic := strings.Join(c.Topic, " ")
	first, _, _ := strings.Cut(strings.ToLower(topic), " ")
	switch first {
	case "", "run": // the flags of run are those of the whole
		return helpOn(parser, nil)
	case "kernel", "check", "version", "help":
		return helpOn(parser, strings.Fields(strings.ToLower(topic)))
	}
	text, ok := docs.Help(topic)
	if !ok {
		hint := lang.DidYouMean(topic, append(repl.Topics(), "kernel", "check", "version"))
		if hint == "" {
			hint = docs.Elsewhere(topic)
		}
		if hint == "" {
			hint = "the pages are " + strings.Join(docs.Topics(), ", ")
		}
		fmt.Fprintf(os.Stderr, "occlude: there is no help on %q: %s\n", topic, hint)
		return exitUsage
	}
	_, err := fmt.Print(docs.Terminal(text, columns(os.Stdout), colors(os.Stdout)))
	return status(err)
}

func helpOn(parser *kong.Kong, command []string) int {
	_, err := parser.Parse(append(command, "--help"))
	if isUnprinted(err) {
		return status(err)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "occlude:", err)
		return exitUsage
	}
	return exitFine
}

// isUnprinted tells the errors of standard output from those of the command line, which
// may name files, too.
func isUnprinted(err error) bool {
	e := (*fs.PathError)(nil)
	return errors.As(err, &e) && e.Op == "write"
}

// version names the build: the module's version, or the commit it was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "occlude (unknown build)"
	}
	v := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 && (v == "" || v == "(devel)") {
			v = s.Value[:12]
		}
	}
	return fmt.Sprintf("occlude %s (%s)", v, info.GoVersion)
}
