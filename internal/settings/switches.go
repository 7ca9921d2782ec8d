package settings

import (
	"slices"
	"strings"

	"occlude/planner/rewrite"
)

// Values of switches.
const (
	on  = "on"
	off = "off"
)

// choices are what the planner chooses from, but for rewrite rules: each has a
// switch that rules it out. Direct convolution has none, for it is what is left.
var choices = []struct{ name, meaning string }{
	{"full", "the plan that infers every occluded image whole"},
	{"incremental", "the plan that computes what a patch changes, and reads the rest from views"},
	{"approximate", "all plans that leave something out, as hints ask or goals allow"},
	{"thresholding", "approximate plans that crop what a patch changes: tau"},
	{"drill_down", "approximate plans that refine a coarse grid: drill_down, speedup"},
	{"sampling", "approximate plans that sample until a goal is reached: SSIM, WITHIN"},
	{"sketches", "samples that are computed cheaply and corrected by gradients"},
	{"trend", "the first layers at all positions, as the trend of a map that is sampled"},
	{"gpu", "plans on a GPU"},
	{"tensor", "products on a GPU's tensor cores"},
	{"winograd_2", "convolutions by Winograd's algorithm in tiles of 2 cells a side"},
	{"winograd_4", "convolutions by Winograd's algorithm in tiles of 4 cells a side"},
	{"winograd_6", "convolutions by Winograd's algorithm in tiles of 6 cells a side"},
}

// switches makes the settings enable_... of the planner's choices and of the rewrite
// rules, sorted by name.
func switches() []Setting {
	var all []Setting
	add := func(name, meaning string) {
		all = append(all, Setting{Name: SwitchOf(name), Kind: KindSwitch, Default: on, Values: []string{on, off}, Meaning: meaning, check: checkSwitch})
	}
	for _, c := range choices {
		add(c.name, c.meaning)
	}
	for _, r := range rewrite.Rules() {
		add(r.Name, "rewrite rule: "+r.Doc)
	}
	slices.SortFunc(all, func(a, b Setting) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// SwitchOf is the setting by which a choice or a rewrite rule is ruled out.
func SwitchOf(name string) string { return "enable_" + strings.ReplaceAll(name, "-", "_") }

// Enabled tells whether a choice or a rewrite rule is not ruled out.
func (s *Settings) Enabled(name string) bool { return s.value(SwitchOf(name)) == on }

// Off lists the switches that are off.
func (s *Settings) Off() []string {
	var all []string
	for _, t := range table {
		if t.Kind == KindSwitch && s.value(t.Name) == off {
			all = append(all, t.Name)
		}
	}
	return all
}

// checkSwitch takes the usual words for on and off.
func checkSwitch(v string) (string, error) {
	switch strings.ToLower(v) {
	case "true", "yes", "1":
		return on, nil
	case "false", "no", "0":
		return off, nil
	}
	return oneOf(on, off)(v)
}
