package cost_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
	"occlude/planner/cost"
)

func TestDefault(t *testing.T) {
	p := cost.Default()
	if p.Version != cost.Version || p.CPU == "" || p.Measured == "" || p.Kind != cost.Committed {
		t.Errorf("%+v", p)
	}
	for _, set := range simd.Available() {
		if _, err := p.For(set.Name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"avx512", "avx2", "generic"} { // plans are made for other machines, too
		if _, err := p.For(name); err != nil {
			t.Error(err)
		}
	}
	if _, err := p.For("abacus"); err == nil || !strings.Contains(err.Error(), "only of avx2, avx512, generic") {
		t.Errorf("rates of an abacus: %v", err)
	}
}

// Every constant is needed: without any of them a plan would cost nothing or
// infinity.
func TestParse(t *testing.T) {
	good := func() map[string]any {
		data, err := json.Marshal(cost.Default())
		if err != nil {
			t.Fatal(err)
		}
		m := map[string]any{}
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		return m
	}
	parse := func(m map[string]any) error {
		data, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cost.Parse(data)
		return err
	}
	if err := parse(good()); err != nil {
		t.Error(err)
	}
	rates := func(m map[string]any) map[string]any { return m["kernels"].(map[string]any)["avx2"].(map[string]any) }
	for _, table := range []string{"macs_per_second", "steps_per_second"} {
		for class := range rates(good())[table].(map[string]any) {
			for _, rate := range []any{nil, 0.0, -1.0} {
				m := good()
				rates(m)[table].(map[string]any)[class] = rate
				if err := parse(m); err == nil || !strings.Contains(err.Error(), class) || !strings.Contains(err.Error(), "kernels avx2") {
					t.Errorf("%s[%s] = %v: %v", table, class, rate, err)
				}
			}
		}
	}
	for name, bad := range map[string]float64{
		"gather_bytes_per_second": 0, "weight_bytes_per_second": 0, "seconds_per_run": -1, "seconds_per_group": -1,
	} {
		m := good()
		rates(m)[name] = bad
		if parse(m) == nil {
			t.Errorf("%s = %g is accepted", name, bad)
		}
	}
	for name, bad := range map[string]any{"seconds_per_image": -1, "seconds_per_picture": -1, "version": 1, "kind": "guess", "kernels": map[string]any{}} {
		m := good()
		m[name] = bad
		if parse(m) == nil {
			t.Errorf("%s = %v is accepted", name, bad)
		}
	}
	m := good()
	m["kernels"].(map[string]any)["avx2"] = nil
	if parse(m) == nil {
		t.Error("kernels without rates are accepted")
	}
	if _, err := cost.Parse([]byte("{")); err == nil {
		t.Error("half a file is accepted")
	}
}

func conv(cin, cout, k, groups int, act network.Activation) network.Conv {
	a := region.Window{Kernel: k, Stride: 1, Pad: k / 2, Dilation: 1}
	return network.Conv{Window: network.Window{Y: a, X: a}, After: network.PadAfter{Y: k / 2, X: k / 2}, Groups: groups, Act: act,
		Weights: tensor.New(tensor.Of(tensor.Float32), tensor.WithShape(cout, k, k, cin/groups))}
}

func layer(t *testing.T, in network.Shape, op network.Op) *network.Layer {
	t.Helper()
	net := network.New("in", in)
	l, err := net.Add("op", op, net.Input())
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestClass(t *testing.T) {
	none := network.Activation{}
	for _, c := range []struct {
		channels int
		op       network.Op
		want     string
	}{
		{64, conv(64, 32, 3, 1, none), cost.Conv},
		{3, conv(3, 32, 3, 1, none), cost.ConvThin},
		{64, conv(64, 64, 3, 16, none), cost.ConvThin},
		{64, conv(64, 64, 3, 64, none), cost.Depthwise},
		{8, network.GlobalPool{Fn: network.Mean}, cost.Global},
		{8, network.Softmax{}, cost.Curve},
		{8, network.Pointwise{Act: network.Activation{Fn: network.Relu}}, cost.Cellwise},
		{8, network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, cost.Curve},
	} {
		if got := cost.Class(layer(t, network.Shape{H: 9, W: 9, C: c.channels}, c.op)); got != c.want {
			t.Errorf("%T on %d channels is %q, want %q", c.op, c.channels, got, c.want)
		}
	}
}

// The seconds are the sum that the package's documentation promises.
func TestSeconds(t *testing.T) {
	r := &cost.Rates{
		MACs:   map[string]float64{cost.Conv: 100, cost.Product: 50},
		Steps:  map[string]float64{cost.Cellwise: 10, cost.Curve: 2, cost.Transform: 20},
		Gather: 1000, Weights: 4 * 9 * 64 * 8, PerRun: .5, PerGroup: .25,
	}
	a := cost.Amount{Work: network.Work{MACs: 300}, Values: 20, ReadBytes: 4000, Runs: 3, Products: 80, Groups: 2}
	in := network.Shape{H: 9, W: 9, C: 64}
	const fixed = 3*.5 + 4
	for _, c := range []struct {
		fn     string
		how    operators.Algorithm
		groups float64
		want   float64
	}{
		{network.None, operators.Direct, 2, fixed + 3 + 2*.25},
		{network.None, "", 2, fixed + 3 + 2*.25},
		{network.Relu, operators.Direct, 2, fixed + 3 + 2*.25}, // applied where it is stored
		{network.LeakyRelu, operators.Direct, 2, fixed + 3 + 2*.25 + 2},
		{network.Sigmoid, operators.Direct, 2, fixed + 3 + 2*.25 + 10},
		{network.None, operators.Direct, 7, fixed + 7 + 7*.25}, // waits for its weights, a second each time
		{network.None, operators.Winograd2, 2, fixed + 80*64*8/50. + 80*8*(64+8)/20. + 2*(.25+16./9)},
		{network.None, operators.Winograd4, 2, fixed + 80*64*8/50. + 80*12*(64+8)/20. + 2*(.25+4)},
	} {
		a.Groups = c.groups
		got := r.Seconds(layer(t, in, conv(64, 8, 3, 1, network.Activation{Fn: c.fn})), c.how, a)
		if math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s with activation %v in %g groups: %g s, want %g", c.how, c.fn, c.groups, got, c.want)
		}
	}
}

// Every algorithm that a device offers is known to the planner.
func TestEveryAlgorithmHasAForm(t *testing.T) {
	known := map[operators.Algorithm]bool{}
	for _, c := range []struct{ w, h int }{{1, 1}, {3, 3}, {5, 5}, {7, 7}, {1, 3}, {5, 1}, {1, 7}, {7, 1}} {
		op := conv(64, 8, 3, 1, network.Activation{})
		op.X.Kernel, op.Y.Kernel = c.w, c.h
		l := layer(t, network.Shape{H: 9, W: 9, C: 64}, op)
		offered, forms := operators.Algorithms(l), cost.Forms(l)
		if len(forms) != len(offered) {
			t.Errorf("%dx%d: %d forms for %v", c.w, c.h, len(forms), offered)
			continue
		}
		for i, f := range forms {
			if f.Algorithm != offered[i] || !(f.Error > 0) {
				t.Errorf("%dx%d by %s: %+v", c.w, c.h, offered[i], f)
			}
			known[f.Algorithm] = true
		}
	}
	for _, a := range operators.AllAlgorithms() {
		if !known[a] {
			t.Errorf("no window is computed by %s", a)
		}
	}
	if c := cost.Forms(layer(t, network.Shape{H: 9, W: 9, C: 8}, network.Softmax{})); len(c) != 0 {
		t.Errorf("a softmax can be computed by %v", c)
	}
}

func TestForms(t *testing.T) {
	for _, c := range []struct {
		kw, kh       int
		how          operators.Algorithm
		w, h         int
		tiles        int64
		products     int64
		points       int
		tileW, tileH int
		depth        int
	}{
		{3, 3, operators.Direct, 5, 3, 15, 15, 1, 1, 1, 0},
		{3, 3, "", 5, 3, 15, 15, 1, 1, 1, 0},
		{3, 3, operators.Winograd2, 5, 3, 6, 11 * 7, 16, 2, 2, 8},
		{3, 3, operators.Winograd4, 5, 3, 2, 9 * 5, 36, 4, 4, 12},
		{3, 3, operators.Winograd4, 13, 12, 12, 21 * 18, 36, 4, 4, 12},
		{3, 3, operators.Winograd6, 13, 12, 6, 19 * 16, 64, 6, 6, 16},
		{5, 5, operators.Winograd4, 4, 4, 1, 64, 64, 4, 4, 16},
		{7, 1, operators.WinogradLine4, 5, 3, 6, 17 * 3, 10, 4, 1, 10},
		{1, 7, operators.WinogradLine2, 5, 3, 10, 5 * 15, 8, 1, 2, 8},
	} {
		op := conv(64, 8, 3, 1, network.Activation{})
		op.X.Kernel, op.Y.Kernel = c.kw, c.kh
		f := cost.Of(layer(t, network.Shape{H: 9, W: 9, C: 64}, op), c.how)
		if got := f.Products(region.Of(7, 5, c.w, c.h)); got != c.products {
			t.Errorf("%s of %dx%d: %d products on %dx%d, want %d", c.how, c.kw, c.kh, got, c.w, c.h, c.products)
		}
		if got := f.Tiles(region.Of(7, 5, c.w, c.h)); got != c.tiles || f.Points != c.points || f.TileW != c.tileW || f.TileH != c.tileH || f.Depth != c.depth {
			t.Errorf("%s of %dx%d: %d tiles on %dx%d, want %d; %+v", c.how, c.kw, c.kh, got, c.w, c.h, c.tiles, f)
		}
	}
}

// Errors add up as independent ones do.
func TestError(t *testing.T) {
	net := network.New("in", network.Shape{H: 9, W: 9, C: 64})
	for range 4 {
		if _, err := net.Add("conv", conv(64, 64, 3, 1, network.Activation{Fn: network.Relu}), net.Output); err != nil {
			t.Fatal(err)
		}
	}
	form := func(a operators.Algorithm) float64 { return cost.Of(net.Output, a).Error }
	for _, c := range []struct {
		how  [4]operators.Algorithm
		want float64
	}{
		{[4]operators.Algorithm{operators.Direct, operators.Direct, "", operators.Direct}, 2 * form(operators.Direct)},
		{[4]operators.Algorithm{operators.Winograd4, operators.Winograd4, operators.Winograd4, operators.Winograd4}, 2 * form(operators.Winograd4)},
		{[4]operators.Algorithm{operators.Winograd4, operators.Direct, operators.Direct, operators.Direct},
			math.Sqrt(3*math.Pow(form(operators.Direct), 2) + math.Pow(form(operators.Winograd4), 2))},
	} {
		if got := cost.Error(net, append([]operators.Algorithm{""}, c.how[:]...)); math.Abs(got-c.want) > 1e-15 {
			t.Errorf("%v: %g, want %g", c.how, got, c.want)
		}
	}
}
