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
	sums := newSums(w, h, func(i int) sum {
		if math.IsNaN(p[i]) {
			return sum{}
		}
		return sum{1, p[i] - middle, square(p[i] - middle), variance[i]}
	})
	s.list = make([]window, 0, (h-s.side+1)*(w-s.side+1))
	for y := range h - s.side + 1 {
		for x := range w - s.side + 1 {
			var m window
			if t := sums.over(x, y, x+s.side, y+s.side); t.n > 0 {
				about := t.first / t.n
				m = window{
					n:      t.n,
					mean:   middle + about,
					spread: max(0, t.second-t.n*about*about) / max(1, t.n-1),
					errors: max(0, t.errors) / t.n,
				}
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
	falls := newSums(cols, rows, func(i int) sum {
		m := s.list[i]
		return sum{errors: (2*m.spread + s.c2) / square(2*m.spread+m.errors+s.c2) / s.positions}
	})
	list := make([]float64, s.w*s.h)
	for y := range s.h {
		for x := range s.w { // the windows that hold the position
			list[y*s.w+x] = falls.over(max(0, x-s.side+1), max(0, y-s.side+1), min(cols, x+1), min(rows, y+1)).errors
		}
	}
	return list
}

// tolerance is the scale of the errors' variances at which the similarity is
// target, from least to most.
func (s *windows) tolerance(target, least, most float64) float64 {
	if s.similarity(most) >= target {
		return most
	}
	// Similarity falls with the scale's logarithm more evenly than with the scale, and
	// an estimate of samples needs no more than a few digits.
	lo, hi := math.Log(least), math.Log(most)
	for range 16 {
		if mid := (lo + hi) / 2; s.similarity(math.Exp(mid)) >= target {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp(lo)
}

// sum is what is added up over a rectangle: the number of values, the values,
// their squares, and the variances of their errors.
type sum struct{ n, first, second, errors float64 }

func (s sum) plus(t sum, sign float64) sum {
	return sum{s.n + sign*t.n, s.first + sign*t.first, s.second + sign*t.second, s.errors + sign*t.errors}
}

// sums is a table of sums over all rectangles that begin in the upper left corner.
type sums struct {
	stride int
	upTo   []sum
}

func newSums(w, h int, value func(i int) sum) sums {
	s := sums{stride: w + 1, upTo: make([]sum, (w+1)*(h+1))}
	for y := range h {
		var line sum
		for x := range w {
			line = line.plus(value(y*w+x), 1)
			s.upTo[(y+1)*s.stride+x+1] = s.upTo[y*s.stride+x+1].plus(line, 1)
		}
	}
	return s
}

// over is the sum over x0 <= x < x1 and y0 <= y < y1.
func (s sums) over(x0, y0, x1, y1 int) sum {
	top, bottom := s.upTo[y0*s.stride:], s.upTo[y1*s.stride:]
	return bottom[x1].plus(top[x1], -1).plus(bottom[x0], -1).plus(top[x0], 1)
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
