package executor

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"gorgonia.org/tensor"

	"occlude/internal/heatmap"
	"occlude/internal/quality"
	"occlude/planner"
)

// Comparison is the answer to COMPARE: two heat maps of the same positions.
type Comparison struct {
	Plan          *planner.Compare
	First, Second *HeatMap
	Classes       []Likeness // by rank: the first class of one map and of the other, and so on
}

// Likeness says how alike two maps of p_drop are.
type Likeness struct {
	// Pearson is their correlation and SSIM their structural similarity on the grid,
	// in units of the first's range; NaN where positions form no grid.
	Pearson, SSIM float64
	// Difference is the largest of the first p_drop less the second, by its
	// amount, and At where it is.
	Difference float64
	At         planner.Position
}

func (*Comparison) result() {}

func (s *Session) compare(ctx context.Context, p *planner.Compare, emit func(Result) error) error {
	c := &Comparison{Plan: p}
	for _, side := range []struct {
		query *planner.Occlude
		into  **HeatMap
	}{{p.First, &c.First}, {p.Second, &c.Second}} {
		q := *side.query
		q.Started = time.Now() // of which WITHIN counts
		h, err := s.heatMap(ctx, &q)
		if err != nil {
			return err
		}
		*side.into = h
	}
	for k := range c.First.Classes {
		l, err := c.likeness(k)
		if err != nil {
			return err
		}
		c.Classes = append(c.Classes, l)
	}
	return emit(c)
}

// drops are p_drop of the class of a rank.
func (h *HeatMap) drops(rank int) []float32 {
	c := h.Classes[rank]
	d := make([]float32, len(c.P))
	for i, p := range c.P {
		d[i] = c.P0 - p
	}
	return d
}

// differences are the first p_drop less the second of the classes of a rank, by index
// of the positions.
func (c *Comparison) differences(rank int) []float32 {
	d := c.First.drops(rank)
	for i, second := range c.Second.drops(rank) {
		d[i] -= second
	}
	return d
}

func (c *Comparison) likeness(rank int) (Likeness, error) {
	g := c.First.Plan.Grid
	l := Likeness{Difference: -1}
	for i, d := range c.differences(rank) {
		if v := float64(d); i == 0 || math.Abs(v) > math.Abs(l.Difference) {
			l.Difference, l.At = v, g.Positions[i]
		}
	}
	of := func(m *HeatMap) quality.Map { return m.comparable(ClassMap{P: m.drops(rank)}) }
	figures, err := quality.Compare(of(c.First), of(c.Second), nil)
	l.Pearson, l.SSIM = figures.Pearson, figures.SSIM
	if g.Listed {
		l.SSIM = math.NaN()
	}
	return l, err
}

// Relation lists one row per rank and position.
func (c *Comparison) Relation() *Relation {
	g := c.First.Plan.Grid
	r := &Relation{Columns: []string{"rank", "class_first", "class_second", "x", "y", "w", "h", "p_drop_first", "p_drop_second", "difference"}}
	for k := range c.Classes {
		first, second, differences := c.First.drops(k), c.Second.drops(k), c.differences(k)
		for i, pos := range g.Positions {
			r.Rows = append(r.Rows, []any{
				k + 1, c.First.Classes[k].Label, c.Second.Classes[k].Label, pos.X, pos.Y, g.PatchW, g.PatchH,
				first[i], second[i], differences[i],
			})
		}
	}
	return r
}

// Array holds p_drop of the first map, of the second, and their difference, each of
// the shape that [HeatMap.Array] has.
func (c *Comparison) Array() *tensor.Dense {
	var data []float32
	for _, of := range []func(rank int) []float32{c.First.drops, c.Second.drops, c.differences} {
		for k := range c.Classes {
			data = append(data, c.First.cells(ClassMap{P: of(k)})...)
		}
	}
	shape := append(tensor.Shape{3}, c.First.Array().Shape()...)
	return tensor.New(tensor.WithShape(shape...), tensor.WithBacking(data))
}

// PNG draws the maps side by side on one scale, and the difference.
func (c *Comparison) PNG(w io.Writer) error {
	p := c.Pair()
	return p.EncodePNG(w)
}

// Pair is the comparison as a picture. What both maps have in common is told in the
// title and the caption, what sets them apart above each.
func (c *Comparison) Pair() heatmap.Pair {
	a, b := c.First.Plan, c.Second.Plan
	var names [2][]string
	var title []string
	apart := func(prefix, first, second string) bool {
		if first == second {
			return false
		}
		names[0], names[1] = append(names[0], prefix+first), append(names[1], prefix+second)
		return true
	}
	if !apart("", filepath.Base(c.First.Image), filepath.Base(c.Second.Image)) {
		title = append(title, filepath.Base(c.First.Image))
	}
	if !apart("", a.Model.Name, b.Model.Name) {
		title = append(title, a.Model.Name)
	}
	if title == nil {
		title = []string{"two images in two models"}
	}
	caption := fmt.Sprintf("patch %dx%d · stride %s · %d positions", a.Grid.PatchW, a.Grid.PatchH, a.Grid.Stride(), len(a.Grid.Positions))
	if !apart("fill ", a.Fill.Text, b.Fill.Text) {
		caption += " · fill " + a.Fill.Text
	}
	if !apart("", a.Chosen().Name, b.Chosen().Name) {
		caption += " · " + a.Chosen().Name
	}
	if names[0] == nil {
		names[0], names[1] = []string{"first"}, []string{"second"}
	}
	p := heatmap.Pair{
		First:  heatmap.Side{Name: strings.Join(names[0], " · "), Image: c.First.Pixels},
		Second: heatmap.Side{Name: strings.Join(names[1], " · "), Image: c.Second.Pixels},
		Title:  strings.Join(title, " · "), Caption: caption, Colormap: a.Colormap,
	}
	for k, l := range c.Classes {
		p.First.Maps, p.Second.Maps = append(p.First.Maps, c.First.Map(k)), append(p.Second.Maps, c.Second.Map(k))
		p.Notes = append(p.Notes, fmt.Sprintf("correlation %.2f, SSIM %.2f", down(l.Pearson), down(l.SSIM)))
	}
	return p
}
