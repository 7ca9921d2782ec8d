package heatmap

import "math"

// axis says, for every pixel along one axis of a picture, which positions of the
// grid its value comes from.
type axis []sample

// sample places a pixel between two neighbouring positions.
type sample struct {
	before, after int     // the positions whose patch centres enclose the pixel; equal beyond the outermost
	weight        float64 // of after; before has the rest
	nearest       int     // the one of them whose cell the pixel lies in
}

// newAxis samples a grid whose patches begin at edges and are patch long, on
// pixels pixels that show length units of the model's input. Pixels beyond the
// outermost centres take the outermost value, so that the image is covered.
func newAxis(edges []int, patch int, length float64, pixels int) axis {
	centre := func(i int) float64 { return float64(edges[i]) + float64(patch)/2 }
	a := make(axis, pixels)
	last := len(edges) - 1
	before := 0
	for i := range a {
		at := (float64(i) + 0.5) * length / float64(pixels)
		for before < last && centre(before+1) <= at {
			before++
		}
		s := sample{before: before, after: before, nearest: before}
		if before < last && at > centre(before) {
			s.after = before + 1
			s.weight = (at - centre(before)) / (centre(before+1) - centre(before))
			if s.weight >= 0.5 {
				s.nearest = s.after
			}
		}
		a[i] = s
	}
	return a
}

// field is a heat map's place on the colour map at every pixel of a picture.
type field struct {
	x, y axis
	cols int
	t    []float64 // of each position; NaN where it was not evaluated
}

// beyond stands for an infinite place on the colour map. Places beyond its ends
// are kept until after the interpolation, so that the line where a map leaves its
// scale lies where the values say.
const beyond = 1e6

// newField spreads m over a picture of cols by rows pixels, which shows width by
// height units of the model's input.
func newField(m *Map, s *scale, width, height float64, cols, rows int) *field {
	f := &field{
		x:    newAxis(m.X, m.PatchW, width, cols),
		y:    newAxis(m.Y, m.PatchH, height, rows),
		cols: m.Cols,
		t:    make([]float64, len(m.P)),
	}
	for i := range f.t {
		f.t[i] = max(-beyond, min(s.t(s.value(m, i)), beyond)) // NaN stays NaN
	}
	return f
}

// evaluated says whether the pixel lies in the cell of a position that has a
// value. Cells meet half-way between neighbouring patch centres.
func (f *field) evaluated(px, py int) bool {
	return !math.IsNaN(f.t[f.y[py].nearest*f.cols+f.x[px].nearest])
}

// at is the pixel's place on the colour map, beyond its ends when outside [0, 1]. It is
// interpolated bilinearly between the four patch centres around the pixel; those without a
// value leave their weight to the others. ok is false where the pixel is not evaluated.
func (f *field) at(px, py int) (t float64, ok bool) {
	if !f.evaluated(px, py) {
		return 0, false
	}
	x, y := f.x[px], f.y[py]
	var sum, weights float64
	add := func(row, col int, weight float64) {
		if t := f.t[row*f.cols+col]; weight > 0 && !math.IsNaN(t) {
			sum += weight * t
			weights += weight
		}
	}
	add(y.before, x.before, (1-y.weight)*(1-x.weight))
	add(y.before, x.after, (1-y.weight)*x.weight)
	add(y.after, x.before, y.weight*(1-x.weight))
	add(y.after, x.after, y.weight*x.weight)
	return sum / weights, true
}

// border says whether the pixel belongs to the region that was evaluated, or to
// its outside, along the line where the two meet.
func (f *field) border(px, py int) bool {
	inside := f.evaluated(px, py)
	differs := func(x, y int) bool {
		return x >= 0 && x < len(f.x) && y >= 0 && y < len(f.y) && f.evaluated(x, y) != inside
	}
	return differs(px-1, py) || differs(px+1, py) || differs(px, py-1) || differs(px, py+1)
}

// extent is the width and height that the positions' patches reach to: the
// image's own, unless the rim was left out.
func (m *Map) extent() (width, height float64) {
	return math.Max(1, float64(m.X[m.Cols-1])+float64(m.PatchW)),
		math.Max(1, float64(m.Y[m.Rows-1])+float64(m.PatchH))
}
