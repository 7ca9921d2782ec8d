package planner_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/internal/settings"
	"occlude/lang"
	"occlude/planner"
	"occlude/planner/cost"
)

// catalog holds the models that a golden file has created.
type catalog map[string]*model.Model

func (c catalog) Lookup(name string) (*model.Model, bool) { m, ok := c[name]; return m, ok }

func (c catalog) Models() (all []*model.Model) {
	for _, m := range c {
		all = append(all, m)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Name < all[j].Name })
	return all
}

// world is what statements are bound in.
type world struct {
	models   catalog
	settings settings.Settings
	env      planner.Env
	planner  *planner.Planner
}

// profile has rates that make estimates easy to follow: a multiply-add takes a
// nanosecond, and a layer's run at a position another microsecond. Goldens are
// made with the generic kernels, which every machine has.
const profile = `{"version": 3, "kind": "default", "kernels": {"generic": {
    "macs_per_second": {"conv": 1e9, "conv thin": 1e9, "depthwise": 1e9, "dense": 1e9, "product": 1e9},
    "steps_per_second": {"pool": 1e9, "cellwise": 1e9, "global": 1e9, "curve": 1e9, "function": 1e9, "transform": 1e9},
    "gather_bytes_per_second": 1e10, "weight_bytes_per_second": 1e10, "seconds_per_run": 1e-6, "seconds_per_group": 0
  }}, "seconds_per_image": 0.01, "seconds_per_picture": 0.1}`

func newWorld(t testing.TB) *world {
	t.Helper()
	p, err := cost.Parse([]byte(profile))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{models: catalog{}}
	if err := w.settings.Start("kernels", "generic"); err != nil {
		t.Fatal(err)
	}
	w.env = planner.Env{
		Catalog: w.models, Settings: &w.settings, Profile: p, Colormaps: []string{"diverging", "jet_r"}, Tables: shelf{},
		// A mask that covers the left half.
		Mask: func(_ context.Context, path string, spec imageio.Spec) (planner.Mask, error) {
			if path == "black.png" {
				return left(0), nil
			}
			if path == "broken.png" {
				return nil, errors.New("mask \"broken.png\": not a picture")
			}
			return left(spec.Width / 2), nil
		},
	}
	w.planner = planner.New(w.env)
	return w
}

// shelf has some tables: mine, which takes no heat maps, and three that others have
// begun.
type shelf struct{}

func (shelf) Takes(_ context.Context, table string) error {
	if table == "mine" {
		return errors.New("the table \"mine\" is no table of heat maps")
	}
	return nil
}

func (shelf) Begun(_ context.Context, p *planner.Occlude) (*planner.Choice, error) {
	c := p.Choice()
	switch p.Table {
	case "full":
		c.Plan, c.Rects, c.Adaptive = planner.PlanFull, planner.Rectangles{Rule: planner.Whole}, nil
	case "elsewhere":
		c.Kernels = "avx2"
	case "older":
		c.Net = ""
	case "same":
	default:
		return nil, nil
	}
	// As they are kept.
	return planner.ParseChoice(c.String())
}

type left int

func (l left) On(x, _ int) bool { return x < int(l) }

// folder makes a folder with the files that statements name, and enters it.
func folder(t testing.TB) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	files(t, dir)
}

// files writes them into a folder.
func files(t testing.TB, dir string) {
	t.Helper()
	for name, text := range map[string]string{
		"scan.png": "", "scans/a.png": "", "scans/b.png": "", "scans/c.jpg": "", "roi.png": "", "broken.png": "", "black.png": "",
		"three.txt": "cat\ndog\nowl\n", "twice.txt": "crane\ndog\ncrane\n", "many.txt": "", "weights.pth": "", "more/a.png": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	classifier(t, dir, "small.onnx", 32, 24, 3)
	classifier(t, dir, "wide.onnx", 96, 96, 5)
	deep(t, dir, "deep.onnx")
}

// counting fills a tensor.
func counting(shape ...int) *onnx.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(i%7) - 3
	}
	return onnx.New(shape, data)
}

