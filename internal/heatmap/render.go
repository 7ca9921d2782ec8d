package heatmap

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"
	"math"
)

// Render draws f. The same figure gives the same pixels every time. It fails
// when a map's slices do not fit its grid or lie outside the image, when the
// image is no (H, W), (H, W, 1) or (H, W, 3) float32, when the colour map is
// unknown, and when there are too many panels for a picture.
func Render(f Figure) (image.Image, error) {
	return render(&f)
}

// EncodePNG draws f as Render does and writes it to w as a PNG.
func EncodePNG(w io.Writer, f Figure) error {
	picture, err := render(&f)
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

func render(f *Figure) (*image.RGBA, error) {
	colours, err := findColormap(f.Colormap)
	if err != nil {
		return nil, err
	}
	photo, err := newPhoto(f.Image)
	if err != nil {
		return nil, err
	}
	if len(f.Maps) == 0 {
		return nil, errors.New("a figure without heat maps has nothing to show")
	}
	for i := range f.Maps {
		m := &f.Maps[i]
		if err := m.checkWithin(photo.width, photo.height); err != nil {
			return nil, fmt.Errorf("heat map of class %q: %w", m.Class, err)
		}
	}
	faces, err := newTypefaces()
	if err != nil {
		return nil, err
	}
	p := painter{faces: faces, colours: colours, figure: f, photo: photo}
	return p.paint()
}

// checkWithin is check for a map over an image of the given size.
func (m *Map) checkWithin(width, height int) error {
	if err := m.check(); err != nil {
		return err
	}
	if x := m.X[m.Cols-1]; x >= width {
		return fmt.Errorf("a position lies at x %d, outside an image %d pixels wide", x, width)
	}
	if y := m.Y[m.Rows-1]; y >= height {
		return fmt.Errorf("a position lies at y %d, outside an image %d pixels high", y, height)
	}
	return nil
}

// The colours of the page.
var (
	paper    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	ink      = color.RGBA{0x1f, 0x23, 0x28, 0xff}
	faint    = color.RGBA{0x65, 0x6d, 0x76, 0xff}
	hairline = color.RGBA{0xaf, 0xb8, 0xc1, 0xff}
)

// painter draws one figure.
type painter struct {
	figure  *Figure
	photo   *photo
	colours colormap
	faces   *typefaces
	canvas  *image.RGBA
}

// bar is a colour bar's meaning and its numbers.
type bar struct {
	scale scale
	ticks []tick
	unit  string
}

func (p *painter) paint() (*image.RGBA, error) {
	c, bars, title := p.content()

	// The caption's lines depend on the width, which does not depend on them.
	l, ok := place(c)
	var caption []string
	if ok {
		caption = wrap(p.caption(), l.size.X-l.left-margin, captionLines, p.measure)
		c.caption = len(caption)
		l, ok = place(c)
	}
	if !ok {
		return nil, fmt.Errorf("%d panels of %dx%d pixels are too many for one picture", c.panels, c.picture.X, c.picture.Y)
	}

	p.canvas = image.NewRGBA(image.Rectangle{Max: l.size})
	fill(p.canvas, p.canvas.Rect, paper)
	if title != "" {
		room := l.size.X - l.left - margin
		title = shorten(title, room, func(s string) int { return textWidth(p.faces.title, s) })
		drawText(p.canvas, p.faces.title, ink, l.left, l.title, title)
	}
	maps, panels := p.figure.Maps, l.panels
	if c.original {
		p.original(panels[0])
		panels = panels[1:]
	}
	pixels := p.photo.enlarge(c.picture, p.colours.muted)
	for i := range maps {
		p.panel(&maps[i], &bars[i], panels[i], pixels)
	}
	for i, line := range caption {
		drawText(p.canvas, p.faces.small, faint, l.left, l.caption+i*lineHeight, line)
	}
	return p.canvas, nil
}

// content measures everything but the caption.
func (p *painter) content() (c content, bars []bar, title string) {
	title = plain(p.figure.Title)
	c = content{panels: len(p.figure.Maps), original: p.figure.Original, titled: title != ""}
	if c.original {
		c.panels++
	}
	c.picture = pictureSize(p.photo.width, p.photo.height, c.panels)
	bars, c.tickWidth = p.bars(max(c.picture.Y, minPanelHeight))
	return c, bars, title
}

func (p *painter) measure(s string) int { return textWidth(p.faces.small, s) }

// caption is the figure's, with a word on the outlines where there are some.
func (p *painter) caption() string {
	text := plain(p.figure.Caption)
	for i := range p.figure.Maps {
		if p.figure.Maps[i].partial() {
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
	for i := range p.figure.Maps {
		b := bar{scale: p.colours.scale(&p.figure.Maps[i])}
		b.ticks, b.unit = ticks(b.scale.lo, b.scale.hi, min(max(2, height/40), 13))
		list = append(list, b)
		tickWidth = max(tickWidth, widest(p.faces.small, b.ticks), textWidth(p.faces.small, b.unit)-barWidth)
	}
	return list, tickWidth
}

// original draws the image alone.
func (p *painter) original(l panelLayout) {
	p.heading(l, "image", fmt.Sprintf("%d × %d", p.photo.width, p.photo.height))
	frame(p.canvas, l.picture, hairline)
	pixels := p.photo.enlarge(l.picture.Size(), false)
	for y := range l.picture.Dy() {
		for x := range l.picture.Dx() {
			p.canvas.SetRGBA(l.picture.Min.X+x, l.picture.Min.Y+y, pixels.at(x, y).rgba())
		}
	}
	p.axes(l.picture)
}

// panel draws a map.
func (p *painter) panel(m *Map, b *bar, l panelLayout, pixels *labImage) {
	note := "p₀ = " + number(float64(m.P0))
	if m.evaluated() == 0 {
		note += ", not evaluated"
	}
	p.heading(l, m.Class, note)
	frame(p.canvas, l.picture, hairline)
	p.overlay(m, b, l.picture, pixels)
	p.axes(l.picture)
	p.colourBar(b, l.bar)
}

// heading writes a name at the left, and a note at the right, above a picture.
func (p *painter) heading(l panelLayout, name, note string) {
	baseline := l.picture.Min.Y - 11
	width := textWidth(p.faces.body, note)
	drawText(p.canvas, p.faces.body, faint, l.right-width, baseline, note)
	room := l.right - width - 12 - l.picture.Min.X
	name = shorten(plain(name), room, func(s string) int { return textWidth(p.faces.heading, s) })
	drawText(p.canvas, p.faces.heading, ink, l.picture.Min.X, baseline, name)
}

// overlay draws the image and the map over it. Where the map was evaluated only
// in part, a light line inside the region and a dark one around it show where it
// ends: the neutral colour of a diverging map is as transparent as no value.
func (p *painter) overlay(m *Map, b *bar, at image.Rectangle, pixels *labImage) {
	f := newField(m, &b.scale, float64(p.photo.width), float64(p.photo.height), at.Dx(), at.Dy())
	partial := m.partial()
	for y := range at.Dy() {
		for x := range at.Dx() {
			pixel := pixels.at(x, y)
			t, evaluated := f.at(x, y)
			c := pixel.rgba()
			if evaluated {
				c = p.colours.over(pixel, t)
			}
			if partial && f.border(x, y) {
				if evaluated {
					c = blendRGB(labOf(c), labOf(paper), 0.85)
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
	for _, t := range p.axisTicks(p.photo.width, at.Dx()) {
		x := at.Min.X + int(math.Round(t.value*float64(at.Dx())/float64(p.photo.width)))
		fill(p.canvas, image.Rect(x, at.Max.Y+1, x+1, at.Max.Y+1+tickLength), hairline)
		drawText(p.canvas, p.faces.small, faint, x-textWidth(p.faces.small, t.label)/2, at.Max.Y+tickLength+14, t.label)
	}
	for _, t := range p.axisTicks(p.photo.height, at.Dy()) {
		y := at.Min.Y + int(math.Round(t.value*float64(at.Dy())/float64(p.photo.height)))
		fill(p.canvas, image.Rect(at.Min.X-1-tickLength, y, at.Min.X-1, y+1), hairline)
		drawText(p.canvas, p.faces.small, faint, at.Min.X-1-tickLength-tickGap-textWidth(p.faces.small, t.label)+1, y+4, t.label)
	}
}

// axisTicks numbers an axis of n pixels that is length long.
func (p *painter) axisTicks(n, length int) []tick {
	list, unit := ticks(0, float64(n), min(n, max(1, length/110)))
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
		fill(p.canvas, image.Rect(row.Min.X-1, y, row.Max.X+1, y+1), hairline)
		fill(p.canvas, row, p.colours.at(t).rgba())
	}
	fill(p.canvas, image.Rect(at.Min.X-1, at.Min.Y-1, at.Max.X+1, at.Min.Y), when(b.scale.clippedHi, paper, hairline))
	fill(p.canvas, image.Rect(at.Min.X-1, at.Max.Y, at.Max.X+1, at.Max.Y+1), when(b.scale.clippedLo, paper, hairline))

	widest := 0
	for _, t := range b.ticks {
		y := bottom - 1 - int(math.Round(b.scale.t(t.value)*float64(bottom-1-top)))
		fill(p.canvas, image.Rect(at.Max.X+1, y, at.Max.X+1+tickLength, y+1), faint)
		width := textWidth(p.faces.small, t.label)
		widest = max(widest, width)
		drawText(p.canvas, p.faces.small, ink, at.Max.X+tickLength+tickGap, y+4, t.label)
	}
	if b.unit != "" {
		drawText(p.canvas, p.faces.small, ink, at.Min.X, at.Min.Y-11, b.unit)
	}
	x := at.Max.X + tickLength + tickGap + widest + labelHeight - 7
	drawRising(p.canvas, p.faces.small, ink, x, (top+bottom)/2, b.scale.label)
	below, above := p.measure(b.scale.below), p.measure(b.scale.above)
	if bottom-top > 2*max(below, above)+2*p.measure(b.scale.label) {
		drawRising(p.canvas, p.faces.small, faint, x, bottom-below/2, b.scale.below)
		drawRising(p.canvas, p.faces.small, faint, x, top+above/2, b.scale.above)
	}
}

func when(condition bool, yes, no color.RGBA) color.RGBA {
	if condition {
		return yes
	}
	return no
}

// fill paints a rectangle.
func fill(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// frame draws a line of one pixel around r, outside it.
func frame(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	o := r.Inset(-1)
	fill(dst, image.Rect(o.Min.X, o.Min.Y, o.Max.X, r.Min.Y), c)
	fill(dst, image.Rect(o.Min.X, r.Max.Y, o.Max.X, o.Max.Y), c)
	fill(dst, image.Rect(o.Min.X, r.Min.Y, r.Min.X, r.Max.Y), c)
	fill(dst, image.Rect(r.Max.X, r.Min.Y, o.Max.X, r.Max.Y), c)
}
