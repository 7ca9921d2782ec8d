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
			Help: "what the manual says of a statement, clause, option, setting; a page of it"},
		{Name: `\m`, Aliases: []string{`\models`, ".models"}, Help: "list the models: SHOW MODELS", run: (*call).models},
		{Name: `\d`, Aliases: []string{`\describe`, ".describe", ".schema"}, Args: "[MODEL]", Takes: Model, run: (*call).describe,
			Help: "describe a model: DESCRIBE MODEL; without one, list models and tables"},
		{Name: `\dt`, Aliases: []string{`\tables`, ".tables"}, Help: "list the tables: SHOW TABLES", run: (*call).tables},
		{Name: `\i`, Aliases: []string{`\include`, ".read"}, Args: "FILE", Takes: File, run: (*call).include,
			Help: "run a file of statements and commands, up to the first that fails"},
		{Name: `\o`, Aliases: []string{`\out`, ".output"}, Args: "[FILE]", Takes: File, run: (*call).out,
			Help: "write results to a file; without one, end it and print them here again"},
		{Name: `\timing`, Aliases: []string{".timer"}, Args: "[on|off]", Takes: Switch, Help: "tell what each statement takes", run: (*call).timing},
		{Name: `\x`, Aliases: []string{".expanded"}, Args: "[on|off]", Takes: Switch, Help: "print one value a line: format vertical, or table again", run: (*call).expanded},
		{Name: `\format`, Aliases: []string{".mode"}, Args: "[NAME]", Takes: Format, Help: "how results are printed: SET format", run: (*call).format},
		{Name: `\e`, Aliases: []string{`\edit`, ".edit"}, Args: "[FILE]", Takes: File, run: (*call).edit,
			Help: "edit a file, what is typed, or the last statement in $VISUAL or $EDITOR, then run it"},
		{Name: `\set`, Aliases: []string{".set"}, Args: "[NAME [VALUE]]", Takes: Variable, rest: true, Help: "list variables, show one, or define it: :name, :'name', :\"name\"", run: (*call).set},
		{Name: `\unset`, Aliases: []string{".unset"}, Args: "NAME", Takes: Variable, Help: "forget a variable", run: (*call).unset},
		{Name: `\q`, Aliases: []string{`\quit`, `\exit`, ".quit", ".exit"}, Help: "leave; so do exit, quit and Ctrl-D", run: (*call).quit},
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
	width := 0
	for _, c := range Table() {
		width = max(width, len(c.Usage()))
	}
	for _, c := range Table() {
		fmt.Fprintf(&b, "  %-*s  %s\n  %-*s  or %s\n", width, c.Usage(), c.Help, width, "", strings.Join(c.Aliases, ", "))
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
