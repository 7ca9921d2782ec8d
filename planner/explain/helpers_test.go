package explain

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/curve"
	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
	"occlude/planner/cost"
)

// net builds networks whose weights do not matter.
type net struct {
	*network.Network
	t testing.TB
}

func newNet(t testing.TB, width, height, channels int) *net {
	return &net{network.New("input", network.Shape{H: height, W: width, C: channels}), t}
}

func (n *net) add(name string, op network.Op, in ...*network.Layer) *network.Layer {
	n.t.Helper()
	if len(in) == 0 {
		in = []*network.Layer{n.Output}
	}
	l, err := n.Network.Add(name, op, in...)
	if err != nil {
		n.t.Fatal(err)
	}
	return l
}

// square is a k x k window at stride s that keeps the map's size but for the
// stride.
func square(k, s int) network.Window {
	w := region.Window{Kernel: k, Stride: s, Pad: k / 2, Dilation: 1}
	return network.Window{Y: w, X: w}
}

// filters of about one over the fan-in, so that folding them stays finite.
func filters(shape ...int) *tensor.Dense {
	size := 1
	for _, n := range shape {
		size *= n
	}
	v := make([]float32, size)
	for i := range v {
		v[i] = 1 / float32(i%7+2)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(v))
}

func (n *net) conv(name string, k, s, out int) *network.Layer {
	n.t.Helper()
	w := square(k, s)
	return n.add(name, network.Conv{Window: w, After: network.PadAfter{Y: k / 2, X: k / 2}, Groups: 1,
		Weights: filters(out, k, k, n.Output.Shape.C), Bias: make([]float32, out)})
}

// blank are weights of zero: memory that nobody touches costs nothing.
func blank(shape ...int) *tensor.Dense {
	size := 1
	for _, n := range shape {
		size *= n
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(make([]float32, size)))
}

func (n *net) blank(name string, k, s, out int) *network.Layer {
	n.t.Helper()
	return n.add(name, network.Conv{Window: square(k, s), After: network.PadAfter{Y: k / 2, X: k / 2}, Groups: 1,
		Weights: blank(out, k, k, n.Output.Shape.C)})
}

func (n *net) depthwise(name string, k, s int) *network.Layer {
	n.t.Helper()
	c := n.Output.Shape.C
	return n.add(name, network.Conv{Window: square(k, s), After: network.PadAfter{Y: k / 2, X: k / 2}, Groups: c,
		Weights: filters(c, k, k, 1)})
}

func (n *net) norm(name string) *network.Layer {
	n.t.Helper()
	c := n.Output.Shape.C
	scale := make([]float32, c)
	for i := range scale {
		scale[i] = .5
	}
	return n.add(name, network.Affine{Scale: scale, Shift: make([]float32, c)})
}

func (n *net) act(name, fn string) *network.Layer {
	n.t.Helper()
	return n.add(name, network.Pointwise{Act: network.Activation{Fn: fn}})
}

func (n *net) pool(name string, k, s int) *network.Layer {
	n.t.Helper()
	w := square(k, s)
	w.X.Pad, w.Y.Pad = (k-1)/2, (k-1)/2
	return n.add(name, network.Pool{Window: w, After: network.PadAfter{Y: (k - 1) / 2, X: (k - 1) / 2}, Max: true})
}

func (n *net) dense(name string, out int) *network.Layer {
	n.t.Helper()
	return n.add(name, network.Dense{Weights: filters(out, n.Output.Shape.Len()), Bias: make([]float32, out)})
}

