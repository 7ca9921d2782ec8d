package planner

import (
	"errors"
	"sort"
	"strings"

	"occlude/lang"
)

// optionReader reads WITH (name = value, ...) through a table of readers. That
// each name comes once is a matter of the language.
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
	for _, o := range options {
		read, ok := r.table[o.Name.Key()]
		if !ok {
			hint := lang.DidYouMean(o.Name.Text, names)
			if hint == "" {
				hint = "the options are " + strings.Join(names, ", ")
			}
			return lang.Errorf(o.Name.Span(), "there is no %s called %q", what, o.Name.Text).WithHint(hint)
		}
		if err := read(r.target, o.Value); err != nil {
			return naming(o.Name, err)
		}
	}
	return nil
}

// naming puts the option in front of what is wrong with its value.
func naming(option lang.Name, err error) error {
	if d := (*lang.Diagnostic)(nil); errors.As(err, &d) {
		d.Summary = option.Key() + ": " + d.Summary
	}
	return err
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

// numbers reads a number or a list of at most most (1 to 3) of them.
func numbers(v lang.Value, most int) ([]float64, error) {
	items := []lang.Value{v}
	if l, ok := v.(lang.List); ok {
		items = l.Items
	}
	if len(items) == 0 || len(items) > most {
		takes := [...]string{1: "a number", 2: "1 or 2 numbers", 3: "1 to 3 numbers"}[most]
		return nil, lang.Errorf(v.Span(), "takes %s, not %d", takes, len(items))
	}
	out := make([]float64, len(items))
	for i, item := range items {
		n, ok := item.(lang.Number)
		if !ok {
			d := lang.Errorf(item.Span(), "%s is not a number", item)
			if s, ok := item.(lang.String); ok && most > 1 && strings.Contains(s.Value, ",") {
				d = d.WithHint("a list is written in brackets and without quotes, as in [0.5, 0.5, 0.5]")
			}
			return nil, d
		}
		out[i] = n.Value
	}
	return out, nil
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
