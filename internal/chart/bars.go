package chart

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"occlude/internal/typeset"
)

// Bars is a chart.
type Bars struct {
	Title, Subtitle string // lines above the bars, or ""
	Caption         string // small print below them, or ""
	Axis            string // what is measured, with its unit
	Mark            string // what diamonds mark, "" where there are none
	Rows            []Bar  // from the top, at least one
}

// Bar is one thing that was measured. All numbers are finite and not negative, but
// for a Mark that is NaN where there is none.
type Bar struct {
	Name, Note       string // before the bar, and behind it
	Value, Low, High float64
	Mark             float64
	Strong           bool // the one to look at
}

// Distances in pixels.
const (
	margin      = 28
	titleHeight = 34 // of the title, and
	lineHeight  = 19 // of each line of small print
	rowHeight   = 42
	barHeight   = 22
	plotWidth   = 640
	nameGap     = 12 // from a name to the axis
	noteGap     = 12 // from a bar to its note
	axisHeight  = 48 // of the numbers below the bars, and what they are of
	diamond     = 6  // half of a mark's height
	capHeight   = 9  // of the ends of a line from the least to the greatest
	mostName    = 340
	mostRows    = 500
	mostLines   = 4
)

var (
	strong = color.RGBA{0x2b, 0x6c, 0xb0, 0xff}
	usual  = color.RGBA{0x9d, 0xbd, 0xdd, 0xff}
	rule   = color.RGBA{0xe6, 0xe9, 0xed, 0xff}
	signal = color.RGBA{0xd9, 0x77, 0x06, 0xff} // of marks
)

// check reports what cannot be drawn.
func (b *Bars) check() error {
	if len(b.Rows) == 0 || len(b.Rows) > mostRows {
		return fmt.Errorf("a chart has 1 to %d bars, not %d", mostRows, len(b.Rows))
	}
	for _, r := range b.Rows {
		for _, v := range []float64{r.Value, r.Low, r.High} {
			if !(v >= 0 && v <= math.MaxFloat32) {
				return fmt.Errorf("%s: %v has no length", r.Name, v)
			}
		}
		if r.Mark < 0 || r.Mark > math.MaxFloat32 {
			return fmt.Errorf("%s: %v has no place", r.Name, r.Mark)
		}
	}
	return nil
}

// EncodePNG draws the chart and writes it to w.
func (b *Bars) EncodePNG(w io.Writer) error {
	picture, err := b.Render()
	if err != nil {
		return err
	}
	return encode(w, picture)
}

// Render draws the chart. It fails if there are no bars, far too many, or some that
// have no length.
func (b *Bars) Render() (*image.RGBA, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	faces, err := typeset.NewFaces()
	if err != nil {
		return nil, err
	}
	p := barsPainter{Bars: b, faces: faces}
	p.lay()
	p.canvas = image.NewRGBA(image.Rectangle{Max: p.size})
	typeset.Fill(p.canvas, p.canvas.Rect, typeset.Paper)
	p.paint()
	return p.canvas, nil
}

// barsPainter draws one chart.
type barsPainter struct {
	*Bars
	faces   *typeset.Faces
	canvas  *image.RGBA
	size    image.Point
	plot    image.Rectangle
	caption []string
	most    float64 // at the right end of the plot
	names   int     // the room that names take
}

func (r *Bar) most() float64 {
	m := max(r.Value, r.High)
	if r.Mark > m { // and not NaN
		m = r.Mark
	}
	return m
}

// lay decides where everything goes. The axis is so long that each note fits behind
// its bar.
func (p *barsPainter) lay() {
	small := func(s string) int { return typeset.Width(p.faces.Small, s) }
	for _, r := range p.Rows {
		p.names = max(p.names, min(mostName, typeset.Width(p.faces.Body, typeset.Plain(r.Name))))
		room := plotWidth - noteGap - diamond - typeset.Width(p.faces.Body, typeset.Plain(r.Note))
		p.most = max(p.most, r.most()*plotWidth/float64(max(room, plotWidth/4)))
	}
	if p.most == 0 {
		p.most = 1
	}
	top := headHeight(p.Title, p.Subtitle)
	left := margin + p.names + nameGap
	p.plot = image.Rect(left, top, left+plotWidth, top+rowHeight*len(p.Rows))
	p.size = image.Pt(p.plot.Max.X+margin, p.plot.Max.Y+axisHeight+lineHeight+margin)
	if p.Caption != "" {
		p.caption = typeset.Wrap(typeset.Plain(p.Caption), p.size.X-2*margin, mostLines, small)
		p.size.Y += 6 + lineHeight*len(p.caption)
	}
}

