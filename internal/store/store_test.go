package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"occlude/internal/curve"
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 123_000_000, time.UTC)
	machine = Machine{"Xeon 8481C", 4, "avx512"}
	rates   = Calibration{machine, key.Model, []byte(`{"conv": 1.5e11}`), noon}
	key     = curve.Key{Model: "c0ffee", Input: "224x224 squash", PatchW: 16, PatchH: 24, StrideW: 4, StrideH: 8, Fill: "gray", Metric: "ssim"}
	slope   = curve.Curve{
		Key: key, Points: []curve.Point{{Tau: 1, Mean: 1, Worst: 1, Speedup: 1}, {Tau: .7, Mean: .95, Worst: .9, Speedup: 2}, {Tau: .4, Mean: .91, Worst: .5, Speedup: 4}},
		Fit: [3]float64{.8, .1, .1}, Residual: .01, Sample: curve.Sample{Files: "oct/*.png", Seed: 42, Images: []string{"oct/a.png", "oct/b.png"}}, Measured: noon,
	}
)

// open opens a store that the test closes.
func open(t testing.TB, path string) *Store {
	t.Helper()
	s := Open(path)
	t.Cleanup(func() { s.Close() })
	return s
}

func file(t testing.TB) string { return filepath.Join(t.TempDir(), fileName) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// holds demands that a store knows rates and curve.
func holds(t testing.TB, s *Store) {
	t.Helper()
	c, ok, err := s.Calibration(t.Context(), machine, key.Model)
	if err != nil || !ok || !reflect.DeepEqual(c, rates) {
		t.Errorf("the calibration is %v, %v, %v", c, ok, err)
	}
	k, ok, err := s.Curve(t.Context(), key)
	if err != nil || !ok || !reflect.DeepEqual(k, slope) {
		t.Errorf("the curve is %v, %v, %v", k, ok, err)
	}
}

// fill stores rates and curve.
func fill(t testing.TB, s *Store) {
	t.Helper()
	must(t, s.Put(t.Context(), []Calibration{rates}, nil))
	must(t, s.Put(t.Context(), nil, []curve.Curve{slope}))
}

func TestWhatIsPutIsThere(t *testing.T) {
	path := file(t)
	s := open(t, path)
	fill(t, s)
	holds(t, s)
	holds(t, open(t, path)) // while the first is open
	must(t, s.Close())
	holds(t, open(t, path))
}

// TestKeys changes each part of each key: what was stored is not found by it.
func TestKeys(t *testing.T) {
	s := open(t, file(t))
	fill(t, s)
	for _, m := range []Machine{{"Xeon", 4, "avx512"}, {machine.CPU, 2, "avx512"}, {machine.CPU, 4, "avx2"}} {
		if _, ok, err := s.Calibration(t.Context(), m, key.Model); ok || err != nil {
			t.Errorf("%v is found: %v, %v", m, ok, err)
		}
	}
	for i := range reflect.TypeFor[curve.Key]().NumField() {
		other := key
		switch f := reflect.ValueOf(&other).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString(f.String() + "'")
		default:
			f.SetInt(f.Int() + 1)
		}
		if _, ok, err := s.Curve(t.Context(), other); ok || err != nil {
			t.Errorf("%v is found: %v, %v", other, ok, err)
		}
	}
}

func TestReplacing(t *testing.T) {
	s := open(t, file(t))
	fill(t, s)
	later := rates
	later.Profile, later.Measured = []byte(`[]`), noon.Add(time.Hour)
	must(t, s.Put(t.Context(), []Calibration{later}, nil))
	if c, ok, err := s.Calibration(t.Context(), machine, key.Model); err != nil || !ok || !reflect.DeepEqual(c, later) {
		t.Errorf("%v, %v, %v", c, ok, err)
	}
	again, other, elsewhere := slope, slope, slope
	again.Fit[0] = 7
	other.Metric = "ssim_krypton"
	elsewhere.Model = "decaf"
	must(t, s.Put(t.Context(), nil, []curve.Curve{elsewhere, other, again}))
	all, err := s.Curves(t.Context(), key.Model)
	if want := []curve.Curve{again, other}; err != nil || !reflect.DeepEqual(all, want) {
		t.Errorf("the curves are %v, %v", all, err)
	}
}

