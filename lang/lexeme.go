package lang

import (
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// LexemeKind is what a stretch of a text is to those who read it.
type LexemeKind int

// The kinds of lexemes.
const (
	LexemeKeyword LexemeKind = iota + 1 // of the language, or of SQL
	LexemeName                          // a word that is none, or a "name"
	LexemeString                        // 'text', closed or not
	LexemeNumber                        // also a #colour
	LexemeSymbol
	LexemeComment
	LexemeBad // what the scanner cannot read
)

// Lexeme is a stretch of a text, from a byte to before another.
type Lexeme struct {
	From, To int
	Kind     LexemeKind
}

// Lexemes cuts a text, finished or not, into stretches of a kind, for showing it in
// colours. What lies between them is blank. A word counts as a keyword wherever the
// grammar has it, though it may be a name in its place.
func Lexemes(src string) []Lexeme {
	var all []Lexeme
	s := newScanner("", src)
	end := s.pos.Offset // of the token before
	for {
		t, _ := s.Next()
		from, to := t.Pos.Offset, t.Pos.Offset+len(t.Value)
		all = append(all, comments(src, end, from)...)
		end = to
		switch {
		case t.EOF():
			return all
		case t.Type == tokenSQL:
			all = append(all, sqlLexemes(src, from, to)...)
		case t.Type == tokenBad && opensText(t, s.open):
			// The rest is part of it, until it is closed.
			return append(all, Lexeme{from, len(src), openKind(t.Value)})
		case t.Type == tokenBad && s.open != "":
			return append(all, sqlLexemes(src, from, len(src))...)
		default:
			all = append(all, Lexeme{from, to, kindOfToken(t)})
		}
	}
}

// opensText reports whether a bad token is a text, a name or a comment without an end.
func opensText(t lexer.Token, open string) bool {
	return open == "*/" && strings.HasPrefix(t.Value, "/*") || (open == "'" || open == `"`) && strings.HasPrefix(t.Value, open)
}

func kindOfToken(t lexer.Token) LexemeKind {
	switch t.Type {
	case tokenString:
		return LexemeString
	case tokenNumber, tokenColor:
		return LexemeNumber
	case tokenSymbol:
		return LexemeSymbol
	case tokenBad:
		return LexemeBad
	case tokenKeyword:
		return LexemeKeyword
	case tokenWord:
		if wordsOfLanguage()[strings.ToUpper(t.Value)] {
			return LexemeKeyword
		}
	}
	return LexemeName
}

// wordsOfLanguage are those of statements and clauses. Colours, functions and columns,
// which the grammar has in small letters, are names to the reader.
var wordsOfLanguage = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, word := range Keywords() {
		if word == strings.ToUpper(word) {
			all[word] = true
		}
	}
	for _, word := range append(append([]string{}, sqlVerbs...), sqlKinds...) {
		all[word] = true
	}
	return all
})

// openKind is the kind of what a quote or a comment begins.
func openKind(text string) LexemeKind {
	switch {
	case text[0] == '\'':
		return LexemeString
	case strings.HasPrefix(text, "--"), strings.HasPrefix(text, "/*"):
		return LexemeComment
	}
	return LexemeName
}

// comments are those between two tokens, where only they and blanks are.
func comments(src string, from, to int) []Lexeme {
	var all []Lexeme
	for from < to {
		begins, ends := sqlQuote(src[from:to])
		if ends == "" {
			from++
			continue
		}
		n := to
		if i := strings.Index(src[from+begins:to], ends); i >= 0 {
			n = from + begins + i + len(strings.TrimSuffix(ends, "\n"))
		}
		all = append(all, Lexeme{from, n, LexemeComment})
		from = n
	}
	return all
}

// sqlLexemes cuts what SQLite reads, as far as that can be told without its grammar.
func sqlLexemes(src string, from, to int) []Lexeme {
	var all []Lexeme
	for from < to {
		rest := src[from:to]
		r, n := utf8.DecodeRuneInString(rest)
		begins, ends := sqlQuote(rest)
		kind := LexemeSymbol
		switch {
		case ends != "":
			kind, n = openKind(rest), len(rest)
			if i := strings.Index(rest[begins:], ends); i >= 0 {
				n = begins + i + len(strings.TrimSuffix(ends, "\n"))
			}
		case isDigit(rest, 0):
			kind, n = LexemeNumber, prefixLength(rest, func(r rune) bool { return isWordPart(r) || r == '.' })
		case isWordStart(r):
			kind, n = LexemeName, prefixLength(rest, isWordPart)
			if word := strings.ToUpper(rest[:n]); sqlKeywords[word] {
				kind = LexemeKeyword
			}
		case strings.TrimSpace(rest[:n]) == "":
			from += n
			continue
		}
		all = append(all, Lexeme{from, from + n, kind})
		from += n
	}
	return all
}

// sqlKeywords are the words of SQLite's language that people write in queries.
var sqlKeywords = func() map[string]bool {
	all := map[string]bool{}
	for _, word := range strings.Fields(`ADD ALL ALTER AND AS ASC AUTOINCREMENT BEGIN BETWEEN BY CASE CAST CHECK COLLATE COLUMN
		COMMIT CONFLICT CONSTRAINT CREATE CROSS CURRENT CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DEFAULT DELETE DESC
		DISTINCT DO DROP ELSE END ESCAPE EXCEPT EXCLUDE EXISTS FILTER FIRST FOLLOWING FOREIGN FROM FULL GLOB GROUP HAVING
		IF IN INDEX INNER INSERT INTERSECT INTO IS ISNULL JOIN KEY LAST LEFT LIKE LIMIT MATERIALIZED NATURAL NOT NOTHING
		NOTNULL NULL NULLS OFFSET ON OR ORDER OUTER OVER PARTITION PRECEDING PRIMARY RANGE RECURSIVE REFERENCES REGEXP
		RENAME REPLACE RETURNING RIGHT ROW ROWS SELECT SET TABLE TEMP TEMPORARY THEN TIES TO UNBOUNDED UNION UNIQUE UPDATE
		USING VALUES VIEW WHEN WHERE WINDOW WITH WITHOUT`) {
		all[word] = true
	}
	return all
}()
