package command

import (
	"context"
	"strings"
	"unicode"

	"occlude/internal/engine"
	"occlude/lang"
)

// Next is what a command leaves to whoever read it.
type Next struct {
	Quit bool   // no more lines are wanted
	Edit bool   // what File holds, or what was typed if that is "", is to be edited and run
	File string // for Edit
}

// Is reports whether a line is a command and not part of a statement. What was typed
// before it is the statement that it would interrupt, which is nothing that is open to
// the end of a quote or comment; a command with a dot, and the words exit, quit and help,
// interrupt none.
func Is(line, before string) bool {
	line = strings.TrimSpace(line)
	if line == "" {
		return false
	}
	lacks, _ := lang.Complete(before)
	if line[0] == '\\' {
		return lacks == "" || lacks == ";" || lacks == ")" || lacks == "]"
	}
	if strings.TrimSpace(before) != "" {
		return false
	}
	return len(line) > 1 && line[0] == '.' && unicode.IsLetter(rune(line[1])) || spoken[bare(line)] != ""
}

// spoken are words that people try first, and the commands that they stand for.
var spoken = map[string]string{"exit": `\q`, "quit": `\q`, "help": `\?`}

// bare is a line as such a word.
func bare(line string) string {
	return strings.ToLower(strings.TrimRight(strings.TrimSpace(line), "; \t"))
}

// word is an argument, and where it stands in the text.
type word struct {
	text     string
	from, to int
}

// call is a command that is being run.
type call struct {
	ctx     context.Context
	session *Session
	text    engine.Text
	name    word
	args    []word
	next    *Next
}

// Do runs the command that is a line of a text: the line that begins at an offset in
// bytes. Its errors are *engine.Error and have their place in the text.
func (s *Session) Do(ctx context.Context, t engine.Text, offset int) (Next, error) {
	line := t.Source[offset:]
	if n := strings.IndexByte(line, '\n'); n >= 0 {
		line = line[:n]
	}
	c := &call{ctx: ctx, session: s, text: t, next: &Next{}}
	words, open := cut(line, offset)
	if command := spoken[bare(line)]; command != "" {
		words = []word{{text: command, from: offset, to: offset + len(line)}}
	}
	c.name, c.args = words[0], words[1:]
	found, ok := Find(c.name.text)
	switch {
	case !ok:
		hint := lang.DidYouMean(c.name.text, names(c.name.text))
		if hint == "" {
			hint = `\? lists the commands`
		}
		return Next{}, c.wrong(c.name, hint, "there is no command %s", c.name.text)
	case open != nil:
		return Next{}, c.wrong(*open, "end it with '", "this text is never closed")
	case found.Takes == Nothing && len(c.args) > 0:
		return Next{}, c.wrong(c.args[0], "", "%s takes nothing", found.Name)
	case !found.rest && len(c.args) > 1:
		return Next{}, c.wrong(c.args[1], "write names with blanks in single quotes", "%s takes one argument: %s", found.Name, found.Usage())
	case len(c.args) == 0 && found.Args != "" && found.Args[0] != '[':
		return Next{}, c.wrong(c.name, "", "%s takes an argument: %s", found.Name, found.Usage())
	}
	if err := found.run(c); err != nil {
		return Next{}, c.placed(err)
	}
	return *c.next, nil
}

// cut cuts a line into words and texts in single quotes, in which two of them are one
// that is meant. A semicolon at the end, out of habit, is left out. open is a text that
// is not closed.
func cut(line string, at int) (words []word, open *word) {
	end := len(strings.TrimRight(line, "; \t\r"))
	for i := 0; i < end; {
		switch {
		case line[i] == ' ' || line[i] == '\t':
			i++
			continue
		case line[i] == '\'':
			from, text, closed := i, "", false
			for i++; i < len(line) && !closed; i++ {
				if line[i] == '\'' && i+1 < len(line) && line[i+1] == '\'' {
					i++
				} else if closed = line[i] == '\''; closed {
					continue
				}
				text += line[i : i+1]
			}
			w := word{text, at + from, at + i}
			if words = append(words, w); !closed {
				return words, &w
			}
		default:
			from := i
			for i < end && line[i] != ' ' && line[i] != '\t' {
				i++
			}
			words = append(words, word{line[from:i], at + from, at + i})
		}
	}
	if len(words) == 0 { // a lone semicolon is no command, but nothing else is either
		words = append(words, word{strings.TrimSpace(line), at, at + len(line)})
	}
	return words, nil
}

// arg is the only argument, "" if there is none.
func (c *call) arg() string {
	if len(c.args) == 0 {
		return ""
	}
	return c.args[0].text
}

// rest is all that was written from an argument on, as it was written; of one text in
// quotes alone what it says.
func (c *call) rest(from int) string {
	if len(c.args) <= from {
		return ""
	}
	if len(c.args) == from+1 {
		return c.args[from].text
	}
	return c.text.Source[c.args[from].from:c.args[len(c.args)-1].to]
}

// wrong is an error about a word.
func (c *call) wrong(w word, hint, format string, args ...any) error {
	d := lang.Errorf(lang.Place(c.text.Name, c.text.Source, w.from, w.to), format, args...).WithHint(hint)
	return &engine.Error{Diagnostics: lang.Diagnostics{d}, Source: c.text.Source}
}
