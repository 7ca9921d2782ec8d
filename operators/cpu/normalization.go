package cpu

import (
	"math"

	"occlude/internal/network"
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

// softmax makes probabilities, or their logarithms, of each cell's channels.
type softmax struct{ log bool }

func (k softmax) forward(w *worker, tasks []task) error {
	return eachCell(w, tasks, func(out, in []float32) {
		largest := in[0]
		for _, v := range in {
			largest = max(largest, v)
		}
		exps := w.doubles(len(in))
		var sum float64
		for c, v := range in {
			exps[c] = math.Exp(float64(v) - float64(largest))
			sum += exps[c]
		}
		if k.log {
			shift := float64(largest) + math.Log(sum)
			for c, v := range in {
				out[c] = float32(float64(v) - shift)
			}
			return
		}
		for c, e := range exps {
			out[c] = float32(e / sum)
		}
	})
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
