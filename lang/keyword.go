package lang

import (
	"slices"
	"strings"
	"unicode"

	"github.com/alecthomas/participle/v2/ebnf"
)

// reserved are the words that cannot be a bare name of a model, a setting or a
// word of a value, since each may follow one: with them reserved, a forgotten
// name is noticed where it is missing. Every other word of the language is an
// ordinary name wherever a name may stand, and in double quotes anything is.
var reserved = []string{
	"AND", "AT", "BETWEEN", "CLASS", "COLORMAP", "FILL", "FOR", "FROM", "IN",
	"INTO", "NOT", "OR", "PATCH", "SSIM", "STRIDE", "TO", "TOP", "USING",
	"VERIFY", "WHERE", "WITH", "WITHIN",
}

func isReserved(word string) bool {
	return slices.Contains(reserved, strings.ToUpper(word))
}

// isBareName reports whether a name can be written without quotes.
func isBareName(s string) bool {
	return isWord(s) && !isReserved(s)
}

// isWord reports whether s is one word to the lexer: a letter or underscore,
// then letters, digits and underscores, with single dots between such parts.
func isWord(s string) bool {
	if s == "" {
		return false
	}
	start := true
	previous := '.'
	for _, r := range s {
		switch {
		case start && !isWordStart(r):
			return false
		case r == '.':
			if previous == '.' {
				return false
			}
		case !isWordPart(r):
			return false
		}
		start, previous = false, r
	}
	return previous != '.'
}

func isWordStart(r rune) bool { return r == '_' || unicode.IsLetter(r) }

// isWordPart takes marks too, so that decomposed letters stay in one word.
func isWordPart(r rune) bool {
	return isWordStart(r) || unicode.IsDigit(r) || unicode.IsMark(r)
}

// byteOrderMark may begin a text that came from Windows.
const byteOrderMark = "\uFEFF"

// Keywords returns the words of the language, sorted: statements, clauses and
// their words in capitals, colours, functions and columns in small letters.
func Keywords() []string {
	var words []string
	var collect func([]*ebnf.Sequence)
	collect = func(ways []*ebnf.Sequence) {
		for _, way := range ways {
			for _, term := range way.Terms {
				if word := strings.Trim(term.Literal, `"`); isWord(word) && !slices.Contains(words, word) {
					words = append(words, word)
				}
				if term.Group != nil {
					collect(term.Group.Expr.Alternatives)
				}
			}
		}
	}
	for _, ways := range productions() {
		collect(ways)
	}
	slices.Sort(words)
	return words
}
