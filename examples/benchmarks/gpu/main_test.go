package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"occlude/examples/benchmarks/internal/process"
)

// TestMain is PyTorch, too: what torch starts.
func TestMain(m *testing.M) {
	if slices.Contains(os.Args, "stands-for-naive.py") {
		standIn()
		return
	}
	os.Exit(m.Run())
}

// standIn answers jobs without computing anything: resnet18 has no memory, and vgg16 is the end.
func standIn() {
	fmt.Println(`{"version": "stand-in"}`)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		var j job
		if err := json.Unmarshal(lines.Bytes(), &j); err != nil {
			panic(err)
		}
		switch j.Network {
		case "resnet18":
			fmt.Println(`{"error": "OutOfMemoryError: all of it"}`)
		case "vgg16":
			fmt.Fprintln(os.Stderr, "one line\nSegmentation fault")
			os.Exit(1)
		default:
			fmt.Printf(`{"class": %d, "positions": [[%d, 4]], "p": [0.5], "seconds": [3, 1, 2], "allocated": 5}`+"\n", j.Batch, j.Side)
		}
	}
}

func TestTorch(t *testing.T) {
	x := &torch{python: os.Args[0], program: "stands-for-naive.py", device: "cpu"}
	defer x.close()
	for range 2 { // the second time in another process
		a, err := x.ask(t.Context(), job{Network: "fine", Side: 64, Batch: 7})
		if err != nil || a.Class != 7 || a.Allocated != 5 || median(a.Seconds) != 2 || x.version != "stand-in" {
			t.Fatalf("%+v, %v", a, err)
		}
		if p := a.heatMap().p; len(p) != 1 || p[position{64, 4}] != .5 {
			t.Errorf("%v", p)
		}
		if _, err := x.ask(t.Context(), job{Network: "resnet18"}); err == nil || !strings.Contains(err.Error(), "all of it") {
			t.Errorf("no memory: %v", err)
		}
		if _, err := x.ask(t.Context(), job{Network: "vgg16"}); err == nil || !strings.HasSuffix(err.Error(), "Segmentation fault") {
			t.Errorf("the end: %v", err)
		}
	}
}

