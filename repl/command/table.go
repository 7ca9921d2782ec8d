package command

import (
	"fmt"
	"slices"
	"strings"
)

// Command is one that can be typed.
type Command struct {
	Name    string   // with its backslash
	Aliases []string // with theirs, or with a dot
	Args    string   // as help shows them: [on|off]
	Help    string
	Takes   Kind // what its argument names, for completion
	rest    bool // the argument is all that follows
	run     func(*call) error
}

// Kind is what an argument names.
type Kind int

// The kinds of arguments.
const (
	Nothing Kind = iota
	Topic
	Model
	File
	Switch
	Format
	Variable
)

// Table lists the commands, as \? prints them.
func Table() []Command {
	return []Command{
		{Name: `\?`, Aliases: []string{".help"}, Help: "list these commands", run: (*call).commands},
		{Name: `\h`, Aliases: []string{`\help`}, Args: "[TOPIC]", Takes: Topic, rest: true, run: (*call).help,
			Help: "what the manual says; without a topic, a list"},
		{Name: `\m`, Aliases: []string{".models", `\models`}, Help: "list the models", run: (*call).models},
		{Name: `\d`, Aliases: []string{".schema", `\describe`, ".describe"}, Args: "[MODEL]", Takes: Model, run: (*call).describe,
			Help: "describe a model, or list models and tables"},
		{Name: `\dt`, Aliases: []string{".tables", `\tables`}, Help: "list the tables", run: (*call).tables},
		{Name: `\i`, Aliases: []string{".read", `\include`}, Args: "FILE", Takes: File, run: (*call).include,
			Help: "run a file of statements and commands"},
		{Name: `\o`, Aliases: []string{".output", `\out`}, Args: "[FILE]", Takes: File, run: (*call).out,
			Help: "results into a file, or here again"},
		{Name: `\timing`, Aliases: []string{".timer"}, Args: "[on|off]", Takes: Switch, run: (*call).timing, Help: "tell what each statement takes"},
		{Name: `\x`, Aliases: []string{".expanded"}, Args: "[on|off]", Takes: Switch, run: (*call).expanded, Help: "one value a line, or tables again"},
		{Name: `\format`, Aliases: []string{".mode"}, Args: "[NAME]", Takes: Format, run: (*call).format, Help: "how results are printed"},
		{Name: `\e`, Aliases: []string{".edit", `\edit`}, Args: "[FILE]", Takes: File, run: (*call).edit, Help: "edit a file or what was typed, and run it"},
		{Name: `\set`, Aliases: []string{".set"}, Args: "[NAME [VALUE]]", Takes: Variable, rest: true, run: (*call).set, Help: "list, show or define variables"},
		{Name: `\unset`, Aliases: []string{".unset"}, Args: "NAME", Takes: Variable, run: (*call).unset, Help: "forget a variable"},
		{Name: `\q`, Aliases: []string{".quit", `\quit`, `\exit`, ".exit"}, run: (*call).quit, Help: "leave; so do exit, quit and Ctrl-D"},
	}
}

// Find returns the command of a name, in small or capital letters, which may be an
// alias.
func Find(name string) (Command, bool) {
	for _, c := range Table() {
		for _, n := range c.Names() {
			if strings.EqualFold(n, name) {
				return c, true
			}
		}
	}
	return Command{}, false
}

// Names are the command's name and its aliases.
func (c Command) Names() []string { return append([]string{c.Name}, c.Aliases...) }

// Usage is the command with its arguments.
func (c Command) Usage() string { return strings.TrimSpace(c.Name + " " + c.Args) }

// list is the help on all commands.
func list() string {
	var b strings.Builder
	usage, alias := 0, 0
	for _, c := range Table() {
		usage, alias = max(usage, len(c.Usage())), max(alias, len(c.Aliases[0]))
	}
	for _, c := range Table() {
		fmt.Fprintf(&b, "  %-*s  %-*s  %s\n", usage, c.Usage(), alias, c.Aliases[0], c.Help)
	}
	return b.String()
}

// names are all names that begin as another does, with a backslash or a dot.
func names(like string) []string {
	var all []string
	for _, c := range Table() {
		all = append(all, c.Names()...)
	}
	return slices.DeleteFunc(all, func(n string) bool { return n[0] != like[0] })
}