// x is where a number stands.
func (p *barsPainter) x(v float64) int {
	return p.plot.Min.X + int(math.Round(v/p.most*float64(p.plot.Dx())))
}

func (p *barsPainter) paint() {
	head(p.canvas, p.faces, p.Title, p.Subtitle)
	p.axis()
	for i := range p.Rows {
		p.row(&p.Rows[i], p.plot.Min.Y+i*rowHeight+rowHeight/2)
	}
	p.legend(p.plot.Max.Y + axisHeight + 13)
	for i, line := range p.caption {
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, margin, p.plot.Max.Y+axisHeight+13+6+(i+1)*lineHeight, line)
	}
}

// axis draws the numbers and a rule up from each.
func (p *barsPainter) axis() {
	list, unit := typeset.Ticks(0, p.most, 8)
	for _, t := range list {
		x := p.x(t.Value)
		typeset.Fill(p.canvas, image.Rect(x, p.plot.Min.Y, x+1, p.plot.Max.Y+4), rule)
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, x-typeset.Width(p.faces.Small, t.Label)/2, p.plot.Max.Y+18, t.Label)
	}
	typeset.Fill(p.canvas, image.Rect(p.plot.Min.X, p.plot.Min.Y, p.plot.Min.X+1, p.plot.Max.Y), typeset.Hairline)
	label := typeset.Plain(p.Axis)
	if unit != "" {
		label += ", " + unit
	}
	x := p.plot.Min.X + (p.plot.Dx()-typeset.Width(p.faces.Small, label))/2
	typeset.Draw(p.canvas, p.faces.Small, typeset.Ink, x, p.plot.Max.Y+37, label)
}

// row draws a bar about the height y.
func (p *barsPainter) row(r *Bar, y int) {
	measure := func(s string) int { return typeset.Width(p.faces.Body, s) }
	name := typeset.Shorten(typeset.Plain(r.Name), p.names, measure)
	typeset.Draw(p.canvas, p.faces.Body, typeset.Ink, p.plot.Min.X-nameGap-measure(name), y+5, name)
	colour := usual
	if r.Strong {
		colour = strong
	}
	typeset.Fill(p.canvas, image.Rect(p.plot.Min.X+1, y-barHeight/2, max(p.x(r.Value), p.plot.Min.X+2), y+barHeight/2), colour)
	p.span(p.x(r.Low), p.x(r.High), y)
	if !math.IsNaN(r.Mark) {
		p.mark(p.x(r.Mark), y)
	}
	typeset.Draw(p.canvas, p.faces.Body, typeset.Ink, p.x(r.most())+diamond+noteGap, y+5, typeset.Plain(r.Note))
}

// span draws a line from the least to the greatest, with a halo of paper so that it
// shows on any bar.
func (p *barsPainter) span(low, high, y int) {
	half := capHeight / 2
	lines := []image.Rectangle{
		image.Rect(low, y-half, low+1, y+half+1), image.Rect(high, y-half, high+1, y+half+1), image.Rect(low, y, high+1, y+1),
	}
	for _, l := range lines {
		typeset.Fill(p.canvas, l.Inset(-1), typeset.Paper)
	}
	for _, l := range lines {
		typeset.Fill(p.canvas, l, typeset.Ink)
	}
}

// mark draws a diamond.
func (p *barsPainter) mark(x, y int) {
	for _, layer := range []struct {
		half   int
		colour color.RGBA
	}{{diamond + 1, typeset.Paper}, {diamond, signal}} {
		for dy := -layer.half; dy <= layer.half; dy++ {
			w := layer.half - max(dy, -dy)
			typeset.Fill(p.canvas, image.Rect(x-w, y+dy, x+w+1, y+dy+1), layer.colour)
		}
	}
}

// legend explains the lines and the diamonds.
func (p *barsPainter) legend(baseline int) {
	x, y := margin, baseline-4
	entry := func(width int, draw func(x int), text string) {
		draw(x)
		x += width + 6
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, x, baseline, text)
		x += typeset.Width(p.faces.Small, text) + 24
	}
	entry(22, func(x int) { typeset.Fill(p.canvas, image.Rect(x, y-5, x+22, y+6), usual) }, "median")
	entry(22, func(x int) { p.span(x, x+21, y) }, "least to greatest")
	if p.Mark != "" {
		entry(2*diamond+1, func(x int) { p.mark(x+diamond, y) }, typeset.Plain(p.Mark))
	}
}
