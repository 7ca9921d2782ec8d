package heatmap

import (
	"image"
	"image/color"
	"math"
	"testing"

	"gorgonia.org/tensor"
)

var nan = float32(math.NaN())

// grid makes the left edges of patches on an axis of n pixels, the last flush
// with its end.
func grid(n, patch, stride int) (edges []int) {
	for at := 0; at+patch < n; at += stride {
		edges = append(edges, at)
	}
	return append(edges, n-patch)
}

// mapOf makes a heat map over an image of w by h pixels.
func mapOf(w, h, patch, stride int, p0 float64, p func(x, y float64) float64) Map {
	m := Map{X: grid(w, patch, stride), Y: grid(h, patch, stride), PatchW: patch, PatchH: patch, P0: float32(p0), Class: "class"}
	m.Rows, m.Cols = len(m.Y), len(m.X)
	for _, y := range m.Y {
		for _, x := range m.X {
			m.P = append(m.P, float32(p(float64(x)+float64(patch)/2, float64(y)+float64(patch)/2)))
		}
	}
	return m
}

// constant is a probability that nothing changes.
func constant(p float64) func(x, y float64) float64 {
	return func(x, y float64) float64 { return p }
}

// photograph makes an image of shape (h, w, channels).
func photograph(w, h, channels int, value func(x, y, channel int) float32) *tensor.Dense {
	var values []float32
	for y := range h {
		for x := range w {
			for c := range channels {
				values = append(values, value(x, y, c))
			}
		}
	}
	return tensor.New(tensor.WithShape(h, w, channels), tensor.WithBacking(values))
}

func grayImage(w, h int, value float32) *tensor.Dense {
	return photograph(w, h, 1, func(x, y, c int) float32 { return value })
}

// drawn is a rendered figure together with where its parts are.
type drawn struct {
	*image.RGBA
	panels []panelLayout
}

// draw renders f and finds its panels again by laying it out a second time.
func drawFigure(t testing.TB, f Figure) drawn {
	t.Helper()
	canvas, err := Render(f)
	if err != nil {
		t.Fatal(err)
	}
	sheet, err := f.sheet()
	if err != nil {
		t.Fatal(err)
	}
	p, err := newPainter(sheet)
	if err != nil {
		t.Fatal(err)
	}
	l, err := p.arrange()
	if err != nil {
		t.Fatal(err)
	}
	if size, err := f.Size(); err != nil || size != canvas.Rect.Size() || size != l.size {
		t.Fatalf("the figure has the size %v, its layout %v, foretold was %v, %v", canvas.Rect.Size(), l.size, size, err)
	}
	return drawn{canvas, l.figureLayout.panels}
}

// centre is the pixel at the patch centre of a position.
func (d drawn) centre(panel int, f Figure, row, col int) image.Point {
	m := &f.Maps[panel]
	at := d.panels[panel].picture
	h, w := f.Image.Shape()[0], f.Image.Shape()[1]
	x := (float64(m.X[col]) + float64(m.PatchW)/2) * float64(at.Dx()) / float64(w)
	y := (float64(m.Y[row]) + float64(m.PatchH)/2) * float64(at.Dy()) / float64(h)
	return at.Min.Add(image.Pt(min(int(x), at.Dx()-1), min(int(y), at.Dy()-1)))
}

// apart is the largest difference of two colours in a channel.
func apart(a, b color.RGBA) int {
	d := func(x, y uint8) int { return max(int(x)-int(y), int(y)-int(x)) }
	return max(d(a.R, b.R), d(a.G, b.G), d(a.B, b.B))
}

// chroma is a colour's distance from gray.
func (c lab) chroma() float64 { return math.Hypot(c.a, c.b) }
