package rewrite

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/network/networktest"
)

// Every rule has a file of cases in testdata/rules, in which it alone is enabled,
// and what with= names. A case prints what fired and the network afterwards.
// Beyond the golden text, each case is held to the promises that every rewrite
// makes (see check).
func TestRules(t *testing.T) {
	datadriven.Walk(t, "testdata/rules", func(t *testing.T, path string) {
		rule := filepath.Base(path)
		var fires, stays bool
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "rewrite" {
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			only := []string{rule}
			if d.HasArg("with") {
				var with string
				d.ScanArgs(t, "with", &with)
				only = append(only, strings.Split(with, "+")...)
			}
			n := parse(d.Input)
			after, fired, err := check(n, func(r string) bool { return slices.Contains(only, r) })
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			if slices.ContainsFunc(fired, func(f Fired) bool { return f.Rule == rule }) {
				fires = true
			} else {
				stays = true
			}
			if len(fired) == 0 {
				return "nothing fires\n"
			}
			return report(fired) + format(after)
		})
		if !fires || !stays {
			t.Errorf("%s: one case must show that the rule fires (%t), one that it does not (%t)", path, fires, stays)
		}
	})
}

func TestEveryRuleHasCases(t *testing.T) {
	for _, name := range Names() {
		if _, err := os.Stat(filepath.Join("testdata", "rules", name)); err != nil {
			t.Error(err)
		}
	}
}

// All rules together on blocks that real networks are made of.
func TestTogether(t *testing.T) {
	datadriven.RunTest(t, "testdata/together", func(t *testing.T, d *datadriven.TestData) string {
		after, fired, err := check(parse(d.Input), nil)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		return report(fired) + format(after)
	})
}

func TestOrder(t *testing.T) {
	shown := map[[2]string]bool{}
	datadriven.RunTest(t, "testdata/order", func(t *testing.T, d *datadriven.TestData) string {
		var first, then string
		d.ScanArgs(t, "first", &first)
		d.ScanArgs(t, "then", &then)
		shown[[2]string{first, then}] = true
		n := parse(d.Input)
		right, _, err := run(table, n)
		if err != nil {
			d.Fatalf(t, "%v", err)
		}
		wrong, _, err := run(swapped(first, then), n)
		if err != nil {
			d.Fatalf(t, "swapped: %v", err)
		}
		if len(right.Layers) >= len(wrong.Layers) {
			d.Fatalf(t, "the order makes no difference:\n%s", format(wrong))
		}
		return fmt.Sprintf("%s-- swapped:\n%s", format(right), format(wrong))
	})
	names := Names()
	for _, c := range mustPrecede {
		i, j := slices.Index(names, c.first), slices.Index(names, c.then)
		if i < 0 || j < 0 || i >= j {
			t.Errorf("%s must come before %s: %s", c.first, c.then, c.because)
		}
		if !shown[[2]string{c.first, c.then}] {
			t.Errorf("no case shows why %s comes before %s", c.first, c.then)
		}
	}
	if len(shown) != len(mustPrecede) {
		t.Errorf("%d pairs are shown, %d are stated", len(shown), len(mustPrecede))
	}
}

// swapped is the table with the rule first right behind the rule then.
func swapped(first, then string) []Rule {
	rules := Rules()
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == first })
	moved := rules[i]
	rules = slices.Delete(rules, i, i+1)
	j := slices.IndexFunc(rules, func(r Rule) bool { return r.Name == then })
	return slices.Insert(rules, j+1, moved)
}

func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range Rules() {
		if r.Name == "" || r.Doc == "" || strings.ContainsAny(r.Doc, "\n.") || len(r.Doc) > 80 {
			t.Errorf("rule %q: %q is not a name and a line", r.Name, r.Doc)
		}
		if seen[r.Name] {
			t.Errorf("rule %q is there twice", r.Name)
		}
		seen[r.Name] = true
	}
}

