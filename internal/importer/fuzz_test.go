package importer_test

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/importer"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/region"
	"occlude/planner"
	"occlude/planner/cost"
	"occlude/planner/rewrite"
)

// FuzzImport: whatever the bytes, they are refused in words, or become a network that
// is sound, can be rewritten, planned and run.
func FuzzImport(f *testing.F) {
	for _, opset := range []int{6, 21} {
		for _, file := range sorted(importer.OperatorModels(opset)) {
			f.Add(file)
		}
	}
	for seed := range uint64(20) {
		f.Add(importer.Mutilated(rand.New(rand.NewPCG(seed, 8)), int(seed%3)))
	}
	statements := heatMaps(f)
	f.Fuzz(func(t *testing.T, file []byte) { survive(t, file, statements) })
}

// FuzzMutilated is FuzzImport of sound models in which a few things were changed: what
// bytes changed blindly rarely are. The choices come from the bytes, so that they can
// be changed one by one.
func FuzzMutilated(f *testing.F) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 9))
		choices := make([]byte, 8*(1+rng.IntN(60)))
		for i := range choices {
			choices[i] = byte(rng.Uint32())
		}
		f.Add(choices, uint8(seed))
	}
	statements := heatMaps(f)
	f.Fuzz(func(t *testing.T, choices []byte, changes uint8) {
		survive(t, importer.Mutilated(rand.New(&source{choices, rand.NewPCG(1, 2)}), int(changes%8)), statements)
	})
}

// source takes random numbers from bytes while there are some.
type source struct {
	choices []byte
	rest    rand.Source
}

func (s *source) Uint64() uint64 {
	if len(s.choices) < 8 {
		return s.rest.Uint64()
	}
	v := binary.LittleEndian.Uint64(s.choices)
	s.choices = s.choices[8:]
	return v
}

// TestOperatorModels: nearly all of what the fuzzing starts from is accepted, and all
// of it survives.
func TestOperatorModels(t *testing.T) {
	statements := heatMaps(t)
	accepted := 0
	all := importer.OperatorModels(21)
	for name, file := range all {
		if survive(t, file, statements) {
			accepted++
		} else {
			t.Logf("%s is refused", name)
		}
	}
	if 10*accepted < 9*len(all) {
		t.Errorf("only %d of %d models are accepted", accepted, len(all))
	}
}

func sorted(files map[string][]byte) (all [][]byte) {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	for _, name := range names {
		all = append(all, files[name])
	}
	return all
}

