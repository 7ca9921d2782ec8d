package lang

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"
)

// The kinds of token. A keyword that is not reserved is a word, and the
// grammar tells by its place what it means.
const (
	tokenWord    lexer.TokenType = iota + 1 // oct, resnet18.v2, OCCLUDE
	tokenKeyword                            // a reserved word: USING, PATCH
	tokenQuoted                             // "a name"
	tokenString                             // 'a text'
	tokenNumber                             // 16, .5, 1e-3
	tokenColor                              // #7f7f7f
	tokenSymbol                             // ( ) [ ] , ; and operators
	tokenSQL                                // what SQLite reads; see sql.go
	tokenBad                                // nothing; see scanner.bad
)

// Limits that keep absurd input from costing more than an error message.
const (
	maxSource  = 16 << 20 // bytes of a text
	maxLiteral = 64 << 10 // bytes of a 'string' or a "name"
	maxNumber  = 100      // bytes of a number
	maxWord    = 1000     // bytes of a word
	maxTokens  = 500_000  // tokens of a statement
	maxNesting = 100      // parentheses and brackets in one another, NOT NOT NOT, - - -
)

// language is the lexer as participle wants to see it.
type language struct{}

// Symbols names the kinds of token for the grammar.
func (language) Symbols() map[string]lexer.TokenType {
	return map[string]lexer.TokenType{
		"EOF": lexer.EOF, "Word": tokenWord, "Keyword": tokenKeyword, "Quoted": tokenQuoted,
		"String": tokenString, "Number": tokenNumber, "Color": tokenColor, "Symbol": tokenSymbol,
		"Sql": tokenSQL, "Bad": tokenBad,
	}
}

// Lex returns the tokens of a text.
func (language) Lex(file string, r io.Reader) (lexer.Lexer, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return newScanner(file, string(src)), nil
}

// scanner cuts a text into tokens. What it cannot read becomes a bad token
// and a diagnostic, and it goes on behind it. Text that is left open at the
// end is remembered.
type scanner struct {
	src      string
	pos      lexer.Position // of the next byte to read
	previous lexer.TokenType
	read     []string    // the first words and signs of the statement, in capitals
	bad      *Diagnostic // what is wrong with the first bad token
	open     string      // what the text lacks at its end: ' or " or */
}

func newScanner(file, src string) *scanner {
	s := &scanner{src: src, pos: lexer.Position{Filename: file, Line: 1, Column: 1}}
	if strings.HasPrefix(src, byteOrderMark) {
		s.pos.Offset = len(byteOrderMark)
	}
	return s
}

// Next returns the next token; at the end an EOF token, again and again. It
// never fails.
func (s *scanner) Next() (lexer.Token, error) {
	if bad, ok := s.skipBlank(); !ok {
		return bad, nil
	}
	token, ok := s.scanSQL()
	if !ok {
		token = s.scan()
	}
	s.remember(token)
	return token, nil
}

func (s *scanner) rest() string { return s.src[s.pos.Offset:] }

// take makes a token of the next n bytes.
func (s *scanner) take(kind lexer.TokenType, n int) lexer.Token {
	token := lexer.Token{Type: kind, Value: s.rest()[:n], Pos: s.pos}
	s.pos.Advance(token.Value)
	return token
}

// refuse makes a bad token of the next n bytes, and its diagnostic if it is the
// first of the statement.
func (s *scanner) refuse(n int, hint, format string, args ...any) lexer.Token {
	token := s.take(tokenBad, n)
	if s.bad == nil {
		s.bad = Errorf(tokenSpan(token), format, args...).WithHint(hint)
	}
	return token
}

// skipBlank skips white space and comments. It is false, with a bad token, at
// a comment that never ends.
func (s *scanner) skipBlank() (lexer.Token, bool) {
	for {
		rest := s.rest()
		switch {
		case strings.HasPrefix(rest, "--"):
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			s.pos.Advance(rest[:n])
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				s.open = "*/"
				hint := "end it with */"
				if path := s.unbroken(); !strings.HasPrefix(path, "/*") {
					hint = s.fileHint() // folder/*.png
				}
				return s.refuseOpen(2, len(rest), hint, "this comment is never closed"), false
			}
			s.pos.Advance(rest[:2+n+2])
		default:
			n := 0
			for n < len(rest) {
				r, size := utf8.DecodeRuneInString(rest[n:])
				if !unicode.IsSpace(r) {
					break
				}
				n += size
			}
			if n == 0 {
				return lexer.Token{}, true
			}
			s.pos.Advance(rest[:n])
		}
	}
}

