package reference

import (
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// indicesInto reads a tensor of indices into an axis of the given size, where
// negative ones count from the end.
func indicesInto(t *onnx.Tensor, size int) ([]int, error) {
	v, err := t.Ints()
	if err != nil {
		return nil, err
	}
	for i, x := range v {
		if x < -size || x >= size {
			return nil, fmt.Errorf("index %d is out of range for an axis of %d", x, size)
		}
		if x < 0 {
			v[i] = x + size
		}
	}
	return v, nil
}

// gather replaces an axis by the entries that the indices name; the indices'
// shape stands in the axis's place.
func gather(c *call) (*onnx.Tensor, error) {
	x, idx := c.in[0], c.in[1]
	axis, err := axisOf(c.Int("axis", 0), x.Rank())
	if err != nil {
		return nil, err
	}
	indices, err := indicesInto(idx, x.Dims[axis])
	if err != nil {
		return nil, err
	}
	offsets := whole(x)
	offsets[axis] = along(x, axis, indices)
	y, err := c.picked(x, offsets, nil)
	if err != nil {
		return nil, err
	}
	return reshaped(y, slices.Concat(x.Dims[:axis], idx.Dims, x.Dims[axis+1:])), nil
}

// gatherElements takes, for every place of the indices' shape, the entry of x
// at that place with its index along the axis replaced.
func gatherElements(c *call) (*onnx.Tensor, error) {
	x, idx := c.in[0], c.in[1]
	axis, err := axisOf(c.Int("axis", 0), x.Rank())
	if err != nil {
		return nil, err
	}
	if idx.Rank() != x.Rank() {
		return nil, fmt.Errorf("indices of rank %d for rank %d", idx.Rank(), x.Rank())
	}
	for a, d := range idx.Dims {
		if a != axis && d > x.Dims[a] {
			return nil, fmt.Errorf("indices of shape %s for shape %s", onnx.FormatDims(idx.Dims), onnx.FormatDims(x.Dims))
		}
	}
	indices, err := indicesInto(idx, x.Dims[axis])
	if err != nil {
		return nil, err
	}
	strides := stridesOf(x.Dims)
	own := strides[axis]
	strides[axis] = 0
	l := newLoop(idx.Dims, stridesOf(idx.Dims), strides)
	step := l.step(1)
	err = l.run(c.ctx, func(n int, at []int) {
		for i := range n {
			indices[at[0]+i] = at[1] + i*step + indices[at[0]+i]*own
		}
	})
	if err != nil {
		return nil, err
	}
	return like(x, idx.Dims, elementsOf(x).take(indices)), nil
}

// gatherND takes slices of x, each named by the tuple along the last axis of
// the indices; the first batch_dims axes of both go together.
func gatherND(c *call) (*onnx.Tensor, error) {
	x, idx, batch := c.in[0], c.in[1], c.Int("batch_dims", 0)
	if idx.Rank() < 1 || x.Rank() < 1 || batch < 0 || batch >= min(x.Rank(), idx.Rank()) ||
		!slices.Equal(x.Dims[:batch], idx.Dims[:batch]) {
		return nil, fmt.Errorf("indices of shape %s into shape %s with %d batch axes",
			onnx.FormatDims(idx.Dims), onnx.FormatDims(x.Dims), batch)
	}
	depth := idx.Dims[idx.Rank()-1]
	if depth < 1 || batch+depth > x.Rank() {
		return nil, fmt.Errorf("index tuples of %d for rank %d", depth, x.Rank())
	}
	tuples, err := idx.Ints()
	if err != nil {
		return nil, err
	}
	strides := stridesOf(x.Dims)
	tail := product(x.Dims[batch+depth:])
	dims := slices.Concat(idx.Dims[:idx.Rank()-1], x.Dims[batch+depth:])
	n, err := c.sized(dims)
	if err != nil || n == 0 {
		return c.empty(x, dims), err
	}
	offsets := make([]int, 0, n)
	perBatch := product(idx.Dims[batch : idx.Rank()-1])
	batchStride := product(x.Dims[batch:])
	for t := range len(tuples) / depth {
		start := t / perBatch * batchStride
		for i, v := range tuples[t*depth : (t+1)*depth] {
			size := x.Dims[batch+i]
			if v < -size || v >= size {
				return nil, fmt.Errorf("index %d is out of range for an axis of %d", v, size)
			}
			start += modulo(v, size) * strides[batch+i]
		}
		for i := range tail {
			offsets = append(offsets, start+i)
		}
	}
	return like(x, dims, elementsOf(x).take(offsets)), nil
}

// where chooses between two tensors, all three broadcast.
func where(c *call) (*onnx.Tensor, error) {
	cond, yes, no := c.in[0], c.in[1], c.in[2]
	if yes.DType != no.DType {
		return nil, fmt.Errorf("%s and %s together", yes.DType, no.DType)
	}
	dims, err := broadcast(cond.Dims, yes.Dims, no.Dims)
	if err != nil {
		return nil, err
	}
	n, err := c.sized(dims)
	if err != nil {
		return nil, err
	}
	l := newLoop(dims, stridesOf(dims), broadcastStrides(cond.Dims, dims),
		broadcastStrides(yes.Dims, dims), broadcastStrides(no.Dims, dims))
	data, err := elementsOf(yes).choose(c.ctx, n, l, cond.Data.([]bool), elementsOf(no))
	if err != nil {
		return nil, err
	}
	return like(yes, dims, data), nil
}