// classifier writes a model for pictures of w x h: a convolution of 3x3, one of
// 5x5 at stride 2, a global pool, and a fully-connected layer.
func classifier(t testing.TB, dir, name string, w, h, classes int) {
	m := onnxtest.New(13)
	m.Input("x", onnx.Float32, 1, 3, h, w)
	m.Init("w1", counting(8, 3, 3, 3))
	m.Init("w2", counting(16, 8, 5, 5))
	m.Init("w3", counting(classes, 16))
	m.Node("Conv", "x w1", "a", onnxtest.Attrs{"pads": []int{1, 1, 1, 1}})
	m.Node("Relu", "a", "b", nil)
	m.Node("Conv", "b w2", "c", onnxtest.Attrs{"pads": []int{2, 2, 2, 2}, "strides": []int{2, 2}})
	m.Node("GlobalAveragePool", "c", "d", nil)
	m.Node("Flatten", "d", "e", nil)
	m.Node("Gemm", "e w3", "y", onnxtest.Attrs{"transB": 1})
	m.Output("y", onnx.Float32, 1, classes)
	m.File(t, dir, name)
}

// deep writes a model of six convolutions of 3x3 and one of 5x5.
func deep(t testing.TB, dir, name string) {
	m := onnxtest.New(13)
	m.Input("x", onnx.Float32, 1, 3, 32, 40)
	last, in := "x", 3
	for i, out := range []int{16, 16, 24, 40, 64, 64} {
		weights, next := fmt.Sprintf("w%d", i), fmt.Sprintf("y%d", i)
		m.Init(weights, counting(out, in, 3, 3))
		m.Node("Conv", last+" "+weights, next, onnxtest.Attrs{"pads": []int{1, 1, 1, 1}})
		last, in = next, out
	}
	m.Init("w", counting(4, in, 5, 5))
	m.Node("Conv", last+" w", "large", onnxtest.Attrs{"pads": []int{2, 2, 2, 2}})
	m.Node("GlobalAveragePool", "large", "mean", nil)
	m.Node("Flatten", "mean", "vector", nil)
	m.Init("classes", counting(3, 4))
	m.Node("Gemm", "vector classes", "y", onnxtest.Attrs{"transB": 1})
	m.Output("y", onnx.Float32, 1, 3)
	m.File(t, dir, name)
}

// apply does what a session would with the plans that change it.
func (w *world) apply(p planner.Plan) (string, error) {
	switch p := p.(type) {
	case *planner.CreateModel:
		m, err := model.Load(context.Background(), p.Name, p.Path, p.Options)
		if err != nil {
			return "", err
		}
		w.models[p.Name] = m
		return fmt.Sprintf("create %s: %s, %v, output %s", p.Name, m.Net.Input().Shape, m.Spec, m.Output), nil
	case *planner.DropModel:
		delete(w.models, p.Name)
		return "drop " + p.Name, nil
	case *planner.Set:
		return fmt.Sprintf("set %s to %s", p.Name, p.Value), w.settings.Set(p.Name, p.Value)
	case *planner.Reset:
		return fmt.Sprintf("reset %q", p.Name), w.settings.Reset(p.Name)
	case *planner.Show:
		return fmt.Sprintf("show %q", p.Name), nil
	case *planner.ShowModels:
		return fmt.Sprintf("show %d models", len(p.Models)), nil
	case *planner.Describe:
		return "describe " + p.Model.Name, nil
	case *planner.Analyze:
		return analysis(p), nil
	case *planner.Predict:
		return fmt.Sprintf("predict %q with %s, top %d, %d threads", p.Images, p.Model.Name, p.Top, p.Threads), nil
	case *planner.Copy:
		inner, err := w.apply(p.Query)
		return fmt.Sprintf("%s\ncopy to %s as %s", inner, p.Out.Path, p.Out.Format), err
	case *planner.Benchmark:
		return alternatives(p), nil
	case *planner.Compare:
		return occlusion(p.First) + "\nwith\n" + occlusion(p.Second), nil
	case *planner.Explain:
		inner, err := w.apply(p.Query)
		return fmt.Sprintf("%s\nexplain as %s, analyze %t, alternatives %t, layers %t, rules %t", inner, p.Format, p.Analyze, p.Alternatives, p.Layers, p.Rules), err
	case *planner.Evaluate:
		return evaluation(p), nil
	case *planner.Occlude:
		return occlusion(p), nil
	}
	return "", fmt.Errorf("a %T", p)
}

