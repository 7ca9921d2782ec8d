package lang

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// shown writes each lexeme with a letter for its kind before it.
func shown(src string) string {
	letters := map[LexemeKind]string{
		LexemeKeyword: "k", LexemeName: "n", LexemeString: "s", LexemeNumber: "d",
		LexemeSymbol: "y", LexemeComment: "c", LexemeBad: "b",
	}
	var all []string
	for _, x := range Lexemes(src) {
		all = append(all, letters[x.Kind]+":"+src[x.From:x.To])
	}
	return strings.Join(all, "|")
}

func TestLexemes(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"", ""},
		{" \n", ""},
		{"occlude 'a b' USING m PATCH 16x16;", "k:occlude|s:'a b'|k:USING|n:m|k:PATCH|d:16|n:x|d:16|y:;"},
		{`FILL #7f7f7f "a""b" 1e-3 >= [`, `k:FILL|d:#7f7f7f|n:"a""b"|d:1e-3|y:>=|y:[`},
		{"SHOW -- all 'of' it\n ALL /* or\n not */;", "k:SHOW|c:-- all 'of' it|k:ALL|c:/* or\n not */|y:;"},
		{"-- only", "c:-- only"},
		{"PREDICT 'a.png USING\nm;", "k:PREDICT|s:'a.png USING\nm;"},
		{"DROP MODEL \"a;\nb", "k:DROP|k:MODEL|n:\"a;\nb"},
		{"SHOW /* ALL;\n", "k:SHOW|c:/* ALL;\n"},
		{"SHOW ? ALL", "k:SHOW|b:?|k:ALL"},
		{"SELECT a, 'it''s' FROM [my t] WHERE x < 3.5 -- so\n;SHOW", "k:SELECT|n:a|y:,|s:'it'|s:'s'|k:FROM|n:[my t]|k:WHERE|n:x|y:<|d:3.5|c:-- so|y:;|k:SHOW"},
		{"SELECT 'a\nb", "k:SELECT|s:'a\nb"},
		{"SELECT (1 /* x", "k:SELECT|y:(|d:1|c:/* x"},
		{"COPY (SELECT 1) TO 'x';", "k:COPY|y:(|k:SELECT|d:1|y:)|k:TO|s:'x'|y:;"},
		{"CREATE TABLE \"t\" (x);", "k:CREATE|k:TABLE|n:\"t\"|y:(|n:x|y:)|y:;"},
	} {
		if got := shown(c.src); got != c.want {
			t.Errorf("%q is\n%s, want\n%s", c.src, got, c.want)
		}
	}
}

// Whatever the text, lexemes follow one another inside of it, begin and end where
// runes do, and only blanks lie between them.
func TestLexemesCoverTheText(t *testing.T) {
	words := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom([]string{"SELECT", "OCCLUDE", "'", `"`, "--", "/*", "*/", ";", "(", "[", "]", "\n", " ", "é", "\xff", "1.5x", "#", "`", "m"}), rapid.String()))
	rapid.Check(t, func(t *rapid.T) {
		src := strings.Join(words.Draw(t, "words"), "")
		at := 0
		for _, x := range append(Lexemes(src), Lexeme{From: len(src), To: len(src)}) {
			if x.From < at || x.To < x.From || x.To > len(src) {
				t.Fatalf("%v after %d in %q", x, at, src)
			}
			if gap := strings.TrimPrefix(src[at:x.From], "\uFEFF"); strings.TrimSpace(gap) != "" {
				t.Fatalf("%q is nothing, in %q", gap, src)
			}
			at = x.To
		}
	})
}

func ExampleLexemes() {
	src := "SHOW threads; -- of this session"
	for _, x := range Lexemes(src) {
		fmt.Printf("%q ", src[x.From:x.To])
	}
	// Output: "SHOW" "threads" ";" "-- of this session"
}
