package shell

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/clipperhouse/displaywidth"
	"github.com/reeflective/readline"
	"golang.org/x/term"

	"occlude/docs"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/repl"
	"occlude/repl/command"
	"occlude/repl/complete"
)

// commandKind is the kind of the names of commands and of their arguments.
const commandKind = "command"

// candidates are what may stand at a cursor, given in bytes: in a statement, or in a
// command.
func (e *editor) candidates(text string, cursor int) complete.Completion {
	begin := strings.LastIndexByte(text[:cursor], '\n') + 1
	line := text[begin:cursor]
	if trimmed := strings.TrimLeft(line, " \t"); trimmed != "" && (trimmed[0] == '\\' || trimmed[0] == '.') && (command.Is(line, text[:begin]) || trimmed == "." && begin == 0) {
		c := e.commandCandidates(trimmed)
		c.From += cursor - len(trimmed)
		return c
	}
	return complete.At(text, cursor, complete.Of(e.session.Engine.Session))
}

// commandCandidates completes a command's line that ends at the cursor.
func (e *editor) commandCandidates(line string) complete.Completion {
	var found complete.Completion
	name, argument, blank := strings.Cut(line, " ")
	if !blank {
		for _, c := range command.Table() {
			for _, n := range c.Names() {
				if strings.HasPrefix(n, strings.ToLower(name)) {
					found.Candidates = append(found.Candidates, complete.Candidate{Text: n, Kind: commandKind, Meaning: c.Help})
				}
			}
		}
		return found
	}
	typed := strings.TrimLeft(argument, " ")
	found.From = len(line) - len(typed)
	c, ok := command.Find(name)
	if !ok {
		return found
	}
	kind, all := e.arguments(c.Takes, typed)
	for _, a := range all {
		if c.Takes == command.File || len(a) >= len(typed) && strings.EqualFold(a[:len(typed)], typed) {
			found.Candidates = append(found.Candidates, complete.Candidate{Text: a, Kind: string(kind)})
		}
	}
	return found
}

// arguments are what an argument may name.
func (e *editor) arguments(takes command.Kind, typed string) (lang.Kind, []string) {
	switch takes {
	case command.Topic:
		if typed != "" {
			return "topic", repl.Topics()
		}
		topics := docs.Known() // not every word at once
		slices.Sort(topics)
		return "topic", slices.Compact(topics)
	case command.Model:
		var all []string
		for _, m := range complete.Of(e.session.Engine.Session).Models() {
			all = append(all, lang.Name{Text: m, Quoted: m != strings.ToLower(m)}.String())
		}
		return lang.KindModel, all
	case command.File:
		return lang.KindFile, files(typed)
	case command.Switch:
		return lang.KindValue, []string{"on", "off"}
	case command.Format:
		return lang.KindValue, settings.Formats()
	case command.Variable:
		return "variable", slices.Sorted(maps.Keys(e.session.Engine.Variables))
	}
	return "", nil
}

// files are paths as a command takes them: in quotes where they hold blanks or quotes.
func files(typed string) []string {
	quoted := strings.HasPrefix(typed, "'")
	var all []string
	for _, path := range complete.Files(strings.ReplaceAll(strings.TrimPrefix(typed, "'"), "''", "'"), func(string) bool { return true }) {
		if quoted || strings.ContainsAny(path, " '") {
			path = "'" + strings.ReplaceAll(path, "'", "''") + "'"
			if strings.HasSuffix(path, "/'") {
				path = strings.TrimSuffix(path, "'") // to go on
			}
		}
		all = append(all, path)
	}
	return all
}

// tab completes what stands before the cursor: whole where there is one way to go on, as
// far as all ways are the same otherwise, and then shows them.
func (e *editor) tab() {
	e.readline.Display.ResetHelpers() // of what was completed before
	line := []rune(*e.readline.Line())
	at := e.readline.Cursor().Pos()
	text, cursor := string(line), len(string(line[:at]))
	c := e.candidates(text, cursor)
	if len(c.Candidates) == 0 {
		return
	}
	typed := text[c.From:cursor]
	common := c.Candidates[0].Text
	for _, x := range c.Candidates[1:] {
		common = commonPrefix(common, x.Text)
	}
	if len(c.Candidates) == 1 && isWhole(common) && (cursor == len(text) || !strings.ContainsRune(" \n,;)]", rune(text[cursor]))) {
		common += " "
	}
	if len(common) > len(typed) || len(c.Candidates) == 1 {
		from := len([]rune(text[:c.From]))
		e.readline.Line().Cut(from, at)
		e.readline.Line().Insert(from, []rune(common)...)
		e.readline.Cursor().Set(from + len([]rune(common)))
	}
	if len(c.Candidates) > 1 {
		e.readline.Keymap.Commands()["possible-completions"]()
		if e.unlisted > 0 {
			e.readline.Hint.SetTemporary(fmt.Sprintf("%d more: go on typing", e.unlisted))
		}
	}
}

