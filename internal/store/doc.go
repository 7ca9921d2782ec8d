// Package store keeps what survives a session: what was measured about machines
// and models, and took long to measure.
//
//	calibrations  how fast a set of kernels is on a processor, or a GPU
//	curves        how the quality of a model's heat maps falls as tau does, see package curve
//
// Both are found again by what they depend on and by nothing else: a processor's
// name, the content hash of a model's file, a patch. A model may be renamed,
// moved and created again, and what is known about it stays known.
//
// # The file
//
// All of it is one SQLite database, occlude.db, in the folder that OCCLUDE_DATA
// names, else in $XDG_DATA_HOME/occlude, else in ~/.local/share/occlude (see
// [DefaultPath]). SQLite, because several Occludes may run at once, because its
// files outlive the programs that wrote them, and because results will be tables
// that people query. The names that begin with occlude_ are ours; all others are
// left to those tables.
//
// A [Store] is opened on first use. Until then it costs nothing, and whoever only
// reads never makes a file or a folder: where nothing was written, nothing is
// stored, which is no error.
//
// # Several at once
//
// The database is in write-ahead mode: readers and a writer do not wait for each
// other, and two writers take turns, each for the milliseconds of one short
// transaction. Whoever has to wait longer than a few seconds gives up with
// [ErrBusy]. A process that is killed, or a machine that stops, takes with it what
// was not yet committed; the next to open the file finds all else.
//
// # Layouts
//
// The number of the layout is in the file's header (user_version). It is the
// number of steps in schema.go that were taken; whoever opens an older file takes
// those that are missing, all in one transaction, and whoever meets a newer one
// touches nothing and says so. To change the layout, append a step; steps that
// were released never change.
//
// # When it cannot be used
//
// Every error names the file and says what to do, and errors.Is tells them apart:
// [ErrDamaged], [ErrForeign], [ErrNewer], [ErrPermission], [ErrBusy], [ErrDisk]. What is stored
// only makes plans better. A query that would have liked to know it goes on
// without, with a word to its user; a statement whose whole point it is to store
// something fails. Where the file may be read but not written, reading works.
package store
