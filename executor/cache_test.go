package executor_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"occlude/executor"
	"occlude/internal/dicomfile/dicomtest"
	"occlude/internal/model"
	"occlude/internal/network/networktest"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/operators/cpu/simd"
	"occlude/planner"
	"occlude/planner/cost"
)

// newKeeping is a bench whose planner knows what the session keeps.
func newKeeping(t testing.TB) *bench {
	b := newBench(t)
	b.env.Cache = b.session
	b.planner = planner.New(b.env)
	return b
}

// shown are the rows of SHOW CACHE of a kind, without the age.
func (b *bench) shown(kind string) (rows []string) {
	b.t.Helper()
	r := b.run("SHOW CACHE;")[0].(*executor.Relation)
	for _, row := range r.Rows {
		if row[0] == kind {
			rows = append(rows, strings.TrimSpace(fmt.Sprintln(row[1], row[2], row[7])))
		}
	}
	return rows
}

// images copies pictures of the examples to short names.
func (b *bench) images(names ...string) {
	b.t.Helper()
	pictures := []string{"nodule", "cavity", "clear", "spiculated"}
	for i, name := range names {
		data, err := os.ReadFile("examples/images/" + pictures[i%len(pictures)] + ".png")
		if err == nil {
			err = os.WriteFile(name, data, 0o600)
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
}

// keeper runs queries over one model in a session that keeps views.
type keeper struct {
	t       *testing.T
	session *executor.Session
	planner *planner.Planner
}

func newKeeper(t *testing.T, m *model.Model) *keeper {
	s := executor.NewSession()
	env := planner.Env{Catalog: single{m}, Settings: &settings.Settings{}, Profile: cost.Default(), Cache: s}
	return &keeper{t, s, planner.New(env)}
}

func (k *keeper) run(text string) *executor.HeatMap {
	k.t.Helper()
	script, diagnostics := lang.Parse("test", text)
	if err := diagnostics.Err(); err != nil {
		k.t.Fatal(err)
	}
	p, err := k.planner.Plan(k.t.Context(), script.Statements[0])
	if err != nil {
		k.t.Fatalf("%s: %v", text, err)
	}
	var h *executor.HeatMap
	if err := k.session.Run(k.t.Context(), p, func(r executor.Result) error {
		h, _ = r.(*executor.HeatMap)
		return nil
	}); err != nil {
		k.t.Fatalf("%s: %v", text, err)
	}
	return h
}

// randomQuery draws a query on one of the pictures, which become w x h pixels.
func randomQuery(random *rand.Rand, pictures []string, w, h, classes int) string {
	pick := func(from ...string) string { return from[random.IntN(len(from))] }
	patchW, patchH := 1+random.IntN(max(1, w/3)), 1+random.IntN(max(1, h/3))
	q := fmt.Sprintf("OCCLUDE '%s' USING m PATCH %dx%d ", pick(pictures...), patchW, patchH) +
		pick("", "FOR TOP 1", fmt.Sprintf("FOR CLASS %d", random.IntN(classes))) + " " +
		pick("", "FILL black", "FILL mean(patch)", "FILL noise(3)", "FILL blur(2)") + " "
	switch random.IntN(3) {
	case 0:
		q += fmt.Sprintf("AT (%d, %d), (0, 0) WITH (%s)", random.IntN(w-patchW+1), random.IntN(h-patchH+1),
			pick("plan = 'full'", "plan = 'incremental'", "tolerance = 1e-4"))
	case 1:
		q += fmt.Sprintf("STRIDE %d %s WITH (%s)", 1+random.IntN(3), pick("", "WHERE x < 3 OR y > 2"),
			pick("plan = 'full'", "plan = 'incremental'", "convolution = 'direct'", "kernels = 'generic'", "tau = 0.6", "drill_down = 0.2, speedup = 1.1, convolution = 'direct'"))
	default:
		q += fmt.Sprintf("STRIDE 1 SSIM >= 0.%d WITH (plan = 'approximate', sketches = '%s', convolution = 'direct')", 5+random.IntN(4), pick("on", "off"))
	}
	return q + ";"
}

// Whatever queries went before, a query gives the answer that it gives alone: to the bit
// where its plan is the same, and as plans differ where views that are kept decide
// on other algorithms.
func TestKeptViewsGiveTheSameAnswer(t *testing.T) {
	dir := t.TempDir()
	var pictures []string
	for i := range 2 {
		pictures = append(pictures, filepath.Join(dir, fmt.Sprintf("%d.png", i)))
		colourful(t, pictures[i], 24, uint64(i+7))
	}
	seeds := uint64(40)
	if testing.Short() {
		seeds = 10
	}
	hits := map[string]int{}
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 5))
		net := networktest.Random(rand.New(rand.NewPCG(seed, 3)), networktest.Options{})
		in := net.Input().Shape
		if in.C == 4 { // no image has four channels
			continue
		}
		m := &model.Model{Name: "m", Net: net, Classes: net.Output.Shape.Len(), Output: model.OutputProbabilities, Spec: specFor(in)}
		k, alone := newKeeper(t, m), newKeeper(t, m)
		for range 6 {
			query := randomQuery(random, pictures, in.W, in.H, m.Classes)
			h := k.run(query)
			alone.run("CLEAR CACHE;")
			want := alone.run(query)
			if want.Actual.Kept || h.Actual.Kept != (h.Plan.Chosen().Views != nil) {
				t.Fatalf("seed %d: %s: kept %v, alone %v, planned %+v", seed, query, h.Actual.Kept, want.Actual.Kept, h.Plan.Chosen().Views)
			}
			same := h.Plan.Choice().Same(want.Plan.Choice())
			if h.Actual.Kept {
				hits[h.Plan.Chosen().Name]++
			}
			if same && bits(h) != bits(want) {
				t.Fatalf("seed %d: %s: other bits by the same plan", seed, query)
			}
			if !same && h.Plan.Chosen().Exact() && want.Plan.Chosen().Exact() {
				if d, err := distance(h, want); err != nil || !(d <= 1e-5) {
					t.Fatalf("seed %d: %s: off by %g, %v", seed, query, d, err)
				}
			}
		}
	}
	for _, plan := range []string{planner.PlanFull, planner.PlanIncremental, planner.PlanApproximate} {
		if hits[plan] < int(seeds)/10 {
			t.Errorf("only %d %s plans went by kept views", hits[plan], plan)
		}
	}
}

