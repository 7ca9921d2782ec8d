package picture

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"

	"occlude/executor"
	"occlude/internal/engine"
	"occlude/internal/heatmap"
	"occlude/lang"
)

// results runs queries on the example's model.
func results(t *testing.T, text string) (list []executor.Result) {
	t.Helper()
	dir, err := filepath.Abs("../../examples")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	const create = `CREATE MODEL chest FROM 'models/chest.onnx' WITH (labels = 'models/chest.labels.txt', mean = [0.30, 0.30, 0.30], std = [0.27, 0.27, 0.27]);`
	err = engine.New().Run(context.Background(), engine.Text{Source: create + text}, func(_ lang.Statement, r executor.Result) error {
		list = append(list, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return list[1:]
}

func heatMap(t *testing.T, text string) *executor.HeatMap {
	t.Helper()
	return results(t, text)[0].(*executor.HeatMap)
}

func terminal(p Protocol, columns, lines int) *Terminal {
	return &Terminal{Protocol: p, Size: func() Size { return Size{Columns: columns, Lines: lines, Cell: image.Pt(8, 17)} }}
}

// decode reads an image of any protocol; Sixel has no word for cells.
func decode(t *testing.T, p Protocol, i Image) image.Image {
	t.Helper()
	cells := i.At.Size()
	var picture image.Image
	switch p {
	case Kitty:
		var keys map[string]string
		picture, keys = decodeKitty(t, i.Data)
		if keys["c"] != fmt.Sprint(cells.X) || keys["r"] != fmt.Sprint(cells.Y) {
			t.Errorf("kitty: %sx%s cells, want %v", keys["c"], keys["r"], cells)
		}
	case ITerm:
		var w, h int
		picture, w, h = decodeITerm(t, i.Data)
		if w != cells.X || h != cells.Y {
			t.Errorf("iterm: %dx%d cells, want %v", w, h, cells)
		}
	case Sixel:
		picture = decodeSixel(t, i.Data)
		if b := picture.Bounds(); b.Dx() > cells.X*8 || b.Dy() > cells.Y*17 {
			t.Errorf("sixel: %v, more than %v cells", b, cells)
		}
	}
	return picture
}

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// checkBlock looks whether a block stays within the window.
func checkBlock(t *testing.T, b *Block, columns, lines int) {
	t.Helper()
	if len(b.Lines) >= lines {
		t.Errorf("%d lines in a window of %d", len(b.Lines), lines)
	}
	for _, line := range b.Lines {
		if n := runewidth.StringWidth(escapes.ReplaceAllString(line, "")); n > columns {
			t.Errorf("a line of %d columns in a window of %d", n, columns)
		}
	}
	for _, i := range b.Images {
		if !i.At.In(image.Rect(0, 0, columns, len(b.Lines))) {
			t.Errorf("an image at %v of %dx%d", i.At, columns, len(b.Lines))
		}
	}
}

// In a large window there is the figure that .png files hold; in a smaller one the map
// between lines of text; in one that is too small nothing.
func TestHeatMapByPixels(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest FOR TOP 2 STRIDE 52;")
	figure, err := heatmap.Render(h.Figure())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []Protocol{Kitty, ITerm, Sixel} {
		b, err := terminal(p, 200, 60).HeatMap(h)
		if err != nil {
			t.Fatal(err)
		}
		checkBlock(t, b, 200, 60)
		if len(b.Images) != 1 || strings.Join(b.Lines, "") != "" {
			t.Fatalf("%s: %d images, lines %q", p, len(b.Images), b.Lines)
		}
		got := decode(t, p, b.Images[0]).Bounds().Size()
		if d := got.Sub(figure.Bounds().Size()); d.X < 0 || d.Y < 0 || d.X >= 8 || d.Y >= 17 {
			t.Errorf("%s: a picture of %v for a figure of %v", p, got, figure.Bounds())
		}

		if b, err = terminal(p, 80, 24).HeatMap(h); err != nil {
			t.Fatal(err)
		}
		checkBlock(t, b, 80, 24)
		if text := strings.Join(b.Lines, "\n"); len(b.Images) != 2 || !regexp.MustCompile(`nodule +p₀ 0\.953 +clear +p₀ 0\.0175`).MatchString(text) || strings.ContainsRune(text, '▀') {
			t.Errorf("%s: %d images, lines %q", p, len(b.Images), b.Lines)
		}
		for _, i := range b.Images {
			decode(t, p, i)
		}
		for _, lines := range []int{1, 5, 7} {
			if b, err := terminal(p, 80, lines).HeatMap(h); b != nil || err != nil {
				t.Errorf("%s: a picture in %d lines, %v", p, lines, err)
			}
		}
	}
}

// What the figure shows is what is seen.
func TestFigureIsThePNG(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 52;")
	var file bytes.Buffer
	if err := h.PNG(&file); err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(&file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := terminal(Kitty, 200, 60).HeatMap(h)
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, Kitty, b.Images[0]).(interface {
		image.Image
		SubImage(image.Rectangle) image.Image
	})
	margin := got.Bounds().Size().Sub(want.Bounds().Size()).Div(2)
	if n := apart(t, got.SubImage(want.Bounds().Add(margin)), want); n != 0 {
		t.Errorf("off by %d", n)
	}
}

func TestHeatMapByBlocks(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest FOR TOP 3 STRIDE 52 WHERE x < 150;")
	for _, tt := range []struct{ columns, lines, maps int }{{80, 24, 2}, {200, 50, 3}, {30, 40, 1}, {12, 12, 1}, {300, 10, 3}} {
		b, err := terminal(Blocks, tt.columns, tt.lines).HeatMap(h)
		if err != nil {
			t.Fatal(err)
		}
		checkBlock(t, b, tt.columns, tt.lines)
		if n := strings.Count(b.Lines[0], "p₀"); n != tt.maps && tt.columns > 20 {
			t.Errorf("%+v: %d maps:\n%s", tt, n, b)
		}
		if len(b.Images) > 0 || !strings.Contains(b.String(), "▀") {
			t.Errorf("%+v: %d images", tt, len(b.Images))
		}
	}
}

// Nothing is shown of lists, without a terminal, and where nobody wants any.
func TestNoPicture(t *testing.T) {
	list := results(t, "OCCLUDE 'images/nodule.png' USING chest AT (1, 1); OCCLUDE 'images/nodule.png' USING chest STRIDE 104;")
	at, h := list[0].(*executor.HeatMap), list[1].(*executor.HeatMap)
	for _, tt := range []struct {
		terminal *Terminal
		of       *executor.HeatMap
	}{{terminal(Blocks, 80, 24), at}, {terminal(Kitty, 80, 24), at}, {terminal(None, 80, 24), h}, {nil, h}} {
		if b, err := tt.terminal.HeatMap(tt.of); b != nil || err != nil {
			t.Errorf("%+v: %v, %v", tt.terminal, b, err)
		}
	}
	if b, err := terminal(Blocks, 200, 60).Figure(h); b != nil || err != nil {
		t.Errorf("a figure in half-blocks: %v", err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	if found := Open(null, environment("TERM=xterm-kitty")); found != nil {
		t.Errorf("a file that is no terminal: %+v", found)
	}
	if s := SizeOf(null); s != usual {
		t.Errorf("the size of no terminal: %+v", s)
	}
}

// The other results that have pictures have them in terminals, too.
func TestOtherResults(t *testing.T) {
	list := results(t, `COMPARE (OCCLUDE 'images/nodule.png' USING chest STRIDE 104) WITH (OCCLUDE 'images/clear.png' USING chest STRIDE 104);
		BENCHMARK (RUNS 1, WARMUP 0) OCCLUDE 'images/nodule.png' USING chest STRIDE 104;`)
	for _, r := range list {
		b, err := terminal(ITerm, 250, 70).Figure(r.(executor.Pictured))
		if err != nil || b == nil {
			t.Fatalf("%T: %v, %v", r, b, err)
		}
		checkBlock(t, b, 250, 70)
		decode(t, ITerm, b.Images[0])
	}
	c := list[0].(*executor.Comparison)
	for _, p := range []Protocol{Blocks, Sixel} { // in a window too small for the figure
		b, err := terminal(p, 80, 24).Comparison(c)
		if err != nil || b == nil || !strings.Contains(b.String(), "difference") {
			t.Fatalf("%s: %v, %v", p, b, err)
		}
		checkBlock(t, b, 80, 24)
	}
}

// A map that is not complete is drawn whole while it grows, and as it is in the end.
func TestGrowth(t *testing.T) {
	h := heatMap(t, "OCCLUDE 'images/nodule.png' USING chest STRIDE 8;")
	h.Partial = true
	cols := h.Plan.Grid.Cols()
	for i := range h.States {
		if i%cols%4 != 0 || i/cols%4 != 0 {
			h.States[i], h.Classes[0].P[i] = executor.Missing, float32(math.NaN())
		}
	}
	for _, p := range []Protocol{Blocks, Kitty, ITerm, Sixel} {
		g := terminal(p, 80, 40).Growth()
		if text := g.Forget(); text != "" {
			t.Errorf("%s: %q is forgotten before anything was drawn", p, text)
		}
		for _, lines := range []int{38, 20} {
			b, err := g.Draw(h, lines)
			if err != nil || b == nil {
				t.Fatal(b, err)
			}
			checkBlock(t, b, 80, lines+1)
			if (p == Blocks) != (len(b.Images) == 0) {
				t.Errorf("%s: %d images", p, len(b.Images))
			}
			for _, i := range b.Images {
				decode(t, p, i)
			}
		}
		if b, err := g.Draw(h, 5); b != nil || err != nil {
			t.Errorf("%s: in 5 lines: %v, %v", p, b, err)
		}
		if text := g.Forget(); (text != "") != (p == Kitty) {
			t.Errorf("%s: forgotten by %q", p, text)
		}
	}
}
