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
	Text    string
	Kind    string // keyword, or one of lang's kinds
	Meaning string // of settings and options
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
	c.offer(Candidate{Text: word, Kind: Keyword})
}

func (c *completer) offer(x Candidate) {
	if !slices.Contains(c.found, x) {
		c.found = append(c.found, x)
	}
}

// names offers what a kind has.
func (c *completer) names(kind lang.Kind) {
	switch kind {
	case lang.KindModel:
		c.named(c.source.Models(), kind)
	case lang.KindSetting:
		for _, s := range settings.All() {
			c.name(s.Name, kind, s.Meaning)
		}
	case lang.KindOption:
		c.options()
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

// options offers those of the statement.
func (c *completer) options() {
	if c.creates() {
		c.named(planner.ModelOptions(), lang.KindOption)
		return
	}
	for _, h := range planner.Hints() {
		c.name(h.Name, lang.KindOption, h.Meaning)
	}
}

// creates reports whether the statement is CREATE MODEL.
func (c *completer) creates() bool { return strings.EqualFold(c.next.Before[0], "CREATE") }

// values are those of the setting or option that one is being written for.
func (c *completer) values() []string {
	before := c.next.Before
	if len(before) < 2 {
		return nil
	}
	name := strings.ToLower(before[len(before)-2])
	switch {
	case c.creates():
		return planner.ModelOptionValues(name)
	case strings.EqualFold(before[0], "SET"):
		for _, s := range settings.All() {
			if s.Name == name {
				return s.Values
			}
		}
		return nil
	}
	return planner.QueryOptionValues(name)
}

// named offers names: bare where they can be.
func (c *completer) named(names []string, kind lang.Kind) {
	for _, name := range names {
		c.name(name, kind, "")
	}
}

// name offers one.
func (c *completer) name(name string, kind lang.Kind, meaning string) {
	if !c.begins(name) {
		return
	}
	text := lang.Name{Text: name, Quoted: name != strings.ToLower(name)}.String()
	if c.next.Quote != "" || kind == lang.KindValue && text != name { // double quotes are for names alone
		text = c.quote(name, false)
	}
	c.offer(Candidate{text, string(kind), meaning})
}

// texts offers texts in single quotes.
func (c *completer) texts(texts []string, kind lang.Kind) {
	if c.next.Quote == "" && c.next.Typed != "" {
		return // a word is being written
	}
	for _, text := range texts {
		if c.begins(text) {
			c.offer(Candidate{Text: c.quote(text, false), Kind: string(kind)})
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
