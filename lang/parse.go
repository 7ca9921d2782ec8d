package lang

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// ParseOptions change how a text is parsed.
type ParseOptions struct {
	// OptionalFinalSemicolon lets the last statement do without its
	// semicolon, as on a command line.
	OptionalFinalSemicolon bool
}

// maxDiagnostics is where a text is given up: what is not a query file should
// not be answered line by line.
const maxDiagnostics = 20

// Parse reads a text of statements. The script holds the statements that are
// right, in their order, whatever the diagnostics say about the others; file
// is only for the positions.
func Parse(file, src string) (*Script, Diagnostics) {
	return ParseOptions{}.Parse(file, src)
}

// Parse reads a text of statements; see [Parse].
func (o ParseOptions) Parse(file, src string) (*Script, Diagnostics) {
	script := &Script{}
	start := newScanner(file, "").pos
	if len(src) > maxSource {
		return script, Diagnostics{Errorf(Span{From: position(start), To: position(start)},
			"the text is too long: %d bytes, more than %d", len(src), maxSource)}
	}
	if looksUTF16(src) {
		return script, Diagnostics{Errorf(Span{From: position(start), To: position(start)},
			"the text is UTF-16").WithHint("save the file as UTF-8")}
	}
	var all Diagnostics
	for r := newReader(file, src); r.next(); {
		statements, diagnostics := r.parse(o)
		script.Statements = append(script.Statements, statements...)
		all = append(all, diagnostics...)
		if len(all) >= maxDiagnostics && !r.atEnd() {
			here := position(r.scanner.pos)
			all = append(all, Errorf(Span{From: here, To: here},
				"too many errors: what follows was not read"))
			break
		}
	}
	for _, s := range script.Statements {
		script.Source = script.Source.Join(s.Span())
	}
	return script, all
}

func looksUTF16(src string) bool {
	return strings.HasPrefix(src, "\xff\xfe") || strings.HasPrefix(src, "\xfe\xff")
}

// Part is one statement's text in a longer one.
type Part struct {
	Span
	Text       string // with the semicolon, if it has one
	Terminated bool   // it has one
}

// Split cuts a text into its statements without parsing them: at each
// semicolon that is not in a string, a name or a comment. Blanks and comments
// around them are left out, and so are empty statements.
func Split(src string) []Part {
	var parts []Part
	for r := newReader("", src); r.next(); {
		span := tokenSpan(r.tokens[0]).Join(tokenSpan(r.last()))
		if r.terminated {
			span.To = position(r.end.Pos)
			span.To.Offset, span.To.Col = span.To.Offset+1, span.To.Col+1
		}
		parts = append(parts, Part{span, src[span.From.Offset:span.To.Offset], r.terminated})
	}
	return parts
}

// Complete reports whether every statement of the text has ended, so that it
// can be run, and if not, what it still lacks: ' or " or */ that closes what is
// open at its end, ) or ] that does, or only ; after the last statement. A
// semicolon ends a statement inside parentheses too, since no statement goes on
// behind it. A text without any statement is complete.
func Complete(src string) (lacks string, ok bool) {
	r := newReader("", src)
	for r.next() {
		if r.terminated {
			continue
		}
		lacks = ";"
		if open := unclosed(r.tokens); open >= 0 {
			lacks = map[string]string{"(": ")", "[": "]"}[r.tokens[open].Value]
		}
	}
	if r.scanner.open != "" {
		lacks = r.scanner.open
	}
	return lacks, lacks == ""
}

// reader walks through a text statement by statement. After next, tokens are
// those of the statement, without the semicolon.
type reader struct {
	scanner    *scanner
	tokens     []lexer.Token
	bad        *Diagnostic // what the lexer could not read first, if anything
	end        lexer.Token // the semicolon or the text's end
	terminated bool        // end is a semicolon
	tooLong    bool        // the statement has too many tokens; the rest is not kept
}

func newReader(file, src string) *reader {
	return &reader{scanner: newScanner(file, src)}
}

// next reads one statement that is not empty. It is false at the text's end.
func (r *reader) next() bool {
	r.tokens, r.tooLong = nil, false
	for !r.end.EOF() {
		token, _ := r.scanner.Next()
		switch {
		case token.EOF() || token.Type == tokenSymbol && token.Value == ";":
			r.end, r.terminated = token, !token.EOF()
			r.bad, r.scanner.bad = r.scanner.bad, nil
			if len(r.tokens) > 0 {
				return true
			}
		case len(r.tokens) < maxTokens:
			r.tokens = append(r.tokens, token)
		default:
			r.tooLong = true
		}
	}
	return false
}

