package repl

import (
	"fmt"
	"slices"
	"strings"

	"occlude/docs"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
)

// Manual is what the manual says of a topic, as Markdown, and of a setting what it is and
// what it is set to.
func Manual(topic string, now *settings.Settings) (markdown string, ok bool) {
	text, ok := docs.Help(topic)
	if !ok {
		return "", false
	}
	for _, s := range settings.All() {
		value, err := now.Get(s.Name)
		if err != nil || !strings.EqualFold(s.Name, topic) {
			continue
		}
		if !strings.Contains(text, "| `"+s.Name+"` |") { // a row of a table
			text += fmt.Sprintf("\n`%s`: %s.\n", s.Name, s.Meaning)
		}
		text += fmt.Sprintf("\nThe setting `%s` is `%s` now; `SET %[1]s = ...;` changes it.\n", s.Name, value)
	}
	return text, true
}

// Topics are the names that the manual tells of: pages, statements and clauses, words of
// the language, settings and options.
func Topics() []string {
	all := slices.Concat(docs.Known(), lang.Keywords(), settings.Names(), planner.QueryOptions(), planner.ModelOptions())
	slices.Sort(all)
	return slices.Compact(all)
}