// TestOtherModels: what was measured with the model itself counts more than what was
// measured later with another, among others the latest does, and what was measured
// without any model counts least.
func TestOtherModels(t *testing.T) {
	s := open(t, file(t))
	first, second := rates, rates
	second.Model, second.Measured = "decaf", noon.Add(time.Hour)
	third := rates
	third.Model, third.Measured = AnyModel, noon.Add(2*time.Hour)
	must(t, s.Put(t.Context(), []Calibration{third, second, first}, nil))
	if all, err := s.Calibrations(t.Context()); err != nil || !reflect.DeepEqual(all, []Calibration{second, first, third}) {
		t.Errorf("all are %v, %v", all, err)
	}
	if all, err := open(t, "").Calibrations(t.Context()); len(all) > 0 || err != nil {
		t.Errorf("nowhere there are %v, %v", all, err)
	}
	for model, want := range map[string]Calibration{key.Model: first, "decaf": second, "latte": second, AnyModel: third} {
		if c, ok, err := s.Calibration(t.Context(), machine, model); err != nil || !ok || !reflect.DeepEqual(c, want) {
			t.Errorf("for %s: %v, %v, %v", model, c, ok, err)
		}
	}
}

// TestPutUnless: what another process has kept meanwhile stays, and is given back;
// what is older makes room.
func TestPutUnless(t *testing.T) {
	s := open(t, file(t))
	first, second := rates, rates
	second.Profile, second.Measured = []byte(`{"conv": 2e11}`), noon.Add(time.Minute)
	for _, c := range []struct {
		put   Calibration
		since time.Time
		want  Calibration
	}{{first, noon.Add(-time.Second), first}, {second, noon, first}, {second, noon.Add(time.Second), second}} {
		got, err := s.PutUnless(t.Context(), c.put, c.since)
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v, %v; want %v", got, err, c.want)
		}
		if known, ok, err := s.Calibration(t.Context(), machine, key.Model); err != nil || !ok || !reflect.DeepEqual(known, c.want) {
			t.Errorf("%v is kept, %v, %v; want %v", known, ok, err, c.want)
		}
	}
	// The clock was wrong once.
	second.Measured = time.Now().Add(24 * time.Hour)
	must(t, s.Put(t.Context(), []Calibration{second}, nil))
	if got, err := s.PutUnless(t.Context(), first, noon); err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("what was measured tomorrow stays: %v, %v", got, err)
	}
	if _, err := open(t, "").PutUnless(t.Context(), first, noon); err == nil {
		t.Error("something was kept nowhere")
	}
}

// TestAllOrNone: of several curves one cannot be stored.
func TestAllOrNone(t *testing.T) {
	s := open(t, file(t))
	fill(t, s)
	_, err := s.db.Exec(`CREATE TRIGGER no BEFORE INSERT ON occlude_curve WHEN new.metric = 'bad' BEGIN SELECT RAISE(ABORT, 'no'); END`)
	must(t, err)
	first, second := slope, slope
	first.Metric, second.Metric = "good", "bad"
	if err := s.Put(t.Context(), nil, []curve.Curve{first, second}); err == nil {
		t.Error("the second could be stored")
	}
	if all, err := s.Curves(t.Context(), key.Model); err != nil || len(all) != 1 {
		t.Errorf("%d curves, %v", len(all), err)
	}
}

