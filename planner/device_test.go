package planner_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network/networktest"
	"occlude/operators"
	"occlude/operators/gpu"
	"occlude/operators/gpu/driver"
	"occlude/planner"
)

// gpus are the devices of a test, by name. asked counts how often one was asked for.
type gpus struct {
	free  map[string]int64
	card  string
	asked int
}

func (g *gpus) Device(name string) (*planner.Device, error) {
	g.asked++
	free, ok := g.free[name]
	if !ok {
		return nil, errors.New("there is no NVIDIA driver")
	}
	return &planner.Device{Name: name, Free: free, Properties: driver.Properties{
		Name: g.card, Capability: [2]int{9, 0}, Processors: 16, Memory: 16 << 30, Clock: 1e9, MemoryClock: 1e9, MemoryBus: 1024,
	}}, nil
}

// onGPUs is a world with devices.
func onGPUs(t testing.TB, g *gpus) *world {
	t.Helper()
	folder(t)
	w := newWorld(t)
	if g.card == "" {
		g.card = "Test GPU"
	}
	w.env.Devices = g
	w.planner = planner.New(w.env)
	create(t, w, "CREATE MODEL m FROM 'small.onnx';")
	create(t, w, "CREATE MODEL wide FROM 'wide.onnx';")
	return w
}

// TestWhichDevice has settings and hints choose, and says why they cannot.
func TestWhichDevice(t *testing.T) {
	const long, short = "OCCLUDE 'scan.png' USING wide PATCH 32 STRIDE 1", "OCCLUDE 'scan.png' USING m STRIDE 8"
	for _, c := range []struct {
		set, query string
		device     string
		says       string // NoDevice, or the error
	}{
		{"auto", long, "cuda:0", ""},
		{"auto", short, "cpu", ""}, // nobody asked
		{"cpu", long, "cpu", ""},
		{"cuda", short, "cuda:0", ""},
		{"cuda:1", short, "cpu", "cuda:1 is not used: the incremental plan needs "},
		{"cuda:2", short, "cpu", "cuda:2 is not used: there is no NVIDIA driver"},
		{"cuda:2", short + " WITH (device = cpu)", "cpu", ""},
		{"cpu", short + " WITH (device = 'CUDA:0')", "cuda:0", ""},
		{"auto", short + " WITH (device = 'cuda:2')", "", `1:52: error: cuda:2: there is no NVIDIA driver`},
		{"auto", short + " WITH (device = 'cuda:1')", "", "1:52: error: cuda:1: the incremental plan needs "},
		{"auto", short + " WITH (device = 'cdua:0')", "", "1:52: error: device: \"cdua:0\" is not one of auto, cpu, or a GPU such as cuda:0"},
		{"cuda:0", long + " SSIM >= 0.9 WITH (sketches = on)", "cpu", "cuda:0 is not used: sketches and trends are computed by the processor alone"},
		{"auto", long + " SSIM >= 0.9 WITH (sketches = on, device = 'cuda:0')", "", "1:91: error: cuda:0: sketches and trends"},
		{"cuda:0", long + " WITH (convolution = 'F(4x4)')", "cpu", "cuda:0 is not used: F(4x4) is an algorithm of the processor"},
		{"cuda:0", short + " WITH (convolution = direct)", "cuda:0", ""},
		{"auto", short + " WITH (convolution = tensor)", "cuda:0", ""},
		{"cuda:0", short + " WITH (convolution = 'tensor')", "cuda:0", ""},
		{"cpu", short + " WITH (convolution = tensor)", "", "1:57: error: tensor cores are a GPU's, and SET device = 'cpu' asks for the processor"},
		{"auto", short + " WITH (convolution = tensor, device = cpu)", "", "1:57: error: tensor cores are a GPU's, and WITH (device = 'cpu') asks"},
		{"cuda:1", short + " WITH (convolution = tensor)", "", "1:57: error: tensor cores are a GPU's, and cuda:1 cannot be used: the incremental plan needs "},
		{"auto", short + " WITH (convolution = tensor, device = 'cuda:2')", "", "1:74: error: cuda:2: there is no NVIDIA driver"},
		{"auto", long + " SSIM >= 0.9 WITH (sketches = on, convolution = tensor)", "", "1:96: error: tensor cores are a GPU's, and cuda:0 cannot be used: sketches"},
		{"cuda:0", short + " WITH (tau = 0.5)", "cuda:0", ""},
		{"cuda:0", long + " SSIM >= 0.9", "cuda:0", ""},
		{"cuda:0", long + " WITHIN 1 SECOND", "cuda:0", ""},
	} {
		w := onGPUs(t, &gpus{free: map[string]int64{"cuda:0": 8 << 30, "cuda:1": 64 << 10}})
		if err := w.settings.Set("device", c.set); err != nil {
			t.Fatal(err)
		}
		p, err := w.plan(c.query + ";")
		if err != nil {
			if c.device != "" || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s, device %s: %v", c.query, c.set, err)
			}
			continue
		}
		q := p.(*planner.Occlude)
		if q.Device != c.device || !strings.HasPrefix(q.NoDevice, c.says) || c.says == "" && q.NoDevice != "" {
			t.Errorf("%s, device %s: on %s, %q", c.query, c.set, q.Device, q.NoDevice)
		}
		if on := q.Chosen().Device; (on == nil) != (q.Device == "cpu") {
			t.Errorf("%s, device %s: on %s, but its plan on %v", c.query, c.set, q.Device, on)
		}
	}
}

