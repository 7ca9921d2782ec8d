package repl

import "occlude/executor"

// Cell prints a value of a table as Printer does, for others who show tables to
// people.
func Cell(v any) string { return cell(v) }

// IsNumeric reports whether a column holds numbers alone, to be aligned to the right.
func IsNumeric(r *executor.Relation, column int) bool { return isNumeric(r, column) }
