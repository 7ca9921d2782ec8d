package heatmap

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"occlude/internal/typeset"
)

// sheet is everything that goes on a page.
type sheet struct {
	title, caption string
	original       *photo // shown alone in a first panel; nil for none
	panels         []panel
	columns        int // of panels, 0 for as many as look well
	width, height  int // of the model's input
}

// panel is a map with its colours, over an image or alone.
type panel struct {
	m          *Map
	colours    colormap
	scale      scale
	photo      *photo // nil for the map alone
	name, note string
}

// painter draws one sheet.
type painter struct {
	*sheet
	faces  *typeset.Faces
	canvas *image.RGBA
	under  map[*photo]*Ground // the images below the maps
}

func newPainter(s *sheet) (*painter, error) {
	faces, err := typeset.NewFaces()
	if err != nil {
		return nil, err
	}
	return &painter{sheet: s, faces: faces, under: map[*photo]*Ground{}}, nil
}

// paint draws a sheet.
func (s *sheet) paint() (*image.RGBA, error) {
	p, err := newPainter(s)
	if err != nil {
		return nil, err
	}
	return p.paint()
}

// encodePNG draws a sheet and writes it to w.
func (s *sheet) encodePNG(w io.Writer) error {
	picture, err := s.paint()
	if err != nil {
		return err
	}
	// Smaller files would take three times as long, more than some heat maps do.
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(w, picture); err != nil {
		return fmt.Errorf("writing a heat map's picture: %w", err)
	}
	return nil
}

// pixels is an image below a map, nil where there is none.
func (p *painter) pixels(of *panel, size image.Point) *labImage {
	if p.under[of.photo] == nil {
		p.under[of.photo] = of.photo.ground()
	}
	return p.under[of.photo].pixels(size, of.colours.muted)
}

// bar is a colour bar's meaning and its numbers.
type bar struct {
	colours colormap
	scale   scale
	ticks   []typeset.Tick
	unit    string
}

// arrangement is where everything goes, and what stands beside the panels.
type arrangement struct {
	figureLayout
	content
	bars    []bar
	title   string
	caption []string
}

func (p *painter) arrange() (*arrangement, error) {
	var a arrangement
	a.content, a.bars, a.title = p.content()
	// The caption's lines depend on the width, which does not depend on them.
	ok := false
	if a.figureLayout, ok = place(a.content); ok {
		a.caption = typeset.Wrap(p.captionText(), a.size.X-a.left-margin, captionLines, p.measure)
		a.content.caption = len(a.caption)
		a.figureLayout, ok = place(a.content)
	}
	if !ok {
		return nil, fmt.Errorf("%d panels of %dx%d pixels are too many for one picture", a.content.panels, a.picture.X, a.picture.Y)
	}
	return &a, nil
}

func (p *painter) paint() (*image.RGBA, error) {
	l, err := p.arrange()
	if err != nil {
		return nil, err
	}
	p.canvas = image.NewRGBA(image.Rectangle{Max: l.size})
	typeset.Fill(p.canvas, p.canvas.Rect, typeset.Paper)
	if l.title != "" {
		room := l.size.X - l.left - margin
		title := typeset.Shorten(l.title, room, func(s string) int { return typeset.Width(p.faces.Title, s) })
		typeset.Draw(p.canvas, p.faces.Title, typeset.Ink, l.left, l.figureLayout.title, title)
	}
	places := l.figureLayout.panels
	if l.original {
		p.image(p.original, places[0])
		places = places[1:]
	}
	for i := range p.panels {
		p.panel(&p.panels[i], &l.bars[i], places[i])
	}
	for i, line := range l.caption {
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, l.left, l.figureLayout.caption+i*lineHeight, line)
	}
	return p.canvas, nil
}

// content measures everything but the caption.
func (p *painter) content() (c content, bars []bar, title string) {
	title = typeset.Plain(p.title)
	c = content{panels: len(p.panels), columns: p.columns, original: p.original != nil, titled: title != ""}
	if c.original {
		c.panels++
	}
	c.picture = pictureSize(p.width, p.height, c.panels)
	bars, c.tickWidth = p.bars(max(c.picture.Y, minPanelHeight))
	return c, bars, title
}

