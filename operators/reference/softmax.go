package reference

import (
	"math"
	"slices"

	"occlude/internal/onnx"
)

// alongAxis makes the kernel of an operator that works on every line of
// elements along an axis, by default the last.
func alongAxis(f func(line []float64)) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		x := c.in[0]
		axis, err := axisOf(c.Int("axis", -1), max(x.Rank(), 1))
		if err != nil {
			return nil, err
		}
		if x.Rank() == 0 {
			x = reshaped(x, []int{1})
		}
		y, err := c.lines(x, product(x.Dims[:axis]), x.Dims[axis], product(x.Dims[axis+1:]), f)
		if err != nil {
			return nil, err
		}
		return reshaped(y, c.in[0].Dims), nil
	}
}

// flattenedAt makes the kernel that the same operators had before version 13:
// the input is taken as a matrix whose columns begin at axis, by default 1, and
// each of its rows is a line.
func flattenedAt(f func(line []float64)) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		x, axis := c.in[0], c.Int("axis", 1)
		if axis != x.Rank() { // at the very end every element is a row
			var err error
			if axis, err = axisOf(axis, x.Rank()); err != nil {
				return nil, err
			}
		}
		return c.lines(x, product(x.Dims[:axis]), product(x.Dims[axis:]), 1, f)
	}
}

// lines applies f to the lines of n elements in a tensor of shape outer x n x
// inner.
func (c *call) lines(x *onnx.Tensor, outer, n, inner int, f func(line []float64)) (*onnx.Tensor, error) {
	v, err := x.Float64s()
	if err != nil {
		return nil, err
	}
	if len(v) > 0 {
		err = parallel(c.ctx, outer, func(o int) {
			line := make([]float64, n)
			for i := range inner {
				at := o*n*inner + i
				for k := range line {
					line[k] = v[at+k*inner]
				}
				f(line)
				for k, y := range line {
					v[at+k*inner] = y
				}
			}
		})
	}
	if err != nil {
		return nil, err
	}
	return convert(onnx.New(x.Dims, v), x.DType)
}

// softmax turns scores into probabilities; the largest score is subtracted
// first so that exp cannot overflow.
func softmax(line []float64) {
	top, sum := slices.Max(line), 0.0
	for i, x := range line {
		line[i] = math.Exp(x - top)
		sum += line[i]
	}
	for i := range line {
		line[i] /= sum
	}
}

func logSoftmax(line []float64) {
	top, sum := slices.Max(line), 0.0
	for _, x := range line {
		sum += math.Exp(x - top)
	}
	for i := range line {
		line[i] -= top + math.Log(sum)
	}
}

// hardmax is 1 at the first largest score and 0 elsewhere.
func hardmax(line []float64) {
	best := placeOf(line, 1, false)
	clear(line)
	line[best] = 1
}

// lpNormalization divides a line by its p-norm.
func lpNormalization(c *call) (*onnx.Tensor, error) {
	p := c.Int("p", 2)
	return alongAxis(func(line []float64) {
		norm := fold(line, 0, func(s, x float64) float64 { return s + math.Abs(x) })
		if p != 1 {
			norm = math.Sqrt(squares(line))
		}
		for i := range line {
			if norm != 0 {
				line[i] /= norm
			}
		}
	})(c)
}
