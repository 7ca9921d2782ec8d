package heatmap

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math"
	"strings"
	"testing"

	"gorgonia.org/tensor"
	"pgregory.net/rapid"

	"occlude/internal/typeset"
)

// The pixel at a position's centre has the colour of that position's value.
func TestColourAtCentres(t *testing.T) {
	value := func(x, y float64) float64 { return 0.5 - 0.4*math.Sin(x/20)*math.Cos(y/30) }
	for _, name := range Colormaps() {
		f := Figure{
			Image:    grayImage(64, 48, 100),
			Maps:     []Map{mapOf(64, 48, 16, 7, 0.5, value)},
			Colormap: name,
		}
		d := drawFigure(t, f)
		m := &f.Maps[0]
		colours, err := findColormap(name)
		if err != nil {
			t.Fatal(err)
		}
		s := colours.scale(m)
		under := labOf(color.RGBA{100, 100, 100, 255})
		if colours.muted {
			under.l = lerp(0.18, 0.98, under.l)
		}
		for i := range m.P {
			at := d.centre(0, f, i/m.Cols, i%m.Cols)
			want := colours.over(under, s.t(s.value(m, i)))
			if got := d.RGBAAt(at.X, at.Y); apart(got, want) > 10 { // a centre may fall between pixels
				t.Fatalf("%s: position %d is drawn %v, want %v", name, i, got, want)
			}
		}
	}
}

// Warm is what supports the class, cold what opposes it.
func TestWarmSupports(t *testing.T) {
	f := Figure{Image: grayImage(32, 32, 128), Maps: []Map{mapOf(32, 32, 8, 8, 0.5, func(x, y float64) float64 { return x / 32 })}}
	d := drawFigure(t, f)
	left, right := d.centre(0, f, 1, 0), d.centre(0, f, 1, 3)
	if c := d.RGBAAt(left.X, left.Y); c.R <= c.B {
		t.Errorf("hiding the left takes p from 0.5 to 0.125, yet it is drawn %v", c)
	}
	if c := d.RGBAAt(right.X, right.Y); c.B <= c.R {
		t.Errorf("hiding the right takes p from 0.5 to 0.875, yet it is drawn %v", c)
	}
}

// Where nothing was evaluated, and with the default map where nothing changed,
// the image is as it is in a panel without any value, but for the outline.
func TestUncolouredLeavesTheImage(t *testing.T) {
	scene := photograph(40, 40, 3, func(x, y, c int) float32 { return float32(6*x + 40*c) })
	empty := mapOf(40, 40, 8, 8, 0.5, constant(math.NaN()))
	same := mapOf(40, 40, 8, 8, 0.5, constant(0.5))
	half := mapOf(40, 40, 8, 8, 0.5, func(x, y float64) float64 {
		if x < 20 {
			return math.NaN()
		}
		return 0.1
	})
	for _, name := range []string{"coolwarm", "jet_r", "viridis"} {
		f := Figure{Image: scene, Colormap: name}
		draw := func(m Map) drawn { f.Maps = []Map{m}; return drawFigure(t, f) }
		bare, halved := draw(empty), draw(half)
		at := bare.panels[0].picture
		coloured := 0
		// The cells of columns at 16 and beyond have values: they begin at the
		// pixel half-way between the centres at 12 and 20.
		border := at.Min.X + at.Dx()*16/40
		for y := range at.Dy() {
			for x := range at.Dx() {
				got, want := halved.RGBAAt(at.Min.X+x, at.Min.Y+y), bare.RGBAAt(at.Min.X+x, at.Min.Y+y)
				if at.Min.X+x < border-1 && got != want {
					t.Fatalf("%s: pixel %d, %d has no value but is %v, not %v", name, x, y, got, want)
				}
				if at.Min.X+x > border && got != want {
					coloured++
				}
			}
		}
		if coloured < at.Dx()*at.Dy()/2 {
			t.Errorf("%s: only %d pixels are coloured", name, coloured)
		}
		if name == "coolwarm" {
			if still := draw(same); !bytes.Equal(pixelsIn(still, at), pixelsIn(bare, at)) {
				t.Error("no change should be without colour")
			}
		}
	}
}

func pixelsIn(d drawn, r image.Rectangle) (pixels []byte) {
	for y := r.Min.Y; y < r.Max.Y; y++ {
		pixels = append(pixels, d.Pix[d.PixOffset(r.Min.X, y):d.PixOffset(r.Max.X, y)]...)
	}
	return pixels
}

