package notebook

import (
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
)

// logo draws a heat map with the patch on it: what front ends show for the kernel.
func logo(w io.Writer, size int) error {
	var (
		paper = color.NRGBA{0xd9, 0xdd, 0xe2, 0xff}
		warm  = color.NRGBA{0xc4, 0x2b, 0x1c, 0xff}
		patch = color.NRGBA{0x45, 0x4c, 0x54, 0xff}
	)
	const cells = 8 // a side
	m := image.NewNRGBA(image.Rect(0, 0, size, size))
	for y := range size {
		for x := range size {
			// The warmth of a cell falls with its distance from the hottest one.
			cx, cy := float64(x*cells/size), float64(y*cells/size)
			heat := math.Exp(-(math.Pow(cx-4.5, 2) + math.Pow(cy-3, 2)) / 6)
			c := blend(paper, warm, heat)
			if cx >= 1 && cx <= 3 && cy >= 4 && cy <= 6 {
				c = patch
			}
			if inCorner(x, y, size) {
				c.A = 0
			}
			m.SetNRGBA(x, y, c)
		}
	}
	return png.Encode(w, m)
}

func blend(a, b color.NRGBA, share float64) color.NRGBA {
	mix := func(x, y uint8) uint8 { return uint8(float64(x) + share*(float64(y)-float64(x)) + .5) }
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), 0xff}
}

// inCorner reports whether a pixel is cut off by the round corners.
func inCorner(x, y, size int) bool {
	r := float64(size) / 8
	off := func(v int) float64 {
		c := float64(v) + .5
		return max(r-c, c-(float64(size)-r), 0)
	}
	return math.Hypot(off(x), off(y)) > r
}
