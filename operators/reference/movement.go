package reference

import (
	"errors"
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// along lists the offsets of the source indices given for one axis of x.
func along(x *onnx.Tensor, axis int, indices []int) []int {
	stride := stridesOf(x.Dims)[axis]
	out := make([]int, len(indices))
	for i, v := range indices {
		out[i] = v * stride
		if v < 0 {
			out[i] = -1
		}
	}
	return out
}

// whole lists the offsets that keep every axis of x as it is.
func whole(x *onnx.Tensor) [][]int {
	strides := stridesOf(x.Dims)
	out := make([][]int, len(x.Dims))
	for a, d := range x.Dims {
		out[a] = steps(d, strides[a])
	}
	return out
}

// steps is 0, by, 2*by, ... with n entries.
func steps(n, by int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i * by
	}
	return out
}

// picked builds the tensor that offsets describe, after checking its size.
func (c *call) picked(x *onnx.Tensor, offsets [][]int, fill elements) (*onnx.Tensor, error) {
	dims := make([]int, len(offsets))
	for i, o := range offsets {
		dims[i] = len(o)
	}
	if _, err := c.sized(dims); err != nil {
		return nil, err
	}
	data, err := elementsOf(x).pick(c.ctx, dims, offsets, fill)
	if err != nil {
		return nil, err
	}
	return like(x, dims, data), nil
}

// transpose permutes the axes, by default into reverse order.
func transpose(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	perm := c.Ints("perm")
	if !c.Has("perm") {
		perm = steps(x.Rank(), 1)
		slices.Reverse(perm)
	}
	return c.permuted(x, perm)
}

func (c *call) permuted(x *onnx.Tensor, perm []int) (*onnx.Tensor, error) {
	if len(perm) != x.Rank() {
		return nil, fmt.Errorf("perm %v does not fit rank %d", perm, x.Rank())
	}
	if _, err := axisSet(perm, x.Rank()); err != nil {
		return nil, fmt.Errorf("perm %v: %w", perm, err)
	}
	own := whole(x)
	offsets := make([][]int, len(perm))
	for i, p := range perm {
		p, _ = axisOf(p, x.Rank())
		offsets[i] = own[p]
	}
	return c.picked(x, offsets, nil)
}

// expand broadcasts to the shape in the second input; either side may stretch.
func expand(c *call) (*onnx.Tensor, error) {
	shape, err := c.in[1].Ints()
	if err != nil {
		return nil, err
	}
	if _, err := onnx.Count(shape); err != nil {
		return nil, err
	}
	return c.expanded(c.in[0], shape)
}

func (c *call) expanded(x *onnx.Tensor, shape []int) (*onnx.Tensor, error) {
	dims, err := broadcast(x.Dims, shape)
	if err != nil {
		return nil, err
	}
	if n, err := c.sized(dims); err != nil || n == 0 {
		return c.empty(x, dims), err
	}
	strides := broadcastStrides(x.Dims, dims)
	offsets := make([][]int, len(dims))
	for a, d := range dims {
		offsets[a] = steps(d, strides[a])
	}
	return c.picked(x, offsets, nil)
}

// empty is a tensor without elements; dims hold a zero.
func (c *call) empty(x *onnx.Tensor, dims []int) *onnx.Tensor {
	return like(x, dims, elementsOf(x).take(nil))
}

// tile repeats the tensor along each axis.
func tile(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	repeats, err := c.in[1].Ints()
	if err != nil {
		return nil, err
	}
	if c.input(2) != nil { // version 1: tiles along one axis
		axis, err := c.in[2].Ints()
		if err != nil || len(axis) != 1 || len(repeats) != 1 {
			return nil, errors.New("tiles and axis must be single numbers")
		}
		a, err := axisOf(axis[0], x.Rank())
		if err != nil {
			return nil, err
		}
		times := repeats[0]
		repeats = slices.Repeat([]int{1}, x.Rank())
		repeats[a] = times
	}
	if len(repeats) != x.Rank() {
		return nil, fmt.Errorf("%d repeats for rank %d", len(repeats), x.Rank())
	}
	dims := make([]int, x.Rank())
	for a, r := range repeats {
		if r < 0 || r > MaxOutput {
			return nil, fmt.Errorf("%d repeats", r)
		}
		dims[a] = x.Dims[a] * r
	}
	if n, err := c.sized(dims); err != nil || n == 0 {
		return c.empty(x, dims), err
	}
	offsets := whole(x)
	for a, r := range repeats {
		offsets[a] = slices.Repeat(offsets[a], r)
	}
	return c.picked(x, offsets, nil)
}