// jet_r is half the image and half the colour, in 8-bit sRGB.
func TestKryptonsBlend(t *testing.T) {
	f := Figure{
		Image:    photograph(32, 32, 3, func(x, y, c int) float32 { return float32(40 + 60*c) }),
		Maps:     []Map{mapOf(32, 32, 8, 8, 0.8, constant(0.1))}, // below 0.75 p0: all at the red end
		Colormap: "jet_r",
	}
	d := drawFigure(t, f)
	at := d.centre(0, f, 1, 1)
	if got, want := d.RGBAAt(at.X, at.Y), (color.RGBA{(40 + 128) / 2, (100 + 0) / 2, (160 + 0) / 2, 255}); apart(got, want) > 1 {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestColourBarEnds(t *testing.T) {
	for _, name := range Colormaps() {
		f := Figure{Image: grayImage(32, 32, 90), Colormap: name,
			Maps: []Map{mapOf(32, 32, 8, 8, 0.5, func(x, y float64) float64 { return 0.45 + 0.1*x/32 })}}
		d := drawFigure(t, f)
		colours, err := findColormap(name)
		if err != nil {
			t.Fatal(err)
		}
		bar := d.panels[0].bar
		x := (bar.Min.X + bar.Max.X) / 2
		for _, end := range []struct {
			y int
			t float64
		}{{bar.Min.Y, 1}, {bar.Max.Y - 1, 0}} {
			if got, want := d.RGBAAt(x, end.y), colours.at(end.t).rgba(); got != want {
				t.Errorf("%s: the bar's end at y %d is %v, want %v", name, end.y, got, want)
			}
		}
	}
}

// A bar is pointed at exactly the ends that values lie beyond.
func TestColourBarPoints(t *testing.T) {
	for _, tt := range []struct {
		p        float64
		top, low bool
	}{{0.5, false, false}, {0.1, false, true}, {0.9, true, false}} {
		f := Figure{Image: grayImage(32, 32, 90), Colormap: "jet", Maps: []Map{mapOf(32, 32, 8, 8, 0.5, constant(tt.p))}}
		d := drawFigure(t, f)
		bar := d.panels[0].bar
		pointed := func(y int) bool { return d.RGBAAt(bar.Min.X, y) == typeset.Paper }
		if pointed(bar.Min.Y) != tt.top || pointed(bar.Max.Y-1) != tt.low {
			t.Errorf("p = %g of p0 = 0.5: pointed above %v, below %v; want %v, %v", tt.p, pointed(bar.Min.Y), pointed(bar.Max.Y-1), tt.top, tt.low)
		}
	}
}

func TestOriginalKeepsItsColours(t *testing.T) {
	red := photograph(32, 32, 3, func(x, y, c int) float32 { return []float32{200, 10, 20}[c] })
	f := Figure{Image: red, Original: true, Maps: []Map{mapOf(32, 32, 8, 8, 0.5, constant(0.5))}}
	d := drawFigure(t, f)
	if len(d.panels) != 2 {
		t.Fatalf("%d panels, want the image and one map", len(d.panels))
	}
	first, second := d.panels[0].picture, d.panels[1].picture
	if got := d.RGBAAt(first.Min.X+9, first.Min.Y+9); got != (color.RGBA{200, 10, 20, 255}) {
		t.Errorf("the image alone is %v", got)
	}
	if got := d.RGBAAt(second.Min.X+9, second.Min.Y+9); apart(got, color.RGBA{got.R, got.R, got.R, 255}) > 1 {
		t.Errorf("under a map the image is %v, not gray", got)
	}
}

func TestEncodePNGIsDeterministic(t *testing.T) {
	var files [2]bytes.Buffer
	for i := range files {
		if err := EncodePNG(&files[i], goldenFigure()); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(files[0].Bytes(), files[1].Bytes()) {
		t.Error("the same figure gave different bytes")
	}
	decoded, err := png.Decode(&files[0])
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := Render(goldenFigure())
	if err != nil {
		t.Fatal(err)
	}
	if decoded.Bounds() != drawn.Bounds() {
		t.Errorf("the file holds %v, Render gives %v", decoded.Bounds(), drawn.Bounds())
	}
}

type brokenWriter struct{}

var errBroken = errors.New("disk full")

func (brokenWriter) Write([]byte) (int, error) { return 0, errBroken }

func TestEncodePNGReportsWriteErrors(t *testing.T) {
	if err := EncodePNG(brokenWriter{}, goldenFigure()); !errors.Is(err, errBroken) {
		t.Errorf("got %v, want %v", err, errBroken)
	}
}

func TestRenderRefuses(t *testing.T) {
	good := mapOf(32, 32, 8, 8, 0.5, constant(0.5))
	broken := func(change func(*Map)) []Map { m := good; change(&m); return []Map{m} }
	im := grayImage(32, 32, 90)
	for _, tt := range []struct {
		name string
		f    Figure
		want string
	}{
		{"no image", Figure{Maps: []Map{good}}, "needs the image"},
		{"no maps", Figure{Image: im}, "nothing to show"},
		{"colormap", Figure{Image: im, Maps: []Map{good}, Colormap: "coolworm"}, `unknown colormap "coolworm"`},
		{"two channels", Figure{Image: photograph(8, 8, 2, func(x, y, c int) float32 { return 0 }), Maps: []Map{good}}, "has shape (8, 8, 2)"},
		{"four dimensions", Figure{Image: tensor.New(tensor.WithShape(1, 8, 8, 3), tensor.Of(tensor.Float32)), Maps: []Map{good}}, "has shape (1, 8, 8, 3)"},
		{"bytes", Figure{Image: tensor.New(tensor.WithShape(8, 8, 3), tensor.Of(tensor.Uint8)), Maps: []Map{good}}, "not float32"},
		{"empty grid", Figure{Image: im, Maps: broken(func(m *Map) { m.Rows = 0 })}, "no positions"},
		{"coordinates", Figure{Image: im, Maps: broken(func(m *Map) { m.X = m.X[1:] })}, "3 column coordinates"},
		{"probabilities", Figure{Image: im, Maps: broken(func(m *Map) { m.P = m.P[1:] })}, "15 probabilities"},
		{"overflow", Figure{Image: im, Maps: broken(func(m *Map) { m.Rows, m.Cols = math.MaxInt, 2; m.X = m.X[:2] })}, "4 row and 2 column coordinates"},
		{"patch", Figure{Image: im, Maps: broken(func(m *Map) { m.PatchH = 0 })}, "8x0"},
		{"order", Figure{Image: im, Maps: broken(func(m *Map) { m.Y = []int{0, 8, 8, 24} })}, "ascend"},
		{"left of the image", Figure{Image: im, Maps: broken(func(m *Map) { m.X = []int{-1, 8, 16, 24} })}, "x -1"},
		{"right of the image", Figure{Image: im, Maps: broken(func(m *Map) { m.X = []int{0, 8, 16, 32} })}, "x 32, outside an image 32 pixels wide"},
		{"below the image", Figure{Image: im, Maps: broken(func(m *Map) { m.Y = []int{0, 8, 16, math.MaxInt} })}, "outside an image 32 pixels high"},
	} {
		if _, err := Render(tt.f); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error with %q", tt.name, err, tt.want)
		}
	}
	named := broken(func(m *Map) { m.Class = "DME"; m.PatchW = 0 })
	if _, err := Render(Figure{Image: im, Maps: named}); err == nil || !strings.Contains(err.Error(), `"DME"`) {
		t.Errorf("got %v, want an error that names the class", err)
	}
	many := make([]Map, 100000)
	for i := range many {
		many[i] = good
	}
	if _, err := Render(Figure{Image: im, Maps: many}); err == nil || !strings.Contains(err.Error(), "too many") {
		t.Errorf("got %v, want a refusal of 100000 panels", err)
	}
}

// Any well-formed figure is drawn, and its maps inside their panels leave no
// uncovered pixel.
func TestRenderDrawsAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(1, 40).Draw(t, "w"), rapid.IntRange(1, 40).Draw(t, "h")
		value := rapid.OneOf(
			rapid.Float32Range(0, 1),
			rapid.SampledFrom([]float32{nan, 0, 1, 3e38, -3e38, 1e-30, float32(math.Inf(1)), float32(math.Inf(-1))}))
		f := Figure{
			Image:    photograph(w, h, rapid.SampledFrom([]int{1, 3}).Draw(t, "channels"), func(x, y, c int) float32 { return float32(37 * (x + y + c) % 256) }),
			Title:    rapid.String().Draw(t, "title"),
			Caption:  rapid.String().Draw(t, "caption"),
			Colormap: rapid.SampledFrom(Colormaps()).Draw(t, "colormap"),
			Original: rapid.Bool().Draw(t, "original"),
		}
		for range rapid.IntRange(1, 3).Draw(t, "panels") {
			patchW, patchH := rapid.IntRange(1, w).Draw(t, "patchW"), rapid.IntRange(1, h).Draw(t, "patchH")
			m := Map{
				X: grid(w, patchW, rapid.IntRange(1, w).Draw(t, "stride x")), Y: grid(h, patchH, rapid.IntRange(1, h).Draw(t, "stride y")),
				PatchW: patchW, PatchH: patchH, P0: value.Draw(t, "p0"), Class: rapid.String().Draw(t, "class"),
			}
			m.Cols, m.Rows = len(m.X), len(m.Y)
			few := rapid.SliceOfN(value, 1, 7).Draw(t, "p")
			for i := range m.Rows * m.Cols {
				m.P = append(m.P, few[i%len(few)])
			}
			f.Maps = append(f.Maps, m)
		}
		canvas, err := Render(f)
		if err != nil {
			t.Fatal(err)
		}
		if !canvas.Opaque() {
			t.Fatal("the picture has a hole")
		}
		if _, err := HalfBlocks(f.Maps[:1], Options{Columns: 8, Colormap: f.Colormap}); err != nil {
			t.Fatal(err)
		}
	})
}

// An image that is a view of another tensor is read through the view.
func TestImageMayBeAView(t *testing.T) {
	whole := photograph(10, 8, 3, func(x, y, c int) float32 { return float32(100*c + 10*y + x) })
	part, err := whole.Slice(tensor.S(2, 6), tensor.S(1, 4))
	if err != nil {
		t.Fatal(err)
	}
	ph, err := newPhoto(part.(*tensor.Dense))
	if err != nil {
		t.Fatal(err)
	}
	if ph.width != 3 || ph.height != 4 {
		t.Fatalf("the view is %dx%d, want 3x4", ph.width, ph.height)
	}
	for i, v := range ph.values {
		x, y, c := i/3%3, i/9, i%3
		if want := float32(100*c + 10*(y+2) + x + 1); v != want {
			t.Fatalf("value %d is %g, want %g", i, v, want)
		}
	}
}
