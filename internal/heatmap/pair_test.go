package heatmap

import (
	"bytes"
	"image/color"
	"image/png"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
	"gorgonia.org/tensor"

	"occlude/internal/typeset"
)

// bumps makes a pair over images of w by h pixels, whose maps fall by different
// amounts at different places.
func bumps(first, second *tensor.Dense, w, h int) Pair {
	bump := func(p0, drop, cx, cy float64) Map {
		return mapOf(w, h, 8, 4, p0, func(x, y float64) float64 {
			return p0 - drop*math.Exp(-((x-cx)*(x-cx)+(y-cy)*(y-cy))/60)
		})
	}
	return Pair{
		First:  Side{"one", first, []Map{bump(0.9, 0.2, 12, 12)}},
		Second: Side{"other", second, []Map{bump(0.7, 0.6, 28, 20)}},
	}
}

// Equal falls have equal colours on both sides, and the difference that of the first
// less the second.
func TestPairColours(t *testing.T) {
	for _, name := range []string{"", "viridis"} {
		gray := grayImage(40, 32, 120)
		p := bumps(gray, gray, 40, 32)
		p.Colormap = name
		s, err := p.sheet()
		if err != nil {
			t.Fatal(err)
		}
		painter, err := newPainter(s)
		if err != nil {
			t.Fatal(err)
		}
		canvas, err := painter.paint()
		if err != nil {
			t.Fatal(err)
		}
		c, _, _ := painter.content()
		l, _ := place(c)
		d := drawn{canvas, l.panels}
		f := Figure{Image: gray, Maps: []Map{p.First.Maps[0], p.Second.Maps[0], p.First.Maps[0]}}
		colours, err := findColormap(name)
		if err != nil {
			t.Fatal(err)
		}
		diverging, err := findColormap("")
		if err != nil {
			t.Fatal(err)
		}
		a, b := &p.First.Maps[0], &p.Second.Maps[0]
		most, farthest := 0.0, 0.0 // the scales' ends
		for i := range a.P {
			most, farthest = max(most, math.Abs(a.drop(i)), math.Abs(b.drop(i))), max(farthest, math.Abs(a.drop(i)-b.drop(i)))
		}
		least := -most
		if name != "" {
			least = 0
		}
		under := s.panels[0].photo.enlarge(c.picture, true).pixels[0]
		for i := range a.P {
			row, col := i/a.Cols, i%a.Cols
			for panel, want := range []color.RGBA{
				colours.over(under, (a.drop(i)-least)/(most-least)),
				colours.over(under, (b.drop(i)-least)/(most-least)),
				diverging.over(under, (a.drop(i)-b.drop(i)+farthest)/(2*farthest)),
			} {
				at := d.centre(panel, f, row, col)
				if got := canvas.RGBAAt(at.X, at.Y); apart(got, want) > 8 {
					t.Fatalf("%q, panel %d, row %d, column %d: %v, want %v", name, panel, row, col, got, want)
				}
			}
		}
	}
}

// Two images have nothing in common for a difference to lie over: it is drawn alone.
func TestPairOfTwoImages(t *testing.T) {
	one, other := grayImage(40, 32, 20), grayImage(40, 32, 20)
	for _, same := range []bool{true, false} {
		if !same {
			other = grayImage(40, 32, 200)
		}
		p := bumps(one, other, 40, 32)
		s, err := p.sheet()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.panels[2].photo != nil; got != same {
			t.Errorf("the images are the same: %v, and the difference lies over one: %v", same, got)
		}
		var w bytes.Buffer
		if err := p.EncodePNG(&w); err != nil {
			t.Fatal(err)
		}
		if _, err := png.Decode(&w); err != nil {
			t.Error(err)
		}
	}
}

// A scale that values of one map leave is pointed where they are beyond both maps'.
func TestCommonScaleIsClipped(t *testing.T) {
	line := func(p0 float32, p ...float32) *Map {
		return &Map{Rows: 1, Cols: len(p), X: []int{0, 1}[:len(p)], Y: []int{0}, PatchW: 1, PatchH: 1, P0: p0, P: p}
	}
	if s := common(line(0.4, 0.29, 0.4), line(0.2, 0.2, 0.2), krypton); s.clippedLo || s.lo > 0.1501 || s.hi < 0.4999 {
		t.Errorf("%+v: 0.29 is on the scale of the other", s)
	}
	if s := common(line(0.4, 0.1, 0.4), line(0.2, 0.2, 0.2), krypton); !s.clippedLo || s.clippedHi {
		t.Errorf("%+v: 0.1 is below both", s)
	}
}

func TestPairRefused(t *testing.T) {
	gray := grayImage(40, 32, 9)
	for name, change := range map[string]func(*Pair){
		"no maps":        func(p *Pair) { p.First.Maps, p.Second.Maps = nil, nil },
		"ranks":          func(p *Pair) { p.Second.Maps = append(p.Second.Maps, p.Second.Maps[0]) },
		"grids":          func(p *Pair) { p.Second.Maps[0] = mapOf(40, 32, 8, 8, 0.5, constant(0.4)) },
		"sizes":          func(p *Pair) { p.Second.Image = grayImage(41, 32, 9) },
		"no image":       func(p *Pair) { p.First.Image = nil },
		"outside":        func(p *Pair) { p.First.Image, p.Second.Image = grayImage(9, 9, 9), grayImage(9, 9, 9) },
		"colour map":     func(p *Pair) { p.Colormap = "plaid" },
		"a broken first": func(p *Pair) { p.First.Maps[0].P = nil },
	} {
		p := bumps(gray, gray, 40, 32)
		change(&p)
		if err := p.EncodePNG(&bytes.Buffer{}); err == nil {
			t.Errorf("%s: drawn", name)
		}
	}
	p := bumps(gray, gray, 40, 32)
	for _, rank := range []int{-1, 1} {
		if _, err := p.HalfBlocks(rank, Options{}); err == nil {
			t.Errorf("rank %d was drawn", rank)
		}
	}
}

// In a terminal the three stand side by side within the columns, with a line of names
// and one for each scale.
func TestPairInText(t *testing.T) {
	escapes := regexp.MustCompile("\x1b\\[[0-9;]*m")
	p := bumps(grayImage(40, 32, 100), grayImage(40, 32, 100), 40, 32)
	p.Second.Name = "a name that is longer than its third of the columns \x1b[2J"
	for _, columns := range []int{0, 1, 64, 120} {
		text, err := p.HalfBlocks(0, Options{Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(escapes.ReplaceAllString(text, ""), "\n"), "\n")
		wide := max(3*leastBlocks+2*blocksGap, columns)
		if columns == 0 {
			wide = 3*defaultColumns/2 + 2*blocksGap
		}
		for i, line := range lines[:len(lines)-2] {
			if n := runewidth.StringWidth(line); n > wide || n < wide-3 && i > 0 {
				t.Errorf("%d columns, line %d: %q is %d wide", columns, i, line, n)
			}
		}
		last := strings.Join(lines[len(lines)-2:], "|")
		if !strings.Contains(last, "p drop|") || !strings.HasSuffix(last, "first − second") || !strings.Contains(lines[0], "difference") ||
			strings.Contains(text, "\x1b[2J") {
			t.Errorf("%d columns:\n%s\n%s", columns, lines[0], last)
		}
	}
	if typeset.Plain(p.Second.Name) == p.Second.Name {
		t.Error("the name is harmless to begin with")
	}
}
