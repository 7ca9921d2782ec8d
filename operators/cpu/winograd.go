package cpu

import (
	"fmt"
	"math"
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
// few of them as possible. What they need of the input is that much larger than
// what the rectangle's cells need, and those cells' values are rounded with the
// rest; they depend on the rectangle, but not on other tasks, nor on how tiles
// are divided into chunks.
//
// A transform runs along one axis after the other, see simd.Winograd; along an
// axis on which the window has one tap it does nothing. Work is ordered chunks
// of tiles -> points -> panels of filters -> tiles.
type winograd struct {
	op         network.Conv
	set        *simd.Set
	epilogue   epilogue
	y, x       winogradAxis
	cin, cout  int
	panels     int
	rowV, rowM int // values from a tile to the next in V and M
	// weights are U, packed [point][panel][Cin][Panel]; filters that fill up the
	// last panel are zero.
	weights []float32
	bias    []float32 // Cout values
	zeros   []float32 // a panel of them
}

// winogradAxis is one axis of the algorithm.
type winogradAxis struct {
	*simd.Winograd     // nil where the window has one tap
	tile, taps, points int
}

func newWinogradAxis(set *simd.Set, tile, taps int) (winogradAxis, error) {
	if taps == 1 {
		return winogradAxis{nil, 1, 1, 1}, nil
	}
	w, err := set.Winograd(tile, taps)
	if err != nil {
		return winogradAxis{}, err
	}
	return winogradAxis{w, w.Tile, w.Taps, w.Points}, nil
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

// reads is the interval of inputs under the windows of n tiles whose first output
// is at lo.
func (a winogradAxis) reads(lo, n, pad int) region.Interval {
	return region.Interval{Lo: lo - pad, Hi: lo - pad + n*a.tile + a.taps - 1}
}

// newWinograd makes the kernel with tiles of the given side along the axes on
// which the window has more than one tap.
func newWinograd(op network.Conv, act activation, set *simd.Set, tile int) (*winograd, error) {
	k := &winograd{
		op:       op,
		set:      set,
		epilogue: newEpilogue(op.Act, act),
		cin:      op.GroupIn(),
		cout:     op.Filters(),
		bias:     make([]float32, op.Filters()),
		zeros:    simd.Aligned(set.Panel),
	}
	if y, x := op.Y.Kernel, op.X.Kernel; y != x && y != 1 && x != 1 {
		return nil, fmt.Errorf("a window of %dx%d", x, y)
	}
	var err error
	if k.y, err = newWinogradAxis(set, tile, op.Y.Kernel); err != nil {
		return nil, fmt.Errorf("%d rows: %w", op.Y.Kernel, err)
	}
	if k.x, err = newWinogradAxis(set, tile, op.X.Kernel); err != nil {
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

// pack transforms the weights, in float64.
func (k *winograd) pack() {
	points, panel := k.points(), k.set.Panel
	k.weights = simd.Aligned(points * k.panels * k.cin * panel)
	from := k.op.Weights.Data().([]float32)
	gy, gx := k.y.filter(), k.x.filter()
	half := make([]float64, k.x.taps*k.cin) // G of a filter along y at one point
	sum := make([]float64, k.cin)
	for f := range k.cout {
		filter := from[f*k.op.Taps()*k.cin:][:k.op.Taps()*k.cin]
		for i, row := range gy {
			clear(half)
			for a, g := range row {
				for j, v := range filter[a*len(half):][:len(half)] {
					half[j] += g * float64(v)
				}
			}
			for j, row := range gx {
				clear(sum)
				for b, g := range row {
					for c, v := range half[b*k.cin:][:k.cin] {
						sum[c] += g * v
					}
				}
				to := k.panel(i*k.x.points+j, f/panel)[f%panel:]
				for c, v := range sum {
					to[c*panel] = float32(v)
				}
			}
		}
	}
}

// points is the number of products.
func (k *winograd) points() int { return k.y.points * k.x.points }

// panel is the weights of one panel of filters at one point, [Cin][Panel].
func (k *winograd) panel(point, panel int) []float32 {
	n := k.cin * k.set.Panel
	return k.weights[(point*k.panels+panel)*n:][:n]
}

// weightBytes implements weighty.
func (k *winograd) weightBytes() int { return len(k.weights) * 4 }

// grain implements grainy.
func (k *winograd) grain() int { return k.y.tile }

// reads implements reader: what is under the windows of whole tiles.
func (k *winograd) reads(out region.Rect) region.Rect {
	if out.Empty() {
		return region.Rect{}
	}
	return region.Rect{
		Y: k.y.reads(out.Y.Lo, k.y.count(out.H()), k.op.Y.Pad),
		X: k.x.reads(out.X.Lo, k.x.count(out.W()), k.op.X.Pad),
	}
}

const (
	// chunkValues is how many values of V, M and, where they are few, weights may
	// take turns in the second-level cache: 1.5 MiB in bytes.
	chunkValues = 3 << 17
	// weightReuse is how many tiles a weight should be used for when it comes from
	// further away. A core multiplies the 4 bytes of a weight with a tile in 1/115
	// ns; with 72 tiles weights need to come at 6 GB/s, half of what was measured
	// from the third-level cache while another core does the same.
	weightReuse = 72
)

// chunkTiles is how many of a number of tiles to take at a time.
//
// A chunk's V and M should stay in the second-level cache, for writing and reading
// them is then cheap, and so should the weights if they fit. If they do not,
// they come from further away for every chunk, which is no loss as long as each
// is used for half as many tiles as it should be: they are fetched ahead. Where
// V and M of so many tiles do not fit either, weights decide.
func (k *winograd) chunkTiles(tiles int) int {
	perTile := k.points() * (k.rowV + k.rowM)
	size := chunkValues / perTile
	if 4*len(k.weights) <= 3*chunkValues {
		size = max((chunkValues-len(k.weights))/perTile, k.set.Rows)
	} else if size < weightReuse/2 {
		size = weightReuse
	}
	size = size / k.set.Rows * k.set.Rows
	chunks := (tiles + size - 1) / size
	size = (tiles + chunks - 1) / chunks
	return (size + k.set.Rows - 1) / k.set.Rows * k.set.Rows
}

// winogradScratch is a worker's memory for winograd, kept between runs. Blocks
// are taken for one call.
type winogradScratch struct {
	strips         []winogradStrip
	tiles          int              // of the strips
	v, m, buffer   block            // buffer is between the axes
	in, out        []unsafe.Pointer // of the tiles in V and M
	planeV, planeM int              // values from a point to the next in V and M

	// What loops are called with: here, so that it does not go to the heap.
	product simd.Product
	segment [1]int
	input   simd.WinogradInput
	output  simd.WinogradOutput
}

// winogradStrip is n tiles of a row of tiles, of which the first is the chunk's
// tile number at.
type winogradStrip struct {
	task  *task
	y, x  int // of the first output, in the map
	at, n int
}

func (k *winograd) forward(w *worker, tasks []task) error {
	tiles := 0
	for _, t := range tasks {
		tiles += k.y.count(t.out.Rect.H()) * k.x.count(t.out.Rect.W())
	}
	if tiles == 0 {
		return nil
	}
	size := k.chunkTiles(tiles)
	c := &w.winograd
	k.begin(w, min(size, tiles))
	defer k.end(w)
	for i := range tasks {
		r := tasks[i].out.Rect
		for y := r.Y.Lo; y < r.Y.Hi; y += k.y.tile {
			for x := r.X.Lo; x < r.X.Hi; {
				s := winogradStrip{task: &tasks[i], y: y, x: x, at: c.tiles}
				s.n = min(k.x.count(r.X.Hi-x), size-c.tiles)
				c.strips = append(c.strips, s)
				c.tiles += s.n
				x += s.n * k.x.tile
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
	c.buffer = w.scratch(simd.WinogradBuffer)
	for i := range size {
		c.in = append(c.in, unsafe.Pointer(&c.v.data[i*k.rowV]))
		c.out = append(c.out, unsafe.Pointer(&c.m.data[i*k.rowM]))
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
	clear(c.in)
	clear(c.out)
	clear(c.strips[:cap(c.strips)])
	*c = winogradScratch{strips: c.strips[:0], in: c.in[:0], out: c.out[:0]}
}

// run computes the chunk's strips and forgets them.
func (k *winograd) run(w *worker) error {
	c := &w.winograd
	for _, s := range c.strips {
		if w.stopped() {
			return errStopped
		}
		k.toPoints(w, s)
	}
	for point := range k.points() {
		for panel := range k.panels {
			if w.stopped() {
				return errStopped
			}
			k.multiply(c, point, panel)
		}
	}
	for _, s := range c.strips {
		if w.stopped() {
			return errStopped
		}
		k.toCells(w, s)
	}
	c.strips, c.tiles = c.strips[:0], 0
	return nil
}

// multiply computes a panel of M at one point for the chunk's tiles.
func (k *winograd) multiply(c *winogradScratch, point, panel int) {
	c.segment[0] = point * c.planeV * 4
	p := &c.product
	p.In, p.Out = c.in[:c.tiles], c.out[:c.tiles]
	p.Weights = &k.panel(point, panel)[0]
	p.OutShift = (point*c.planeM + panel*k.set.Panel) * 4
	k.set.Run(p)
}

// piece gives the rectangle r of an input as inPiece does. Where there is no view,
// which happens when the update covers what the output's cells need, the rest
// is zero.
func (k *winograd) piece(w *worker, s operators.Source, r region.Rect) (in operators.Tile, at int, copied block) {
	if !s.View.Empty() || s.Update.Rect.Contains(r.Clip(s.Shape.H, s.Shape.W)) {
		return inPiece(w, s, r)
	}
	copied = w.scratch(r.Area() * s.Shape.C)
	clear(copied.data)
	in = operators.NewTile(r, s.Shape.C, copied.data)
	known := r.Intersect(s.Update.Rect)
	for y := known.Y.Lo; y < known.Y.Hi; y++ {
		copy(in.Row(y, known.X.Lo, known.X.Hi), s.Update.Row(y, known.X.Lo, known.X.Hi))
	}
	return in, 0, copied
}
