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
func flatten(picture image.Image, screen image.Rectangle, background uint8, video bool) raster {
	channels, depth, at := sampler(picture, background, video)
	m := newRaster(screen.Dx(), screen.Dy(), channels, depth)
	visible := picture.Bounds().Intersect(screen)
	if visible != screen {
		for i := range m.pix {
			m.pix[i] = float32(background)
		}
	}
	for y := visible.Min.Y; y < visible.Max.Y; y++ {
		row := m.pix[(y*m.w+visible.Min.X)*channels:]
		if at == nil {
			grayRow(row[:visible.Dx()], picture, visible.Min.X, y)
			continue
		}
		for x := visible.Min.X; x < visible.Max.X; x++ {
			pixel := at(x, y)
			row[0], row[1], row[2] = pixel[0], pixel[1], pixel[2]
			row = row[3:]
		}
	}
	return m
}

// grayRow is a row of a gray picture from x on. The largest pictures are gray, and
// this takes a tenth of the time that going from pixel to pixel does.
func grayRow(row []float32, picture image.Image, x, y int) {
	switch p := picture.(type) {
	case *image.Gray:
		for i, v := range p.Pix[p.PixOffset(x, y):][:len(row)] {
			row[i] = float32(v)
		}
	case *image.Gray16:
		from := p.Pix[p.PixOffset(x, y):][:2*len(row)]
		for i := range row {
			row[i] = float32(binary.BigEndian.Uint16(from[2*i:])) / 257
		}
	}
}

// sampler tells how many channels a picture has, how deep they are, and how to
// get at a pixel, which is nil for what grayRow knows.
func sampler(picture image.Image, background uint8, video bool) (channels, depth int, at func(x, y int) rgb) {
	switch p := picture.(type) {
	case *image.Gray:
		return 1, 8, nil
	case *image.Gray16:
		return 1, 16, nil
	case *image.Paletted:
		colours := paletteOver(p.Palette, background)
		return 3, 8, func(x, y int) rgb { return colours[p.ColorIndexAt(x, y)] }
	case *image.YCbCr:
		convert := newYCbCr(p, video)
		return 3, 8, func(x, y int) rgb { return bytes3(convert.at(x, y)) }
	case *image.NYCbCrA:
		convert := newYCbCr(&p.YCbCr, video)
		return 3, 8, func(x, y int) rgb {
			r, g, b := convert.at(x, y)
			return over8(r, g, b, p.A[p.AOffset(x, y)], background)
		}
	case *image.NRGBA:
		return 3, 8, func(x, y int) rgb {
			c := p.NRGBAAt(x, y)
			return over8(c.R, c.G, c.B, c.A, background)
		}
	case *image.RGBA:
		return 3, 8, func(x, y int) rgb { return premultiplied8(p.RGBAAt(x, y), background) }
	case *image.NRGBA64:
		return 3, 16, func(x, y int) rgb { return over16(p.NRGBA64At(x, y), background) }
	case *image.CMYK:
		return 3, 8, func(x, y int) rgb { return inks(p.CMYKAt(x, y)) }
	}
	return 3, 16, func(x, y int) rgb {
		r, g, b, a := picture.At(x, y).RGBA() // dimmed by alpha, 0..65535
		return premultiplied16(rgb{float32(r), float32(g), float32(b)}, a, background)
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
