package tables

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"
	"gorgonia.org/tensor"

	"occlude/internal/npy"
	"occlude/internal/store"
	"occlude/internal/store/storetest"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t testing.TB, path string) *store.Store {
	s := store.Open(path)
	t.Cleanup(func() { s.Close() })
	return s
}

func table(t testing.TB, s *store.Store, name string) *Table {
	t.Helper()
	made, err := Open(t.Context(), s, name)
	must(t, err)
	return made
}

// sample is a heat map of one class on a grid of side x side positions, with random
// values that depend on what it is of.
func sample(image, content, query string, side int) *Map {
	sum := uint64(len(content))
	for _, b := range []byte(image + content + query) {
		sum = sum*31 + uint64(b)
	}
	random := rand.New(rand.NewPCG(sum, 1))
	m := &Map{
		Key: Key{"/scans/" + image, query}, Image: image, ImageHash: content, Model: "oct", ModelHash: "c0ffee",
		Text: "OCCLUDE '" + image + "' USING oct", Plan: `{"plan":"full"}`, Classes: 1, Positions: side * side,
		Width: 224, Height: 224, Resize: "crop", PatchW: 16, PatchH: 8, Seconds: 0.5,
	}
	var data []float32
	for i := range side {
		m.X, m.Y = append(m.X, 4*i), append(m.Y, 8*i)
		for j := range side {
			p := random.Float32()
			m.Rows = append(m.Rows, []any{image, "oct", 3, "DME", 4 * j, 8 * i, 16, 8, float32(0.7), p, float32(0.7) - p, "exact"})
			data = append(data, p)
		}
	}
	m.Array = tensor.New(tensor.WithShape(side, side), tensor.WithBacking(data))
	return m
}

func put(t testing.TB, to *Table, m *Map, want bool) {
	t.Helper()
	if kept, err := to.Put(t.Context(), m); err != nil || kept != want {
		t.Fatalf("%s: kept %v, %v; want %v", m.Image, kept, err, want)
	}
}

// holds demands that a table has just these maps, all of them whole, and no array
// beside theirs.
func holds(t testing.TB, of *Table, maps ...*Map) {
	t.Helper()
	arrays, total := 0, 0
	for _, m := range maps {
		kept, err := of.Find(t.Context(), m.Key)
		if err != nil || kept == nil || kept.ImageHash != m.ImageHash {
			t.Fatalf("%s: %v, %v", m.Image, kept, err)
		}
		rows := read(t, of, fmt.Sprintf("SELECT * FROM %s WHERE map = %d ORDER BY class_id, y, x", Quote(of.Name), kept.ID))
		if len(rows) != len(m.Rows) {
			t.Fatalf("%s: %d rows, want %d", m.Image, len(rows), len(m.Rows))
		}
		for i, row := range rows {
			for j, want := range append(m.Rows[i], kept.ID) {
				got := row[j]
				if f, ok := want.(float32); ok {
					got, want = float32(got.(float64)), any(f)
				}
				if fmt.Sprint(got) != fmt.Sprint(want) {
					t.Fatalf("%s: row %d, %s is %v, want %v", m.Image, i, columns[j].name, got, want)
				}
			}
		}
		meta := read(t, of, fmt.Sprintf("SELECT array, grid_x, query, positions FROM occlude_map WHERE id = %d", kept.ID))[0]
		a, _, err := npy.ReadFile(ArrayPath(of.store, meta[0].(string)))
		if err != nil || !reflect.DeepEqual(a.Data(), m.Array.Data()) {
			t.Fatalf("%s: the array is %v, %v", m.Image, a, err)
		}
		if meta[1] != strings.ReplaceAll(fmt.Sprint(m.X), " ", ",") || meta[2] != m.Text || meta[3] != int64(m.Positions) {
			t.Fatalf("%s: %v", m.Image, meta)
		}
		arrays, total = arrays+1, total+len(m.Rows)
	}
	if n := read(t, of, "SELECT count(*) FROM "+Quote(of.Name))[0][0]; n != int64(total) {
		t.Fatalf("%v rows, want %d", n, total)
	}
	if n := read(t, of, "SELECT count(*) FROM occlude_map WHERE tbl = '"+of.Name+"'")[0][0]; n != int64(arrays) {
		t.Fatalf("%v maps, want %d", n, arrays)
	}
	files, err := filepath.Glob(filepath.Join(ArrayPath(of.store, folder(of.Name)), "*"))
	if err != nil || len(files) != arrays {
		t.Fatalf("%d arrays, %v; want %d", len(files), err, arrays)
	}
}

// read gives the rows of a query.
func read(t testing.TB, of *Table, query string) [][]any {
	t.Helper()
	return storetest.Rows(t, of.store, query)
}

func change(t testing.TB, s *store.Store, statement string) {
	t.Helper()
	must(t, s.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.Exec(statement)
		return err
	}))
}

func TestPut(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "data", "occlude.db"))
	maps := table(t, s, "maps")
	a, b := sample("a.png", "1", "q", 7), sample("b.png", "1", "q", 7)
	other := sample("a.png", "1", "r", 5)
	for _, m := range []*Map{a, b, other} {
		put(t, maps, m, true)
	}
	holds(t, maps, a, b, other)
	late := sample("a.png", "1", "q", 7) // as another process found it, which is not the same where time counts
	late.Array = tensor.New(tensor.WithShape(1), tensor.WithBacking([]float32{0.5}))
	put(t, maps, late, false)
	holds(t, maps, a, b, other)
	// An image that has changed, and one that failed and then did not.
	must(t, maps.Fail(t.Context(), a.Key, a.Image, a.Text, os.ErrNotExist))
	must(t, maps.Fail(t.Context(), a.Key, a.Image, a.Text, os.ErrPermission))
	if got := read(t, maps, "SELECT error FROM occlude_failure"); len(got) != 1 || got[0][0] != os.ErrPermission.Error() {
		t.Errorf("failures: %v", got)
	}
	a = sample("a.png", "2", "q", 7)
	put(t, maps, a, true)
	holds(t, maps, a, b, other)
	if got := read(t, maps, "SELECT error FROM occlude_failure"); len(got) != 0 {
		t.Errorf("failures: %v", got)
	}
	// The table goes by its name in any case, others are apart.
	put(t, table(t, s, "MAPS"), sample("b.png", "1", "q", 7), false)
	others := table(t, s, `my "odd" ../table`)
	put(t, others, a, true)
	holds(t, others, a)
	holds(t, maps, a, b, other)
}

