package picture

import (
	"bytes"
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"os"
	"strings"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/term"

	"occlude/executor"
	"occlude/internal/heatmap"
	"occlude/internal/typeset"
)

// Terminal is one that pictures are shown in. A nil one shows none.
type Terminal struct {
	Protocol Protocol
	Palette  heatmap.Palette
	Size     func() Size // now
	Dumb     bool        // it knows no control sequences
}

// Open finds out what the terminal behind a file can show; it is nil if there is none.
func Open(f *os.File, env func(string) string) *Terminal {
	if !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	t := &Terminal{Size: func() Size { return SizeOf(f) }, Dumb: IsDumb(env)}
	t.Protocol, t.Palette = detect(env)
	return t
}

// Shows tells whether there are pictures.
func (t *Terminal) Shows() bool { return t != nil && t.Protocol != None }

const (
	// widest is the width of a map in characters, where there is room for so many.
	widest = 48
	// around is how many lines stand above and below a map of half-blocks or a small
	// picture, and one more for the prompt.
	around = 4
	// legible is how much a figure is shrunk at most, so that its type can be read.
	legible = 0.6
)

// HeatMap is a heat map with its legend, nil where there is nothing to show: of positions
// by hand, or in a terminal without pictures.
func (t *Terminal) HeatMap(h *executor.HeatMap) (*Block, error) {
	if !t.Shows() || h.Plan.Grid.Listed {
		return nil, nil
	}
	size := t.Size()
	if t.Protocol.graphic() {
		figure := h.Figure()
		pixels, err := figure.Size()
		if err != nil {
			return nil, err
		}
		if cells, factor := size.room(pixels); factor >= legible {
			picture, err := heatmap.Render(figure)
			if err != nil {
				return nil, err
			}
			return t.page(picture, cells, factor, size)
		}
	}
	ground, err := heatmap.NewGround(h.Pixels)
	if err != nil {
		return nil, err
	}
	var maps []heatmap.Map
	for i := range h.Classes {
		maps = append(maps, h.Map(i))
	}
	return t.small(maps, heatmap.Options{Lines: size.Lines - around, Colormap: h.Plan.Colormap, Ground: ground}, size, 0)
}

// Figure is any other result that can be drawn, nil in terminals that draw no pixels or
// are too small.
func (t *Terminal) Figure(r executor.Pictured) (*Block, error) {
	if !t.Shows() || !t.Protocol.graphic() {
		return nil, nil
	}
	var b bytes.Buffer
	if err := r.PNG(&b); err != nil {
		return nil, err
	}
	picture, err := png.Decode(&b)
	if err != nil {
		return nil, fmt.Errorf("a picture for the terminal: %w", err)
	}
	size := t.Size()
	cells, factor := size.room(picture.Bounds().Size())
	if factor < legible {
		return nil, nil
	}
	return t.page(picture, cells, factor, size)
}

// page shows a figure by a factor over so many cells.
func (t *Terminal) page(figure image.Image, cells image.Point, factor float64, size Size) (*Block, error) {
	data, err := encode(t.Protocol, fit(figure, cells, size.Cell, factor*size.density(), t.Protocol), cells, 0)
	if err != nil {
		return nil, err
	}
	return &Block{Lines: make([]string, cells.Y), Images: []Image{{image.Rectangle{Max: cells}, data}}}, nil
}

// Comparison is two maps and their difference, nil where a HeatMap would be.
func (t *Terminal) Comparison(c *executor.Comparison) (*Block, error) {
	if !t.Shows() || c.First.Plan.Grid.Listed {
		return nil, nil
	}
	if b, err := t.Figure(c); b != nil || err != nil {
		return b, err
	}
	pair, size := c.Pair(), t.Size()
	text, err := pair.HalfBlocks(0, heatmap.Options{
		Columns: min(size.Columns, 3*widest), Lines: max(least, size.Lines-around), Palette: t.Palette,
	})
	if err != nil {
		return nil, err
	}
	return &Block{Lines: strings.Split(strings.TrimSuffix(text, "\n"), "\n")}, nil
}

// density is how many pixels of the terminal stand for one of a figure: two or so where
// they are very small.
func (s Size) density() float64 { return max(1, float64(s.Cell.Y)/float64(usualCell.Y)) }

// room is how many cells a figure takes, and by which factor it is shrunk for that.
func (s Size) room(figure image.Point) (cells image.Point, factor float64) {
	columns, lines := s.Columns, s.Lines-1 // below it stands the prompt
	width, height := float64(figure.X)*s.density(), float64(figure.Y)*s.density()
	factor = min(1, float64(columns*s.Cell.X)/width, float64(lines*s.Cell.Y)/height)
	up := func(pixels float64, cell, most int) int {
		return max(1, min(most, int(pixels*factor+float64(cell)-0.01)/cell))
	}
	return image.Pt(up(width, s.Cell.X, columns), up(height, s.Cell.Y, lines)), factor
}

// fit draws a figure by a factor on paper that fills the cells. Terminals that scale
// pictures themselves are sent no more pixels than the figure has.
func fit(figure image.Image, cells, cell image.Point, factor float64, p Protocol) *image.RGBA {
	paper := image.Pt(cells.X*cell.X, cells.Y*cell.Y)
	if factor > 1 && p != Sixel {
		paper = image.Pt(int(float64(paper.X)/factor), int(float64(paper.Y)/factor))
		factor = 1
	}
	canvas := image.NewRGBA(image.Rectangle{Max: paper})
	draw.Draw(canvas, canvas.Rect, image.NewUniform(typeset.Paper), image.Point{}, draw.Src)
	b := figure.Bounds()
	at := image.Rect(0, 0, int(float64(b.Dx())*factor+0.5), int(float64(b.Dy())*factor+0.5))
	at = at.Add(image.Pt((paper.X-at.Dx())/2, (paper.Y-at.Dy())/2))
	if factor == 1 {
		draw.Draw(canvas, at, figure, b.Min, draw.Src)
	} else {
		xdraw.CatmullRom.Scale(canvas, at, figure, b, draw.Src, nil)
	}
	return canvas
}
