package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func content(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// expect checks that dir holds exactly the named files with their contents.
func expect(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := files[e.Name()]; !ok {
			t.Errorf("%s was left behind", e.Name())
		}
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || string(got) != want {
			t.Errorf("%s holds %q, %v; want %q", name, got, err, want)
		}
	}
}

func TestWriteAndReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "heat.csv")
	for _, s := range []string{"first", strings.Repeat("long ", 50_000), ""} {
		if err := Write(path, content(s)); err != nil {
			t.Fatal(err)
		}
		expect(t, dir, map[string]string{"heat.csv": s})
	}
	t.Chdir(dir)
	if err := Write("bare.txt", content("x")); err != nil {
		t.Fatal(err)
	}
	expect(t, dir, map[string]string{"heat.csv": "", "bare.txt": "x"})
}

func TestNothingIsLeftOfAFailure(t *testing.T) {
	failed := errors.New("no more heat")
	endings := map[string]func(){
		"panic": func() { panic("stop") },
		"exit":  func() { runtime.Goexit() },
	}
	for name, end := range endings {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "a")
			if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
				t.Fatal(err)
			}
			ended := make(chan any)
			go func() {
				defer func() { ended <- recover() }()
				_ = Write(path, func(w io.Writer) error {
					fmt.Fprint(w, strings.Repeat("half", 1<<16))
					end()
					return nil
				})
			}()
			if v := <-ended; name == "panic" && v != "stop" {
				t.Errorf("the panic became %v", v)
			}
			expect(t, dir, map[string]string{"a": "old"})
		})
	}
	t.Run("error", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "new")
		err := Write(path, func(w io.Writer) error {
			fmt.Fprint(w, strings.Repeat("half", 1<<16))
			return failed
		})
		if !errors.Is(err, failed) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v", err)
		}
		expect(t, dir, nil)
	})
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	long := time.Now().Add(-2 * stale)
	for name, old := range map[string]bool{".occlude-0000abcd.tmp": true, ".occlude-0000dcba.tmp": false, "heat.npy": true} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if old {
			if err := os.Chtimes(path, long, long); err != nil {
				t.Fatal(err)
			}
		}
	}
	Sweep(dir)
	Sweep(filepath.Join(dir, "not there"))
	expect(t, dir, map[string]string{".occlude-0000dcba.tmp": "", "heat.npy": ""})
}

func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ path, want string }{
		{"", "no name"},
		{dir, "is a folder"},
		{dir + "/", "is a folder"},
		{filepath.Join(dir, "new") + "/", "file name is missing"},
		{filepath.Join(dir, "no", "where.png"), "does not exist"},
		{filepath.Join(file, "below"), ""},
		{filepath.Join(dir, strings.Repeat("n", 300)), ""},
		{filepath.Join(dir, "nul\x00"), ""},
	} {
		err := Write(c.path, content("x"))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", c.path)) {
			t.Errorf("%q: error %v, want one with %q", c.path, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), ".tmp") {
			t.Errorf("%q: the error tells of the temporary file: %v", c.path, err)
		}
	}
	expect(t, dir, map[string]string{"file": ""})
}
