// Package docs is the manual, as it stands in this folder, for `occlude help`.
package docs

import (
	"embed"
	"sort"
	"strings"
)

//go:embed *.md
var pages embed.FS

// Topics are the names of the pages.
func Topics() []string {
	entries, err := pages.ReadDir(".")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".md"))
	}
	sort.Strings(names)
	return names
}

// Page is the text of a page.
func Page(topic string) (string, bool) {
	text, err := pages.ReadFile(topic + ".md")
	return string(text), err == nil
}
