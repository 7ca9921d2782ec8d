package lang

import (
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/participle/v2/lexer"
)

// This file turns "token n does not fit" into a sentence that helps.

// statementWords are the words that begin a statement.
var statementWords = sync.OnceValue(func() []string {
	_, expected := expect([]lexer.Token{{Type: lexer.EOF}})
	return keywords(expected)
})

// BeginsStatement reports whether a statement may begin with the word.
func BeginsStatement(word string) bool {
	return slices.Contains(statementWords(), strings.ToUpper(word))
}

// keywords returns those of the expectations that are words of the language.
func keywords(expected []expectation) []string {
	var words []string
	for _, e := range expected {
		if e.isKeyword() && !slices.Contains(words, e.literal) {
			words = append(words, e.literal)
		}
	}
	return words
}

// syntaxError is a statement that does not fit the grammar.
type syntaxError struct {
	tokens   []lexer.Token // of the statement, without its end
	end      lexer.Token   // the semicolon, or the end of the text
	at       int           // the token that does not fit; len(tokens) is end
	expected []expectation // what would have fitted
}

// explain says why the tokens are no statement; end is the semicolon behind
// them or the end of the text. If a semicolon is missing between two
// statements, rest is the second.
func explain(tokens []lexer.Token, end lexer.Token) (d *Diagnostic, rest []lexer.Token) {
	at, expected := expect(append(tokens[:len(tokens):len(tokens)], lexer.EOFToken(end.Pos)))
	if at > len(tokens) {
		// The parser refused what its own grammar allows; tests see to it
		// that this does not happen.
		return Errorf(tokenSpan(tokens[0]), "this statement is not understood"), nil
	}
	e := &syntaxError{tokens, end, at, expected}
	if e.beginsStatement() {
		return e.missingSemicolon(), tokens[at:]
	}
	return e.diagnostic(), nil
}

// token returns the token that does not fit.
func (e *syntaxError) token() lexer.Token {
	if e.at == len(e.tokens) {
		return e.end
	}
	return e.tokens[e.at]
}

// found is how a message names the token.
func (e *syntaxError) found() string {
	switch t := e.token(); {
	case t.EOF():
		return "the end of the text"
	case t.Type == tokenKeyword:
		return strings.ToUpper(t.Value)
	default:
		return clip(t.Value)
	}
}

func (e *syntaxError) allows(literal string) bool {
	return slices.ContainsFunc(e.expected, func(x expectation) bool { return x.literal == literal })
}

func (e *syntaxError) allowsToken(kind string) bool {
	return slices.ContainsFunc(e.expected, func(x expectation) bool { return x.token == kind })
}

// isWordLike reports whether the token looks like a word to a person.
func isWordLike(t lexer.Token) bool { return t.Type == tokenWord || t.Type == tokenKeyword }

// beginsStatement reports whether the token begins a new statement where the
// one before could have ended.
func (e *syntaxError) beginsStatement() bool {
	t := e.token()
	if e.at == 0 || e.at == len(e.tokens) || !isWordLike(t) || !slices.Contains(e.expected, end) {
		return false
	}
	is := func(word string) bool { return strings.EqualFold(word, t.Value) }
	// WITH begins SQL, too, but is a clause to most people.
	if t.Type != tokenKeyword && slices.ContainsFunc(statementWords(), is) {
		return true
	}
	// A misspelt one that begins a line, unless a clause is as near.
	beginsLine := t.Pos.Line > tokenSpan(e.tokens[e.at-1]).To.Line && t.Pos.Column <= e.tokens[0].Pos.Column
	return beginsLine && nearest(t.Value, keywords(e.expected)) == "" && nearest(t.Value, statementWords()) != ""
}

func (e *syntaxError) missingSemicolon() *Diagnostic {
	before := tokenSpan(e.tokens[e.at-1]).To
	return Errorf(Span{From: before, To: before}, "missing ; before %s", e.found())
}

