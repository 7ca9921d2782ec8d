package lang

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The bar is the place.
func TestNextAt(t *testing.T) {
	for _, c := range []struct{ text, from, words, kinds string }{
		{"|", "|", "CREATE DROP DESCRIBE", ""},
		{"sho|", "sho|", "SHOW", ""},
		{"SHOW ALL; occ|", "occ|", "OCCLUDE", ""},
		{"OCCLUDE |", "|", "", "image"},
		{"OCCLUDE 'sc|", "'sc|", "", "image"},
		{"OCCLUDE 's.png' |", "|", "USING", ""},
		{"OCCLUDE 's.png' USING |", "|", "", "model"},
		{`OCCLUDE 's.png' USING "my m|`, `"my m|`, "", "model"},
		{`OCCLUDE 's.png' USING 'm|`, `'m|`, "", ""},
		{"OCCLUDE 's.png' USING m |", "|", "FOR PATCH STRIDE FILL", ""},
		{"OCCLUDE 's.png' USING m FOR |", "|", "CLASS TOP", ""},
		{"OCCLUDE 's.png' USING m FOR CLASS '|", "'|", "", "label"},
		{"OCCLUDE 's.png' USING m FILL |", "|", "black white gray rgb", ""},
		{"OCCLUDE 's.png' USING m WHERE |", "|", "NOT x y w h inside", ""},
		{"OCCLUDE 's.png' USING m WITH (|", "|", "", "option"},
		{"OCCLUDE 's.png' USING m WITH (plan = |", "|", "", "value"},
		{"OCCLUDE 's.png' USING m COLORMAP |", "|", "", "colormap"},
		{"OCCLUDE 's.png' USING m INTO |", "|", "TABLE", "file"},
		{"OCCLUDE 's.png' USING m INTO TABLE |", "|", "", "table"},
		{"CREATE MODEL m FROM 'x/|", "'x/|", "", "file"},
		{"CREATE |", "|", "TABLE OR MODEL", ""},
		{"SET |", "|", "", "setting"},
		{"SET threads = |", "|", "", "value"},
		{"SELECT a, b FROM ma|", "ma|", "", "sql"},
		{"COPY (SELECT cl|", "cl|", "", "sql"},
		{"-- OCC|", "|", "", ""},
		{"SHOW /* OCC|", "|", "", ""},
		{"SHOW /* -- */ |", "|", "MODELS TABLES", "setting"},
		{"SHOW /* x */ -- |", "|", "", ""},
		{"SELECT a -- FROM ma|", "|", "", ""},
		{"SELECT a -- FROM\n, b|", "b|", "", "sql"},
		{"SELECT a /* -- */ FROM ma|", "ma|", "", "sql"},
		{"SHOW -- x\n|", "|", "MODELS TABLES", "setting"},
		{"OCCLUDE OCCLUDE |", "|", "", ""},
		{"'open\n OCC|", "OCC|", "", ""},
		{"SELECT 'a|", "'a|", "", ""},
	} {
		offset := strings.IndexByte(c.text, '|')
		n := NextAt(strings.Replace(c.text, "|", "", 1), offset)
		if got := c.text[n.From:]; got != c.from {
			t.Errorf("%s: replaces %q, want %q", c.text, got, c.from)
		}
		for _, w := range strings.Fields(c.words) {
			if !slices.Contains(n.Words, w) {
				t.Errorf("%s: not %s, only %s", c.text, w, n.Words)
			}
		}
		if c.words == "" && len(n.Words) > 0 {
			t.Errorf("%s: may go on with %s", c.text, n.Words)
		}
		kinds := strings.Trim(fmt.Sprint(n.Kinds), "[]")
		if kinds != c.kinds {
			t.Errorf("%s: kinds %q, want %q", c.text, kinds, c.kinds)
		}
	}
}

// A clause that was written is not offered again.
func TestNextLeavesOutWrittenClauses(t *testing.T) {
	src := "OCCLUDE 's.png' USING m patch 4 STRIDE 4 "
	n := NextAt(src, len(src))
	if slices.Contains(n.Words, "PATCH") || slices.Contains(n.Words, "STRIDE") || !slices.Contains(n.Words, "FILL") {
		t.Errorf("%s", n.Words)
	}
	if n.After("using") != "m" || n.After("stride") != "4" || n.After("fill") != "" || n.After("4") != "STRIDE" {
		t.Errorf("%q", n.Before)
	}
}

// Whatever stands at a place in a right statement was expected there.
func TestNextKnowsWhatIsWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src := statements().Draw(t, "statement").String() + ";"
		tokens, _ := statementBefore(src[:len(src)-1])
		if len(tokens) == 0 {
			return
		}
		token := rapid.SampledFrom(tokens).Draw(t, "token")
		n := NextAt(src, token.Pos.Offset)
		if n.From != token.Pos.Offset { // the token touches the word before it
			return
		}
		word := func(w string) bool { return strings.EqualFold(w, token.Value) }
		if isWordLike(token) && !slices.ContainsFunc(n.Words, word) && len(n.Kinds) == 0 {
			t.Errorf("%s: %q is not expected, but %q and %q", src, token.Value, n.Words, n.Kinds)
		}
		if got, from := WordAt(src, token.Pos.Offset+1); isWordLike(token) && (got != token.Value || from != token.Pos.Offset) {
			t.Errorf("%s: %q at %d is read as %q at %d", src, token.Value, token.Pos.Offset, got, from)
		}
	})
}

func FuzzNextAt(f *testing.F) {
	f.Add("OCCLUDE 'a' USING m", 3)
	f.Add("SELECT x FROM 'a", 14)
	f.Add("'", 1)
	f.Fuzz(func(t *testing.T, src string, offset int) {
		if offset < 0 || offset > len(src) || len(src) > 1000 {
			return
		}
		n := NextAt(src, offset)
		if n.From < 0 || n.From > offset || n.Quote+n.Typed != src[n.From:offset] {
			t.Errorf("%q at %d: from %d, %q and %q", src, offset, n.From, n.Quote, n.Typed)
		}
		if _, from := WordAt(src, offset); from < 0 || from > offset {
			t.Errorf("%q at %d: a word from %d", src, offset, from)
		}
	})
}
