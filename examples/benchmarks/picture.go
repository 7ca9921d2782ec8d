package main

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
)

// picture is the image that everybody explains, and what covers it. Occlude
// reads the .png, its peers the values that a network takes.
type picture struct {
	png    string
	values string    // file of float32, channels first, normalised
	fill   []float32 // gray, normalised, one per channel
}

// Preprocessing: x = (pixel/255 - mean) / std, the same in all channels.
const mean, std, gray = 0.45, 0.25, 128

func normalise(pixel uint8) float32 { return (float32(pixel)/255 - mean) / std }

// newPicture draws waves in the size of a network's input, so that nobody needs
// to resize it.
func newPicture(f facts, path string) (picture, error) {
	p := picture{png: path + ".png", values: path + ".f32"}
	img := image.NewRGBA(image.Rect(0, 0, f.width, f.height))
	var values bytes.Buffer
	for c := range f.channels {
		for y := range f.height {
			for x := range f.width {
				v := wave(x, y, c)
				at := img.PixOffset(x, y)
				if f.channels == 1 {
					img.SetRGBA(x, y, color.RGBA{v, v, v, 255})
				}
				img.Pix[at+c], img.Pix[at+3] = v, 255
				if err := binary.Write(&values, binary.LittleEndian, normalise(v)); err != nil {
					return p, err
				}
			}
		}
		p.fill = append(p.fill, normalise(gray))
	}
	if err := os.WriteFile(p.values, values.Bytes(), 0o600); err != nil {
		return p, err
	}
	var encoded bytes.Buffer
	if err := png.Encode(&encoded, img); err != nil {
		return p, err
	}
	return p, os.WriteFile(p.png, encoded.Bytes(), 0o600)
}

// wave is a pixel's value: long and short waves, another phase in each channel.
func wave(x, y, c int) uint8 {
	u, v, phase := float64(x), float64(y), 2*float64(c)
	return uint8(127.5 + 70*math.Sin(u/17+v/29+phase) + 50*math.Sin(u*v/211-phase))
}
