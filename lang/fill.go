package lang

import (
	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"
)

// ParseFill reads a fill out of an option's or an argument's value: 'blur(5)' as it
// would stand behind FILL, or a colour with or without quotes. Errors are at the
// value.
func ParseFill(v Value) (*Fill, error) {
	source := v.String()
	if s, ok := v.(String); ok {
		source = s.Value
	}
	wrong := Errorf(v.Span(), "%s is not a fill", clip(source)).
		WithHint("fills are colours and rgb(r, g, b), mean(image), blur(sigma), noise(seed) and image('file'), in quotes").
		WithHint(DidYouMean(source, colorNames()))
	r := newReader("", source)
	if !r.next() || r.bad != nil || r.terminated {
		return nil, wrong
	}
	production, err := participle.ParserForProduction[fillSyntax](parser())
	if err != nil {
		return nil, err
	}
	stream, err := lexer.Upgrade(&replay{append(r.tokens, lexer.EOFToken(r.end.Pos))})
	if err != nil {
		return nil, err
	}
	syntax, err := production.ParseFromLexer(stream)
	if err != nil {
		return nil, wrong
	}
	b := &builder{}
	f := b.fill(syntax)
	if len(b.diagnostics) > 0 {
		d := b.diagnostics[0]
		d.Span = v.Span()
		return nil, d
	}
	f.Source = v.Span()
	return f, nil
}
