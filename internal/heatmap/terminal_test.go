package heatmap

import (
	"fmt"
	"image/color"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

var escapes = regexp.MustCompile("\x1b\\[[0-9;]*m")

func blocks(t *testing.T, m Map, o Options) (text string, lines []string) {
	t.Helper()
	text, err := HalfBlocks(m, o)
	if err != nil {
		t.Fatal(err)
	}
	lines = strings.Split(strings.TrimSuffix(escapes.ReplaceAllString(text, ""), "\n"), "\n")
	return text, lines
}

func TestHalfBlocksShape(t *testing.T) {
	for _, tt := range []struct {
		w, h          int
		o             Options
		columns, rows int
	}{
		{64, 64, Options{Columns: 40}, 40, 20},
		{64, 64, Options{}, 48, 24},
		{64, 32, Options{Columns: 40}, 40, 10},
		{32, 64, Options{Columns: 40, Lines: 10}, 10, 10},
		{64, 64, Options{Columns: 1 << 30}, 512, 256},
		{64, 64, Options{Columns: -3, Lines: -3}, 48, 24},
	} {
		_, lines := blocks(t, mapOf(tt.w, tt.h, 8, 4, 0.5, constant(0.2)), tt.o)
		if len(lines) != tt.rows+1 {
			t.Errorf("%dx%d, %+v: %d lines, want %d and a legend", tt.w, tt.h, tt.o, len(lines), tt.rows)
			continue
		}
		for _, line := range lines[:tt.rows] {
			if got := runewidth.StringWidth(line); got != tt.columns {
				t.Errorf("%dx%d, %+v: a line of %d columns, want %d", tt.w, tt.h, tt.o, got, tt.columns)
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
	want := fmt.Sprintf("\x1b[0;38;2;%d;%d;%d;48;2;%d;%d;%dm▀\x1b[0m\n", warm.R, warm.G, warm.B, cold.R, cold.G, cold.B)
	if !strings.HasPrefix(text, want) {
		t.Errorf("got %q, want it to begin with %q", text, want)
	}
	text, _ = blocks(t, m, Options{Columns: 1, Palette: Palette256})
	want = fmt.Sprintf("\x1b[0;38;5;%d;48;5;%dm▀\x1b[0m\n", nearest256(warm), nearest256(cold))
	if !strings.HasPrefix(text, want) {
		t.Errorf("got %q, want it to begin with %q", text, want)
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
		if lines[0] != tt.want {
			t.Errorf("%g over %g: %q, want %q", tt.upper, tt.lower, lines[0], tt.want)
		}
		picture, _, _ := strings.Cut(text, "\n")
		if hasBackground := strings.Contains(picture, "48;2;"); hasBackground != (tt.upper == tt.lower) {
			t.Errorf("%g over %g: a background is set: %v", tt.upper, tt.lower, hasBackground)
		}
		under, _ := blocks(t, m, Options{Columns: 1, Image: grayImage(8, 16, 50)})
		if picture, _, _ := strings.Cut(under, "\n"); !strings.Contains(picture, "48;2;") {
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
		picture, _, _ := strings.Cut(text, "\n")
		if len(escapes.FindAllString(picture, -1)) < 3 { // one for the neutral colour, one to end the line
			t.Errorf("a drop at %d of 40 does not show: %q", hit, picture)
		}
	}
}

func TestHalfBlocksLegend(t *testing.T) {
	m := mapOf(64, 64, 8, 4, 0.75, func(x, y float64) float64 { return 0.75 - 0.5*math.Exp(-x) })
	m.P[0], m.P[1] = 0.25, 1
	m.Class = "DME"
	_, lines := blocks(t, m, Options{Columns: 60})
	if got, want := lines[len(lines)-1], "DME  p₀ 0.750  −0.500 ████████████ 0.500  p drop"; got != want {
		t.Errorf("legend %q, want %q", got, want)
	}
	m.Class = "a\x1b[2Jname that is far too long for the line 中文中文中文中文"
	text, lines := blocks(t, m, Options{Columns: 60})
	if last := lines[len(lines)-1]; runewidth.StringWidth(last) > 60 || !strings.Contains(last, "…") {
		t.Errorf("legend %q is %d wide", last, runewidth.StringWidth(last))
	}
	if strings.Contains(text, "\x1b[2J") {
		t.Error("a label's control sequence reaches the terminal")
	}
}

func TestHalfBlocksRefuses(t *testing.T) {
	m := mapOf(64, 64, 8, 4, 0.5, constant(0.5))
	if _, err := HalfBlocks(m, Options{Colormap: "no such"}); err == nil {
		t.Error("an unknown colormap was accepted")
	}
	if _, err := HalfBlocks(m, Options{Image: grayImage(32, 32, 0)}); err == nil {
		t.Error("an image smaller than the map was accepted")
	}
	m.P = nil
	if _, err := HalfBlocks(m, Options{}); err == nil {
		t.Error("a map without values was accepted")
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
