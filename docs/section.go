package docs

import (
	"regexp"
	"slices"
	"strings"
)

// Section is a part of a page: of the language reference what it says of a statement or
// clause.
type Section struct {
	Title string
	Text  string   // Markdown, without the title
	Parts []string // titles of the sections inside of it
}

// Sections are those of statements and clauses, in the order of the reference.
func Sections() []Section {
	// A title in small letters is prose.
	return slices.DeleteFunc(sections(), func(s Section) bool { return !isKeywords(s.Title) })
}

// sections are all of the language reference.
func sections() []Section {
	page, _ := Page("language")
	return sectionsOf(page)
}

// sectionsOf cuts a page at its titles.
func sectionsOf(page string) []Section {
	var all []Section
	inside := -1 // the last section of the second level
	fenced := false
	for line := range strings.Lines(page) {
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		level := 0
		if m := heading.FindStringSubmatch(line); m != nil && !fenced {
			level = len(m[1])
			if level == 3 && inside >= 0 {
				all[inside].Parts = append(all[inside].Parts, m[2])
			}
			all = append(all, Section{Title: m[2]})
			if level < 3 {
				inside = len(all) - 1
			}
			continue
		}
		if len(all) > 0 {
			all[len(all)-1].Text += line
		}
	}
	for i := range all {
		all[i].Text = strings.TrimSpace(all[i].Text)
	}
	return all
}

var heading = regexp.MustCompile(`^(#{1,4}) (.*\S)\s*$`)

// Find returns what the language reference says of a statement, a clause, a word, an
// option or a setting, in any case: the section that is called so, that begins with
// the words, that has them in its title, or in whose grammar or tables they are. Of a
// table it is the row alone.
func Find(topic string) (Section, bool) {
	want, word := titleWords(topic), strings.ToLower(strings.TrimSpace(topic))
	if word == "" {
		return Section{}, false
	}
	for _, fits := range []func(title []string) bool{
		func(title []string) bool { return slices.Equal(title, want) },
		func(title []string) bool {
			return len(title) > len(want) && len(want) > 0 && slices.Equal(title[:len(want)], want)
		},
		func(title []string) bool { return len(want) == 1 && slices.Contains(title, want[0]) },
	} {
		for _, s := range Sections() {
			if fits(titleWords(s.Title)) {
				return s, true
			}
		}
	}
	if rows := rowsOf(word); len(rows) > 0 {
		return rows[0], true
	}
	for _, s := range sections() {
		if grammarHas(s.Text, word) || strings.HasPrefix(word, ruleSwitch) && strings.Contains(s.Text, "`"+ruleSwitch+"`") {
			return s, true
		}
	}
	return Section{}, false
}

// ruleSwitch begins the names of the switches of rewrite rules, of which the reference
// tells together.
const ruleSwitch = "enable_"

// isKeywords tells the title of a statement or clause from prose.
func isKeywords(title string) bool {
	first, _, _ := strings.Cut(title, " ")
	first = strings.Trim(first, ",")
	return first == strings.ToUpper(first)
}

func titleWords(title string) []string {
	words := strings.FieldsFunc(strings.ToUpper(title), func(r rune) bool { return r == ' ' || r == ',' || r == '\t' || r == '\n' })
	return slices.DeleteFunc(words, func(w string) bool { return w == "AND" || w == "FRIENDS" })
}

// rowsOf are the rows of the reference's tables that name a word, each under the title
// of its section.
func rowsOf(word string) []Section {
	var rows []Section
	for _, s := range sections() {
		if row, ok := tableRow(s.Text, word); ok {
			rows = append(rows, Section{Title: s.Title, Text: row})
		}
	}
	return rows
}

// tableRow is the rows of a table whose first cell names a word, under the table's
// head.
func tableRow(text, word string) (string, bool) {
	lines := strings.Split(text, "\n")
	head := 0
	var found []string
	for i, line := range lines {
		if !strings.HasPrefix(line, "|") {
			head = i + 1
			continue
		}
		if cell, _, _ := strings.Cut(line[1:], "|"); i > head+1 && slices.Contains(codes(cell), word) {
			if found == nil {
				found = lines[head : head+2 : head+2]
			}
			found = append(found, line)
		}
	}
	return strings.Join(found, "\n"), found != nil
}

// codes are the words of a cell that are set as code; of a function its name, too.
func codes(cell string) []string {
	var all []string
	for i, part := range strings.Split(cell, "`") {
		if i%2 == 1 {
			all = append(all, part)
			if name, _, ok := strings.Cut(part, "("); ok {
				all = append(all, name)
			}
		}
	}
	return all
}

// grammarHas reports whether a word stands in quotes in one of the grammars.
func grammarHas(text, word string) bool {
	inside := false
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "```") {
			inside = strings.HasPrefix(line, "```ebnf")
		} else if inside && strings.Contains(strings.ToLower(line), `"`+word+`"`) {
			return true
		}
	}
	return false
}