// It is the file's content that counts, when the query runs.
func TestKeptViewsAreOfTheFileAsItIs(t *testing.T) {
	b := newKeeping(t)
	b.run(chest)
	colourful(t, "x.png", 224, 1)
	lengthen(t, "x.png")
	query := "OCCLUDE 'x.png' USING chest STRIDE 104;"
	first := b.one(query)
	again := b.one(query)
	if first.Actual.Kept || !again.Actual.Kept || bits(first) != bits(again) {
		t.Errorf("kept %v, then %v, the same %v", first.Actual.Kept, again.Actual.Kept, bits(first) == bits(again))
	}
	// Another name for the same picture.
	if err := os.Rename("x.png", "y.png"); err != nil {
		t.Fatal(err)
	}
	if h := b.one("OCCLUDE 'y.png' USING chest STRIDE 104;"); !h.Actual.Kept || bits(h) != bits(first) || h.Image != "y.png" {
		t.Errorf("of %s, by another name, kept %v", h.Image, h.Actual.Kept)
	}
	// Another picture by the same name, as many bytes long, written after the plan was made.
	p := b.planned("OCCLUDE 'y.png' USING chest STRIDE 104;")
	if p.Chosen().Views == nil {
		t.Fatal("the plan does not go by the views that are kept")
	}
	colourful(t, "y.png", 224, 2)
	lengthen(t, "y.png")
	other := b.executed(p)
	if other.Actual.Kept || other.Actual.BaseSeconds <= 0 || bits(other) == bits(first) {
		t.Errorf("a picture that has changed: kept %v, base pass %g s", other.Actual.Kept, other.Actual.BaseSeconds)
	}
	alone := newSession(t)
	alone.run(chest)
	if h := alone.one("OCCLUDE 'y.png' USING chest STRIDE 104;"); bits(h) != bits(other) {
		t.Error("a picture that has changed gives another answer than in a session of its own")
	}
	if rows := b.shown("views"); len(rows) != 1 {
		t.Errorf("what was seen of the file before is kept: %q", rows)
	}
	// A model that was created anew, in another way.
	b.run("CREATE OR REPLACE MODEL chest FROM 'examples/models/chest.onnx';")
	if rows := append(b.shown("views"), b.shown("weights")...); len(rows) != 0 {
		t.Errorf("of a model that was replaced: %q", rows)
	}
	if h := b.one("OCCLUDE 'y.png' USING chest STRIDE 104;"); h.Actual.Kept {
		t.Error("the views of a model that was replaced")
	}
	b.run("DROP MODEL chest;")
	if rows := b.shown("views"); len(rows) != 0 {
		t.Errorf("of a model that was dropped: %q", rows)
	}
}