func (p *painter) measure(s string) int { return typeset.Width(p.faces.Small, s) }

// captionText is the caption, with a word on the outlines where there are some.
func (p *painter) captionText() string {
	text := typeset.Plain(p.caption)
	for i := range p.panels {
		if p.panels[i].m.partial() {
			if text != "" {
				text += " · "
			}
			return text + "outside the outline: not evaluated"
		}
	}
	return text
}

// bars scales every map and returns the room that the numbers take.
func (p *painter) bars(height int) (list []bar, tickWidth int) {
	for i := range p.panels {
		b := bar{colours: p.panels[i].colours, scale: p.panels[i].scale}
		b.ticks, b.unit = typeset.Ticks(b.scale.lo, b.scale.hi, min(max(2, height/40), 13))
		list = append(list, b)
		tickWidth = max(tickWidth, widest(p.faces.Small, b.ticks), typeset.Width(p.faces.Small, b.unit)-barWidth)
	}
	return list, tickWidth
}

// image draws an image alone.
func (p *painter) image(of *photo, l panelLayout) {
	p.heading(l, "image", fmt.Sprintf("%d × %d", of.width, of.height))
	typeset.Frame(p.canvas, l.picture, typeset.Hairline)
	pixels := of.enlarge(l.picture.Size(), false)
	for y := range l.picture.Dy() {
		for x := range l.picture.Dx() {
			p.canvas.SetRGBA(l.picture.Min.X+x, l.picture.Min.Y+y, pixels.at(x, y).rgba())
		}
	}
	p.axes(l.picture)
}

// panel draws a map.
func (p *painter) panel(of *panel, b *bar, l panelLayout) {
	p.heading(l, of.name, of.note)
	typeset.Frame(p.canvas, l.picture, typeset.Hairline)
	p.overlay(of, l.picture, p.pixels(of, l.picture.Size()))
	p.axes(l.picture)
	p.colourBar(b, l.bar)
}

// heading writes a name at the left, and a note at the right, above a picture.
func (p *painter) heading(l panelLayout, name, note string) {
	baseline := l.picture.Min.Y - 11
	width := typeset.Width(p.faces.Body, note)
	typeset.Draw(p.canvas, p.faces.Body, typeset.Faint, l.right-width, baseline, note)
	room := l.right - width - 12 - l.picture.Min.X
	name = typeset.Shorten(typeset.Plain(name), room, func(s string) int { return typeset.Width(p.faces.Heading, s) })
	typeset.Draw(p.canvas, p.faces.Heading, typeset.Ink, l.picture.Min.X, baseline, name)
}

// overlay draws the image, if there is one, and the map over it. Where the map was
// evaluated only in part, a light line inside the region and a dark one around it
// show where it ends: the neutral colour of a diverging map is as transparent as no value.
func (p *painter) overlay(of *panel, at image.Rectangle, pixels *labImage) {
	f := newField(of.m, &of.scale, float64(p.width), float64(p.height), at.Dx(), at.Dy())
	partial := of.m.partial()
	for y := range at.Dy() {
		for x := range at.Dx() {
			t, evaluated := f.at(x, y)
			c := typeset.Paper
			switch {
			case pixels != nil && evaluated:
				c = of.colours.over(pixels.at(x, y), t)
			case pixels != nil:
				c = pixels.at(x, y).rgba()
			case evaluated:
				c = of.colours.at(t).rgba()
			}
			if partial && f.border(x, y) {
				if evaluated {
					c = blendRGB(labOf(c), labOf(typeset.Paper), 0.85)
				} else {
					c = blendRGB(labOf(c), lab{}, 0.6)
				}
			}
			p.canvas.SetRGBA(at.Min.X+x, at.Min.Y+y, c)
		}
	}
}

