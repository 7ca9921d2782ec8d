package executor_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/executor"
	"occlude/internal/heatmap"
	"occlude/internal/imageio"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/lang"
	"occlude/planner"
	"occlude/planner/cost"
)

// chest creates the model of the examples, whose files a bench links to.
const chest = `CREATE MODEL chest FROM 'examples/models/chest.onnx'
  WITH (labels = 'examples/models/chest.labels.txt', mean = [0.30, 0.30, 0.30], std = [0.27, 0.27, 0.27]);`

// bench runs statements in a folder of its own, which has the examples in it.
type bench struct {
	t       testing.TB
	session *executor.Session
	planner *planner.Planner
	env     planner.Env
}

// long skips, with -short, a test that runs the kernels for seconds: that is
// minutes under the race detector, and shows it nothing that others do not.
func long(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the kernels for long")
	}
}

func newBench(t testing.TB) *bench {
	t.Helper()
	examples, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Symlink(examples, "examples"); err != nil {
		t.Fatal(err)
	}
	return newSession(t)
}

// newSession makes a bench in the folder of the last one.
func newSession(t testing.TB) *bench {
	s := executor.NewSession()
	env := planner.Env{
		Catalog: s, Settings: &s.Settings, Profile: cost.Default(), Statistics: s, Tables: s, Colormaps: heatmap.Colormaps(),
		Mask: func(ctx context.Context, path string, spec imageio.Spec) (planner.Mask, error) {
			return imageio.FitMask(ctx, path, spec)
		},
	}
	return &bench{t, s, planner.New(env), env}
}

// try runs statements until one fails.
func (b *bench) try(ctx context.Context, text string) (results []executor.Result, err error) {
	script, diagnostics := lang.Parse("test", text)
	if err := diagnostics.Err(); err != nil {
		return nil, err
	}
	for _, s := range script.Statements {
		p, err := b.planner.Plan(ctx, s)
		if err != nil {
			return results, err
		}
		if err := b.session.Run(ctx, p, func(r executor.Result) error {
			results = append(results, r)
			return nil
		}); err != nil {
			return results, err
		}
	}
	return results, nil
}

// run runs statements that must not fail.
func (b *bench) run(text string) []executor.Result {
	b.t.Helper()
	results, err := b.try(context.Background(), text)
	if err != nil {
		b.t.Fatalf("%s\n%v", text, err)
	}
	return results
}

// one runs a query that returns one heat map.
func (b *bench) one(query string) *executor.HeatMap {
	b.t.Helper()
	maps := b.maps(query)
	if len(maps) != 1 {
		b.t.Fatalf("%s\nreturned %d heat maps", query, len(maps))
	}
	return maps[0]
}

// maps runs a query that returns heat maps.
func (b *bench) maps(query string) []*executor.HeatMap {
	b.t.Helper()
	var out []*executor.HeatMap
	for _, r := range b.run(query) {
		h, ok := r.(*executor.HeatMap)
		if !ok {
			b.t.Fatalf("%s\nreturned a %T", query, r)
		}
		out = append(out, h)
	}
	return out
}

// fails runs statements that must fail in the end.
func (b *bench) fails(text string) error {
	b.t.Helper()
	_, err := b.try(context.Background(), text)
	if err == nil {
		b.t.Fatalf("%s\nwas expected to fail", text)
	}
	return err
}

// colourful writes a picture of side x side pixels with different channels and
// returns it.
func colourful(t testing.TB, path string, side int, seed uint64) *image.NRGBA {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	m := image.NewNRGBA(image.Rect(0, 0, side, side))
	fx, fy, at := 1+rng.Float64()*5, 1+rng.Float64()*5, rng.Float64()*6
	for y := range side {
		for x := range side {
			u, v := float64(x)/float64(side), float64(y)/float64(side)
			m.SetNRGBA(x, y, color.NRGBA{
				R: uint8(127 + 120*math.Sin(at+6.28*fx*u)),
				G: uint8(127 + 120*math.Cos(at+6.28*fy*v)),
				B: uint8(rng.IntN(256)),
				A: 255,
			})
		}
	}
	save(t, path, m)
	return m
}

// square writes a mask of 224 x 224 pixels that marks a rectangle.
func square(t testing.TB, path string, x, y, w, h int) {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 224, 224))
	for at := range w * h {
		m.SetGray(x+at%w, y+at/w, color.Gray{Y: 255})
	}
	save(t, path, m)
}

func save(t testing.TB, path string, m image.Image) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(f, m), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// distance is the greatest difference of two maps' probabilities.
func distance(a, b *executor.HeatMap) (float64, error) {
	if len(a.Classes) != len(b.Classes) {
		return 0, fmt.Errorf("%d and %d classes", len(a.Classes), len(b.Classes))
	}
	worst := 0.0
	for i, c := range a.Classes {
		d := b.Classes[i]
		if c.ID != d.ID || c.Label != d.Label || len(c.P) != len(d.P) {
			return 0, fmt.Errorf("class %d %q with %d values against class %d %q with %d", c.ID, c.Label, len(c.P), d.ID, d.Label, len(d.P))
		}
		worst = max(worst, math.Abs(float64(c.P0)-float64(d.P0)))
		for j := range c.P {
			if diff := math.Abs(float64(c.P[j]) - float64(d.P[j])); !(diff <= worst) {
				worst = diff
			}
		}
	}
	return worst, nil
}

// grayModel writes a model that takes gray pictures of side x side pixels and
// gives two values: the mean of its input, and the largest of it.
func (b *bench) grayModel(path string, side int) {
	b.t.Helper()
	m := onnxtest.New(13)
	m.Input("x", onnx.Float32, 1, 1, side, side)
	m.Node("GlobalAveragePool", "x", "mean", nil)
	m.Node("GlobalMaxPool", "x", "max", nil)
	m.Node("Concat", "mean max", "both", onnxtest.Attrs{"axis": 1})
	m.Node("Flatten", "both", "y", onnxtest.Attrs{"axis": 1})
	m.Output("y", onnx.Float32, 1, 2)
	m.File(b.t, filepath.Dir(path), filepath.Base(path))
}
