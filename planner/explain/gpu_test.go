package explain

import (
	"errors"
	"strings"
	"testing"

	"occlude/internal/network"
	"occlude/operators/gpu/driver"
	"occlude/planner"
	"occlude/planner/cost"
)

// machine has made-up GPUs, by name: cuda:0, of which the committed profile tells; cuda:1, the
// same with little memory; cuda:2, of which nothing was measured; cuda:3, whose memory is slow;
// and no other.
type machine struct{}

func (machine) Device(name string) (*planner.Device, error) {
	d := &planner.Device{Name: name, Free: 6 << 30, Properties: driver.Properties{
		Name: "Test GPU", Capability: [2]int{8, 0}, Processors: 20, Memory: 8 << 30, Clock: 1e9, MemoryClock: 2e9, MemoryBus: 1024,
	}}
	switch name {
	case "cuda:0":
	case "cuda:1":
		d.Free = 1 << 20
	case "cuda:2":
		d.Properties.Name = "Unknown GPU"
	case "cuda:3":
		d.Properties.Name, d.Properties.MemoryClock = "Narrow GPU", 1e8
	default:
		return nil, errors.New("there is no GPU number 4; there are 4, counted from 0")
	}
	return d, nil
}

// crowd has a gate in front of everything, so that whatever changes changes everywhere, and
// a fully-connected layer over a map.
func crowd(t testing.TB) *network.Network {
	n := newNet(t, 64, 64, 4)
	x := n.Output
	n.add("squeeze", network.GlobalPool{Fn: network.Mean})
	n.dense("gate", 4)
	gate := n.add("sigmoid", network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, n.Output)
	n.add("excite", network.Binary{Fn: network.Mul}, gate, x)
	n.conv("one", 3, 1, 16)
	n.conv("two", 3, 1, 16)
	n.dense("hidden", 32)
	n.act("relu", network.Relu)
	n.dense("head", 4)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// scene normalizes its map by all of it, and four heads read that: what incremental inference
// saves of the first convolution, it loses by comparing the map with its view for each head.
func scene(t testing.TB) *network.Network {
	n := newNet(t, 64, 64, 4)
	n.conv("lift", 1, 1, 16)
	scale := make([]float32, 16)
	x := n.add("norm", network.InstanceNorm{Scale: scale, Shift: scale, Epsilon: 1e-5})
	var heads []*network.Layer
	for _, name := range []string{"place", "season", "time", "weather"} {
		heads = append(heads, n.add(name, network.Dense{Weights: filters(2, x.Shape.Len()), Bias: make([]float32, 2)}, x))
	}
	n.add("heads", network.Concat{}, heads...)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// deep has much to read of weights, and little to compute by them where little changes.
func deep(t testing.TB) *network.Network {
	n := newNet(t, 64, 64, 4)
	n.conv("stem", 3, 2, 256)
	for _, name := range []string{"one", "two", "three"} {
		n.blank(name, 3, 1, 256)
	}
	n.add("mean", network.GlobalPool{Fn: network.Mean})
	n.dense("head", 4)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// TestCostOfGPU names what estimates rest on, for each kind of a GPU's profile.
func TestCostOfGPU(t *testing.T) {
	for kind, want := range map[cost.Kind]string{
		cost.OfDevice: "calibrated 2020-02-03 on the Test GPU", cost.Quick: "uncalibrated: the quick profile of the Test GPU, measured 2020-02-03",
		cost.OfProperties: "uncalibrated: nothing was measured on the Test GPU",
	} {
		r := Report{Plan: Plan{GPU: &GPU{Card: "Test GPU", Kind: string(kind), Measured: "2020-02-03T10:00:00Z"}}}
		if got := r.cost(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %s", kind, got)
		}
	}
}
