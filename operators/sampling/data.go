package sampling

import "slices"

// use is what sketches are of use for.
type use int

const (
	nothing use = iota
	samples     // like exact positions with some more noise
	feature     // made at all positions: what f is a multiple of, roughly
)

// data is what a process is given.
type data struct {
	sampled []int // positions, the exact ones first
	exact   int   // how many are exact
	classes []*class
	pairs   []int // exact samples that were sketched, too
	use     use   // of the sketches: samples, feature or nothing
}

// sketches are positions computed cheaply, in order.
type sketches struct {
	positions []int
	f         [][]float64 // by class, what f seems to be there
	at        []int32     // by position of the grid, the sketch there or none
}

func newSketches(positions, classes int) *sketches {
	return &sketches{f: make([][]float64, classes), at: slices.Repeat([]int32{none}, positions)}
}

func (s *sketches) has(position int) bool { return s.at[position] != none }

func (s *sketches) add(positions []int, f [][]float64, link Link) {
	for i, p := range positions {
		s.at[p] = int32(len(s.positions) + i)
	}
	s.positions = append(s.positions, positions...)
	for k := range f {
		for _, v := range f[k] {
			s.f[k] = append(s.f[k], link.clamp(v))
		}
	}
}

// gather is all that is known but at some positions.
func (e *Estimator) gather(but []int) *data {
	left := make([]bool, len(e.places))
	for _, p := range but {
		left[p] = true
	}
	d := &data{}
	sketches := e.coarse
	var observed, paired, noisy []int // indices of samples, of those that were sketched, and of sketches
	for i, p := range e.samples {
		if sketches.has(p) {
			paired = append(paired, i)
		}
		if left[p] {
			continue
		}
		if sketches.has(p) {
			d.pairs = append(d.pairs, len(d.sampled))
		}
		observed, d.sampled = append(observed, i), append(d.sampled, p)
	}
	d.exact = len(d.sampled)
	everything := len(e.fine.positions) == len(e.wanted)
	if everything {
		d.pairs, d.use = nil, feature
	} else if e.use == samples || e.use == feature && e.fitted.use == samples {
		d.use = samples
		for i, p := range e.coarse.positions {
			if !e.done[p] && !left[p] {
				noisy, d.sampled = append(noisy, i), append(d.sampled, p)
			}
		}
	}
	for k := range e.observed {
		c := &class{link: e.options.Link, f: pick(make([]float64, len(observed), len(d.sampled)), e.observed[k], observed)}
		if e.options.Features != nil {
			c.feature = e.options.Features[k]
		}
		if e.fitted != nil {
			c.slope = e.fitted.classes[k].slope
		}
		sketched := sketches.f[k]
		if everything {
			c.feature = make([]float64, len(e.places))
			for i, p := range e.fine.positions {
				c.feature[p] = e.fine.f[k][i]
			}
		} else if len(paired) > 0 {
			fit := newLine(func(visit func(x, y float64)) {
				for _, i := range paired {
					visit(sketched[sketches.at[e.samples[i]]], e.observed[k][i])
				}
			})
			for _, i := range noisy {
				c.f = append(c.f, fit.at(sketched[i]))
			}
			c.off = make([]float64, len(d.pairs))
			for i, s := range d.pairs {
				c.off[i] = c.f[s] - fit.at(sketched[sketches.at[d.sampled[s]]])
			}
		} else {
			c.f = append(c.f, pick(make([]float64, len(noisy)), sketched, noisy)...)
		}
		d.classes = append(d.classes, c)
	}
	return d
}

// residues are, by position that was observed and sketched, what f differs from the
// sketch by, beside a line.
func (e *Estimator) residues(s *sketches, class int) map[int]float64 {
	pairs := func(visit func(p int, x, y float64)) {
		for i, p := range e.samples {
			if s.has(p) {
				visit(p, s.f[class][s.at[p]], e.observed[class][i])
			}
		}
	}
	fit := newLine(func(visit func(x, y float64)) {
		pairs(func(_ int, x, y float64) { visit(x, y) })
	})
	list := map[int]float64{}
	pairs(func(p int, x, y float64) { list[p] = y - fit.at(x) })
	return list
}

// line is y as a linear function of x.
type line struct{ x, y, slope float64 }

// newLine fits a line to pairs, by least squares, given that the slope is
// probably near 1: sketches are meant to be f.
func newLine(each func(visit func(x, y float64))) line {
	const near = 0.3 // the standard deviation that is given
	var l line
	var n, xx, xy, dd float64
	each(func(x, y float64) {
		n++
		l.x += (x - l.x) / n
		l.y += (y - l.y) / n
	})
	each(func(x, y float64) {
		dx, dy := x-l.x, y-l.y
		xx += dx * dx
		xy += dx * dy
		dd += square(dy - dx)
	})
	prior := dd / n / square(near)
	if l.slope = 1; xx+prior > 0 {
		l.slope = (xy + prior) / (xx + prior)
	}
	return l
}

func (l line) at(x float64) float64 { return l.y + l.slope*(x-l.x) }
