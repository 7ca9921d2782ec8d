package imageio

import (
	"context"
	"fmt"
	"math"

	"gorgonia.org/tensor"
)

// placement is where a picture goes in a model's input: it is scaled to
// scaledW x scaledH; of that, the window of w x h pixels at (fromX, fromY) is
// put at (toX, toY).
type placement struct {
	scaledW, scaledH int
	fromX, fromY     int
	toX, toY         int
	w, h             int
}

func (s Spec) place(w, h int) placement {
	p := placement{scaledW: s.Width, scaledH: s.Height, w: s.Width, h: s.Height}
	wider := w*s.Height >= h*s.Width // the picture is flatter than the input
	switch {
	case s.Resize == Crop && wider:
		p.scaledW = s.Height * w / h
		p.fromX = centre(p.scaledW - s.Width)
	case s.Resize == Crop:
		p.scaledH = s.Width * h / w
		p.fromY = centre(p.scaledH - s.Height)
	case s.Resize == Letterbox && wider:
		p.scaledH = proportional(s.Width, h, w, s.Height)
		p.h = p.scaledH
		p.toY = centre(s.Height - p.h)
	case s.Resize == Letterbox:
		p.scaledW = proportional(s.Height, w, h, s.Width)
		p.w = p.scaledW
		p.toX = centre(s.Width - p.w)
	}
	return p
}

// centre halves a margin; of two middles the even one is taken, as Python's
// round does.
func centre(margin int) int { return int(math.RoundToEven(float64(margin) / 2)) }

// proportional is length*part/whole to the nearest pixel, within 1..most. The
// order of the operations is Pillow's, for the sake of the same rounding.
func proportional(length, part, whole, most int) int {
	exact := float64(part) / float64(whole) * float64(length)
	return max(1, min(int(math.RoundToEven(exact)), most))
}

// Fit brings an image to the model's size and number of channels, still in
// pixel space: a float32 tensor of shape (Height, Width, C), 0 black and 255
// white, C = 1 for Gray and otherwise 3, red first whatever the model's order.
//
// Images of 8 bits give whole numbers, the same ones that Pillow's convert('L')
// and resize(BILINEAR) give. Deeper images are never rounded.
func (s Spec) Fit(ctx context.Context, img *Image) (*tensor.Dense, error) {
	if err := s.Validate(); err != nil {
		return nil, fmt.Errorf("image %q: %w", img.Path, err)
	}
	m := img.source
	if s.Channels == Gray {
		m = m.gray()
	}
	p := s.place(m.w, m.h)
	fitted, err := m.window(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", img.Path, err)
	}
	if s.Channels != Gray {
		fitted = fitted.coloured()
	}
	return fitted.framed(s, p).dense(), nil
}

// gray writes luma by ITU-R 601-2, 0.299 R + 0.587 G + 0.114 B, with weights in
// 2^-16 and 8-bit results rounded to whole numbers, both like Pillow's.
func (m raster) gray(to []float32) {
	for i := range to {
		r, g, b := float64(m.pix[3*i]), float64(m.pix[3*i+1]), float64(m.pix[3*i+2])
		luma := (float64(19595*r) + float64(38470*g) + float64(7471*b)) / 65536
		if m.depth == 8 {
			luma = math.Floor(luma + 0.5)
		}
		to[i] = float32(luma)
	}
}

// coloured repeats gray in all three channels.
func (m raster) coloured() raster {
	if m.c == 3 {
		return m
	}
	out := newRaster(m.w, m.h, 3, m.depth)
	for i, v := range m.pix {
		out.pix[3*i], out.pix[3*i+1], out.pix[3*i+2] = v, v, v
	}
	return out
}

// framed puts the window into the model's input, black around it. The result
// never shares memory with the image.
func (m raster) framed(s Spec, p placement) raster {
	out := newRaster(s.Width, s.Height, m.c, m.depth)
	for y := range m.h {
		at := ((p.toY+y)*out.w + p.toX) * m.c
		copy(out.pix[at:at+m.w*m.c], m.pix[y*m.w*m.c:])
	}
	return out
}
