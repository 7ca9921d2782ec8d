package chart

import (
	"fmt"
	"image"
	"image/color"
	"io"
	"math"

	"occlude/internal/typeset"
)

// Curves is a page of panels side by side, on the same scale.
type Curves struct {
	Title, Subtitle string // lines above the panels, or ""
	Caption         string // small print below them, or ""
	Axis            string // what the heights are
	Low, High       float64
	Panels          []Panel // at least one
}

// Panel is some lines over one axis, which goes from 0 to 1.
type Panel struct {
	Title, Note string // above it: what it shows, and what comes of it
	Axis        string // what its width is
	Lines       []Line // the later ones over the earlier
}

// Line goes through points whose X ascend from 0 to 1.
type Line struct {
	X, Y []float64
	Kind LineKind
}

// LineKind is how a line looks.
type LineKind int

// The kinds of lines.
const (
	Single    LineKind = iota // thin: one of many
	Reference                 // dashed: to compare with
	Main                      // thick, the area under it tinted
)

// Names say what each kind of line is, for the legend.
type Names map[LineKind]string

// Distances in pixels.
const (
	panelWidth  = 400
	panelHeight = 280
	panelHead   = 52 // above a panel: its title and note
	panelGap    = 40
	panelFoot   = 54 // below it: numbers and what they are
	heights     = 52 // left of a row of panels: numbers, and what they are
	mostPanels  = 24
)

var (
	tint    = color.RGBA{0x2b, 0x6c, 0xb0, 0x22}
	compare = color.RGBA{0x76, 0x7d, 0x86, 0xff} // of what is only there to compare with
)

// check reports what cannot be drawn.
func (c *Curves) check() error {
	if len(c.Panels) == 0 || len(c.Panels) > mostPanels {
		return fmt.Errorf("a page has 1 to %d panels, not %d", mostPanels, len(c.Panels))
	}
	if !(c.High > c.Low) || math.IsInf(c.High-c.Low, 0) {
		return fmt.Errorf("an axis from %v to %v", c.Low, c.High)
	}
	for _, p := range c.Panels {
		for _, l := range p.Lines {
			if len(l.X) != len(l.Y) || len(l.X) < 2 {
				return fmt.Errorf("%s: a line through %d and %d numbers", p.Title, len(l.X), len(l.Y))
			}
			for i := range l.X {
				if !(l.X[i] >= 0 && l.X[i] <= 1) || math.IsNaN(l.Y[i]) || math.IsInf(l.Y[i], 0) {
					return fmt.Errorf("%s: (%v, %v) has no place", p.Title, l.X[i], l.Y[i])
				}
			}
		}
	}
	return nil
}

// EncodePNG draws the page, with a legend of the names, and writes it to w.
func (c *Curves) EncodePNG(w io.Writer, names Names) error {
	picture, err := c.Render(names)
	if err != nil {
		return err
	}
	return encode(w, picture)
}

// Render draws the page. It fails if there is nothing on it, and if a point has no
// place.
func (c *Curves) Render(names Names) (*image.RGBA, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	faces, err := typeset.NewFaces()
	if err != nil {
		return nil, err
	}
	p := curvesPainter{Curves: c, faces: faces}
	p.lay()
	p.canvas = image.NewRGBA(image.Rectangle{Max: p.size})
	typeset.Fill(p.canvas, p.canvas.Rect, typeset.Paper)
	head(p.canvas, faces, c.Title, c.Subtitle)
	for i := range c.Panels {
		p.panel(&c.Panels[i], p.at[i], i%p.columns() == 0)
	}
	p.legend(names)
	for i, line := range p.caption {
		typeset.Draw(p.canvas, faces.Small, typeset.Faint, margin, p.foot+lineHeight*(i+1)+10, line)
	}
	return p.canvas, nil
}

// curvesPainter draws one page.
type curvesPainter struct {
	*Curves
	faces   *typeset.Faces
	canvas  *image.RGBA
	size    image.Point
	at      []image.Rectangle // the panels
	foot    int               // the legend's baseline
	caption []string
}

// columns is how many panels stand side by side.
func (c *Curves) columns() int {
	if n := len(c.Panels); n <= 3 {
		return n
	}
	return int(math.Ceil(math.Sqrt(float64(len(c.Panels)))))
}

// lay decides where everything goes.
func (p *curvesPainter) lay() {
	top := headHeight(p.Title, p.Subtitle)
	columns := p.columns()
	left := margin + heights
	for i := range p.Panels {
		corner := image.Pt(left+i%columns*(panelWidth+panelGap), top+panelHead+i/columns*(panelHead+panelHeight+panelFoot))
		p.at = append(p.at, image.Rectangle{corner, corner.Add(image.Pt(panelWidth, panelHeight))})
	}
	last := p.at[len(p.at)-1]
	p.foot = last.Max.Y + panelFoot + 10
	p.size = image.Pt(left+columns*(panelWidth+panelGap)-panelGap+margin, p.foot+margin)
	if p.Caption != "" {
		small := func(s string) int { return typeset.Width(p.faces.Small, s) }
		p.caption = typeset.Wrap(typeset.Plain(p.Caption), p.size.X-2*margin, mostLines, small)
		p.size.Y += 10 + lineHeight*len(p.caption)
	}
}

