package reference

import (
	"fmt"

	"occlude/internal/onnx"
)

// unary is a function of one element in each of the three arithmetics; nil
// where the operator does not take such numbers.
type unary struct {
	float    func(float64) float64
	signed   func(int64) int64
	unsigned func(uint64) uint64
}

// apply maps f over all elements of x.
func (c *call) apply(x *onnx.Tensor, f unary) (*onnx.Tensor, error) {
	switch v := x.Data.(type) {
	case []float32:
		return mapped(c, x, v, f.float)
	case []float64:
		return mapped(c, x, v, f.float)
	case []int8:
		return mapped(c, x, v, f.signed)
	case []int16:
		return mapped(c, x, v, f.signed)
	case []int32:
		return mapped(c, x, v, f.signed)
	case []int64:
		return mapped(c, x, v, f.signed)
	case []uint8:
		return mapped(c, x, v, f.unsigned)
	case []uint16:
		return mapped(c, x, v, f.unsigned)
	case []uint32:
		return mapped(c, x, v, f.unsigned)
	case []uint64:
		return mapped(c, x, v, f.unsigned)
	}
	return nil, c.unsupported(x.DType, "")
}

func mapped[T, Wide number](c *call, x *onnx.Tensor, v []T, f func(Wide) Wide) (*onnx.Tensor, error) {
	if f == nil {
		return nil, c.unsupported(x.DType, "")
	}
	out := make([]T, len(v))
	err := inChunks(c.ctx, len(v), func(lo, hi int) {
		for i := lo; i < hi; i++ {
			out[i] = T(f(Wide(v[i])))
		}
	})
	return like(x, x.Dims, out), err
}

// binary is a function of two elements in each of the three arithmetics.
type binary struct {
	float    func(a, b float64) float64
	signed   func(a, b int64) int64
	unsigned func(a, b uint64) uint64
}

// combine broadcasts two tensors of one type and maps f over the pairs.
func (c *call) combine(a, b *onnx.Tensor, f binary) (*onnx.Tensor, error) {
	if a.DType != b.DType {
		return nil, fmt.Errorf("%s and %s together", a.DType, b.DType)
	}
	switch a.Data.(type) {
	case []float32:
		return combined[float32](c, a, b, f.float)
	case []float64:
		return combined[float64](c, a, b, f.float)
	case []int8:
		return combined[int8](c, a, b, f.signed)
	case []int16:
		return combined[int16](c, a, b, f.signed)
	case []int32:
		return combined[int32](c, a, b, f.signed)
	case []int64:
		return combined[int64](c, a, b, f.signed)
	case []uint8:
		return combined[uint8](c, a, b, f.unsigned)
	case []uint16:
		return combined[uint16](c, a, b, f.unsigned)
	case []uint32:
		return combined[uint32](c, a, b, f.unsigned)
	case []uint64:
		return combined[uint64](c, a, b, f.unsigned)
	}
	return nil, c.unsupported(a.DType, "")
}

func combined[T, Wide number](c *call, a, b *onnx.Tensor, f func(a, b Wide) Wide) (*onnx.Tensor, error) {
	if f == nil {
		return nil, c.unsupported(a.DType, "")
	}
	dims, out, err := zip(c, a, b, func(x, y T) T { return T(f(Wide(x), Wide(y))) })
	return like(a, dims, out), err
}

// zip broadcasts two tensors, whose data are []A and []B, and maps f over the
// pairs.
func zip[A, B, R onnx.Element](c *call, a, b *onnx.Tensor, f func(A, B) R) ([]int, []R, error) {
	dims, err := broadcast(a.Dims, b.Dims)
	if err != nil {
		return nil, nil, err
	}
	n, err := c.sized(dims)
	if err != nil {
		return nil, nil, err
	}
	out, x, y := make([]R, n), a.Data.([]A), b.Data.([]B)
	l := newLoop(dims, stridesOf(dims), broadcastStrides(a.Dims, dims), broadcastStrides(b.Dims, dims))
	stepX, stepY := l.step(1), l.step(2)
	err = l.run(c.ctx, func(n int, at []int) {
		i, j := at[1], at[2]
		for k := at[0]; k < at[0]+n; k++ {
			out[k] = f(x[i], y[j])
			i += stepX
			j += stepY
		}
	})
	return dims, out, err
}

// operands gives the two inputs of a binary operator. Before version 7 the
// second one stretched only if the attribute "broadcast" said so, and stood at
// the place that "axis" said instead of at the end.
func (c *call) operands() (a, b *onnx.Tensor, err error) {
	a, b = c.in[0], c.in[1]
	if c.opset >= 7 {
		return a, b, nil
	}
	if c.Int("broadcast", 0) == 0 {
		if onnx.FormatDims(a.Dims) != onnx.FormatDims(b.Dims) {
			return nil, nil, fmt.Errorf("shapes %s and %s differ and it does not broadcast",
				onnx.FormatDims(a.Dims), onnx.FormatDims(b.Dims))
		}
		return a, b, nil
	}
	axis, err := axisOf(c.Int("axis", max(a.Rank()-b.Rank(), 0)), max(a.Rank(), 1))
	if err != nil {
		return nil, nil, err
	}
	dims := append([]int{}, b.Dims...)
	for len(dims)+axis < a.Rank() {
		dims = append(dims, 1)
	}
	stretched, err := broadcast(a.Dims, dims)
	if err != nil || onnx.FormatDims(stretched) != onnx.FormatDims(a.Dims) {
		return nil, nil, fmt.Errorf("shape %s does not stretch to %s from axis %d",
			onnx.FormatDims(b.Dims), onnx.FormatDims(a.Dims), axis)
	}
	return a, reshaped(b, dims), nil
}