// check rewrites a network and tests what holds for any network and any choice
// of rules: the original is untouched, the result is a sound network of the
// same function, and there is nothing left to do.
func check(n *network.Network, enabled func(string) bool) (*network.Network, []Fired, error) {
	want, err := outputs(n)
	if err != nil {
		return nil, nil, err
	}
	return checkAgainst(want, n, enabled)
}

// checkAgainst is check for a network whose outputs are known.
func checkAgainst(want []float64, n *network.Network, enabled func(string) bool) (*network.Network, []Fired, error) {
	before := format(n)
	after, fired, err := Optimize(n, enabled)
	if err != nil {
		return nil, nil, err
	}
	if format(n) != before {
		return nil, nil, fmt.Errorf("the original was changed to\n%s", format(n))
	}
	if err := sound(after); err != nil {
		return nil, nil, fmt.Errorf("%w in\n%s", err, format(after))
	}
	got, err := outputs(after)
	if err != nil {
		return nil, nil, err
	}
	if err := agree(want, got); err != nil {
		return nil, nil, fmt.Errorf("%w\nbefore:\n%safter %s:\n%s", err, before, report(fired), format(after))
	}
	again, more, err := Optimize(after, enabled)
	if err != nil {
		return nil, nil, err
	}
	if len(more) > 0 || format(again) != format(after) {
		return nil, nil, fmt.Errorf("not finished:\n%sleaves %sto do", format(after), report(more))
	}
	return after, fired, nil
}

// sound tests the invariants of a network.
func sound(n *network.Network) error {
	if n.Layers[0] != n.Input() || n.Layers[n.Output.Index] != n.Output {
		return fmt.Errorf("input or output is out of place")
	}
	shapes := make([]network.Shape, len(n.Layers))
	names := map[string]bool{}
	for i, l := range n.Layers {
		if l.Index != i {
			return fmt.Errorf("%s has number %d at place %d", l, l.Index, i)
		}
		if _, ok := l.Op.(network.Input); ok != (i == 0) {
			return fmt.Errorf("%s at place %d", l, i)
		}
		if names[l.Name] {
			return fmt.Errorf("two layers are called %s", l.Name)
		}
		names[l.Name] = true
		for _, p := range l.In {
			if p.Index >= i || n.Layers[p.Index] != p {
				return fmt.Errorf("%s reads %s, which does not come before it", l, p)
			}
		}
		shapes[i] = l.Shape
	}
	if err := n.Infer(); err != nil {
		return err
	}
	for i, l := range n.Layers {
		if l.Shape != shapes[i] {
			return fmt.Errorf("%s is of %s, not of %s", l, l.Shape, shapes[i])
		}
	}
	return nil
}

// outputs runs the network on two random images.
func outputs(n *network.Network) ([]float64, error) {
	rng := rand.New(rand.NewPCG(3, 4))
	var all []float64
	for range 2 {
		image := make([]float32, n.Input().Shape.Len())
		for i := range image {
			image[i] = float32(rng.NormFloat64())
		}
		v, err := networktest.Output(n, image)
		if err != nil {
			return nil, err
		}
		all = append(all, v...)
	}
	return all, nil
}

// agree compares up to what rounding folded weights to float32 leaves.
func agree(want, got []float64) error {
	if len(want) != len(got) {
		return fmt.Errorf("%d values instead of %d", len(got), len(want))
	}
	size := 0.0
	for _, x := range want {
		size = max(size, math.Abs(x))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-5*size) {
			return fmt.Errorf("value %d is %g instead of %g", i, got[i], want[i])
		}
	}
	return nil
}

func report(fired []Fired) string {
	var b strings.Builder
	for _, f := range fired {
		fmt.Fprintf(&b, "%s: %s\n", f.Rule, strings.Join(f.Layers, ", "))
	}
	return b.String()
}

func randomWeights(rng *rand.Rand, fanIn int, shape ...int) *tensor.Dense {
	v := make([]float32, tensor.Shape(shape).TotalSize())
	for i := range v {
		v[i] = float32(rng.NormFloat64() / math.Sqrt(float64(fanIn)))
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
}
