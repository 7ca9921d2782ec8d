// Package queries runs SQL over stored results: SELECT and its friends, as SQLite
// reads them, with the functions that heat maps want and the last result as a table.
//
//	text ──scan──▶ tokens ──expand──▶ SQL ──SQLite──▶ rows ──▶ Sink
//	                 │                  │
//	                 │                  ├── guard: what it is about to do, allowed or refused
//	                 │                  └── inside, heatmap, peak, mass_in
//	                 └── last: the table is made of the last result
//
// A [Session] has a connection of its own to the database of package store, or,
// where nothing was ever stored, one to a database in memory. It makes a driver of
// its own, too, so that the functions know the session: its masks, its models.
//
// # What is refused
//
// SQLite asks the guard about everything that a statement would do, while it compiles
// it. People may do with their tables what they like. What begins with occlude_ is
// ours: of that, occlude_map may be read, and nothing changed. Other files, pragmas
// that set something, virtual tables and triggers are out of reach, and the table
// last cannot be written. Reading runs with query_only besides. What changes
// something runs in one transaction, all of it or nothing; a table of heat maps that
// is dropped takes along what occlude_map knows of it, in the same transaction, and
// then its arrays.
//
// # Rows
//
// Rows go to a sink one by one, so a result may be larger than memory. A context ends
// a statement wherever it is: SQLite is interrupted, also between two rows that are
// far apart (handle.go).
//
// # Short forms
//
// peak() stands for peak(x, y, p_drop), and so on (shorthand.go): what is left out are
// the columns of an OCCLUDE's relation. They are written out before SQLite sees
// them, and places in what it sees are taken back to the text as it was written.
//
// # The table last
//
// The session keeps a reference to the last result that has rows; a statement that
// names last gets them as a temporary table, made once for each result. Its columns
// have no types: each value keeps its own. A float32 becomes the float64 of the same
// digits, as in tables of heat maps.
//
// # Errors
//
// They are *lang.Diagnostic. SQLite knows the byte of most errors that it finds while
// it compiles; for the others the name that its message holds is looked for. Errors
// of functions point at their masks, or at the function.
package queries
