package typeset

import (
	"image"
	"image/color"
	"image/draw"
)

// The colours of a page.
var (
	Paper    = color.RGBA{0xff, 0xff, 0xff, 0xff}
	Ink      = color.RGBA{0x1f, 0x23, 0x28, 0xff} // of names
	Faint    = color.RGBA{0x65, 0x6d, 0x76, 0xff} // of notes
	Hairline = color.RGBA{0xaf, 0xb8, 0xc1, 0xff} // of rules and frames
)

// Fill paints a rectangle.
func Fill(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	draw.Draw(dst, r, image.NewUniform(c), image.Point{}, draw.Src)
}

// Frame draws a line of one pixel around r, outside it.
func Frame(dst *image.RGBA, r image.Rectangle, c color.RGBA) {
	o := r.Inset(-1)
	Fill(dst, image.Rect(o.Min.X, o.Min.Y, o.Max.X, r.Min.Y), c)
	Fill(dst, image.Rect(o.Min.X, r.Max.Y, o.Max.X, o.Max.Y), c)
	Fill(dst, image.Rect(o.Min.X, r.Min.Y, r.Min.X, r.Max.Y), c)
	Fill(dst, image.Rect(r.Max.X, r.Min.Y, o.Max.X, r.Max.Y), c)
}
