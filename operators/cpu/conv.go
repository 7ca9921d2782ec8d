package cpu

import (
	"unsafe"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// conv is a convolution as a matrix product whose left matrix is never built:
// the values under a window lie in memory as a few contiguous segments, and the
// product takes the addresses of the pixels' windows as its rows.
//
//	          ┌ segment 0: row 0 of the window, KW*Cin values
//	window ───┼ segment 1
//	          └ segment 2                    weights of a panel: [K][Panel]
//
// Work is ordered chunks of tasks -> panel of filters -> tiles of pixels -> all K
// products. The pixels of a chunk, of whatever tasks, fit into the second-level
// cache together with a panel's weights, which are read once for all of them.
type conv struct {
	op       network.Conv
	set      *simd.Set
	epilogue epilogue
	groupIn  int // input channels of a group
	groupOut int // filters of a group
	segment  int // contiguous values that a window reads at once
	taps     int // products per output value
	// weights are packed [panel][taps][Panel], the panels of group 0 first;
	// filters that fill up a group's last panel are zero. bias goes with them.
	weights []float32
	bias    []float32
}

// cacheValues is about how many values the pixels of a chunk read and write: 1
// MiB in bytes, which leaves half of a second-level cache to a panel's weights.
const cacheValues = 1 << 18

func newConv(op network.Conv, act activation, set *simd.Set) *conv {
	k := &conv{
		op:       op,
		set:      set,
		epilogue: newEpilogue(op.Act, act),
		groupIn:  op.GroupIn(),
		groupOut: op.Filters() / op.Groups,
		taps:     op.Taps() * op.GroupIn(),
	}
	k.segment = k.groupIn
	if k.wholeRows() {
		k.segment *= op.X.Kernel
	}
	panels := k.panels()
	k.weights = simd.Aligned(op.Groups * panels * k.taps * set.Panel)
	k.bias = simd.Aligned(op.Groups * panels * set.Panel)
	from := op.Weights.Data().([]float32)
	for f := range op.Filters() {
		g, i := f/k.groupOut, f%k.groupOut
		p := g*panels + i/set.Panel
		to := k.weights[p*k.taps*set.Panel+i%set.Panel:]
		for t, v := range from[f*k.taps : (f+1)*k.taps] {
			to[t*set.Panel] = v
		}
		if op.Bias != nil {
			k.bias[p*set.Panel+i%set.Panel] = op.Bias[f]
		}
	}
	return k
}

// wholeRows tells whether a row of the window is contiguous in memory.
func (k *conv) wholeRows() bool {
	return k.op.Groups == 1 && (k.op.X.Dilation == 1 || k.op.X.Kernel == 1)
}

// panels is the number of panels of a group.
func (k *conv) panels() int { return (k.groupOut + k.set.Panel - 1) / k.set.Panel }

// packed implements packing.
func (k *conv) packed() [][]float32 { return [][]float32{k.weights, k.bias} }

// weightBytes implements weighty.
func (k *conv) weightBytes() int { return len(k.weights) * 4 }

// reads implements reader.
func (k *conv) reads(out region.Rect) region.Rect {
	return region.Rect{Y: k.op.Y.Input(out.Y), X: k.op.X.Input(out.X)}
}

// convScratch is a worker's memory for convolutions, kept between runs: what
// a chunk holds.
type convScratch struct {
	in, out, add []unsafe.Pointer // of all pixels
	runs         []pixelRun
	strips       []strip
	segments     []int // of one run
	product      simd.Product
}

// pixelRun is consecutive pixels whose inputs have rows of the same stride, so
// that their windows look alike.
type pixelRun struct {
	lo, hi int
	stride int // of an input row, in bytes
}

// strip is a part of a task's output in a chunk.
type strip struct {
	task             *task
	out              operators.Tile
	copied, residual block // what inputs were copied into, if they were
}

func (k *conv) forward(w *worker, tasks []task) error {
	size := 0
	for i := range tasks {
		t := &tasks[i]
		r := t.out.Rect
		perRow := (r.W()*k.op.X.Stride*t.in[0].Shape.C)*k.op.Y.Stride + r.W()*t.out.C
		step := stripRows(r, perRow)
		for y := r.Y.Lo; y < r.Y.Hi; y += step {
			rows := region.Interval{Lo: y, Hi: min(y+step, r.Y.Hi)}
			k.prepare(w, t, t.out.Sub(region.Rect{Y: rows, X: r.X}))
			if size += rows.Len() * perRow; size >= cacheValues {
				if err := k.run(w); err != nil {
					return err
				}
				size = 0
			}
		}
	}
	return k.run(w)
}

// stripRows is how many rows of a rectangle to take at a time when each of them
// moves perRow values.
func stripRows(r region.Rect, perRow int) int {
	return min(max(1, cacheValues/2/max(1, perRow)), max(1, r.H()))
}

// prepare adds a part of a task to the worker's chunk.
func (k *conv) prepare(w *worker, t *task, out operators.Tile) {
	c := &w.conv
	r := out.Rect
	in, at, copied := inPiece(w, t.in[0], k.reads(r))
	s := strip{task: t, out: out, copied: copied}
	stride := in.Stride * 4
	if n := len(c.runs); n > 0 && c.runs[n-1].stride == stride {
		c.runs[n-1].hi += r.Area()
	} else {
		c.runs = append(c.runs, pixelRun{len(c.in), len(c.in) + r.Area(), stride})
	}
	from, to := unsafe.Pointer(&in.Data[at]), unsafe.Pointer(&out.Data[0])
	for y := range r.H() {
		row, dst := unsafe.Add(from, y*k.op.Y.Stride*stride), unsafe.Add(to, y*out.Stride*4)
		for x := range r.W() {
			c.in = append(c.in, unsafe.Add(row, x*k.op.X.Stride*in.C*4))
			c.out = append(c.out, unsafe.Add(dst, x*out.C*4))
		}
	}
	if k.op.Residual {
		add, at, copied := inPiece(w, t.in[1], r)
		s.residual = copied
		for y := range r.H() {
			for x := range r.W() {
				c.add = append(c.add, unsafe.Pointer(&add.Data[at+y*add.Stride+x*add.C]))
			}
		}
	}
	c.strips = append(c.strips, s)
}

// run computes the prepared chunk and forgets it.
func (k *conv) run(w *worker) error {
	err := k.products(w)
	c := &w.conv
	for i, s := range c.strips {
		if err == nil {
			k.epilogue.finish(w, s.task, s.out)
		}
		w.release(s.copied)
		w.release(s.residual)
		c.strips[i] = strip{}
	}
	c.forget()
	return err
}

// forget lets go of a chunk's memory and keeps the lists' own.
func (c *convScratch) forget() {
	clear(c.in)
	clear(c.out)
	clear(c.add)
	c.in, c.out, c.add = c.in[:0], c.out[:0], c.add[:0]
	c.runs, c.strips = c.runs[:0], c.strips[:0]
	c.product = simd.Product{}
}

// products computes the chunk's pixels, but for what the epilogue finishes.
func (k *conv) products(w *worker) error {
	c := &w.conv
	if len(c.strips) == 0 {
		return nil
	}
	low, high := k.epilogue.bounds(c.strips[0].task)
	panels := k.panels()
	for p := range k.op.Groups * panels {
		group, first := p/panels, p%panels*k.set.Panel
		for _, run := range c.runs {
			if w.stopped() {
				return errStopped
			}
			c.product = simd.Product{
				In: c.in[run.lo:run.hi], Out: c.out[run.lo:run.hi],
				Segments: k.segments(w, run.stride, group*k.groupIn*4),
				Length:   k.segment,
				Weights:  &k.weights[p*k.taps*k.set.Panel],
				Bias:     &k.bias[p*k.set.Panel],
				Columns:  min(k.set.Panel, k.groupOut-first),
				OutShift: (group*k.groupOut + first) * 4,
				Low:      low, High: high,
			}
			if k.op.Residual {
				c.product.Add = c.add[run.lo:run.hi]
			}
			k.set.Run(&c.product)
		}
	}
	return nil
}

// segments is where the segments of a window start whose input's rows are stride
// bytes apart, all of them shifted.
func (k *conv) segments(w *worker, stride, shift int) []int {
	at := w.conv.segments[:0]
	cell := k.groupIn * k.op.Groups * 4
	for y := range k.op.Y.Kernel {
		row := y*k.op.Y.Dilation*stride + shift
		if k.wholeRows() {
			at = append(at, row)
			continue
		}
		for x := range k.op.X.Kernel {
			at = append(at, row+x*k.op.X.Dilation*cell)
		}
	}
	w.conv.segments = at
	return at
}
