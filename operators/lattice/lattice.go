package lattice

import (
	"math"
	"slices"
)

// Lattice is a part of a grid's positions, and how the others follow from it.
type Lattice struct {
	x, y  axis
	at    []int32 // the position in each cell of the grid, -1 for none
	cells []int32 // of each position
	known []bool  // by position
	// alone are the samples of blocks without corners, by block.
	alone map[int]int32
}

// axis is one direction of a lattice.
type axis struct {
	edges []int // pixels
	step  int   // lattice lines are step cells apart, and the last cell is one
}

// between gives the lattice lines around cell i, as cells, and how far from the
// first to the second it is, 0 to 1.
func (a axis) between(i int) (lo, hi int, t float64) {
	last := len(a.edges) - 1
	lo = i / a.step * a.step
	if lo == last { // the last line belongs to the block before it
		lo = max(0, (last-1)/a.step*a.step)
	}
	hi = min(lo+a.step, last)
	if hi == lo {
		return lo, hi, 0
	}
	return lo, hi, float64(a.edges[i]-a.edges[lo]) / float64(a.edges[hi]-a.edges[lo])
}

// New takes every stepX-th of the columns with left edges x and every stepY-th of
// the rows with top edges y, and the last ones. The steps are at least 1. The
// positions are in the given cells, row * len(x) + column, each once.
func New(x, y []int, cells []int32, stepX, stepY int) *Lattice {
	at := slices.Repeat([]int32{-1}, len(x)*len(y))
	for i, c := range cells {
		at[c] = int32(i)
	}
	return newLattice(x, y, cells, at, stepX, stepY)
}

// newLattice is New where it is known which position is in each cell.
func newLattice(x, y []int, cells, at []int32, stepX, stepY int) *Lattice {
	l := &Lattice{x: axis{x, stepX}, y: axis{y, stepY}, cells: cells, at: at, known: make([]bool, len(cells)), alone: map[int]int32{}}
	columns := len(x)
	for i, c := range cells {
		l.known[i] = l.x.line(int(c)%columns) && l.y.line(int(c)/columns)
	}
	if len(cells) == len(x)*len(y) {
		return l // without holes every block has its corners
	}
	nearest := map[int]float64{} // to the centre, of blocks without corners
	for i, c := range cells {
		p := l.place(c)
		if p.cornered() {
			continue
		}
		d := math.Hypot(p.tx-.5, p.ty-.5)
		if least, ok := nearest[p.block]; !ok || d < least {
			nearest[p.block], l.alone[p.block] = d, int32(i)
		}
	}
	for _, i := range l.alone {
		l.known[i] = true
	}
	return l
}

// line tells whether cell i lies on a lattice line.
func (a axis) line(i int) bool { return i%a.step == 0 || i == len(a.edges)-1 }

// place is where a cell stands in the lattice.
type place struct {
	row, column int
	block       int // the cell of the block's first corner
	tx, ty      float64
	corners     [4]int32 // positions, -1 for none; the first row first
}

func (p *place) cornered() bool { return slices.Max(p.corners[:]) >= 0 }

func (l *Lattice) place(cell int32) place {
	columns := len(l.x.edges)
	p := place{row: int(cell) / columns, column: int(cell) % columns}
	var x, y [2]int
	x[0], x[1], p.tx = l.x.between(p.column)
	y[0], y[1], p.ty = l.y.between(p.row)
	p.block = y[0]*columns + x[0]
	for i := range p.corners {
		p.corners[i] = l.at[y[i/2]*columns+x[i%2]]
	}
	return p
}

// Known lists the lattice's positions, ascending.
func (l *Lattice) Known() []int32 {
	var list []int32
	for i, known := range l.known {
		if known {
			list = append(list, int32(i))
		}
	}
	return list
}

// Enlarge fills in the values of all positions from those of the lattice, which
// stay as they are.
func (l *Lattice) Enlarge(values []float32) {
	for i, c := range l.cells {
		if !l.known[i] {
			values[i] = float32(l.value(l.place(c), values))
		}
	}
}

func (l *Lattice) value(p place, values []float32) float64 {
	if !p.cornered() {
		return float64(values[l.alone[p.block]])
	}
	sum, total := 0.0, 0.0
	nearest, least := 0.0, math.Inf(1)
	for i, at := range p.corners {
		if at < 0 {
			continue
		}
		wx, wy := 1-p.tx, 1-p.ty // the shares of this corner's column and row
		if i%2 == 1 {
			wx = p.tx
		}
		if i/2 == 1 {
			wy = p.ty
		}
		v := float64(values[at])
		sum += wx * wy * v
		total += wx * wy
		if d := math.Hypot(1-wx, 1-wy); d < least {
			nearest, least = v, d
		}
	}
	if total == 0 {
		return nearest
	}
	return sum / total
}

// Largest lists the n positions with the largest values, ascending; among equals
// the earlier ones.
func Largest(values []float32, n int) []int32 {
	list := make([]int32, len(values))
	for i := range list {
		list[i] = int32(i)
	}
	slices.SortStableFunc(list, func(a, b int32) int {
		switch x, y := values[a], values[b]; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	list = list[:min(n, len(list))]
	slices.Sort(list)
	return list
}
