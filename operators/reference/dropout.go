package reference

import (
	"fmt"

	"gonum.org/v1/gonum/mathext/prng"

	"occlude/internal/onnx"
)

// dropout passes its input on: it acts in training only. From version 12 on a
// graph may ask for training mode; elements are then zeroed with probability
// ratio and the others scaled up. ONNX leaves the random numbers open; we take
// those of numpy's RandomState (a Mersenne twister with the node's seed), which
// ONNX's own test cases are made with, so that a seed always means the same.
//
// The second output says which elements were kept: truth values from version 10
// on, numbers before.
func dropout(c *call) ([]*onnx.Tensor, error) {
	x := c.in[0]
	kept := make([]bool, x.Len())
	for i := range kept {
		kept[i] = true
	}
	y := reshaped(x, x.Dims)
	if c.opset >= 12 {
		ratio, training, err := c.dropoutInputs()
		if err != nil {
			return nil, err
		}
		if training && ratio > 0 {
			drop(kept, c.Int("seed", 0), ratio)
			mask, err := convert(onnx.New(x.Dims, kept), x.DType)
			if err != nil {
				return nil, err
			}
			y, err = c.combine(x, mask, binary{float: func(x, kept float64) float64 { return x * kept / (1 - ratio) }})
			if err != nil {
				return nil, err
			}
		}
	}
	out := []*onnx.Tensor{y}
	if c.wants(1) {
		mask := onnx.New(x.Dims, kept)
		if c.opset < 10 {
			var err error
			if mask, err = convert(mask, x.DType); err != nil {
				return nil, err
			}
		}
		out = append(out, mask)
	}
	return out, nil
}

func (c *call) dropoutInputs() (ratio float64, training bool, err error) {
	ratio = 0.5
	if t := c.input(1); t != nil {
		v, err := t.Float64s()
		if err != nil || len(v) != 1 || !(v[0] >= 0 && v[0] < 1) {
			return 0, false, fmt.Errorf("a ratio of %v", v)
		}
		ratio = v[0]
	}
	if t := c.input(2); t != nil {
		v, ok := t.Data.([]bool)
		if !ok || len(v) != 1 {
			return 0, false, fmt.Errorf("training mode of type %s and shape %s", t.DType, onnx.FormatDims(t.Dims))
		}
		training = v[0]
	}
	return ratio, training, nil
}

// drop unmarks elements with probability ratio: those for which a number drawn
// uniformly from [0, 1), of 53 random bits, is below it.
func drop(kept []bool, seed int, ratio float64) {
	random := prng.NewMT19937()
	random.Seed(uint64(uint32(seed)))
	for i := range kept {
		high, low := random.Uint32()>>5, random.Uint32()>>6
		kept[i] = (float64(high)*(1<<26)+float64(low))/(1<<53) >= ratio
	}
}
