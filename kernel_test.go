package main

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// These tests run the kernel under Jupyter itself, as Debian has it. They skip where
// that is not installed, but with OCCLUDE_CI=1 they fail.

const jupyterPackages = "python3-jupyter-client python3-nbclient python3-nbconvert python3-jupyter-kernel-test python3-ipython python3-numpy"

// python finds an interpreter that has Jupyter.
var python = sync.OnceValues(func() (string, error) {
	var last error
	for _, name := range []string{"python3", "/usr/bin/python3"} {
		out, err := exec.Command(name, "-c", "import jupyter_client, nbclient, nbconvert, jupyter_kernel_test, IPython, numpy").CombinedOutput()
		if err == nil {
			return name, nil
		}
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		last = fmt.Errorf("%s: %w: %s", name, err, lines[len(lines)-1])
	}
	return "", last
})

// frontEnd is Jupyter with the kernel installed, and a copy of the examples.
type frontEnd struct {
	python, examples string
	env              []string
}

func newFrontEnd(t *testing.T) *frontEnd {
	t.Helper()
	interpreter, err := python()
	if err != nil {
		message := fmt.Sprintf("no Jupyter: %v; on Debian: apt-get install --yes %s", err, jupyterPackages)
		if os.Getenv("OCCLUDE_CI") != "" {
			t.Fatal(message)
		}
		t.Skip(message)
	}
	dir := t.TempDir()
	j := &frontEnd{python: interpreter, examples: filepath.Join(dir, "examples")}
	if err := os.CopyFS(j.examples, os.DirFS("examples")); err != nil {
		t.Fatal(err)
	}
	binary := filepath.Join(dir, "bin", "occlude")
	j.env = append(os.Environ(), "HOME="+dir, "JUPYTER_PATH="+filepath.Join(dir, "share", "jupyter"), "JUPYTER_RUNTIME_DIR="+filepath.Join(dir, "runtime"),
		"IPYTHONDIR="+filepath.Join(dir, "ipython"), "OCCLUDE_DATA="+filepath.Join(dir, "data"), "OCCLUDE="+binary, "PYTHONPATH="+dir, "PYTHONWARNINGS=ignore")
	// The program as it is installed: TestMain's is the test itself under another name.
	j.command(t, ".", "go", "build", "-o", binary, ".").run()
	j.command(t, dir, binary, "kernel", "install", "--prefix", dir).run()
	magic := j.command(t, dir, binary, "kernel", "magic").run()
	if err := os.WriteFile(filepath.Join(dir, "occlude_magic.py"), []byte(magic), 0o644); err != nil {
		t.Fatal(err)
	}
	return j
}

// program is a command in a folder.
type program struct {
	*exec.Cmd
	t *testing.T
}

func (j *frontEnd) command(t *testing.T, dir, name string, args ...string) program {
	c := exec.Command(name, args...)
	c.Dir, c.Env = dir, j.env
	if name == "go" {
		c.Env = nil
	}
	return program{c, t}
}

// script is one of testdata/jupyter, run in the folder of the examples.
func (j *frontEnd) script(t *testing.T, name string, args ...string) program {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", "jupyter", name))
	if err != nil {
		t.Fatal(err)
	}
	return j.command(t, j.examples, j.python, append([]string{path}, args...)...)
}

// run runs a command that must succeed and gives what it prints.
func (c program) run() string {
	c.t.Helper()
	out, err := c.CombinedOutput()
	if err != nil {
		c.t.Fatalf("%s: %v\n%s", c, err, out)
	}
	return string(out)
}

// cell is a cell of a notebook.
type cell struct {
	Type    string       `json:"cell_type"`
	Source  text         `json:"source"`
	Outputs []cellOutput `json:"outputs"`
}

type cellOutput struct {
	Type  string          `json:"output_type"`
	Name  string          `json:"name"`
	Text  text            `json:"text"`
	Data  map[string]text `json:"data"`
	Value string          `json:"evalue"`
	Lines []string        `json:"traceback"`
}

// text is what notebooks keep as a string or as a list of lines.
type text string

func (t *text) UnmarshalJSON(data []byte) error {
	var lines []string
	if json.Unmarshal(data, &lines) == nil {
		*t = text(strings.Join(lines, ""))
		return nil
	}
	return json.Unmarshal(data, (*string)(t))
}

func readNotebook(t *testing.T, path string) []cell {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var book struct{ Cells []cell }
	if err := json.Unmarshal(data, &book); err != nil {
		t.Fatal(err)
	}
	return book.Cells
}

// kinds are a cell's outputs in short. One that is empty was a bar.
func (c cell) kinds() string {
	var all []string
	for _, o := range c.Outputs {
		kind := o.Type
		for _, mime := range []string{"image/png", "text/html", "text/plain"} {
			if o.Data[mime] != "" {
				kind += " " + mime
			}
		}
		switch last := len(all) - 1; {
		case o.Type == "display_data" && len(o.Data) == 0:
		case o.Type == "stream" && last >= 0 && all[last] == kind: // it goes on
		default:
			all = append(all, kind)
		}
	}
	return strings.Join(all, ", ")
}