func TestUselessValues(t *testing.T) {
	s := open(t, file(t))
	bad := func(change func(*curve.Curve)) curve.Curve {
		c := slope
		c.Points = append([]curve.Point(nil), c.Points...)
		change(&c)
		return c
	}
	nan := func() float64 { zero := 0.0; return zero / zero }()
	for _, err := range []error{
		s.Put(t.Context(), []Calibration{{Machine{"", 4, "avx2"}, "c0ffee", []byte(`{}`), noon}}, nil),
		s.Put(t.Context(), []Calibration{{machine, "", []byte(`{}`), noon}}, nil),
		s.Put(t.Context(), []Calibration{{machine, "c0ffee", []byte(`{`), noon}}, nil),
		s.Put(t.Context(), nil, []curve.Curve{bad(func(c *curve.Curve) { c.Model = "" })}),
		s.Put(t.Context(), nil, []curve.Curve{bad(func(c *curve.Curve) { c.Points = nil })}),
		s.Put(t.Context(), nil, []curve.Curve{bad(func(c *curve.Curve) { c.Points[1].Worst = nan })}),
		s.Put(t.Context(), nil, []curve.Curve{bad(func(c *curve.Curve) { c.Fit[2] = 1 / nan })}),
	} {
		if err == nil {
			t.Error("a useless value was stored")
		}
	}
	if _, err := os.Stat(s.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}

// TestNothingStored: whoever only reads finds nothing, and makes nothing.
func TestNothingStored(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "a", "b")
	for _, path := range []string{"", filepath.Join(folder, fileName)} {
		s := open(t, path)
		_, ok, err := s.Calibration(t.Context(), machine, key.Model)
		_, has, err2 := s.Curve(t.Context(), key)
		all, err3 := s.Curves(t.Context(), key.Model)
		if ok || has || all != nil || err != nil || err2 != nil || err3 != nil {
			t.Errorf("%q: %v %v %v, %v %v %v", path, ok, has, all, err, err2, err3)
		}
	}
	if _, err := os.Stat(filepath.Dir(folder)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder was made: %v", err)
	}
	if err := open(t, "").Put(t.Context(), []Calibration{rates}, nil); err == nil || !strings.Contains(err.Error(), "OCCLUDE_DATA") {
		t.Errorf("storing nowhere: %v", err)
	}
	empty := file(t)
	must(t, os.WriteFile(empty, nil, 0o600))
	if _, ok, err := open(t, empty).Calibration(t.Context(), machine, key.Model); ok || err != nil {
		t.Errorf("in an empty file: %v, %v", ok, err)
	}
}