// TestGPUIsNotAskedFor where the setting, a switch or the little work rules it out.
func TestGPUIsNotAskedFor(t *testing.T) {
	g := &gpus{free: map[string]int64{"cuda:0": 8 << 30}}
	w := onGPUs(t, g)
	for _, c := range []struct{ setting, value, query string }{
		{"device", "auto", "OCCLUDE 'scan.png' USING m;"},
		{"device", "cpu", "OCCLUDE 'scan.png' USING wide STRIDE 1;"},
		{"device", "auto", "OCCLUDE 'scan.png' USING wide STRIDE 1 WITH (device = cpu);"},
		{"enable_gpu", "off", "OCCLUDE 'scan.png' USING wide STRIDE 1;"},
	} {
		if err := w.settings.Set(c.setting, c.value); err != nil {
			t.Fatal(err)
		}
		if _, err := w.plan(c.query); err != nil || g.asked > 0 {
			t.Errorf("%s, %s = %s: asked %d times, %v", c.query, c.setting, c.value, g.asked, err)
		}
	}
	if err := w.settings.Set("device", "cuda:0"); err != nil {
		t.Fatal(err)
	}
	p, err := w.plan("OCCLUDE 'scan.png' USING wide STRIDE 1;")
	if err != nil || p.(*planner.Occlude).NoDevice != "cuda:0 is not used: it is ruled out by SET enable_gpu = off" {
		t.Errorf("%v, %v", p, err)
	}
}

// random is a model that a GPU can compute.
func random(rng *rand.Rand) *model.Model {
	for {
		net := networktest.Random(rng, networktest.Options{Side: 24, Jumps: true})
		in := net.Input().Shape
		if gpu.Check(net) == nil && in.W >= 4 && in.H >= 4 && (in.C == 1 || in.C == 3) {
			spec := imageio.DefaultSpec(in.W, in.H)
			if in.C == 1 {
				spec.Channels = imageio.Gray
			}
			return &model.Model{Name: "r", Net: net, Spec: spec, Classes: net.Output.Shape.Len(), Output: model.OutputRaw}
		}
	}
}

