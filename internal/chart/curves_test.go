package chart

import (
	"bytes"
	"image"
	"image/color"
	"math"
	"testing"

	"pgregory.net/rapid"
)

// drawCurves draws a page of level lines, which are easy to find again.
func drawCurves(t *rapid.T) *Curves {
	low := rapid.SampledFrom([]float64{0, -3, 0.2}).Draw(t, "low")
	c := &Curves{
		Title: rapid.String().Draw(t, "title"), Subtitle: rapid.SampledFrom([]string{"", "a subtitle"}).Draw(t, "subtitle"),
		Axis: rapid.String().Draw(t, "axis"), Low: low, High: low + rapid.Float64Range(1e-3, 1e3).Draw(t, "span"),
	}
	for range rapid.IntRange(1, 4).Draw(t, "panels") {
		y := c.Low + rapid.Float64Range(0, 1).Draw(t, "height")*(c.High-c.Low)
		c.Panels = append(c.Panels, Panel{
			Title: rapid.String().Draw(t, "panel"), Note: "area 0.0602 · lower is better", Axis: "share of the pixels",
			Lines: []Line{
				{X: []float64{0, 1}, Y: []float64{c.Low, c.High}, Kind: Reference},
				{X: []float64{0, 0.1, 1}, Y: []float64{y, y, y}, Kind: Main},
			},
		})
	}
	return c
}

// A level line is where its number says, from one end of the panel to the other, and
// nothing leaves the page.
func TestHeights(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCurves(t)
		picture, err := c.Render(Names{Main: "the map", Reference: "chance"})
		if err != nil {
			t.Fatal(err)
		}
		p := curvesPainter{Curves: c}
		p.lay()
		for i, panel := range c.Panels {
			y := panel.Lines[1].Y[0]
			want := float64(p.at[i].Max.Y) - (y-c.Low)/(c.High-c.Low)*panelHeight
			for _, x := range []int{p.at[i].Min.X + 2, p.at[i].Min.X + panelWidth/3, p.at[i].Max.X - 2} {
				if got := middle(picture, x, p.at[i].Inset(-2)); math.Abs(got-want) > 1.5 {
					t.Fatalf("panel %d: the line of %g between %g and %g runs at %.1f, want %.1f", i, y, c.Low, c.High, got, want)
				}
			}
			if !p.at[i].In(picture.Rect.Inset(margin - 1)) {
				t.Fatalf("panel %d stands at %v of %v", i, p.at[i], picture.Rect)
			}
		}
		for x := range picture.Rect.Max.X {
			for _, y := range []int{0, picture.Rect.Max.Y - 1} {
				if picture.RGBAAt(x, y) != (color.RGBA{0xff, 0xff, 0xff, 0xff}) {
					t.Fatalf("something is cut off at (%d, %d) of %v", x, y, picture.Rect)
				}
			}
		}
	})
}

// middle is the mean height of the pixels of the main line's colour in a column.
func middle(picture *image.RGBA, x int, within image.Rectangle) float64 {
	sum, n := 0.0, 0.0
	for y := within.Min.Y; y < within.Max.Y; y++ {
		if picture.RGBAAt(x, y) == strong {
			sum, n = sum+float64(y)+0.5, n+1
		}
	}
	return sum / n
}

// Dashes cover their share of a line, in order, whatever its corners.
func TestDashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := []point{{0, 0}}
		length := 0.0
		for range rapid.IntRange(1, 20).Draw(t, "corners") {
			p := point{rapid.Float32Range(-100, 100).Draw(t, "x"), rapid.Float32Range(-100, 100).Draw(t, "y")}
			length += distance(line[len(line)-1], p)
			line = append(line, p)
		}
		covered := 0.0
		for i, piece := range dashes(line, 6, 4) {
			one := 0.0
			for j := 1; j < len(piece); j++ {
				one += distance(piece[j-1], piece[j])
			}
			if covered += one; one > 6.01 {
				t.Fatalf("dash %d is %g long", i, one)
			}
		}
		// All whole dashes, and what is left of the last.
		whole := math.Floor(length / 10)
		if want := 6*whole + min(6, length-10*whole); math.Abs(covered-want) > 0.05+length*1e-4 {
			t.Fatalf("dashes of %g in all along %g, want %g", covered, length, want)
		}
	})
}

func distance(p, q point) float64 { return math.Hypot(float64(p.x-q.x), float64(p.y-q.y)) }

func TestCurvesRefused(t *testing.T) {
	line := func(x, y []float64) []Panel { return []Panel{{Lines: []Line{{X: x, Y: y}}}} }
	for _, c := range []Curves{
		{High: 1},
		{High: 1, Panels: make([]Panel, mostPanels+1)},
		{Panels: make([]Panel, 1)},
		{High: math.Inf(1), Panels: make([]Panel, 1)},
		{High: 1, Panels: line([]float64{0, 1}, []float64{0})},
		{High: 1, Panels: line([]float64{0}, []float64{0})},
		{High: 1, Panels: line([]float64{0, 2}, []float64{0, 1})},
		{High: 1, Panels: line([]float64{0, 1}, []float64{0, math.NaN()})},
	} {
		if err := c.EncodePNG(&bytes.Buffer{}, nil); err == nil {
			t.Errorf("%d panels were drawn: %+v", len(c.Panels), c)
		}
	}
}
