// Package shell is where people type statements: it reads them, from a terminal with
// an editor or line by line from anything else, and runs each when it is complete.
//
//	keys ──▶ editor ─┐              ┌─▶ statements ─▶ command.Session.Run
//	                 ├─▶ Shell.Run ─┤
//	lines ─▶ plain ──┘              └─▶ commands ───▶ command.Session.Do
//
// # Reading
//
// A text is complete when every statement in it has ended, which package lang tells,
// or when its last line is a command. Until then it goes on in another line, whose
// prompt says what is open: occlude'> in a string, occlude(> in parentheses,
// occlude*> in a comment, occlude-> in a statement. What was typed is one entry of the
// history, which all shells and notebooks of a user share.
//
// The editor is used where standard input and both outputs are terminals that
// understand more than lines (TERM=dumb does not). It is github.com/reeflective/readline,
// which reads ~/.inputrc, too; what this package adds are the prompts of further lines
// and the colours (paint.go), what Tab offers (complete.go) and a few keys (editor.go).
// A command that comes in the middle of a statement leaves it as it was.
//
// # Interrupts
//
// At the prompt Ctrl-C drops what was typed; while something runs it ends that, within
// a tenth of a second. Two in a row leave the shell, with [ErrInterrupted]: the second
// at an empty prompt, or while the first still ends what runs. While the editor reads,
// Ctrl-C is a key; at all other times it is a signal.
//
// # Terminals
//
// Whatever ends the shell, the terminal is left as it was found. Prompts and what is
// typed are the editor's, results go to the Printer, everything else to Err.
package shell
