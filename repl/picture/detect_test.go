package picture

import (
	"strings"
	"testing"

	"occlude/internal/heatmap"
)

// environment reads NAME=value words.
func environment(words string) func(string) string {
	values := map[string]string{}
	for _, w := range strings.Fields(words) {
		name, value, _ := strings.Cut(w, "=")
		values[name] = value
	}
	return func(name string) string { return values[name] }
}

func TestDetect(t *testing.T) {
	const full, few = heatmap.TrueColor, heatmap.Palette256
	for _, tt := range []struct {
		environment string
		protocol    Protocol
		palette     heatmap.Palette
	}{
		{"TERM=xterm-kitty KITTY_WINDOW_ID=1 COLORTERM=truecolor", Kitty, full},
		{"TERM=xterm-kitty", Kitty, full}, // over ssh nothing else comes along
		{"TERM=xterm-256color KITTY_WINDOW_ID=1", Kitty, full},
		{"TERM=xterm-ghostty TERM_PROGRAM=ghostty", Kitty, full},
		{"TERM=xterm-256color TERM_PROGRAM=iTerm.app COLORTERM=truecolor", ITerm, full},
		{"TERM=xterm-256color LC_TERMINAL=iTerm2", ITerm, full},
		{"TERM=xterm-256color TERM_PROGRAM=WezTerm", ITerm, full},
		{"TERM=xterm-256color WEZTERM_PANE=0", ITerm, full},
		{"TERM=xterm TERM_PROGRAM=mintty", ITerm, full},
		{"TERM=foot", Sixel, full},
		{"TERM=mlterm-256color", Sixel, full},
		{"TERM=xterm-256color KONSOLE_VERSION=230800 COLORTERM=truecolor", Sixel, full},
		{"TERM=xterm-256color KONSOLE_VERSION=210400 COLORTERM=truecolor", Blocks, full},
		{"TERM=xterm-256color COLORTERM=truecolor VTE_VERSION=7600", Blocks, full},
		{"TERM=xterm-256color", Blocks, few},
		{"TERM=xterm-direct", Blocks, full},
		{"TERM=linux", Blocks, few},
		{"WT_SESSION=a", Blocks, full},
		// Programs inherit the environment of the terminal that they were started from.
		{"TERM=xterm-256color TERM_PROGRAM=vscode KITTY_WINDOW_ID=1 COLORTERM=truecolor", Blocks, full},
		{"TERM=xterm XTERM_VERSION=XTerm(379) KITTY_WINDOW_ID=1", Blocks, few},
		{"TERM=alacritty KITTY_WINDOW_ID=1", Blocks, full},
		{"TERM=xterm-256color TERM_PROGRAM=Apple_Terminal LC_TERMINAL=iTerm2", Blocks, few},
		// What draws the terminal anew passes pictures on to nobody.
		{"TERM=tmux-256color TMUX=/tmp/tmux-0/default,1,0 KITTY_WINDOW_ID=1 COLORTERM=truecolor", Blocks, full},
		{"TERM=screen-256color TMUX=/tmp/tmux-0/default,1,0 TERM_PROGRAM=iTerm.app", Blocks, few},
		{"TERM=screen STY=1.pts KITTY_WINDOW_ID=1 COLORTERM=truecolor", Blocks, few},
		{"TERM=xterm-kitty ZELLIJ=0", Blocks, few},
		// Without colours there is nothing to see.
		{"TERM=dumb COLORTERM=truecolor", None, full}, {"", None, few}, {"TERM=vt220", None, few},
		{"TERM=xterm-kitty NO_COLOR=1", None, few},
		// What is forced.
		{"TERM=xterm-256color TERM_GRAPHICS=kitty", Kitty, few},
		{"TERM=xterm-256color TERM_GRAPHICS=ITERM", ITerm, few},
		{"TERM=tmux-256color TMUX=x TERM_GRAPHICS=sixel COLORTERM=24bit", Sixel, full},
		{"TERM=xterm-kitty TERM_GRAPHICS=blocks COLORTERM=truecolor", Blocks, full},
		{"TERM=xterm-kitty TERM_GRAPHICS=none", None, few},
		{"TERM=xterm NO_COLOR=1 TERM_GRAPHICS=blocks", Blocks, few},
	} {
		protocol, palette := detect(environment(tt.environment))
		if err := Check(environment(tt.environment)); err != nil || protocol != tt.protocol || palette != tt.palette && protocol != None {
			t.Errorf("%s: %s in palette %d, %v; want %s in %d", tt.environment, protocol, palette, err, tt.protocol, tt.palette)
		}
	}
}

// A wrong word is told with those that there are, and does no harm.
func TestWrongTermGraphics(t *testing.T) {
	env := environment("TERM=xterm-kitty TERM_GRAPHICS=kity")
	protocol, _ := detect(env)
	err := Check(env)
	if protocol != Kitty || err == nil || err.Error() != `TERM_GRAPHICS is "kity"; it can be kitty, iterm, sixel, blocks or none` {
		t.Errorf("%s, %v", protocol, err)
	}
}
