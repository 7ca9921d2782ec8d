package repl

// Cell prints a value of a table as Printer does, for others who show tables to
// people.
func Cell(v any) string { return cell(v) }

// IsNumber reports whether a value is one to be aligned to the right.
func IsNumber(v any) bool { return isNumber(v) }