// trials describes plans that are timed, each thing that differs between them once.
func trials(plans []*planner.Occlude) string {
	var of [4][]string
	for _, t := range plans {
		c := t.Chosen()
		for i, s := range []string{c.Name, fmt.Sprintf("%dx%d", t.Grid.PatchW, t.Grid.PatchH), fmt.Sprint(t.Threads), byName(c.Algorithms)} {
			if !slices.Contains(of[i], s) {
				of[i] = append(of[i], s)
			}
		}
	}
	return fmt.Sprintf("%d: %s; patches %s; threads %s; by %s", len(plans),
		strings.Join(of[0], ", "), strings.Join(of[1], ", "), strings.Join(of[2], ", "), strings.Join(of[3], "; "))
}

// analysis describes what ANALYZE MODEL will do.
func analysis(p *planner.Analyze) string {
	var b strings.Builder
	fmt.Fprintf(&b, "analyze %s on %s", p.Model.Name, p.Kernels)
	fmt.Fprintf(&b, "\nof the machine: %s", trials(p.Machine.Trials))
	fmt.Fprintf(&b, "\nof the model: %s", trials(p.Trials))
	fmt.Fprintf(&b, "\nto check: %s", trials(p.Checks))
	if s := p.Sample; s != nil {
		fmt.Fprintf(&b, "\n%d of %d images in %s, seed %d, %d wanted: %q", len(s.Images), s.Found, s.Files, s.Seed, s.Wanted, s.Images)
		var taus []float64
		for _, t := range s.Thresholded {
			taus = append(taus, t.Chosen().Rects.Tau)
		}
		e := s.Exact
		fmt.Fprintf(&b, "\nmaps: %s, tau %v, patch %dx%d, stride %dx%d, fill %s: %d positions", e.Chosen().Name, taus,
			e.Grid.PatchW, e.Grid.PatchH, e.Grid.StrideW, e.Grid.StrideH, e.Fill.Text, len(e.Grid.Positions))
	}
	return b.String()
}

// alternatives describes what BENCHMARK will run.
func alternatives(p *planner.Benchmark) string {
	var b strings.Builder
	fmt.Fprintf(&b, "benchmark of %q: %d rounds, %d before; against %s, which is a reference: %t", p.Query.Images, p.Runs, p.Warmup,
		p.Alternatives[p.Baseline].Name, p.Reference())
	for _, a := range p.Alternatives {
		c := a.Query.Chosen()
		fmt.Fprintf(&b, "\n%s: %s, exact %t, rectangles %+v, drill-down %t, samples %t, batch %d, seed %d, goals %q", a.Name, c.Name, c.Exact(), c.Rects,
			c.DrillDown != nil, c.Adaptive != nil, c.Batch, a.Query.Seed, a.Query.Goals)
		if a.Chosen {
			b.WriteString(" (chosen)")
		}
	}
	for _, c := range p.Refused {
		fmt.Fprintf(&b, "\nnot %s: %s", c.Name, c.Reason)
	}
	return b.String()
}

