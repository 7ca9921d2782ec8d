package docs_test

import (
	"strings"
	"testing"

	"occlude/docs"
	"occlude/internal/settings"
	"occlude/planner"
	"occlude/planner/rewrite"
)

// The manual's tables have every setting, every switch but those of rewrite rules, and
// every hint.
func TestLanguageListsSettingsAndHints(t *testing.T) {
	page, ok := docs.Page("language")
	if !ok {
		t.Fatal("there is no page about the language")
	}
	rules := map[string]bool{}
	for _, r := range rewrite.Rules() {
		rules[settings.SwitchOf(r.Name)] = true
	}
	var names []string
	for _, s := range settings.All() {
		if !rules[s.Name] {
			names = append(names, s.Name)
		}
	}
	for _, h := range planner.Hints() {
		names = append(names, h.Name)
	}
	for _, name := range names {
		if !strings.Contains(page, "\n| `"+name+"` | ") {
			t.Errorf("language.md has no row for %s", name)
		}
	}
}