// atEnd reports whether nothing follows.
func (r *reader) atEnd() bool { return r.end.EOF() }

func (r *reader) last() lexer.Token { return r.tokens[len(r.tokens)-1] }

// parse turns the tokens into a statement, or into several if semicolons are
// missing between them.
func (r *reader) parse(o ParseOptions) ([]Statement, Diagnostics) {
	switch {
	case r.bad != nil:
		// What the lexer could not read makes nonsense of the rest.
		return nil, Diagnostics{r.bad}
	case checkNesting(r.tokens) != nil:
		return nil, Diagnostics{checkNesting(r.tokens)}
	case r.tooLong:
		return nil, Diagnostics{Errorf(tokenSpan(r.tokens[0]),
			"the statement is too long: more than %d words and signs", maxTokens)}
	}
	var statements []Statement
	var all Diagnostics
	for tokens := r.tokens; len(tokens) > 0 && len(all) < maxDiagnostics; {
		rest := tokens[len(tokens):]
		syntax, err := parseStatement(append(tokens[:len(tokens):len(tokens)], lexer.EOFToken(r.end.Pos)))
		if err != nil {
			var d *Diagnostic
			d, rest = explain(tokens, r.end)
			all = append(all, d)
			if len(rest) > 0 { // a semicolon is missing: read what stands before it
				tokens = tokens[:len(tokens)-len(rest)]
				syntax, err = parseStatement(append(tokens[:len(tokens):len(tokens)], lexer.EOFToken(rest[0].Pos)))
			}
		}
		if err == nil {
			b := &builder{}
			if s := b.statement(syntax); len(b.diagnostics) == 0 {
				statements = append(statements, s)
			}
			all = append(all, b.diagnostics...)
		}
		if isSQL(rest) {
			break // its tokens are not ours
		}
		tokens = rest
	}
	if !r.terminated && !o.OptionalFinalSemicolon && len(all) == 0 {
		at := tokenSpan(r.last()).To
		all = append(all, Errorf(Span{From: at, To: at}, "missing ; at the end of the statement"))
	}
	return statements, all
}

// parseStatement parses tokens of which the last is an EOF.
func parseStatement(tokens []lexer.Token) (*statementSyntax, error) {
	stream, err := lexer.Upgrade(&replay{tokens})
	if err != nil {
		return nil, err
	}
	return parser().ParseFromLexer(stream)
}

// replay is a lexer that hands out tokens read before.
type replay struct{ tokens []lexer.Token }

func (r *replay) Next() (lexer.Token, error) {
	token := r.tokens[0]
	if len(r.tokens) > 1 {
		r.tokens = r.tokens[1:]
	}
	return token, nil
}

// unclosed returns the index of the innermost ( or [ that is never closed, or -1.
func unclosed(tokens []lexer.Token) int {
	var open []int
	for i, t := range tokens {
		if t.Type != tokenSymbol {
			continue
		}
		switch t.Value {
		case "(", "[":
			open = append(open, i)
		case ")", "]":
			if len(open) > 0 {
				open = open[:len(open)-1]
			}
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[len(open)-1]
}

// checkNesting refuses what nests so deeply that only a machine can have meant
// it, before any recursion follows it down.
func checkNesting(tokens []lexer.Token) *Diagnostic {
	depth, prefixes := 0, 0
	for _, t := range tokens {
		prefix := false
		switch {
		case t.Type == tokenSymbol && (t.Value == "(" || t.Value == "["):
			depth++
		case t.Type == tokenSymbol && (t.Value == ")" || t.Value == "]"):
			depth--
		case t.Type == tokenSymbol && t.Value == "-", t.Type == tokenKeyword && strings.EqualFold(t.Value, "NOT"):
			prefix = true
		}
		if prefix {
			prefixes++
		} else {
			prefixes = 0
		}
		if depth > maxNesting || prefixes > maxNesting {
			return Errorf(tokenSpan(t), "this is nested too deeply: more than %d levels", maxNesting)
		}
	}
	return nil
}
