package lattice

import (
	"math"
	"slices"
)

// leastCoarse is how many positions the coarsest level has at least, where there are so
// many: fewer show nothing.
const leastCoarse = 16

// Levels are lattices of the same positions, each of which holds the lines of the one
// before: by them positions are known from coarse to fine.
type Levels struct {
	lattices []*Lattice // the coarsest first; the last one has every position
	of       []uint8    // the first lattice that has it, by position
}

// NewLevels makes levels of a lattice with the given steps, as New takes them: coarser
// ones of twice the steps each, and finer ones that halve them until every position is
// there.
func NewLevels(x, y []int, cells []int32, stepX, stepY int) *Levels {
	first := New(x, y, cells, stepX, stepY)
	coarser, finer := []*Lattice{first}, []*Lattice(nil)
	with := func(sx, sy int) *Lattice { return newLattice(x, y, cells, first.at, sx, sy) }
	for sx, sy := 2*stepX, 2*stepY; sx < 2*len(x) || sy < 2*len(y); sx, sy = 2*sx, 2*sy {
		l := with(sx, sy)
		if l.count() < leastCoarse {
			break
		}
		coarser = append(coarser, l)
	}
	for sx, sy := stepX, stepY; sx > 1 || sy > 1; {
		sx, sy = half(sx), half(sy)
		finer = append(finer, with(sx, sy))
	}
	slices.Reverse(coarser)
	l := &Levels{append(coarser, finer...), make([]uint8, len(cells))}
	for level := len(l.lattices) - 1; level >= 0; level-- {
		for i, known := range l.lattices[level].known {
			if known {
				l.of[i] = uint8(level)
			}
		}
	}
	return l
}

// half is half a step if that is whole, so that no line is lost, and else 1.
func half(step int) int {
	if step%2 == 0 {
		return step / 2
	}
	return 1
}

// count is the number of the lattice's positions.
func (l *Lattice) count() int {
	n := 0
	for _, known := range l.known {
		if known {
			n++
		}
	}
	return n
}

// Bytes is what the levels hold beside the positions.
func (l *Levels) Bytes() int64 {
	if l == nil {
		return 0
	}
	of := l.lattices[0]
	return int64(4*len(of.at) + 4*len(of.cells) + len(l.of) + len(l.lattices)*len(of.known))
}

// Sizes are the numbers of positions that each level adds, the coarsest first.
func (l *Levels) Sizes() []int {
	sizes := make([]int, len(l.lattices))
	for _, level := range l.of {
		sizes[level]++
	}
	return slices.DeleteFunc(sizes, func(n int) bool { return n == 0 })
}

// Coarsest tells whether a position is of the coarsest level.
func (l *Levels) Coarsest(position int32) bool { return l.of[position] == 0 }

// Sort brings positions into the order of their levels; those of one level keep theirs.
func (l *Levels) Sort(positions []int32) {
	slices.SortStableFunc(positions, func(a, b int32) int { return int(l.of[a]) - int(l.of[b]) })
}

// Fill fills in the values of the positions that are not known from those that are, in
// each of some maps. Level by level a position gets what its level's lattice would give
// it, enlarged, whose own positions are known or filled in by then. So what is known of
// a fine level counts around it as soon as it is there. The coarsest level, which
// nothing is below, takes its nearest known positions. At least one must be known.
func (l *Levels) Fill(known []bool, maps ...[]float32) {
	l.begin(known, maps)
	for level := 1; level < len(l.lattices); level++ {
		below := l.lattices[level-1]
		for i, of := range l.of {
			if int(of) != level || known[i] {
				continue
			}
			p := below.place(below.cells[i])
			for _, values := range maps {
				values[i] = float32(below.value(p, values))
			}
		}
	}
}

// begin fills in the coarsest level.
func (l *Levels) begin(known []bool, maps [][]float32) {
	var missing, from []int32 // of the coarsest level
	for i, of := range l.of {
		switch {
		case of > 0:
		case known[i]:
			from = append(from, int32(i))
		default:
			missing = append(missing, int32(i))
		}
	}
	if len(missing) == 0 {
		return
	}
	if len(from) == 0 {
		for i, k := range known {
			if k {
				from = append(from, int32(i))
			}
		}
	}
	for _, i := range missing {
		nearest, least := int32(-1), math.Inf(1)
		for _, j := range from {
			if d := l.distance(i, j); d < least {
				nearest, least = j, d
			}
		}
		for _, values := range maps {
			values[i] = values[nearest]
		}
	}
}

// distance is that of two positions in pixels.
func (l *Levels) distance(i, j int32) float64 {
	of := l.lattices[0]
	columns := int32(len(of.x.edges))
	a, b := of.cells[i], of.cells[j]
	return math.Hypot(float64(of.x.edges[a%columns]-of.x.edges[b%columns]), float64(of.y.edges[a/columns]-of.y.edges[b/columns]))
}
