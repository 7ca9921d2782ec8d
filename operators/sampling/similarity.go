package sampling

import "math"

const (
	// side is that of structural similarity's windows.
	side = 7
	// common is the share of the errors' variance that moves a window's mean.
	common = 0.3
	// leastSpan is a range of values that means nothing.
	leastSpan = 1e-6
)

// windows are the squares that structural similarity is averaged over.
type windows struct {
	w, h, side int
	list       []window
	positions  float64 // in all windows together
	c1, c2     float64
}

// window is the number of positions in a square, the mean and sample variance of
// their values, and the mean variance of their errors.
type window struct{ n, mean, spread, errors float64 }

// newWindows looks at a map of w by h values, NaN where there are none, and the
// variance of its errors.
func newWindows(w, h int, p, variance []float64) *windows {
	s := &windows{w: w, h: h, side: min(side, w, h)}
	s.side -= 1 - s.side%2
	lo, hi := extremes(p)
	// Values are taken about the middle: squares of nearly equal ones would cancel.
	middle := (lo + hi) / 2
	s.c1, s.c2 = square(0.01*max(hi-lo, leastSpan)), square(0.03*max(hi-lo, leastSpan))
	table := func(value func(i int) float64) summed {
		return newSummed(w, h, func(i int) float64 {
			if math.IsNaN(p[i]) {
				return 0
			}
			return value(i)
		})
	}
	number := table(func(int) float64 { return 1 })
	first := table(func(i int) float64 { return p[i] - middle })
	second := table(func(i int) float64 { return square(p[i] - middle) })
	errors := table(func(i int) float64 { return variance[i] })
	for y := range h - s.side + 1 {
		for x := range w - s.side + 1 {
			sum := func(t summed) float64 { return t.over(x, y, x+s.side, y+s.side) }
			var m window
			if m.n = math.Round(sum(number)); m.n > 0 {
				about := sum(first) / m.n
				m.mean = middle + about
				m.errors = max(0, sum(errors)) / m.n
				m.spread = max(0, sum(second)-m.n*about*about) / max(1, m.n-1)
			}
			s.list = append(s.list, m)
			s.positions += m.n
		}
	}
	return s
}

// similarity is the structural similarity to expect of the map and the exact one
// if the errors' variances are scale times what they are said to be.
func (s *windows) similarity(scale float64) float64 {
	var sum float64
	for _, m := range s.list {
		v := scale * m.errors
		sum += m.n * (2*m.spread + s.c2) / (2*m.spread + v + s.c2) *
			(2*m.mean*m.mean + s.c1) / (2*m.mean*m.mean + common*v + s.c1)
	}
	return sum / s.positions
}

// sensitivity is how fast the similarity falls with the variance of the error at
// each position.
func (s *windows) sensitivity() []float64 {
	cols, rows := s.w-s.side+1, s.h-s.side+1
	falls := newSummed(cols, rows, func(i int) float64 {
		m := s.list[i]
		return (2*m.spread + s.c2) / square(2*m.spread+m.errors+s.c2) / s.positions
	})
	list := make([]float64, s.w*s.h)
	for y := range s.h {
		for x := range s.w { // the windows that hold the position
			list[y*s.w+x] = falls.over(max(0, x-s.side+1), max(0, y-s.side+1), min(cols, x+1), min(rows, y+1))
		}
	}
	return list
}

// tolerance is the scale of the errors' variances at which the similarity is
// target, or most where it is higher still.
func (s *windows) tolerance(target, most float64) float64 {
	if s.similarity(most) >= target {
		return most
	}
	lo, hi := 0.0, most
	for range 50 {
		if mid := (lo + hi) / 2; s.similarity(mid) >= target {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// summed is a table of sums over all rectangles that begin in the upper left
// corner.
type summed struct {
	stride int
	upTo   []float64
}

func newSummed(w, h int, value func(i int) float64) summed {
	s := summed{stride: w + 1, upTo: make([]float64, (w+1)*(h+1))}
	for y := range h {
		line := 0.0
		for x := range w {
			line += value(y*w + x)
			s.upTo[(y+1)*s.stride+x+1] = s.upTo[y*s.stride+x+1] + line
		}
	}
	return s
}

// over is the sum over x0 <= x < x1 and y0 <= y < y1.
func (s summed) over(x0, y0, x1, y1 int) float64 {
	return s.upTo[y1*s.stride+x1] - s.upTo[y0*s.stride+x1] - s.upTo[y1*s.stride+x0] + s.upTo[y0*s.stride+x0]
}

// extremes are the least and the greatest value that is not NaN.
func extremes(p []float64) (lo, hi float64) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, v := range p {
		if !math.IsNaN(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	return lo, hi
}