// TestBatchesFitTheGPU plans for random networks and memory: whatever batch of positions a
// worker takes, the layout that it gets there fits into what the plan has for it, and all of
// it into what is free.
func TestBatchesFitTheGPU(t *testing.T) {
	fit, refused := 0, 0
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 3))
		g := &gpus{free: map[string]int64{"cuda:0": int64(1) << (15 + rng.IntN(12))}}
		w := onGPUs(t, g)
		w.models["r"] = random(rng)
		query := fmt.Sprintf("OCCLUDE 'scan.png' USING r FOR TOP 1 PATCH %d STRIDE 1 FILL %s WITH (device = 'cuda:0'%s);",
			1+rng.IntN(4), []string{"gray", "mean(patch)"}[rng.IntN(2)], []string{"", ", plan = full", ", tau = 0.6"}[rng.IntN(3)])
		p, err := w.plan(query)
		if err != nil {
			if !strings.Contains(err.Error(), "are free") {
				t.Fatalf("seed %d: %v", seed, err)
			}
			refused++
			continue
		}
		fit++
		q := p.(*planner.Occlude)
		c, on := q.Chosen(), q.Chosen().Estimate.OnGPU
		if on.Total() > on.Free || on.Free != g.free["cuda:0"] || on.Workers < int64(c.Threads)*c.ArenaBytes {
			t.Errorf("seed %d: %d bytes of %d, %d workers of %d in %d", seed, on.Total(), on.Free, c.Threads, c.ArenaBytes, on.Workers)
		}
		shape, err := gpu.NewShape(q.Net, gpu.Options{Algorithms: c.Algorithms})
		if err != nil {
			t.Fatal(err)
		}
		if on.Weights != shape.Weights() || on.Views != shape.ViewBytes() {
			t.Errorf("seed %d: weights %d, views %d", seed, on.Weights, on.Views)
		}
		for i := 0; i < len(c.Order); i += c.Batch {
			batch := updates(q, c, c.Order[i:min(i+c.Batch, len(c.Order))])
			if bytes, err := shape.BytesOf(batch); err != nil || bytes > c.ArenaBytes {
				t.Errorf("seed %d: positions from %d on take %d bytes of %d, %v", seed, i, bytes, c.ArenaBytes, err)
			}
		}
	}
	if fit < 10 || refused < 5 {
		t.Errorf("%d plans fit, %d did not: the test says little", fit, refused)
	}
}

// updates are what a worker is handed for some positions.
func updates(q *planner.Occlude, c *planner.Candidate, positions []int32) (batch []operators.Update) {
	for _, at := range positions {
		patch := q.Grid.Rect(q.Grid.Positions[at])
		rects, _ := c.Rects.At(q.Net, patch, nil)
		u := operators.Update{Patch: operators.Tile{Rect: patch}, Rects: rects, Reads: c.Rects.Reads(q.Net, rects, nil)}
		if q.Fill.Kind == planner.FillMeanPatch {
			u.Patch.Data = []float32{}
		}
		batch = append(batch, u)
	}
	return batch
}

// TestMorePositionsCostMoreOnGPU checks that estimates grow with the positions, and that
// nodes of the plan add up.
func TestMorePositionsCostMoreOnGPU(t *testing.T) {
	w := onGPUs(t, &gpus{free: map[string]int64{"cuda:0": 8 << 30}})
	for _, plan := range []string{planner.PlanFull, planner.PlanIncremental} {
		last := planner.Estimate{}
		for _, stride := range []int{16, 8, 4, 2, 1} {
			p, err := w.plan(fmt.Sprintf("OCCLUDE 'scan.png' USING wide STRIDE %d WITH (device = 'cuda:0', plan = %s);", stride, plan))
			if err != nil {
				t.Fatal(err)
			}
			c := p.(*planner.Occlude).Chosen()
			e := c.Estimate
			if e.Seconds <= last.Seconds || e.MACs <= last.MACs || e.Least >= e.Seconds || e.Most <= e.Seconds {
				t.Errorf("%s, stride %d: %g s (%g to %g) after %g s", plan, stride, e.Seconds, e.Least, e.Most, last.Seconds)
			}
			layers := 0.0
			for _, l := range c.Layers {
				layers += l.Seconds
			}
			if rest := e.Seconds - e.BaseSeconds - e.WriteSeconds; layers > rest*(1+1e-9) || e.OnGPU.Batches != (c.Positions()+c.Batch-1)/c.Batch {
				t.Errorf("%s, stride %d: layers take %g of %g s in %d batches of %d", plan, stride, layers, rest, e.OnGPU.Batches, c.Batch)
			}
			last = e
		}
	}
}

// TestChoiceDoesNotDependOnMemory checks that memory, hints about batches and workers, and the
// order of positions change no algorithm.
func TestChoiceDoesNotDependOnMemory(t *testing.T) {
	want := ""
	for _, c := range []struct {
		free          int64
		clause, hints string
	}{{8 << 30, "", ""}, {32 << 20, "", ""}, {8 << 30, "", ", batch = 3"}, {8 << 30, "", ", threads = 1"}, {8 << 30, "PROGRESSIVE", ""}} {
		w := onGPUs(t, &gpus{free: map[string]int64{"cuda:0": c.free}})
		p, err := w.plan("OCCLUDE 'scan.png' USING wide STRIDE 2 " + c.clause + " WITH (device = 'cuda:0', plan = incremental" + c.hints + ");")
		if err != nil {
			t.Fatal(err)
		}
		if got := p.(*planner.Occlude).Choice().String(); want == "" {
			want = got
		} else if got != want {
			t.Errorf("%d bytes %s%s: %s, not %s", c.free, c.clause, c.hints, got, want)
		}
	}
}

