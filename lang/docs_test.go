package lang

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/ebnf"
)

var update = flag.Bool("update", false, "write the grammar and the keywords into docs/language.md")

const reference = "../docs/language.md"

var (
	sqlBlock  = regexp.MustCompile("(?ms)^```sql\n(.*?)^```$")
	ebnfBlock = regexp.MustCompile("(?ms)^```ebnf\n(.*?)^```$")
	rule      = regexp.MustCompile(`(?m)^([A-Z]\w*) =`)
)

// TestExamplesInDocuments parses every ```sql block of the documents.
func TestExamplesInDocuments(t *testing.T) {
	documents, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	documents = append(documents, "../README.md")
	blocks := 0
	for _, document := range documents {
		text, err := os.ReadFile(document)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range sqlBlock.FindAllSubmatchIndex(text, -1) {
			blocks++
			// The lines before the block are kept, empty, for the positions.
			src := strings.Repeat("\n", strings.Count(string(text[:at[2]]), "\n")) + string(text[at[2]:at[3]])
			if _, diagnostics := Parse(document, src); len(diagnostics) > 0 {
				t.Error("\n" + diagnostics.Format(src))
			}
		}
	}
	if blocks < 15 {
		t.Errorf("only %d examples were found", blocks)
	}
}

// TestReference holds the language reference against the parser: each
// production is shown once and as it is, and the words are listed.
func TestReference(t *testing.T) {
	old, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]int{}
	text := ebnfBlock.ReplaceAllStringFunc(string(old), func(block string) string {
		var b strings.Builder
		b.WriteString("```ebnf\n")
		for _, m := range rule.FindAllStringSubmatch(block, -1) {
			name := m[1]
			shown[name+"Syntax"]++
			b.WriteString(showProduction(name))
		}
		b.WriteString("```")
		return b.String()
	})
	text = fillSection(t, text, "reserved words", reserved)
	text = fillSection(t, text, "keywords", Keywords())
	for name := range productions() {
		if shown[name] != 1 {
			t.Errorf("%s shows the rule %s %d times", reference, strings.TrimSuffix(name, "Syntax"), shown[name])
		}
		delete(shown, name)
	}
	for name := range shown {
		t.Errorf("%s shows the rule %s, which is none", reference, strings.TrimSuffix(name, "Syntax"))
	}
	if *update {
		if err := os.WriteFile(reference, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if text != string(old) {
		t.Errorf("%s is not what the parser understands; run go test ./lang -update", reference)
	}
}

// fillSection puts words between a section's marks.
func fillSection(t *testing.T, text, section string, words []string) string {
	t.Helper()
	begin := "<!-- " + section + ": go test ./lang -update -->\n"
	before, rest, found := strings.Cut(text, begin)
	_, after, foundEnd := strings.Cut(rest, "<!-- end -->")
	if !found || !foundEnd {
		t.Fatalf("%s has no section for the %s", reference, section)
	}
	var b strings.Builder
	column := 0
	for i, word := range words {
		if i > 0 {
			if column += len(word) + 4; column > 96 {
				b.WriteString(",\n")
				column = 0
			} else {
				b.WriteString(", ")
			}
		}
		b.WriteString("`" + word + "`")
	}
	return before + begin + b.String() + "\n<!-- end -->" + after
}

// showProduction prints a rule for the reference, its alternatives below each
// other where they do not fit on a line.
func showProduction(name string) string {
	ways := productions()[name+"Syntax"]
	for len(ways) == 1 && len(ways[0].Terms) == 1 && ways[0].Terms[0].Group != nil && ways[0].Terms[0].Repetition == "" {
		ways = ways[0].Terms[0].Group.Expr.Alternatives
	}
	line := name + " = " + showWays(ways, " | ") + "\n"
	if len(line) <= 100 {
		return line
	}
	indent := strings.Repeat(" ", len(name)+1)
	return name + " = " + showWays(ways, "\n"+indent+"| ") + "\n"
}

func showWays(ways []*ebnf.Sequence, separator string) string {
	var out []string
	for _, way := range ways {
		terms := way.Terms
		if len(ways) > 1 && len(terms) == 1 && terms[0].Group != nil && terms[0].Repetition == "" {
			// Parentheses around a whole alternative say nothing.
			out = append(out, showWays(terms[0].Group.Expr.Alternatives, separator))
			continue
		}
		var parts []string
		for _, term := range terms {
			part := strings.TrimSuffix(term.Name, "Syntax") + term.Literal + term.Token
			if term.Group != nil {
				inner := showWays(term.Group.Expr.Alternatives, " | ")
				part = "(" + inner + ")"
				if strings.Count(inner, " ") == 0 {
					part = inner
				}
			}
			parts = append(parts, part+term.Repetition)
		}
		out = append(out, strings.Join(parts, " "))
	}
	return strings.Join(out, separator)
}
