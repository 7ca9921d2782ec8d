package complete

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"occlude/internal/heatmap"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
)

// Source is what a session knows by name.
type Source interface {
	// Models are the names of the catalog, as they are kept.
	Models() []string
	// Labels are those of a model's classes, nil where it has none.
	Labels(model string) []string
}

// Completion is what may replace the text from From to the cursor.
type Completion struct {
	From       int
	Candidates []Candidate
}

// Candidate is one way to go on.
type Candidate struct {
	Text string
	Kind string // keyword, or one of lang's kinds
}

// Keyword is the kind of the language's words.
const Keyword = "keyword"

// At completes what stands in a text before a cursor, given in bytes.
func At(text string, cursor int, from Source) Completion {
	next := lang.NextAt(text, cursor)
	c := completer{next: next, source: from, closed: strings.HasPrefix(text[cursor:], next.Quote) && next.Quote != ""}
	for _, kind := range next.Kinds {
		c.names(kind)
	}
	for _, word := range next.Words {
		c.word(word)
	}
	return Completion{next.From, c.found}
}

// completer gathers candidates.
type completer struct {
	next   *lang.Next
	source Source
	closed bool // the quote that is open at the cursor is closed right behind it
	found  []Candidate
}

// word offers a word of the language.
func (c *completer) word(word string) {
	typed := c.next.Typed
	if len(typed) > len(word) || !strings.EqualFold(word[:len(typed)], typed) {
		return
	}
	if first, _ := utf8.DecodeRuneInString(typed); unicode.IsLower(first) {
		word = strings.ToLower(word)
	}
	c.offer(word, Keyword)
}

func (c *completer) offer(text, kind string) {
	if x := (Candidate{text, kind}); !slices.Contains(c.found, x) {
		c.found = append(c.found, x)
	}
}

// names offers what a kind has.
func (c *completer) names(kind lang.Kind) {
	switch kind {
	case lang.KindModel:
		c.named(c.source.Models(), kind)
	case lang.KindSetting:
		c.named(settings.Names(), kind)
	case lang.KindOption:
		c.named(c.options(), kind)
	case lang.KindPlan:
		c.named(planner.Plans(), kind)
	case lang.KindColormap:
		c.named(heatmap.Colormaps(), kind)
	case lang.KindValue:
		c.named(c.values(), kind)
	case lang.KindLabel:
		c.texts(c.labels(c.next.After("USING")), kind)
	case lang.KindImage, lang.KindFile:
		c.files(kind)
	}
}

// labels are those of a model, given as it is written but for its quotes.
func (c *completer) labels(model string) []string {
	if all := c.source.Labels(model); all != nil {
		return all
	}
	return c.source.Labels(strings.ToLower(model))
}

// options are those of the statement.
func (c *completer) options() []string {
	if strings.EqualFold(c.next.Before[0], "CREATE") {
		return planner.ModelOptions()
	}
	return planner.QueryOptions()
}

// values are those of the setting or option that one is being written for.
func (c *completer) values() []string {
	before := c.next.Before
	if len(before) < 2 {
		return nil
	}
	name := strings.ToLower(before[len(before)-2])
	if !strings.EqualFold(before[0], "SET") {
		if name == "plan" {
			return planner.Plans()
		}
		return nil
	}
	for _, s := range settings.All() {
		if s.Name == name {
			return s.Values
		}
	}
	return nil
}

// named offers names: bare where they can be.
func (c *completer) named(names []string, kind lang.Kind) {
	for _, name := range names {
		text := lang.Name{Text: name, Quoted: name != strings.ToLower(name)}.String()
		if c.next.Quote != "" {
			text = c.quote(name, false)
		}
		if c.begins(name) {
			c.offer(text, string(kind))
		}
	}
}

// texts offers texts in single quotes.
func (c *completer) texts(texts []string, kind lang.Kind) {
	if c.next.Quote == "" && c.next.Typed != "" {
		return // a word is being written
	}
	for _, text := range texts {
		if c.begins(text) {
			c.offer(c.quote(text, false), string(kind))
		}
	}
}

// begins reports whether what was typed may become a name; case does not count.
func (c *completer) begins(name string) bool {
	typed := c.typed()
	return len(typed) <= len(name) && strings.EqualFold(name[:len(typed)], typed)
}

// typed is what was typed, with doubled quotes made one.
func (c *completer) typed() string {
	if q := c.next.Quote; q != "" {
		return strings.ReplaceAll(c.next.Typed, q+q, q)
	}
	return c.next.Typed
}

// quote writes a text in the quote that was opened, or in single ones; open leaves it
// open at its end.
func (c *completer) quote(text string, open bool) string {
	q := c.next.Quote
	if q == "" {
		q = "'"
	}
	text = q + strings.ReplaceAll(text, q, q+q)
	if open || c.closed {
		return text
	}
	return text + q
}
