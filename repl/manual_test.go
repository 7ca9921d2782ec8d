package repl_test

import (
	"strings"
	"testing"

	"occlude/internal/settings"
	"occlude/repl"
)

// Of a setting the manual says what it is, and what it is set to.
func TestManual(t *testing.T) {
	var now settings.Settings
	for _, s := range settings.All() {
		text, ok := repl.Manual(strings.ToUpper(s.Name), &now)
		value, err := now.Get(s.Name)
		row := strings.Contains(text, "\n| `"+s.Name+"` |")
		if !ok || err != nil || row == strings.Contains(text, "`"+s.Name+"`: "+s.Meaning) || !strings.Contains(text, "The setting `"+s.Name+"` is `"+value+"` now") {
			t.Errorf("%s:\n%s", s.Name, text)
		}
	}
	if _, ok := repl.Manual("wibble", &now); ok {
		t.Error("there is help on wibble")
	}
}

// There is help on every topic.
func TestTopics(t *testing.T) {
	var now settings.Settings
	for _, topic := range repl.Topics() {
		if _, ok := repl.Manual(topic, &now); !ok {
			t.Errorf("there is no help on %s", topic)
		}
	}
}
