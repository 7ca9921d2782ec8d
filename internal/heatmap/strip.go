package heatmap

import (
	"fmt"
	"image"
	"math"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"occlude/internal/typeset"
)

// Text is heat maps side by side in a terminal, each between its class and its legend.
type Text struct {
	Lines []string // each leaves the terminal's own colours behind
	// Pictures are where those maps are drawn that there was room for: columns and
	// lines of the text.
	Pictures []image.Rectangle
}

const (
	leastSide = 28 // columns of each of several maps
	stripGap  = 3  // between two
	leastBar  = 4  // characters of a colour bar
	mostBar   = 32
)

// HalfBlocks draws maps in text for a terminal: every character is two pixels, one
// above the other, in the colours that Render would use. Without an image under them,
// positions without a value keep the terminal's own background. Above each map stand
// its class and p0, below it what the colours mean and where p falls most. Of several
// maps as many are drawn as there is room for, at least the first. It fails as Render
// does.
func HalfBlocks(maps []Map, o Options) (*Text, error) {
	colours, err := findColormap(o.Colormap)
	if err != nil {
		return nil, err
	}
	if len(maps) == 0 {
		return nil, errNoMaps
	}
	maps, room := o.fitting(maps)
	text, left := &Text{}, 0
	var strips [][]string
	for i := range maps {
		m := &maps[i]
		width, height, err := m.spread(o.Ground)
		if err != nil {
			return nil, err
		}
		size := o.pixels(room, width/height)
		columns := max(size.X, min(room, leastSide)) // a name may be wider than its picture
		s := colours.scale(m)
		w := sgrWriter{palette: o.Palette}
		w.write("", m.heading(columns)+"\n")
		if o.Hollow {
			w.write("", strings.Repeat(strings.Repeat(" ", size.X)+"\n", size.Y/2))
		} else {
			w.picture(dots(m, &s, width, height, size, colours, o.Ground), size)
		}
		w.legend(m, &s, colours, columns)
		strips = append(strips, w.lines(columns))
		text.Pictures = append(text.Pictures, image.Rect(left, 1, left+size.X, 1+size.Y/2))
		left += columns + stripGap
	}
	text.Lines = beside(strips)
	return text, nil
}

// beside puts strips next to each other. Those that end before others, because their
// maps are flatter, go on empty.
func beside(strips [][]string) []string {
	tallest := 0
	for _, s := range strips {
		tallest = max(tallest, len(s))
	}
	lines := make([]string, tallest)
	for i := range lines {
		parts := make([]string, len(strips))
		for k, s := range strips {
			if i < len(s) {
				parts[k] = s[i]
			} else {
				parts[k] = strings.Repeat(" ", columnsOf(s[0]))
			}
		}
		lines[i] = strings.Join(parts, strings.Repeat(" ", stripGap))
	}
	return lines
}

// columnsOf is how many columns of a terminal a line takes.
func columnsOf(line string) int {
	measure := displaywidth.Options{ControlSequences: true}
	return measure.String(line)
}

// fitting are the maps that there is room for side by side, and the columns of each.
func (o Options) fitting(maps []Map) (list []Map, columns int) {
	n := len(maps)
	for ; n > 1; n-- {
		if columns = (o.room() - (n-1)*stripGap) / n; columns >= leastSide {
			break
		}
	}
	if n == 1 {
		columns = o.room()
	}
	if o.Width > 0 {
		columns = min(columns, o.Width)
	}
	return maps[:n], columns
}

// spread checks a map and tells the size of what it covers.
func (m *Map) spread(under *Ground) (width, height float64, err error) {
	err = m.check()
	if err == nil && under != nil {
		err = m.checkWithin(under.photo.width, under.photo.height)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("heat map of class %q: %w", m.Class, err)
	}
	if under != nil {
		return float64(under.photo.width), float64(under.photo.height), nil
	}
	width, height = m.extent()
	return width, height, nil
}

// heading is the class at the left of some columns and p0 at the right.
func (m *Map) heading(columns int) string {
	const leastClass = 8
	class, p0 := typeset.Plain(m.Class), "p₀ "+typeset.Number(float64(m.P0))
	room := columns - displaywidth.String(p0) - 2
	if room < leastClass {
		return typeset.Shorten(class, columns, displaywidth.String)
	}
	class = typeset.Shorten(class, room, displaywidth.String)
	return class + strings.Repeat(" ", columns-displaywidth.String(class+p0)) + p0
}

// legend writes what the colours stand for, and where p falls most.
func (w *sgrWriter) legend(m *Map, s *scale, colours colormap, columns int) {
	lo, hi := s.ends()
	room := columns - displaywidth.String(lo+hi)
	if room < leastBar { // then without its name
		hi = " " + typeset.Number(s.hi)
		room = columns - displaywidth.String(lo+hi)
	}
	if room >= leastBar {
		w.bar(lo, hi, colours, min(room, mostBar))
	} else {
		w.write("", typeset.Shorten(lo+"…"+hi, columns, displaywidth.String))
	}
	w.write("", "\n"+m.peak(columns)+"\n")
}

// peak tells where p falls most, and by how much, in some columns.
func (m *Map) peak(columns int) string {
	best, most := -1, 0.0
	for i := range m.P {
		if d := m.drop(i); best < 0 && !math.IsNaN(d) || d > most {
			best, most = i, d
		}
	}
	switch {
	case best < 0:
		return ""
	case most <= 0:
		return typeset.Shorten("p falls nowhere", columns, displaywidth.String)
	}
	at := fmt.Sprintf("at (%d, %d), by %s", m.X[best%m.Cols], m.Y[best/m.Cols], typeset.Number(most))
	if long := "p falls most " + at; displaywidth.String(long) <= columns {
		return long
	}
	return typeset.Shorten(at, columns, displaywidth.String)
}

// picture writes the lines of a picture of size.X by size.Y dots.
func (w *sgrWriter) picture(dots []dot, size image.Point) {
	for y := 0; y < size.Y; y += 2 {
		for x := range size.X {
			w.halves(dots[y*size.X+x], dots[(y+1)*size.X+x])
		}
		w.newline()
	}
}

// lines are what was written, each filled up to some columns.
func (w *sgrWriter) lines(columns int) []string {
	list := strings.Split(strings.TrimSuffix(w.text.String(), "\n"), "\n")
	for i, line := range list {
		list[i] += strings.Repeat(" ", max(0, columns-columnsOf(line)))
	}
	return list
}

// ends are what stands before and after a colour bar.
func (s *scale) ends() (lo, hi string) {
	name, _, _ := strings.Cut(s.label, "  ")
	return typeset.Number(s.lo) + " ", " " + typeset.Number(s.hi) + "  " + name
}

// bar writes the colours between what their ends stand for.
func (w *sgrWriter) bar(lo, hi string, colours colormap, length int) {
	w.write("", lo)
	for i := range length {
		w.write(w.colour(38, colours.at((float64(i)+0.5)/float64(length)).rgba()), "█")
	}
	w.write("", hi)
}
