package planner

import (
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/lattice"
	"occlude/operators/region"
)

// shapes collects the shapes of the positions' rectangles, to bring positions
// into an order in which equal ones stand together: kernels then get groups of
// equal rectangles.
//
// Heights depend on a position's row and widths on its column alone, so each
// axis has far fewer shapes than there are positions, and the classes of
// positions are pairs of them. Unless a rectangle is empty: that may be for either.
type shapes struct {
	rows, cols map[uint64]int32 // numbers of shapes, in the order of their first position
	y, x       map[int]int32    // those of positions, where they tell of others
	classes    []class          // of each position
	kinds      []kind           // in the order of their first position
	known      map[class]int    // indices of kinds
}

type class struct{ row, col int32 }

// kind is the positions of a class.
type kind struct {
	rects []region.Rect // of the first one
	runs  int64         // how many there are
	bytes []int64       // of the updates by layer, see weigh
	total int64         // of them
	cells int64         // of the rectangles of all layers
}

// kindOf is the place of a position's class among the kinds.
func (s *shapes) kindOf(position int32) int { return s.known[s.classes[position]] }

// weigh fills in what the updates of each kind take, once.
func (s *shapes) weigh(net *network.Network) {
	for i := range s.kinds {
		if s.kinds[i].bytes != nil {
			return
		}
		k := &s.kinds[i]
		k.bytes, k.total, k.cells = updateBytes(net, k.rects), 0, operators.Cells(k.rects)
		for _, n := range k.bytes {
			k.total += n
		}
	}
}

func newShapes(positions int) *shapes {
	return &shapes{
		rows: map[uint64]int32{}, cols: map[uint64]int32{}, y: map[int]int32{}, x: map[int]int32{},
		classes: make([]class, 0, positions), known: map[class]int{},
	}
}

// foreseen adds the next position by what others of its row and column have told, if they
// have.
func (s *shapes) foreseen(p Position) bool {
	row, ok := s.y[p.Y]
	if !ok {
		return false
	}
	col, ok := s.x[p.X]
	if !ok {
		return false
	}
	k, ok := s.known[class{row, col}]
	if ok {
		s.classes = append(s.classes, class{row, col})
		s.kinds[k].runs++
	}
	return ok
}

// add tells the rectangles of the next position, p; changeable tells of layers, by Index,
// whether they depend on the image. The shape of an axis is the lengths at all layers, of
// which a hash (FNV-1a) is kept: if two were ever equal by chance, groups would be less even,
// and nothing else.
func (s *shapes) add(p Position, rects []region.Rect, changeable []bool) {
	const offset, prime = 14695981039346656037, 1099511628211
	h, w := uint64(offset), uint64(offset)
	empty := false
	for i, r := range rects {
		h = (h ^ uint64(r.H())) * prime
		w = (w ^ uint64(r.W())) * prime
		empty = empty || r.Empty() && changeable[i]
	}
	number := func(of map[uint64]int32, shape uint64) int32 {
		n, ok := of[shape]
		if !ok {
			n = int32(len(of))
			of[shape] = n
		}
		return n
	}
	c := class{number(s.rows, h), number(s.cols, w)}
	if !empty {
		s.y[p.Y], s.x[p.X] = c.row, c.col
	}
	s.classes = append(s.classes, c)
	k, ok := s.known[c]
	if !ok {
		k = len(s.kinds)
		s.known[c], s.kinds = k, append(s.kinds, kind{rects: slices.Clone(rects)})
	}
	s.kinds[k].runs++
}

// order is the positions by class: neighbouring classes share their heights,
// and within a class positions keep their order.
func (s *shapes) order() []int32 {
	order := make([]int32, len(s.classes))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(a, b int32) int {
		x, y := s.classes[a], s.classes[b]
		if x.row != y.row {
			return int(x.row - y.row)
		}
		return int(x.col - y.col)
	})
	return order
}

// refine brings the positions into an order from coarse to fine, where the query wants
// them so. Those of one level keep theirs, and with steps that are powers of two levels
// tear few classes apart: what a network's strides make of a position depends on its
// row and column modulo such a power, too.
func (c *Candidate) refine(q *Occlude) {
	if q.Progressive == "" {
		return
	}
	stepX, stepY := c.DrillDown.steps(q.Grid)
	c.Levels = lattice.NewLevels(q.Grid.X, q.Grid.Y, q.Grid.cells(), stepX, stepY)
	c.Levels.Sort(c.Order)
}
