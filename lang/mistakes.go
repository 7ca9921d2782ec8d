package lang

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// This file knows the usual mistakes, and says what is written instead.

// hint is what is written instead of the token that does not fit, or "".
func (e *syntaxError) hint() string {
	t := e.token()
	if hint := e.missingHint(t); hint != "" {
		return hint
	}
	bare := t.Value
	if len(bare) >= 2 && (t.Type == tokenString || t.Type == tokenQuoted) {
		bare = bare[1 : len(bare)-1]
	}
	switch t.Type {
	case tokenQuoted:
		if e.allowsToken("string") {
			return fmt.Sprintf("double quotes are for names; write '%s'", clip(bare))
		}
	case tokenString:
		for _, word := range e.keywords() {
			if strings.EqualFold(word, bare) {
				return "write " + word + " without quotes"
			}
		}
		switch {
		case e.allowsToken("quoted"):
			return "single quotes are for texts; write " + Name{Text: clip(bare)}.String()
		case e.allows("CLASS"):
			return "write CLASS " + clip(t.Value)
		case e.allows("FROM"):
			return "write FROM " + clip(t.Value)
		}
	case tokenWord, tokenKeyword:
		return e.wordHint(t)
	case tokenSymbol:
		return e.symbolHint(t)
	case tokenColor:
		return "a comment begins with --"
	}
	return ""
}

// missingHint says what has to stand before the token, whatever it is.
func (e *syntaxError) missingHint(t lexer.Token) string {
	before := ""
	if e.at > 0 {
		before = strings.ToUpper(e.tokens[e.at-1].Value)
	}
	switch {
	case len(e.expected) == 1 && e.allows("USING") && e.at == 2:
		return "USING and the name of a model stand right behind the image"
	case len(e.expected) == 1 && e.allowsIn("(", "PointSyntax") && t.Type == tokenNumber && before == "AT":
		return "positions stand in parentheses, as in AT (100, 80)"
	case len(e.expected) == 1 && e.allows("(") && before == "WITH":
		return "options stand in parentheses, as in WITH (name = value)"
	case len(e.expected) == 1 && e.allows("(") && writtenFills[before] != "":
		return "write " + writtenFills[before]
	case e.allows("SECONDS") && (t.EOF() || t.Value == ";"):
		return "write WITHIN " + before + " SECONDS"
	case e.allows(">=") && !e.allows("=") && t.Type == tokenNumber:
		return "write SSIM >= " + clip(t.Value)
	case t.Type == tokenNumber && e.allowsIn("x", "ExtentSyntax"):
		return fmt.Sprintf("width and height are written %sx%s", clip(before), clip(t.Value))
	}
	return ""
}

// writtenFills are the fills that take something in parentheses, written out.
var writtenFills = map[string]string{
	"RGB": "rgb(124, 116, 104)", "MEAN": "mean(image) or mean(patch)", "BLUR": "blur(8)",
	"NOISE": "noise(42)", "IMAGE": "image('file.png')",
}

// allowsIn reports whether the literal would have fitted as a part of the production.
func (e *syntaxError) allowsIn(literal, production string) bool {
	return slices.ContainsFunc(e.expected, func(x expectation) bool { return x.literal == literal && x.production == production })
}

func (e *syntaxError) wordHint(t lexer.Token) string {
	path := e.unbroken(e.at)
	switch {
	case e.at == 0 && strings.EqualFold(t.Value, "HELP"):
		return "occlude help, or \\h in the shell, tells of each statement"
	case e.at == 1 && strings.EqualFold(e.tokens[0].Value, "CREATE"):
		return fmt.Sprintf("write CREATE MODEL %s FROM 'file.onnx'", clip(t.Value))
	case e.allows("INTO") && slices.Contains([]string{"TO", "OUTPUT", "SAVE", "AS"}, strings.ToUpper(t.Value)):
		return "write INTO 'file.png'"
	case e.allowsToken("string") && path != t.Value && (len(e.keywords()) == 0 || e.allows("TABLE")):
		return fmt.Sprintf("write '%s'", clip(path))
	case e.allowsToken("quoted") && isReserved(t.Value):
		return fmt.Sprintf("%s is a word of the language; as a name it is written %s",
			strings.ToUpper(t.Value), quoteName(strings.ToLower(t.Value)))
	case e.allowsToken("string") && e.allows("TABLE") && !strings.Contains(t.Value, "."):
		return fmt.Sprintf("write '%[1]s' for a file, TABLE %[1]s for a table", clip(t.Value))
	case e.allowsToken("string") && !isReserved(t.Value) && (len(e.keywords()) == 0 || e.allows("TABLE")):
		return fmt.Sprintf("write '%s'", clip(t.Value))
	case e.allows("FOR") && (strings.EqualFold(t.Value, "TOP") || strings.EqualFold(t.Value, "CLASS")):
		return "write FOR " + strings.ToUpper(t.Value)
	case e.at == 1 && strings.EqualFold(e.tokens[0].Value, "ANALYZE") && slices.Contains(statementWords(), strings.ToUpper(t.Value)):
		return "EXPLAIN ANALYZE runs a query and shows what its plan took"
	case e.allows("SECONDS") && unitSymbols[strings.ToLower(t.Value)] != "":
		return "write " + unitSymbols[strings.ToLower(t.Value)]
	case e.allows("x") && e.allows("h"):
		return "WHERE knows x, y, w and h, all in pixels"
	}
	return ""
}

