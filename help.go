package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	"occlude/docs"
	"occlude/lang"
)

const description = `Explains image classifiers by occlusion: which parts of an image does a prediction rest on?

  occlude -c "CREATE MODEL m FROM 'model.onnx'; OCCLUDE 'photo.jpg' USING m INTO 'heat.png'"
  occlude -f queries.oql
  occlude                      (reads statements as you type them)`

// run prints the help of a command or a page of the documentation.
func (c *helpCommand) run(parser *kong.Kong) int {
	switch topic := strings.ToLower(c.Topic); {
	case topic == "":
		return helpOn(parser, nil)
	case topic == "check" || topic == "version" || topic == "run":
		return helpOn(parser, []string{topic})
	default:
		page, ok := docs.Page(topic)
		if !ok {
			topics := append(docs.Topics(), "run", "check", "version")
			hint := lang.DidYouMean(topic, topics)
			if hint == "" {
				hint = "the topics are " + strings.Join(topics, ", ")
			}
			fmt.Fprintf(os.Stderr, "occlude: there is no help on %q: %s\n", c.Topic, hint)
			return exitUsage
		}
		fmt.Print(page)
		return exitFine
	}
}

func helpOn(parser *kong.Kong, command []string) int {
	_, err := parser.Parse(append(command, "--help"))
	if err != nil {
		fmt.Fprintln(os.Stderr, "occlude:", err)
		return exitUsage
	}
	if command == nil {
		fmt.Printf("\nPages of the manual: occlude help %s\n", strings.Join(docs.Topics(), " | "))
	}
	return exitFine
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