// lengthen gives every picture the same length, by bytes behind its end.
func lengthen(t *testing.T, path string) {
	t.Helper()
	if err := os.Truncate(path, 1<<20); err != nil {
		t.Fatal(err)
	}
}

// planned plans a query.
func (b *bench) planned(query string) *planner.Occlude {
	b.t.Helper()
	script, diagnostics := lang.Parse("test", query)
	if err := diagnostics.Err(); err != nil {
		b.t.Fatal(err)
	}
	p, err := b.planner.Plan(b.t.Context(), script.Statements[0])
	if err != nil {
		b.t.Fatal(err)
	}
	return p.(*planner.Occlude)
}

// executed runs a plan of one heat map.
func (b *bench) executed(p *planner.Occlude) (h *executor.HeatMap) {
	b.t.Helper()
	if err := b.session.Run(b.t.Context(), p, func(r executor.Result) error {
		h = r.(*executor.HeatMap)
		return nil
	}); err != nil {
		b.t.Fatal(err)
	}
	return h
}

// twoFrames writes a DICOM file of two frames.
func twoFrames(t *testing.T, path string) {
	t.Helper()
	m := dicomtest.Image{Rows: 32, Columns: 32, Bits: 8, Stored: 8, High: 7, Frames: make([][]uint16, 2)}
	for i := range 32 * 32 {
		m.Frames[0], m.Frames[1] = append(m.Frames[0], uint16(i%251)), append(m.Frames[1], uint16(i*i/97%256))
	}
	if err := os.WriteFile(path, m.File(t), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Frames of a file are images of their own.
func TestKeptViewsAreOfAFrame(t *testing.T) {
	b := newKeeping(t)
	b.run(chest)
	twoFrames(t, "ct.dcm")
	first, second := b.one("OCCLUDE 'ct.dcm' USING chest AT (8, 8);"), b.one("OCCLUDE 'ct.dcm#2' USING chest AT (8, 8);")
	if second.Actual.Kept || first.Classes[0].P0 == second.Classes[0].P0 {
		t.Errorf("the second frame has p0 %v, the first %v", second.Classes[0].P0, first.Classes[0].P0)
	}
	if h := b.one("OCCLUDE 'ct.dcm#1' USING chest AT (8, 8);"); !h.Actual.Kept || bits(h) != bits(first) {
		t.Errorf("the first frame again: kept %v", h.Actual.Kept)
	}
}

// What was used the longest ago makes room.
func TestViewCacheIsBounded(t *testing.T) {
	b := newKeeping(t)
	b.run(chest)
	b.images("a.png", "b.png", "c.png", "d.png")
	ask := func(image string) bool {
		return b.one("OCCLUDE '" + image + ".png' USING chest STRIDE 208;").Actual.Kept
	}
	expect := func(what string, want ...string) {
		t.Helper()
		if got := b.shown("views"); !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	b.run("SET view_cache = '8MB';") // views of two images
	if ask("a") || ask("b") || !ask("a") || ask("c") {
		t.Error("the wrong ones are kept")
	}
	expect("the last two of three", "chest c.png 1", "chest a.png 2")
	if ask("b") || !ask("c") {
		t.Error("the wrong ones are kept")
	}
	expect("others", "chest c.png 2", "chest b.png 1")
	b.run("SET view_cache = '4MB';")
	expect("a lower bound", "chest c.png 2")
	b.run("SET view_cache = '2MB';") // less than an image's
	for range 2 {
		if ask("c") {
			t.Error("views larger than the bound are kept")
		}
	}
	expect("a bound below an image's views")
	if h := b.one("OCCLUDE 'c.png' USING chest STRIDE 208 WITH (plan = 'full');"); h.Actual.ViewBytes != h.Plan.Chosen().Estimate.ViewBytes || h.Actual.ViewBytes > 1e6 {
		t.Errorf("a full plan whose views are not kept holds %d bytes of them", h.Actual.ViewBytes)
	}
	b.run("SET view_cache = off;")
	for range 2 {
		if ask("d") {
			t.Error("views are kept though they are off")
		}
	}
	b.run("RESET view_cache;")
	if ask("d") || !ask("d") {
		t.Error("nothing is kept after RESET")
	}
	if rows := b.shown("weights"); len(rows) == 0 || !strings.HasPrefix(rows[0], "chest <nil>") {
		t.Errorf("weights %q", rows)
	}
	said := b.run("CLEAR CACHE;")[0].(executor.Message).Text
	if !strings.HasPrefix(said, "CLEAR CACHE: 1 set of views (3.33 MiB), the packed weights of ") {
		t.Error(said)
	}
	expect("after CLEAR CACHE")
	if rows := b.shown("weights"); len(rows) != 0 || ask("d") {
		t.Errorf("after CLEAR CACHE weights %q", rows)
	}
}

// What is kept makes room for a query that needs it, the longest unused first, and
// what a query over kept views holds is what was expected.
func TestKeptViewsKeepToTheMemory(t *testing.T) {
	b := newKeeping(t)
	b.run(chest + "SET threads = 1;")
	b.images("a.png", "b.png", "c.png")
	for _, clauses := range []string{
		"STRIDE 104 WITH (plan = 'incremental')", "STRIDE 104 WITH (plan = 'full')", "AT (0, 0)",
		"PATCH 24 STRIDE 16 SSIM >= 0.7 WITH (plan = 'approximate', sketches = 'on')", "STRIDE 8 WITH (tau = 0.5)",
	} {
		query := "OCCLUDE 'a.png' USING chest " + clauses + ";"
		b.one(query)
		h := b.one(query)
		e := h.Plan.Chosen().Estimate
		if !h.Actual.Kept || h.Actual.Base.MACs() != 0 || e.BaseMACs != 0 || e.BaseSeconds != 0 || h.Actual.BaseSeconds != 0 {
			t.Errorf("%s: kept %v; %+v", clauses, h.Actual.Kept, e)
		}
		if share := float64(h.Actual.PeakBytes) / float64(e.PeakBytes); share < 0.9 || share > 1.1 {
			t.Errorf("%s: %+v held, %+v expected", clauses, h.Actual.Memory, e.Memory)
		}
		if h.Plan.Chosen().Exact() && h.Actual.MACs() != e.MACs {
			t.Errorf("%s: %d multiply-adds, %d expected", clauses, h.Actual.MACs(), e.MACs)
		}
	}
	b.run("CLEAR CACHE;")
	query := func(image string) *executor.HeatMap {
		return b.one("OCCLUDE '" + image + ".png' USING chest STRIDE 104 WITH (plan = 'incremental');")
	}
	for _, image := range []string{"b", "c", "a", "b"} {
		query(image)
	}
	need := query("a").Actual.PeakBytes
	for _, c := range []struct {
		room int64 // beside the query's own
		want []string
	}{
		{10e6, []string{"chest a.png 3", "chest b.png 2", "chest c.png 1"}},
		{4e6, []string{"chest a.png 4", "chest b.png 2"}},
		{1e6, []string{"chest a.png 5"}},
	} {
		b.run(fmt.Sprintf("SET memory_limit = '%dB';", need+c.room))
		h := query("a")
		if got := b.shown("views"); !h.Actual.Kept || !slices.Equal(got, c.want) {
			t.Errorf("with room for %d bytes: kept %v, then %q, want %q", c.room, h.Actual.Kept, got, c.want)
		}
		if limit := need + c.room; h.Actual.PeakBytes > limit {
			t.Errorf("%d bytes held of %d", h.Actual.PeakBytes, limit)
		}
	}
}

// Statements that ask about queries do not go by what others have left, and leave
// nothing; a query that is cancelled does.
func TestWhoKeepsViews(t *testing.T) {
	b := newKeeping(t)
	b.run(chest)
	const query = "OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104"
	b.one(query + ";")
	before := b.shown("views")
	for _, text := range []string{
		"BENCHMARK (RUNS 1) " + query, "COMPARE (" + query + ") WITH (" + query + " FILL black)", "EVALUATE (" + query + ") USING deletion WITH (steps = 4)",
	} {
		for _, r := range b.run(text + ";") {
			if c, ok := r.(*executor.Comparison); ok && (c.First.Actual.Kept || c.Second.Actual.Kept) {
				t.Errorf("%s goes by kept views", text)
			}
		}
		for _, row := range b.shown("views") {
			if !slices.Contains(before, row) {
				t.Errorf("%s: %q, before it %q", text, row, before)
			}
		}
	}
	b.run("CLEAR CACHE; COPY (" + query + ") TO 'x.csv';")
	r := b.run("EXPLAIN ANALYZE " + query + ";")[0].(*executor.Explanation)
	if !r.Actual.Kept || r.Plan.Query.Chosen().Views == nil {
		t.Error("EXPLAIN ANALYZE has a base pass, though COPY has left its views")
	}
	b.run("CLEAR CACHE;")
	ctx, cancel := context.WithCancel(context.Background())
	b.session.Progress = &stopper{after: 1, cancel: cancel}
	if _, err := b.try(ctx, "OCCLUDE 'examples/images/nodule.png' USING chest WITH (batch = 1);"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	b.session.Progress = nil
	if !b.one(query + ";").Actual.Kept {
		t.Error("a query that was cancelled has left no views")
	}
}

// Rules that are ruled out make another network; kernels and forced algorithms make other
// views.
func TestKeptViewsAreOfAProgram(t *testing.T) {
	b := newKeeping(t)
	b.run(chest)
	const query = "OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104"
	want := b.one(query + ";")
	for _, c := range []struct {
		change, hints string
		kept          bool
	}{
		{"SET enable_full = off;", "", true},
		{"SET enable_fuse_residual = off;", "", false},
		{"", " WITH (convolution = 'direct')", false},
		{"", " WITH (convolution = 'direct')", true},
		{"", " WITH (convolution = 'F(2x2)')", false},
		{"SET kernels = 'generic';", "", simd.Best().Name == "generic"},
	} {
		b.run(c.change)
		h := b.one(query + c.hints + ";")
		if d, err := distance(h, want); err != nil || h.Actual.Kept != c.kept || !(d <= 1e-5) {
			t.Errorf("%s%s: kept %v, off by %g, %v", c.change, c.hints, h.Actual.Kept, d, err)
		}
		if strings.Contains(c.change, "fuse") && len(b.shown("views")) != 1 {
			t.Errorf("the views of a network that is no more are kept: %q", b.shown("views"))
		}
	}
}

// BenchmarkFewPositions times the second query of a diagnosis, from its text on.
func BenchmarkFewPositions(b *testing.B) {
	w := newKeeping(b)
	w.run(chest)
	w.one("OCCLUDE 'examples/images/nodule.png' USING chest STRIDE 104;")
	for b.Loop() {
		w.one("OCCLUDE 'examples/images/nodule.png' USING chest AT (100, 80), (50, 20);")
	}
}

// What is kept makes room for the trials of ANALYZE MODEL, too.
func TestKeptViewsMakeRoomForTrials(t *testing.T) {
	b := newKeeping(t)
	stored(t, b, "data.db")
	b.run(chest + "SET threads = 1;")
	const images = 16 // of 3.33 MiB each
	for i := range uint64(images) {
		colourful(t, fmt.Sprintf("%d.png", i), 24, i)
		b.one(fmt.Sprintf("OCCLUDE '%d.png' USING chest AT (0, 0);", i))
	}
	if rows := b.shown("views"); len(rows) != images {
		t.Fatalf("%q are kept", rows)
	}
	b.run("SET memory_limit = '100MiB';") // the least trial takes 72
	ctx, cancel := context.WithCancel(t.Context())
	b.session.Progress = &stopper{after: 1, cancel: cancel}
	if _, err := b.try(ctx, "ANALYZE MODEL chest;"); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	b.session.Progress = nil
	if rows := b.shown("views"); len(rows) > images/2 {
		t.Errorf("%d are kept beside a trial", len(rows))
	}
}
