package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"unicode"

	"github.com/clipperhouse/displaywidth"
	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"
	"golang.org/x/term"

	"occlude/internal/defect"
	"occlude/repl/command"
	"occlude/repl/history"
)

// editor reads statements of several lines from the process's terminal.
type editor struct {
	readline   *readline.Shell
	session    *command.Session
	history    *history.File
	entries    entries
	interrupts <-chan os.Signal
	warn       func(error)
	colors     bool
	prompts    prompts
	unlisted   int         // candidates that the screen has no room for
	width      int         // of the terminal, when it was drawn on last
	found      *term.State // the terminal as it was
}

func newEditor(s *Shell) *editor {
	e := &editor{session: s.Session, history: s.History, interrupts: s.Interrupts, warn: s.warn, colors: s.Colors}
	if state, err := term.GetState(int(os.Stdin.Fd())); err == nil {
		e.found = state
	}
	e.start()
	return e
}

// start makes the editor of keys anew.
func (e *editor) start() {
	rl := readline.NewShell(inputrc.WithApp("occlude"))
	e.readline = rl
	rl.Prompt.Primary(func() string {
		e.resized()
		return prompt
	})
	rl.AcceptMultiline = func(line []rune) bool {
		if width := e.columns(); width > 0 && width != e.width {
			rl.Display.Refresh() // which has not heard of it yet
		}
		_, ok := command.Complete(string(line))
		return ok
	}
	rl.SyntaxHighlighter = func(line []rune) string {
		text := string(line)
		return paint(text, e.prompts.of(text), e.colors) + roomBelow
	}
	rl.PasteTransformer = func(text string) string { return strings.TrimRight(printable(text), "\n") }
	rl.Completer = e.menu
	rl.History.Delete()
	rl.History.Add("history", &e.entries)
	e.configure()
	e.register()
	e.bindKeys()
}

// configure sets what the editor relies on, whatever ~/.inputrc says.
func (e *editor) configure() {
	rl := e.readline
	for name, value := range map[string]any{
		"enable-bracketed-paste": true,
		"convert-meta":           false, // of UTF-8
		"input-meta":             true,
		"completion-ignore-case": true,
		"multiline-column":       false,  // the prompts of further lines come with the colours
		"comment-begin":          "\x00", // which readline colours, in strings as well
		"history-size":           -1,     // the history bounds itself
		// Where the cursor is would be asked of the terminal before each key, whose answer may
		// come with keys that are then lost, or never. See roomBelow.
		"cursor-position-probe": false,
	} {
		_ = rl.Config.Set(name, value)
	}
	if rl.Config.GetString("cursor-emacs") == "" {
		_ = rl.Config.Set("cursor-emacs", "default") // as the terminal has it
	}
}

// register makes the commands that keys can be bound to, of which some replace readline's.
func (e *editor) register() {
	rl := e.readline
	rl.Keymap.Register(map[string]func(){
		"backward-delete-char": e.backspace(),
		"delete-char":          e.unlessAtEnd("delete-char"),
		"end-of-file":          e.unlessAtEnd("end-of-file"),
		"self-insert":          e.insert,
		"occlude-interrupt":    e.interrupt,
		"occlude-complete":     e.tab,
		"occlude-suspend":      e.suspend,
		"occlude-newline":      func() { rl.Cursor().InsertAt('\n') },
		"insert-comment":       func() {}, // for which comment-begin would be needed
		// readline does not find the editor that the environment names.
		"edit-command-line":        e.leaveToEdit,
		"edit-and-execute-command": e.leaveToEdit,
	})
}