// isWhole reports whether a completion ends a word: a folder and an open quote do not.
func isWhole(text string) bool {
	if strings.HasSuffix(text, "/") {
		return false
	}
	quote := text[:1]
	return quote != "'" && quote != `"` || len(text) > 1 && strings.HasSuffix(text, quote)
}

// commonPrefix is what two texts begin with, in whole runes.
func commonPrefix(a, b string) string {
	n := 0
	for n < len(a) && n < len(b) {
		r, size := utf8.DecodeRuneInString(a[n:])
		if s, _ := utf8.DecodeRuneInString(b[n:]); r != s {
			break
		}
		n += size
	}
	return a[:n]
}

// menu is what the editor lists, and steps through when Tab is pressed again.
func (e *editor) menu(line []rune, at int) readline.Completions {
	text, cursor := string(line), len(string(line[:at]))
	c := e.candidates(text, cursor)
	lead, from, ok := replaced(text[:cursor], c.From)
	if !ok {
		return readline.Completions{}
	}
	var all []readline.Completion
	for _, x := range c.Candidates {
		if hidden := max(0, from-c.From); strings.HasPrefix(x.Text, text[c.From:c.From+hidden]) {
			tag := x.Kind + "s"
			if !e.colors {
				tag = "" // its head is coloured
			}
			all = append(all, readline.Completion{Value: lead + x.Text[hidden:], Display: x.Text, Description: x.Meaning, Tag: tag})
		}
	}
	shown := e.fitting(all, text)
	e.unlisted = len(all) - len(shown)
	found := readline.CompleteRaw(shown).NoSort()
	found.PREFIX = text[from:cursor]
	return found
}

// fitting are as many candidates as the screen has room for below the text, with their
// meanings if all have room with them. readline would scroll the text away.
func (e *editor) fitting(all []readline.Completion, text string) []readline.Completion {
	width, height, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil || width <= 0 {
		return all
	}
	const spared = 3 // lines: the hint, one below it, and one above the text
	room := height - spared
	room -= rows(text, width) + 1
	described := 0
	longest := map[string]int{} // by tag
	for _, c := range all {
		if c.Description != "" {
			described++
		}
		longest[c.Tag] = max(longest[c.Tag], displaywidth.String(c.Display))
	}
	if described > room-len(longest) {
		all = slices.Clone(all)
		for i := range all {
			all[i].Description = ""
		}
	}
	const between = 4 // columns, at most
	seen := map[string]int{}
	for i, c := range all {
		columns := max(1, width/(longest[c.Tag]+between))
		switch n := seen[c.Tag]; {
		case n == 0 && c.Tag != "":
			room -= 2 // its head, and a row
		case c.Description != "" || n%columns == 0:
			room--
		}
		if seen[c.Tag]++; room < 0 {
			return all[:i]
		}
	}
	return all
}

// replaced says which part of a text, at its end, readline is to replace by a candidate
// for what begins at an offset, and what then stands before the candidate. readline
// counts bytes where it should count runes, so the part is ASCII alone; and it makes a
// guess where the part is empty, which is right only behind a blank.
func replaced(text string, offset int) (lead string, from int, ok bool) {
	from = offset
	if i := strings.LastIndexFunc(text[offset:], func(r rune) bool { return r >= utf8.RuneSelf }); i >= 0 {
		_, size := utf8.DecodeRuneInString(text[offset+i:])
		from += i + size
	}
	if from < len(text) || text == "" {
		return "", from, true
	}
	switch last := text[len(text)-1]; {
	case last >= utf8.RuneSelf:
		return "", from, false
	case last == ' ' || last == '\n':
		return "", from, true
	}
	return text[len(text)-1:], len(text) - 1, true
}
