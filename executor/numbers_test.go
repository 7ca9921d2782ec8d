package executor_test

import (
	"image"
	"os"
	"strings"
	"testing"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
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
			if says := `image "flat.png": model "spoilt" gives ` + want + " for class 0 with the patch at ("; !strings.Contains(err.Error(), says) {
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
