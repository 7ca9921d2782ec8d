package cpu

import (
	"occlude/internal/network"
)

// dense is a fully-connected layer. Its weights stay as they are stored, for
// they may be half of a network: four rows of them are taken at a time and met
// with all positions before the next four.
type dense struct {
	op      network.Dense
	act     activation
	weights []float32
	inputs  int
}

func newDense(op network.Dense, act activation) *dense {
	return &dense{op: op, act: act, weights: op.Weights.Data().([]float32), inputs: op.Weights.Shape()[1]}
}

// denseBlock is how many products are summed in float32 before the sum joins
// the total, which is kept in float64: sums of 25088 products stay accurate.
const denseBlock = 512

func (k *dense) forward(w *worker, tasks []task) error {
	vectors := w.vectors[:0]
	var copies block
	defer func() { w.release(copies) }()
	copies = w.scratch(len(tasks) * k.inputs)
	for i, t := range tasks {
		vectors = append(vectors, whole(t.in[0], copies.data[i*k.inputs:(i+1)*k.inputs]))
	}
	w.vectors = vectors
	outputs := len(k.weights) / k.inputs
	for o := 0; o < outputs; o += panel {
		var rows [panel][]float32
		for i := range rows {
			row := min(o+i, outputs-1)
			rows[i] = k.weights[row*k.inputs:][:k.inputs]
		}
		n := min(panel, outputs-o)
		for p := 0; p < len(tasks); p += 2 {
			if w.stopped() {
				return errStopped
			}
			q := min(p+1, len(tasks)-1)
			sums := k.products(vectors[p], vectors[q], &rows)
			for i, t := range [2]int{p, q} {
				cell := tasks[t].out.Cell(0, 0)[o : o+n]
				for j := range cell {
					cell[j] = float32(sums[i*panel+j])
					if k.op.Bias != nil {
						cell[j] = float32(sums[i*panel+j] + float64(k.op.Bias[o+j]))
					}
				}
			}
		}
	}
	for _, t := range tasks {
		k.act(t.out.Cell(0, 0))
	}
	return nil
}

// products multiplies two input vectors with four rows of weights.
func (k *dense) products(a, b []float32, rows *[panel][]float32) [2 * panel]float64 {
	var sums [2 * panel]float64
	for lo := 0; lo < k.inputs; lo += denseBlock {
		hi := min(lo+denseBlock, k.inputs)
		part := dot2x4(a[lo:hi], b[lo:hi], rows[0][lo:hi], rows[1][lo:hi], rows[2][lo:hi], rows[3][lo:hi])
		for i, v := range part {
			sums[i] += float64(v)
		}
	}
	return sums
}

// dot2x4 is the products of a and b, in this order, with each of four vectors;
// all have the same length.
func dot2x4(a, b, v, w, x, y []float32) [8]float32 {
	var a0, a1, a2, a3, b0, b1, b2, b3 float32
	n := len(a)
	b, v, w, x, y = b[:n], v[:n], w[:n], x[:n], y[:n]
	i := 0
	for ; i+4 <= n; i += 4 {
		p, q := (*[4]float32)(a[i:]), (*[4]float32)(b[i:])
		s, t := (*[4]float32)(v[i:]), (*[4]float32)(w[i:])
		for j := range 4 {
			a0 += p[j] * s[j]
			b0 += q[j] * s[j]
			a1 += p[j] * t[j]
			b1 += q[j] * t[j]
		}
		s, t = (*[4]float32)(x[i:]), (*[4]float32)(y[i:])
		for j := range 4 {
			a2 += p[j] * s[j]
			b2 += q[j] * s[j]
			a3 += p[j] * t[j]
			b3 += q[j] * t[j]
		}
	}
	for ; i < n; i++ {
		a0 += a[i] * v[i]
		b0 += b[i] * v[i]
		a1 += a[i] * w[i]
		b1 += b[i] * w[i]
		a2 += a[i] * x[i]
		b2 += b[i] * x[i]
		a3 += a[i] * y[i]
		b3 += b[i] * y[i]
	}
	return [8]float32{a0, a1, a2, a3, b0, b1, b2, b3}
}
