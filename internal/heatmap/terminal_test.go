package heatmap

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"gorgonia.org/tensor"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

// blocks draws one map: the lines as they are sent, and as they are read.
func blocks(t *testing.T, m Map, o Options) (sent, read []string) {
	t.Helper()
	text, err := HalfBlocks([]Map{m}, o)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range text.Lines {
		read = append(read, escapes.ReplaceAllString(line, ""))
	}
	return text.Lines, read
}

func groundOf(t *testing.T, image *tensor.Dense) *Ground {
	t.Helper()
	g, err := NewGround(image)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestHalfBlocksShape(t *testing.T) {
	for _, tt := range []struct {
		w, h          int
		o             Options
		columns, rows int
	}{
		{64, 64, Options{Columns: 40}, 40, 20},
		{64, 64, Options{}, 48, 24},
		{64, 64, Options{Columns: 100, Width: 40}, 40, 20},
		{64, 32, Options{Columns: 40}, 40, 10},
		{32, 64, Options{Columns: 40, Lines: 10}, 10, 10},
		{64, 64, Options{Columns: 1 << 30}, 512, 256},
		{64, 64, Options{Columns: -3, Lines: -3}, 48, 24},
	} {
		for _, tt.o.Hollow = range []bool{false, true} {
			text, err := HalfBlocks([]Map{mapOf(tt.w, tt.h, 8, 4, 0.5, constant(0.2))}, tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if want := image.Rect(0, 1, tt.columns, 1+tt.rows); len(text.Pictures) != 1 || text.Pictures[0] != want {
				t.Errorf("%dx%d, %+v: pictures at %v, want %v", tt.w, tt.h, tt.o, text.Pictures, want)
			}
			if len(text.Lines) != tt.rows+3 {
				t.Errorf("%dx%d, %+v: %d lines, want a heading, %d, and two of a legend", tt.w, tt.h, tt.o, len(text.Lines), tt.rows)
				continue
			}
			for _, line := range text.Lines {
				line = escapes.ReplaceAllString(line, "")
				if got := runewidth.StringWidth(line); got != max(tt.columns, min(tt.o.room(), leastSide)) {
					t.Errorf("%dx%d, %+v: a line of %d columns, want %d", tt.w, tt.h, tt.o, got, tt.columns)
				}
				if blank := strings.TrimSpace(line) == ""; blank && !tt.o.Hollow {
					t.Errorf("%dx%d, %+v: a blank line", tt.w, tt.h, tt.o)
				}
			}
		}
	}
}

// Several maps stand side by side as long as each has room for its legend.
func TestHalfBlocksAbreast(t *testing.T) {
	m := mapOf(64, 64, 8, 4, 0.5, constant(0.2))
	for _, tt := range []struct{ maps, columns, width, shown, each int }{
		{3, 120, 48, 3, 38}, {3, 84, 48, 2, 40}, {2, 59, 0, 2, 28}, {2, 58, 0, 1, 58}, {4, 500, 48, 4, 48}, {5, 10, 0, 1, 10},
	} {
		o := Options{Columns: tt.columns, Width: tt.width}
		text, err := HalfBlocks(slices.Repeat([]Map{m}, tt.maps), o)
		if err != nil {
			t.Fatal(err)
		}
		if len(text.Pictures) != tt.shown {
			t.Errorf("%+v: %d maps are drawn", tt, len(text.Pictures))
			continue
		}
		alone, err := HalfBlocks([]Map{m}, Options{Columns: tt.each})
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range text.Lines {
			if want := strings.Join(slices.Repeat([]string{alone.Lines[i]}, tt.shown), "   "); line != want {
				t.Errorf("%+v, line %d:\n%q, want\n%q", tt, i, line, want)
			}
		}
		for k, p := range text.Pictures {
			if left := k * (alone.Pictures[0].Dx() + stripGap); p != alone.Pictures[0].Add(image.Pt(left, 0)) {
				t.Errorf("%+v: picture %d at %v", tt, k, p)
			}
		}
	}
}

func TestHalfBlocksColours(t *testing.T) {
	// Two positions above each other: one pixel each.
	m := Map{Rows: 2, Cols: 1, X: []int{0}, Y: []int{0, 8}, PatchW: 8, PatchH: 8, P0: 0.5, P: []float32{0.25, 0.75}, Class: "c"}
	colours, err := findColormap("")
	if err != nil {
		t.Fatal(err)
	}
	warm, cold := colours.at(1).rgba(), colours.at(0).rgba()
	text, _ := blocks(t, m, Options{Columns: 1})
	want := fmt.Sprintf("\x1b[0;38;2;%d;%d;%d;48;2;%d;%d;%dm▀\x1b[0m", warm.R, warm.G, warm.B, cold.R, cold.G, cold.B)
	if text[1] != want {
		t.Errorf("got %q, want %q", text[1], want)
	}
	text, _ = blocks(t, m, Options{Columns: 1, Palette: Palette256})
	want = fmt.Sprintf("\x1b[0;38;5;%d;48;5;%dm▀\x1b[0m", nearest256(warm), nearest256(cold))
	if text[1] != want {
		t.Errorf("got %q, want %q", text[1], want)
	}
}

func TestHalfBlocksLeaveTheBackground(t *testing.T) {
	for _, tt := range []struct {
		upper, lower float32
		want         string
	}{
		{nan, nan, " "}, {0.2, nan, "▀"}, {nan, 0.2, "▄"}, {0.2, 0.2, "▀"},
	} {
		m := Map{Rows: 2, Cols: 1, X: []int{0}, Y: []int{0, 8}, PatchW: 8, PatchH: 8, P0: 0.5, P: []float32{tt.upper, tt.lower}, Class: "c"}
		text, lines := blocks(t, m, Options{Columns: 1})
		if lines[1] != tt.want {
			t.Errorf("%g over %g: %q, want %q", tt.upper, tt.lower, lines[1], tt.want)
		}
		if hasBackground := strings.Contains(text[1], "48;2;"); hasBackground != (tt.upper == tt.lower) {
			t.Errorf("%g over %g: a background is set: %v", tt.upper, tt.lower, hasBackground)
		}
		under, _ := blocks(t, m, Options{Columns: 1, Ground: groundOf(t, grayImage(8, 16, 50))})
		if !strings.Contains(under[1], "48;2;") {
			t.Errorf("%g over %g on an image: no background is set", tt.upper, tt.lower)
		}
	}
}

// A peak on a grid finer than the picture is seen.
func TestHalfBlocksPassNoPositionOver(t *testing.T) {
	for hit := range 40 {
		m := mapOf(40, 2, 1, 1, 0.5, func(x, y float64) float64 {
			if int(x) == hit {
				return 0
			}
			return 0.5
		})
		text, _ := blocks(t, m, Options{Columns: 10})
		if len(escapes.FindAllString(text[1], -1)) < 3 { // one for the neutral colour, one to end the line
			t.Errorf("a drop at %d of 40 does not show: %q", hit, text[1])
		}
	}
}

func TestHalfBlocksLegend(t *testing.T) {
	m := mapOf(64, 64, 8, 4, 0.75, func(x, y float64) float64 { return 0.75 - 0.5*math.Exp(-x) })
	m.P[m.Cols+2], m.P[1] = 0.25, 1
	m.Class = "DME"
	_, lines := blocks(t, m, Options{Columns: 40})
	for i, want := range map[int]string{
		0:              "DME                             p₀ 0.750",
		len(lines) - 2: "−0.500 ███████████████████ 0.500  p drop",
		len(lines) - 1: "p falls most at (8, 4), by 0.500        ",
	} {
		if lines[i] != want {
			t.Errorf("line %d: %q, want %q", i, lines[i], want)
		}
	}
	m.Class = "a\x1b[2Jname that is far too long for the line 中文中文中文中文"
	text, lines := blocks(t, m, Options{Columns: 60})
	if runewidth.StringWidth(lines[0]) != 60 || !strings.Contains(lines[0], "…") || !strings.HasSuffix(lines[0], "  p₀ 0.750") {
		t.Errorf("heading %q is %d wide", lines[0], runewidth.StringWidth(lines[0]))
	}
	if strings.Contains(strings.Join(text, ""), "\x1b[2J") {
		t.Error("a label's control sequence reaches the terminal")
	}
	for want, p := range map[string]func(x, y float64) float64{
		"p falls nowhere": constant(0.9),
		"":                constant(math.NaN()),
	} {
		_, lines := blocks(t, mapOf(64, 64, 8, 4, 0.75, p), Options{})
		if got := strings.TrimSpace(lines[len(lines)-1]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// An overlay is the picture that half-blocks show, in pixels.
func TestOverlayIsWhatHalfBlocksShow(t *testing.T) {
	m := mapOf(40, 32, 8, 4, 0.5, func(x, y float64) float64 { return x / 40 })
	for i := range m.P[:m.Cols+3] {
		m.P[i] = nan
	}
	ground := groundOf(t, photograph(40, 32, 1, func(x, y, c int) float32 { return float32(6 * y) }))
	for _, o := range []Options{{Columns: 20}, {Columns: 20, Ground: ground}, {Columns: 20, Colormap: "jet", Ground: ground}} {
		text, _ := blocks(t, m, o)
		size := image.Pt(20, 16)
		picture, err := Overlay(m, size, o)
		if err != nil {
			t.Fatal(err)
		}
		w := sgrWriter{}
		for y := 0; y < size.Y; y += 2 {
			for x := range size.X {
				upper, lower := picture.RGBAAt(x, y), picture.RGBAAt(x, y+1)
				w.halves(dot{upper, upper.A != 0}, dot{lower, lower.A != 0})
			}
			w.newline()
		}
		for y, line := range w.lines(leastSide) {
			if strings.TrimRight(line, " ") != strings.TrimRight(text[1+y], " ") {
				t.Fatalf("%+v, line %d:\n%q, but half-blocks\n%q", o, y, line, text[1+y])
			}
		}
	}
	if _, err := Overlay(m, image.Pt(9, 9), Options{Ground: groundOf(t, grayImage(9, 9, 9))}); err == nil {
		t.Error("a map beyond its image was drawn")
	}
	if _, err := Overlay(m, image.Pt(9, 9), Options{Colormap: "plaid"}); err == nil {
		t.Error("an unknown colormap was accepted")
	}
}

func TestHalfBlocksRefuses(t *testing.T) {
	m := mapOf(64, 64, 8, 4, 0.5, constant(0.5))
	if _, err := HalfBlocks([]Map{m}, Options{Colormap: "no such"}); err == nil {
		t.Error("an unknown colormap was accepted")
	}
	if _, err := HalfBlocks([]Map{m}, Options{Ground: groundOf(t, grayImage(32, 32, 0))}); err == nil {
		t.Error("an image smaller than the map was accepted")
	}
	m.P = nil
	if _, err := HalfBlocks([]Map{m}, Options{}); err == nil {
		t.Error("a map without values was accepted")
	}
	if _, err := HalfBlocks(nil, Options{}); err == nil {
		t.Error("no map was drawn")
	}
	if _, err := NewGround(nil); err == nil {
		t.Error("no image was accepted")
	}
}

func TestNearest256(t *testing.T) {
	for _, tt := range []struct {
		c    color.RGBA
		want int
	}{
		{color.RGBA{0, 0, 0, 255}, 16}, {color.RGBA{255, 255, 255, 255}, 231}, {color.RGBA{255, 0, 0, 255}, 196},
		{color.RGBA{8, 8, 8, 255}, 232}, {color.RGBA{95, 135, 175, 255}, 67}, {color.RGBA{120, 118, 119, 255}, 243},
	} {
		if got := nearest256(tt.c); got != tt.want {
			t.Errorf("%v is nearest to %d, want %d", tt.c, got, tt.want)
		}
	}
}

// Maps of different shapes stand side by side, too: every line is as wide, and every
// picture whole.
func TestHalfBlocksOfDifferentShapes(t *testing.T) {
	flat, tall := mapOf(64, 16, 8, 8, 1, constant(0.5)), mapOf(16, 64, 8, 8, 1, constant(0.5))
	for _, maps := range [][]Map{{flat, tall}, {tall, flat}} {
		text, err := HalfBlocks(maps, Options{Columns: 100})
		if err != nil || len(text.Pictures) != 2 {
			t.Fatal(text, err)
		}
		for i, line := range text.Lines {
			if n := columnsOf(line); n != columnsOf(text.Lines[0]) {
				t.Errorf("line %d takes %d columns, the first %d", i, n, columnsOf(text.Lines[0]))
			}
		}
		for _, p := range text.Pictures {
			if p.Max.Y > len(text.Lines) {
				t.Errorf("%v of %d lines", p, len(text.Lines))
			}
		}
	}
}
