package imageio

import "context"

// source is a picture that gives its rows one at a time: as float32 all of its pixels
// take up to four times the memory that its decoder needed, and fitting to a model's
// input looks at each row once.
type source struct {
	w, h, c int
	depth   int
	// row writes the w*c values of row y.
	row func(y int, to []float32)
}

// source gives the rows of pixels that are there.
func (m raster) source() source {
	n := m.w * m.c
	return source{m.w, m.h, m.c, m.depth, func(y int, to []float32) { copy(to, m.pix[y*n:(y+1)*n]) }}
}

// raster is all rows.
func (m source) raster() raster {
	out := newRaster(m.w, m.h, m.c, m.depth)
	n := m.w * m.c
	for y := range m.h {
		m.row(y, out.pix[y*n:(y+1)*n])
	}
	return out
}

// gray is the picture's luma.
func (m source) gray() source {
	if m.c == 1 {
		return m
	}
	line := newRaster(m.w, 1, m.c, m.depth)
	return source{m.w, m.h, 1, m.depth, func(y int, to []float32) {
		m.row(y, line.pix)
		line.gray(to)
	}}
}

// window scales the picture and cuts out the placement's window. Only what lies
// in the window is ever computed: a line of 50,000 x 1 pixels cropped to a
// square would otherwise fill the memory.
func (m source) window(ctx context.Context, p placement) (fitted raster, err error) {
	defer malformed(&err)
	whole := m.depth == 8
	vertical, from, to := taps{}, 0, m.h
	scaled := p.scaledH != m.h || p.h != m.h
	if scaled {
		vertical = bilinear(m.h, p.scaledH, p.fromY, p.h, whole)
		from, to = vertical.inputs()
		for i := range vertical.first {
			vertical.first[i] -= from
		}
	}
	columns, err := m.columns(ctx, p, from, to)
	if err != nil || !scaled {
		return columns, err
	}
	return vertical.alongY(columns, whole), nil
}

// columns are some rows, scaled and cut horizontally.
func (m source) columns(ctx context.Context, p placement, from, to int) (raster, error) {
	out := newRaster(p.w, to-from, m.c, m.depth)
	n := p.w * m.c
	line := make([]float32, m.w*m.c)
	scaled := p.scaledW != m.w || p.w != m.w
	horizontal := taps{}
	if scaled {
		horizontal = bilinear(m.w, p.scaledW, p.fromX, p.w, m.depth == 8)
	}
	for y := from; y < to; y++ {
		if ctx.Err() != nil {
			return raster{}, context.Cause(ctx)
		}
		row := out.pix[(y-from)*n : (y-from+1)*n]
		if !scaled {
			m.row(y, row)
			continue
		}
		m.row(y, line)
		horizontal.apply(row, line, 1, m.w, m.c, m.depth == 8)
	}
	return out, nil
}
