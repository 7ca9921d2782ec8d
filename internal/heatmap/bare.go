package heatmap

import (
	"fmt"
	"image"
)

// Bare draws a map alone, without an image below it: width by height pixels, one
// for each of the model's input, in the opaque colours of a colour map ("" for
// DefaultColormap). Pixels that no evaluated position covers are transparent.
// The scale is the colour map's own, so jet_r gives Krypton's pictures, which
// metrics on pictures compare.
func Bare(m Map, colormap string, width, height int) (*image.RGBA, error) {
	colours, err := findColormap(colormap)
	if err != nil {
		return nil, err
	}
	if err := m.checkWithin(width, height); err != nil {
		return nil, fmt.Errorf("heat map of class %q: %w", m.Class, err)
	}
	s := colours.scale(&m)
	f := newField(&m, &s, float64(width), float64(height), width, height)
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for y := range height {
		for x := range width {
			if t, ok := f.at(x, y); ok {
				picture.SetRGBA(x, y, colours.at(t).rgba())
			}
		}
	}
	return picture, nil
}
