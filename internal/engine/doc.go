// Package engine takes query text in and hands results out. It is the one place
// where the rooms are put in a row:
//
//	text ──lang──▶ statements ──planner──▶ plan ──executor──▶ results
//
// The command line, the REPL and the notebook kernel all run statements through
// an Engine, so a statement means and reports the same everywhere. An Engine
// keeps a session from one text to the next.
//
// A text is parsed whole before its first statement runs: a syntax error
// anywhere means that nothing runs. A statement is bound when its turn comes,
// since the ones before it may create the model that it names; the first one
// that fails ends the text. Every error that comes out is an *Error, which can
// show itself with the source line and a caret.
package engine
