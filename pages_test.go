package main

import (
	"bytes"
	"context"
	"flag"
	"image"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/image/draw"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/internal/store"
	"occlude/lang"
	"occlude/repl"
)

var pictures = flag.Bool("pictures", false, "write the pictures that the manual's pages show and make, TestPages")

// TestPages runs the examples of the manual and of the README as they stand, each page
// in a folder of its own with a copy of the examples, one block after another:
//
//	```sql      statements of one session; a ```text right behind is what they print
//	```console  commands behind "$ ", with what they print, in one shell. The file that
//	            a `cat` shows is made, if it is not there; a line ... is any lines
//	```python   a program of the standard library
//
// Times, plans and the columns' widths are not compared, and numbers with a fraction are
// to about their last digit, or half a thousandth: plans differ by rounding, and so may
// what follows from the order of values that are nearly equal. Of a block that is called
// ```text sample only the first words of lines are, and it may leave lines out. What a
// page writes and shows as images/NAME.png is there afterwards.
func TestPages(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes half a minute")
	}
	paths, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, "README.md") {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		blocks := blocksOf(string(text))
		if len(blocks) == 0 {
			continue
		}
		t.Run(strings.TrimSuffix(filepath.Base(path), ".md"), func(t *testing.T) {
			p := newPage(t, root, path)
			for _, b := range blocks {
				p.run(b)
				if t.Failed() && b.kind == "sql" {
					return // what follows goes on from there
				}
			}
			for _, m := range regexp.MustCompile(`images/([\w-]+\.png)`).FindAllStringSubmatch(string(text), -1) {
				made, err := os.ReadFile(m[1])
				if err == nil && *pictures {
					err = shrink(filepath.Join(root, "docs", "images", m[1]), made)
				}
				if err != nil && strings.HasPrefix(m[1], strings.TrimSuffix(filepath.Base(path), ".md")+"-") {
					t.Errorf("the page shows a picture that nothing on it makes: %v", err)
				}
			}
		})
	}
}

// shrink writes a picture as wide as pages show it, for screens of twice the density.
func shrink(path string, data []byte) error {
	full, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return err
	}
	w, h := full.Bounds().Dx()*2/3, full.Bounds().Dy()*2/3
	small := image.NewRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(small, small.Bounds(), full, full.Bounds(), draw.Src, nil)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		return err
	}
	return os.WriteFile(path, out.Bytes(), 0o644)
}

// example is a block of code that is run, with the text that follows it.
type example struct {
	kind   string // sql, console, python
	code   string
	line   int // of the code in the page
	prints string
	sample bool // prints is another run's
}

var fence = regexp.MustCompile("(?ms)^```(sql|console|python)\n(.*?)^```$(?:\n\n?```text( sample)?\n(.*?)^```$)?")

func blocksOf(page string) []example {
	var all []example
	for _, m := range fence.FindAllStringSubmatchIndex(page, -1) {
		b := example{kind: page[m[2]:m[3]], code: page[m[4]:m[5]], line: 1 + strings.Count(page[:m[4]], "\n"), sample: m[6] >= 0}
		if m[8] >= 0 && b.kind != "console" {
			b.prints = page[m[8]:m[9]]
		}
		all = append(all, b)
	}
	return all
}

// page is a folder in which the examples of a page run.
type page struct {
	*testing.T
	path   string
	engine *engine.Engine
}

