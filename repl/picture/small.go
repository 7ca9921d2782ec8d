package picture

import (
	"image"
	"os"

	"gorgonia.org/tensor"

	"occlude/executor"
	"occlude/internal/heatmap"
)

const (
	// least is how many lines a map takes at least: with fewer nothing can be made out.
	least = 6
	// finest is the longer side of a small picture in pixels, if the terminal scales it.
	finest = 256
	// lowest is how many lines a growing map takes by sixel, which is slow to make.
	lowest = 16
)

// small is maps between lines of text, in half-blocks or as images, those from a number
// on; nil if there is no room.
func (t *Terminal) small(maps []heatmap.Map, o heatmap.Options, size Size, number int) (*Block, error) {
	if o.Lines < least {
		return nil, nil
	}
	o.Columns, o.Width, o.Palette, o.Hollow = size.Columns, widest, t.Palette, t.Protocol.graphic()
	o.Tall = float64(size.Cell.Y) / float64(size.Cell.X)
	text, err := heatmap.HalfBlocks(maps, o)
	if err != nil {
		return nil, err
	}
	b := &Block{Lines: text.Lines}
	if !o.Hollow {
		return b, nil
	}
	for i, at := range text.Pictures {
		n := 0
		if number > 0 {
			n = number + i
		}
		picture, err := heatmap.Overlay(maps[i], t.pixels(at.Size(), size.Cell), o)
		if err != nil {
			return nil, err
		}
		data, err := encode(t.Protocol, picture, at.Size(), n)
		if err != nil {
			return nil, err
		}
		b.Images = append(b.Images, Image{at, data})
	}
	return b, nil
}

// pixels is the size of a small picture over so many cells.
func (t *Terminal) pixels(cells, cell image.Point) image.Point {
	p := image.Pt(cells.X*cell.X, cells.Y*cell.Y)
	if t.Protocol == Sixel {
		return p
	}
	shrink := min(1, finest/float64(max(p.X, p.Y)))
	return image.Pt(max(1, int(float64(p.X)*shrink)), max(1, int(float64(p.Y)*shrink)))
}

// Growth draws a heat map again and again while it grows. It is not for several
// goroutines at once.
type Growth struct {
	terminal *Terminal
	number   int // of the first image
	drawn    int // images that were given numbers so far
	ground   *heatmap.Ground
	of       *tensor.Dense // what the ground shows
}

// mostNumbers is how many images of one process have numbers.
const mostNumbers = 16

// Growth begins to draw maps that grow.
func (t *Terminal) Growth() *Growth {
	return &Growth{terminal: t, number: 1 + mostNumbers*(os.Getpid()%(1<<24))}
}

// Draw is what is known of a map, in no more than some lines: its class and legend, and
// between them the map with what is missing filled in. It is nil where a HeatMap would
// be, and where there is no room.
func (g *Growth) Draw(h *executor.HeatMap, lines int) (*Block, error) {
	t := g.terminal
	if !t.Shows() || h.Plan.Grid.Listed {
		return nil, nil
	}
	if g.of != h.Pixels {
		ground, err := heatmap.NewGround(h.Pixels)
		if err != nil {
			return nil, err
		}
		g.ground, g.of = ground, h.Pixels
	}
	var maps []heatmap.Map
	for i := range h.Classes {
		maps = append(maps, h.Preview(i))
	}
	o := heatmap.Options{Lines: lines - around + 1, Colormap: h.Plan.Colormap, Ground: g.ground}
	if t.Protocol == Sixel {
		o.Lines = min(o.Lines, lowest)
	}
	b, err := t.small(maps[:min(len(maps), mostNumbers)], o, t.Size(), g.number)
	if b != nil {
		g.drawn = max(g.drawn, len(b.Images))
	}
	return b, err
}

// Forget is what takes the images away that erasing their cells would leave. Blocks that
// were drawn may be shown again afterwards, so it knows of all images, gone or not.
func (g *Growth) Forget() (data string) {
	if g.terminal.Shows() && g.terminal.Protocol == Kitty {
		for i := range g.drawn {
			data += forgetKitty(g.number + i)
		}
	}
	return data
}
