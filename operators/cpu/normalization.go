package cpu

import (
	"math"

	"occlude/internal/network"
	"occlude/operators/cpu/simd"
)

// lrn divides each value by a power of the energy of its neighbouring channels.
type lrn struct{ op network.LRN }

func (k lrn) forward(w *worker, tasks []task) error {
	return eachCell(w, tasks, func(out, in []float32) {
		squares := w.doubles(len(in))
		for c, v := range in {
			squares[c] = float64(v) * float64(v)
		}
		before, after := (k.op.Size-1)/2, k.op.Size/2
		scale := float64(k.op.Alpha) / float64(k.op.Size)
		for c, v := range in {
			var sum float64
			for _, s := range squares[max(0, c-before):min(len(in), c+after+1)] {
				sum += s
			}
			out[c] = float32(float64(v) / power(float64(k.op.Bias)+scale*sum, float64(k.op.Beta)))
		}
	})
}

// power is x to the p, fast for the exponent that every published LRN has.
func power(x, p float64) float64 {
	if p == 0.75 {
		root := math.Sqrt(x)
		return root * math.Sqrt(root)
	}
	return math.Pow(x, p)
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
