package executor

import (
	"slices"
	"testing"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/tables/queries"
	"occlude/planner"
)

// flat is a heat map of some positions.
func flat(m *model.Model, image string, positions int) *HeatMap {
	h := &HeatMap{Image: image, Plan: &planner.Occlude{Model: m, Net: &network.Network{}}, States: make([]State, positions)}
	h.Plan.Grid.Positions = make([]planner.Position, positions)
	h.Classes = []ClassMap{{Label: "c", P: make([]float32, positions)}}
	return h
}

// The last result is the rows of all heat maps of a statement, up to a number, and
// holds on to nothing but what the rows are made of.
func TestLastResult(t *testing.T) {
	m := &model.Model{Name: "m", Net: &network.Network{}, Spec: imageio.DefaultSpec(224, 112)}
	var l lastResult
	l.add(flat(m, "a.png", 3))
	l.add(flat(m, "b.png", 2))
	last := l.table()
	var images []any
	for row := range last.Rows {
		images = append(images, row[slices.Index(last.Columns, "image")])
	}
	if !slices.Equal(images, []any{"a.png", "a.png", "a.png", "b.png", "b.png"}) || last.Lost != nil {
		t.Error(images, last.Lost)
	}
	want := queries.Input{Model: "m", Shape: queries.Shape{Width: 224, Height: 112, Resize: "squash"}}
	if !slices.Equal(last.Inputs, []queries.Input{want}) {
		t.Error(last.Inputs)
	}
	for _, part := range l.parts {
		if p := part.(*HeatMap).Plan; p.Net != nil || p.Model.Net != nil {
			t.Error("the network is kept")
		}
	}
	if l.table() != last {
		t.Error("made again, though nothing came after")
	}
	l.add(flat(m, "c.png", maxLast))
	if lost := l.table(); lost.Lost == nil || len(l.parts) != 1 {
		t.Errorf("%d parts of more rows than are kept, %v", len(l.parts), lost.Lost)
	}
	// One result is whole, however large.
	var one lastResult
	one.add(flat(m, "a.png", maxLast+1))
	if last := one.table(); last.Lost != nil {
		t.Error(last.Lost)
	}
}
