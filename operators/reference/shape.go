package reference

import (
	"errors"
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// shape gives the sizes of the axes start (included) to end (excluded), both
// clamped to the rank.
func shape(c *call) (*onnx.Tensor, error) {
	dims := c.in[0].Dims
	bound := func(v int) int {
		if v < 0 {
			v += len(dims)
		}
		return min(max(v, 0), len(dims))
	}
	start, end := 0, len(dims)
	if c.opset >= 15 {
		start, end = bound(c.Int("start", 0)), bound(c.Int("end", len(dims)))
	}
	out := []int64{}
	for i := start; i < end; i++ {
		out = append(out, int64(dims[i]))
	}
	return onnx.New([]int{len(out)}, out), nil
}

// size gives the number of elements.
func size(c *call) (*onnx.Tensor, error) { return onnx.Scalar(int64(c.in[0].Len())), nil }

// identity passes its input on.
func identity(c *call) (*onnx.Tensor, error) { return reshaped(c.in[0], c.in[0].Dims), nil }

// reshape gives the elements another shape. A -1 stands for what is left over;
// a 0 keeps the size of that axis, unless allowzero makes it a real zero.
func reshape(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	want, err := c.intsFrom("shape", 5, 1)
	if err != nil {
		return nil, err
	}
	if want == nil && (c.opset >= 5 || !c.Has("shape")) {
		return nil, errors.New("no shape")
	}
	dims := slices.Clone(want)
	free := -1
	for i, d := range dims {
		switch {
		case d == -1 && free >= 0:
			return nil, fmt.Errorf("shape %v has two unknowns", want)
		case d == -1:
			free = i
			dims[i] = 1
		case d == 0 && c.Int("allowzero", 0) == 0:
			if i >= x.Rank() {
				return nil, fmt.Errorf("shape %v keeps axis %d, which %s does not have", want, i, onnx.FormatDims(x.Dims))
			}
			dims[i] = x.Dims[i]
		}
	}
	n, err := onnx.Count(dims)
	if err != nil {
		return nil, fmt.Errorf("shape %v: %w", want, err)
	}
	if free >= 0 {
		if n == 0 || x.Len()%n != 0 {
			return nil, fmt.Errorf("%s does not fit shape %v", onnx.FormatDims(x.Dims), want)
		}
		dims[free] = x.Len() / n
	} else if n != x.Len() {
		return nil, fmt.Errorf("%s does not fit shape %v", onnx.FormatDims(x.Dims), want)
	}
	return reshaped(x, dims), nil
}

// flatten makes a matrix: the axes before axis are its rows.
func flatten(c *call) (*onnx.Tensor, error) {
	x, axis := c.in[0], c.Int("axis", 1)
	if axis < -x.Rank() || axis > x.Rank() {
		return nil, fmt.Errorf("axis %d is out of range for rank %d", axis, x.Rank())
	}
	if axis < 0 {
		axis += x.Rank()
	}
	return reshaped(x, []int{product(x.Dims[:axis]), product(x.Dims[axis:])}), nil
}

// squeeze drops the named axes, or all, of size 1.
func squeeze(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	axes, err := c.intsFrom("axes", 13, 1)
	if err != nil {
		return nil, err
	}
	drop, err := axisSet(axes, x.Rank())
	if err != nil {
		return nil, err
	}
	dims := []int{}
	for a, d := range x.Dims {
		switch {
		case axes == nil && d == 1:
		case drop[a] && d != 1:
			return nil, fmt.Errorf("axis %d of %s is not of size 1", a, onnx.FormatDims(x.Dims))
		case !drop[a]:
			dims = append(dims, d)
		}
	}
	return reshaped(x, dims), nil
}

// unsqueeze inserts axes of size 1 so that they stand at the named places of
// the result.
func unsqueeze(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	axes, err := c.intsFrom("axes", 13, 1)
	if err != nil {
		return nil, err
	}
	if axes == nil {
		return nil, errors.New("no axes")
	}
	added, err := axisSet(axes, x.Rank()+len(axes))
	if err != nil {
		return nil, err
	}
	dims, rest := []int{}, x.Dims
	for _, add := range added {
		if add {
			dims = append(dims, 1)
		} else {
			dims, rest = append(dims, rest[0]), rest[1:]
		}
	}
	return reshaped(x, dims), nil
}