// heatMaps are statements about a model m. Planning looks at no pixels, so any file will
// do for an image.
func heatMaps(t testing.TB) []lang.Statement {
	image := filepath.Join(t.TempDir(), "x.png")
	if err := os.WriteFile(image, []byte("\x89PNG\r\n\x1a\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	script, diagnostics := lang.Parse("fuzz", "OCCLUDE '"+image+"' USING m PATCH 1 STRIDE 97; OCCLUDE '"+image+"' USING m AT (0, 0) PATCH 1;")
	if err := diagnostics.Err(); err != nil {
		t.Fatal(err)
	}
	return script.Statements
}

// forever is when something counts as never ending: all of this takes milliseconds.
const forever = 20 * time.Second

// survive tells whether the file was accepted.
func survive(t *testing.T, file []byte, statements []lang.Statement) bool {
	ctx, cancel := context.WithTimeout(t.Context(), forever)
	defer cancel()
	before := importer.Allocated()
	m, err := onnx.Decode(file, "")
	if err != nil {
		return false
	}
	r, err := importer.ImportSmall(ctx, m, importer.Options{})
	// What the limits allow, and what the file's own size makes up for, generously.
	if most := uint64(64<<20 + 2000*len(file)); importer.Allocated()-before > most {
		t.Errorf("%d bytes of memory for a file of %d, more than %d", importer.Allocated()-before, len(file), most)
	}
	if err != nil {
		if text := err.Error(); strings.Contains(text, "internal error") || ctx.Err() != nil || text == "" {
			t.Errorf("refused by accident: %v", err)
		}
		return false
	}
	sound(t, r.Net)
	fast, _, err := rewrite.Optimize(r.Net, nil)
	if err != nil {
		t.Fatalf("cannot be rewritten: %v", err)
	}
	sound(t, fast)
	plan(ctx, t, r, statements)
	for _, net := range []*network.Network{r.Net, fast} {
		if w := net.Work(); w.MACs >= 0 && w.MACs < 1<<20 && w.Steps >= 0 && w.Steps < 1<<20 && net.Params() < 1<<16 {
			run(ctx, t, net)
		}
	}
	if ctx.Err() != nil {
		t.Error("never ends")
	}
	return true
}

// sound checks that the shapes of a network fit together, and its limits.
func sound(t *testing.T, net *network.Network) {
	t.Helper()
	shapes := make([]network.Shape, len(net.Layers))
	for i, l := range net.Layers {
		shapes[i] = l.Shape
		if s := l.Shape; l != net.Input() && (min(s.H, s.W, s.C) < 1 || s.Len() > importer.MostValues) {
			t.Errorf("%s makes %s", l, s)
		}
		if l.Index != i {
			t.Errorf("layer %d has the index %d", i, l.Index)
		}
	}
	if err := net.Infer(); err != nil {
		t.Error(err)
	}
	for i, l := range net.Layers {
		if l.Shape != shapes[i] {
			t.Errorf("%s makes %s, said to be %s", l, l.Shape, shapes[i])
		}
	}
	if !net.Output.Shape.IsVector() {
		t.Errorf("the output is %s", net.Output.Shape)
	}
}

var rates = cost.Default()

// plan plans heat maps.
func plan(ctx context.Context, t *testing.T, r *importer.Result, statements []lang.Statement) {
	in := r.Net.Input().Shape
	m := &model.Model{Name: "m", Net: r.Net, Spec: imageio.DefaultSpec(in.W, in.H), Classes: r.Net.Output.Shape.Len(), Output: model.OutputRaw}
	var set settings.Settings
	p := planner.New(planner.Env{Catalog: only{m}, Settings: &set, Profile: rates, Memory: func() int64 { return 4 << 30 }})
	for _, s := range statements {
		if _, err := p.Plan(ctx, s); err != nil && !strings.Contains(err.Error(), "memory_limit") {
			t.Errorf("cannot be planned: %v", err)
		}
	}
}

// only is a catalog of one model.
type only struct{ m *model.Model }

func (o only) Lookup(name string) (*model.Model, bool) { return o.m, name == o.m.Name }
func (o only) Models() []*model.Model                  { return []*model.Model{o.m} }

// run computes the network on a clean and on an occluded image.
func run(ctx context.Context, t *testing.T, net *network.Network) {
	p, err := cpu.New(ctx, net, cpu.Options{})
	if err != nil {
		t.Errorf("has no kernels: %v", err)
		return
	}
	p.Reserve(2, 1<<12) // workers take megabytes at a time
	s := net.Input().Shape
	image := tensor.New(tensor.WithShape(s.H, s.W, s.C), tensor.WithBacking(make([]float32, s.Len())))
	views, err := p.Base(ctx, image, 1)
	if err != nil {
		failed(t, err)
		return
	}
	patch := operators.NewTile(region.Of(s.W/2, s.H/2, 1, 1), s.C, make([]float32, s.C))
	u := operators.Update{Patch: patch, Rects: net.Trace(patch.Rect, nil), Out: make([]float32, net.Output.Shape.Len())}
	if err := p.NewWorker().Run(ctx, views, []operators.Update{u}); err != nil {
		failed(t, err)
	}
}

// failed lets a kernel refuse values, but no slips.
func failed(t *testing.T, err error) {
	if text := err.Error(); strings.Contains(text, "fault in occlude") || strings.Contains(text, "internal error") || strings.Contains(text, "runtime error") {
		t.Errorf("cannot be run: %v", err)
	}
}
