package heatmap

import (
	"flag"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/image/draw"
)

var update = flag.Bool("update", false, "write the golden picture instead of comparing with it")

// goldenFigure has an image, a whole map and one with a gap.
func goldenFigure() Figure {
	scene := photograph(48, 36, 3, func(x, y, c int) float32 {
		return float32(128 + 90*math.Sin(float64(x)/5+float64(c))*math.Cos(float64(y)/4))
	})
	bump := func(x, y, cx, cy, r float64) float64 { return math.Exp(-((x-cx)*(x-cx) + (y-cy)*(y-cy)) / (2 * r * r)) }
	whole := mapOf(48, 36, 8, 3, 0.9, func(x, y float64) float64 { return 0.9 - 0.7*bump(x, y, 30, 15, 6) + 0.09*bump(x, y, 10, 25, 5) })
	whole.Class = "disc"
	part := mapOf(48, 36, 8, 3, 0.04, func(x, y float64) float64 {
		if math.Hypot(x-26, y-18) > 14 {
			return math.NaN()
		}
		return 0.04 + 0.3*bump(x, y, 30, 15, 6)
	})
	part.Class = "κρίκος"
	return Figure{Image: scene, Original: true, Maps: []Map{whole, part},
		Title: "scan.png · model", Caption: "incremental · patch 8×8 · stride 3"}
}

// The figure as a whole looks as it did when a person last looked at it. It is
// compared at a quarter of its size and with some tolerance: rasterisers may
// round differently from one machine to another.
func TestGolden(t *testing.T) {
	canvas, err := Render(goldenFigure())
	if err != nil {
		t.Fatal(err)
	}
	small := image.NewRGBA(image.Rect(0, 0, canvas.Bounds().Dx()/4, canvas.Bounds().Dy()/4))
	draw.BiLinear.Scale(small, small.Rect, canvas, canvas.Bounds(), draw.Src, nil)
	path := filepath.Join("testdata", "figure.png")
	if *update {
		write(t, path, small)
		return
	}
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	golden, err := png.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	if golden.Bounds() != small.Rect {
		t.Fatalf("the figure is %v at a quarter of its size, was %v", small.Rect, golden.Bounds())
	}
	was := image.NewRGBA(small.Rect)
	draw.Draw(was, was.Rect, golden, image.Point{}, draw.Src)
	for y := range was.Rect.Dy() {
		for x := range was.Rect.Dx() {
			if d := apart(was.RGBAAt(x, y), small.RGBAAt(x, y)); d > 4 {
				t.Fatalf("pixel %d, %d is %v, was %v (go test -update writes the picture anew)", x, y, small.RGBAAt(x, y), was.RGBAAt(x, y))
			}
		}
	}
}

func write(t *testing.T, path string, m image.Image) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, m); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
}
