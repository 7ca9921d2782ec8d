package executor_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"occlude/executor"
	"occlude/internal/npy"
	"occlude/internal/store/storetest"
	"occlude/lang"
	"occlude/operators/cpu/simd"
	"occlude/planner"
	"occlude/planner/cost"
)

// fill runs a query into a table.
func (b *bench) fill(query string) *executor.IntoTable {
	b.t.Helper()
	results := b.run(query)
	f, ok := results[len(results)-1].(*executor.IntoTable)
	if !ok || len(results) != 1 {
		b.t.Fatalf("%s\nreturned %T", query, results)
	}
	return f
}

// rows runs a query of SQL.
func (b *bench) rows(query string, args ...any) [][]any {
	b.t.Helper()
	return storetest.Rows(b.t, b.session.Store, query, args...)
}

// kept demands that a table's rows of an image are those of a heat map, to the bit,
// and so is its array.
func (b *bench) kept(table string, h *executor.HeatMap) {
	b.t.Helper()
	r := h.Relation()
	rows := b.rows("SELECT m.* FROM "+table+" AS m JOIN occlude_map ON id = map WHERE m.image = ? ORDER BY class_id, y, x", h.Image)
	if len(rows) != len(r.Rows) {
		b.t.Fatalf("%s: %d rows, want %d", h.Image, len(rows), len(r.Rows))
	}
	there := map[string]bool{}
	text := func(row []any) string {
		for i, v := range row {
			if v, ok := v.(float64); ok {
				row[i] = float32(v)
			}
		}
		return fmt.Sprint(row)
	}
	for _, row := range rows {
		there[text(row[:len(row)-1])] = true
	}
	for _, row := range r.Rows {
		if !there[text(row)] {
			b.t.Fatalf("%s: no row %v", h.Image, row)
		}
	}
	array := b.rows("SELECT array FROM occlude_map WHERE id = ?", rows[0][len(rows[0])-1])[0][0].(string)
	a, _, err := npy.ReadFile(filepath.Join("data", array))
	if err != nil || !a.Shape().Eq(h.Array().Shape()) || fmt.Sprint(a.Data()) != fmt.Sprint(h.Array().Data()) {
		b.t.Fatalf("%s: the array is %v, %v", h.Image, a, err)
	}
}

