package sampling

import (
	"errors"
	"fmt"
)

// Grid is where the patch can stand: columns with left edges X and rows with top
// edges Y, in pixels, strictly ascending. Steps may differ, as they do at the
// rim. Position i is that of column i%len(X) and row i/len(X).
type Grid struct {
	X, Y []int
	// Missing marks positions that are not wanted; nil where all are. They are
	// never sampled and have NaN in every map.
	Missing []bool
}

func (g *Grid) check() error {
	if len(g.X) == 0 || len(g.Y) == 0 {
		return errors.New("a grid without positions cannot be sampled")
	}
	for _, axis := range []struct {
		name  string
		edges []int
	}{{"x", g.X}, {"y", g.Y}} {
		for i := 1; i < len(axis.edges); i++ {
			if axis.edges[i] <= axis.edges[i-1] {
				return fmt.Errorf("%s coordinates of a grid must ascend, but %d follows %d", axis.name, axis.edges[i], axis.edges[i-1])
			}
		}
	}
	if n := len(g.X) * len(g.Y); g.Missing != nil && len(g.Missing) != n {
		return fmt.Errorf("a grid of %d positions says of %d whether they are missing", n, len(g.Missing))
	}
	return nil
}

// point is a position's place in units of the patch's sides.
type point struct{ x, y float64 }

func (p point) distance2(q point) float64 {
	dx, dy := p.x-q.x, p.y-q.y
	return dx*dx + dy*dy
}

// points are the places of all positions, missing ones too, and wanted the
// indices of those that are not missing, ascending.
func (g *Grid) points(patchW, patchH int) (places []point, wanted []int) {
	for j, y := range g.Y {
		for i, x := range g.X {
			at := j*len(g.X) + i
			places = append(places, point{float64(x) / float64(patchW), float64(y) / float64(patchH)})
			if g.Missing == nil || !g.Missing[at] {
				wanted = append(wanted, at)
			}
		}
	}
	return places, wanted
}
