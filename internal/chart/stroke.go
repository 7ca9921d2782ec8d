package chart

import (
	"image"
	"image/color"
	"math"

	"golang.org/x/image/vector"
)

// point is a place on the page, in pixels.
type point struct{ x, y float32 }

// polygon paints the inside of a polygon, with smooth edges.
func polygon(dst *image.RGBA, c color.RGBA, corners []point) {
	p := newPen(dst, 0, corners)
	p.outline(corners)
	p.paint(dst, c)
}

// stroke draws lines of a width through points, with round corners and ends.
func stroke(dst *image.RGBA, c color.RGBA, width float32, lines ...[]point) {
	pen := newPen(dst, width, lines...)
	half := width / 2
	for _, line := range lines {
		for i, p := range line {
			pen.disc(p, half)
			if i == 0 {
				continue
			}
			q := line[i-1]
			length := float32(math.Hypot(float64(p.x-q.x), float64(p.y-q.y)))
			if length == 0 {
				continue
			}
			// Turned the same way round whatever their direction, so that pieces that
			// overlap add up and do not cancel.
			nx, ny := -(p.y-q.y)/length*half, (p.x-q.x)/length*half
			pen.outline([]point{{q.x + nx, q.y + ny}, {p.x + nx, p.y + ny}, {p.x - nx, p.y - ny}, {q.x - nx, q.y - ny}})
		}
	}
	pen.paint(dst, c)
}

// pen collects polygons that are painted together.
type pen struct {
	*vector.Rasterizer
	at image.Rectangle // of the page
}

// newPen makes a pen for what lies around some points.
func newPen(dst *image.RGBA, around float32, lines ...[]point) pen {
	var at image.Rectangle
	reach := int(around) + 2
	for _, line := range lines {
		for _, p := range line {
			x, y := int(p.x), int(p.y)
			at = at.Union(image.Rect(x-reach, y-reach, x+reach, y+reach))
		}
	}
	at = at.Intersect(dst.Rect)
	return pen{vector.NewRasterizer(at.Dx(), at.Dy()), at}
}

// disc adds a disc, turned as the pieces of a stroke are.
func (p pen) disc(centre point, radius float32) {
	const corners = 12
	ring := make([]point, corners)
	for i := range ring {
		sin, cos := math.Sincos(-2 * math.Pi * float64(i) / corners)
		ring[i] = point{centre.x + radius*float32(cos), centre.y + radius*float32(sin)}
	}
	p.outline(ring)
}

// outline adds a closed polygon.
func (p pen) outline(corners []point) {
	for i, c := range corners {
		x, y := c.x-float32(p.at.Min.X), c.y-float32(p.at.Min.Y)
		if i == 0 {
			p.MoveTo(x, y)
			continue
		}
		p.LineTo(x, y)
	}
	p.ClosePath()
}

// paint draws what was added; c is not premultiplied.
func (p pen) paint(dst *image.RGBA, c color.RGBA) {
	p.Draw(dst, p.at, image.NewUniform(color.NRGBA(c)), image.Point{})
}

// dashes cuts a line into pieces, on pixels long and off apart.
func dashes(line []point, on, off float64) [][]point {
	var pieces [][]point
	var piece []point
	left, drawing := on, true // of the piece or the gap
	for i, p := range line {
		if i == 0 {
			piece = []point{p}
			continue
		}
		q := line[i-1]
		length := math.Hypot(float64(p.x-q.x), float64(p.y-q.y))
		for at := 0.0; length > 0; {
			if length-at < left {
				left -= length - at
				if drawing {
					piece = append(piece, p)
				}
				break
			}
			at += left
			t := float32(at / length)
			cut := point{q.x + t*(p.x-q.x), q.y + t*(p.y-q.y)}
			if drawing {
				pieces, piece, left = append(pieces, append(piece, cut)), nil, off
			} else {
				piece, left = []point{cut}, on
			}
			drawing = !drawing
		}
	}
	if len(piece) > 1 {
		pieces = append(pieces, piece)
	}
	return pieces
}
