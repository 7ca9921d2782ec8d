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
		if value, err := now.Get(s.Name); err == nil && strings.EqualFold(s.Name, topic) {
			text += fmt.Sprintf("\n%s: it is `%s` now; `SET %s = ...;` changes it.\n", s.Meaning, value, s.Name)
		}
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