// bindKeys binds what terminals send, in all keymaps that text is typed in.
func (e *editor) bindKeys() {
	rl := e.readline
	for _, keymap := range []string{"emacs", "emacs-standard", "vi-insert"} {
		e.bind(keymap, map[string]string{
			`\C-i`:     "occlude-complete",
			`\C-z`:     "occlude-suspend",
			`\M-\C-m`:  "occlude-newline",
			`\M-[A`:    "up-line-or-history",
			`\M-[B`:    "down-line-or-history",
			`\M-OA`:    "up-line-or-history",
			`\M-OB`:    "down-line-or-history",
			`\M-[1~`:   "beginning-of-line",
			`\M-[4~`:   "end-of-line",
			`\M-[1;5H`: "beginning-of-buffer-or-history",
			`\M-[1;5F`: "end-of-buffer-or-history",
			`\M-[`:     "skip-csi-sequence", // keys that mean nothing
		})
	}
	rl.Config.Binds["isearch"] = maps.Clone(rl.Config.Binds["isearch"]) // which has those of menus, too
	e.bind("isearch", map[string]string{`\C-r`: "menu-complete", `\C-s`: "menu-complete-backward"})
	for keymap := range rl.Config.Binds {
		e.bind(keymap, map[string]string{`\C-c`: "occlude-interrupt"})
	}
}

// bind binds keys, as ~/.inputrc writes them, to commands.
func (e *editor) bind(keymap string, keys map[string]string) {
	for key, action := range keys {
		_ = e.readline.Config.Bind(keymap, inputrc.Unescape(key), action, false)
	}
}

// resized brings the cursor to where readline takes it to be, before a frame is drawn: a
// terminal whose width has changed has broken the lines anew, and the cursor is in
// another row of the text than it was.
func (e *editor) resized() {
	width := e.columns()
	if width <= 0 || width == e.width {
		return
	}
	was := e.width
	if e.width = width; was == 0 || os.Getenv("XTERM_VERSION") != "" || os.Getenv("TERM") == "linux" {
		return // which leave lines as they are
	}
	line := []rune(*e.readline.Line())
	before := string(line[:min(e.readline.Cursor().Pos(), len(line))])
	if up := rows(before, width) - rows(before, was); up > 0 {
		fmt.Printf("\x1b[%dA", up)
	} else if up < 0 {
		fmt.Printf("\x1b[%dB", -up)
	}
}