// concat joins tensors along an axis; their other sizes agree.
func concat(c *call) (*onnx.Tensor, error) {
	first := c.in[0]
	if c.opset >= 4 && !c.Has("axis") {
		return nil, errors.New("no axis")
	}
	axis, err := axisOf(c.Int("axis", 1), first.Rank())
	if err != nil {
		return nil, err
	}
	dims := slices.Clone(first.Dims)
	dims[axis] = 0
	parts := make([]elements, len(c.in))
	runs := make([]int, len(c.in))
	for i, t := range c.in {
		switch {
		case t == nil:
			return nil, fmt.Errorf("input %d is missing", i)
		case t.DType != first.DType:
			return nil, fmt.Errorf("%s and %s together", first.DType, t.DType)
		case t.Rank() != first.Rank():
			return nil, fmt.Errorf("shapes %s and %s together", onnx.FormatDims(first.Dims), onnx.FormatDims(t.Dims))
		}
		for a, d := range t.Dims {
			if a != axis && d != dims[a] {
				return nil, fmt.Errorf("shapes %s and %s differ on axis %d", onnx.FormatDims(first.Dims), onnx.FormatDims(t.Dims), a)
			}
		}
		dims[axis] += t.Dims[axis]
		parts[i] = elementsOf(t)
		runs[i] = product(t.Dims[axis:])
	}
	if n, err := c.sized(dims); err != nil || n == 0 {
		return c.empty(first, dims), err
	}
	return like(first, dims, parts[0].join(product(dims[:axis]), parts, runs)), nil
}

