package reference

import (
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// MaxOutput bounds the elements of one result: 2^27, half a gigabyte of float32, is
// more than the largest weight of any published image classifier (VGG's 102,760,448).
// A model cannot make us allocate more in one step, however its attributes read.
const MaxOutput = 1 << 27

// maxEmptyAxis bounds the axes of tensors without elements, along which we may
// still count.
const maxEmptyAxis = 1 << 24

// sized counts the elements of a shape and refuses what is too large.
func sized(dims []int) (int, error) {
	n, err := onnx.Count(dims)
	if err != nil {
		return 0, err
	}
	if n > MaxOutput || n == 0 && slices.Max(dims) > maxEmptyAxis {
		return 0, fmt.Errorf("shape %s is too large (limit %d elements)", onnx.FormatDims(dims), MaxOutput)
	}
	return n, nil
}

// sized also refuses what the call's context has no steps for.
func (c *call) sized(dims []int) (int, error) {
	n, err := sized(dims)
	if err != nil {
		return 0, err
	}
	return n, affords(c.ctx, n)
}

// product multiplies dimensions that are known to be bounded.
func product(dims []int) int {
	n := 1
	for _, d := range dims {
		n *= d
	}
	return n
}

// stridesOf gives the row-major strides of a shape.
func stridesOf(dims []int) []int {
	s := make([]int, len(dims))
	n := 1
	for i := len(dims) - 1; i >= 0; i-- {
		s[i] = n
		n *= max(dims[i], 1)
	}
	return s
}

// axisOf resolves an axis that may count from the end.
func axisOf(axis, rank int) (int, error) {
	if axis < -rank || axis >= rank {
		return 0, fmt.Errorf("axis %d is out of range for rank %d", axis, rank)
	}
	if axis < 0 {
		axis += rank
	}
	return axis, nil
}

// axisSet resolves a list of axes, each allowed once, into a mark per axis.
func axisSet(axes []int, rank int) ([]bool, error) {
	marks := make([]bool, rank)
	for _, a := range axes {
		a, err := axisOf(a, rank)
		if err != nil {
			return nil, err
		}
		if marks[a] {
			return nil, fmt.Errorf("axis %d is named twice", a)
		}
		marks[a] = true
	}
	return marks, nil
}

// like wraps a result of the same element type as t.
func like(t *onnx.Tensor, dims []int, data any) *onnx.Tensor {
	return &onnx.Tensor{DType: t.DType, Dims: append([]int{}, dims...), Data: data}
}

// reshaped is t's elements under another shape of equal size.
func reshaped(t *onnx.Tensor, dims []int) *onnx.Tensor { return like(t, dims, t.Data) }

// intsFrom reads what old operator sets say in an attribute and newer ones in
// an input: since is the first version that reads input i. The result is nil
// where it is absent.
func (c *call) intsFrom(attr string, since, i int) ([]int, error) {
	if c.opset < since {
		return c.Ints(attr), nil
	}
	t := c.input(i)
	if t == nil {
		return nil, nil
	}
	v, err := t.Ints()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", attr, err)
	}
	return v, nil
}

// sameShape refuses a result that broadcasting stretched beyond its first input
// where the operator only lets the other inputs stretch.
func sameShape(y, x *onnx.Tensor) error {
	if !slices.Equal(y.Dims, x.Dims) {
		return fmt.Errorf("shape %s stretches %s", onnx.FormatDims(y.Dims), onnx.FormatDims(x.Dims))
	}
	return nil
}
