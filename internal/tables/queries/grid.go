package queries

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"gorgonia.org/tensor"

	"occlude/internal/heatmap"
	"occlude/internal/npy"
)

// Grid is a heat map made of rows.
type Grid struct {
	X, Y []float64 // edges of the patches, ascending
	W, H float64   // of a patch; 0 where nobody said it
	V    []float32 // len(Y) rows of len(X); NaN where there is none
}

// NPY writes the values as an array, (rows, columns).
func (g *Grid) NPY(w io.Writer) error {
	return npy.Write(w, tensor.New(tensor.WithShape(len(g.Y), len(g.X)), tensor.WithBacking(g.V)))
}

// values is the grid to be drawn, as far as the patches reach.
func (g *Grid) values() (*heatmap.Values, error) {
	out := &heatmap.Values{V: g.V, Label: "value"}
	sides := [2]int{}
	for i, axis := range []struct {
		edges []float64
		size  float64
		into  *[]int
		patch *int
	}{{g.X, g.W, &out.X, &out.PatchW}, {g.Y, g.H, &out.Y, &out.PatchH}} {
		*axis.patch = max(1, int(min(axis.size, maxSide)))
		if axis.size == 0 {
			*axis.patch = step(axis.edges)
		}
		for _, v := range axis.edges {
			if v != math.Trunc(v) || v < 0 || v > maxSide {
				return nil, fmt.Errorf("a picture has no pixel at %g", v)
			}
			*axis.into = append(*axis.into, int(v))
		}
		sides[i] = int(axis.edges[len(axis.edges)-1]) + *axis.patch
	}
	if sides[0] > maxPixels/sides[1] {
		return nil, fmt.Errorf("a picture of %dx%d pixels is too large", sides[0], sides[1])
	}
	return out, nil
}

// Limits of a picture.
const (
	maxSide   = 1 << 16
	maxPixels = 1 << 26
)

// step is the least distance of neighbours, 1 if there is only one position.
func step(edges []float64) int {
	least := math.Inf(1)
	for i := 1; i < len(edges); i++ {
		least = min(least, edges[i]-edges[i-1])
	}
	if math.IsInf(least, 1) {
		return 1
	}
	return max(1, int(min(least, maxSide)))
}

// PNG draws the grid.
func (g *Grid) PNG(w io.Writer) error {
	v, err := g.values()
	if err != nil {
		return err
	}
	return v.EncodePNG(w)
}

// GridBuilder makes a grid of rows that are positions of one heat map.
type GridBuilder struct {
	places []int // of x, y, w, h and p_drop among the columns, or without w and h
	cells  *heatMap
}

// NewGridBuilder makes one for rows of these columns; nil where they are no
// positions: where x, y or p_drop is missing.
func NewGridBuilder(columns []string) *GridBuilder {
	find := func(names ...string) (places []int) {
		for _, n := range names {
			i := slices.IndexFunc(columns, func(c string) bool { return strings.EqualFold(c, n) })
			if i < 0 {
				return nil
			}
			places = append(places, i)
		}
		return places
	}
	places := find("x", "y", "w", "h", "p_drop")
	if places == nil {
		places = find("x", "y", "p_drop")
	}
	if places == nil {
		return nil
	}
	return &GridBuilder{places, newHeatMap()}
}

// Add takes a row. Two of the same position are an error.
func (b *GridBuilder) Add(values []any) error {
	row := make([]driver.Value, len(b.places))
	for i, p := range b.places {
		row[i] = values[p]
	}
	at, rows, err := b.cells.add(row)
	if err == nil && rows > 1 {
		err = fmt.Errorf("the position (%g, %g) comes twice: this is more than one heat map", at[0], at[1])
	}
	return err
}

// Grid is that of the rows.
func (b *GridBuilder) Grid() (*Grid, error) {
	if len(b.cells.cells) == 0 {
		return nil, errors.New("no row has a position")
	}
	return b.cells.grid()
}