func newPage(t *testing.T, root, path string) *page {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "work")
	if err := os.CopyFS(filepath.Join(dir, "examples"), os.DirFS(filepath.Join(root, "examples"))); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	t.Setenv("OCCLUDE_DATA", filepath.Join(dir, "data"))
	for _, name := range []string{"COLUMNS", "PAGER"} {
		t.Setenv(name, "")
	}
	p := &page{T: t, path: path, engine: engine.New()}
	p.engine.Session.Store = store.Open(store.DefaultPath())
	t.Cleanup(func() { _ = p.engine.Session.Close() })
	p.link("examples/images", "../images")
	p.link("examples/models", "../models")
	for _, name := range []string{"scan.png", "a.png", "b.png", "cat.jpg", "scans/1.png", "oct/1.png"} {
		p.link("examples/images/nodule.png", name)
	}
	for _, name := range []string{"sky.jpg", "scans/2.png", "oct/2.png"} {
		p.link("examples/images/cavity.png", name)
	}
	for _, name := range []string{"roi.png", "lung.png", "lesion.png", "masks/scan.png", "masks/1.png", "masks/2.png"} {
		p.link("examples/masks/lungs.png", name)
	}
	p.link("examples/images/chest.dcm", "ct/series.dcm")
	quick := quickModel(t)
	for _, name := range []string{"lesions", "models/oct", "models/oct_vgg16", "resnet18", "mobilenet_v2", "vgg16", "efficientnet_b0", "lungs", "breast"} {
		p.link(quick, name+".onnx")
	}
	if err := os.Mkdir("heat", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"oct.txt", "imagenet.txt"} {
		if err := os.WriteFile(name, []byte("normal\nDME\nCNV\ndrusen\nother\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// quickModel is a network that knows nothing and takes next to no time: for pages that
// say what can be asked and not what comes of it.
func quickModel(t *testing.T) string {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	weights := func(scale float32, shape ...int) *onnx.Tensor {
		n := 1
		for _, d := range shape {
			n *= d
		}
		values := make([]float32, n)
		for i := range values {
			values[i] = scale * float32(random.NormFloat64())
		}
		return onnx.New(shape, values)
	}
	m := onnxtest.New(13)
	m.Input("image", onnx.Float32, 1, 3, 224, 224)
	m.Init("w1", weights(0.3, 4, 3, 5, 5)).Init("w2", weights(0.3, 8, 4, 3, 3)).Init("w3", weights(1, 5, 8))
	m.Node("Conv", "image w1", "a", onnxtest.Attrs{"pads": []int{2, 2, 2, 2}, "strides": []int{4, 4}}).Node("Relu", "a", "b", nil)
	m.Node("Conv", "b w2", "c", onnxtest.Attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}}).Node("Relu", "c", "d", nil)
	m.Node("GlobalMaxPool", "d", "e", nil).Node("Flatten", "e", "f", nil).Node("Gemm", "f w3", "scores", onnxtest.Attrs{"transB": 1})
	m.Output("scores", onnx.Float32, 1, 5)
	return m.File(t, t.TempDir(), "quick.onnx")
}

// link makes a file of the examples known by the name that a page has for one of its own.
func (p *page) link(file, name string) {
	p.Helper()
	abs, err := filepath.Abs(file)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(name), 0o755)
	}
	if err == nil {
		err = os.Symlink(abs, name)
	}
	if err != nil {
		p.Fatal(err)
	}
}

func (p *page) run(b example) {
	p.Helper()
	switch b.kind {
	case "sql":
		got := p.statements(b)
		if b.prints != "" && !p.Failed() {
			p.compare(b.line, b.code, b.prints, got, b.sample)
		}
	case "console":
		p.commands(b)
	case "python":
		p.python(b)
	}
}

// statements runs SQL in the page's session. Models that a page takes for given are there.
func (p *page) statements(b example) string {
	p.Helper()
	for _, name := range []string{"oct", "oct2", "resnet18"} {
		_, there := p.engine.Session.Lookup(name)
		makes := regexp.MustCompile(`CREATE MODEL ` + name + `\b`).MatchString(b.code)
		switch {
		case there && makes:
			p.engineRun(example{code: "DROP MODEL " + name + ";"})
		case !there && !makes:
			p.engineRun(example{code: "CREATE MODEL " + name + " FROM 'models/oct.onnx' WITH (labels = 'oct.txt');"})
		}
	}
	return p.engineRun(b)
}

func (p *page) engineRun(b example) string {
	p.Helper()
	var out strings.Builder
	printer := &repl.Printer{Out: &out, Settings: &p.engine.Session.Settings}
	source := strings.Repeat("\n", max(b.line-1, 0)) + b.code
	err := p.engine.Run(context.Background(), engine.Text{Name: p.path, Source: source}, func(_ lang.Statement, r executor.Result) error { return printer.Print(r) })
	if err != nil {
		repl.ShowError(&out, err)
		p.Errorf("%s", out.String())
	}
	return out.String()
}

