package reference

import (
	"errors"
	"fmt"
	"math"

	"occlude/internal/onnx"
)

// constant gives the value in the node's one value attribute.
func constant(c *call) (*onnx.Tensor, error) {
	for name, a := range c.Attrs {
		switch v := a.Value.(type) {
		case *onnx.Tensor:
			if name != "value" {
				continue
			}
			if n, err := onnx.Count(v.Dims); err != nil || n != lengthOf(v) {
				return nil, errors.New("its value is malformed")
			}
			return v, nil
		case float32:
			if name == "value_float" {
				return onnx.Scalar(v), nil
			}
		case []float32:
			if name == "value_floats" {
				return onnx.New([]int{len(v)}, v), nil
			}
		case int64:
			if name == "value_int" {
				return onnx.Scalar(v), nil
			}
		case []int64:
			if name == "value_ints" {
				return onnx.New([]int{len(v)}, v), nil
			}
		case string:
			if name == "value_string" {
				return onnx.Scalar(v), nil
			}
		case []string:
			if name == "value_strings" {
				return onnx.New([]int{len(v)}, v), nil
			}
		}
	}
	if c.Has("sparse_value") {
		return nil, c.unsupported(onnx.Undefined, "sparse values")
	}
	return nil, errors.New("no value")
}

// constantOfShape fills a shape with one value, a float32 zero by default.
func constantOfShape(c *call) (*onnx.Tensor, error) {
	dims, err := c.in[0].Ints()
	if err != nil {
		return nil, err
	}
	n, err := c.sized(dims)
	if err != nil {
		return nil, err
	}
	value := c.Tensor("value")
	if value == nil {
		value = onnx.Scalar(float32(0))
	}
	if lengthOf(value) != 1 {
		return nil, errors.New("its value is not a single element")
	}
	return like(value, dims, elementsOf(value).repeat(n)), nil
}

// rangeOp counts from start to limit (excluded) in steps of delta.
func rangeOp(c *call) (*onnx.Tensor, error) {
	start, limit, delta := c.in[0], c.in[1], c.in[2]
	for _, t := range c.in[:3] {
		if t.Len() != 1 || t.DType != start.DType {
			return nil, errors.New("start, limit and delta must be single numbers of one type")
		}
	}
	switch start.Data.(type) {
	case []float32:
		return counted[float32](c, start, limit, delta)
	case []float64:
		return counted[float64](c, start, limit, delta)
	case []int16:
		return counted[int16](c, start, limit, delta)
	case []int32:
		return counted[int32](c, start, limit, delta)
	case []int64:
		return counted[int64](c, start, limit, delta)
	}
	return nil, c.unsupported(start.DType, "")
}

func counted[T number](c *call, start, limit, delta *onnx.Tensor) (*onnx.Tensor, error) {
	from, to, by := start.Data.([]T)[0], limit.Data.([]T)[0], delta.Data.([]T)[0]
	if by == 0 {
		return nil, errors.New("a delta of 0")
	}
	count := math.Ceil((float64(to) - float64(from)) / float64(by))
	if !(count <= MaxOutput) {
		return nil, fmt.Errorf("a range of %g elements", count)
	}
	n, err := c.sized([]int{int(max(count, 0))})
	if err != nil {
		return nil, err
	}
	out := make([]T, n)
	for i := range out {
		out[i] = from + T(i)*by
	}
	return like(start, []int{len(out)}, out), nil
}

// eyeLike has ones on the k-th diagonal and zeros elsewhere.
func eyeLike(c *call) (*onnx.Tensor, error) {
	x, k := c.in[0], c.Int("k", 0)
	if x.Rank() != 2 {
		return nil, fmt.Errorf("rank %d", x.Rank())
	}
	to := x.DType
	if c.Has("dtype") {
		var err error
		if to, err = c.typeAttr("dtype"); err != nil {
			return nil, err
		}
	}
	rows, cols := x.Dims[0], x.Dims[1]
	if max(k, -k) > MaxOutput {
		return nil, fmt.Errorf("diagonal %d", k)
	}
	out := make([]float32, rows*cols)
	for i := range rows {
		if j := i + k; j >= 0 && j < cols {
			out[i*cols+j] = 1
		}
	}
	return convert(onnx.New(x.Dims, out), to)
}
