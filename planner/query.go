package planner

import "occlude/lang"

// Query is SQL over stored results. SQLite binds and plans it, when it runs.
type Query struct {
	text
	SQL *lang.SQL
}

// Formats implements Formatted: rows may hold arrays and pictures, or make them.
func (*Query) Formats() []string { return []string{WritePNG, WriteNPY, WriteCSV, WriteJSON} }

// ShowTables lists the tables of stored results.
type ShowTables struct{ text }
