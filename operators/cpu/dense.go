package cpu

import (
	"math"
	"unsafe"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// dense is a fully-connected layer. Its weights stay as they are stored, for
// they may be most of a network: the product's rows are rows of weights, and its
// panel is packed from the inputs of a group, a position a column.
//
//	            inputs of up to Panel positions
//	            ┌─────────────┐ [inputs][Panel]
//	weights     │             │
//	[outputs]   └─────────────┘
//	  [inputs]  ┌─────────────┐ one column of outputs for each position
//
// The inputs are taken in blocks that lie in one row of the map below. Where
// the sums of the clean image are known, a block is added as the difference to
// it, and only for the positions whose update touches the block: the layer is
// linear. A block's sum is the same for a position whoever else is in the group.
type dense struct {
	op       network.Dense
	set      *simd.Set
	epilogue epilogue
	weights  []float32
	inputs   int
	outputs  int
	bias     []float32 // zeros where the layer has none
}

const (
	// denseBlock is how many inputs a block has at most: a panel of them takes
	// half of a second-level cache or less, and partial sums of so many
	// products keep sums of 25088 accurate.
	denseBlock = 2048
	// denseRows is how many rows of weights all panels of a block meet before
	// the next rows are read.
	denseRows = 96
)

func newDense(op network.Dense, act activation, set *simd.Set) *dense {
	k := &dense{
		op: op, set: set, epilogue: wholeEpilogue(op.Act, act),
		weights: op.Weights.Data().([]float32),
		inputs:  op.Weights.Shape()[1],
		outputs: op.Weights.Shape()[0],
		bias:    op.Bias,
	}
	if k.bias == nil {
		k.bias = make([]float32, k.outputs)
	}
	return k
}

// weightBytes implements weighty.
func (k *dense) weightBytes() int { return len(k.weights) * 4 }

// denseScratch is a worker's memory for fully-connected layers.
type denseScratch struct {
	positions []*task // of a block
	in, out   []unsafe.Pointer
	segment   [1]int
	product   simd.Product
}

// forget lets go of all memory that the lists refer to, also behind their ends:
// not every block has as many positions, nor as many rows of weights.
func (s *denseScratch) forget() {
	clear(s.positions[:cap(s.positions)])
	clear(s.in[:cap(s.in)])
	clear(s.out[:cap(s.out)])
	s.product = simd.Product{}
}

func (k *dense) forward(w *worker, tasks []task) error {
	if len(tasks) == 0 {
		return nil
	}
	err := k.sum(w, tasks)
	w.dense.forget()
	if err != nil {
		return err
	}
	for i := range tasks {
		t := &tasks[i]
		out := t.out.Cell(0, 0)
		if t.base.Empty() && t.sums != nil {
			copy(t.sums, out)
		}
		k.epilogue.row(w, t, 0, 0, out)
	}
	return nil
}

// sum computes the tasks' outputs before the activation.
func (k *dense) sum(w *worker, tasks []task) error {
	for i := range tasks {
		start := k.bias
		if k.updates(&tasks[i]) {
			start = tasks[i].sums
		}
		copy(tasks[i].out.Cell(0, 0), start)
	}
	in := tasks[0].in[0].Shape
	cells := max(1, min(in.W, denseBlock/in.C))
	for y := range in.H {
		for x := 0; x < in.W; x += cells {
			r := region.Of(x, y, min(cells, in.W-x), 1)
			for c := 0; c < in.C; c += denseBlock {
				if err := k.block(w, tasks, r, c, min(denseBlock, in.C-c)); err != nil {
					return err
				}
				if in.C <= denseBlock {
					break
				}
			}
		}
	}
	return nil
}

// updates tells whether a task adds what changed to the clean image's sums.
func (k *dense) updates(t *task) bool {
	s := t.in[0]
	return t.sums != nil && !t.base.Empty() && !s.View.Empty() && !s.Update.Rect.Contains(s.Shape.Whole())
}

// block adds the products of the inputs in the cells r, n values from channel c
// on if it is a part of one cell, to the tasks that it concerns.
func (k *dense) block(w *worker, tasks []task, r region.Rect, c, n int) error {
	s := &w.dense
	s.positions = s.positions[:0]
	for i := range tasks {
		if t := &tasks[i]; !k.updates(t) || !t.in[0].Update.Rect.Intersect(r).Empty() {
			s.positions = append(s.positions, t)
		}
	}
	if len(s.positions) == 0 {
		return nil
	}
	shape := tasks[0].in[0].Shape
	if shape.C <= denseBlock {
		n = r.Area() * shape.C
	}
	width := k.set.Panel
	panels := (len(s.positions) + width - 1) / width
	packed := w.scratch(panels * n * width)
	sums := w.scratch(panels * denseRows * width)
	values := w.scratch(r.Area() * shape.C)
	defer w.release(packed)
	defer w.release(sums)
	defer w.release(values)
	for i, t := range s.positions {
		k.pack(packed.data[i/width*n*width+i%width:], t, r, c, n, values.data)
	}
	first := (r.Y.Lo*shape.W+r.X.Lo)*shape.C + c
	for o := 0; o < k.outputs; o += denseRows {
		if w.stopped() {
			return errStopped
		}
		k.rows(w, o, min(denseRows, k.outputs-o), first, n, packed.data, sums.data)
	}
	return nil
}

// pack writes a position's inputs into a column of the panel.
func (k *dense) pack(column []float32, t *task, r region.Rect, c, n int, buf []float32) {
	s := t.in[0]
	now := s.Row(r.Y.Lo, r.X.Lo, r.X.Hi, buf)[c:][:n]
	width := k.set.Panel
	if !k.updates(t) {
		for i, v := range now {
			column[i*width] = v
		}
		return
	}
	clean := s.View.Row(r.Y.Lo, r.X.Lo, r.X.Hi)[c:][:n]
	for i, v := range now {
		column[i*width] = v - clean[i]
	}
}

// rows multiplies n rows of weights from o on with all panels of a block, whose
// values begin at input first, and adds the sums to the positions' outputs.
func (k *dense) rows(w *worker, o, n, first, length int, packed, sums []float32) {
	s := &w.dense
	width := k.set.Panel
	s.in, s.out = s.in[:0], s.out[:0]
	for i := range n {
		s.in = append(s.in, unsafe.Pointer(&k.weights[(o+i)*k.inputs+first]))
		s.out = append(s.out, unsafe.Pointer(&sums[i*width]))
	}
	inf := float32(math.Inf(1))
	for p := 0; p*width < len(s.positions); p++ {
		positions := s.positions[p*width : min((p+1)*width, len(s.positions))]
		s.product = simd.Product{
			In: s.in, Out: s.out,
			Segments: s.segment[:], Length: length,
			Weights: &packed[p*length*width],
			Bias:    &zeros[0],
			Columns: len(positions),
			Low:     -inf, High: inf,
		}
		k.set.Run(&s.product)
		for j, t := range positions {
			out := t.out.Cell(0, 0)[o : o+n]
			for i := range out {
				out[i] += sums[i*width+j]
			}
		}
	}
}

// zeros is a panel's bias where there is none.
var zeros = simd.Aligned(64)

// linear tells whether updates of the layer can be added to the clean image's
// sums: those of maps can, for vectors change everywhere.
func (k *dense) linear(in network.Shape) bool { return in.Cells() > 1 }
