package cpu

import (
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
)

// conv is a convolution as a matrix product whose left matrix is never built:
// the values under a window lie in memory as a few contiguous segments, and the
// micro kernel walks those of two pixels at once.
//
//	          ┌ segment 0: row 0 of the window, KW*Cin values
//	window ───┼ segment 1
//	          └ segment 2                    weights of a panel: [K][4]
//
// Work is ordered strips of tasks -> panel of four filters -> pairs of pixels ->
// all K products. The strips of a chunk fit into the second-level cache, and a
// panel's weights are read once for all of them. The sum over K always runs in
// the same order through the same instructions, so a cell's value does not
// depend on its neighbours in the tile.
type conv struct {
	op       network.Conv
	act      activation
	groupIn  int // input channels of a group
	groupOut int // filters of a group
	segment  int // contiguous values that a window reads at once
	taps     int // products per output value: segments*segment
	// weights are packed [panel][taps][4], the panels of group 0 first; filters
	// that fill up a group's last panel are zero. bias goes with them.
	weights []float32
	bias    []float32
}

// filters in a panel.
const panel = 4

// chunkSize is about how many values the strips of a chunk read and write: 1 MiB
// in bytes, so that they stay in the second-level cache. A strip is at most half
// of it, or a single row.
const chunkSize = 1 << 18

func newConv(op network.Conv, act activation) *conv {
	k := &conv{
		op:       op,
		act:      act,
		groupIn:  op.GroupIn(),
		groupOut: op.Filters() / op.Groups,
		taps:     op.Taps() * op.GroupIn(),
	}
	k.segment = k.groupIn
	if k.wholeRows() {
		k.segment *= op.X.Kernel
	}
	panels := k.panels()
	k.weights = make([]float32, op.Groups*panels*k.taps*panel)
	k.bias = make([]float32, op.Groups*panels*panel)
	from := op.Weights.Data().([]float32)
	for f := range op.Filters() {
		g, i := f/k.groupOut, f%k.groupOut
		p := g*panels + i/panel
		to := k.weights[p*k.taps*panel+i%panel:]
		for t, v := range from[f*k.taps : (f+1)*k.taps] {
			to[t*panel] = v
		}
		if op.Bias != nil {
			k.bias[p*panel+i%panel] = op.Bias[f]
		}
	}
	return k
}

// wholeRows tells whether a row of the window is contiguous in memory.
func (k *conv) wholeRows() bool {
	return k.op.Groups == 1 && (k.op.X.Dilation == 1 || k.op.X.Kernel == 1)
}

// panels is the number of panels of a group.
func (k *conv) panels() int { return (k.groupOut + panel - 1) / panel }

// strip is a rectangle of an output to compute, with its input within reach.
type strip struct {
	out      operators.Tile
	in       []float32
	copied   block // what in was copied into, if it was
	pixels   [2]int
	segments [2]int
	residual operators.Source
}

// pixel is where an output cell's window starts in its strip's input, and where
// its values go.
type pixel struct{ in, out int }

// convScratch is a worker's memory for convolutions, kept between runs.
type convScratch struct {
	strips   []strip
	pixels   []pixel // of all strips
	segments []int   // starts of a window's segments, of all strips
}