// TestFolder: the folder is made for its owner alone, whatever it is called.
func TestFolder(t *testing.T) {
	for _, name := range []string{"plain", "a b", "100%", "%41", "a?mode=memory", "a#b", "写真", "it's \"so\"", `back\slash`, "a&b=c;d"} {
		folder := filepath.Join(t.TempDir(), name, "data")
		s := open(t, filepath.Join(folder, fileName))
		fill(t, s)
		holds(t, s)
		for path, want := range map[string]os.FileMode{folder: 0o700, s.Path(): 0o600} {
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
		must(t, s.Close())
		left, err := os.ReadDir(folder)
		if err != nil || len(left) != 1 {
			t.Errorf("%s: closing left %v, %v", name, left, err)
		}
	}
}

func TestDefaultPath(t *testing.T) {
	home := t.TempDir()
	for _, test := range []struct{ data, xdg, home, want string }{
		{"/d", "/x", home, "/d/occlude.db"},
		{"relative", "/x", home, "relative/occlude.db"},
		{"", "/x", home, "/x/occlude/occlude.db"},
		{"", "x", home, home + "/.local/share/occlude/occlude.db"},
		{"", "", home, home + "/.local/share/occlude/occlude.db"},
		{"", "", "", ""},
	} {
		t.Setenv("OCCLUDE_DATA", test.data)
		t.Setenv("XDG_DATA_HOME", test.xdg)
		t.Setenv("HOME", test.home)
		if got := DefaultPath(); filepath.ToSlash(got) != test.want {
			t.Errorf("%+v: %q", test, got)
		}
	}
}

func TestGoroutines(t *testing.T) {
	s := open(t, file(t))
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			c := rates
			c.CPU = fmt.Sprint("cpu ", i)
			for range 20 {
				if err := s.Put(t.Context(), []Calibration{c}, nil); err != nil {
					t.Error(err)
				}
				if got, ok, err := s.Calibration(t.Context(), c.Machine, c.Model); err != nil || !ok || !reflect.DeepEqual(got, c) {
					t.Errorf("%v, %v, %v", got, ok, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestClosed(t *testing.T) {
	s := open(t, file(t))
	fill(t, s)
	must(t, s.Close())
	must(t, s.Close())
	if _, _, err := s.Calibration(t.Context(), machine, key.Model); !errors.Is(err, errClosed) {
		t.Errorf("reading: %v", err)
	}
	if err := s.Put(t.Context(), []Calibration{rates}, nil); !errors.Is(err, errClosed) {
		t.Errorf("writing: %v", err)
	}
}

// hold takes the write lock of a store's file until the test ends.
func hold(t testing.TB, s *Store) {
	t.Helper()
	other := open(t, s.path)
	must(t, other.Put(t.Context(), []Calibration{rates}, nil))
	tx, err := other.db.BeginTx(context.WithoutCancel(t.Context()), nil)
	must(t, err)
	t.Cleanup(func() { tx.Rollback() })
}

func TestBusy(t *testing.T) {
	s := open(t, file(t))
	s.patience = 20 * time.Millisecond
	hold(t, s)
	if err := s.Put(t.Context(), nil, []curve.Curve{slope}); !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), s.path) {
		t.Errorf("writing: %v", err)
	}
	// Who only reads does not wait.
	if _, ok, err := s.Calibration(t.Context(), machine, key.Model); !ok || err != nil {
		t.Errorf("reading: %v, %v", ok, err)
	}
}

// TestCancelled: nobody waits for the file, or for another goroutine's turn,
// longer than the context lasts.
func TestCancelled(t *testing.T) {
	why := errors.New("no more")
	s := open(t, file(t))
	s.patience = time.Hour
	hold(t, s)
	put := func() (cancel func(), done chan error) {
		ctx, stop := context.WithCancelCause(t.Context())
		done = make(chan error, 1)
		go func() { done <- s.Put(ctx, nil, []curve.Curve{slope}) }()
		return func() { stop(why) }, done
	}
	cancelFile, file := put()
	for len(s.turn) == 0 {
		time.Sleep(time.Millisecond)
	}
	cancelTurn, turn := put()
	cancelTurn()
	if err := <-turn; !errors.Is(err, why) {
		t.Errorf("waiting for the other goroutine: %v", err)
	}
	cancelFile()
	if err := <-file; !errors.Is(err, why) {
		t.Errorf("waiting for the file: %v", err)
	}
	if _, ok, err := s.Calibration(t.Context(), machine, key.Model); !ok || err != nil {
		t.Errorf("afterwards: %v, %v", ok, err)
	}
}

// TestTablesOfOthers: what else is in the file stays as it is.
func TestTablesOfOthers(t *testing.T) {
	path := file(t)
	s := open(t, path)
	fill(t, s)
	_, err := s.db.Exec(`CREATE TABLE maps (p); INSERT INTO maps VALUES (.5)`)
	must(t, err)
	must(t, s.Close())
	next := open(t, path)
	next.steps = append(next.steps[:len(next.steps):len(next.steps)], `CREATE TABLE occlude_more (x)`)
	fill(t, next)
	var p float64
	if err := next.db.QueryRow(`SELECT p FROM maps`).Scan(&p); err != nil || p != .5 {
		t.Errorf("%v, %v", p, err)
	}
	if err := next.db.QueryRow(`SELECT x FROM occlude_more`).Scan(&p); !errors.Is(err, sql.ErrNoRows) {
		t.Error(err)
	}
}
