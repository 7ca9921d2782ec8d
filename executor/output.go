package executor

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strconv"

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

// copy runs a query and writes what it returns.
func (s *Session) copy(ctx context.Context, p *planner.Copy, emit func(Result) error) error {
	return s.Run(ctx, p.Query, func(r Result) error {
		t, ok := r.(Tabular)
		if !ok {
			return fmt.Errorf("%s returns no rows to copy", p.Query.Statement())
		}
		if ctx.Err() != nil { // what an interrupted query still returns is for the eye
			return context.Cause(ctx)
		}
		path := p.Out.Path
		if h, ok := r.(*HeatMap); ok {
			path = p.Out.For(h.Image)
		}
		if err := write(p.Out.Format, path, r); err != nil {
			return err
		}
		return emit(copied(len(t.Relation().Rows), path))
	})
}

// copied tells how many rows went where.
func copied(rows int, path string) Message {
	if rows == 1 {
		return Message{"COPY 1 row to " + path}
	}
	return Message{fmt.Sprintf("COPY %d rows to %s", rows, path)}
}

// PNG draws the heat map.
func (h *HeatMap) PNG(w io.Writer) error { return heatmap.EncodePNG(w, h.Figure()) }

// Figure is the heat map as a picture.
func (h *HeatMap) Figure() heatmap.Figure {
	p := h.Plan
	how := p.Chosen().Name
	if q := h.Quality.similarity(); q != "" {
		how += ", " + q
	}
	positions := fmt.Sprintf("%d positions", len(p.Grid.Positions))
	if n := h.Count(Interpolated); n > 0 {
		positions = fmt.Sprintf("%d of %s", len(p.Grid.Positions)-n, positions)
	}
	f := heatmap.Figure{
		Image: h.Pixels, Original: coloured(h.Pixels),
		Title:    fmt.Sprintf("%s · %s", filepath.Base(h.Image), p.Model.Name),
		Colormap: p.Colormap,
		Caption: fmt.Sprintf("%s · patch %dx%d · stride %s · fill %s · %s",
			how, p.Grid.PatchW, p.Grid.PatchH, stride(p.Grid), p.Fill.Text, positions),
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

func stride(g planner.Grid) string {
	if g.StrideW == g.StrideH {
		return strconv.Itoa(g.StrideW)
	}
	return fmt.Sprintf("%dx%d", g.StrideW, g.StrideH)
}

// Map is one class's map for drawing; the positions must form a grid.
func (h *HeatMap) Map(class int) heatmap.Map {
	g, c := h.Plan.Grid, h.Classes[class]
	return heatmap.Map{
		Rows: g.Rows(), Cols: g.Cols(), X: g.X, Y: g.Y, PatchW: g.PatchW, PatchH: g.PatchH,
		P: h.cells(c), P0: c.P0, Class: c.Label,
	}
}

// CSV writes the rows, after a line of the columns' names if header is set; comma
// stands between the fields.
func (r *Relation) CSV(w io.Writer, comma rune, header bool) error {
	out := csv.NewWriter(w)
	out.Comma = comma
	if header {
		if err := out.Write(r.Columns); err != nil {
			return err
		}
	}
	record := make([]string, len(r.Columns))
	for _, row := range r.Rows {
		for i, v := range row {
			record[i] = Text(v)
		}
		if err := out.Write(record); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Text prints a value of a relation: numbers with the digits that bring them
// back.
func Text(v any) string {
	switch v := v.(type) {
	case float32:
		return strconv.FormatFloat(float64(v), 'g', -1, 32)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// JSON writes the relation as an array of objects with the columns in order.
func (r *Relation) JSON(w io.Writer) error {
	var b bytes.Buffer
	names := make([][]byte, len(r.Columns))
	for i, c := range r.Columns {
		names[i], _ = json.Marshal(c) // a string always marshals
	}
	b.WriteString("[")
	for i, row := range r.Rows {
		if i > 0 {
			b.WriteString(",")
		}
		b.WriteString("\n  {")
		for j, v := range row {
			if j > 0 {
				b.WriteString(", ")
			}
			b.Write(names[j])
			b.WriteString(": ")
			value, err := jsonValue(v)
			if err != nil {
				return err
			}
			b.Write(value)
		}
		b.WriteString("}")
	}
	if len(r.Rows) > 0 {
		b.WriteString("\n")
	}
	b.WriteString("]\n")
	_, err := w.Write(b.Bytes())
	return err
}

// jsonValue writes numbers as CSV does, and null for what JSON has no number.
func jsonValue(v any) ([]byte, error) {
	switch f := v.(type) {
	case float32:
		if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
			return []byte("null"), nil
		}
	case float64:
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return []byte("null"), nil
		}
	}
	return json.Marshal(v)
}
