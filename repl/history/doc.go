// Package history keeps what was typed from one session to the next, for all shells
// and notebooks that a user has open.
//
// An entry is a whole text as it was run: a statement of several lines is one entry,
// and so are several statements that were sent off together. The file has one entry a
// line, a JSON string, the newest last, so that it can be read, searched and edited:
//
//	"SHOW MODELS;"
//	"OCCLUDE 'scan.png'\n  USING oct;"
//
// # Several at once
//
// Each entry is one append under a lock of the file, so that those of several
// processes follow one another whole. A process that is killed in between leaves at
// most a line without an end; it is passed over when the file is read, and ended
// before the next entry. [File.Entries] reads what the others have added.
//
// # Bounds
//
// An entry longer than 64 KiB is not kept, an entry equal to the newest neither. When
// the file exceeds 2000 entries or 1 MiB, the newest three quarters are written beside
// it and renamed into its place; whoever waited for the old file's lock notices that
// it is no longer the one that is there, and begins again.
//
// A history that cannot be read or written is an error for the caller to tell of once,
// and never a reason not to run a statement.
package history
