// Package command is what can be typed beside statements: backslash commands such as
// \models and \timing, in the shell, in files that it reads, and in the rc file.
//
// # Commands
//
// A command is one line. It begins with a backslash, as in psql, or has a name with a
// dot, as in SQLite and DuckDB; [Table] is the one place where commands are made, and
// their help and their completion come from it; the manual lists the same. Arguments are words,
// or texts in single quotes. A command that is nothing but a statement in short (\m,
// \d) runs that statement, so that it prints and fails as the statement does.
//
// # Scripts
//
// A [Session] runs statements and commands for whoever reads them:
//
//	line ──▶ Do ──▶ a command ──▶ what it leaves to the reader: [Next]
//	text ──▶ Run ──▶ engine ──▶ Printer
//	file ──▶ Script: cut at lines with commands, and Run and Do in turn
//
// Between two commands a file is one text, parsed before its first statement runs. The
// places in errors are those in the file. The rc file is read statement by statement,
// since one that fails should cost nobody the rest.
//
// Results go to the Printer, which \o turns to a file; all else that commands say goes
// to Err. Nothing here knows of terminals: the shell is package repl/shell.
package command
