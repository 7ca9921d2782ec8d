package executor

import (
	"fmt"
	"io"

	"gorgonia.org/tensor"

	"occlude/planner"
)

// Result is what a statement returns: one of the types below.
type Result interface{ result() }

// What a result can be besides printed. COPY asks for these, and nothing else of a
// result, so a new kind of result can be written to files by having the methods.
type (
	// Tabular is a result that has rows: COPY writes them as csv and json, and they
	// are the table last.
	Tabular interface {
		Result
		Relation() *Relation
	}
	// Pictured is a result that can be drawn, for png.
	Pictured interface {
		Result
		PNG(w io.Writer) error
	}
	// Arrayed is a result that is an array of numbers, for npy.
	Arrayed interface {
		Result
		Array() *tensor.Dense
	}
)

// Message tells that a statement was done, in a few words.
type Message struct{ Text string }

// Relation is a table.
type Relation struct {
	Columns []string
	Rows    [][]any // string, int, float32, float64, bool, or nil for NULL
}

// Relation returns r: a table has its rows.
func (r *Relation) Relation() *Relation { return r }

// Description is what DESCRIBE MODEL returns.
type Description struct{ Plan *planner.Describe }

// Explanation is a plan to show, with what it really took for ANALYZE.
type Explanation struct {
	Plan   *planner.Explain
	Actual *planner.Actuals // nil without ANALYZE
}

// HeatMap is the answer to an OCCLUDE for one image.
type HeatMap struct {
	Plan    *planner.Occlude
	Image   string
	Pixels  *tensor.Dense // the model's input in pixel space, (H, W, C), 0..255
	Classes []ClassMap
	States  []State  // by index of Plan.Grid.Positions, the same for all classes
	Quality *Quality // nil where nothing was measured
	Actual  planner.Actuals
	Written []string // files
	// Partial tells that the query has not ended, or was cancelled before it had: the map
	// is what was known by then.
	Partial bool
}

// ClassMap is one class's share of a heat map.
type ClassMap struct {
	ID    int
	Label string
	P0    float32
	P     []float32 // by index of Plan.Grid.Positions; NaN where it is missing
}

func (Message) result()      {}
func (*Relation) result()    {}
func (Description) result()  {}
func (*Explanation) result() {}
func (*HeatMap) result()     {}

// State says how a position's values were found.
type State uint8

// The states of a position.
const (
	Exact        State = iota // computed, and nothing left out
	Approximate               // computed, but less than what changes
	Interpolated              // from positions around it
	Missing                   // not at all: a partial map has not come to it
)

func (s State) String() string {
	return [...]string{Exact: "exact", Approximate: "approximate", Interpolated: "interpolated", Missing: "missing"}[s]
}

// Count is the number of positions in a state.
func (h *HeatMap) Count(s State) int {
	n := 0
	for _, t := range h.States {
		if t == s {
			n++
		}
	}
	return n
}

// Computed is the number of positions that were computed, exactly or not.
func (h *HeatMap) Computed() int { return h.Count(Exact) + h.Count(Approximate) }

// Relation lists one row per class and position.
func (h *HeatMap) Relation() *Relation {
	g := h.Plan.Grid
	r := &Relation{
		Columns: []string{"image", "model", "class_id", "class", "x", "y", "w", "h", "p0", "p", "p_drop", "state"},
		Rows:    make([][]any, 0, len(h.Classes)*len(g.Positions)),
	}
	for _, c := range h.Classes {
		for i, pos := range g.Positions {
			var p, drop any // NULL where it is missing
			if h.States[i] != Missing {
				p, drop = c.P[i], c.P0-c.P[i]
			}
			r.Rows = append(r.Rows, []any{
				h.Image, h.Plan.Model.Name, c.ID, c.Label, pos.X, pos.Y, g.PatchW, g.PatchH, c.P0, p, drop, h.States[i].String(),
			})
		}
	}
	return r
}

// Array is p as a numeric array: (rows, columns) of the grid, or the number of
// listed positions, with the classes in front where there are several. Positions
// that WHERE left out are NaN, and so are those that are missing.
func (h *HeatMap) Array() *tensor.Dense {
	g := h.Plan.Grid
	shape := tensor.Shape{len(g.Positions)}
	if !g.Listed {
		shape = tensor.Shape{g.Rows(), g.Cols()}
	}
	var data []float32
	for _, c := range h.Classes {
		data = append(data, h.cells(c)...)
	}
	if len(h.Classes) > 1 {
		shape = append(tensor.Shape{len(h.Classes)}, shape...)
	}
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// cells spreads a class's values over the whole grid.
func (h *HeatMap) cells(c ClassMap) []float32 {
	g := h.Plan.Grid
	if g.Listed {
		return c.P
	}
	out := make([]float32, g.Rows()*g.Cols())
	for i := range out {
		out[i] = nan
	}
	for i, pos := range g.Positions {
		out[pos.Row*g.Cols()+pos.Col] = c.P[i]
	}
	return out
}

// Peak is the position at which hiding the image hurts the first class most.
func (h *HeatMap) Peak() (pos planner.Position, drop float32) { return h.PeakOf(0) }

// PeakOf is the same for the class of a rank, from 0.
func (h *HeatMap) PeakOf(rank int) (pos planner.Position, drop float32) {
	c := h.Classes[rank]
	best := 0
	for i, p := range c.P {
		if p < c.P[best] || c.P[best] != c.P[best] { // which is missing
			best = i
		}
	}
	return h.Plan.Grid.Positions[best], c.P0 - c.P[best]
}

// Interrupted tells how far a statement had come when its context ended.
type Interrupted struct {
	Image       string // "" where it was not at an image
	Of          string // what is counted, "" for positions
	Done, Total int
	// Table is that of a query into one, which has Kept of its Images now.
	Table        string
	Kept, Images int
	Cause        error
}

func (e *Interrupted) Error() string {
	text, of := "interrupted", e.Of
	if of == "" {
		of = "positions"
	}
	switch {
	case e.Image == "":
	case e.Total == 0:
		text += fmt.Sprintf(" at image %q before the first of the %s", e.Image, of)
	default:
		text += fmt.Sprintf(" at image %q after %d of %d %s (%.0f%%)",
			e.Image, e.Done, e.Total, of, 100*float64(e.Done)/float64(e.Total))
	}
	if e.Table != "" {
		text += "; " + goesOn(e.Table, e.Kept, e.Images)
	}
	return text
}

// Unwrap gives the context's cause.
func (e *Interrupted) Unwrap() error { return e.Cause }