// place is where a point stands in a panel.
func (p *curvesPainter) place(at image.Rectangle, x, y float64) (float32, float32) {
	t := max(0, min(1, (y-p.Low)/(p.High-p.Low)))
	return float32(at.Min.X) + float32(x)*panelWidth, float32(at.Max.Y) - float32(t)*panelHeight
}

// panel draws one panel; the first of a row says what the heights are.
func (p *curvesPainter) panel(panel *Panel, at image.Rectangle, first bool) {
	text := func(s string) int { return typeset.Width(p.faces.Heading, s) }
	title := typeset.Shorten(typeset.Plain(panel.Title), panelWidth, text)
	typeset.Draw(p.canvas, p.faces.Heading, typeset.Ink, at.Min.X, at.Min.Y-32, title)
	note := typeset.Shorten(typeset.Plain(panel.Note), panelWidth, func(s string) int { return typeset.Width(p.faces.Body, s) })
	typeset.Draw(p.canvas, p.faces.Body, typeset.Faint, at.Min.X, at.Min.Y-12, note)

	small := p.faces.Small
	marks, unit := typeset.Ticks(p.Low, p.High, 5)
	for _, t := range marks {
		_, y := p.place(at, 0, t.Value)
		typeset.Fill(p.canvas, image.Rect(at.Min.X, int(y), at.Max.X, int(y)+1), rule)
		typeset.Draw(p.canvas, small, typeset.Faint, at.Min.X-8-typeset.Width(small, t.Label), int(y)+4, t.Label)
	}
	if first {
		axis := typeset.Plain(p.Axis)
		if unit != "" {
			axis += ", " + unit
		}
		typeset.DrawRising(p.canvas, small, typeset.Ink, margin+7, at.Min.Y+panelHeight/2, axis)
	}
	marks, _ = typeset.Ticks(0, 1, 5)
	for _, t := range marks {
		x := at.Min.X + int(math.Round(t.Value*panelWidth))
		typeset.Fill(p.canvas, image.Rect(x, at.Max.Y, x+1, at.Max.Y+5), typeset.Hairline)
		typeset.Draw(p.canvas, small, typeset.Faint, x-typeset.Width(small, t.Label)/2, at.Max.Y+19, t.Label)
	}
	typeset.Fill(p.canvas, image.Rect(at.Min.X, at.Max.Y, at.Max.X+1, at.Max.Y+1), typeset.Hairline)
	axis := typeset.Plain(panel.Axis)
	typeset.Draw(p.canvas, small, typeset.Ink, at.Min.X+(panelWidth-typeset.Width(small, axis))/2, at.Max.Y+38, axis)
	for _, l := range panel.Lines {
		p.line(l, at)
	}
}

// line draws a line of a panel.
func (p *curvesPainter) line(l Line, at image.Rectangle) {
	points := make([]point, len(l.X))
	for i := range points {
		points[i].x, points[i].y = p.place(at, l.X[i], l.Y[i])
	}
	switch l.Kind {
	case Single:
		stroke(p.canvas, usual, 1, points)
	case Reference:
		stroke(p.canvas, compare, 1.5, dashes(points, 6, 4)...)
	case Main:
		floor := float32(at.Max.Y)
		area := append([]point{{points[0].x, floor}}, points...)
		polygon(p.canvas, tint, append(area, point{points[len(points)-1].x, floor}))
		stroke(p.canvas, strong, 2.2, points)
	}
}

// legend draws a sample of each kind of line that there is.
func (p *curvesPainter) legend(names Names) {
	there := map[LineKind]bool{}
	for _, panel := range p.Panels {
		for _, l := range panel.Lines {
			there[l.Kind] = true
		}
	}
	x := margin + heights
	for _, kind := range []LineKind{Single, Main, Reference} {
		if !there[kind] || names[kind] == "" {
			continue
		}
		sample := []point{{float32(x), float32(p.foot - 4)}, {float32(x + 28), float32(p.foot - 4)}}
		switch kind {
		case Single:
			stroke(p.canvas, usual, 1, sample)
		case Reference:
			stroke(p.canvas, compare, 1.5, dashes(sample, 6, 4)...)
		case Main:
			stroke(p.canvas, strong, 2.2, sample)
		}
		name := typeset.Plain(names[kind])
		typeset.Draw(p.canvas, p.faces.Small, typeset.Faint, x+36, p.foot, name)
		x += 36 + typeset.Width(p.faces.Small, name) + 28
	}
}
