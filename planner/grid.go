package planner

import (
	"fmt"
	"strconv"

	"occlude/operators/region"
)

// Grid is where the patch is put.
type Grid struct {
	PatchW, PatchH   int
	StrideW, StrideH int
	Width, Height    int   // of the model's input
	X, Y             []int // left edges of the columns, top edges of the rows
	// Positions are those asked for, in the order they are reported.
	Positions []Position
	// Listed tells that Positions were given by hand (AT), so that they need
	// not lie on the columns and rows.
	Listed bool
	// DropRim leaves out the last position flush with the far edge.
	DropRim bool
}

// Position is one place of the patch. Row and Col index Grid.Y and Grid.X, and
// are meaningless for a list.
type Position struct{ X, Y, Row, Col int }

// Rows is the number of rows of the grid.
func (g Grid) Rows() int { return len(g.Y) }

// Cols is the number of columns of the grid.
func (g Grid) Cols() int { return len(g.X) }

// Stride is the distance of positions as people write it: 4, or 4x8 where the axes
// differ.
func (g Grid) Stride() string {
	if g.StrideW == g.StrideH {
		return strconv.Itoa(g.StrideW)
	}
	return fmt.Sprintf("%dx%d", g.StrideW, g.StrideH)
}

// Rect is the rectangle that the patch covers at a position.
func (g Grid) Rect(p Position) region.Rect { return region.Of(p.X, p.Y, g.PatchW, g.PatchH) }

// Complete tells whether every position of the grid is asked for.
func (g Grid) Complete() bool { return !g.Listed && len(g.Positions) == len(g.X)*len(g.Y) }

// cells are the places of the positions in the grid, row by row.
func (g Grid) cells() []int32 {
	cells := make([]int32, len(g.Positions))
	for i, p := range g.Positions {
		cells[i] = int32(p.Row*g.Cols() + p.Col)
	}
	return cells
}

// maxPositions bounds a query, so that a stride of 1 on a huge input is refused
// instead of filling the memory with positions.
const maxPositions = 1 << 24

// lay fills in X and Y: 0, S, 2S, ... and one last position flush with the far
// edge where that leaves a rim. The patch must fit into the input.
func (g *Grid) lay() error {
	g.X, g.Y = axis(g.Width, g.PatchW, g.StrideW, g.DropRim), axis(g.Height, g.PatchH, g.StrideH, g.DropRim)
	if len(g.X) > maxPositions/len(g.Y) {
		return fmt.Errorf("a grid of %d by %d positions is beyond the limit of %d", len(g.X), len(g.Y), maxPositions)
	}
	return nil
}

func axis(n, patch, stride int, dropRim bool) []int {
	at := []int{}
	for v := 0; v+patch <= n; v += stride {
		at = append(at, v)
	}
	if last := n - patch; at[len(at)-1] != last && !dropRim {
		at = append(at, last)
	}
	return at
}

// all puts every position of the grid for which keep holds into Positions.
func (g *Grid) all(keep func(Position) bool) {
	g.Positions = make([]Position, 0, len(g.X)*len(g.Y))
	for r, y := range g.Y {
		for c, x := range g.X {
			if p := (Position{X: x, Y: y, Row: r, Col: c}); keep(p) {
				g.Positions = append(g.Positions, p)
			}
		}
	}
}
