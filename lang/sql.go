package lang

import (
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// This file finds out where SQL begins and ends, without reading it: what SQLite
// understands is SQLite's to say. SQL is a statement that begins with one of
// sqlVerbs, that creates or drops one of sqlKinds, or that stands in the
// parentheses of COPY. It ends at the semicolon, or with the parentheses, that are
// in no string, name or comment.

var (
	sqlQueries = []string{"SELECT", "WITH", "VALUES"}
	sqlVerbs   = append([]string{"INSERT", "UPDATE", "DELETE", "REPLACE", "ALTER"}, sqlQueries...)
	sqlKinds   = []string{"TABLE", "VIEW", "INDEX", "UNIQUE", "TEMP", "TEMPORARY"}
)

// sqlPrelude is the most words and signs that stand before SQL.
const sqlPrelude = 3

// remember keeps what a statement begins with.
func (s *scanner) remember(t lexer.Token) {
	s.previous = t.Type
	switch {
	case t.Type == tokenSymbol && t.Value == ";":
		s.read = s.read[:0]
	case len(s.read) > sqlPrelude:
	case t.Type == tokenWord, t.Type == tokenKeyword, t.Type == tokenSymbol:
		s.read = append(s.read, strings.ToUpper(t.Value))
	default:
		s.read = append(s.read, "")
	}
}

// scanSQL reads SQL from where no blank is, if it begins here and there is any.
func (s *scanner) scanSQL() (lexer.Token, bool) {
	inside := false
	switch words := s.read; len(words) {
	case 1:
		if !slices.Contains(sqlVerbs, words[0]) {
			return lexer.Token{}, false
		}
	case 2:
		if words[0] != "CREATE" && words[0] != "DROP" || !slices.Contains(sqlKinds, words[1]) {
			return lexer.Token{}, false
		}
	case sqlPrelude:
		if inside = words[0] == "COPY" && words[1] == "(" && slices.Contains(sqlQueries, words[2]); !inside {
			return lexer.Token{}, false
		}
	default:
		return lexer.Token{}, false
	}
	n, open := sqlEnd(s.rest(), inside)
	if s.open == "" { // which may be what stands before it
		s.open = open
	}
	n = len(strings.TrimRight(s.rest()[:n], " \t\r\n\f\v"))
	if n == 0 {
		return lexer.Token{}, false
	}
	if open != "" && open != ")" {
		return s.refuseOpen(1, n, "end it with "+open, "what begins in this SQL is never closed: it lacks %s", open), true
	}
	return s.take(tokenSQL, n), true
}

// sqlEnd is the length of the SQL that src begins with. Inside of parentheses it
// ends with them. open is what it lacks if it is not closed at the end of src.
func sqlEnd(src string, inside bool) (n int, open string) {
	depth := 0
	for n < len(src) {
		switch c := src[n]; {
		case c == ';':
			return n, ""
		case c == '(':
			depth++
		case c == ')' && depth == 0 && inside:
			return n, ""
		case c == ')':
			depth--
		default:
			if begins, end := sqlQuote(src[n:]); end != "" {
				closing := strings.Index(src[n+begins:], end)
				if closing < 0 && end != "\n" {
					return len(src), end
				}
				if closing < 0 {
					return len(src), ""
				}
				n += begins + closing + len(end)
				continue
			}
		}
		n++
	}
	if depth > 0 || inside {
		open = ")"
	}
	return n, open
}

// sqlQuote is the length of the sign that begins a string, a name or a comment of
// SQL, and the one that ends it; "" where none begins. A quote that is doubled
// ends one and begins another, which comes to the same.
func sqlQuote(src string) (begins int, end string) {
	switch {
	case src[0] == '\'' || src[0] == '"' || src[0] == '`':
		return 1, src[:1]
	case src[0] == '[':
		return 1, "]"
	case strings.HasPrefix(src, "--"):
		return 2, "\n"
	case strings.HasPrefix(src, "/*"):
		return 2, "*/"
	}
	return 0, ""
}

// isSQL reports whether tokens begin what is SQLite's to read, though they were
// read as if they were ours, since something was wrong before them.
func isSQL(tokens []lexer.Token) bool {
	word := func(i int) string {
		if i >= len(tokens) {
			return ""
		}
		return strings.ToUpper(tokens[i].Value)
	}
	return slices.Contains(sqlVerbs, word(0)) ||
		(word(0) == "CREATE" || word(0) == "DROP") && slices.Contains(sqlKinds, word(1))
}

// sql makes a statement of the words that told it is one, and of the rest.
func (b *builder) sql(s syntax, rest lexer.Token, words ...string) *SQL {
	begin := strings.ToUpper(strings.Join(words, " "))
	return &SQL{Located: Located{s.span()}, Verb: strings.ToUpper(words[0]), Text: begin + " " + rest.Value,
		begin: len(begin) + 1, rest: rest.Pos}
}

// Place is where in the source the byte of Text at an offset was written, as well as
// that is known.
func (s *SQL) Place(offset int) Pos {
	if offset < s.begin || offset > len(s.Text) {
		return s.Source.From
	}
	at := s.rest
	at.Advance(s.Text[s.begin:offset])
	return position(at)
}
