package heatmap

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"strings"
)

// Palette is what colours a terminal has.
type Palette int

const (
	TrueColor  Palette = iota // 24 bits
	Palette256                // xterm's 6x6x6 cube and its grays
)

// Options say how heat maps are drawn in a terminal.
type Options struct {
	Columns  int     // of the terminal that may be taken; 0 means 48, and no more than 512 are
	Width    int     // most columns of one picture; 0 means as many as there are
	Lines    int     // most lines of a picture, heading and legend not counted; 0 means as many as its shape asks for
	Palette  Palette // colours to use
	Colormap string  // one of Colormaps, or "" for DefaultColormap
	Tall     float64 // a character's height by its width; 0 means 2

	// Ground, if not nil, is drawn under the maps, which are opaque otherwise.
	Ground *Ground
	// Hollow leaves the place of the pictures empty, for those who draw them by other
	// means.
	Hollow bool
}

const (
	defaultColumns = 48
	maxColumns     = 512
	maxLines       = 512
)

// room is how many columns may be taken.
func (o Options) room() int {
	if o.Columns <= 0 {
		return defaultColumns
	}
	return min(o.Columns, maxColumns)
}

// pixels is the size of a picture whose width is aspect times its height, in columns and
// halves of lines.
func (o Options) pixels(columns int, aspect float64) image.Point {
	lines, tall := o.Lines, o.Tall
	if lines <= 0 {
		lines = maxLines
	}
	if tall <= 0 {
		tall = 2
	}
	lines = min(lines, maxLines)
	need := math.Max(1, math.Round(float64(columns)/aspect/tall))
	if need > float64(lines) {
		columns = max(1, min(columns, int(math.Round(tall*float64(lines)*aspect))))
		need = float64(lines)
	}
	return image.Pt(columns, 2*int(need))
}

// dot is a pixel of a picture in text; one that is not opaque is left alone.
type dot struct {
	color.RGBA
	opaque bool
}

// dots draws a map, over the image under it if there is one, in size pixels.
// Where a pixel holds several positions it is the mean of them, so that none is
// passed over.
func dots(m *Map, s *scale, width, height float64, size image.Point, colours colormap, under *Ground) []dot {
	const finest = 16
	fine := min(max((m.Cols+size.X-1)/size.X, (m.Rows+size.Y-1)/size.Y), finest)
	f := newField(m, s, width, height, size.X*fine, size.Y*fine)
	pixels := under.pixels(size, colours.muted)
	list := make([]dot, size.X*size.Y)
	for i := range list {
		x, y := i%size.X, i/size.X
		t, ok := f.mean(x*fine, y*fine, fine)
		switch {
		case pixels == nil && ok:
			list[i] = dot{colours.at(t).rgba(), true}
		case pixels != nil && ok:
			list[i] = dot{colours.over(pixels.at(x, y), t), true}
		case pixels != nil:
			list[i] = dot{pixels.at(x, y).rgba(), true}
		}
	}
	return list
}

// mean is the mean over a square of pixels, if at least half are evaluated.
func (f *field) mean(x, y, side int) (t float64, ok bool) {
	sum, n := 0.0, 0
	for dy := range side {
		for dx := range side {
			if t, ok := f.at(x+dx, y+dy); ok {
				sum += t
				n++
			}
		}
	}
	return sum / float64(n), n > 0 && 2*n >= side*side
}

// sgrWriter writes text with colours, switching them (ECMA-48's "select graphic
// rendition") only when they change.
type sgrWriter struct {
	palette Palette
	text    strings.Builder
	sgr     string // in force; "" for the terminal's own
}

func (w *sgrWriter) write(sgr, s string) {
	if sgr != w.sgr {
		w.text.WriteString("\x1b[0")
		if sgr != "" {
			w.text.WriteString(";" + sgr)
		}
		w.text.WriteString("m")
		w.sgr = sgr
	}
	w.text.WriteString(s)
}

// halves writes one character of two pixels.
func (w *sgrWriter) halves(upper, lower dot) {
	switch {
	case upper.opaque && lower.opaque:
		w.write(w.colour(38, upper.RGBA)+";"+w.colour(48, lower.RGBA), "▀")
	case upper.opaque:
		w.write(w.colour(38, upper.RGBA), "▀")
	case lower.opaque:
		w.write(w.colour(38, lower.RGBA), "▄")
	default:
		w.write("", " ")
	}
}

func (w *sgrWriter) newline() { w.write("", "\n") }

// colour selects c as the foreground (38) or the background (48).
func (w *sgrWriter) colour(ground int, c color.RGBA) string {
	if w.palette == Palette256 {
		return fmt.Sprintf("%d;5;%d", ground, nearest256(c))
	}
	return fmt.Sprintf("%d;2;%d;%d;%d", ground, c.R, c.G, c.B)
}

// nearest256 is the number of the colour of xterm's palette that looks most like
// c. The first sixteen are left out: users choose those.
func nearest256(c color.RGBA) int {
	want, best, nearest := labOf(c), 0, math.Inf(1)
	for i := 16; i < 256; i++ {
		if d := want.distance(palette256[i]); d < nearest {
			best, nearest = i, d
		}
	}
	return best
}

// palette256 is xterm's palette from 16 on: six levels of each channel, then a
// ramp of grays.
var palette256 = func() (table [256]lab) {
	levels := [6]uint8{0, 95, 135, 175, 215, 255}
	for i := range 216 {
		table[16+i] = labOf(color.RGBA{levels[i/36], levels[i/6%6], levels[i%6], 0xff})
	}
	for i := range 24 {
		gray := uint8(8 + 10*i)
		table[232+i] = labOf(color.RGBA{gray, gray, gray, 0xff})
	}
	return table
}()
