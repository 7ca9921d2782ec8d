package executor_test

import (
	"image"
	"math"
	"os"
	"strings"
	"testing"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/planner"
	"occlude/planner/cost"
)

// A model that gives no numbers where something is hidden is named, with the image and
// the place, and nothing is written.
func TestNoNumbers(t *testing.T) {
	b := newBench(t)
	m := image.NewGray(image.Rect(0, 0, 8, 8))
	for i := range m.Pix {
		m.Pix[i] = 130
	}
	save(t, "flat.png", m)
	for want, spoil := range map[string]func(g *onnxtest.Graph, mean string) string{
		"NaN": func(g *onnxtest.Graph, mean string) string {
			return g.Op("Sqrt", nil, g.Op("Sub", nil, mean, g.Num(.5)))
		},
		"+Inf": func(g *onnxtest.Graph, mean string) string {
			return g.Op("Exp", nil, g.Op("Mul", nil, g.Op("Relu", nil, g.Op("Sub", nil, g.Num(.5), mean)), g.Num(1e9)))
		},
	} {
		g, x := onnxtest.NewGraph(13, 1, 1, 8, 8)
		g.Output(spoil(g, g.Op("Flatten", nil, g.Op("GlobalAveragePool", nil, x))), onnx.Float32)
		g.File(t, ".", "spoilt.onnx")
		b.run("CREATE OR REPLACE MODEL spoilt FROM 'spoilt.onnx' WITH (output = raw);")
		for _, rest := range []string{"", " SSIM >= 0.8 WITH (plan = 'approximate')", " WITH (plan = 'full')"} {
			err := b.fails("OCCLUDE 'flat.png' USING spoilt PATCH 3 STRIDE 1 FILL black INTO 'h.csv', 'h.png'" + rest + ";")
			if says := `image "flat.png": model "spoilt" gives ` + want + " for class 0 with the patch at ("; !strings.Contains(err.Error(), says) || strings.Count(err.Error(), "flat.png") != 1 {
				t.Errorf("%s%s: %v", want, rest, err)
			}
			for _, f := range []string{"h.csv", "h.png"} {
				if _, err := os.Stat(f); err == nil {
					t.Errorf("%s%s: %s is written", want, rest, f)
				}
			}
		}
	}
}

// A plan that was expected to take no time at all is kept beside its table like others.
func TestTableOfNoTime(t *testing.T) {
	b := stored(t, newBench(t), "data/occlude.db")
	colourful(t, "colours.png", 30, 1)
	b.grayModel("gray.onnx", 30)
	none := cost.Default()
	for _, r := range none.Kernels {
		for _, speeds := range []map[string]float64{r.MACs, r.Steps} {
			for of := range speeds {
				speeds[of] = math.Inf(1)
			}
		}
		r.Gather, r.Weights, r.PerRun, r.PerGroup = math.Inf(1), math.Inf(1), 0, 0
	}
	none.Busy = nil
	b.env.Profile, b.env.Statistics = none, nil
	b.planner = planner.New(b.env)
	b.run("CREATE MODEL g FROM 'gray.onnx' WITH (output = raw);")
	f := b.fill("OCCLUDE 'colours.png' USING g PATCH 4 STRIDE 1 SSIM >= 0.8 INTO TABLE maps WITH (plan = 'approximate', sketches = off);")
	if f.Rows != 27*27 {
		t.Errorf("%d rows", f.Rows)
	}
}