// TestRun is all of it on the processor, without PyTorch.
func TestRun(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	t.Chdir("../../..")
	t.Setenv("OCCLUDE_DATA", t.TempDir())
	folder := t.TempDir()
	binary, err := process.Occlude(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for to, from := range map[string]string{"chest.onnx": "examples/models/chest.onnx", "224.png": "examples/images/nodule.png"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list := []byte(`{"chest": 224, "missing": 100}`)
	if err := os.WriteFile(filepath.Join(folder, "networks.json"), list, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, progress bytes.Buffer
	args := []string{"-dir", folder, "-occlude", binary, "-python", "", "-device", "cpu", "-out", folder, "-stride", "64", "-runs", "2", "-cpu", "1ns"}
	err = run(t.Context(), args, &out, &progress)
	if err == nil || !strings.HasPrefix(err.Error(), "missing, answers: on cpu:") {
		t.Errorf("the error is %v", err)
	}
	var r record
	text, err := os.ReadFile(filepath.Join(folder, "results.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	n := r.Results[0]
	if n.Network != "chest" || n.Positions != 25 || n.Compared != tried || n.Plan == "" || n.Auto != n.Plan+" on cpu" || *n.Apart.DeviceFromCPU != 0 {
		t.Errorf("%+v", n)
	}
	if n.seconds("full") <= 0 || n.seconds("incremental") <= 0 || len(n.Plans) != 2 || n.Plans[0].Runs != 2 || n.Plans[1].Difference > tolerance {
		t.Errorf("%+v", n.Plans)
	}
	var layers struct {
		Layers []struct{ Actual struct{ Seconds float64 } }
	}
	if err := json.Unmarshal(n.Explain, &layers); err != nil || len(layers.Layers) < 10 {
		t.Errorf("%d layers, %v", len(layers.Layers), err)
	}
	for _, want := range []string{"16 of 25", "Left out: missing, times: it has no answers", "FAILED: missing, answers", "chest: " + n.Auto} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, out.String())
		}
	}

	// Without time there is nothing but that it was left out.
	out.Reset()
	if err := run(t.Context(), append(args, "-budget", "1ns"), &out, &progress); err != nil {
		t.Error(err)
	}
	if got := strings.Count(out.String(), errBudget.Error()); got != 4 {
		t.Errorf("%d steps left out of 4\n%s", got, out.String())
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "networks.json"), []byte(`{"small": 8}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		"-runs 0":                     "at least 1",
		"-budget 0s":                  "above 0",
		"here":                        "unexpected",
		"-dir " + t.TempDir():         "prepare.py",
		"-dir " + dir:                 "does not fit",
		"-networks vgg16 -dir " + dir: `no "vgg16"`,
		"-patch 4 -out /dev/null -dir " + dir + " -budget 1ns": "results.json",
	} {
		if err := run(t.Context(), strings.Fields(args), &bytes.Buffer{}, &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", args, err)
		}
	}
}

func TestApart(t *testing.T) {
	at := position{4, 8}
	ours := heatMap{class: 1, p: map[position]float64{at: .5, {0, 0}: .1}}
	for _, c := range []struct {
		name  string
		other heatMap
		want  float64
	}{
		{"near", heatMap{class: 1, p: map[position]float64{at: .50005}}, .00005},
		{"another class", heatMap{class: 2, p: map[position]float64{at: .5}}, math.MaxFloat64},
		{"no number", heatMap{class: 1, p: map[position]float64{at: math.NaN()}}, math.MaxFloat64},
		{"elsewhere", heatMap{class: 1, p: map[position]float64{{1, 1}: .5}}, math.MaxFloat64},
	} {
		if got := *ours.apart(c.other); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// TestTables has all that is to be reached.
func TestTables(t *testing.T) {
	d, far := 2e-6, 3e-4
	fast := &result{Network: "vgg16", Side: 224, Positions: 2809, Plan: "incremental", Compared: 100, Exact: 50, Auto: "full on cuda:0"}
	fast.Apart.DeviceFromCPU = &d
	fast.Memory.Counted = 5e9
	fast.Plans = []plan{{Name: "full", Seconds: 2, Chosen: true}, {Name: "incremental", Seconds: .5}}
	fast.PyTorch, fast.PyTorchTF32 = figures{Seconds: 5, Allocated: 4e9}, figures{Seconds: 2}
	wrong := &result{Network: "alexnet", LeftOut: []string{"times: " + errBudget.Error()}}
	wrong.Apart.DeviceFromCPU = &far
	r := &record{Results: []*result{fast, wrong}}
	var out bytes.Buffer
	r.tables(&out)
	var cells []string
	for line := range strings.Lines(out.String()) {
		if strings.HasPrefix(line, "| vgg16") || strings.HasPrefix(line, "| alexnet") {
			for cell := range strings.SplitSeq(strings.Trim(line, "|\n "), "|") {
				cells = append(cells, strings.TrimSpace(cell))
			}
		}
	}
	want := []string{
		"vgg16", "incremental", "100 of 2809", "2.0e-06", "yes", "50", "-", "-", "-", "-",
		"alexnet", "-", "0 of 0", "3.0e-04", "NO", "0", "-", "-", "-", "-",
		"vgg16", "2809", "5", "2", "2", "0.5", "full, the slower", "10.00x", "4.00x", "8x", "tf32 off",
		"alexnet", "0", "-", "-", "-", "-", "-", "-", "-", "-", "-",
		"vgg16", "5000", "4000", "-", "NO", "-", "-",
		"alexnet", "-", "-", "-", "-", "-", "-",
	}
	if !slices.Equal(cells, want) {
		t.Errorf("got\n%q, want\n%q", cells, want)
	}
	if err := r.verdict(); err == nil || !strings.HasPrefix(err.Error(), "alexnet: ") || strings.Contains(err.Error(), "vgg16") {
		t.Errorf("the verdict is %v", err)
	}
}

// TestMemory asks a program that stands for nvidia-smi.
func TestMemory(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip(err)
	}
	folder := t.TempDir()
	marker := filepath.Join(folder, "all was said")
	text := fmt.Sprintf("#!%s\necho 100\ncase \"$*\" in *-lms*) echo 350; echo 120; : >'%s'; exec sleep 100;; esac\n", sh, marker)
	if err := os.WriteFile(filepath.Join(folder, "nvidia-smi"), []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", folder+string(os.PathListSeparator)+os.Getenv("PATH"))
	m := newMemory(t.Context(), "cuda:0")
	if m.start != 100<<20 {
		t.Errorf("%d bytes at the start", m.start)
	}
	failure := errors.New("what was done failed")
	got, err := m.during(t.Context(), func() error {
		for t.Context().Err() == nil {
			if _, err := os.Stat(marker); err == nil {
				return failure
			}
			time.Sleep(time.Millisecond)
		}
		return nil
	})
	if got != 250<<20 || !errors.Is(err, failure) {
		t.Errorf("%d bytes, %v", got, err)
	}
	if m := newMemory(t.Context(), "cpu"); m.number != "" {
		t.Error("the processor's memory is asked for")
	}
}

// TestScripts: the shell can read what is written for it.
func TestScripts(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip(err)
	}
	scripts, err := filepath.Glob("*.sh")
	if err != nil || len(scripts) == 0 {
		t.Fatal(scripts, err)
	}
	for _, script := range scripts {
		if out, err := exec.Command(bash, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
	}
}

// TestPrograms: Python can read what is written for it.
func TestPrograms(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(python, "-m", "py_compile", "naive.py", "prepare.py", "../networks.py", "../naive.py")
	cmd.Env = append(os.Environ(), "PYTHONPYCACHEPREFIX="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
