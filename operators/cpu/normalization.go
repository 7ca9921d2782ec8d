package cpu

import (
	"math"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
)

// lrn divides each value by a power of the energy of its neighbouring channels.
type lrn struct {
	set *simd.Set
	op  network.LRN
}

func (k lrn) forward(w *worker, tasks []task) error {
	for i := range tasks {
		t := &tasks[i]
		// The squares of each cell's channels in a row, between zeros for the
		// windows that reach past them. A whole row of them comes first: reading
		// what was only just written, at other places, makes the processor wait.
		n := t.out.C
		width := n + k.op.Size - 1
		buf := w.scratch(t.out.Rect.W() * width)
		clear(buf.data)
		err := eachRow(w, t, func(_ int, out, in []float32) { k.row(out, in, buf.data, n, width) })
		w.release(buf)
		if err != nil {
			return err
		}
	}
	return nil
}

// row normalizes a row of cells of n channels; squares has width values for each.
func (k lrn) row(out, in, squares []float32, n, width int) {
	before := (k.op.Size - 1) / 2
	scale, inf := k.op.Alpha/float32(k.op.Size), float32(math.Inf(1))
	for x := range len(out) / n {
		cell := in[x*n:][:n]
		k.set.Combine(simd.Multiply, squares[x*width+before:][:n], cell, cell, -inf, inf)
	}
	for x := range len(out) / n {
		to, from, window := out[x*n:][:n], in[x*n:][:n], squares[x*width:][:width]
		if k.op.Beta == 0.75 {
			k.set.LRN(to, from, window, k.op.Size, scale, k.op.Bias)
		} else {
			k.cell(to, from, window)
		}
	}
}

// cell is for exponents that no published network has.
func (k lrn) cell(out, in, squares []float32) {
	scale := float64(k.op.Alpha) / float64(k.op.Size)
	for c, v := range in {
		var sum float64
		for _, s := range squares[c : c+k.op.Size] {
			sum += float64(s)
		}
		out[c] = float32(float64(v) / math.Pow(float64(k.op.Bias)+scale*sum, float64(k.op.Beta)))
	}
}

// softmax makes probabilities, or their logarithms, of each cell's channels. The
// sum is one in float64, of exponentials in float32.
type softmax struct {
	set *simd.Set
	log bool
}

func (k softmax) forward(w *worker, tasks []task) error {
	if len(tasks) == 0 {
		return nil
	}
	exps := w.scratch(tasks[0].out.C)
	defer w.release(exps)
	return eachCell(w, tasks, func(out, in []float32) { k.cell(out, in, exps.data) })
}

func (k softmax) cell(out, in, exps []float32) {
	largest := in[0]
	for _, v := range in {
		largest = max(largest, v)
	}
	for c, v := range in {
		exps[c] = v - largest
	}
	k.set.Apply(simd.Exp, exps, exps, 0, 0)
	var sum float64
	for _, e := range exps {
		sum += float64(e)
	}
	if k.log {
		shift := float64(largest) + math.Log(sum)
		for c, v := range in {
			out[c] = float32(float64(v) - shift)
		}
		return
	}
	for c, e := range exps {
		out[c] = float32(float64(e) / sum)
	}
}

// channelReduce makes one channel of many.
type channelReduce struct{ fn string }

func (k channelReduce) forward(w *worker, tasks []task) error {
	return eachCell(w, tasks, func(out, in []float32) {
		if k.fn == network.Largest {
			out[0] = in[0]
			for _, v := range in {
				out[0] = max(out[0], v)
			}
			return
		}
		var sum float64
		for _, v := range in {
			sum += float64(v)
		}
		if k.fn == network.Mean {
			sum /= float64(len(in))
		}
		out[0] = float32(sum)
	})
}