// What a query puts into a table is what it returns without one.
func TestTableHasTheRelation(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	b.run(chest)
	if err := os.WriteFile("seen.png", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, query := range []string{
		"OCCLUDE 'examples/images/nodule*.png' USING chest STRIDE 26",
		"OCCLUDE 'examples/images/nodule*.png' USING chest FOR TOP 3 PATCH 20x10 STRIDE 30x40 FILL blur(3)",
		"OCCLUDE 'examples/images/c*.png' USING chest STRIDE 20 WHERE x > 60 AND inside('examples/masks/lungs.png')",
		"OCCLUDE 'examples/images/clear.png' USING chest FOR CLASS 2 AT (5, 60), (5, 8), (40, 8)",
		"OCCLUDE 'examples/images/clear.png' USING chest STRIDE 6 SSIM >= 0.8 VERIFY 20 POSITIONS",
	} {
		table := fmt.Sprintf("maps%d", i)
		maps := b.maps(query + ";")
		f := b.fill(query + " INTO TABLE " + table + ";")
		rows := 0
		for _, h := range maps {
			b.kept(table, h)
			rows += len(h.Relation().Rows)
		}
		if f.Images != len(maps) || f.Computed != len(maps) || f.Rows != rows || f.Skipped+f.Failed != 0 {
			t.Errorf("%s: %+v", query, f)
		}
		if again := b.fill(query + " INTO TABLE " + table + ";"); again.Skipped != len(maps) || again.Rows+again.Computed != 0 {
			t.Errorf("%s: again %+v", query, again)
		}
		asked := b.rows("SELECT image, query FROM occlude_map WHERE tbl = ?", table)[0]
		if h := b.maps(asked[1].(string) + ";"); len(h) != 1 || h[0].Image != asked[0] {
			t.Errorf("the query that is kept, %q, gives %d maps", asked[1], len(h))
		} else {
			b.kept(table, h[0])
		}
	}
}

// What decides the answer makes another heat map, all else does not.
func TestWhatMakesAnotherMap(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	b.run(chest)
	colourful(t, "cover.png", 30, 7)
	const usual = "OCCLUDE 'examples/images/clear.png' USING chest STRIDE 104"
	maps := func() int { return int(b.rows("SELECT count(*) FROM occlude_map")[0][0].(int64)) }
	b.fill(usual + " INTO TABLE maps;")
	for _, same := range []string{
		usual + " INTO TABLE MAPS COLORMAP jet_r", usual + " FILL gray PATCH 16x16 INTO TABLE maps WITH (batch = 3, threads = 1, device = cpu)",
		strings.Replace(usual, "examples", "./examples", 1) + " INTO 'clear.png', TABLE maps ON ERROR STOP",
	} {
		b.fill(same + ";")
		if n := maps(); n != 1 {
			t.Fatalf("%s: %d maps", same, n)
		}
	}
	if _, err := os.Stat("clear.png"); err != nil {
		t.Error("the file beside the table was not written")
	}
	b.run("SET threads = 2; SET memory_limit = '1GB'; SET format = 'json';")
	b.fill(usual + " INTO TABLE maps;")
	if n := maps(); n != 1 {
		t.Fatalf("with other settings there are %d maps", n)
	}
	n := 1
	other := func(text string) {
		t.Helper()
		b.run(text)
		if n++; maps() != n {
			t.Fatalf("%s: %d maps, want %d", text, maps(), n)
		}
	}
	for _, text := range []string{"FILL black", "PATCH 20", "FOR CLASS 2", "FOR TOP 2", "WHERE x > 3", "SSIM >= 0.99", "VERIFY ALL",
		"WITH (plan = full)", "WITH (tau = 0.5)", "WITH (seed = 7)", "WITH (edge = drop)", "FILL image('cover.png')"} {
		other(usual + " INTO TABLE maps " + text + ";")
	}
	colourful(t, "cover.png", 30, 8)
	other(usual + " INTO TABLE maps FILL image('cover.png');")
	b.run(strings.Replace(chest, "MODEL chest", "MODEL other", 1))
	other(strings.Replace(usual, "chest", "other", 1) + " INTO TABLE maps;")
	b.run(strings.Replace(strings.Replace(chest, "CREATE", "CREATE OR REPLACE", 1), "0.27", "0.26", 1))
	other(usual + " INTO TABLE maps;")
	// Frames of a file are images of their own, and the window is the model's.
	frame := func(name string) string { return strings.Replace(usual, "clear.png", name, 1) + " INTO TABLE maps;" }
	other(frame("chest.dcm#1"))
	other(frame("chest.dcm#2"))
	b.run(strings.Replace(strings.Replace(chest, "CREATE", "CREATE OR REPLACE", 1), "mean", "window = [-200, 1400], mean", 1))
	other(frame("chest.dcm#2"))
	if b.fill(frame("chest.dcm#2")); maps() != n {
		t.Errorf("the same frame through the same window is another map")
	}
}

// heard collects what a session warns of.
func (b *bench) heard() *[]string {
	var list []string
	b.session.Warn = func(err error) { list = append(list, err.Error()) }
	return &list
}

// An image that cannot be used does not keep the others from being computed, unless
// that is asked for.
func TestUnusableImages(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	b.run(chest)
	warnings := b.heard()
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	colourful(t, "a.png", 30, 1)
	write("b.png", "not a picture")
	write("c.png", "")
	colourful(t, "d.png", 30, 2)
	const query = "OCCLUDE '?.png' USING chest STRIDE 104"
	f := b.fill(query + " INTO TABLE maps;")
	if f.Computed != 2 || f.Failed != 2 || len(*warnings) != 2 || !strings.Contains((*warnings)[0], "b.png") {
		t.Errorf("%+v, %q", f, *warnings)
	}
	if got := b.rows("SELECT image FROM occlude_failure ORDER BY image"); len(got) != 2 || got[1][0] != "c.png" {
		t.Errorf("failures: %v", got)
	}
	// They are tried again, and one has recovered.
	colourful(t, "b.png", 30, 3)
	f = b.fill(query + " INTO TABLE maps;")
	if f.Computed != 1 || f.Skipped != 2 || f.Failed != 1 {
		t.Errorf("%+v", f)
	}
	if got := b.rows("SELECT image FROM occlude_failure"); len(got) != 1 || got[0][0] != "c.png" {
		t.Errorf("failures: %v", got)
	}
	// A changed picture takes the place of what was computed of it before.
	colourful(t, "a.png", 30, 4)
	f = b.fill(query + " INTO TABLE maps;")
	if f.Computed != 1 || f.Skipped != 2 {
		t.Errorf("%+v", f)
	}
	b.kept("maps", b.one("OCCLUDE 'a.png' USING chest STRIDE 104;"))
	if n := b.rows("SELECT count(*) FROM occlude_map")[0][0]; n != int64(3) {
		t.Errorf("%v maps", n)
	}
	// STOP ends at the first; so does a query without a pattern.
	if err := b.fails(query + " INTO TABLE stopped ON ERROR STOP;"); !strings.Contains(err.Error(), "c.png") {
		t.Error(err)
	}
	if n := b.rows("SELECT count(*) FROM occlude_map WHERE tbl = 'stopped'")[0][0]; n != int64(2) {
		t.Errorf("%v maps before the error", n)
	}
	for _, text := range []string{"OCCLUDE 'c.png' USING chest INTO TABLE stopped;", "OCCLUDE 'c.png' USING chest;",
		"OCCLUDE 'c*' USING chest;", "OCCLUDE 'c.png' USING chest ON ERROR CONTINUE;"} {
		if err := b.fails(text); !strings.Contains(err.Error(), "c.png") {
			t.Error(err)
		}
	}
	// The same without a table.
	*warnings = nil
	if maps := b.maps(query + " INTO '{image}.npy';"); len(maps) != 3 || len(*warnings) != 2 || (*warnings)[1] != "1 of 4 images could not be used" {
		t.Errorf("%d maps, %q", len(maps), *warnings)
	}
	if _, err := os.Stat("d.npy"); err != nil {
		t.Error(err)
	}
	for _, name := range []string{"a.png", "b.png", "d.png"} {
		write(name, "x")
	}
	if err := b.fails(query + " INTO TABLE maps;"); !strings.Contains(err.Error(), "none of 4 images") || !strings.Contains(err.Error(), "a.png") {
		t.Error(err)
	}
}

// An interrupted statement goes on where it was.
func TestTableIsResumed(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	b.run(chest)
	const query = "OCCLUDE 'examples/images/*.png' USING chest STRIDE 16"
	ctx, cancel := context.WithCancel(context.Background())
	b.session.Progress = &stopper{after: 196*3 + 20, cancel: cancel}
	_, err := b.try(ctx, query+" INTO TABLE maps;")
	var stopped *executor.Interrupted
	if !errors.As(err, &stopped) || stopped.Kept < 2 || stopped.Kept > 6 || stopped.Images != 8 || stopped.Table != "maps" || !strings.Contains(err.Error(), "goes on with the others") {
		t.Fatalf("%v", err)
	}
	p := &counter{}
	b.session.Progress = p
	f := b.fill(query + " INTO TABLE maps;")
	if f.Skipped != stopped.Kept || f.Computed != 8-f.Skipped {
		t.Errorf("%+v after %v", f, err)
	}
	if p.started != 1 || p.finished != 1 || p.images != 8 || p.first != 8*196 || p.expected != f.Computed*196 || p.done != p.expected {
		t.Errorf("progress: started %d, finished %d, %d images, %d positions at first, then %d, and %d done", p.started, p.finished, p.images, p.first, p.expected, p.done)
	}
	for _, h := range b.maps(query + ";") {
		b.kept("maps", h)
	}
}

// counter adds up what it hears of progress.
type counter struct {
	mu                                               sync.Mutex
	started, finished, images, first, expected, done int
}

func (c *counter) locked(change func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	change()
}

func (c *counter) Start(_ string, n int) {
	c.locked(func() { c.started, c.first, c.expected = c.started+1, n, n })
}
func (c *counter) Next(string, int, int) { c.locked(func() { c.images++ }) }
func (c *counter) Expect(n int)          { c.locked(func() { c.expected = n }) }
func (c *counter) Add(n int)             { c.locked(func() { c.done += n }) }
func (c *counter) Finish()               { c.locked(func() { c.finished++ }) }

// What a table was begun with is gone on with, whatever is known of the machine by
// then.
func TestTableKeepsToItsPlan(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	b.run(chest)
	const query = "OCCLUDE 'examples/images/%s.png' USING chest STRIDE 26"
	plan := func() planner.Choice { return b.maps(fmt.Sprintf(query, "clear") + ";")[0].Plan.Choice() }
	before := plan()
	whole := b.maps(fmt.Sprintf(query, "*") + ";")
	b.fill(fmt.Sprintf(query, "no*") + " INTO TABLE maps;")
	// From now on a faster convolution is thought to take forever.
	env := b.env
	env.Profile = slower(t, "product")
	b.planner = planner.New(env)
	after := plan()
	if reflect.DeepEqual(before, after) {
		t.Fatal("the other profile changes nothing")
	}
	warnings := b.heard()
	if f := b.fill(fmt.Sprintf(query, "*") + " INTO TABLE maps;"); f.Skipped == 0 || f.Computed == 0 || len(*warnings) != 0 {
		t.Errorf("%+v, %q", f, *warnings)
	}
	for _, h := range whole {
		b.kept("maps", h)
	}
}

// slower is the default profile with one kind of kernels a million times slower.
func slower(t testing.TB, kind string) *cost.Profile {
	t.Helper()
	text, err := json.Marshal(cost.Default())
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	var change func(any)
	change = func(of any) {
		values, _ := of.(map[string]any)
		for name, v := range values {
			if rate, ok := v.(float64); ok && name == kind {
				values[name] = rate / 1e6
			}
			change(v)
		}
	}
	change(all)
	if text, err = json.Marshal(all); err != nil {
		t.Fatal(err)
	}
	p, err := cost.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Where it cannot be gone on with, people are told.
func TestTableDepartsFromItsPlan(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	b.run(chest)
	warnings := b.heard()
	b.run("SET kernels = 'generic';")
	b.fill("OCCLUDE 'examples/images/no*.png' USING chest STRIDE 104 INTO TABLE maps;")
	whole := b.maps("OCCLUDE 'examples/images/*.png' USING chest STRIDE 104;")
	// The planner's own choice gives way, the user's does not.
	b.run("RESET kernels;")
	b.fill("OCCLUDE 'examples/images/[cn]*.png' USING chest STRIDE 104 INTO TABLE maps;")
	if len(*warnings) != 0 {
		t.Errorf("%q", *warnings)
	}
	for _, h := range whole {
		if name := filepath.Base(h.Image)[0]; name == 'c' || name == 'n' {
			b.kept("maps", h)
		}
	}
	if simd.Best().Name == "generic" {
		return
	}
	b.run("SET kernels = '" + simd.Best().Name + "';")
	b.fill("OCCLUDE 'examples/images/*.png' USING chest STRIDE 104 INTO TABLE maps;")
	if len(*warnings) != 1 || !strings.Contains((*warnings)[0], `"maps" was begun with another plan: its kernels are generic`) {
		t.Errorf("%q", *warnings)
	}
}

// Two sessions that plan a query before either has begun do not put maps of two plans
// into a table.
func TestTableIsBegunOnce(t *testing.T) {
	first := stored(t, newBench(t), "data/occlude.db")
	second := stored(t, newSession(t), "data/occlude.db")
	env := second.env
	env.Profile = slower(t, "product")
	second.planner = planner.New(env)
	const query = "OCCLUDE 'examples/images/%s.png' USING chest STRIDE 26 INTO TABLE maps;"
	plan := func(b *bench, images string) planner.Plan {
		script, diagnostics := lang.Parse("test", fmt.Sprintf(query, images))
		if err := diagnostics.Err(); err != nil {
			t.Fatal(err)
		}
		p, err := b.planner.Plan(t.Context(), script.Statements[0])
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first.run(chest)
	second.run(chest)
	early, late := plan(first, "nodule"), plan(second, "*")
	ignore := func(executor.Result) error { return nil }
	if err := first.session.Run(t.Context(), early, ignore); err != nil {
		t.Fatal(err)
	}
	if err := second.session.Run(t.Context(), late, ignore); !errors.Is(err, executor.ErrBegun) {
		t.Fatal(err)
	}
	if f := second.fill(fmt.Sprintf(query, "*")); f.Skipped != 1 || f.Computed != 7 {
		t.Errorf("%+v", f)
	}
	for _, h := range first.maps("OCCLUDE 'examples/images/*.png' USING chest STRIDE 26;") {
		first.kept("maps", h)
	}
}