// A map that lacks a row or its array is not there, and is put anew.
func TestDamagedMaps(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "occlude.db"))
	maps := table(t, s, "maps")
	a, b := sample("a.png", "1", "q", 3), sample("b.png", "1", "q", 3)
	put(t, maps, a, true)
	put(t, maps, b, true)
	for _, harm := range []func(){
		func() { change(t, s, "DELETE FROM maps WHERE image = 'a.png' AND x = 4 AND y = 8") },
		func() { change(t, s, "DELETE FROM maps WHERE image = 'a.png'") },
		func() {
			change(t, s, "DELETE FROM occlude_map WHERE image = 'a.png'; DELETE FROM maps WHERE image = 'a.png'")
		},
		func() { must(t, os.Remove(ArrayPath(s, maps.array(a)))) },
	} {
		harm()
		if kept, err := maps.Find(t.Context(), a.Key); kept != nil || err != nil {
			t.Errorf("%v, %v", kept, err)
		}
		_, err := maps.Put(t.Context(), a)
		must(t, err)
		holds(t, maps, a, b)
	}
}

// A table that was dropped leaves nothing behind.
func TestDropped(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "occlude.db"))
	maps, others := table(t, s, "maps"), table(t, s, "others")
	a, b := sample("a.png", "1", "q", 3), sample("b.png", "1", "q", 3)
	put(t, maps, a, true)
	put(t, others, b, true)
	for _, plan := range []string{"first", "second"} {
		if begun, err := maps.Begin(t.Context(), "q", plan); begun != "first" || err != nil {
			t.Errorf("begun with %q, %v", begun, err)
		}
	}
	if plan, err := Begun(t.Context(), s, "MAPS", "q"); plan != "first" || err != nil {
		t.Errorf("begun with %q, %v", plan, err)
	}
	if plan, err := Begun(t.Context(), s, "others", "q"); plan != "" || err != nil {
		t.Errorf("begun with %q, %v", plan, err)
	}
	change(t, s, "DROP TABLE maps")
	if plan, err := Begun(t.Context(), s, "maps", "q"); plan != "" || err != nil {
		t.Errorf("a dropped table was begun with %q, %v", plan, err)
	}
	maps = table(t, s, "Maps")
	holds(t, maps)
	if begun, err := maps.Begin(t.Context(), "q", "third"); begun != "third" || err != nil {
		t.Errorf("begun with %q, %v", begun, err)
	}
	put(t, maps, b, true)
	holds(t, maps, b)
	holds(t, others, b)
}

func TestRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "occlude.db")
	s := open(t, path)
	if err := Takes(t.Context(), s, "maps"); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a question makes a file")
	}
	change(t, s, "CREATE TABLE mine (image, x); CREATE VIEW seen AS SELECT 1")
	table(t, s, "maps")
	change(t, s, "CREATE TABLE copied AS SELECT * FROM maps")
	for name, want := range map[string]string{
		"": "needs a name", "occlude_map": "begin with occlude_", "Occlude_x": "begin with occlude_",
		"sqlite_schema": "begin with sqlite_", "LAST": "the last result",
		"Mine": `"mine" is no table of heat maps: its columns are image, x`, "seen": "a view",
		"maps": "", "copied": "", "new": "",
		strings.Repeat("ä", 43): "too long", strings.Repeat("n", 255): "",
	} {
		_, opened := Open(t.Context(), s, name)
		for _, err := range []error{Takes(t.Context(), s, name), opened} {
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%q: %v, want %q", name, err, want)
			}
		}
	}
}

// TestAtOnce lets several stores put the same maps and others, in one table and in
// two: nothing is lost, nothing is there twice.
func TestAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "occlude.db")
	var all []*Map
	for i := range 12 {
		all = append(all, sample(fmt.Sprintf("%d.png", i), "1", "q", 5))
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	kept := map[string]int{}
	for worker := range 4 {
		wg.Go(func() {
			s := store.Open(path)
			defer s.Close()
			for _, name := range []string{"maps", "others"} {
				to, err := Open(context.Background(), s, name)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range all {
					m := *all[(i+worker)%len(all)]
					yes, err := to.Put(context.Background(), &m)
					if err != nil {
						t.Error(err)
						return
					}
					if yes {
						mu.Lock()
						kept[name+m.Image]++
						mu.Unlock()
					}
				}
			}
		})
	}
	wg.Wait()
	s := open(t, path)
	holds(t, table(t, s, "maps"), all...)
	holds(t, table(t, s, "others"), all...)
	for of, n := range kept {
		if n != 1 {
			t.Errorf("%s was kept %d times", of, n)
		}
	}
}

func BenchmarkPut(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "occlude.db"))
	maps := table(b, s, "maps")
	m := sample("a.png", "", "q", 53)
	for i := 0; b.Loop(); i++ {
		m.Path = fmt.Sprint(i)
		put(b, maps, m, true)
	}
	b.ReportMetric(float64(len(m.Rows)*b.N)/b.Elapsed().Seconds(), "rows/s")
}
