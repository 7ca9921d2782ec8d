package cost_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators/region"
	"occlude/planner/cost"
)

func TestDefault(t *testing.T) {
	p := cost.Default()
	if p.Version != 1 || p.CPU == "" || p.Measured == "" || p.Calibrated {
		t.Errorf("%+v", p)
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
	for _, table := range []string{"macs_per_second", "steps_per_second"} {
		for class := range good()[table].(map[string]any) {
			for _, rate := range []any{nil, 0.0, -1.0} {
				m := good()
				m[table].(map[string]any)[class] = rate
				if err := parse(m); err == nil || !strings.Contains(err.Error(), class) {
					t.Errorf("%s[%s] = %v: %v", table, class, rate, err)
				}
			}
		}
	}
	for name, bad := range map[string]float64{"gather_bytes_per_second": 0, "seconds_per_run": -1, "seconds_per_image": -1, "seconds_per_picture": -1} {
		m := good()
		m[name] = bad
		if parse(m) == nil {
			t.Errorf("%s = %g is accepted", name, bad)
		}
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
	p := &cost.Profile{
		MACs:   map[string]float64{cost.Conv: 100},
		Steps:  map[string]float64{cost.Cellwise: 10, cost.Curve: 2},
		Gather: 1000, PerRun: .5,
	}
	a := cost.Amount{Work: network.Work{MACs: 300}, Values: 20, ReadBytes: 4000, Runs: 3}
	in := network.Shape{H: 9, W: 9, C: 64}
	for _, c := range []struct {
		fn   string
		want float64
	}{
		{network.None, 3*.5 + 4 + 3},
		{network.Relu, 3*.5 + 4 + 3 + 2},
		{network.Sigmoid, 3*.5 + 4 + 3 + 10},
	} {
		got := p.Seconds(layer(t, in, conv(64, 8, 3, 1, network.Activation{Fn: c.fn})), a)
		if math.Abs(got-c.want) > 1e-12 {
			t.Errorf("with activation %v: %g s, want %g", c.fn, got, c.want)
		}
	}
}