// residual is two residual blocks with batch norms, named as PyTorch does.
func residual(t testing.TB) *network.Network {
	n := newNet(t, 48, 48, 3)
	n.conv("/conv1/Conv", 7, 2, 16)
	n.norm("/bn1/BatchNormalization")
	n.act("/relu/Relu", network.Relu)
	n.pool("/maxpool/MaxPool", 3, 2)
	for _, block := range []string{"0", "1"} {
		path := "/layer1/layer1." + block
		in := n.Output
		n.conv(path+"/conv1/Conv", 3, 1, 16)
		n.norm(path + "/bn1/BatchNormalization")
		n.act(path+"/relu/Relu", network.Relu)
		n.conv(path+"/conv2/Conv", 3, 1, 16)
		n.norm(path + "/bn2/BatchNormalization")
		n.add(path+"/Add", network.Binary{Fn: network.Add}, n.Output, in)
		n.act(path+"/relu_1/Relu", network.Relu)
	}
	n.add("/avgpool/GlobalAveragePool", network.GlobalPool{Fn: network.Mean})
	n.dense("/fc/Gemm", 3)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// plain is a chain of convolutions and pools with a large classifier behind.
func plain(t testing.TB) *network.Network {
	n := newNet(t, 64, 48, 1)
	n.conv("conv1", 3, 1, 8)
	n.act("relu1", network.Relu)
	n.pool("pool1", 2, 2)
	n.conv("conv2", 3, 1, 16)
	n.act("relu2", network.Relu)
	n.pool("pool2", 2, 2)
	n.add("flatten", network.Flatten{})
	n.dense("hidden", 64)
	n.act("relu3", network.Relu)
	n.dense("classes", 2)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// excite has a squeeze-and-excitation block in its middle.
func excite(t testing.TB) *network.Network {
	n := newNet(t, 32, 32, 3)
	n.conv("/features/features.0/features.0.0/Conv", 3, 2, 8)
	n.act("/features/features.0/features.0.2/HardSwish", network.HardSwish)
	n.depthwise("/features/features.1/block/block.0/block.0.0/Conv", 3, 1)
	x := n.act("/features/features.1/block/block.0/block.0.2/Relu", network.Relu)
	n.add("/features/features.1/block/block.1/avgpool/GlobalAveragePool", network.GlobalPool{Fn: network.Mean})
	n.dense("/features/features.1/block/block.1/fc1/Conv", 4)
	n.act("/features/features.1/block/block.1/activation/Relu", network.Relu)
	gate := n.dense("/features/features.1/block/block.1/fc2/Conv", 8)
	gate = n.add("/features/features.1/block/block.1/scale/Sigmoid", network.Pointwise{Act: network.Activation{Fn: network.Sigmoid}}, gate)
	n.add("/features/features.1/block/block.1/Mul", network.Binary{Fn: network.Mul}, gate, x)
	n.conv("/features/features.1/block/block.2/block.2.0/Conv", 1, 1, 16)
	n.add("/avgpool/GlobalAveragePool", network.GlobalPool{Fn: network.Mean})
	n.dense("/classifier/classifier.0/Gemm", 1000)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// odd has names and shapes that try to break a table: controls, quotes, wide
// characters, an endless name, a stride that steps over the patch.
func odd(t testing.TB) *network.Network {
	n := newNet(t, 40, 40, 3)
	n.conv("line\nbreak\x1b[31m \"quoted\" \\", 1, 3, 4)
	n.conv("畳み込み層/畳み込み層/畳み込み層/畳み込み層", 3, 1, 4)
	n.conv(strings.Repeat("endless", 40), 3, 1, 4)
	n.add("", network.GlobalPool{Fn: network.Mean})
	n.dense("fc", 2)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// lesions is a network in which updates stay small and convolutions dear, so that
// sampling pays, and with strides of 2 or 1 sketches, too.
func lesions(t testing.TB) *network.Network {
	n := newNet(t, 96, 96, 3)
	n.conv("stem", 3, 1, 24)
	for _, name := range []string{"one", "two", "three", "four", "five", "six"} {
		n.conv(name, 5, 1, 24)
		n.act(name+".relu", network.Relu)
	}
	n.pool("shrink", 4, 4)
	n.add("mean", network.GlobalPool{Fn: network.Mean})
	n.dense("head", 4)
	n.add("softmax", network.Softmax{})
	return n.Network
}

// small is two layers.
func small(t testing.TB) *network.Network {
	n := newNet(t, 32, 24, 3)
	n.conv("conv", 3, 1, 4)
	n.add("mean", network.GlobalPool{Fn: network.Mean})
	return n.Network
}

var networks = map[string]func(testing.TB) *network.Network{
	"residual": residual, "plain": plain, "excite": excite, "odd": odd, "analyzed": small, "lesions": lesions,
}

// analyzed is what is known of the model of this name, for all queries whose key
// was added.
type analyzed struct {
	profile *cost.Profile
	keys    []curve.Key
	// sampled are the keys of curves by which queries choose tau.
	sampled []curve.Key
	// gpu is the profile of the one card that was measured.
	gpu *cost.Device
}

const analyzedHash = "feedbeef"

func (a *analyzed) Profile(_ context.Context, model, _ string) *cost.Profile {
	if model != analyzedHash {
		return nil
	}
	return a.profile
}

func (a *analyzed) DeviceProfile(_ context.Context, name string, processors int) *cost.Device {
	if name != a.gpu.Name || processors != a.gpu.Processors {
		return nil
	}
	return a.gpu
}

func (a *analyzed) Curves(context.Context, string) (all []curve.Curve) {
	for i, k := range a.keys {
		all = append(all, falling(k, i))
	}
	return all
}

// falling is a curve, the steeper the greater i.
func falling(k curve.Key, i int) curve.Curve {
	var points []curve.Point
	for _, tau := range curve.Taus() {
		q := 1 - float64(i+1)*(1-tau)*(1-tau)/5
		points = append(points, curve.Point{Tau: tau, Mean: q, Worst: q - .1, Speedup: 1 / tau})
	}
	c, err := curve.New(k, points, curve.Sample{Files: "scans/*.png", Seed: 7, Images: []string{"scans/a.png", "scans/b.png"}},
		time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	if err != nil {
		panic(err)
	}
	return c
}

func (a *analyzed) Curve(_ context.Context, k curve.Key) (curve.Curve, bool) {
	if !slices.Contains(a.sampled, k) {
		return curve.Curve{}, false
	}
	return falling(k, 0), true
}

// catalog holds the test models.
type catalog map[string]*model.Model

func (c catalog) Lookup(name string) (*model.Model, bool) { m, ok := c[name]; return m, ok }

func (c catalog) Models() []*model.Model {
	var all []*model.Model
	for _, m := range c {
		all = append(all, m)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

func models(t testing.TB) catalog {
	return modelsOf(t, networks)
}

func modelsOf(t testing.TB, networks map[string]func(testing.TB) *network.Network) catalog {
	c := catalog{}
	for name, build := range networks {
		n := build(t)
		in := n.Input().Shape
		m := &model.Model{
			Name: name, Path: "models/" + name + ".onnx", Bytes: 123456, Opset: 17, Producer: "pytorch 2.4",
			Hash: strings.Repeat("0123456789abcdef", 4), Net: n, Spec: imageio.DefaultSpec(in.W, in.H),
			Classes: n.Output.Shape.Len(), Output: model.OutputSoftmax, Added: model.OutputSoftmax, Folded: 2,
		}
		if in.C == 1 {
			m.Spec.Channels, m.Producer, m.Assumed = imageio.Gray, "", true
		}
		switch name {
		case "analyzed":
			m.Hash = analyzedHash
		case "residual":
			m.Labels = []string{"cat", "dog", "DME"}
			m.Spec.Mean, m.Spec.Std = []float32{.485, .456, .406}, []float32{.229, .224, .225}
		case "excite":
			for i := range m.Classes {
				m.Labels = append(m.Labels, "label "+strings.Repeat("x", i%5))
			}
			m.Output, m.Added, m.Folded = model.OutputProbabilities, "", 0
		}
		c[name] = m
	}
	return c
}

// bench makes a planner in a folder with the files that statements name.
func bench(t testing.TB) *planner.Planner {
	t.Helper()
	p, _ := benchOf(t, nil)
	return p
}

// benchOf is bench with some devices, and the settings of the planner.
func benchOf(t testing.TB, on planner.Devices) (*planner.Planner, *settings.Settings) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "profile.json"))
	if err != nil {
		t.Fatal(err)
	}
	card, err := os.ReadFile(filepath.Join("testdata", "device.json"))
	if err != nil {
		t.Fatal(err)
	}
	gpu, err := cost.ParseDevice(card)
	if err != nil {
		t.Fatal(err)
	}
	profile, err := cost.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	all := models(t)
	if on != nil {
		maps.Copy(all, modelsOf(t, map[string]func(testing.TB) *network.Network{"crowd": crowd, "scene": scene, "deep": deep}))
	}
	dir := t.TempDir()
	for _, f := range []string{"scan.png", "a.jpg", "b.jpg", "kept.png"} {
		if err := os.WriteFile(filepath.Join(dir, f), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	set := &settings.Settings{}
	if err := errors.Join(set.Set("threads", "2"), set.Set("kernels", "generic")); err != nil {
		t.Fatal(err)
	}
	calibrated := *profile
	calibrated.Kind, calibrated.Measured, calibrated.Model = cost.OfModel, "2026-03-01", "analyzed"
	known := &analyzed{profile: &calibrated, gpu: gpu}
	env := planner.Env{Catalog: all, Settings: set, Profile: profile, Colormaps: []string{"diverging"}, Statistics: known, Devices: on}
	kept := &leftovers{planner: planner.New(env), t: t}
	env.Cache = kept
	p := planner.New(env)
	for i, clauses := range []string{"", "PATCH 12x8 STRIDE 8 FILL rgb(1, 2, 3)"} {
		q := plan(t, p, "OCCLUDE 'scan.png' USING analyzed "+clauses+";").(*planner.Occlude)
		known.keys = append(known.keys, q.CurveKey(curve.SSIM), q.CurveKey(curve.SSIMKrypton))
		if i > 0 { // of the same file, created in another way
			other := q.CurveKey(curve.SSIM)
			other.Input = "as something else"
			known.keys = append(known.keys, other)
		}
	}
	q := plan(t, p, "OCCLUDE 'scan.png' USING lesions PATCH 32 STRIDE 2 FILL black;").(*planner.Occlude)
	known.sampled = append(known.sampled, q.CurveKey(curve.SSIM))
	return p, set
}

// leftovers are the views of kept.png, as the model residual has left them.
type leftovers struct {
	planner *planner.Planner
	t       testing.TB
}

func (l *leftovers) Views(net *network.Network, _, image string) []planner.Views {
	if image != "kept.png" {
		return nil
	}
	q := plan(l.t, l.planner, "OCCLUDE 'kept.png' USING residual AT (0, 0);").(*planner.Occlude)
	return []planner.Views{{Algorithms: q.Chosen().Algorithms, Bytes: q.Chosen().Estimate.ViewBytes}}
}

// plan binds one statement.
func plan(t testing.TB, p *planner.Planner, statement string) planner.Plan {
	t.Helper()
	script, diagnostics := lang.Parse("test", statement)
	if len(diagnostics) > 0 {
		t.Fatalf("%s\n%v", statement, diagnostics)
	}
	out, err := p.Plan(context.Background(), script.Statements[0])
	if err != nil {
		t.Fatalf("%s\n%v", statement, err)
	}
	return out
}

// actuals are hand-made: every layer took twice its estimate and did the work
// that was foreseen.
func actuals(q *planner.Occlude) *planner.Actuals {
	c := q.Chosen()
	a := &planner.Actuals{
		Image: q.Images[0], Class: "DME", Kept: c.Views != nil, P0: .93125, Load: .25, Plan: .0125, Run: 2.5, BaseSeconds: .5, UpdateSeconds: 1.75,
		Positions: c.Positions(), ViewBytes: 3 << 20, PeakBytes: 5 << 20, Memory: planner.Memory{Views: 3 << 20, Workers: 2 << 20},
	}
	if c.Adaptive != nil {
		sampled(a, c)
	} else {
		staged(a, c)
	}
	if c.Device != nil {
		g := c.Estimate.OnGPU
		a.OnDevice = &planner.DeviceMemory{Weights: g.Weights, Views: g.Views, Workers: g.Workers / 2}
		a.Updates.Device = operators.DeviceStats{Launches: int64(g.Launches), Up: g.Up, Down: g.Down}
	}
	if a.Kept {
		a.BaseSeconds = 0
	}
	for i, l := range q.Net.Layers {
		e := c.Layers[i]
		if !a.Kept {
			a.Base.Layers = append(a.Base.Layers, operators.LayerStats{MACs: l.Work(l.Shape.Whole()).MACs, Runs: 1})
		}
		a.Updates.Layers = append(a.Updates.Layers, operators.LayerStats{
			Nanos: int64(e.Seconds * 2 * float64(q.Threads) * 1e9), MACs: e.Work.MACs, Runs: e.Runs, Cells: e.Cells,
		})
	}
	return a
}

// staged are the stages of a plan that knows them beforehand; the last one takes
// what is left.
func staged(a *planner.Actuals, c *planner.Candidate) {
	for i, s := range c.Stages {
		a.Stages = append(a.Stages, planner.StageActuals{Positions: s.Positions, Seconds: .75, MACs: s.MACs})
		if i == len(c.Stages)-1 {
			a.Stages[i].Seconds = a.UpdateSeconds - .75*float64(i)
		}
	}
}

// sampled are three stages, of which the second took little and found too much.
func sampled(a *planner.Actuals, c *planner.Candidate) {
	macs := c.Stages[0].MACs
	a.Stages = []planner.StageActuals{
		{Positions: 48, Seconds: .5, MACs: macs / 2, EstimateSeconds: .125, SSIM: .875, SSIMLower: .75},
		{Positions: 24, Seconds: .0625, MACs: macs / 4, EstimateSeconds: .03125, SSIM: .99951, SSIMLower: .98765},
		{Positions: 30, Seconds: .875, MACs: macs / 8, EstimateSeconds: .25, SSIM: .96, SSIMLower: .9375},
	}
	a.Positions = 102
	if c.Adaptive.Sketches() {
		a.BackwardSeconds = .25
		for i := range a.Stages {
			a.Stages[i].Sketches = 12
			a.Positions += 12
		}
	}
}

// report explains a statement that begins with EXPLAIN.
func report(t testing.TB, p *planner.Planner, statement string) (*Report, *planner.Explain) {
	t.Helper()
	e := plan(t, p, statement).(*planner.Explain)
	if !e.Analyze {
		return New(e, nil), e
	}
	return New(e, actuals(e.Query)), e
}