// occlusion describes a query's plan.
func occlusion(p *planner.Occlude) string {
	var b strings.Builder
	g := p.Grid
	fmt.Fprintf(&b, "images %q, top %d, classes %v\n", p.Images, p.Target.Top, p.Target.Classes)
	fmt.Fprintf(&b, "patch %dx%d", g.PatchW, g.PatchH)
	if !g.Listed {
		fmt.Fprintf(&b, ", stride %dx%d, x %s, y %s", g.StrideW, g.StrideH, edges(g.X), edges(g.Y))
	}
	fmt.Fprintf(&b, ": %d positions", len(g.Positions))
	if n := len(g.Positions); n <= 6 {
		for _, pos := range g.Positions {
			fmt.Fprintf(&b, " (%d, %d)", pos.X, pos.Y)
		}
	} else {
		fmt.Fprintf(&b, " from (%d, %d) to (%d, %d)", g.Positions[0].X, g.Positions[0].Y, g.Positions[n-1].X, g.Positions[n-1].Y)
	}
	if p.Where != "" {
		fmt.Fprintf(&b, " where %s", p.Where)
	}
	fmt.Fprintf(&b, "\nfill %s %+v", p.Fill.Text, p.Fill)
	for _, o := range p.Outputs {
		fmt.Fprintf(&b, "\n%s to", o.Format)
		for _, image := range p.Images {
			fmt.Fprintf(&b, " %s", o.For(image))
		}
	}
	if p.Table != "" {
		fmt.Fprintf(&b, "\ntable %s, continue %t: %s", p.Table, p.Continue, p.Query(p.Images[0]))
		if p.Hints != "" {
			fmt.Fprintf(&b, "\nhints %s", p.Hints)
		}
		if p.Departs != "" {
			fmt.Fprintf(&b, "\n%s", p.Departs)
		}
	}
	if p.Colormap != "" {
		fmt.Fprintf(&b, "\ncolormap %s", p.Colormap)
	}
	if p.Seed != 42 {
		fmt.Fprintf(&b, "\nseed %d", p.Seed)
	}
	for _, c := range p.Candidates {
		e := c.Estimate
		fmt.Fprintf(&b, "\n%s: batch %d, %s, %s multiply-adds, %s: %s", c.Name, c.Batch,
			planner.FormatSeconds(e.Seconds), planner.FormatCount(e.MACs), planner.FormatBytes(e.PeakBytes), c.Reason)
		if c.Rects.Rule == planner.Thresholded {
			fmt.Fprintf(&b, "\n  tau %g", c.Rects.Tau)
		}
		if a := c.Adaptive; a != nil {
			fmt.Fprintf(&b, "\n  samples about %d until SSIM %g, correlation %g, overlap %g; ", c.Positions(), a.SSIM, a.Pearson, a.Top10Overlap)
			if a.Sketches() {
				fmt.Fprintf(&b, "sketches with tau %g (%s)", a.Sketch.Tau, a.TauBy)
			} else {
				b.WriteString("no sketches")
			}
		}
		if c.DrillDown != nil {
			d := c.DrillDown
			fmt.Fprintf(&b, "\n  a fraction of %g, %g times: stride %.4gx%.4g, so %dx%d", d.Fraction, d.Speedup, d.WantedW, d.WantedH, d.StrideW, d.StrideH)
			for _, s := range c.Stages {
				fmt.Fprintf(&b, "\n  %d positions (%d known, %d largest), %s, %s multiply-adds", s.Positions, len(s.Order), s.Largest,
					planner.FormatSeconds(s.Seconds), planner.FormatCount(s.MACs))
			}
		}
	}
	return b.String()
}

// edges shows the ends of an axis.
func edges(at []int) string {
	if n := len(at); n > 6 {
		return fmt.Sprintf("%d: %d %d %d .. %d %d", n, at[0], at[1], at[2], at[n-2], at[n-1])
	}
	return strings.Trim(fmt.Sprint(at), "[]")
}

// TestBind runs the files of testdata/bind. The input of the one command, bind,
// is statements; the output is what each was bound to, or its diagnostic, as a
// user sees it. A file's models and settings last to its end.
func TestBind(t *testing.T) {
	files, err := filepath.Abs("testdata/bind")
	if err != nil {
		t.Fatal(err)
	}
	datadriven.Walk(t, files, func(t *testing.T, path string) {
		folder(t)
		here, err := os.Getwd()
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		if err := w.settings.Set("threads", "2"); err != nil {
			t.Fatal(err)
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			if d.Cmd != "bind" {
				d.Fatalf(t, "unknown command %s", d.Cmd)
			}
			script, diagnostics := lang.Parse("q", d.Input)
			if diagnostics.Err() != nil {
				d.Fatalf(t, "%s", diagnostics.Format(d.Input))
			}
			var out strings.Builder
			for _, s := range script.Statements {
				text := ""
				p, err := w.planner.Plan(context.Background(), s)
				if err == nil {
					if p.Statement() != s.String() {
						t.Errorf("the plan's statement is %s, not %s", p.Statement(), s)
					}
					text, err = w.apply(p)
				}
				var diagnostic *lang.Diagnostic
				switch {
				case errors.As(err, &diagnostic):
					text = diagnostic.Format(d.Input)
				case err != nil:
					text = "error: " + err.Error()
				}
				out.WriteString(strings.TrimRight(text, "\n") + "\n")
			}
			return strings.ReplaceAll(out.String(), here, "$PWD")
		})
	})
}
