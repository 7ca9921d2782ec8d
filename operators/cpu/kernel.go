package cpu

import (
	"errors"
	"fmt"
	"slices"

	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/cpu/simd"
	"occlude/operators/region"
)

// kernel computes one layer. It is made once per program, holds the packed
// weights and is shared by all workers.
type kernel interface {
	// forward computes the out tile of every task. It returns errStopped soon
	// after w.stopped() turns true.
	forward(w *worker, tasks []task) error
}

// reader is a kernel that wants its inputs in one piece, the first one with the
// cells around it: the worker then prepares that where the layer below writes.
type reader interface {
	// reads is the rectangle of input 0 that computing the rectangle out takes,
	// which may reach past the map.
	reads(out region.Rect) region.Rect
}

// weighty is a kernel that streams weights from memory for every group of tasks.
type weighty interface {
	weightBytes() int
}

// packing is a kernel that holds weights in an order of its own.
type packing interface {
	packed() [][]float32
}

// grainy is a kernel whose results depend on the rows, counted from the top of
// its task, at which a task is cut, unless they are multiples of the grain.
type grainy interface {
	grain() int
}

// task is one rectangle of a layer's output to compute for one position.
type task struct {
	in  []operators.Source
	out operators.Tile
	// base is the layer's own view, for kernels that update a result instead of
	// computing it anew; the zero Tile where there is none.
	base operators.Tile
	// sums are a linear layer's values on the clean image before its
	// activation: written by the base pass, where there is no base yet, and
	// read by kernels that add to them what changed. Nil for other layers.
	sums []float32

	// For updates that want estimates: the layer's departure from what is linear,
	// nil where it has none, the estimates to add its terms to, and the shape of
	// the layer's map.
	departure *operators.Departure
	estimates []float64
	shape     network.Shape
}

// errStopped tells that a kernel gave up because the context ended.
var errStopped = errors.New("stopped")

// newKernel makes the kernel of a layer from a set of loops; how tells which
// algorithm computes a convolution, "" is Direct. Layers that only hold data
// have no kernel.
func newKernel(l *network.Layer, set *simd.Set, how operators.Algorithm) (kernel, error) {
	if how != "" && how != operators.Direct && !slices.Contains(operators.Algorithms(l), how) {
		return nil, fmt.Errorf("%s cannot be computed by %s", l, how)
	}
	act, err := activationOf(l, set)
	if err != nil {
		return nil, err
	}
	switch op := l.Op.(type) {
	case network.Input, network.Const:
		return nil, nil
	case network.Conv:
		if op.Depthwise() {
			return newDepthwise(op, act, set), nil
		}
		if how.Tile() > 1 {
			k, err := newWinograd(op, act, set, how)
			if err != nil {
				return nil, fmt.Errorf("%s by %s: %w", l, how, err)
			}
			return k, nil
		}
		return newConv(op, act, set), nil
	case network.Pool:
		return pool{op, l.In[0].Shape, set}, nil
	case network.Dense:
		return newDense(op, act, set), nil
	case network.Pointwise:
		return pointwise{wholeEpilogue(op.Act, act)}, nil
	case network.PRelu:
		return prelu{set, op.Slope}, nil
	case network.Affine:
		return newAffine(op, act, set), nil
	case network.Binary:
		if k := newBinary(op, act, set); k != nil {
			return k, nil
		}
	case network.LRN:
		return lrn{set, op}, nil
	case network.Softmax:
		return softmax{set, op.Log}, nil
	case network.ChannelReduce:
		return channelReduce{op.Fn}, nil
	case network.Concat:
		return concat{}, nil
	case network.Channels:
		return newChannels(op, set), nil
	case network.Slice:
		return slice{op}, nil
	case network.Pad:
		return pad{op}, nil
	case network.GlobalPool:
		return globalPool{set, op.Fn}, nil
	case network.InstanceNorm:
		return instanceNorm{set, op}, nil
	case network.Flatten:
		return flatten{}, nil
	case network.Unflatten:
		return unflatten{op.To}, nil
	case network.Reshaped:
		return reshaped{op.To}, nil
	case network.Function:
		return function{op}, nil
	}
	return nil, fmt.Errorf("the CPU has no kernel for %s", l)
}

// activationOf makes the activation of a layer, one that does nothing for
// layers that have none.
func activationOf(l *network.Layer, set *simd.Set) (activation, error) {
	var a network.Activation
	switch op := l.Op.(type) {
	case network.Fused:
		a = op.Activation()
	case network.Pointwise:
		a = op.Act
	}
	act := newActivation(a, set)
	if act == nil {
		return nil, fmt.Errorf("the CPU has no activation %q, which %s asks for", a.Fn, l)
	}
	return act, nil
}

// eachRow calls do for every row of the task's output, row y, with its
// input's row above it, for kernels that work cell by cell. It stops when w does.
func eachRow(w *worker, t *task, do func(y int, out, in []float32)) error {
	r := t.out.Rect
	buf := w.scratch(r.W() * t.in[0].Shape.C)
	defer w.release(buf)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		if w.stopped() {
			return errStopped
		}
		do(y, t.out.Row(y, r.X.Lo, r.X.Hi), t.in[0].Row(y, r.X.Lo, r.X.Hi, buf.data))
	}
	return nil
}

// eachRows does so for every task.
func eachRows(w *worker, tasks []task, do func(t *task, y int, out, in []float32)) error {
	for i := range tasks {
		t := &tasks[i]
		if err := eachRow(w, t, func(y int, out, in []float32) { do(t, y, out, in) }); err != nil {
			return err
		}
	}
	return nil
}

// eachCell calls do for every cell of the tasks' outputs with its input's cell.
func eachCell(w *worker, tasks []task, do func(out, in []float32)) error {
	for i := range tasks {
		t := &tasks[i]
		to, from := t.out.C, t.in[0].Shape.C
		err := eachRow(w, t, func(_ int, out, in []float32) {
			for ; len(out) > 0; out, in = out[to:], in[from:] {
				do(out[:to:to], in[:from:from])
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// whole gives all values of a source in stored order, for kernels of vectors
// and whole maps; buf must have room for them.
func whole(s operators.Source, buf []float32) []float32 {
	t := s.View
	if !s.Update.Empty() {
		t = s.Update
	}
	if t.Rect == s.Shape.Whole() && t.Stride == s.Shape.W*s.Shape.C {
		return t.Data
	}
	buf = buf[:s.Shape.Len()]
	s.Gather(buf, s.Shape.Whole(), 0)
	return buf
}

// inPiece gives the rectangle r of an input, which may reach past the map: where
// it lies when the update or the view holds all of it, else in a copy with zeros
// outside of the map, which the caller releases. Its first cell is at
// in.Data[at].
func inPiece(w *worker, s operators.Source, r region.Rect) (in operators.Tile, at int, copied block) {
	switch u := s.Update.Rect; {
	case u.Contains(r):
		in = s.Update
	case s.Around.Rect.Contains(r):
		in = s.Around
	case s.View.Rect.Contains(r) && u.Intersect(r).Empty():
		in = s.View
	default:
		copied = w.scratch(r.Area() * s.Shape.C)
		s.Gather(copied.data, r, 0)
		return operators.NewTile(r, s.Shape.C, copied.data), 0, copied
	}
	return in, (r.Y.Lo-in.Rect.Y.Lo)*in.Stride + (r.X.Lo-in.Rect.X.Lo)*in.C, block{}
}

func fill(x []float32, v float32) {
	for i := range x {
		x[i] = v
	}
}
