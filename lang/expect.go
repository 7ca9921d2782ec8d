package lang

import (
	"slices"
	"strings"
	"sync"

	"github.com/alecthomas/participle/v2/ebnf"
	"github.com/alecthomas/participle/v2/lexer"
)

// This file answers "what could come next?" for any beginning of a statement.
// participle parses, but of an error it knows little that a user would
// understand; so the grammar is read back from it as EBNF, and a beginning is
// walked through that, keeping every way in which it may go on. The answer
// serves the messages, their did-you-mean hints, and completion.

// expectation is one thing that may come next: a word or sign of the language
// or a kind of token. production is the innermost named part of the grammar
// that asks for it.
type expectation struct {
	literal    string
	token      string // "string", "number", ... when literal is empty
	production string
}

// end is the expectation of the statement's end.
var end = expectation{literal: ";"}

func (e expectation) matches(t lexer.Token) bool {
	switch {
	case e == end:
		return t.EOF()
	case e.literal != "":
		if t.Type == tokenWord || t.Type == tokenKeyword {
			return strings.EqualFold(t.Value, e.literal)
		}
		return t.Type == tokenSymbol && t.Value == e.literal
	default:
		return t.Type == tokenKinds()[e.token]
	}
}

// tokenKinds are the kinds of token by the names that EBNF has for them.
var tokenKinds = sync.OnceValue(func() map[string]lexer.TokenType {
	kinds := map[string]lexer.TokenType{}
	for name, kind := range (language{}).Symbols() {
		kinds[strings.ToLower(name)] = kind
	}
	return kinds
})

// isKeyword reports whether the expectation is a word of the language.
func (e expectation) isKeyword() bool { return e.literal != "" && isWord(e.literal) }

// productions is the grammar as EBNF: the alternatives of each production.
var productions = sync.OnceValue(func() map[string][]*ebnf.Sequence {
	grammar, err := ebnf.ParseString(parser().String())
	if err != nil {
		panic("lang: the grammar's own EBNF does not parse: " + err.Error())
	}
	table := map[string][]*ebnf.Sequence{}
	for _, p := range grammar.Productions {
		table[p.Production] = p.Expression.Alternatives
	}
	return table
})

const rootProduction = "StatementSyntax"

// todo is what remains to be read on one way through the grammar: terms, and
// then what follows the production or group that they belong to. nil is the
// end of the statement.
type todo struct {
	terms      []*ebnf.Term
	production string
	then       *todo
}

// ahead calls visit with each token that may come next and with what then
// remains.
func (t *todo) ahead(visit func(next expectation, rest *todo)) {
	for t != nil && len(t.terms) == 0 {
		t = t.then
	}
	if t == nil {
		visit(end, nil)
		return
	}
	term := t.terms[0]
	rest := &todo{t.terms[1:], t.production, t.then}
	then := rest
	switch term.Repetition {
	case "*":
		then = t
	case "+":
		again := *term
		again.Repetition = "*"
		then = &todo{append([]*ebnf.Term{&again}, t.terms[1:]...), t.production, t.then}
	}
	switch {
	case term.Literal != "":
		visit(expectation{literal: strings.Trim(term.Literal, `"`), production: t.production}, then)
	case term.Token != "":
		visit(expectation{token: term.Token, production: t.production}, then)
	case term.Group != nil:
		for _, way := range term.Group.Expr.Alternatives {
			(&todo{way.Terms, t.production, then}).ahead(visit)
		}
	default:
		for _, way := range productions()[term.Name] {
			(&todo{way.Terms, term.Name, then}).ahead(visit)
		}
	}
	if term.Repetition == "?" || term.Repetition == "*" {
		rest.ahead(visit)
	}
}

// expect walks a statement's tokens (an EOF token last) as far as the grammar
// goes along. It returns how many tokens could be read, and what could have
// come in place of the one that could not; of a statement without error, its
// length and nothing.
func expect(tokens []lexer.Token) (int, []expectation) {
	ways := begin()
	for i, token := range tokens {
		next, expected := step(ways, token)
		if len(next) == 0 {
			return i, expected
		}
		ways = next
	}
	return len(tokens), nil
}

// begin is where every statement begins.
func begin() []*todo { return []*todo{{terms: []*ebnf.Term{{Name: rootProduction}}}} }

// step reads one token. It returns the ways that go on behind it, and what else
// could have come.
func step(ways []*todo, token lexer.Token) (next []*todo, others []expectation) {
	for _, way := range ways {
		way.ahead(func(e expectation, rest *todo) {
			if e.matches(token) {
				next = append(next, rest)
			} else if !slices.Contains(others, e) {
				others = append(others, e)
			}
		})
	}
	return next, others
}
