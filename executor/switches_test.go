package executor_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/model"
	"occlude/internal/network/networktest"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
	"occlude/planner/cost"
)

// switchesOf are all switches.
func switchesOf() (names []string) {
	for _, s := range settings.All() {
		if s.Kind == settings.KindSwitch {
			names = append(names, s.Name)
		}
	}
	return names
}

// asBefore checks that a heat map is the one of before: to the bit, where the network
// and the plan are the same.
func asBefore(t *testing.T, what string, before, now *executor.HeatMap) {
	t.Helper()
	same := len(before.Plan.Net.Layers) == len(now.Plan.Net.Layers) && fmt.Sprint(before.Plan.Fired) == fmt.Sprint(now.Plan.Fired) &&
		before.Plan.Chosen().Name == now.Plan.Chosen().Name && slices.Equal(before.Plan.Chosen().Algorithms, now.Plan.Chosen().Algorithms)
	for k, m := range before.Classes {
		for i, p := range m.P {
			d := math.Abs(float64(p - now.Classes[k].P[i]))
			if !(d <= 1e-4) || same && d != 0 {
				t.Fatalf("%s: position %d of class %s is %v, and was %v (same plan: %v)", what, i, m.Label, now.Classes[k].P[i], p, same)
			}
		}
	}
}

// Whatever is ruled out, the answer stays: of the example's network, and of random ones
// that have layers of all kinds.
func TestSwitchesLeaveTheAnswer(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	const query = "OCCLUDE 'examples/images/spiculated.png' USING chest FOR TOP 2 STRIDE 52;"
	before := b.one(query)
	for _, name := range switchesOf() {
		b.run("SET " + name + " = off;")
		now := b.one(query)
		b.run("RESET " + name + ";")
		asBefore(t, name, before, now)
		if !slices.Equal(now.Plan.Off, []string{name}) {
			t.Errorf("%s: ruled out are %v", name, now.Plan.Off)
		}
		for _, f := range now.Plan.Fired {
			if settings.SwitchOf(f.Rule) == name {
				t.Errorf("%s is off, but the rule fired", name)
			}
		}
		if chosen := now.Plan.Chosen().Name; settings.SwitchOf(chosen) == name {
			t.Errorf("%s is off, but the plan was chosen", name)
		}
	}
	if b.one(query).Plan.Off != nil {
		t.Error("something is still off")
	}
}

func TestSwitchesLeaveTheAnswerOfRandomNetworks(t *testing.T) {
	long(t)
	picture := filepath.Join(t.TempDir(), "picture.png")
	colourful(t, picture, 24, 7)
	names := switchesOf()
	for seed := range uint64(60) {
		net := networktest.Random(rand.New(rand.NewPCG(seed, 11)), networktest.Options{})
		if net.Input().Shape.C == 4 { // no image has four channels
			continue
		}
		m := single{&model.Model{Name: "m", Net: net, Classes: net.Output.Shape.Len(), Output: model.OutputProbabilities, Spec: specFor(net.Input().Shape)}}
		before := m.ruledOut(t, picture, "")
		for _, name := range []string{names[seed%uint64(len(names))], names[(7*seed+3)%uint64(len(names))]} {
			asBefore(t, fmt.Sprintf("seed %d, %s", seed, name), before, m.ruledOut(t, picture, name))
		}
	}
}

// ruledOut is the map of a picture while a setting is off.
func (c single) ruledOut(t *testing.T, picture, name string) (h *executor.HeatMap) {
	t.Helper()
	s := &settings.Settings{}
	if name != "" {
		if err := s.Set(name, "off"); err != nil {
			t.Fatal(err)
		}
	}
	script, diagnostics := lang.Parse("test", "OCCLUDE '"+picture+"' USING m PATCH 4 STRIDE 5;")
	if err := diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	plan, err := planner.New(planner.Env{Catalog: c, Settings: s, Profile: cost.Default()}).Plan(context.Background(), script.Statements[0])
	if err != nil {
		t.Fatal(err)
	}
	err = executor.NewSession().Run(context.Background(), plan, func(r executor.Result) error {
		h = r.(*executor.HeatMap)
		return nil
	})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return h
}