// split cuts a tensor along an axis into the given sizes, or into equal ones.
// From version 18 on the last of equal parts may be smaller.
func split(c *call) ([]*onnx.Tensor, error) {
	x := c.in[0]
	axis, err := axisOf(c.Int("axis", 0), x.Rank())
	if err != nil {
		return nil, err
	}
	sizes, err := c.intsFrom("split", 13, 1)
	if err != nil {
		return nil, err
	}
	if c.opset < 2 && c.input(1) != nil { // version 1 has both forms
		if sizes, err = c.in[1].Ints(); err != nil {
			return nil, err
		}
	}
	size := x.Dims[axis]
	if sizes == nil {
		n := c.Int("num_outputs", len(c.Outputs))
		if n < 1 || n > max(size, len(c.Outputs)) {
			return nil, fmt.Errorf("%d parts of an axis of %d", n, size)
		}
		if sizes, err = equalParts(size, n, c.opset >= 18); err != nil {
			return nil, err
		}
	}
	total := 0
	for _, s := range sizes {
		if s < 0 || s > size {
			return nil, fmt.Errorf("a part of %d out of %d", s, size)
		}
		total += s
	}
	if total != size {
		return nil, fmt.Errorf("parts %v do not add up to %d", sizes, size)
	}
	out := make([]*onnx.Tensor, len(sizes))
	offsets := whole(x)
	all := offsets[axis]
	for i, s := range sizes {
		offsets[axis] = all[:s]
		all = all[s:]
		if out[i], err = c.picked(x, offsets, nil); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func equalParts(size, n int, uneven bool) ([]int, error) {
	if size%n != 0 && !uneven {
		return nil, fmt.Errorf("an axis of %d cannot be split into %d equal parts", size, n)
	}
	each := (size + n - 1) / n
	parts := make([]int, n)
	for i := range parts {
		parts[i] = min(each, size)
		size -= parts[i]
	}
	return parts, nil
}

// sliceOp takes a range of each named axis: starts, ends, axes and steps are
// attributes before version 10 and inputs since. Ranges are clamped to the
// tensor, negative numbers count from the end.
func sliceOp(c *call) (*onnx.Tensor, error) {
	x := c.in[0]
	var lists [4][]int
	for i, name := range []string{"starts", "ends", "axes", "steps"} {
		v, err := c.intsFrom(name, 10, i+1)
		if err != nil {
			return nil, err
		}
		lists[i] = v
	}
	starts, ends, axes, by := lists[0], lists[1], lists[2], lists[3]
	if axes == nil {
		axes = steps(len(starts), 1)
	}
	if by == nil {
		by = slices.Repeat([]int{1}, len(starts))
	}
	if len(ends) != len(starts) || len(axes) != len(starts) || len(by) != len(starts) {
		return nil, fmt.Errorf("%d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(axes), len(by))
	}
	if _, err := axisSet(axes, x.Rank()); err != nil {
		return nil, err
	}
	offsets := whole(x)
	for i, a := range axes {
		a, _ = axisOf(a, x.Rank())
		indices, err := sliceIndices(x.Dims[a], starts[i], ends[i], by[i])
		if err != nil {
			return nil, fmt.Errorf("axis %d: %w", a, err)
		}
		offsets[a] = along(x, a, indices)
	}
	return c.picked(x, offsets, nil)
}

// sliceIndices lists start, start+step, ... up to but without end, as Python's
// slices do.
func sliceIndices(size, start, end, step int) ([]int, error) {
	if step == 0 {
		return nil, errors.New("a step of 0")
	}
	if start < 0 {
		start += size
	}
	if end < 0 {
		end += size
	}
	step = min(max(step, -MaxOutput), MaxOutput)
	var out []int
	if step > 0 {
		for i := max(start, 0); i < min(end, size); i += step {
			out = append(out, i)
		}
		return out, nil
	}
	for i := min(start, size-1); i > max(end, -1); i += step {
		out = append(out, i)
	}
	return out, nil
}

// maxBlock bounds block sizes, whose squares are counted.
const maxBlock = 1 << 12

// depthToSpace moves channels into blocks of pixels.
func depthToSpace(c *call) (*onnx.Tensor, error) {
	x, b := c.in[0], c.Int("blocksize", 0)
	if x.Rank() != 4 || b < 1 || b > maxBlock || x.Dims[1]%(b*b) != 0 {
		return nil, fmt.Errorf("block size %d for shape %s", b, onnx.FormatDims(x.Dims))
	}
	n, ch, h, w := x.Dims[0], x.Dims[1]/(b*b), x.Dims[2], x.Dims[3]
	var (
		t   *onnx.Tensor
		err error
	)
	if c.Str("mode", "DCR") == "CRD" {
		t, err = c.permuted(reshaped(x, []int{n, ch, b, b, h, w}), []int{0, 1, 4, 2, 5, 3})
	} else {
		t, err = c.permuted(reshaped(x, []int{n, b, b, ch, h, w}), []int{0, 3, 4, 1, 5, 2})
	}
	if err != nil {
		return nil, err
	}
	return reshaped(t, []int{n, ch, h * b, w * b}), nil
}

// spaceToDepth moves blocks of pixels into channels.
func spaceToDepth(c *call) (*onnx.Tensor, error) {
	x, b := c.in[0], c.Int("blocksize", 0)
	if x.Rank() != 4 || b < 1 || b > maxBlock || x.Dims[2]%b != 0 || x.Dims[3]%b != 0 {
		return nil, fmt.Errorf("block size %d for shape %s", b, onnx.FormatDims(x.Dims))
	}
	n, ch, h, w := x.Dims[0], x.Dims[1], x.Dims[2]/b, x.Dims[3]/b
	t, err := c.permuted(reshaped(x, []int{n, ch, h, b, w, b}), []int{0, 3, 5, 1, 2, 4})
	if err != nil {
		return nil, err
	}
	return reshaped(t, []int{n, ch * b * b, h, w}), nil
}
