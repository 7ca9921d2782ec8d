package engine

import (
	"maps"
	"slices"
	"strings"

	"occlude/lang"
)

// substitute replaces :name by the variable's value as it is, :'name' by it as
// a string and :"name" as a name. Strings, quoted names and comments are left
// alone.
func (e *Engine) substitute(t Text) (string, error) {
	if !strings.Contains(t.Source, ":") {
		return t.Source, nil
	}
	var out strings.Builder
	src := t.Source
	for i := 0; i < len(src); {
		if src[i] != ':' {
			n := skip(src[i:])
			out.WriteString(src[i : i+n])
			i += n
			continue
		}
		name, quote, n := variable(src[i:])
		if n == 0 {
			out.WriteByte(src[i])
			i++
			continue
		}
		value, ok := e.Variables[name]
		if !ok {
			return "", e.undefined(t, i, n, name)
		}
		if quote != 0 {
			q := string(quote)
			value = q + strings.ReplaceAll(value, q, q+q) + q
		}
		out.WriteString(value)
		i += n
	}
	return out.String(), nil
}

// skip is the length of the string, quoted name or comment that src begins
// with, 1 where it begins with anything else.
func skip(src string) int {
	until := func(from int, end string) int {
		if i := strings.Index(src[from:], end); i >= 0 {
			return from + i + len(end)
		}
		return len(src)
	}
	switch {
	case src[0] == '\'', src[0] == '"':
		return until(1, src[:1])
	case strings.HasPrefix(src, "--"):
		return until(2, "\n")
	case strings.HasPrefix(src, "/*"):
		return until(2, "*/")
	}
	return 1
}

// variable reads :name, :'name' or :"name" and gives the length read, 0 when
// there is none.
func variable(src string) (name string, quote byte, n int) {
	i := 1
	if i < len(src) && (src[i] == '\'' || src[i] == '"') {
		quote = src[i]
		i++
	}
	from := i
	for i < len(src) && isNameByte(src[i], i > from) {
		i++
	}
	name = src[from:i]
	if name == "" {
		return "", 0, 0
	}
	if quote != 0 {
		if i >= len(src) || src[i] != quote {
			return "", 0, 0
		}
		i++
	}
	return name, quote, i
}

// IsVariable reports whether a variable can have this name.
func IsVariable(name string) bool {
	for i := range len(name) {
		if !isNameByte(name[i], i > 0) {
			return false
		}
	}
	return name != ""
}

func isNameByte(b byte, digits bool) bool {
	return b == '_' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || digits && b >= '0' && b <= '9'
}

func (e *Engine) undefined(t Text, at, n int, name string) error {
	d := lang.Errorf(lang.Place(t.Name, t.Source, at, at+n), "there is no variable %q", name)
	hint := lang.DidYouMean(name, slices.Sorted(maps.Keys(e.Variables)))
	if hint == "" {
		hint = "-v " + name + "=value defines it, and in the shell \\set " + name + " value"
	}
	return &Error{Diagnostics: lang.Diagnostics{d.WithHint(hint)}, Source: t.Source}
}
