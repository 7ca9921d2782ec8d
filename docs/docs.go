// Package docs is the manual, as it stands in this folder, for all who show it: `occlude
// help`, the shell and notebooks.
//
// A text stands once. README.md is the index: Groups reads it, so a page that it lists is
// a topic. Help finds the page or the part of a page that tells about a word, as
// Markdown; Terminal sets Markdown for a terminal.
package docs

import (
	"embed"
	"regexp"
	"strings"
)

//go:embed *.md
var pages embed.FS

// Group is a part of the index.
type Group struct {
	Title   string
	Entries []Entry
}

// Entry is a page of the index.
type Entry struct {
	Topic string // the page's name
	Line  string // what it is about, in plain text
}

// Groups is the index of the manual, in its order.
func Groups() []Group {
	text, _ := Page("README")
	var all []Group
	for line := range strings.Lines(text) {
		if m := heading.FindStringSubmatch(line); m != nil && len(m[1]) == 2 {
			all = append(all, Group{Title: m[2]})
		}
		if m := entry.FindStringSubmatch(line); m != nil && len(all) > 0 {
			last := &all[len(all)-1]
			last.Entries = append(last.Entries, Entry{m[1], m[2]})
		}
	}
	return all
}

var entry = regexp.MustCompile(`^\| \[[^\]]*\]\((\w+)\.md\) \| (.*\S) +\|\s*$`)

// Topics are the names of the pages, in the order of the index.
func Topics() []string {
	var names []string
	for _, g := range Groups() {
		for _, e := range g.Entries {
			names = append(names, e.Topic)
		}
	}
	return names
}

// Page is the text of a page.
func Page(topic string) (string, bool) {
	text, err := pages.ReadFile(topic + ".md")
	return string(text), err == nil
}
