package shell

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestPromptAfter(t *testing.T) {
	for text, want := range map[string]string{
		"": "=>", " \n": "=>", "SHOW ALL;\n": "=>", "-- so\n": "=>", "\\x\n": "=>",
		"SHOW\n": "->", "SHOW ALL; SHOW\n": "->", "'a\n": "'>", "DROP \"a\n": `">`, "(\n": "(>", "([\n": "[>", "/* (\n": "*>",
		"SELECT (1,\n": "(>", "SELECT `a\n": "`>", "SELECT 'a\n": "'>", "SELECT /*\n": "*>", "SELECT [a\n": "[>",
	} {
		if got := promptAfter(text); got != "occlude"+want+" " || len(got) != len(prompt) {
			t.Errorf("behind %q stands %q", text, got)
		}
	}
}

// Prompts that are kept from one key to the next are those of the text as it is.
func TestPromptsFollowTheText(t *testing.T) {
	pieces := rapid.SampledFrom([]string{"SHOW", " ", "\n", "\n", "'", `"`, "(", ")", "/*", "*/", ";", "--", "é", "\\x"})
	rapid.Check(t, func(t *rapid.T) {
		var p prompts
		text := ""
		for range rapid.IntRange(1, 12).Draw(t, "keys") {
			at := rapid.IntRange(0, len(text)).Draw(t, "at")
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				text = text[:at]
			case 1:
				text = text[at:]
			default:
				text = text[:at] + pieces.Draw(t, "piece") + text[at:]
			}
			var want []string
			for i := range strings.Count(text, "\n") + 1 {
				lines := strings.SplitAfter(text, "\n")
				want = append(want, promptAfter(strings.Join(lines[:i], "")))
			}
			if got := p.of(text); !slices.Equal(got, want) {
				t.Fatalf("%q has %q, not %q", text, got, want)
			}
		}
	})
}

// Whatever the text, what is painted is it, each line behind its prompt.
func TestPaint(t *testing.T) {
	for _, text := range []string{"", "SHOW 'a\nb' -- c\n/* d\n\n*/ 1 ?", "\\x on\nSELECT 'é\n", "\n\n", "SELECT [a\nb] FROM \"t"} {
		var p prompts
		want := strings.ReplaceAll(text, "\n", "\n\r")
		for _, prompt := range p.of(text)[1:] {
			want = strings.Replace(want, "\n\r", "\n\f"+prompt, 1)
		}
		want = strings.ReplaceAll(want, "\f", "\r")
		plain := paint(text, p.of(text), false)
		if plain != want {
			t.Errorf("%q is shown as %q, not %q", text, plain, want)
		}
		colored := paint(text, p.of(text), true)
		for _, c := range append([]string{plainColor}, "\x1b[36m", "\x1b[32m", "\x1b[35m", "\x1b[90m", "\x1b[4;31m") {
			colored = strings.ReplaceAll(colored, c, "")
		}
		if colored != want {
			t.Errorf("%q is painted as %q", text, colored)
		}
	}
}

// What readline replaces is ASCII at the end of what was typed, and never nothing but
// behind a blank.
func TestReplaced(t *testing.T) {
	for _, c := range []struct {
		text       string
		offset     int
		lead, part string
		ok         bool
	}{
		{"SHOW thr", 5, "", "thr", true}, {"SHOW ", 5, "", "", true}, {"", 0, "", "", true}, {"WITH (", 6, "(", "(", true},
		{"USING 'é", 6, "", "", false}, {"USING 'éa", 6, "", "a", true}, {"é", 2, "", "", false}, {"(\n", 2, "", "", true},
	} {
		lead, from, ok := replaced(c.text, c.offset)
		if ok != c.ok || ok && (lead != c.lead || c.text[from:] != c.part) {
			t.Errorf("%q from %d: %q, %q, %v", c.text, c.offset, lead, c.text[from:], ok)
		}
	}
}