func (k *conv) forward(w *worker, tasks []task) error {
	size := 0
	for _, t := range tasks {
		r := t.out.Rect
		perRow := (r.W()*k.op.X.Stride*t.in[0].Shape.C)*k.op.Y.Stride + r.W()*t.out.C
		step := stripRows(r, perRow)
		for y := r.Y.Lo; y < r.Y.Hi; y += step {
			rows := region.Interval{Lo: y, Hi: min(y+step, r.Y.Hi)}
			k.prepare(w, t, t.out.Sub(region.Rect{Y: rows, X: r.X}))
			if size += rows.Len() * perRow; size >= chunkSize {
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
	return min(max(1, chunkSize/2/max(1, perRow)), max(1, r.H()))
}

// prepare adds a strip to the worker's list: its input, and where its pixels
// and segments are.
func (k *conv) prepare(w *worker, t task, out operators.Tile) {
	c := &w.conv
	in, at, copied := reach(w, t.in[0], k.op.Window, out.Rect)
	s := strip{out: out, in: in.Data[at:], copied: copied}
	if k.op.Residual {
		s.residual = t.in[1]
	}
	s.pixels[0] = len(c.pixels)
	for y := range out.Rect.H() {
		for x := range out.Rect.W() {
			c.pixels = append(c.pixels, pixel{
				in:  y*k.op.Y.Stride*in.Stride + x*k.op.X.Stride*in.C,
				out: y*out.Stride + x*out.C,
			})
		}
	}
	s.pixels[1] = len(c.pixels)
	s.segments[0] = len(c.segments)
	for y := range k.op.Y.Kernel {
		row := y * k.op.Y.Dilation * in.Stride
		if k.wholeRows() {
			c.segments = append(c.segments, row)
			continue
		}
		for x := range k.op.X.Kernel {
			c.segments = append(c.segments, row+x*k.op.X.Dilation*in.C)
		}
	}
	s.segments[1] = len(c.segments)
	c.strips = append(c.strips, s)
}

// run computes the prepared strips and forgets them.
func (k *conv) run(w *worker) error {
	err := k.products(w)
	for i := range w.conv.strips {
		s := &w.conv.strips[i]
		if err == nil {
			k.finish(w, s)
		}
		w.release(s.copied)
		*s = strip{}
	}
	w.conv.strips, w.conv.pixels, w.conv.segments = w.conv.strips[:0], w.conv.pixels[:0], w.conv.segments[:0]
	return err
}

// products computes sums and biases of the prepared strips.
func (k *conv) products(w *worker) error {
	panels := k.panels()
	for p := range k.op.Groups * panels {
		weights := k.weights[p*k.taps*panel : (p+1)*k.taps*panel]
		bias := (*[panel]float32)(k.bias[p*panel:])
		group, first := p/panels, p%panels*panel
		channel := group*k.groupOut + first
		n := min(panel, k.groupOut-first)
		for i := range w.conv.strips {
			s := &w.conv.strips[i]
			in, out := s.in[group*k.groupIn:], s.out.Data[channel:]
			pixels := w.conv.pixels[s.pixels[0]:s.pixels[1]]
			segments := w.conv.segments[s.segments[0]:s.segments[1]]
			for len(pixels) > 0 {
				if w.stopped() {
					return errStopped
				}
				a := pixels[0]
				b := pixels[min(1, len(pixels)-1)]
				pixels = pixels[min(2, len(pixels)):]
				sums := [2 * panel]float32{
					bias[0], bias[1], bias[2], bias[3],
					bias[0], bias[1], bias[2], bias[3],
				}
				micro2x4(&sums, in[a.in:], in[b.in:], segments, k.segment, weights)
				copy4(out[a.out:], (*[panel]float32)(sums[:]), n)
				copy4(out[b.out:], (*[panel]float32)(sums[panel:]), n)
			}
		}
	}
	return nil
}

// copy4 stores the first n of four sums.
func copy4(dst []float32, sums *[panel]float32, n int) {
	if n == panel {
		*(*[panel]float32)(dst) = *sums
		return
	}
	copy(dst[:n], sums[:n])
}

// finish adds the residual to a strip and applies the activation.
func (k *conv) finish(w *worker, s *strip) {
	r := s.out.Rect
	if !k.op.Residual && k.op.Act.IsNone() {
		return
	}
	var buf block
	if k.op.Residual {
		buf = w.scratch(r.W() * s.out.C)
		defer w.release(buf)
	}
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := s.out.Row(y, r.X.Lo, r.X.Hi)
		if k.op.Residual {
			for i, v := range s.residual.Row(y, r.X.Lo, r.X.Hi, buf.data)[:len(row)] {
				row[i] += v
			}
		}
		k.act(row)
	}
}

// micro2x4 adds to the sums of two pixels and four filters the products of the
// windows that start at a and b with the weights, which are four to a tap:
//
//	sums[4*p+f] += Σ over s, i of pixel_p[segments[s]+i] * w[4*(n*s+i)+f]
//
// Four taps are done at a time: the compiler then keeps the sums in registers
// for long enough to reach 12 GFLOP/s where the plain loop reaches 4.
func micro2x4(sums *[8]float32, a, b []float32, segments []int, n int, w []float32) {
	var a0, a1, a2, a3, b0, b1, b2, b3 float32
	room := sumBlock
	for _, at := range segments {
		left, right := a[at:at+n], b[at:at+n]
		for len(left) > 0 {
			if room == 0 {
				addTo(sums, a0, a1, a2, a3, b0, b1, b2, b3)
				a0, a1, a2, a3, b0, b1, b2, b3 = 0, 0, 0, 0, 0, 0, 0, 0
				room = sumBlock
			}
			m := min(room, len(left), len(right))
			x, y := left[:m], right[:m]
			left, right = left[m:], right[m:]
			room -= m
			for len(x) >= 4 && len(y) >= 4 && len(w) >= 16 {
				p, q, v := (*[4]float32)(x), (*[4]float32)(y), (*[16]float32)(w)
				a0 += p[0] * v[0]
				a1 += p[0] * v[1]
				a2 += p[0] * v[2]
				a3 += p[0] * v[3]
				b0 += q[0] * v[0]
				b1 += q[0] * v[1]
				b2 += q[0] * v[2]
				b3 += q[0] * v[3]

				a0 += p[1] * v[4]
				a1 += p[1] * v[5]
				a2 += p[1] * v[6]
				a3 += p[1] * v[7]
				b0 += q[1] * v[4]
				b1 += q[1] * v[5]
				b2 += q[1] * v[6]
				b3 += q[1] * v[7]

				a0 += p[2] * v[8]
				a1 += p[2] * v[9]
				a2 += p[2] * v[10]
				a3 += p[2] * v[11]
				b0 += q[2] * v[8]
				b1 += q[2] * v[9]
				b2 += q[2] * v[10]
				b3 += q[2] * v[11]

				a0 += p[3] * v[12]
				a1 += p[3] * v[13]
				a2 += p[3] * v[14]
				a3 += p[3] * v[15]
				b0 += q[3] * v[12]
				b1 += q[3] * v[13]
				b2 += q[3] * v[14]
				b3 += q[3] * v[15]
				x, y, w = x[4:], y[4:], w[16:]
			}
			for len(x) > 0 && len(y) > 0 && len(w) >= 4 {
				p, q, v := x[0], y[0], (*[4]float32)(w)
				a0 += p * v[0]
				a1 += p * v[1]
				a2 += p * v[2]
				a3 += p * v[3]
				b0 += q * v[0]
				b1 += q * v[1]
				b2 += q * v[2]
				b3 += q * v[3]
				x, y, w = x[1:], y[1:], w[4:]
			}
		}
	}
	addTo(sums, a0, a1, a2, a3, b0, b1, b2, b3)
}

// sumBlock is how many products are summed before the sum joins the total. Sums
// of sums round less: the error grows with sumBlock + K/sumBlock instead of K.
const sumBlock = 64

func addTo(sums *[8]float32, a0, a1, a2, a3, b0, b1, b2, b3 float32) {
	sums[0] += a0
	sums[1] += a1
	sums[2] += a2
	sums[3] += a3
	sums[4] += b0
	sums[5] += b1
	sums[6] += b2
	sums[7] += b3
}