func (e *syntaxError) diagnostic() *Diagnostic {
	t := e.token()
	span := tokenSpan(t)
	if e.at == len(e.tokens) && (e.allows(")") || e.allows("]")) {
		if open := unclosed(e.tokens); open >= 0 {
			return Errorf(tokenSpan(e.tokens[open]), "this %s is never closed", e.tokens[open].Value)
		}
	}
	if e.at == 0 {
		return Errorf(span, "no statement begins with %s", e.found()).
			WithHint("a statement begins with " + enumerate(statementWords(), "or")).
			WithHint(e.hint()).
			WithHint(e.didYouMean(statementWords()))
	}
	const few = 4
	if phrases := e.phrases(); len(phrases) <= few {
		d := Errorf(span, "expected %s, found %s", enumerate(phrases, "or"), e.found())
		return d.WithHint(e.hint()).WithHint(e.didYouMean(e.keywords()))
	}
	return Errorf(span, "unexpected %s", e.found()).
		WithHint("here may follow " + enumerate(e.unwritten(e.phrases()), "or")).
		WithHint(e.hint()).
		WithHint(e.didYouMean(e.keywords()))
}

// keywords are the words that would have fitted.
func (e *syntaxError) keywords() []string { return e.unwritten(keywords(e.expected)) }

// unwritten leaves out of what would have fitted the clauses that were written
// already, in the same parentheses.
func (e *syntaxError) unwritten(words []string) []string {
	written := e.tokens[unclosed(e.tokens[:e.at])+1 : e.at]
	isClause := func(word string) bool {
		return slices.ContainsFunc(e.expected, func(x expectation) bool {
			return x.literal == word && strings.HasSuffix(x.production, "ClauseSyntax")
		})
	}
	return slices.DeleteFunc(slices.Clone(words), func(word string) bool {
		return isClause(word) && slices.ContainsFunc(written, func(t lexer.Token) bool {
			return isWordLike(t) && strings.EqualFold(t.Value, word)
		})
	})
}

func (e *syntaxError) didYouMean(candidates []string) string {
	if t := e.token(); isWordLike(t) {
		return DidYouMean(t.Value, candidates)
	}
	return ""
}

// What the productions that stand for one thing are called. A phrase with a
// wider one beside it is left out: "a number" is "a value" too.
var (
	phraseOf = map[string]string{
		"ImageSyntax":      "an image in single quotes",
		"FileSyntax":       "a file in single quotes",
		"LabelSyntax":      "a label in single quotes",
		"ModelSyntax":      "a model",
		"SettingSyntax":    "a setting",
		"TableNameSyntax":  "a table",
		"PlanSyntax":       "a plan",
		"MetricNameSyntax": "a metric",
		"OptionNameSyntax": "the name of an option",
		"ValueSyntax":      "a value",
		"SignedSyntax":     "a number",
		"NegationSyntax":   "a condition",
		"FactorSyntax":     "a number or one of x, y, w, h",
		"ColumnSyntax":     "a number or one of x, y, w, h",
		"UnitSyntax":       "SECONDS, MINUTES or MILLISECONDS",
		"AddSyntax":        "an operator",
		"MultiplySyntax":   "an operator",
	}
	widerPhrase = map[string]string{
		"a number":                      "a value",
		"a number or one of x, y, w, h": "a condition",
	}
	phraseOfToken = map[string]string{
		"string": "a text in single quotes",
		"number": "a number",
		"word":   "a word",
		"quoted": "a name",
		"color":  "a colour such as #7f7f7f",
		"sql":    "the rest of the SQL",
	}
)

// phrase is how a message names what would have fitted.
func (e expectation) phrase() string {
	switch {
	case phraseOf[e.production] != "":
		return phraseOf[e.production]
	case e.literal == "":
		return phraseOfToken[e.token]
	case e.literal == ",":
		return "a comma"
	case strings.Contains("= <> != <= >=", e.literal) && e.production == "TestSyntax":
		return "a comparison"
	default:
		return e.literal
	}
}

// phrases says what would have fitted, each thing once.
func (e *syntaxError) phrases() []string {
	var all []string
	for _, x := range e.expected {
		if phrase := x.phrase(); !slices.Contains(all, phrase) {
			all = append(all, phrase)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(phrase string) bool {
		wider, ok := widerPhrase[phrase]
		return ok && slices.Contains(all, wider)
	})
}

// enumerate joins words as a sentence does: a, b or c.
func enumerate(words []string, conjunction string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + conjunction + " " + words[last]
}
