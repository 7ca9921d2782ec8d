package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/npy"
	"occlude/lang"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"occlude": main})
}

// TestScript runs the scripts of testdata/script, each in a folder of its own
// with a copy of the examples. Besides testscript's own commands there are
//
//	exits N occlude ARGS...   runs occlude, which must end with status N
//	json FILE N               FILE (stdout for standard output) holds N JSON values and nothing else
//	examples FOLDER           runs every query file of a folder
//
// and the condition cuda, which tells whether the program was built with it.
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("OCCLUDE_DATA", filepath.Join(env.WorkDir, "data")) // not the user's own measurements
			return os.CopyFS(filepath.Join(env.WorkDir, "examples"), os.DirFS("examples"))
		},
		Condition: func(name string) (bool, error) {
			if name != "cuda" {
				return false, fmt.Errorf("there is no condition %q", name)
			}
			return withCUDA, nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "json": jsonValues, "examples": examples},
		// A script says what it expects in words; nothing is recorded.
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

// withCUDA tells whether this was built with CUDA.
var withCUDA bool

// exits runs a command that must end with a status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit := (*exec.ExitError)(nil)
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%q ends with status %d, want %d", args[1:], got, want)
	}
}

// jsonValues counts the JSON values of a file.
func jsonValues(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: json FILE COUNT")
	}
	text := ts.ReadFile(args[0])
	d, n := json.NewDecoder(strings.NewReader(text)), 0
	for {
		var v any
		err := d.Decode(&v)
		if err == io.EOF {
			break
		}
		if err != nil {
			ts.Fatalf("after %d values: %v in\n%s", n, err, text)
		}
		n++
	}
	if strconv.Itoa(n) != args[1] {
		ts.Fatalf("%d JSON values, want %s", n, args[1])
	}
}

// examples runs the query files of a folder.
func examples(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: examples FOLDER")
	}
	files, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "*.oql"))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no query files in %s", args[0])
	}
	for _, f := range files {
		ts.Logf("occlude -f %s", f)
		ts.Check(ts.Exec("occlude", "-f", f))
	}
}

// The page that people see names every flag that there is.
func TestHelpNamesEveryFlag(t *testing.T) {
	parser, err := kong.New(&commandLine{})
	if err != nil {
		t.Fatal(err)
	}
	for _, command := range parser.Model.Children {
		if command.Name != "run" && !strings.Contains(usage, "occlude "+command.Name) {
			t.Errorf("the help does not name the command %s", command.Name)
		}
		for _, group := range command.AllFlags(false) {
			for _, flag := range group {
				if !strings.Contains(usage, "--"+flag.Name) || flag.Short != 0 && !strings.Contains(usage, "-"+string(flag.Short)+", ") {
					t.Errorf("the help does not name --%s", flag.Name)
				}
			}
		}
	}
	for _, line := range strings.Split(usage, "\n") {
		if len(line) > 100 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
}

// A query keeps the collector to its memory_limit, wherever it is asked.
func TestMemoryIsBounded(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	t.Setenv("OCCLUDE_DATA", t.TempDir())
	e := newEngine()
	defer e.Session.Close()
	const text = "SET memory_limit = '900MB'; CREATE MODEL m FROM 'examples/models/chest.onnx'; OCCLUDE 'examples/images/clear.png' USING m STRIDE 208;"
	if err := e.Run(t.Context(), engine.Text{Source: text}, func(lang.Statement, executor.Result) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if now := debug.SetMemoryLimit(-1); now > 900e6 || now < 800e6 {
		t.Errorf("the collector knows of %d bytes", now)
	}
}

// Ctrl-C ends a long query with status 130 and says how far it came. What is known of the
// map by then is shown and written, whole; there is no file where nothing is known.
func TestInterrupt(t *testing.T) {
	for wait := time.Duration(0); ; wait = 2*wait + 50*time.Millisecond {
		if wait > time.Minute {
			t.Fatal("no position is computed in a minute")
		}
		dir := t.TempDir()
		out := interrupt(t, dir, wait)
		files := map[string]bool{}
		if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				files[filepath.Base(path)] = true
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out, "\n  partial ") {
			if len(files) > 0 || strings.Contains(out, "OCCLUDE") {
				t.Fatalf("%v are left after %s", files, out)
			}
			continue
		}
		if want := map[string]bool{"heat.png": true, "heat.npy": true}; !maps.Equal(files, want) || !strings.Contains(out, " missing\n") {
			t.Errorf("%v are left after %s", files, out)
		}
		f, err := os.Open(filepath.Join(dir, "heat.png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := png.Decode(f); err != nil {
			t.Error(err)
		}
		a, _, err := npy.ReadFile(filepath.Join(dir, "heat.npy"))
		if err != nil {
			t.Fatal(err)
		}
		known := 0
		for _, p := range a.Data().([]float32) {
			if p == p {
				known++
			}
		}
		if text := fmt.Sprintf("  partial   %d of 43681 positions\n", known); known == 0 || !strings.Contains(out, text) {
			t.Errorf("%d values are known after %s", known, out)
		}
		return
	}
}

// interrupt runs a long query in a folder and sends Ctrl-C some time after its model was
// created. It returns what was printed.
func interrupt(t *testing.T, dir string, wait time.Duration) string {
	t.Helper()
	examples, err := filepath.Abs("examples")
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command("occlude", "-c", "CREATE MODEL m FROM '"+examples+"/models/chest.onnx'; OCCLUDE '"+examples+"/images/clear.png' USING m STRIDE 1 INTO 'heat.png', 'heat.npy' WITH (plan = full, batch = 8)", "-c", "SHOW threads")
	c.Dir, c.Env = dir, append(os.Environ(), "OCCLUDE_DATA="+t.TempDir())
	var errs strings.Builder
	c.Stderr = &errs
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	reader := bufio.NewReader(pipe)
	if line, err := reader.ReadString('\n'); err != nil || !strings.HasPrefix(line, "CREATE MODEL m") {
		t.Fatalf("it begins with %q", line)
	}
	time.Sleep(wait)
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(reader)
	if err != nil || strings.Contains(string(out), "(1 row)") { // of SHOW
		t.Errorf("it goes on with %s, %v", out, err)
	}
	exit := (*exec.ExitError)(nil)
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ends with %v", err)
	}
	if !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("it says %s", errs.String())
	}
	return string(out)
}
