package docs_test

import (
	"regexp"
	"strings"
	"testing"

	"occlude/docs"
	"occlude/internal/settings"
	"occlude/lang"
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

// Every word of the language, every option and every setting stands in an example of the
// reference, and the examples are run.
func TestLanguageHasExamples(t *testing.T) {
	page, _ := docs.Page("language")
	written := map[string]bool{}
	for _, block := range regexp.MustCompile("(?ms)^```sql\n(.*?)^```$").FindAllStringSubmatch(page, -1) {
		for _, word := range regexp.MustCompile(`\w+`).FindAllString(block[1], -1) {
			written[strings.ToLower(word)] = true
		}
	}
	names := append(lang.Keywords(), planner.ModelOptions()...)
	names = append(names, planner.QueryOptions()...)
	for _, s := range settings.All() {
		if !strings.HasPrefix(s.Name, "enable_") {
			names = append(names, s.Name)
		}
	}
	for _, name := range append(names, "heatmap", "peak", "mass_in") {
		if !written[strings.ToLower(name)] {
			t.Errorf("language.md has no example of %s", name)
		}
	}
}
