// Package repl is the side of the engine that people see: how results and errors
// are printed. It knows nothing of how anything is computed. The packages in its folder
// read what people type (shell, command, complete, history), tell how far a query has
// come (course), and draw in terminals (live, picture) and notebooks (notebook).
//
// A Printer writes results to one writer in one format:
//
//	table     for people: aligned tables, a summary of each heat map
//	vertical  for people: one value a line, for wide rows
//	csv, tsv  for spreadsheets and scripts: a header, then rows
//	json      for programs: one JSON value a result, and nothing else
//
// Results go to stdout; everything else (progress, errors, prompts) to stderr,
// so that a pipe gets results alone. An OCCLUDE prints a summary, never its
// rows: those come from INTO or COPY.
package repl