// TestViewsServeTheirDevice checks that a plan goes by views on its own device alone.
func TestViewsServeTheirDevice(t *testing.T) {
	const query = "OCCLUDE 'scan.png' USING wide STRIDE 1 WITH (device = 'cuda:0');"
	w := onGPUs(t, &gpus{free: map[string]int64{"cuda:0": 8 << 30}})
	p, err := w.plan(query)
	if err != nil {
		t.Fatal(err)
	}
	algorithms := map[bool][]operators.Algorithm{}
	for _, c := range p.(*planner.Occlude).Candidates {
		if c.Name == planner.PlanIncremental {
			algorithms[c.Device != nil] = c.Algorithms
		}
	}
	kept := leftovers{}
	w.env.Cache = kept
	w.planner = planner.New(w.env)
	for _, on := range []string{"cuda:0", "cuda:1", "cpu", ""} {
		kept["scan.png"] = []planner.Views{{Device: on, Algorithms: algorithms[strings.HasPrefix(on, "cuda")], Bytes: 1}}
		p, err := w.plan(query)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range p.(*planner.Occlude).Candidates {
			if c.Name != planner.PlanIncremental {
				continue
			}
			own := on == "cuda:0" && c.Device != nil || (on == "cpu" || on == "") && c.Device == nil
			if (c.Views != nil) != own || own && c.Estimate.BaseSeconds != 0 {
				t.Errorf("views on %q, a plan on %v: by views %v, base pass %g s", on, c.Device, c.Views != nil, c.Estimate.BaseSeconds)
			}
		}
	}
}

// TestResumeOnDevice takes up tables that were begun on one device and another.
func TestResumeOnDevice(t *testing.T) {
	for _, c := range []struct {
		begun, set string // where, and the setting then
		card       string // that is there then, "" for none
		device     string
		departs    string
	}{
		{"Test GPU", "auto", "Test GPU", "cuda:0", ""},
		{"Test GPU", "cuda:0", "Test GPU", "cuda:0", ""},
		{"Test GPU", "cpu", "Test GPU", "cpu", "it was begun on the Test GPU, and device is cpu"},
		{"Test GPU", "auto", "Other GPU", "cpu", "it was begun on the Test GPU, and cuda:0 is the Other GPU"},
		{"Test GPU", "auto", "", "cpu", "it was begun on the Test GPU, and cuda:0 cannot be used: there is no NVIDIA driver"},
		{"", "auto", "Test GPU", "cpu", ""},
		{"", "cuda:0", "Test GPU", "cuda:0", "it was begun on the processor, not on cuda:0"},
	} {
		g := &gpus{free: map[string]int64{"cuda:0": 8 << 30}, card: "Test GPU"}
		w := onGPUs(t, g)
		device := "cpu"
		if c.begun != "" {
			device = "'cuda:0'"
		}
		const query = "OCCLUDE 'scan.png' USING m STRIDE 8 INTO TABLE begun"
		first, err := w.plan(query + " WITH (device = " + device + ");")
		if err != nil {
			t.Fatal(err)
		}
		w.env.Tables = begun{first.(*planner.Occlude).Choice()}
		w.planner = planner.New(w.env)
		if g.card = c.card; c.card == "" {
			g.free = nil
		}
		if err := w.settings.Set("device", c.set); err != nil {
			t.Fatal(err)
		}
		p, err := w.plan(query + ";")
		if err != nil {
			t.Fatal(err)
		}
		q := p.(*planner.Occlude)
		if q.Device != c.device || !strings.Contains(q.Departs, c.departs) || c.departs == "" && q.Departs != "" {
			t.Errorf("%+v: on %s, departs %q", c, q.Device, q.Departs)
		}
		if c.departs == "" && !q.Choice().Same(first.(*planner.Occlude).Choice()) {
			t.Errorf("%+v: %s, begun with %s", c, q.Choice(), first.(*planner.Occlude).Choice())
		}
	}
}

// begun is a table with heat maps of a plan.
type begun struct{ planner.Choice }

func (begun) Takes(_ context.Context, _ string) error { return nil }

func (b begun) Begun(context.Context, *planner.Occlude) (*planner.Choice, error) {
	return planner.ParseChoice(b.String())
}
