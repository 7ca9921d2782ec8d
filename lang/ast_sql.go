package lang

// SQL is SELECT and its friends: a statement over tables, which is SQLite's and is
// kept as it was written.
type SQL struct {
	Located
	Verb string // its first word in capitals: SELECT, WITH, VALUES, INSERT, CREATE, DROP, ...
	Text string // all of it, without the semicolon
}

// Returns reports whether the statement returns rows, as far as its first word
// tells: WITH may lead to a statement that returns none.
func (s *SQL) Returns() bool {
	return s.Verb == "SELECT" || s.Verb == "WITH" || s.Verb == "VALUES"
}

// ShowTables is SHOW TABLES.
type ShowTables struct{ Located }