// What would leave no plan is an error that names the settings; what hints force is
// not to be had where it is ruled out.
func TestNothingLeft(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	const query = "OCCLUDE 'examples/images/clear.png' USING chest STRIDE 52 "
	for _, c := range []struct{ off, rest, says string }{
		{"full incremental", "WITHIN 5 SECONDS;", "full and incremental are ruled out by SET enable_full = off, SET enable_incremental = off; plans that sample"},
		{"full incremental", "WITH (device = 'auto');", "no plan is left: incremental and full are ruled out"},
		{"full incremental", ";", "no plan is left: incremental and full are ruled out by SET enable_full = off, SET enable_incremental = off"},
		{"full", "WITH (plan = full);", "no plan is left: full is ruled out by SET enable_full = off"},
		{"thresholding", "WITH (tau = 0.5);", "SET enable_thresholding = off"},
		{"approximate", "WITH (drill_down = 0.1, speedup = 2);", "SET enable_approximate = off"},
		{"drill_down", "WITH (drill_down = 0.1, speedup = 2);", "SET enable_drill_down = off"},
		{"sampling", "WITHIN 5 SECONDS;", "SET enable_sampling = off"},
		{"sketches", "SSIM >= 0.9 WITH (tau = 0.3);", "SET enable_sketches = off"},
		{"trend", "SSIM >= 0.9 WITH (trend = on);", "SET enable_trend = off"},
		{"winograd_4", "WITH (convolution = 'F(4x4)');", "SET enable_winograd_4 = off"},
		{"", "WITH (sketches = on);", "sketches is for plans that sample"},
		{"", "SSIM >= 0.99 WITH (sketches = on);", "with SSIM above 0.97 the map is exact"},
		{"", "SSIM >= 0.9 WITH (sketches = off, tau = 0.3);", "sketches = 'off' forbids"},
		{"", "WITH (kernels = 'neon');", "is not one of auto, avx512, avx2, generic"},
		{"", "WITH (threads = 0);", "from 1 to 1024"},
	} {
		b.run("RESET ALL;")
		for name := range strings.FieldsSeq(c.off) {
			b.run("SET enable_" + name + " = off;")
		}
		if err := b.fails(query + c.rest); !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.rest, err)
		}
	}
}

// Hints take the place of settings, for one statement.
func TestHintsInPlaceOfSettings(t *testing.T) {
	b := newBench(t)
	b.run(chest)
	const query = "OCCLUDE 'examples/images/clear.png' USING chest STRIDE 104"
	h := b.one(query + " WITH (threads = 3, kernels = 'generic');")
	if h.Plan.Threads != 3 || h.Plan.Kernels != "generic" {
		t.Errorf("%d threads, kernels %s", h.Plan.Threads, h.Plan.Kernels)
	}
	b.run("SET threads = 2;")
	if h := b.one(query + ";"); h.Plan.Threads != 2 || h.Plan.Kernels != b.session.Settings.Kernels() {
		t.Errorf("%d threads, kernels %s", h.Plan.Threads, h.Plan.Kernels)
	}
	// Sketches are made where they are asked for, and not where they are not.
	for word, want := range map[string]bool{"on": true, "off": false} {
		h := b.run("EXPLAIN OCCLUDE 'examples/images/clear.png' USING chest STRIDE 8 SSIM >= 0.9 WITH (plan = 'approximate', sketches = " + word + ");")[0].(*executor.Explanation)
		if got := h.Plan.Query.Chosen().Adaptive.Sketches(); got != want {
			t.Errorf("sketches = %s: %v", word, got)
		}
	}
}