// axes numbers the pixels of the model's input along the left and lower edges.
func (p *painter) axes(at image.Rectangle) {
	for _, t := range p.axisTicks(p.width, at.Dx()) {
		x := at.Min.X + int(math.Round(t.Value*float64(at.Dx())/float64(p.width)))
		typeset.Fill(p.canvas, image.Rect(x, at.Max.Y+1, x+1, at.Max.Y+1+tickLength), typeset.Hairline)
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, x-typeset.Width(p.faces.Small, t.Label)/2, at.Max.Y+tickLength+14, t.Label)
	}
	for _, t := range p.axisTicks(p.height, at.Dy()) {
		y := at.Min.Y + int(math.Round(t.Value*float64(at.Dy())/float64(p.height)))
		typeset.Fill(p.canvas, image.Rect(at.Min.X-1-tickLength, y, at.Min.X-1, y+1), typeset.Hairline)
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, at.Min.X-1-tickLength-tickGap-typeset.Width(p.faces.Small, t.Label)+1, y+4, t.Label)
	}
}

// axisTicks numbers an axis of n pixels that is length long.
func (p *painter) axisTicks(n, length int) []typeset.Tick {
	list, unit := typeset.Ticks(0, float64(n), min(n, max(1, length/110)))
	if unit != "" { // an axis of 100 000 pixels
		return nil
	}
	if length < 30 { // no room for a second number
		return list[:1]
	}
	return list
}

// colourBar draws the colours from the least, at the bottom, to the greatest,
// with numbers; an end that values lie beyond is pointed.
func (p *painter) colourBar(b *bar, at image.Rectangle) {
	top, bottom := at.Min.Y, at.Max.Y
	if b.scale.clippedHi {
		top += barWidth
	}
	if b.scale.clippedLo {
		bottom -= barWidth
	}
	for y := at.Min.Y; y < at.Max.Y; y++ {
		// The middle of the first row is the one end, that of the last the other.
		t := float64(bottom-1-y) / float64(bottom-1-top)
		inset := max(0, top-y, y-bottom+1) / 2
		row := image.Rect(at.Min.X+inset, y, at.Max.X-inset, y+1)
		typeset.Fill(p.canvas, image.Rect(row.Min.X-1, y, row.Max.X+1, y+1), typeset.Hairline)
		typeset.Fill(p.canvas, row, b.colours.at(t).rgba())
	}
	typeset.Fill(p.canvas, image.Rect(at.Min.X-1, at.Min.Y-1, at.Max.X+1, at.Min.Y), when(b.scale.clippedHi, typeset.Paper, typeset.Hairline))
	typeset.Fill(p.canvas, image.Rect(at.Min.X-1, at.Max.Y, at.Max.X+1, at.Max.Y+1), when(b.scale.clippedLo, typeset.Paper, typeset.Hairline))

	widest := 0
	for _, t := range b.ticks {
		y := bottom - 1 - int(math.Round(b.scale.t(t.Value)*float64(bottom-1-top)))
		typeset.Fill(p.canvas, image.Rect(at.Max.X+1, y, at.Max.X+1+tickLength, y+1), typeset.Faint)
		width := typeset.Width(p.faces.Small, t.Label)
		widest = max(widest, width)
		typeset.Draw(p.canvas, p.faces.Small, typeset.Ink, at.Max.X+tickLength+tickGap, y+4, t.Label)
	}
	if b.unit != "" {
		typeset.Draw(p.canvas, p.faces.Small, typeset.Ink, at.Min.X, at.Min.Y-11, b.unit)
	}
	x := at.Max.X + tickLength + tickGap + widest + labelHeight - 7
	typeset.DrawRising(p.canvas, p.faces.Small, typeset.Ink, x, (top+bottom)/2, b.scale.label)
	below, above := p.measure(b.scale.below), p.measure(b.scale.above)
	if bottom-top > 2*max(below, above)+2*p.measure(b.scale.label) {
		typeset.DrawRising(p.canvas, p.faces.Small, typeset.Faint, x, bottom-below/2, b.scale.below)
		typeset.DrawRising(p.canvas, p.faces.Small, typeset.Faint, x, top+above/2, b.scale.above)
	}
}

func when(condition bool, yes, no color.RGBA) color.RGBA {
	if condition {
		return yes
	}
	return no
}
