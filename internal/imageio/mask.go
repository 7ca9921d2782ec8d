package imageio

import "fmt"

// Mask marks pixels of a model's input.
type Mask struct {
	Width, Height int
	on            []bool
}

// FitMask reads the mask at path and brings it to the model's input with the
// geometry that the Spec gives an image of the same size, but taking for every
// pixel the nearest one of the mask. A pixel is on if any of its channels is
// above 0, with transparent parts black. Beside a letterboxed mask nothing is
// on. Errors name the path.
func FitMask(path string, s Spec) (*Mask, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("mask %q: %w", path, err)
	}
	f, err := Load(path)
	if err != nil {
		return nil, err
	}
	m, err := f.over(black)
	if err != nil {
		return nil, err
	}
	p := s.place(m.w, m.h)
	mask := &Mask{Width: s.Width, Height: s.Height, on: make([]bool, s.Width*s.Height)}
	for y := range p.h {
		fromY := nearest(p.fromY+y, m.h, p.scaledH)
		row := mask.on[(p.toY+y)*s.Width+p.toX:]
		for x := range p.w {
			fromX := nearest(p.fromX+x, m.w, p.scaledW)
			row[x] = m.lit(fromX, fromY)
		}
	}
	return mask, nil
}

// On tells if the pixel at (x, y), counted from the top left, is marked. None
// outside is.
func (m *Mask) On(x, y int) bool {
	return x >= 0 && y >= 0 && x < m.Width && y < m.Height && m.on[y*m.Width+x]
}

// nearest is the input pixel that the middle of output pixel i falls into.
func nearest(i, in, out int) int { return (2*i + 1) * in / (2 * out) }

func (m raster) lit(x, y int) bool {
	for _, v := range m.pix[(y*m.w+x)*m.c:][:m.c] {
		if v > 0 {
			return true
		}
	}
	return false
}
