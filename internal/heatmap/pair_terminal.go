package heatmap

import (
	"fmt"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"occlude/internal/typeset"
)

const (
	blocksGap   = 2  // columns between two pictures
	leastBlocks = 12 // columns of each
	pairBar     = 12 // characters of a colour bar
)

// HalfBlocks draws the three panels of a rank in text for a terminal, side by side in
// o.Columns columns, or a little more where those are very few: a line of names, the
// pictures, and a line for each of the two scales. Ranks count from 0.
func (p *Pair) HalfBlocks(rank int, o Options) (string, error) {
	s, err := p.sheet()
	if err != nil {
		return "", err
	}
	if rank < 0 || 3*rank >= len(s.panels) {
		return "", fmt.Errorf("a pair of %d ranks has no rank %d", len(s.panels)/3, rank)
	}
	panels := s.panels[3*rank : 3*rank+3]
	if o.Columns <= 0 {
		o.Columns = 3*defaultColumns/2 + 2*blocksGap
	}
	width, height := float64(s.width), float64(s.height)
	size := o.pixels(max(leastBlocks, (o.room()-2*blocksGap)/3), width/height)
	w := sgrWriter{palette: o.Palette}
	gap := strings.Repeat(" ", blocksGap)
	var pictures [3][]dot
	for i := range panels {
		of := &panels[i]
		name := typeset.Shorten(typeset.Plain(of.name), size.X, displaywidth.String)
		w.write("", name)
		if i < 2 {
			w.write("", strings.Repeat(" ", max(0, size.X-displaywidth.String(name)))+gap)
		}
		pictures[i] = dots(of.m, &of.scale, width, height, size, of.colours, of.photo.ground())
	}
	w.newline()
	for y := 0; y < size.Y; y += 2 {
		for i, picture := range pictures {
			if i > 0 {
				w.write("", gap)
			}
			for x := range size.X {
				w.halves(picture[y*size.X+x], picture[(y+1)*size.X+x])
			}
		}
		w.newline()
	}
	for _, of := range panels[1:] {
		lo, hi := of.scale.ends()
		w.bar(lo, hi, of.colours, pairBar)
		w.newline()
	}
	return w.text.String(), nil
}
