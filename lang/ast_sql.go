package lang

import "github.com/alecthomas/participle/v2/lexer"

// SQL is SELECT and its friends: a statement over tables, which is SQLite's and is
// kept as it was written, but for its first word or two.
type SQL struct {
	Located
	Verb string // its first word in capitals: SELECT, WITH, VALUES, INSERT, CREATE, DROP, ...
	Text string // all of it, without the semicolon

	begin int            // of Text, what stands in the source as it is
	rest  lexer.Position // where that begins there
}

// Returns reports whether the statement returns rows, as far as its first word
// tells: WITH may lead to a statement that returns none.
func (s *SQL) Returns() bool {
	return s.Verb == "SELECT" || s.Verb == "WITH" || s.Verb == "VALUES"
}

// ShowTables is SHOW TABLES.
type ShowTables struct{ Located }
