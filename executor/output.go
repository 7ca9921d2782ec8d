package executor

import (
	"fmt"
	"io"
	"path/filepath"

	"gorgonia.org/tensor"

	"occlude/internal/atomicfile"
	"occlude/internal/heatmap"
	"occlude/internal/npy"
	"occlude/planner"
)

// write puts a result into a file.
func write(format, path string, r Result) error {
	return atomicfile.Write(path, func(w io.Writer) error {
		switch format {
		case planner.WriteCSV:
			if r, ok := r.(Tabular); ok {
				return r.Relation().CSV(w, ',', true)
			}
		case planner.WriteJSON:
			if r, ok := r.(Tabular); ok {
				return r.Relation().JSON(w)
			}
		case planner.WritePNG:
			if r, ok := r.(Pictured); ok {
				return r.PNG(w)
			}
		case planner.WriteNPY:
			if r, ok := r.(Arrayed); ok {
				return npy.Write(w, r.Array())
			}
		}
		return fmt.Errorf("%q: this result cannot be written as %s", path, format)
	})
}

// PNG draws the heat map.
func (h *HeatMap) PNG(w io.Writer) error { return heatmap.EncodePNG(w, h.Figure()) }

// Figure is the heat map as a picture.
func (h *HeatMap) Figure() heatmap.Figure {
	p := h.Plan
	how := p.Chosen().Name
	if q := h.Quality.Similarity(); q != "" {
		how += ", " + q
	}
	positions := fmt.Sprintf("%d positions", len(p.Grid.Positions))
	if n := h.Computed(); n < len(h.States) {
		positions = fmt.Sprintf("%d of %s", n, positions)
	}
	if h.Partial {
		positions = "partial: " + positions
	}
	f := heatmap.Figure{
		Image: h.Pixels, Original: coloured(h.Pixels),
		Title:    fmt.Sprintf("%s · %s", filepath.Base(h.Image), p.Model.Name),
		Colormap: p.Colormap,
		Caption: fmt.Sprintf("%s · patch %dx%d · stride %s · fill %s · %s",
			how, p.Grid.PatchW, p.Grid.PatchH, p.Grid.Stride(), p.Fill.Text, positions),
	}
	for i := range h.Classes {
		f.Maps = append(f.Maps, h.Map(i))
	}
	return f
}

// coloured tells whether a picture loses something in gray: whether its channels
// differ by more than what compression leaves behind, 2 of 255 in the mean.
func coloured(pixels *tensor.Dense) bool {
	s := pixels.Shape()
	if s[2] != 3 {
		return false
	}
	v, spread := pixels.Data().([]float32), 0.0
	for i := 0; i < len(v); i += 3 {
		spread += float64(max(v[i], v[i+1], v[i+2]) - min(v[i], v[i+1], v[i+2]))
	}
	return spread > 2*float64(s[0]*s[1])
}

// Map is one class's map for drawing; the positions must form a grid.
func (h *HeatMap) Map(class int) heatmap.Map {
	g, c := h.Plan.Grid, h.Classes[class]
	return heatmap.Map{
		Rows: g.Rows(), Cols: g.Cols(), X: g.X, Y: g.Y, PatchW: g.PatchW, PatchH: g.PatchH,
		P: h.cells(c), P0: c.P0, Class: c.Label,
	}
}

// Preview is the map of a class with what is missing of it filled in, for those who
// watch it grow.
func (h *HeatMap) Preview(class int) heatmap.Map {
	g := h.Plan.Grid
	asked := make([]bool, g.Rows()*g.Cols())
	for _, p := range g.Positions {
		asked[p.Row*g.Cols()+p.Col] = true
	}
	return heatmap.Preview(h.Map(class), asked)
}
