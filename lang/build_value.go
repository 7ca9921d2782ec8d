package lang

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"
)

// with reads the options of WITH, which may be missing.
func (b *builder) with(s *withSyntax) []Option {
	if s == nil {
		return nil
	}
	var options []Option
	seen := map[string]*lexer.Token{}
	for _, o := range s.Options {
		name := b.name(o.Name.Token)
		if !b.twice(seen, name.Key(), &o.Name.Token) {
			options = append(options, Option{Located{o.span()}, name, b.value(o.Value)})
		}
	}
	return options
}

// twice complains about an option that was given before.
func (b *builder) twice(seen map[string]*lexer.Token, name string, t *lexer.Token) bool {
	if before, ok := seen[name]; ok {
		b.errorf(tokenSpan(*t), "the option %s is given twice: first on line %d", clip(name), before.Pos.Line)
		return true
	}
	seen[name] = t
	return false
}

func (b *builder) value(s *valueSyntax) Value {
	switch {
	case s.String != nil:
		return text(s.String)
	case s.Number != nil:
		return b.signed(s.Number)
	case s.Word != nil:
		if _, ok := switches[strings.ToLower(s.Word.Value)]; ok {
			return boolean(s.Word)
		}
		return Word{Located{tokenSpan(*s.Word)}, s.Word.Value}
	}
	list := List{Located: Located{s.span()}}
	for _, item := range s.Items {
		list.Items = append(list.Items, b.value(item))
	}
	return list
}

// switches are the words that mean yes or no.
var switches = map[string]bool{"true": true, "on": true, "false": false, "off": false}

func boolean(t *lexer.Token) Bool {
	return Bool{Located{tokenSpan(*t)}, switches[strings.ToLower(t.Value)]}
}

func word(t *lexer.Token) Word { return Word{Located{tokenSpan(*t)}, strings.ToLower(t.Value)} }

// word reads what may be written as a bare word or as a string.
func (b *builder) word(t lexer.Token) String {
	if t.Type == tokenString {
		return b.file(&t)
	}
	return String{Located{tokenSpan(t)}, t.Value}
}

// text takes the quotes off a string.
func text(t *lexer.Token) String {
	inner := t.Value[1 : len(t.Value)-1]
	return String{Located{tokenSpan(*t)}, strings.ReplaceAll(inner, "''", "'")}
}

// file reads a string that names something, so that it cannot be empty.
func (b *builder) file(t *lexer.Token) String {
	s := text(t)
	if s.Value == "" {
		b.errorf(s.Source, "the name between the quotes is empty")
	}
	return s
}
