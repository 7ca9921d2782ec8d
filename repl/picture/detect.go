package picture

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"occlude/internal/heatmap"
)

// Protocol is how a terminal takes pictures.
type Protocol string

// The protocols, and two ways to do without one.
const (
	Kitty  Protocol = "kitty"
	ITerm  Protocol = "iterm"
	Sixel  Protocol = "sixel"
	Blocks Protocol = "blocks" // half-block characters
	None   Protocol = "none"   // no pictures
)

var protocols = []string{string(Kitty), string(ITerm), string(Sixel), string(Blocks), string(None)}

// graphic tells whether the terminal draws pixels.
func (p Protocol) graphic() bool { return p == Kitty || p == ITerm || p == Sixel }

// variable is that of the environment which forces a protocol.
const variable = "TERM_GRAPHICS"

// Check tells what is wrong with TERM_GRAPHICS. It is then as if it were not set.
func Check(env func(string) string) error {
	if _, ok := forced(env); ok || env(variable) == "" {
		return nil
	}
	last := len(protocols) - 1
	return fmt.Errorf("%s is %q; it can be %s or %s", variable, env(variable), strings.Join(protocols[:last], ", "), protocols[last])
}

// forced is what TERM_GRAPHICS says.
func forced(env func(string) string) (p Protocol, ok bool) {
	name := strings.ToLower(env(variable))
	return Protocol(name), slices.Contains(protocols, name)
}

// detect finds the protocol and the colours of a terminal in the environment.
func detect(env func(string) string) (Protocol, heatmap.Palette) {
	found := guess(env)
	if p, ok := forced(env); ok {
		return p, palette(env, p)
	}
	return found, palette(env, found)
}

// byTerm and byProgram are what is known of terminals by the beginning of TERM and by
// TERM_PROGRAM.
var (
	byTerm = []struct {
		prefix string
		is     Protocol
	}{
		{"xterm-kitty", Kitty}, {"xterm-ghostty", Kitty}, {"ghostty", Kitty},
		{"wezterm", ITerm}, {"mintty", ITerm}, {"rio", ITerm},
		{"foot", Sixel}, {"mlterm", Sixel}, {"contour", Sixel}, {"yaft", Sixel},
		{"alacritty", Blocks},
	}
	byProgram = map[string]Protocol{
		"kitty": Kitty, "ghostty": Kitty,
		"iterm.app": ITerm, "wezterm": ITerm, "mintty": ITerm, "rio": ITerm,
	}
)

// guess goes from what each terminal sets itself to what programs inherit from the
// terminal that started them, and may be of another one.
func guess(env func(string) string) Protocol {
	has := func(names ...string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return env(n) != "" })
	}
	term := strings.ToLower(env("TERM"))
	switch {
	case has("NO_COLOR"), IsDumb(env), isVT(term):
		return None
	case multiplexed(env):
		return Blocks // it holds the text and would lose the pictures
	}
	for _, t := range byTerm {
		if strings.HasPrefix(term, t.prefix) {
			return t.is
		}
	}
	if program := env("TERM_PROGRAM"); program != "" {
		if p, ok := byProgram[strings.ToLower(program)]; ok {
			return p
		}
		return Blocks
	}
	switch {
	case strings.EqualFold(env("LC_TERMINAL"), "iTerm2"): // which ssh hands on
		return ITerm
	case has("KONSOLE_VERSION"):
		const firstWithSixel = 220400
		if v, err := strconv.Atoi(env("KONSOLE_VERSION")); err == nil && v >= firstWithSixel {
			return Sixel
		}
		return Blocks
	case has("XTERM_VERSION", "VTE_VERSION", "WT_SESSION"):
		return Blocks // some of these can do sixel, if they were told to
	case has("KITTY_WINDOW_ID", "GHOSTTY_RESOURCES_DIR"):
		return Kitty
	case has("WEZTERM_PANE", "WEZTERM_EXECUTABLE", "ITERM_SESSION_ID"):
		return ITerm
	}
	return Blocks
}

// IsDumb is true of terminals that would show control sequences as they are.
func IsDumb(env func(string) string) bool {
	term := strings.ToLower(env("TERM"))
	return term == "dumb" || term == "" && env("WT_SESSION") == ""
}

// multiplexed tells whether the terminal is drawn by tmux, screen or zellij.
func multiplexed(env func(string) string) bool {
	return env("TMUX") != "" || env("ZELLIJ") != "" || isScreen(env) || strings.HasPrefix(env("TERM"), "tmux")
}

func isScreen(env func(string) string) bool {
	return env("TMUX") == "" && (env("STY") != "" || strings.HasPrefix(env("TERM"), "screen"))
}

// isVT is true of the terminals of old, vt52 to vt525, which have no colours.
func isVT(term string) bool {
	n, ok := strings.CutPrefix(term, "vt")
	return ok && n != "" && n[0] >= '0' && n[0] <= '9'
}

// palette finds the colours: nearly every terminal has 256.
func palette(env func(string) string, p Protocol) heatmap.Palette {
	colours, term := strings.ToLower(env("COLORTERM")), strings.ToLower(env("TERM"))
	switch {
	case isScreen(env): // GNU screen takes 24-bit colours for something else
	case colours == "truecolor", colours == "24bit", strings.HasSuffix(term, "-direct"), strings.HasPrefix(term, "alacritty"),
		env("WT_SESSION") != "", p == guess(env) && p.graphic():
		return heatmap.TrueColor
	}
	return heatmap.Palette256
}
