package main

import (
	"fmt"
	"image/color"
	"math"
	"os"
	"strconv"
	"strings"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// look is how a family is drawn. The colours are Okabe and Ito's, which the
// colour-blind can tell apart; no two families share a mark either.
type look struct {
	family, label string
	colour        color.RGBA
	mark          draw.GlyphDrawer
}

var looks = []look{
	{"tau", "thresholding, by tau", rgb(0x56b4e9), draw.TriangleGlyph{}},
	{"drill-down", "drill-down, by share", rgb(0xe69f00), draw.SquareGlyph{}},
	{"tau and drill-down", "drill-down at tau .6, by share", rgb(0xcc79a7), draw.PlusGlyph{}},
	{"WITHIN", "WITHIN, by part of the exact time", rgb(0x009e73), draw.RingGlyph{}},
	{"SSIM", "SSIM \u2265 q, by q", rgb(0xd55e00), draw.CircleGlyph{}},
	{"incremental", "exact, incremental", rgb(0x000000), draw.BoxGlyph{}},
	{"full", "exact, full inference", rgb(0x777777), draw.CrossGlyph{}},
}

func rgb(c uint32) color.RGBA { return color.RGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 255} }

func lookOf(family string) look {
	for _, l := range looks {
		if l.family == family {
			return l
		}
	}
	return look{}
}

var (
	ink   = rgb(0x333333)
	faint = rgb(0xdddddd)
)

// Sizes in points, at 144 dots an inch.
const (
	pageWidth, pageHeight = 12 * vg.Inch, 5.6 * vg.Inch
	dpi                   = 144
	margin                = 14
	headline              = 46
	key                   = 58
)

// save draws the chart into a file.
func (c *chart) save(path string) error {
	canvas := vgimg.NewWith(vgimg.UseWH(pageWidth, pageHeight), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	page := draw.New(canvas)
	left, right := c.panel("SSIM", func(p point) float64 { return p.ssim }), c.panel("Pearson correlation", func(p point) float64 { return p.pearson })
	middle := page.Size().X / 2
	left.Draw(draw.Crop(page, margin, -middle-margin/2, key, -headline))
	right.Draw(draw.Crop(page, middle+margin/2, -margin, key, -headline))
	c.headline(draw.Crop(page, margin, -margin, page.Size().Y-headline, -8))
	c.legend(draw.Crop(page, margin, -margin, 8, key-page.Size().Y))
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := (vgimg.PngCanvas{Canvas: canvas}).WriteTo(file); err != nil {
		return err
	}
	return file.Close()
}

func style(size font.Length, c color.Color) text.Style {
	return text.Style{
		Color: c, Font: font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: text.Plain{Fonts: font.DefaultCache},
	}
}

func (c *chart) headline(at draw.Canvas) {
	bold := style(15, ink)
	bold.Font.Weight = xfont.WeightBold
	at.FillText(bold, vg.Point{X: at.Min.X, Y: at.Max.Y - 15}, c.network)
	at.FillText(style(10, rgb(0x666666)), vg.Point{X: at.Min.X, Y: at.Max.Y - 30},
		fmt.Sprintf("quality of heat maps against the time they take; images: %d, their mean; small numbers: a family's first and last setting", c.images))
}

// panel draws one figure of quality against seconds.
func (c *chart) panel(name string, figure func(point) float64) *plot.Plot {
	p := plot.New()
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, decades{}
	p.X.Label.Text, p.Y.Label.Text = "seconds a map", name
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Label.TextStyle.Font, axis.Tick.Label.Font = style(11, ink).Font, style(10, ink).Font
		axis.Label.TextStyle.Color, axis.Tick.Label.Color = ink, ink
		axis.LineStyle.Color, axis.Tick.Color = ink, ink
		axis.LineStyle.Width, axis.Tick.LineStyle.Width = 0.6, 0.6
		axis.Tick.LineStyle.Color = ink
	}
	grid := plotter.NewGrid()
	grid.Vertical.Color, grid.Horizontal.Color = faint, faint
	p.Add(grid)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = math.Inf(1), 0, 1, best
	at := func(seconds, quality float64) plotter.XY {
		quality = min(quality, best)
		p.X.Min, p.X.Max, p.Y.Min = min(p.X.Min, seconds), max(p.X.Max, seconds), min(p.Y.Min, quality)
		return plotter.XY{X: seconds, Y: quality}
	}
	for _, s := range c.series {
		l := lookOf(s.family)
		var line plotter.XYs
		for _, q := range s.points {
			line = append(line, at(q.seconds, figure(q)))
		}
		p.Add(&plotter.Line{XYs: line, LineStyle: draw.LineStyle{Color: l.colour, Width: 1.6}},
			&plotter.Scatter{XYs: line, GlyphStyle: draw.GlyphStyle{Color: l.colour, Radius: 4, Shape: l.mark}})
		if len(line) > 1 {
			p.Add(ends(s, line, l.colour))
		}
	}
	if c.naive > 0 {
		p.Add(&plotter.Scatter{XYs: plotter.XYs{at(c.naive, 1)}, GlyphStyle: peerStyle})
	}
	level := figure(c.constant)
	if len(c.constant.all) > 0 {
		p.Y.Min = min(p.Y.Min, level)
	}
	p.X.Min, p.X.Max = p.X.Min/1.4, p.X.Max*1.4
	p.Y.Min = 1 - 1.15*(1-p.Y.Min) // some room below
	p.Y.Scale, p.Y.Tick.Marker = nines{}, nines{}
	if len(c.constant.all) > 0 {
		p.Add(&plotter.Line{XYs: plotter.XYs{{X: p.X.Min, Y: level}, {X: p.X.Max, Y: level}}, LineStyle: constantStyle})
	}
	return p
}

