package docs

import (
	"cmp"
	"slices"
	"strings"
)

// Help is what the manual says of a topic, in any case, as Markdown:
//
//   - a statement or clause of the language reference by its title, or a page by its name
//     (explain.md is the page where EXPLAIN is a statement, too);
//   - a word of the language, an option, a setting or a hint: see Find. Where an option
//     and a setting have the same name it tells of both, but not behind SET or WITH;
//   - a section of any page by its title or the beginning of it, and a function by its
//     name.
func Help(topic string) (markdown string, ok bool) {
	topic = strings.Join(strings.Fields(topic), " ")
	lower := strings.ToLower(topic)
	page, isPage := Page(strings.TrimSuffix(lower, ".md"))
	if isPage && strings.HasSuffix(lower, ".md") {
		return page, true
	}
	for _, s := range Sections() {
		if slices.Equal(titleWords(s.Title), titleWords(topic)) {
			text := s.markdown()
			if isPage {
				text += "\nThe page `" + lower + ".md` tells more.\n"
			}
			return text, true
		}
	}
	if isPage {
		return page, true
	}
	var options []string
	for _, s := range rowsOf(lower) {
		if head := cells(s.Text)[0]; head == "option" || head == "setting" {
			s.Title = "`" + lower + "` in " + s.Title
			options = append(options, s.markdown())
		}
	}
	if len(options) > 0 {
		return strings.Join(options, "\n"), true
	}
	if s, ok := Find(topic); ok {
		return s.markdown(), true
	}
	if s, ok := findInPages(lower); ok {
		return s.markdown(), true
	}
	// CLEAR CACHE and INTO TABLE stand where CLEAR and INTO do; of SET threads the last word tells more.
	i := strings.LastIndexByte(topic, ' ')
	if i < 0 {
		return "", false
	}
	if slices.ContainsFunc(sections(), func(s Section) bool { return grammarHas(s.Text, lower[i+1:]) }) {
		return Help(topic[:i])
	}
	if text, ok := HelpBehind(strings.Fields(topic[:i]), topic[i+1:]); ok {
		return text, true
	}
	if _, ok := Help(topic[:i]); ok {
		return Help(topic[i+1:])
	}
	return "", false
}

// HelpBehind is what the manual says of a word where it stands behind others: USING in
// PREDICT is not that of ANALYZE MODEL. It is what the nearest of them, by whose name a
// statement or clause goes, has in its grammar or tables. A word by whose name one goes
// says the same everywhere, and is left to Help.
func HelpBehind(before []string, word string) (markdown string, ok bool) {
	named := func(word string) func(Section) bool {
		return func(s Section) bool { return slices.Contains(titleWords(s.Title), strings.ToUpper(word)) }
	}
	if slices.ContainsFunc(Sections(), named(word)) {
		return "", false
	}
	word = strings.ToLower(word)
	for _, b := range slices.Backward(before) {
		for _, s := range Sections() {
			if !named(b)(s) {
				continue
			}
			if row, ok := tableRow(s.Text, word); ok {
				return Section{Title: "`" + word + "` in " + s.Title, Text: row}.markdown(), true
			}
			if grammarHas(s.Text, word) {
				return s.markdown(), true
			}
		}
	}
	return "", false
}

// findInPages finds a section of any page by its title, a function by its name, and at
// last a section by the beginning of its title.
func findInPages(topic string) (Section, bool) {
	var begins *Section
	for _, name := range Topics() {
		text, _ := Page(name)
		for i, s := range sectionsOf(text) {
			title := strings.ToLower(strings.ReplaceAll(s.Title, "`", ""))
			if i > 0 && title == topic {
				return s, true
			}
			if row, ok := tableRow(s.Text, strings.TrimSuffix(topic, "()")); ok && cells(row)[0] == "function" {
				return Section{Title: s.Title, Text: row}, true
			}
			if i > 0 && begins == nil && topic != "" && (strings.HasPrefix(title, topic+" ") || strings.HasPrefix(title, topic+",")) {
				begins = &s
			}
		}
	}
	if begins == nil {
		return Section{}, false
	}
	return *begins, true
}

// Elsewhere names the pages that speak of a topic on which there is no help, those that do
// so most often first, four at most; "" if there are none.
func Elsewhere(topic string) string {
	topic = strings.ToLower(strings.Join(strings.Fields(topic), " "))
	if topic == "" {
		return ""
	}
	count := map[string]int{}
	var names []string
	for _, name := range Topics() {
		text, _ := Page(name)
		if count[name] = strings.Count(strings.ToLower(text), topic); count[name] > 0 {
			names = append(names, name)
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(count[b], count[a]) })
	if len(names) == 0 {
		return ""
	}
	return "the manual speaks of it in " + strings.Join(names[:min(len(names), 4)], ", ")
}

// markdown is the section with its title and the names of its parts.
func (s Section) markdown() string {
	text := "## " + s.Title + "\n\n" + s.Text + "\n"
	if len(s.Parts) > 0 {
		text += "\nSee also: " + strings.Join(s.Parts, " · ") + "\n"
	}
	return text
}

// Overview lists what there is help on, for a terminal: the pages in their groups, and
// the statements and clauses. It begins with how to ask.
func Overview(ask string) string {
	width := 0
	for _, topic := range Topics() {
		width = max(width, len(topic))
	}
	var b strings.Builder
	b.WriteString("Manual: " + ask + " TOPIC\n")
	for _, g := range Groups() {
		b.WriteString("  " + g.Title + "\n")
		for _, e := range g.Entries {
			b.WriteString("    " + e.Topic + strings.Repeat(" ", width-len(e.Topic)+2) + (&typesetter{}).inline(e.Line) + "\n")
		}
	}
	var titles []string
	for _, s := range Sections() {
		titles = append(titles, strings.ReplaceAll(s.Title, " ", "\u00a0")) // not broken
	}
	b.WriteString("  Of the language, also each statement and clause, option and setting by name\n")
	for _, line := range wrap(strings.Join(titles, "\u00a0· "), 92) {
		b.WriteString("    " + strings.ReplaceAll(line, "\u00a0", " ") + "\n")
	}
	return b.String()
}

// Known are the names of pages, statements and clauses, for guesses at what was meant.
func Known() []string {
	names := Topics()
	for _, s := range Sections() {
		names = append(names, s.Title)
	}
	return names
}
