package quality

import "math"

// windowSide is scikit-image's default.
const windowSide = 7

// ssim is the structural similarity on the grid.
func (p *pair) ssim() float64 {
	e, a := newPlane(p.w, p.h), newPlane(p.w, p.h)
	for i, cell := range p.cell {
		e.set(cell, p.exact[i])
		a.set(cell, p.approximate[i])
	}
	return meanSSIM(e, a, p.unit())
}

// plane is one channel of a picture, or a map: w by h values, of which some may
// be missing.
type plane struct {
	w, h  int
	value []float64
	has   []bool
}

func newPlane(w, h int) *plane {
	return &plane{w: w, h: h, value: make([]float64, w*h), has: make([]bool, w*h)}
}

func (p *plane) set(i int, v float64) { p.value[i], p.has[i] = v, true }

// meanSSIM is the structural similarity of two planes that lack the same values,
// over all windows of windowSide or, on a smaller plane, the largest odd side
// that fits; a window weighs as much as it holds values.
func meanSSIM(x, y *plane, dataRange float64) float64 {
	side := min(windowSide, x.w, x.h)
	if side == 0 {
		return math.NaN()
	}
	side -= 1 - side%2
	s := newSums(x, y)
	c1, c2 := square(0.01*dataRange), square(0.03*dataRange)
	var total, weights float64
	for top := 0; top+side <= x.h; top++ {
		for left := 0; left+side <= x.w; left++ {
			if w := s.window(left, top, side); w.n > 0 {
				total += w.n * w.ssim(c1, c2)
				weights += w.n
			}
		}
	}
	return total / weights
}

func square(x float64) float64 { return x * x }

// moments are the sums over a window's values: their number, and the sums of
// both planes' values, squares and products.
type moments struct{ n, x, y, xx, yy, xy float64 }

func (m moments) plus(o moments, sign float64) moments {
	return moments{m.n + sign*o.n, m.x + sign*o.x, m.y + sign*o.y, m.xx + sign*o.xx, m.yy + sign*o.yy, m.xy + sign*o.xy}
}

// sums are moments over every rectangle that begins in the upper left corner,
// from which those of any rectangle follow (Crow: "Summed-Area Tables for
// Texture Mapping", SIGGRAPH 1984).
type sums struct {
	stride int
	upTo   []moments // (h+1, w+1)
	// shift is taken off all values before they are squared and given back to the
	// means: sums of squares of nearly equal numbers would lose their difference.
	shift float64
}

func newSums(x, y *plane) *sums {
	s := &sums{stride: x.w + 1, upTo: make([]moments, (x.w+1)*(x.h+1))}
	n := 0.0
	for i, v := range x.value {
		if x.has[i] {
			n++
			s.shift += (v - s.shift) / n
		}
	}
	for row := range x.h {
		var line moments
		for col := range x.w {
			if i := row*x.w + col; x.has[i] {
				a, b := x.value[i]-s.shift, y.value[i]-s.shift
				line = line.plus(moments{1, a, b, a * a, b * b, a * b}, 1)
			}
			s.upTo[(row+1)*s.stride+col+1] = s.upTo[row*s.stride+col+1].plus(line, 1)
		}
	}
	return s
}

// window sums up a square.
func (s *sums) window(left, top, side int) window {
	at := func(row, col int) moments { return s.upTo[row*s.stride+col] }
	m := at(top+side, left+side).plus(at(top, left+side), -1).plus(at(top+side, left), -1).plus(at(top, left), 1)
	if m.n == 0 {
		return window{}
	}
	x, y := m.x/m.n, m.y/m.n
	w := window{n: m.n, meanX: x + s.shift, meanY: y + s.shift}
	if m.n > 1 {
		w.varX = max(0, m.xx-m.n*x*x) / (m.n - 1)
		w.varY = max(0, m.yy-m.n*y*y) / (m.n - 1)
		w.cov = (m.xy - m.n*x*y) / (m.n - 1)
	}
	return w
}

// window is the number of values in a square, both planes' means, and their
// sample variances and covariance.
type window struct{ n, meanX, meanY, varX, varY, cov float64 }

// ssim is the index of one window.
func (w window) ssim(c1, c2 float64) float64 {
	return (2*w.meanX*w.meanY + c1) * (2*w.cov + c2) /
		((w.meanX*w.meanX + w.meanY*w.meanY + c1) * (w.varX + w.varY + c2))
}
