package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/clipperhouse/displaywidth"

	"occlude/docs"
)

// The index lists every page once, and nothing else.
func TestIndex(t *testing.T) {
	files, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	var pages []string
	for _, f := range files {
		if name := strings.TrimSuffix(f, ".md"); name != "README" {
			pages = append(pages, name)
		}
	}
	topics := docs.Topics()
	slices.Sort(topics)
	if !slices.Equal(topics, pages) {
		t.Errorf("docs/README.md lists %q; the pages are %q", topics, pages)
	}
	for _, g := range docs.Groups() {
		if g.Title == "" || len(g.Entries) == 0 {
			t.Errorf("the group %q has the entries %q", g.Title, g.Entries)
		}
	}
	for line := range strings.Lines(docs.Overview("occlude help")) {
		if displaywidth.String(line) > 101 {
			t.Errorf("too wide: %s", line)
		}
	}
}

func TestHelp(t *testing.T) {
	for topic, begins := range map[string]string{
		"occlude": "## OCCLUDE\n", "create  MODEL": "## CREATE MODEL\n", "Stride": "## PATCH and STRIDE\n", "tables": "# Tables\n",
		"explain": "## EXPLAIN\n", "explain.md": "# Reading a plan", "tau": "## `tau` in WITH\n\n| option |", "enable_full": "## `enable_full` in Switches\n\n| setting |",
		"exit status": "## Exit status\n", "dicom": "## DICOM files\n", "clear cache": "## SHOW CACHE", "into table": "## INTO and COLORMAP\n", "repl": "# The shell\n", "peak": "## Functions of heat maps\n\n| function |", "Heatmap()": "## Functions of heat maps\n\n| function |", "pointing": "## EVALUATE\n\n| metric |", "select": "## SELECT and friends\n",
		"SET threads": "## `threads` in SET, SHOW and RESET\n", "with threads": "## `threads` in WITH\n", "reset enable_full": "## `enable_full` in Switches\n",
	} {
		if text, ok := docs.Help(topic); !ok || !strings.HasPrefix(text, begins) {
			t.Errorf("%s: %.60q, want %q", topic, text, begins)
		}
	}
	if text, _ := docs.Help("threads"); strings.Count(text, "\n## ")+1 != 2 {
		t.Errorf("threads is a setting and a hint:\n%s", text)
	}
	for _, topic := range []string{"", "wibble", "../README", "nosuch.md", "set wibble", "wibble threads"} {
		if _, ok := docs.Help(topic); ok {
			t.Errorf("there is help on %q", topic)
		}
	}
}

var escapes = regexp.MustCompile("\x1b\\[[0-9]*m")

// Every page fits the terminal, says the same with and without color, and has no marks
// of Markdown left. Code and single words may be wider than the terminal.
func TestTerminal(t *testing.T) {
	for _, topic := range append(docs.Topics(), "README") {
		page, _ := docs.Page(topic)
		for _, columns := range []int{60, 100} {
			text := docs.Terminal(page, columns, false)
			if strings.Contains(text, "\x1b") {
				t.Errorf("%s: color where none is wanted", topic)
			}
			for line := range strings.Lines(text) {
				line = strings.TrimSuffix(line, "\n")
				if displaywidth.String(line) > columns && !strings.HasPrefix(line, "    ") && columns == 100 {
					t.Errorf("%s: more than %d columns: %s", topic, columns, line)
				}
				if strings.TrimRight(line, " ") != line {
					t.Errorf("%s: spaces at the end of %q", topic, line)
				}
				for _, mark := range []string{"```", "](", "<!--", "<img", "**"} {
					if strings.Contains(line, mark) && !strings.HasPrefix(line, "    ") {
						t.Errorf("%s: %s is left in %s", topic, mark, line)
					}
				}
			}
		}
		if colored := escapes.ReplaceAllString(docs.Terminal(page, 80, true), ""); letters(colored) != letters(docs.Terminal(page, 80, false)) {
			t.Errorf("%s says something else in color", topic)
		}
	}
}

// letters are those of a text in the order of the alphabet, without what sets code and
// titles off: what is wrapped elsewhere in a table stands in another order.
func letters(text string) string {
	all := []rune(strings.NewReplacer(" ", "", "\n", "", "`", "", "─", "", "═", "").Replace(text))
	slices.Sort(all)
	return string(all)
}

func TestTerminalSetsBlocks(t *testing.T) {
	const page = "# A title\n\nA [link](page.md#x) to\n**all** of `it`, see [there](https://example.org).\n\n- one\n- two that is\n  longer\n\n```sql\nSELECT  1;\n```\n\n" +
		"| a | |\n|---|---|\n| `b \\| c` | d &lt; e |\n\n<!-- nothing -->\n<img src=\"x.png\" width=\"1\" alt=\"A dog.\">\n"
	const want = "A title\n═══════\n\nA link to all of `it`, see there\n(https://example.org).\n\n- one\n- two that is longer\n\n    SELECT  1;\n\n" +
		"a\n───────  ─────\n`b | c`  d < e\n\n(Picture: A dog.)\n"
	if got := docs.Terminal(page, 40, false); got != want {
		t.Errorf("it is set as\n%s\nwant\n%s", got, want)
	}
	if got := docs.Terminal("a **b c** `d`", 40, true); got != "a \x1b[1mb c\x1b[0m \x1b[36md\x1b[0m\n" {
		t.Errorf("in color: %q", got)
	}
}

var (
	target = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)|<img src="([^"]+)"`)
	fences = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	title  = regexp.MustCompile(`(?m)^#{1,6} +(.*\S)\s*$`)
	dashes = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Every link from one of the repository's pages to a file or a section leads there.
func TestLinks(t *testing.T) {
	var files []string
	for _, pattern := range []string{"*.md", "../*.md", "../examples/*.md", "../examples/*/*.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	links := 0
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		prose := fences.ReplaceAllString(string(text), "")
		for _, m := range target.FindAllStringSubmatch(prose, -1) {
			to := m[1] + m[2]
			if strings.Contains(to, "://") {
				continue
			}
			links++
			name, anchor, _ := strings.Cut(to, "#")
			path := file
			if name != "" {
				path = filepath.Join(filepath.Dir(file), name)
			}
			if _, err := os.Stat(path); err != nil {
				t.Errorf("%s links to %s, which is not there", file, to)
			} else if anchor != "" && !slices.Contains(anchors(t, path), anchor) {
				t.Errorf("%s links to %s: there is no such section", file, to)
			}
		}
	}
	if links < 100 {
		t.Errorf("only %d links were found", links)
	}
}

// anchors are the names by which GitHub knows the sections of a page.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	fenced := regexp.MustCompile("(?ms)^```.*?^```$").ReplaceAllString(string(text), "")
	for _, m := range title.FindAllStringSubmatch(fenced, -1) {
		name := strings.ReplaceAll(dashes.ReplaceAllString(strings.ToLower(strings.ReplaceAll(m[1], "`", "")), ""), " ", "-")
		all = append(all, name)
	}
	return all
}
