package picture

import (
	"fmt"
	"image"
	"image/color"
	"strings"

	"github.com/kenshaw/rasterm"
	"github.com/soniakeys/quant/median"
)

// registers is how many colours a picture has by sixel; one more is for what is
// transparent.
const registers = 255

func encodeSixel(picture *image.RGBA) (string, error) {
	var b strings.Builder
	if err := (rasterm.SixelEncoder{NoNewline: true}).Encode(&b, paletted(picture)); err != nil {
		return "", fmt.Errorf("drawing by sixel: %w", err)
	}
	return b.String(), nil
}

// paletted reduces a picture to as many colours as sixel has. They are chosen by the
// colours that occur and little by the area of each, since that of a heat map's colours is
// small: left to the encoder, a colour bar becomes a dozen stripes.
func paletted(picture *image.RGBA) *image.Paletted {
	const channel = 6 // bits by which colours differ
	key := func(i int) int {
		p := picture.Pix[i : i+3]
		return int(p[0])>>(8-channel)<<(2*channel) | int(p[1])>>(8-channel)<<channel | int(p[2])>>(8-channel)
	}
	area := make([]int, 1<<(3*channel))
	var colours []color.Color
	for i := 0; i < len(picture.Pix); i += 4 {
		k := key(i)
		// Those of the first pixel, and again each time that the area has doubled.
		if area[k]++; area[k]&(area[k]-1) == 0 {
			p := picture.Pix[i : i+3]
			colours = append(colours, color.RGBA{p[0], p[1], p[2], 0xff})
		}
	}
	sample := image.NewRGBA(image.Rect(0, 0, len(colours), 1))
	for x, c := range colours {
		sample.Set(x, 0, c)
	}
	palette := median.Quantizer(registers).Quantize(make(color.Palette, 0, registers), sample)
	out := image.NewPaletted(picture.Rect, palette)
	index := make([]int16, len(area)) // in the palette, from 1
	for i := 0; i < len(picture.Pix); i += 4 {
		k := key(i)
		if index[k] == 0 {
			p := picture.Pix[i : i+3]
			index[k] = int16(1 + palette.Index(color.RGBA{p[0], p[1], p[2], 0xff}))
		}
		out.Pix[i/4] = uint8(index[k] - 1)
	}
	return out
}
