package imageio

import (
	"encoding/binary"
	"image"
	"image/color"
)

// rgb is a pixel in 0..255.
type rgb [3]float32

// flatten lays a decoded picture over a background. Pixels of the screen that
// the picture does not reach show the background.
func flatten(picture image.Image, screen image.Rectangle, background uint8, video bool) source {
	channels, depth, line := rows(picture, background, video)
	visible := picture.Bounds().Intersect(screen)
	if visible == screen {
		return source{screen.Dx(), screen.Dy(), channels, depth, func(y int, to []float32) { line(0, y, to) }}
	}
	return source{screen.Dx(), screen.Dy(), channels, depth, func(y int, to []float32) {
		for i := range to {
			to[i] = float32(background)
		}
		if y >= visible.Min.Y && y < visible.Max.Y {
			line(visible.Min.X, y, to[visible.Min.X*channels:visible.Max.X*channels])
		}
	}}
}

// liner writes the pixels of row y from x on.
type liner func(x, y int, to []float32)

// rows tells how many channels a picture has, how deep they are, and how to get at its
// rows. Large pictures are of few kinds, for which rows are much quicker than one
// pixel after the other.
func rows(picture image.Image, background uint8, video bool) (channels, depth int, line liner) {
	switch p := picture.(type) {
	case *image.Gray:
		return 1, 8, func(x, y int, to []float32) {
			for i, v := range p.Pix[p.PixOffset(x, y):][:len(to)] {
				to[i] = float32(v)
			}
		}
	case *image.Gray16:
		return 1, 16, func(x, y int, to []float32) {
			from := p.Pix[p.PixOffset(x, y):][:2*len(to)]
			for i := range to {
				to[i] = float32(binary.BigEndian.Uint16(from[2*i:])) / 257
			}
		}
	case *image.RGBA:
		return 3, 8, bytewise(p.Pix, p.PixOffset, func(r, g, b, a uint8) rgb { return premultiplied8(color.RGBA{r, g, b, a}, background) })
	case *image.NRGBA:
		return 3, 8, bytewise(p.Pix, p.PixOffset, func(r, g, b, a uint8) rgb { return over8(r, g, b, a, background) })
	case *image.YCbCr:
		convert := newYCbCr(p, video)
		return 3, 8, pixelwise(convert.to, func(x, y int) rgb { return bytes3(convert.at(x, y)) })
	case *image.NYCbCrA:
		convert := newYCbCr(&p.YCbCr, video)
		return 3, 8, pixelwise(convert.to, func(x, y int) rgb {
			r, g, b := convert.at(x, y)
			return over8(r, g, b, p.A[p.AOffset(x, y)], background)
		})
	case *image.Paletted:
		colours := paletteOver(p.Palette, background)
		return 3, 8, pixelwise(nil, func(x, y int) rgb { return colours[p.ColorIndexAt(x, y)] })
	case *image.NRGBA64:
		return 3, 16, pixelwise(nil, func(x, y int) rgb { return over16(p.NRGBA64At(x, y), background) })
	case *image.CMYK:
		return 3, 8, pixelwise(nil, func(x, y int) rgb { return inks(p.CMYKAt(x, y)) })
	}
	return 3, 16, pixelwise(nil, func(x, y int) rgb {
		r, g, b, a := picture.At(x, y).RGBA() // dimmed by alpha, 0..65535
		return premultiplied16(rgb{float32(r), float32(g), float32(b)}, a, background)
	})
}

// bytewise is for four bytes a pixel, of which hidden makes what shows where the last
// is not 255.
func bytewise(pix []uint8, offset func(x, y int) int, hidden func(r, g, b, a uint8) rgb) liner {
	return func(x, y int, to []float32) {
		from := pix[offset(x, y):]
		for ; len(to) >= 3; to, from = to[3:], from[4:] {
			r, g, b, a := from[0], from[1], from[2], from[3]
			if a == 255 {
				to[0], to[1], to[2] = float32(r), float32(g), float32(b)
				continue
			}
			shown := hidden(r, g, b, a)
			copy(to, shown[:])
		}
	}
}

// pixelwise goes from pixel to pixel; begin, if there is one, is told of the row.
func pixelwise(begin func(y int), at func(x, y int) rgb) liner {
	return func(x, y int, to []float32) {
		if begin != nil {
			begin(y)
		}
		for ; len(to) >= 3; to, x = to[3:], x+1 {
			pixel := at(x, y)
			to[0], to[1], to[2] = pixel[0], pixel[1], pixel[2]
		}
	}
}

func bytes3(r, g, b uint8) rgb { return rgb{float32(r), float32(g), float32(b)} }

// over8 composes an 8-bit colour with the background, rounded so that the
// result is an 8-bit colour again.
func over8(r, g, b, a, background uint8) rgb {
	behind := int(background) * (255 - int(a))
	mix := func(v uint8) uint8 { return uint8((int(v)*int(a) + behind + 127) / 255) }
	return bytes3(mix(r), mix(g), mix(b))
}

// premultiplied8 is over8 for a colour that its alpha has already dimmed.
func premultiplied8(c color.RGBA, background uint8) rgb {
	behind := (int(background)*(255-int(c.A)) + 127) / 255
	mix := func(v uint8) uint8 { return uint8(min(int(v)+behind, 255)) }
	return bytes3(mix(c.R), mix(c.G), mix(c.B))
}

// over16 composes a deep colour with the background, without rounding.
func over16(c color.NRGBA64, background uint8) rgb {
	alpha := float32(c.A) / 0xffff
	return premultiplied16(rgb{float32(c.R) * alpha, float32(c.G) * alpha, float32(c.B) * alpha}, uint32(c.A), background)
}

func premultiplied16(c rgb, alpha uint32, background uint8) rgb {
	behind := float32(background) * (1 - float32(alpha)/0xffff)
	for i, v := range c {
		c[i] = min(v/257+behind, 255)
	}
	return c
}

// inks converts cyan, magenta, yellow and black as if they were filters held
// against white light; no colour profile is looked at.
func inks(c color.CMYK) rgb {
	light := 255 - int(c.K)
	through := func(ink uint8) float32 { return float32(light - (int(ink)*light+127)/255) }
	return rgb{through(c.C), through(c.M), through(c.Y)}
}

// paletteOver converts a palette's colours once. An index beyond the palette
// is malformed, but common enough in old files: it shows black.
func paletteOver(p color.Palette, background uint8) [256]rgb {
	var colours [256]rgb
	for i, c := range p[:min(len(p), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		colours[i] = over8(n.R, n.G, n.B, n.A, background)
	}
	return colours
}
