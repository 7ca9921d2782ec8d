package heatmap

import (
	"image"
	"image/color"
)

// Overlay draws a map alone, without names, axes or colour bar, in size pixels, as
// HalfBlocks draws it in the halves of characters. What is not covered is transparent.
func Overlay(m Map, size image.Point, o Options) (*image.RGBA, error) {
	colours, err := findColormap(o.Colormap)
	if err != nil {
		return nil, err
	}
	width, height, err := m.spread(o.Ground)
	if err != nil {
		return nil, err
	}
	s := colours.scale(&m)
	picture := image.NewRGBA(image.Rectangle{Max: size})
	for i, d := range dots(&m, &s, width, height, size, colours, o.Ground) {
		if d.opaque {
			picture.SetRGBA(i%size.X, i/size.X, color.RGBA{d.R, d.G, d.B, 0xff})
		}
	}
	return picture, nil
}
