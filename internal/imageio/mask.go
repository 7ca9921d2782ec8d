package imageio

import (
	"context"
	"fmt"
	"slices"
)

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
func FitMask(ctx context.Context, path string, s Spec) (mask *Mask, err error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("mask %q: %w", path, err)
	}
	f, err := Load(path)
	if err != nil {
		return nil, err
	}
	m, err := f.over(ctx, black, Window{Mode: WindowFull})
	if err != nil {
		return nil, err
	}
	if mask, err = m.mask(s); err != nil {
		return nil, fmt.Errorf("mask %q: %w", path, err)
	}
	return mask, nil
}

// mask is where the picture is lit.
func (m source) mask(s Spec) (mask *Mask, err error) {
	defer malformed(&err)
	p := s.place(m.w, m.h)
	mask = &Mask{Width: s.Width, Height: s.Height, on: make([]bool, s.Width*s.Height)}
	line := make([]float32, m.w*m.c)
	for y := range p.h {
		m.row(nearest(p.fromY+y, m.h, p.scaledH), line)
		row := mask.on[(p.toY+y)*s.Width+p.toX:]
		for x := range p.w {
			at := nearest(p.fromX+x, m.w, p.scaledW) * m.c
			row[x] = slices.ContainsFunc(line[at:at+m.c], func(v float32) bool { return v > 0 })
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