func TestJupyter(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	j := newFrontEnd(t)
	// Half of the time Jupyter waits, for kernels or for what they might still say.
	for name, test := range map[string]func(*testing.T){
		"notebooks": j.testNotebooks, "suite": j.testSuite, "session": j.testSession, "together": j.testTogether,
		"cycles": j.testCycles, "parent": j.testParent, "magic": j.testMagic,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// The notebooks of the examples do what they say, with the outputs that they are
// there to show.
func (j *frontEnd) testNotebooks(t *testing.T) {
	const picture, table = "display_data image/png text/plain, stream", "execute_result text/html text/plain"
	wanted := map[string][]struct{ begins, kinds, says string }{
		"tour.ipynb": {
			{"CREATE OR REPLACE MODEL", "stream, " + table, "52317"},
			{"PREDICT", table, "ground glass"},
			{"OCCLUDE", picture, "53 x 53 = 2809 positions"},
			{"OCCLUDE", picture, "fill mean(image)"},
			{"OCCLUDE", picture, "961 where"},
			{"OCCLUDE", table, "p_drop"},
			{"COPY", "stream", "COPY 8 rows to classes.json"},
			{"OCCLUDE", "error", "did you mean chest?"},
		},
		"plans.ipynb": {
			{"CREATE OR REPLACE MODEL", "stream", "CREATE MODEL chest"},
			{"DESCRIBE", table, "receptive field"},
			{"EXPLAIN OCCLUDE", table, "Materialize views"},
			{"EXPLAIN ANALYZE", table, "Took"},
			{"OCCLUDE", picture, "plan      full"},
			{"OCCLUDE", picture, "plan      incremental"},
			{"OCCLUDE", picture, "20 random positions"},
			{"OCCLUDE", picture, "43681 positions"},
			{"EXPLAIN ANALYZE", table, "Took"},
		},
	}
	files, err := filepath.Glob("examples/notebooks/*.ipynb")
	if err != nil || len(files) != len(wanted) {
		t.Fatalf("%d notebooks, %v", len(files), err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		path, result := filepath.Join(j.examples, "notebooks", name), filepath.Join(j.examples, "notebooks", "executed-"+name)
		for _, c := range readNotebook(t, file) {
			if len(c.Outputs) > 0 {
				t.Errorf("%s is kept with outputs", file)
			}
		}
		j.script(t, "execute.py", path, result).run()
		i := 0
		for _, c := range readNotebook(t, result) {
			if c.Type != "code" {
				continue
			}
			if i >= len(wanted[name]) {
				t.Fatalf("%s: more cells than known, at %s", name, c.Source)
			}
			want := wanted[name][i]
			i++
			if !strings.HasPrefix(string(c.Source), want.begins) || c.kinds() != want.kinds {
				t.Errorf("%s, cell %d: %.40q shows %s, want %s", name, i, c.Source, c.kinds(), want.kinds)
			}
			var said strings.Builder
			for _, o := range c.Outputs {
				said.WriteString(string(o.Text+o.Data["text/plain"]+o.Data["text/html"]) + strings.Join(o.Lines, "\n"))
				if data := o.Data["image/png"]; data != "" {
					checkPicture(t, string(data))
				}
			}
			if !strings.Contains(said.String(), want.says) {
				t.Errorf("%s, cell %d does not say %q but\n%s", name, i, want.says, said.String())
			}
		}
		if i != len(wanted[name]) {
			t.Errorf("%s: %d cells", name, i)
		}
		// As a page to pass on.
		j.command(t, j.examples, j.python, "-m", "nbconvert", "--to", "html", result).run()
		page, err := os.ReadFile(strings.TrimSuffix(result, ".ipynb") + ".html")
		if err != nil || !strings.Contains(string(page), "data:image/png;base64") || !strings.Contains(string(page), "<table") {
			t.Errorf("%s as a page: %v", name, err)
		}
	}
	for _, written := range []string{"spiculated.csv", "classes.json"} {
		if _, err := os.Stat(filepath.Join(j.examples, "notebooks", written)); err != nil {
			t.Error(err)
		}
	}
}

func checkPicture(t *testing.T, data string) {
	t.Helper()
	m, err := png.Decode(base64.NewDecoder(base64.StdEncoding, strings.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	if m.Bounds().Dx() < 400 {
		t.Errorf("a picture of %v", m.Bounds())
	}
}

// Jupyter's own tests of kernels pass, and none is left out.
func (j *frontEnd) testSuite(t *testing.T) {
	out := j.script(t, "suite.py").run()
	if !strings.Contains(out, "\nOK\n") || strings.Contains(out, "skipped") {
		t.Error(out)
	}
}

// A kernel is interrupted, restarted and ended while it computes; what was queued
// goes with what was interrupted.
func (j *frontEnd) testSession(t *testing.T) { j.script(t, "session.py", "session").run() }

// Notebooks and the command line share their data: the rc file, tables, the history.
func (j *frontEnd) testTogether(t *testing.T) { j.script(t, "session.py", "together").run() }

// Kernels that come and go leave nothing behind.
func (j *frontEnd) testCycles(t *testing.T) {
	n := "5"
	if os.Getenv("OCCLUDE_CI") != "" {
		n = "100"
	}
	j.script(t, "session.py", "cycles", n).run()
}

// A kernel ends when the process that started it is killed, though it computes.
func (j *frontEnd) testParent(t *testing.T) {
	c := j.script(t, "session.py", "orphan")
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.Stderr = os.Stderr
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	var kernel int
	if _, err := fmt.Sscan(lines.Text(), &kernel); err != nil {
		t.Fatalf("it says %q: %v", lines.Text(), err)
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = c.Wait() // says that it was killed
	for deadline := time.Now().Add(30 * time.Second); syscall.Kill(kernel, 0) == nil && !isZombie(kernel); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(kernel, syscall.SIGKILL)
			t.Fatal("the kernel has survived")
		}
	}
}

// isZombie reports whether a process has ended but its new parent has yet to notice.
func isZombie(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(stat), ") Z ")
}

// The magic gives Python what the program computes.
func (j *frontEnd) testMagic(t *testing.T) { j.script(t, "magic.py").run() }
