package lang

import (
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// Kind is what a name, a text or a value stands for in its place.
type Kind string

// The kinds that [Next] tells apart.
const (
	KindModel    Kind = "model"
	KindSetting  Kind = "setting"
	KindOption   Kind = "option"
	KindTable    Kind = "table"
	KindImage    Kind = "image"
	KindFile     Kind = "file"
	KindLabel    Kind = "label"
	KindPlan     Kind = "plan"
	KindMetric   Kind = "metric"
	KindColormap Kind = "colormap"
	KindValue    Kind = "value" // of a setting or an option
	KindSQL      Kind = "sql"   // whatever SQLite understands
)

// kindOf are the productions that stand for names, texts and values.
var kindOf = map[string]Kind{
	"ModelSyntax": KindModel, "SettingSyntax": KindSetting, "OptionNameSyntax": KindOption, "TableNameSyntax": KindTable,
	"ImageSyntax": KindImage, "FileSyntax": KindFile, "LabelSyntax": KindLabel, "PlanSyntax": KindPlan,
	"MetricNameSyntax": KindMetric, "ColormapSyntax": KindColormap, "ValueSyntax": KindValue,
}

// Next is what may stand at a place in a text, for completion.
type Next struct {
	// From is where what is being written there begins, in bytes: the word or text
	// that ends at the place, or the place itself.
	From int
	// Quote opens it, ' or ", and is "" where none does; Typed is the rest of it.
	Quote, Typed string
	// Words are those of the language that may stand there, in the grammar's order
	// and case, less the clauses that the statement has already.
	Words []string
	// Kinds are what else may.
	Kinds []Kind
	// Before are the words and signs of the statement that stand before it.
	Before []string
}

// After returns the word behind the last mention of another, in any case, as it is
// written; "" if there is none.
func (n *Next) After(word string) string {
	for i := len(n.Before) - 2; i >= 0; i-- {
		if strings.EqualFold(n.Before[i], word) {
			return n.Before[i+1]
		}
	}
	return ""
}

// NextAt says what may stand in a text at an offset in bytes. What follows the
// offset is not looked at. Nothing may stand in a comment, or behind an error.
func NextAt(src string, offset int) *Next {
	tokens, ends := statementBefore(src[:offset])
	n := &Next{From: offset}
	if ends.comment {
		return n
	}
	if last := len(tokens) - 1; last >= 0 {
		t := tokens[last]
		whole := tokenSpan(t).To.Offset == offset
		switch {
		case t.Type == tokenBad && ends.open == t.Value[:1] && (ends.open == "'" || ends.open == `"`):
			n.From, n.Quote, n.Typed = t.Pos.Offset, ends.open, src[t.Pos.Offset+1:offset]
			tokens = tokens[:last]
		case t.Type == tokenSQL && whole:
			if endsInLineComment(src[:offset], sqlLexemes(src, t.Pos.Offset, offset)) {
				return n
			}
			n.From, n.Kinds = lastWord(src, t.Pos.Offset, offset), []Kind{KindSQL}
			n.Typed, n.Before = src[n.From:offset], words(tokens[:last])
			return n
		case isWordLike(t) && whole:
			n.From, n.Typed = t.Pos.Offset, t.Value
			tokens = tokens[:last]
		}
	}
	n.Before = words(tokens)
	ways := begin()
	for _, t := range tokens {
		if ways, _ = step(ways, t); len(ways) == 0 {
			return n
		}
	}
	var expected []expectation
	for _, way := range ways {
		way.ahead(func(e expectation, _ *todo) {
			if e != end && !slices.Contains(expected, e) {
				expected = append(expected, e)
			}
		})
	}
	n.fill(tokens, expected)
	return n
}

// fill sorts what is expected into words and kinds.
func (n *Next) fill(tokens []lexer.Token, expected []expectation) {
	if n.Quote == "" {
		n.Words = (&syntaxError{tokens: tokens, at: len(tokens), expected: expected}).keywords()
	}
	for _, e := range expected {
		kind, ok := kindOf[e.production]
		if e.token == "sql" {
			kind, ok = KindSQL, true
		}
		if fits := n.Quote == "" || e.token == map[string]string{"'": "string", `"`: "quoted"}[n.Quote]; ok && fits && !slices.Contains(n.Kinds, kind) {
			n.Kinds = append(n.Kinds, kind)
		}
	}
}

// ending is what a text ends in the middle of.
type ending struct {
	open    string // a string, a name or a comment: what would close it
	comment bool
}

// statementBefore returns the tokens of the statement that a text ends in.
func statementBefore(src string) ([]lexer.Token, ending) {
	s := newScanner("", src)
	var tokens []lexer.Token
	behind := s.pos.Offset // the last token
	for {
		t, _ := s.Next()
		if t.EOF() {
			break
		}
		behind = s.pos.Offset
		if t.Type == tokenSymbol && t.Value == ";" {
			tokens = tokens[:0]
			continue
		}
		if len(tokens) < maxTokens {
			tokens = append(tokens, t)
		}
	}
	return tokens, ending{s.open, s.open == "*/" || endsInLineComment(src, comments(src, behind, len(src)))}
}

// endsInLineComment reports whether a text ends in a comment that goes to the end of its
// line, by the text's last lexemes.
func endsInLineComment(src string, lexemes []Lexeme) bool {
	if len(lexemes) == 0 {
		return false
	}
	last := lexemes[len(lexemes)-1]
	return last.To == len(src) && strings.HasPrefix(src[last.From:], "--")
}

// words are tokens as they are written, texts and names without their quotes.
func words(tokens []lexer.Token) []string {
	all := make([]string, len(tokens))
	for i, t := range tokens {
		all[i] = t.Value
		if n := len(t.Value); n >= 2 && (t.Type == tokenString || t.Type == tokenQuoted) {
			all[i] = strings.ReplaceAll(t.Value[1:n-1], t.Value[:1]+t.Value[:1], t.Value[:1])
		}
	}
	return all
}

// lastWord is where the word begins that ends at an offset, not before from.
func lastWord(src string, from, to int) int {
	return from + strings.LastIndexFunc(src[from:to], func(r rune) bool { return !isWordPart(r) }) + 1
}

// WordAt returns the word, name or text that an offset in bytes lies in or ends,
// and where it begins; a name and a text come without quotes. It is "" where there
// is none.
func WordAt(src string, offset int) (word string, from int) {
	for r := newReader("", src); r.next(); {
		for _, t := range r.tokens {
			span := tokenSpan(t)
			if offset < span.From.Offset || offset > span.To.Offset {
				continue
			}
			switch t.Type {
			case tokenSQL:
				start := lastWord(src, span.From.Offset, offset)
				stop := offset + prefixLength(src[offset:span.To.Offset], isWordPart)
				return src[start:stop], start
			case tokenWord, tokenKeyword, tokenQuoted, tokenString:
				return words([]lexer.Token{t})[0], span.From.Offset
			}
		}
	}
	return "", offset
}
