package importer

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// pick takes elements along one axis of a value: channels, or rows or columns
// at a constant step.
func (b *builder) pick(v value, axis int, index []int) (value, error) {
	if len(index) == 0 {
		return value{}, errNoLayer
	}
	for _, i := range index {
		if i < 0 || i >= v.dims[axis] {
			return value{}, fmt.Errorf("takes element %d of an axis of %d", i, v.dims[axis])
		}
	}
	out := value{dims: append([]int{}, v.dims...), order: v.order}
	out.dims[axis] = len(index)
	if len(index) == v.dims[axis] && isIdentity(index) {
		return v, nil
	}
	from, to := v.channelAxes()
	var op network.Op
	switch y, x := v.spatialAxes(); {
	case v.order == flat:
		// Elements along the only axis larger than one.
		if a, single := singleAxis(v.dims); !single || (a != axis && product(v.dims) != 1) {
			return value{}, errNoLayer
		}
		op = network.Channels{Index: index}
	case axis >= from && axis < to:
		op = network.Channels{Index: factorIndex(v.dims[from:to], axis-from, index)}
	case axis == y || axis == x:
		span, ok := spanOf(index)
		if !ok {
			return value{}, errNoLayer
		}
		s := v.layer.Shape
		slice := network.Slice{Y: network.Span{Step: 1, Count: s.H}, X: network.Span{Step: 1, Count: s.W}}
		if axis == y {
			slice.Y = span
		} else {
			slice.X = span
		}
		op = slice
	default:
		return value{}, errNoLayer
	}
	var err error
	out.layer, err = b.add("slice", op, v.layer)
	return out, err
}

// factorIndex lists the channels that remain when one channel factor keeps only
// the given elements.
func factorIndex(factors []int, factor int, keep []int) []int {
	inner := product(factors[factor+1:])
	outer := product(factors[:factor])
	index := make([]int, 0, outer*len(keep)*inner)
	for o := range outer {
		for _, k := range keep {
			for i := range inner {
				index = append(index, (o*factors[factor]+k)*inner+i)
			}
		}
	}
	return index
}

// spanOf sees indices as a start and a positive step.
func spanOf(index []int) (network.Span, bool) {
	s := network.Span{Start: index[0], Step: 1, Count: len(index)}
	if len(index) > 1 {
		s.Step = index[1] - index[0]
	}
	for i, x := range index {
		if s.Step < 1 || x != s.Start+i*s.Step {
			return s, false
		}
	}
	return s, true
}

// slice has starts, ends, axes and steps as attributes before opset 10 and as
// inputs since.
func (b *builder) slice(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	lists := [4][]int{n.Ints("starts"), n.Ints("ends"), n.Ints("axes"), nil}
	for i := range lists {
		if len(in) <= i+1 || in[i+1].isAbsent() {
			continue
		}
		if !in[i+1].isConst() {
			return value{}, errNoLayer
		}
		var err error
		if lists[i], err = in[i+1].constant.Ints(); err != nil {
			return value{}, err
		}
	}
	starts, ends, axes, steps := lists[0], lists[1], lists[2], lists[3]
	if len(starts) != len(ends) || (axes != nil && len(axes) != len(starts)) || (steps != nil && len(steps) != len(starts)) {
		return value{}, fmt.Errorf("has %d starts, %d ends, %d axes and %d steps", len(starts), len(ends), len(axes), len(steps))
	}
	for i := range starts {
		axis, step := i, 1
		if axes != nil {
			axis = axes[i]
		}
		if steps != nil {
			step = steps[i]
		}
		if axis < 0 {
			axis += len(v.dims)
		}
		if axis < 0 || axis >= len(v.dims) || step == 0 {
			return value{}, fmt.Errorf("has an axis of %d and a step of %d for %s", axis, step, onnx.FormatDims(v.dims))
		}
		if err := b.charge(2 * v.dims[axis]); err != nil { // an index is made, of integers of 64 bits
			return value{}, err
		}
		var err error
		if v, err = b.pick(v, axis, sliceIndex(starts[i], ends[i], step, v.dims[axis])); err != nil {
			return value{}, err
		}
	}
	return v, nil
}

// sliceIndex lists the elements from start to end as NumPy's slices do.
func sliceIndex(start, end, step, n int) []int {
	clamp := func(i, lo, hi int) int {
		if i < 0 && i > math.MinInt+n {
			i += n
		}
		return min(max(i, lo), hi)
	}
	index := []int{}
	if step > 0 {
		for i := clamp(start, 0, n); i < clamp(end, 0, n); i += min(step, n) {
			index = append(index, i)
		}
		return index
	}
	for i := clamp(start, -1, n-1); i > clamp(end, -1, n-1); i += max(step, -n) {
		index = append(index, i)
	}
	return index
}

// gather of constant indices along one axis.
func (b *builder) gather(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	if !in[1].isConst() || len(in[1].dims) > 1 {
		return value{}, errNoLayer
	}
	index, err := in[1].constant.Ints()
	if err != nil {
		return value{}, err
	}
	axis := n.Int("axis", 0)
	if axis < 0 {
		axis += len(v.dims)
	}
	if axis < 0 || axis >= len(v.dims) {
		return value{}, fmt.Errorf("has an axis of %d for %s", n.Int("axis", 0), onnx.FormatDims(v.dims))
	}
	for i, x := range index {
		if x < 0 {
			index[i] = x + v.dims[axis]
		}
	}
	out, err := b.pick(v, axis, index)
	if err != nil || len(in[1].dims) == 1 {
		return out, err
	}
	// A single index drops its axis.
	return b.reshaped(out, append(append([]int{}, out.dims[:axis]...), out.dims[axis+1:]...))
}

// split cuts a value along an axis into slices.
func (b *builder) split(n *onnx.Node, in []value) ([]value, error) {
	v := in[0]
	axis := n.Int("axis", 0)
	if axis < 0 {
		axis += len(v.dims)
	}
	if axis < 0 || axis >= len(v.dims) {
		return nil, errNoLayer
	}
	total, parts := v.dims[axis], len(n.Outputs)
	sizes := n.Ints("split")
	if len(in) > 1 && !in[1].isAbsent() {
		if !in[1].isConst() {
			return nil, errNoLayer
		}
		var err error
		if sizes, err = in[1].constant.Ints(); err != nil {
			return nil, err
		}
	}
	if n.Int("num_outputs", parts) != parts || (sizes == nil && b.opset < 18 && total%parts != 0) {
		return nil, errNoLayer // the reference operator says what is wrong
	}
	if sizes == nil {
		each := (total + parts - 1) / parts
		for i := range parts {
			sizes = append(sizes, min(each, total-i*each))
		}
	}
	if len(sizes) != parts {
		return nil, fmt.Errorf("splits %d elements into %v, but has %d outputs", total, sizes, parts)
	}
	out := make([]value, parts)
	start := 0
	for i, size := range sizes {
		if size < 1 || start+size > total {
			return nil, fmt.Errorf("splits %d elements into %v", total, sizes)
		}
		if i == parts-1 && start+size != total {
			return nil, fmt.Errorf("splits %d elements into %v", total, sizes)
		}
		index := make([]int, size)
		for j := range index {
			index[j] = start + j
		}
		start += size
		if n.Outputs[i] == "" {
			continue
		}
		var err error
		if out[i], err = b.pick(v, axis, index); err != nil {
			return nil, err
		}
	}
	return out, nil
}
