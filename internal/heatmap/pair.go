package heatmap

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"

	"gorgonia.org/tensor"

	"occlude/internal/typeset"
)

// Pair is two figures to set side by side: heat maps on the same grid, both drawn on
// one scale, and what the first shows more than the second.
type Pair struct {
	First, Second  Side
	Notes          []string // on each difference, by rank; nil for none
	Title, Caption string
	Colormap       string // of the sides, as in Figure; differences are drawn with DefaultColormap
}

// Side is one of the two.
type Side struct {
	Name  string        // what it differs in from the other
	Image *tensor.Dense // as in Figure; both have the same size
	Maps  []Map         // by rank, as many on both sides
}

// EncodePNG draws a row of three panels for each rank: the first map, the second,
// and the difference of p_drop, the first less the second. The difference lies over
// the image if both sides have the same. It fails as [Render] does.
func (p *Pair) EncodePNG(w io.Writer) error {
	s, err := p.sheet()
	if err != nil {
		return err
	}
	return s.encodePNG(w)
}

func (p *Pair) sheet() (*sheet, error) {
	var photos [2]*photo
	for i, side := range []*Side{&p.First, &p.Second} {
		photo, err := newPhoto(side.Image)
		if err != nil {
			return nil, err
		}
		for k := range side.Maps {
			if err := side.Maps[k].checkWithin(photo.width, photo.height); err != nil {
				return nil, fmt.Errorf("heat map of class %q: %w", side.Maps[k].Class, err)
			}
		}
		photos[i] = photo
	}
	s := &sheet{title: p.Title, caption: p.Caption, columns: 3, width: photos[0].width, height: photos[0].height}
	if photos[1].width != s.width || photos[1].height != s.height {
		return nil, fmt.Errorf("images of %dx%d and %dx%d pixels cannot be set side by side", s.width, s.height, photos[1].width, photos[1].height)
	}
	triples, err := p.triples()
	if err != nil {
		return nil, err
	}
	var both *photo // the image, if it is one
	if photos[0].channels == photos[1].channels && slices.Equal(photos[0].values, photos[1].values) {
		both = photos[0]
	}
	for k, t := range triples {
		for i, side := range []*Side{&p.First, &p.Second} {
			m := &side.Maps[k]
			s.panels = append(s.panels, panel{m: m, colours: t.colours, scale: t.scale, photo: photos[i], name: side.Name, note: shortClass(m) + ", " + m.note()})
		}
		d := panel{m: &t.difference, colours: t.diverging, scale: t.apart, photo: both, name: "difference"}
		if k < len(p.Notes) {
			d.note = typeset.Plain(p.Notes[k])
		}
		s.panels = append(s.panels, d)
	}
	return s, nil
}

// triple is two maps with their difference, and the scales of both and of it.
type triple struct {
	difference         Map
	scale, apart       scale
	colours, diverging colormap
}

// triples are those of all ranks.
func (p *Pair) triples() ([]triple, error) {
	colours, err := findColormap(p.Colormap)
	if err != nil {
		return nil, err
	}
	diverging, err := findColormap(DefaultColormap)
	if err != nil {
		return nil, err
	}
	if len(p.First.Maps) == 0 || len(p.First.Maps) != len(p.Second.Maps) {
		return nil, errors.New("a pair has heat maps on both sides, and as many on one as on the other")
	}
	var list []triple
	for k := range p.First.Maps {
		a, b := &p.First.Maps[k], &p.Second.Maps[k]
		if a.PatchW != b.PatchW || a.PatchH != b.PatchH || !slices.Equal(a.X, b.X) || !slices.Equal(a.Y, b.Y) || len(a.P) != len(b.P) {
			return nil, errors.New("maps on different grids have no difference")
		}
		t := triple{difference: *a, scale: common(a, b, colours.scale), colours: colours, diverging: diverging}
		t.difference.P, t.difference.P0 = make([]float32, len(a.P)), 0
		for i := range a.P { // so that the fall from zero is what the first falls more than the second
			t.difference.P[i] = float32(b.drop(i) - a.drop(i))
		}
		t.apart = symmetric(&t.difference)
		t.apart.label, t.apart.below, t.apart.above = "first − second", "more in the second", "more in the first"
		list = append(list, t)
	}
	return list, nil
}

// shortClass leaves room for the name of a side.
func shortClass(m *Map) string {
	return typeset.Shorten(typeset.Plain(m.Class), 24, utf8.RuneCountInString)
}

// common is a scale that suits two maps.
func common(a, b *Map, of scaling) scale {
	s, other := of(a), of(b)
	s.lo, s.hi = min(s.lo, other.lo), max(s.hi, other.hi)
	s.clippedLo, s.clippedHi = s.clippedLo || other.clippedLo, s.clippedHi || other.clippedHi
	if s.clippedLo || s.clippedHi { // one may hold what lies beyond the other
		s.clippedLo, s.clippedHi = false, false
		for _, m := range []*Map{a, b} {
			for i := range m.P {
				s.clippedLo = s.clippedLo || s.value(m, i) < s.lo
				s.clippedHi = s.clippedHi || s.value(m, i) > s.hi
			}
		}
	}
	return s
}
