// Package atomicfile writes files that are either whole or not there.
//
// Heat maps are read by other programs while queries run, and queries are
// stopped by Ctrl-C, full disks and mistakes. So nothing is ever written under
// its final name: the bytes go to a temporary file in the same folder, which is
// flushed to the disk and then renamed over the target, a step that file
// systems do in one piece.
//
//	.occlude-1f3a.tmp ──write──▶ fsync ──rename──▶ heat.png
//
// Whatever ends the writing early (an error, a panic, a goroutine's exit), the
// temporary file is removed and the target is as it was. Only a killed process
// can leave one behind; its name starts with ".occlude-" and ends in ".tmp". Sweep
// takes those away that are an hour old, from folders that are the program's own.
//
// To its owner the file looks as if it had been written in place: a new one has
// the permissions that the umask gives, an existing one keeps its own, a
// symbolic link stays and what it points to is replaced, and a file that may
// not be written is not. Ownership and further hard links of a replaced file
// are not kept.
//
// Pipes, terminals and other devices cannot be renamed over, and /dev/stdout
// may be a plain file that someone else holds open: into these, and into all
// that is named by way of /dev/fd and /proc, the bytes go directly. A pipe that
// nobody opens to read within some seconds is an error.
package atomicfile
