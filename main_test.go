package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"github.com/rogpeppe/go-internal/testscript"
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
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			env.Setenv("OCCLUDE_DATA", filepath.Join(env.WorkDir, "data")) // not the user's own measurements
			return os.CopyFS(filepath.Join(env.WorkDir, "examples"), os.DirFS("examples"))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "json": jsonValues, "examples": examples},
		// A script says what it expects in words; nothing is recorded.
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

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

// Ctrl-C ends a long query with status 130, says how far it came, and leaves no
// file behind.
func TestInterrupt(t *testing.T) {
	model, err := filepath.Abs("examples")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := exec.Command("occlude", "-c", "CREATE MODEL m FROM '"+model+"/models/chest.onnx'; OCCLUDE '"+model+"/images/clear.png' USING m STRIDE 1 INTO 'heat.png', 'heat.npy'", "-c", "SHOW threads")
	c.Dir, c.Env = dir, append(os.Environ(), "OCCLUDE_DATA="+dir)
	var errs strings.Builder
	c.Stderr = &errs
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "CREATE MODEL m") {
		t.Fatalf("it begins with %q", lines.Text())
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if lines.Scan() {
		t.Errorf("it goes on with %q", lines.Text())
	}
	exit := (*exec.ExitError)(nil)
	if err := c.Wait(); !errors.As(err, &exit) || exit.ExitCode() != 130 {
		t.Errorf("it ends with %v", err)
	}
	if !strings.Contains(errs.String(), "interrupted") {
		t.Errorf("it says %s", errs.String())
	}
	if err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			t.Errorf("%s is left", path)
		}
		return err
	}); err != nil {
		t.Error(err)
	}
}