// columns is how wide the terminal is, 0 if that is not known.
func (e *editor) columns() int {
	width, _, err := term.GetSize(int(os.Stdout.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// rows is in which row of a window the cursor is behind a text, from 0.
func rows(text string, width int) int {
	n := -1
	for line := range strings.SplitSeq(text, "\n") {
		n += 1 + (len(prompt)+displaywidth.String(strings.ReplaceAll(line, "\t", tab)))/width
	}
	return n
}

// tab is how readline shows one.
const tab = "     "

// insert inserts what was typed: readline's own takes one code point of several, and
// moves by columns.
func (e *editor) insert() {
	rl := e.readline
	rl.History.SkipSave()
	if rl.Keymap.Local() == "" {
		rl.Display.ResetHelpers() // a list of what could have been typed
	}
	text := printable(string(rl.Keys.Caller()))
	if rl.Keymap.Local() == "isearch" && strings.ContainsAny(text, special) {
		text = `\` + text
	}
	rl.Cursor().InsertAt([]rune(text)...)
}

// special is what stands behind a backslash while the history is searched, for readline
// takes what it searches for as a regular expression.
const special = `()[{*+?|^$\`

// backspace is readline's, but that it takes away such a backslash with what it stands before.
func (e *editor) backspace() func() {
	rl := e.readline
	remove := rl.Keymap.Commands()["backward-delete-char"]
	return func() {
		remove()
		before := string(*rl.Line())
		if n := len(before) - len(strings.TrimRight(before, `\`)); rl.Keymap.Local() == "isearch" && n%2 == 1 {
			remove()
		}
	}
}

// unlessAtEnd is a command of readline's that deletes what the cursor is on, and does
// nothing at the end of what is typed, where readline would delete what is before it.
func (e *editor) unlessAtEnd(name string) func() {
	rl := e.readline
	command := rl.Keymap.Commands()[name]
	return func() {
		if rl.Line().Len() == 0 || rl.Cursor().Pos() < rl.Line().Len() {
			command()
		}
	}
}

// interrupt is Ctrl-C: the line is left as it stands, and given up.
func (e *editor) interrupt() {
	rl := e.readline
	if rl.Keymap.Local() == "isearch" {
		rl.Keymap.Commands()["abort"]() // which ends the search alone
	}
	rl.Display.ResetHelpers()
	rl.Cursor().Set(rl.Line().Len())
	rl.Display.Refresh()
	fmt.Print("^C\x1b[J\r\n")
	rl.History.Accept(false, false, readline.ErrInterrupt)
}

// suspend is Ctrl-Z: the terminal is the shell's below for a while.
func (e *editor) suspend() {
	fd := int(os.Stdin.Fd())
	typing, err := term.GetState(fd)
	if err != nil {
		return
	}
	rl := e.readline
	rl.History.SkipSave()
	rl.Display.ResetHelpers()
	at := rl.Cursor().Pos()
	rl.Cursor().Set(rl.Line().Len())
	rl.Display.Refresh()
	fmt.Print("\r\n")
	e.restore()
	stop()
	_ = term.Restore(fd, typing)
	fmt.Print(beginPaste)
	rl.Cursor().Set(at)
	rl.Display.PrintPrimaryPrompt()
}

// leaveToEdit gives what is typed to be edited elsewhere.
func (e *editor) leaveToEdit() {
	e.readline.Display.ResetHelpers()
	e.readline.Display.AcceptLine()
	e.readline.History.Accept(false, false, errEdit)
}

// read implements reader.
func (e *editor) read(ctx context.Context, pending string) (string, error) {
	all, err := e.history.Entries()
	e.warn(err)
	e.entries = all
	if pending != "" {
		e.readline.Line().Set([]rune(pending + "\n")...)
		e.readline.History.Accept(true, false, nil) // to go on with
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() { done <- r }()
		defer defect.Recover(&r.err)
		r.text, r.err = e.readline.Readline()
	}()
	for {
		select {
		case r := <-done:
			return e.ended(r.text, r.err)
		case <-ctx.Done():
			fmt.Print("\r\n")
			return "", ctx.Err()
		case <-e.interrupts: // sent by another process
			e.readline.Keys.Feed(true, rune(inputrc.Unescape(`\C-c`)[0]))
			e.readline.Keys.RequestRefresh()
		}
	}
}

// ended is how reading ends when the editor has.
func (e *editor) ended(text string, err error) (string, error) {
	if d := (*defect.Defect)(nil); errors.As(err, &d) {
		e.restore()
		e.warn(fmt.Errorf("the line editor failed and begins anew: %w", err))
		e.start()
		return "", errInterrupt
	}
	if errors.Is(err, readline.ErrInterrupt) {
		return text, errInterrupt
	}
	return text, err
}

// close leaves the terminal as it was found.
func (e *editor) close() { e.restore() }

func (e *editor) restore() {
	fmt.Print(showCursor + endPaste)
	if e.found != nil {
		_ = term.Restore(int(os.Stdin.Fd()), e.found)
	}
}

// roomBelow makes sure that there is a line below the cursor: the screen is scrolled if
// need be, and the cursor comes back. readline clears what is below, and takes it for
// granted that there is something.
const roomBelow = "\x1bD\x1bD\x1b[2A"

// What terminals are told.
const (
	showCursor = "\x1b[?25h"
	beginPaste = "\x1b[?2004h" // what is pasted is told from what is typed
	endPaste   = "\x1b[?2004l"
)

// printable is a text without what would make a terminal do something.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// entries are those of the history, as readline asks for them. It is the shell that
// adds to the history.
type entries []string

// Write implements history.Source.
func (s *entries) Write(string) (int, error) { return len(*s), nil }

// GetLine implements history.Source.
func (s *entries) GetLine(i int) (string, error) {
	if i < 0 || i >= len(*s) {
		return "", fmt.Errorf("the history has no entry %d", i)
	}
	return printable((*s)[i]), nil
}

// Len implements history.Source.
func (s *entries) Len() int { return len(*s) }

// Dump implements history.Source.
func (s *entries) Dump() any { return []string(*s) }