// refuseOpen makes a bad token of n bytes that begin something never closed,
// pointing at its first few bytes only.
func (s *scanner) refuseOpen(shown, n int, hint, format string, args ...any) lexer.Token {
	first := s.bad == nil
	token := s.refuse(n, hint, format, args...)
	if first {
		s.bad.To = tokenSpan(lexer.Token{Value: token.Value[:shown], Pos: token.Pos}).To
	}
	return token
}

// scan reads one token from where no blank is.
func (s *scanner) scan() lexer.Token {
	rest := s.rest()
	if rest == "" {
		return lexer.EOFToken(s.pos)
	}
	r, size := utf8.DecodeRuneInString(rest)
	switch {
	case r == utf8.RuneError && size <= 1:
		return s.refuse(1, "save the file as UTF-8", "the text is not valid UTF-8 here (byte 0x%02x)", rest[0])
	case r == '\'':
		return s.quoted(tokenString, '\'', "string")
	case r == '"':
		return s.quoted(tokenQuoted, '"', "name")
	case isDigit(rest, 0), r == '.' && isDigit(rest, 1):
		return s.number()
	case isWordStart(r):
		return s.word()
	case r == '#':
		n := 1 + prefixLength(rest[1:], isWordPart)
		return s.take(tokenColor, n)
	}
	for _, symbol := range symbols {
		if strings.HasPrefix(rest, symbol) {
			return s.take(tokenSymbol, len(symbol))
		}
	}
	return s.stray(r, size)
}

// symbols are the signs of the language, and some that people bring from
// other languages, so that the error can say what is written here instead.
var symbols = []string{
	"<>", "<=", ">=", "!=", "==", "=>", "=<", "&&", "||",
	"(", ")", "[", "]", ",", ";", "=", "<", ">", "+", "-", "*", "/", "%", "!",
}

// stray refuses a character that begins nothing.
func (s *scanner) stray(r rune, size int) lexer.Token {
	switch {
	case r == 0:
		return s.refuse(size, "a query file is plain UTF-8 text", "the text holds a NUL byte")
	case strings.ContainsRune("\u2018\u2019\u201a\u201b`\u00b4", r):
		return s.refuse(size, "write the plain quote '", "%c does not quote a string", r)
	case strings.ContainsRune("\u201c\u201d\u201e\u201f\u00ab\u00bb", r):
		return s.refuse(size, `write 'text' for a string and "name" for a name`, "%c does not quote anything", r)
	case r == '\u00d7':
		return s.refuse(size, "write x, as in 16x16", "the character %c is not understood", r)
	case r == '\u2264' || r == '\u2265' || r == '\u2260':
		plain := map[rune]string{'\u2264': "<=", '\u2265': ">=", '\u2260': "<>"}[r]
		return s.refuse(size, "write "+plain, "the character %c is not understood", r)
	case r == '\u2212' || r == '\u2013' || r == '\u2014':
		return s.refuse(size, "write the plain minus -", "the character %c is not understood", r)
	case r == '\\' && len(s.read) == 0: // no statement, but \m or \d
		return s.refuse(size, "commands with a backslash are typed in the shell; statements are SHOW MODELS, DESCRIBE MODEL, SET and so on", "the character %c is not understood", r)
	case r == ':' || r == '\\' || r == '.' || r == '~':
		return s.refuse(size, s.fileHint(), "the character %c is not understood", r)
	case !unicode.IsGraphic(r):
		return s.refuse(size, "", "the invisible character %U is not understood", r)
	}
	return s.refuse(size, "", "the character %c is not understood", r)
}

// fileHint says how to write what stands here, which looks like a file's name.
func (s *scanner) fileHint() string {
	if path := s.unbroken(); len(path) > 1 {
		return fmt.Sprintf("a file is written in single quotes: '%s'", clip(path))
	}
	return "a file is written in single quotes"
}

// unbroken is what stands around the next byte without a blank or another sign that no
// path has. It is for hints, of which the first of a statement is shown.
func (s *scanner) unbroken() string {
	if s.bad != nil {
		return ""
	}
	const breaks = " \t\r\n,;()'\""
	from := strings.LastIndexAny(s.src[:s.pos.Offset], breaks) + 1
	path, _, _ := strings.Cut(s.src[from:], "\n")
	if n := strings.IndexAny(path, breaks); n >= 0 {
		path = path[:n]
	}
	return path
}

// quoted reads a 'string' or a "name", in which the quote is written twice.
func (s *scanner) quoted(kind lexer.TokenType, quote byte, what string) lexer.Token {
	rest := s.rest()
	for n := 1; n < len(rest); n++ {
		if rest[n] != quote {
			continue
		}
		if n+1 < len(rest) && rest[n+1] == quote {
			n++
			continue
		}
		return s.checkQuoted(kind, n+1, what)
	}
	// Most likely a closing quote was forgotten on this line: what follows on
	// other lines is read as if it had been there, a last semicolon too.
	s.open = string(quote)
	n := strings.IndexByte(rest, '\n')
	if n < 0 {
		n = len(rest)
	}
	n = len(strings.TrimRight(rest[:n], " \t\r;"))
	return s.refuseOpen(1, max(n, 1), fmt.Sprintf("end it with %c", quote), "this %s is never closed", what)
}

