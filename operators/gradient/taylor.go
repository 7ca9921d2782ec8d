package gradient

import (
	"fmt"

	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/operators/region"
)

// Taylor tells by how much an objective changes, to first order, when a rectangle
// of the image is covered: the sum over the rectangle's values of
//
//	G * (cover - x)
//
// with the gradient G with respect to the image x. It takes four additions a
// rectangle, of whatever size, from a summed-area table (Crow, "Summed-Area
// Tables for Texture Mapping", SIGGRAPH 1984) of these products.
type Taylor struct {
	shape   network.Shape
	changes table // of G * (cover - x), or of G * -x where each patch has its mean
	// Of each channel's G and x, where a patch is covered by its own mean: then
	// the sum over G * cover is, in each channel, that of G times the mean of x.
	gradients, values []table
}

// NewTaylor makes the tables from the gradient with respect to the image, the
// image, both (H, W, C), and a whole image to cover it with, all normalised. A nil
// cover stands for the mean of each channel over the rectangle itself.
func NewTaylor(g, image, cover *tensor.Dense) (*Taylor, error) {
	s := image.Shape()
	if len(s) != 3 {
		return nil, fmt.Errorf("an image has three axes, not %v", s)
	}
	for name, d := range map[string]*tensor.Dense{"gradient": g, "image": image, "cover": cover} {
		switch {
		case d == nil && name == "cover":
		case d == nil:
			return nil, fmt.Errorf("the %s is missing", name)
		case !d.Shape().Eq(s) || d.Dtype() != tensor.Float32:
			return nil, fmt.Errorf("a %s of %v %s values for an image of %v", name, d.Shape(), d.Dtype(), s)
		}
	}
	t := &Taylor{shape: network.Shape{H: s[0], W: s[1], C: s[2]}}
	gs, xs := g.Data().([]float32), image.Data().([]float32)
	var cs []float32
	if cover != nil {
		cs = cover.Data().([]float32)
	}
	c := t.shape.C
	t.changes = newTable(t.shape, func(cell int) float64 {
		sum := 0.0
		for i := cell * c; i < (cell+1)*c; i++ {
			d := -float64(xs[i])
			if cs != nil {
				d += float64(cs[i])
			}
			sum += float64(gs[i]) * d
		}
		return sum
	})
	if cover == nil {
		for i := range c {
			t.gradients = append(t.gradients, newTable(t.shape, func(cell int) float64 { return float64(gs[cell*c+i]) }))
			t.values = append(t.values, newTable(t.shape, func(cell int) float64 { return float64(xs[cell*c+i]) }))
		}
	}
	return t, nil
}

// At is the change when the part of r that lies in the image is covered.
func (t *Taylor) At(r region.Rect) float64 {
	r = r.Clip(t.shape.H, t.shape.W)
	if r.Empty() {
		return 0
	}
	sum := t.changes.sum(r)
	for c := range t.gradients {
		sum += t.gradients[c].sum(r) * t.values[c].sum(r) / float64(r.Area())
	}
	return sum
}

// table is a summed-area table: entry (y, x) is the sum over all cells above y
// and left of x. It is of doubles, for a patch is a difference of large sums.
type table struct {
	width int // of a row: one more than the map's
	sums  []float64
}

func newTable(s network.Shape, value func(cell int) float64) table {
	t := table{width: s.W + 1, sums: make([]float64, (s.H+1)*(s.W+1))}
	for y := range s.H {
		row := 0.0
		for x := range s.W {
			row += value(y*s.W + x)
			at := (y+1)*t.width + x + 1
			t.sums[at] = t.sums[at-t.width] + row
		}
	}
	return t
}

func (t table) sum(r region.Rect) float64 {
	top, bottom := r.Y.Lo*t.width, r.Y.Hi*t.width
	return t.sums[bottom+r.X.Hi] - t.sums[bottom+r.X.Lo] - t.sums[top+r.X.Hi] + t.sums[top+r.X.Lo]
}
