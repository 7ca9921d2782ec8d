package cpu

import (
	"fmt"
	"math"
	"slices"
	"unsafe"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// winograd is a convolution of stride 1 by Winograd's algorithm: the output is
// cut into tiles, a tile's input is transformed to values at a number of points,
// there the convolution is one product of matrices for each point, and the
// results are transformed back.
//
//	input ──Bᵀ──▶ V[point][tile][Cin] ──U[point]──▶ M[point][tile][Cout] ──Aᵀ──▶ output
//
// Tiles are counted from the top left of a task's rectangle, so that it has as
// few of them as possible. The last ones of a row and of a column may be smaller:
// such a tile is computed at some of the points only, as many as its own
// algorithm needs, see simd.Winograd.Part. How cells are rounded thus depends on
// their rectangle, but not on other tasks, nor on how tiles are divided into
// chunks.
//
// A transform runs along one axis after the other, see simd.Winograd; along an
// axis on which the window has one tap it does nothing. Work is ordered chunks
// of tiles -> points -> panels of filters -> the tiles with that point.
type winograd struct {
	op         network.Conv
	set        *simd.Set
	epilogue   epilogue
	y, x       winogradAxis
	cin, cout  int
	algorithm  operators.Algorithm
	panels     int
	rowV, rowM int // values from a tile to the next in V and M
	// weights are U, packed [point][panel][Cin][Panel]; filters that fill up the
	// last panel are zero.
	weights []float32
	bias    []float32 // Cout values
	zeros   []float32 // at least a panel and a block of them
}

// winogradAxis is one axis of the algorithm.
type winogradAxis struct {
	*simd.Winograd     // nil where the window has one tap
	tile, taps, points int
	// parts are the algorithms of tiles by their number of cells less one, ending
	// with the whole tile's.
	parts []*simd.Winograd
	// class is, for every point, the number of the class of points that are used
	// by the same parts. uses tells by the number of cells less one and the class
	// whether a part does.
	class []int
	uses  [][]bool
}

func newWinogradAxis(set *simd.Set, tile, taps int) (winogradAxis, error) {
	if taps == 1 {
		return winogradAxis{tile: 1, taps: 1, points: 1, class: []int{0}, uses: [][]bool{{true}}}, nil
	}
	w, err := set.Winograd(tile, taps)
	if err != nil {
		return winogradAxis{}, err
	}
	a := winogradAxis{Winograd: w, tile: w.Tile, taps: w.Taps, points: w.Points}
	for cells := 1; cells <= tile; cells++ {
		a.parts = append(a.parts, w.Part(cells))
	}
	var members []int // a point of each class
	for point := range a.points {
		like := slices.IndexFunc(members, func(other int) bool {
			return !slices.ContainsFunc(a.parts, func(p *simd.Winograd) bool { return p.Has(point) != p.Has(other) })
		})
		if like < 0 {
			like = len(members)
			members = append(members, point)
		}
		a.class = append(a.class, like)
	}
	for _, p := range a.parts {
		var uses []bool
		for _, point := range members {
			uses = append(uses, p.Has(point))
		}
		a.uses = append(a.uses, uses)
	}
	return a, nil
}

// filter is G, [points][taps].
func (a winogradAxis) filter() [][]float64 {
	if a.Winograd == nil {
		return [][]float64{{1}}
	}
	return a.Filter()
}

// count is the number of tiles that n cells take.
func (a winogradAxis) count(n int) int { return (n + a.tile - 1) / a.tile }

// part is the algorithm of a tile of so many cells, nil where the window has one
// tap.
func (a winogradAxis) part(cells int) *simd.Winograd {
	if a.Winograd == nil {
		return nil
	}
	return a.parts[cells-1]
}

// classes is the number of classes of points.
func (a winogradAxis) classes() int { return len(a.uses[0]) }

// newWinograd makes the kernel with tiles of the algorithm's side along the axes
// on which the window has more than one tap.
func newWinograd(op network.Conv, act activation, set *simd.Set, how operators.Algorithm) (*winograd, error) {
	k := &winograd{
		op:        op,
		set:       set,
		epilogue:  newEpilogue(op.Act, act),
		cin:       op.GroupIn(),
		cout:      op.Filters(),
		algorithm: how,
		bias:      make([]float32, op.Filters()),
		zeros:     simd.Aligned(max(set.Panel, winogradBlock)),
	}
	if y, x := op.Y.Kernel, op.X.Kernel; y != x && y != 1 && x != 1 {
		return nil, fmt.Errorf("a window of %dx%d", x, y)
	}
	var err error
	if k.y, err = newWinogradAxis(set, how.Tile(), op.Y.Kernel); err != nil {
		return nil, fmt.Errorf("%d rows: %w", op.Y.Kernel, err)
	}
	if k.x, err = newWinogradAxis(set, how.Tile(), op.X.Kernel); err != nil {
		return nil, fmt.Errorf("%d columns: %w", op.X.Kernel, err)
	}
	if k.y.taps > 1 && k.x.taps > 1 && k.x.points > simd.WinogradSquare {
		return nil, fmt.Errorf("%dx%d points", k.x.points, k.y.points)
	}
	copy(k.bias, op.Bias)
	k.panels = (k.cout + set.Panel - 1) / set.Panel
	k.rowV, k.rowM = apart(k.cin), apart(k.panels*set.Panel)
	k.pack()
	return k, nil
}

// apart is the distance between vectors of n values that are used side by side.
// An odd number of cache lines spreads them over the sets of a cache.
func apart(n int) int { return aligned(n) | alignment }

// points is the number of products.
func (k *winograd) points() int { return k.y.points * k.x.points }

// panel is the weights of one panel of filters at one point, [Cin][Panel].
func (k *winograd) panel(point, panel int) []float32 {
	n := k.cin * k.set.Panel
	return k.weights[(point*k.panels+panel)*n:][:n]
}

// packed implements packing.
func (k *winograd) packed() [][]float32 { return [][]float32{k.weights, k.bias, k.zeros} }

// weightBytes implements weighty.
func (k *winograd) weightBytes() int { return len(k.weights) * 4 }

// grain implements grainy.
func (k *winograd) grain() int { return k.y.tile }

// reads implements reader.
func (k *winograd) reads(out region.Rect) region.Rect {
	return region.Rect{Y: k.op.Y.Input(out.Y), X: k.op.X.Input(out.X)}
}

const (
	// chunkValues is how many values of V, M and, where they are few, weights may
	// take turns in the second-level cache: 1.5 MiB in bytes.
	chunkValues = 3 << 17
	// weightReuse is how many tiles a weight should be used for when it comes from
	// further away. A core multiplies the 4 bytes of a weight with a tile in 1/115
	// ns; with 144 tiles weights need to come at 3 GB/s, a fourth of what was
	// measured from memory while another core does the same. Half as many cost
	// 3% on ResNet18, twice as many gain nothing.
	weightReuse = 144
)

// chunkTiles is how many of a number of tiles, computed at so many points together,
// to take at a time.
//
// A chunk's V and M should stay in the second-level cache, for writing and reading
// them is then cheap, and so should the weights if they fit. If they do not,
// they come from further away for every chunk, which is no loss as long as each
// is used for half as many tiles as it should be: they are fetched ahead. Where
// V and M of so many tiles do not fit either, weights decide.
//
// Both count tiles as if these were whole: smaller ones have fewer values and use
// fewer of the weights.
func (k *winograd) chunkTiles(tiles, points int) int {
	perTile := k.points() * (k.rowV + k.rowM)
	size := chunkValues / perTile
	if 4*len(k.weights) <= 3*chunkValues {
		size = max((chunkValues-len(k.weights))/perTile, k.set.Rows)
	} else if size < weightReuse/2 {
		size = weightReuse
	}
	size = size * tiles * k.points() / points
	size = max(size/k.set.Rows, 1) * k.set.Rows
	chunks := (tiles + size - 1) / size
	size = (tiles + chunks - 1) / chunks
	return (size + k.set.Rows - 1) / k.set.Rows * k.set.Rows
}

// winogradScratch is a worker's memory for winograd, kept between runs. Blocks
// are taken for one call.
type winogradScratch struct {
	strips         []winogradStrip
	tiles          int // of the strips
	v, m           block
	buffer         block            // between the axes
	rowsV, rowsM   []unsafe.Pointer // of all tiles, at the first point
	planeV, planeM int              // values from a point to the next in V and M
	// in and out are tiles' rows of V and M, those of the tiles that use a class of
	// points along y and one along x from lists[class of y][class of x] on, up to
	// the next list's.
	in, out []unsafe.Pointer
	lists   []int

	// What loops are called with: here, so that it does not go to the heap.
	product            simd.Product
	segment            [1]int
	input, lineInput   simd.WinogradInput
	output, lineOutput simd.WinogradOutput
}

// winogradStrip is n tiles of h x w cells in a row of tiles, of which the first is
// the chunk's tile number at.
type winogradStrip struct {
	task  *task
	out   region.Rect
	h, w  int
	at, n int
}

func (k *winograd) forward(w *worker, tasks []task) error {
	tiles, points := 0, 0
	for _, t := range tasks {
		h, w := t.out.Rect.H(), t.out.Rect.W()
		tiles += k.y.count(h) * k.x.count(w)
		points += k.algorithm.Points(h, w, k.y.taps, k.x.taps)
	}
	if tiles == 0 {
		return nil
	}
	size := k.chunkTiles(tiles, points)
	c := &w.winograd
	k.begin(w, min(size, tiles))
	defer k.end(w)
	for i := range tasks {
		r := tasks[i].out.Rect
		for y := r.Y.Lo; y < r.Y.Hi; y += k.y.tile {
			rows := region.Interval{Lo: y, Hi: min(y+k.y.tile, r.Y.Hi)}
			for x := r.X.Lo; x < r.X.Hi; {
				s := winogradStrip{task: &tasks[i], at: c.tiles, n: 1}
				columns := region.Interval{Lo: x, Hi: r.X.Hi}
				if whole := columns.Len() / k.x.tile; whole > 0 {
					s.n = min(whole, size-c.tiles)
					columns.Hi = x + s.n*k.x.tile
				}
				s.out = region.Rect{Y: rows, X: columns}
				s.h, s.w = rows.Len(), columns.Len()/s.n
				c.strips = append(c.strips, s)
				c.tiles += s.n
				x = columns.Hi
				if c.tiles == size {
					if err := k.run(w); err != nil {
						return err
					}
				}
			}
		}
	}
	return k.run(w)
}

// begin takes memory for chunks of up to size tiles.
func (k *winograd) begin(w *worker, size int) {
	c := &w.winograd
	c.planeV, c.planeM = planeOf(size*k.rowV), planeOf(size*k.rowM)
	c.v = w.scratch(k.points() * c.planeV)
	c.m = w.scratch(k.points() * c.planeM)
	c.buffer = w.scratch(winogradBuffer)
	for i := range size {
		c.rowsV = append(c.rowsV, unsafe.Pointer(&c.v.data[i*k.rowV]))
		c.rowsM = append(c.rowsM, unsafe.Pointer(&c.m.data[i*k.rowM]))
	}
	inf := float32(math.Inf(1))
	c.product = simd.Product{
		Segments: c.segment[:], Length: k.cin,
		Bias: &k.zeros[0], Columns: k.set.Panel, Low: -inf, High: inf,
	}
}

// planeOf is the distance between planes of n values: not a multiple of 4 KiB,
// at which the processor takes a load for one of a value just stored, and at
// which the planes' values share a set of the first-level cache.
func planeOf(n int) int { return (n+1023)/1024*1024 + 5*alignment }

// end gives the memory back and lets go of the tasks.
func (k *winograd) end(w *worker) {
	c := &w.winograd
	w.release(c.v)
	w.release(c.m)
	w.release(c.buffer)
	for _, list := range [][]unsafe.Pointer{c.rowsV, c.rowsM, c.in, c.out} {
		clear(list[:cap(list)])
	}
	clear(c.strips[:cap(c.strips)])
	*c = winogradScratch{
		strips: c.strips[:0], rowsV: c.rowsV[:0], rowsM: c.rowsM[:0],
		in: c.in[:0], out: c.out[:0], lists: c.lists[:0],
	}
}

// run computes the chunk's strips and forgets them.
func (k *winograd) run(w *worker) error {
	c := &w.winograd
	for i := range c.strips {
		if w.stopped() {
			return errStopped
		}
		k.toPoints(w, &c.strips[i])
	}
	k.list(c)
	for point := range k.points() {
		for panel := range k.panels {
			if w.stopped() {
				return errStopped
			}
			k.multiply(c, point, panel)
		}
	}
	for i := range c.strips {
		if w.stopped() {
			return errStopped
		}
		k.toCells(w, &c.strips[i])
	}
	c.strips, c.tiles = c.strips[:0], 0
	return nil
}

// list makes the lists of the chunk's tiles.
func (k *winograd) list(c *winogradScratch) {
	c.in, c.out, c.lists = c.in[:0], c.out[:0], c.lists[:0]
	for y := range k.y.classes() {
		for x := range k.x.classes() {
			c.lists = append(c.lists, len(c.in))
			for i := range c.strips {
				if s := &c.strips[i]; k.y.uses[s.h-1][y] && k.x.uses[s.w-1][x] {
					c.in = append(c.in, c.rowsV[s.at:s.at+s.n]...)
					c.out = append(c.out, c.rowsM[s.at:s.at+s.n]...)
				}
			}
		}
	}
	c.lists = append(c.lists, len(c.in))
}

// multiply computes a panel of M at one point for those of the chunk's tiles that
// use it.
func (k *winograd) multiply(c *winogradScratch, point, panel int) {
	c.segment[0] = point * c.planeV * 4
	list := k.y.class[point/k.x.points]*k.x.classes() + k.x.class[point%k.x.points]
	lo, hi := c.lists[list], c.lists[list+1]
	p := &c.product
	p.In, p.Out = c.in[lo:hi], c.out[lo:hi]
	p.Weights = &k.panel(point, panel)[0]
	p.OutShift = (point*c.planeM + panel*k.set.Panel) * 4
	k.set.Run(p)
}