func (s *scanner) checkQuoted(kind lexer.TokenType, n int, what string) lexer.Token {
	text := s.rest()[:n]
	switch {
	case n > maxLiteral:
		return s.refuseOpen(1, n, "is a closing quote missing?",
			"this %s is too long: %d bytes, more than %d", what, n, maxLiteral)
	case !utf8.ValidString(text):
		return s.refuse(n, "save the file as UTF-8", "this %s is not valid UTF-8", what)
	case strings.IndexByte(text, 0) >= 0:
		return s.refuse(n, "", "this %s holds a NUL byte", what)
	}
	return s.take(kind, n)
}

// number reads a number, and only that: 16x16 is 16, x and 16.
func (s *scanner) number() lexer.Token {
	rest := s.rest()
	n := digits(rest)
	if n < len(rest) && rest[n] == '.' {
		n++
		n += digits(rest[n:])
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		exponent := n + 1
		if exponent < len(rest) && (rest[exponent] == '+' || rest[exponent] == '-') {
			exponent++
		}
		if d := digits(rest[exponent:]); d > 0 {
			n = exponent + d
		}
	}
	// What touches the number belongs to it, but for the x of an extent.
	tail := prefixLength(rest[n:], func(r rune) bool { return isWordPart(r) || r == '.' })
	if cross := rest[n : n+tail]; tail > 0 && !isCross(cross) {
		whole := clip(rest[:n+tail])
		hint := fmt.Sprintf(`write a number alone, a text as '%[1]s', a name as "%[1]s"`, whole)
		if unit, ok := unitSymbols[strings.ToLower(cross)]; ok {
			hint = fmt.Sprintf("a time is written %s %s", clip(rest[:n]), unit)
		} else if rest[n-1] == '.' || strings.ContainsAny(s.unbroken(), `/\`) {
			hint = s.fileHint()
		}
		return s.refuse(n+tail, hint, "%s is neither a number nor a name", whole)
	}
	if n > maxNumber {
		return s.refuseOpen(1, n, "", "this number is too long: %d characters", n)
	}
	return s.take(tokenNumber, n)
}

// isCross reports whether what follows a number continues an extent: x, x16
// or x16x16 (which the grammar then refuses in its own words).
func isCross(s string) bool {
	if s[0] != 'x' && s[0] != 'X' {
		return false
	}
	return len(s) == 1 || isDigit(s, 1)
}

// word reads a word. The x16 of `16 x16` is x and 16.
func (s *scanner) word() lexer.Token {
	rest := s.rest()
	n := prefixLength(rest, isWordPart)
	if s.previous == tokenNumber && (rest[0] == 'x' || rest[0] == 'X') && (n == 1 || n > 1 && isDigit(rest, 1)) {
		return s.take(tokenWord, 1)
	}
	for n < len(rest) && rest[n] == '.' {
		more := prefixLength(rest[n+1:], isWordPart)
		if more == 0 {
			break
		}
		n += 1 + more
	}
	if n > maxWord {
		return s.refuseOpen(1, n, "", "this word is too long: %d bytes, more than %d", n, maxWord)
	}
	if isReserved(rest[:n]) {
		return s.take(tokenKeyword, n)
	}
	return s.take(tokenWord, n)
}

func digits(s string) int {
	n := 0
	for isDigit(s, n) {
		n++
	}
	return n
}

func isDigit(s string, i int) bool { return i < len(s) && '0' <= s[i] && s[i] <= '9' }

// prefixLength returns how many bytes of s are runes that satisfy ok.
func prefixLength(s string, ok func(rune) bool) int {
	n := strings.IndexFunc(s, func(r rune) bool { return !ok(r) })
	if n < 0 {
		return len(s)
	}
	return n
}

// clip shortens a text that is quoted in a message.
func clip(s string) string {
	const longest = 40
	if utf8.RuneCountInString(s) <= longest {
		return s
	}
	return string([]rune(s)[:longest-3]) + "..."
}

// position and tokenSpan turn participle's positions into ours.
func position(p lexer.Position) Pos {
	return Pos{File: p.Filename, Offset: p.Offset, Line: p.Line, Col: p.Column}
}

func tokenSpan(t lexer.Token) Span {
	end := t.Pos
	end.Advance(t.Value)
	return Span{From: position(t.Pos), To: position(end)}
}
