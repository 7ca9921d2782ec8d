package heatmap

import (
	"fmt"
	"io"
)

// Values are numbers of any meaning on a grid of patch positions, such as what a
// query makes of the rows of many heat maps. They are drawn alone: there is no one
// image below them.
type Values struct {
	X, Y           []int // edges of the patches, as in Map
	PatchW, PatchH int
	V              []float32 // row by row; NaN where there is none
	Label          string    // what the colour bar calls the numbers
}

// EncodePNG draws the values in the default colours, on a scale symmetric about zero,
// as far as the patches reach.
func (v *Values) EncodePNG(w io.Writer) error {
	colours, err := findColormap(DefaultColormap)
	if err != nil {
		return err
	}
	m := Map{Rows: len(v.Y), Cols: len(v.X), X: v.X, Y: v.Y, PatchW: v.PatchW, PatchH: v.PatchH, P: make([]float32, len(v.V))}
	for i, value := range v.V { // so that the fall from zero is the value
		m.P[i] = -value
	}
	if err := m.check(); err != nil {
		return err
	}
	s := symmetric(&m)
	s.label, s.below, s.above = v.Label, "", ""
	page := &sheet{width: v.X[len(v.X)-1] + v.PatchW, height: v.Y[len(v.Y)-1] + v.PatchH}
	page.panels = []panel{{m: &m, colours: colours, scale: s, name: fmt.Sprintf("%d × %d positions", m.Cols, m.Rows)}}
	return page.encodePNG(w)
}
