package planner

import (
	"sort"
	"strings"

	"occlude/lang"
)

// optionReader reads WITH (name = value, ...) through a table of readers.
type optionReader[T any] struct {
	table  map[string]func(*T, lang.Value) error
	target *T
}

func (r optionReader[T]) all(options []lang.Option, what string) error {
	names := make([]string, 0, len(r.table))
	for n := range r.table {
		names = append(names, n)
	}
	sort.Strings(names)
	seen := map[string]bool{}
	for _, o := range options {
		key := o.Name.Key()
		read, ok := r.table[key]
		if !ok {
			hint := lang.DidYouMean(o.Name.Text, names)
			if hint == "" {
				hint = "the options are " + strings.Join(names, ", ")
			}
			return lang.Errorf(o.Name.Span(), "there is no %s called %q", what, o.Name.Text).WithHint(hint)
		}
		if seen[key] {
			return lang.Errorf(o.Name.Span(), "%s is given twice", o.Name.Text)
		}
		seen[key] = true
		if err := read(r.target, o.Value); err != nil {
			return err
		}
	}
	return nil
}

// word makes a reader of one word of several.
func word[T any](set func(*T, string), values ...string) func(*T, lang.Value) error {
	return func(t *T, v lang.Value) error {
		text := plainText(v)
		for _, x := range values {
			if strings.EqualFold(text, x) {
				set(t, x)
				return nil
			}
		}
		return lang.Errorf(v.Span(), "%q is not one of %s", text, strings.Join(values, ", ")).
			WithHint(lang.DidYouMean(text, values))
	}
}

// numbers reads a number or a list of at most most of them.
func numbers(v lang.Value, most int) ([]float64, error) {
	items := []lang.Value{v}
	if l, ok := v.(lang.List); ok {
		items = l.Items
	}
	if len(items) == 0 || len(items) > most {
		return nil, lang.Errorf(v.Span(), "takes %s, has %d", plural(most, "number"), len(items))
	}
	out := make([]float64, len(items))
	for i, item := range items {
		n, ok := item.(lang.Number)
		if !ok {
			return nil, lang.Errorf(item.Span(), "%s is not a number", item)
		}
		out[i] = n.Value
	}
	return out, nil
}

func plural(n int, what string) string {
	if n == 1 {
		return "a " + what
	}
	return "1 to " + string(rune('0'+n)) + " " + what + "s"
}

// wholeNumber reads a whole number of at least least.
func wholeNumber(v lang.Value, least int) (int, error) {
	n, ok := v.(lang.Number)
	if !ok {
		return 0, lang.Errorf(v.Span(), "%s is not a number", v)
	}
	i, whole := n.Int()
	if !whole || i < least {
		return 0, lang.Errorf(v.Span(), "%s is not a whole number of at least %d", n, least)
	}
	return i, nil
}