// commands runs the lines of a console in one shell.
func (p *page) commands(b example) {
	p.Helper()
	type step struct {
		command, prints string
		line            int
	}
	var steps []step
	for i, line := range strings.SplitAfter(strings.TrimSuffix(b.code, "\n"), "\n") {
		switch {
		case strings.HasPrefix(line, "$ "):
			steps = append(steps, step{command: line[2:], line: b.line + i})
		case len(steps) == 0:
			p.Fatalf("%s:%d: a console begins with $", p.path, b.line)
		case strings.HasPrefix(line, "> ") && steps[len(steps)-1].prints == "":
			steps[len(steps)-1].command += line[2:]
		default:
			steps[len(steps)-1].prints += line
		}
	}
	var script strings.Builder
	const mark = "\x01\n"
	for i, s := range steps {
		if f := strings.Fields(s.command); len(f) == 2 && f[0] == "cat" {
			if _, err := os.Stat(f[1]); err != nil {
				if !strings.HasSuffix(s.prints, "\n") {
					steps[i].prints += "\n"
				}
				if err := os.WriteFile(f[1], []byte(steps[i].prints), 0o644); err != nil {
					p.Fatal(err)
				}
			}
		}
		if tool := strings.Fields(s.command)[0]; tool == "make" || tool == "python3" || strings.Contains(s.command, "| jq") {
			if strings.Contains(s.command, "| jq") {
				tool = "jq"
			}
			if _, err := exec.LookPath(tool); err != nil {
				p.Logf("%s:%d: not run: %v", p.path, s.line, err)
				return
			}
		}
		script.WriteString(strings.TrimSuffix(s.command, "\n") + "\nstatus=$?; printf '\\001\\n'; (exit $status)\n")
	}
	c := exec.Command("sh", "-c", script.String())
	out, _ := c.CombinedOutput() // a command may fail, and says so
	parts := strings.Split(string(out), mark)
	if len(parts) != len(steps)+1 {
		p.Fatalf("%s:%d: the shell says\n%s", p.path, b.line, out)
	}
	for i, s := range steps {
		p.compare(s.line, s.command, s.prints, parts[i], false)
	}
}

func (p *page) python(b example) {
	p.Helper()
	if !strings.Contains(b.code, "subprocess") { // it needs more than Python
		return
	}
	if _, err := exec.LookPath("python3"); err != nil {
		p.Logf("%s:%d: not run: %v", p.path, b.line, err)
		return
	}
	out, err := exec.Command("python3", "-c", b.code).CombinedOutput()
	if err != nil {
		p.Errorf("%s:%d: %v\n%s", p.path, b.line, err, out)
		return
	}
	p.compare(b.line, b.code, b.prints, string(out), b.sample)
}

func (p *page) compare(line int, code, want, got string, sample bool) {
	p.Helper()
	if !alike(want, got, sample) {
		p.Errorf("%s:%d:\n%s\nprints\n%s\nthe page says\n%s", p.path, line, code, got, want)
	}
}

var (
	duration = regexp.MustCompile(`\d+(\.\d+)? ?(ms|s|min|µs)\b|\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d)?)?`)
	ruler    = regexp.MustCompile(`[-─+]{3,}`)
	number   = regexp.MustCompile(`^(.*?)(-?\d+\.\d+)(.*)$`)
)

// alike compares what is printed with what a page says that is printed.
func alike(want, got string, sample bool) bool {
	if sample {
		words := firstWords(got)
		for _, w := range firstWords(want) {
			i := slices.Index(words, w)
			if i < 0 {
				return false
			}
			words = words[i+1:]
		}
		return true
	}
	w, g := shapes(want), shapes(got)
	for len(w) > 0 {
		if strings.Join(w[0], " ") == "..." {
			if w = w[1:]; len(w) == 0 {
				return true
			}
			for len(g) > 0 && !sameLine(w[0], g[0]) {
				g = g[1:]
			}
			continue
		}
		if len(g) == 0 || !sameLine(w[0], g[0]) {
			return false
		}
		w, g = w[1:], g[1:]
	}
	return len(g) == 0
}

// shapes are the words of lines, without what differs from run to run. How a map was
// computed differs from machine to machine.
func shapes(text string) (lines [][]string) {
	for _, line := range strings.Split(strings.TrimRight(text, " \n"), "\n") {
		if strings.HasPrefix(line, "  plan  ") || strings.HasPrefix(line, "  time  ") {
			line = line[:6]
		}
		line = duration.ReplaceAllString(line, "TIME")
		line = ruler.ReplaceAllString(line, "---")
		lines = append(lines, strings.Fields(line))
	}
	return lines
}

func sameLine(want, got []string) bool {
	return slices.EqualFunc(want, got, func(w, g string) bool {
		mw, mg := number.FindStringSubmatch(w), number.FindStringSubmatch(g)
		if w == g || mw == nil || mg == nil {
			return w == g
		}
		a, _ := strconv.ParseFloat(mw[2], 64)
		b, _ := strconv.ParseFloat(mg[2], 64)
		_, decimals, _ := strings.Cut(mw[2], ".")
		return mw[1] == mg[1] && mw[3] == mg[3] && math.Abs(a-b) <= max(2.01*math.Pow(10, -float64(len(decimals))), 5e-4*math.Abs(a))
	})
}

// firstWords are those of lines that begin at the margin.
func firstWords(text string) (words []string) {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) > 0 && line[0] != ' ' {
			words = append(words, f[0])
		}
	}
	return words
}
