package heatmap

import (
	"image"
	"math"

	"golang.org/x/image/font"

	"occlude/internal/typeset"
)

// Distances in pixels.
const (
	margin      = 28
	axisGutter  = 34 // left of an image, for the numbers of its y axis
	axisHeight  = 24 // below an image, for those of its x axis
	headHeight  = 30 // above an image: its class and p0
	barGap      = 14 // from an image to its colour bar
	barWidth    = 16
	tickLength  = 4
	tickGap     = 5  // from a tick to its label
	labelHeight = 24 // of the rising label right of the bar's numbers
	panelGap    = 30 // between panels, both ways
	titleHeight = 42
	lineHeight  = 19 // of the caption

	minPanelWidth  = 300 // of the space over an image and its bar, so that short headings fit
	minPanelHeight = 120 // of a colour bar
	captionLines   = 3
)

// maxPixels bounds a picture, at four bytes a pixel.
const maxPixels = 1 << 27

// figureLayout is where everything goes.
type figureLayout struct {
	size    image.Point
	left    int // of the title and the caption
	title   int // baseline
	caption int // baseline of the first line
	panels  []panelLayout
}

// panelLayout is where a panel's parts go.
type panelLayout struct {
	picture image.Rectangle
	bar     image.Rectangle
	right   int // end of the space for the heading
}

// pictureSize is the size at which an image is drawn: a longer side of about 640
// pixels for one panel, 480 for a few and less for many, by a whole factor when
// one comes close and a multiple of a quarter when not. Detail is kept: an image
// is not shrunk until it is well beyond that.
func pictureSize(width, height, panels int) image.Point {
	target := 640.0
	switch {
	case panels > 16:
		target = 240
	case panels > 1:
		target = 480
	}
	longer := float64(max(width, height))
	factor := target / longer
	switch whole, quarter := math.Round(factor), math.Round(factor*4)/4; {
	case factor < 1:
		factor = min(1, 1.75*target/longer)
	case math.Abs(whole*longer-target) <= target/8:
		factor = whole
	default:
		factor = max(quarter, 1)
	}
	return image.Pt(max(1, int(math.Round(float64(width)*factor))), max(1, int(math.Round(float64(height)*factor))))
}

// panelColumns is how many panels stand side by side.
func panelColumns(panels int) int {
	if panels <= 3 {
		return panels
	}
	return int(math.Ceil(math.Sqrt(float64(panels))))
}

// content is what decides how large a figure is.
type content struct {
	panels    int
	columns   int  // of panels, 0 for as many as look well
	original  bool // the first panel has no colour bar
	picture   image.Point
	tickWidth int // of the widest number beside a colour bar
	titled    bool
	caption   int // lines
}

// place arranges a figure. ok is false when it would be too large.
func place(c content) (l figureLayout, ok bool) {
	cols := c.columns
	if cols == 0 {
		cols = panelColumns(c.panels)
	}
	rows := (c.panels + cols - 1) / cols
	picture := c.picture
	barSpace := barGap + barWidth + tickLength + tickGap + c.tickWidth + labelHeight
	inner := max(picture.X+barSpace, minPanelWidth)
	panelSize := image.Pt(axisGutter+inner, headHeight+max(picture.Y, minPanelHeight)+axisHeight)

	l.left = margin + axisGutter
	top := margin
	if c.titled {
		l.title = margin + 19
		top += titleHeight
	}
	// The axis's gutter is light enough to count towards the margin and the gaps.
	left := margin
	saved := 0 // by a first panel without a bar, when no panel below it needs the space
	if c.original && rows == 1 {
		saved = inner - max(picture.X, minPanelWidth/2)
	}
	width := left + cols*panelSize.X + (cols-1)*panelGap + margin - saved
	bottom := top + rows*panelSize.Y + (rows-1)*panelGap
	l.caption = bottom + lineHeight
	height := bottom + margin
	if c.caption > 0 {
		height = l.caption + (c.caption-1)*lineHeight + margin
	}
	if float64(width)*float64(height) > maxPixels {
		return l, false
	}
	l.size = image.Pt(width, height)
	for i := range c.panels {
		corner := image.Pt(left+i%cols*(panelSize.X+panelGap)+axisGutter, top+i/cols*(panelSize.Y+panelGap)+headHeight)
		if i > 0 {
			corner.X -= saved
		}
		p := panelLayout{picture: image.Rectangle{corner, corner.Add(picture)}}
		x := p.picture.Max.X + barGap
		p.bar = image.Rect(x, corner.Y, x+barWidth, corner.Y+max(picture.Y, minPanelHeight))
		p.right = corner.X + max(picture.X, inner-barSpace)
		if c.original && i == 0 {
			p.right = corner.X + max(picture.X, inner-saved-barSpace)
		}
		l.panels = append(l.panels, p)
	}
	return l, true
}

// widest is the room that the widest of some labels takes.
func widest(face font.Face, list []typeset.Tick) int {
	width := 0
	for _, t := range list {
		width = max(width, typeset.Width(face, t.Label))
	}
	return width
}