func (e *syntaxError) symbolHint(t lexer.Token) string {
	switch t.Value {
	case "/":
		if a, b := e.numberAt(e.at-1), e.numberAt(e.at+1); e.at < len(e.tokens) && b != 0 && !e.allows("/") {
			return fmt.Sprintf("nothing is computed here; write %.6g", a/b)
		}
		if path := e.unbroken(e.at); e.allowsToken("string") && (len(e.keywords()) == 0 || e.allows("TABLE")) {
			return fmt.Sprintf("write '%s'", clip(path))
		}
	case "(":
		if e.allowsIn("[", "ValueSyntax") {
			return "a list is written in brackets, as in [0.5, 0.5, 0.5]"
		}
		if e.at > 0 && e.expected[0].production == "ExtentSyntax" {
			return "sizes are written 16 or 24x16"
		}
	case "*", ",":
		if n := e.numberAt(e.at + 1); n > 0 && e.allowsIn("x", "ExtentSyntax") {
			return fmt.Sprintf("width and height are written %sx%s", clip(e.tokens[e.at-1].Value), clip(e.tokens[e.at+1].Value))
		}
	case "==":
		return "equality is written ="
	case "&&":
		return "write AND"
	case "||":
		return "write OR"
	case "!":
		return "write NOT"
	case "=>":
		return "write >="
	case "=<":
		return "write <="
	case "=", "<>", "!=", "<", "<=", ">", ">=":
		if e.allows(">=") && !e.allows("=") {
			return "SSIM has a lower bound only, as in SSIM >= 0.9"
		}
		if e.allows("AND") {
			return "comparisons do not chain; write x > 10 AND x < 20"
		}
		if e.at > 0 && e.tokens[e.at-1].Type == tokenKeyword {
			return fmt.Sprintf("%s takes no %s", strings.ToUpper(e.tokens[e.at-1].Value), t.Value)
		}
	case "-":
		if name := e.dashedName(); name != "" {
			return "write " + quoteName(name) + " if that is its name"
		}
	}
	return ""
}

// numberAt is the number that a token writes, 0 of all others.
func (e *syntaxError) numberAt(i int) float64 {
	if i < 0 || i >= len(e.tokens) || e.tokens[i].Type != tokenNumber {
		return 0
	}
	n, err := strconv.ParseFloat(e.tokens[i].Value, 64)
	if err != nil {
		return 0
	}
	return n
}

// unbroken returns what is written from a token on up to the next blank, comma or
// parenthesis: a path without quotes.
func (e *syntaxError) unbroken(from int) string {
	var text strings.Builder
	for i, t := range e.tokens[min(from, len(e.tokens)):] {
		if i > 0 && tokenSpan(e.tokens[from+i-1]).To != position(t.Pos) || strings.ContainsAny(t.Value, "(),'\"") {
			break
		}
		text.WriteString(t.Value)
	}
	return text.String()
}

// dashedName returns the name with dashes, such as resnet-18, that the lexer
// cut at the dash in question, or "".
func (e *syntaxError) dashedName() string {
	first := e.at - 1
	if first < 0 || e.tokens[first].Type != tokenWord {
		return ""
	}
	last := first
	for last+1 < len(e.tokens) && tokenSpan(e.tokens[last]).To == position(e.tokens[last+1].Pos) {
		if next := e.tokens[last+1]; !isWordLike(next) && next.Type != tokenNumber && next.Value != "-" {
			break
		}
		last++
	}
	if last <= e.at {
		return ""
	}
	var name strings.Builder
	for _, t := range e.tokens[first : last+1] {
		name.WriteString(t.Value)
	}
	return clip(name.String())
}
