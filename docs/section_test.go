package docs_test

import (
	"strings"
	"testing"

	"occlude/docs"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
)

func TestFind(t *testing.T) {
	for topic, title := range map[string]string{
		"occlude": "OCCLUDE", "CREATE": "CREATE MODEL", "create model": "CREATE MODEL", "Analyze": "ANALYZE MODEL", "MODEL": "CREATE MODEL",
		"patch": "PATCH and STRIDE", "STRIDE": "PATCH and STRIDE", "where": "WHERE", "between": "WHERE", "inside": "WHERE", "top": "PREDICT", "and": "WHERE",
		"within": "SSIM, WITHIN and VERIFY", "reset": "SET, SHOW and RESET", "show models": "SHOW MODELS", "select": "SELECT and friends",
		"blur": "FILL", "black": "FILL", "colormap": "INTO and COLORMAP", "size": "CREATE MODEL", "p_drop": "OCCLUDE",
	} {
		s, ok := docs.Find(topic)
		if !ok || s.Title != title || s.Text == "" {
			t.Errorf("%s: %q, want %q", topic, s.Title, title)
		}
	}
	for _, topic := range []string{"", " ", "wibble", "#", "|", "Reading the grammars"} {
		if s, ok := docs.Find(topic); ok {
			t.Errorf("%q is found in %q", topic, s.Title)
		}
	}
	if s, _ := docs.Find("tau"); strings.Count(s.Text, "\n") != 2 || !strings.Contains(s.Text, "`tau`") {
		t.Errorf("an option is more than its row:\n%s", s.Text)
	}
	if s, _ := docs.Find("OCCLUDE"); len(s.Parts) < 8 || s.Parts[0] != "FOR" {
		t.Errorf("OCCLUDE has the parts %q", s.Parts)
	}
}

// There is help on every word of the language, every option and every setting.
func TestFindKnowsEveryWord(t *testing.T) {
	var words []string
	words = append(words, lang.Keywords()...)
	words = append(words, settings.Names()...)
	words = append(words, planner.ModelOptions()...)
	words = append(words, planner.QueryOptions()...)
	for _, word := range words {
		if _, ok := docs.Find(word); !ok {
			t.Errorf("there is no help on %s", word)
		}
	}
}