// ends writes the first and the last setting of a family beside their points.
func ends(s *series, line plotter.XYs, c color.Color) *plotter.Labels {
	l := &plotter.Labels{Offset: vg.Point{X: 5, Y: -10}}
	for _, i := range []int{0, len(line) - 1} {
		l.XYs = append(l.XYs, line[i])
		l.Labels = append(l.Labels, strings.TrimPrefix(strconv.FormatFloat(s.points[i].setting, 'g', -1, 64), "0"))
		l.TextStyle = append(l.TextStyle, style(8, c))
	}
	return l
}

var constantStyle = draw.LineStyle{Color: rgb(0x999999), Width: 1, Dashes: []vg.Length{4, 3}}

var peerStyle = draw.GlyphStyle{Color: rgb(0x777777), Radius: 5, Shape: draw.PyramidGlyph{}}

// legend is one line of marks and names below the panels, broken where needed.
func (c *chart) legend(at draw.Canvas) {
	words := style(10, ink)
	x, y := at.Min.X, at.Max.Y-16
	entry := func(name string, mark func(x, y vg.Length)) {
		w := words.Width(name)
		if x+22+w > at.Max.X {
			x, y = at.Min.X, y-18
		}
		mark(x+8, y+3.5)
		at.FillText(words, vg.Point{X: x + 22, Y: y}, name)
		x += 22 + w + 18
	}
	glyph := func(s draw.GlyphStyle) func(x, y vg.Length) {
		return func(x, y vg.Length) { at.DrawGlyph(s, vg.Point{X: x, Y: y}) }
	}
	for _, s := range c.series {
		l := lookOf(s.family)
		entry(l.label, func(x, y vg.Length) {
			if len(s.points) > 1 {
				at.StrokeLine2(draw.LineStyle{Color: l.colour, Width: 1.6}, x-9, y, x+9, y)
			}
			at.DrawGlyph(draw.GlyphStyle{Color: l.colour, Radius: 4, Shape: l.mark}, vg.Point{X: x, Y: y})
		})
	}
	if c.naive > 0 {
		entry("ONNX Runtime, every image whole", glyph(peerStyle))
	}
	if len(c.constant.all) > 0 {
		entry("a constant map", func(x, y vg.Length) {
			at.StrokeLine2(constantStyle, x-9, y, x+9, y)
		})
	}
}

// decades marks 1, 2 and 5 in every decade.
type decades struct{}

func (decades) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for decade := math.Pow(10, math.Floor(math.Log10(lo))); decade <= hi; decade *= 10 {
		for _, m := range []float64{1, 2, 5} {
			if v := m * decade; v >= lo && v <= hi {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	return ticks
}

// best is as good as a figure is drawn; the exact map's 1 would be infinitely high.
const best = 0.9999

// nines is the scale of a figure of quality: every step up halves what is left to
// 1, so that .9, .99 and .999 lie as far apart as they are hard to reach.
type nines struct{}

func height(v float64) float64 { return -math.Log2(max(1-v, 1-best)) }

// Normalize says where between the ends of an axis a value lies.
func (nines) Normalize(lo, hi, v float64) float64 {
	return (height(v) - height(lo)) / (height(hi) - height(lo))
}

// Ticks marks what people ask for.
func (nines) Ticks(lo, hi float64) (ticks []plot.Tick) {
	for _, v := range []float64{-0.5, 0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999} {
		if v >= lo && v <= hi {
			ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', -1, 64)})
		}
	}
	return append(ticks, plot.Tick{Value: best, Label: "exact"})
}
