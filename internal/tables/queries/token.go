package queries

import (
	"strings"
	"unicode/utf8"
)

// kind tells the kinds of token apart.
type kind int

const (
	word    kind = iota // SELECT, p_drop
	name                // "p_drop", [p_drop], `p_drop`
	text                // 'mask.png', x'00ff'
	number              // 16, .5, 1e-3, 0xff
	sign                // one character of anything else
	unknown             // what begins a parameter: ? : @ $ #
)

// token is a word or a sign of SQL, as SQLite's own tokenizer cuts it: from and to
// are bytes of the statement.
type token struct {
	kind     kind
	from, to int
	text     string
}

// is reports whether the token is a word, in any case.
func (t token) is(w string) bool { return t.kind == word && strings.EqualFold(t.text, w) }

// value is a name without its quotes, or a string without them.
func (t token) value() string {
	s := t.text
	switch {
	case t.kind == name && s[0] == '[':
		return strings.TrimSuffix(s[1:], "]")
	case t.kind == name || t.kind == text && s[0] == '\'':
		q := s[:1]
		return strings.ReplaceAll(strings.TrimSuffix(s[1:], q), q+q, q)
	}
	return s
}

// scan cuts SQL into tokens. Blanks and comments are left out.
func scan(sql string) []token {
	var tokens []token
	for i := 0; i < len(sql); {
		k, n := next(sql[i:])
		if n == 0 {
			i += blank(sql[i:])
			continue
		}
		tokens = append(tokens, token{k, i, i + n, sql[i : i+n]})
		i += n
	}
	return tokens
}

// blank is the length of the white space or the comment that sql begins with.
func blank(sql string) int {
	switch {
	case strings.HasPrefix(sql, "--"):
		return until(sql, 2, "\n")
	case strings.HasPrefix(sql, "/*"):
		return until(sql, 2, "*/")
	}
	return 1
}

// until is the length of sql up to and with the first end after from bytes.
func until(sql string, from int, end string) int {
	if i := strings.Index(sql[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(sql)
}

// next is the kind and the length of the token that sql begins with, 0 where it
// begins with a blank or a comment.
func next(sql string) (kind, int) {
	switch c := sql[0]; {
	case strings.IndexByte(" \t\n\r\f", c) >= 0, strings.HasPrefix(sql, "--"), strings.HasPrefix(sql, "/*"):
		return sign, 0
	case c == '\'':
		return text, quoted(sql)
	case c == '"' || c == '`':
		return name, quoted(sql)
	case c == '[':
		return name, until(sql, 1, "]")
	case (c == 'x' || c == 'X') && len(sql) > 1 && sql[1] == '\'':
		return text, until(sql, 2, "'")
	case isDigit(c), c == '.' && len(sql) > 1 && isDigit(sql[1]):
		return number, numeral(sql)
	case isWordByte(c):
		n := 1
		for n < len(sql) && (isWordByte(sql[n]) || isDigit(sql[n]) || sql[n] == '$') {
			n++
		}
		return word, n
	case strings.IndexByte("?:@$#", c) >= 0:
		return unknown, 1
	}
	_, n := utf8.DecodeRuneInString(sql)
	return sign, n
}

// quoted is the length of a string or a name, in which the quote is written twice.
func quoted(sql string) int {
	for n := 1; ; {
		n = until(sql, n, sql[:1])
		if n >= len(sql) || sql[n] != sql[0] {
			return n
		}
		n++
	}
}

func numeral(sql string) int {
	n := 0
	for n < len(sql) {
		c := sql[n]
		signed := (c == '+' || c == '-') && n > 0 && (sql[n-1] == 'e' || sql[n-1] == 'E') && !strings.HasPrefix(strings.ToLower(sql), "0x")
		if !isDigit(c) && !isWordByte(c) && c != '.' && !signed {
			break
		}
		n++
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isWordByte(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}
