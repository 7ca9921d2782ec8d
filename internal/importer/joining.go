package importer

import (
	"fmt"
	"math"

	"occlude/internal/network"
	"occlude/internal/onnx"
)

// concat along the channels of maps, or of values that are vectors along the
// axis, is a Concat layer.
func (b *builder) concat(n *onnx.Node, in []value) (value, error) {
	first := in[0]
	for _, v := range in {
		if !v.isConst() {
			first = v
			break
		}
	}
	rank := len(first.dims)
	axis := n.Int("axis", 1)
	if axis < 0 {
		axis += rank
	}
	if axis < 1 || axis >= rank {
		return value{}, errNoLayer
	}
	out := value{dims: append([]int{}, first.dims...)}
	out.dims[axis] = 0
	for _, v := range in {
		if len(v.dims) != rank {
			return value{}, errNoLayer
		}
		for a, d := range v.dims {
			if a != axis && d != first.dims[a] {
				return value{}, errNoLayer
			}
		}
		out.dims[axis] += v.dims[axis]
	}
	// Along the first axis that is not one, row-major vectors just follow each other.
	vectors := product(first.dims[:axis]) == 1
	for _, o := range []order{first.order, chw} {
		out.order = o
		from, to := out.channelAxes()
		if o == flat || to-from != 1 || axis != from {
			continue
		}
		if l, ok, err := b.joined(in, o); ok || err != nil {
			out.layer = l
			return out, err
		}
	}
	if !vectors {
		return value{}, errNoLayer
	}
	out.order = flat
	l, ok, err := b.joined(in, flat)
	if !ok && err == nil {
		err = errNoLayer
	}
	out.layer = l
	return out, err
}

// joined is the Concat of values that can all be had in an order.
func (b *builder) joined(in []value, o order) (*network.Layer, bool, error) {
	for _, v := range in {
		if !canSee(v, v.dims, o) {
			return nil, false, nil
		}
	}
	layers := make([]*network.Layer, len(in))
	for i, v := range in {
		if product(v.dims) == 0 {
			return nil, false, nil
		}
		var err error
		if layers[i], err = b.operand(v, v.dims, o); err != nil {
			return nil, false, err
		}
	}
	l, err := b.add("concat", network.Concat{}, layers...)
	return l, true, err
}

// pick takes elements along one axis of a value: channels, or rows or columns
// at a constant step.
func (b *builder) pick(v value, axis int, index []int) (value, error) {
	if v.isConst() || len(index) == 0 {
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
	if v.isConst() {
		return value{}, errNoLayer
	}
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
	if v.isConst() || !in[1].isConst() || len(in[1].dims) > 1 {
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
	if v.isConst() || axis < 0 || axis >= len(v.dims) {
		return b.function(n, in)
	}
	total, parts := v.dims[axis], len(n.Outputs)
	sizes := n.Ints("split")
	if len(in) > 1 && !in[1].isAbsent() {
		if !in[1].isConst() {
			return b.function(n, in)
		}
		var err error
		if sizes, err = in[1].constant.Ints(); err != nil {
			return nil, err
		}
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
		index := make([]int, size)
		for j := range index {
			index[j] = start + j
		}
		start += size
		if n.Outputs[i] == "" {
			continue
		}
		var err error
		if out[i], err = b.pick(v, axis, index); err == errNoLayer {
			return b.function(n, in)
		} else if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pad of the rows and columns of a map; zero padding of channels is a Concat
// with constants.
func (b *builder) pad(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	pads, fill, ok := b.padding(n, in)
	if v.isConst() || !ok {
		return value{}, errNoLayer
	}
	mode := n.Str("mode", "constant")
	if v.order == flat {
		if len(v.dims) != 4 || allZero(pads) {
			return v, ifNot(allZero(pads), errNoLayer)
		}
		var err error
		if v, err = b.imageMap(v); err != nil {
			return value{}, errNoLayer
		}
	}
	rank := len(v.dims)
	if len(pads) != 2*rank || (mode != network.PadConstant && mode != network.PadEdge && mode != network.PadReflect) {
		return value{}, errNoLayer
	}
	for _, p := range pads {
		if p < 0 || p > maxSide {
			return value{}, errNoLayer
		}
	}
	y, x := v.spatialAxes()
	from, to := v.channelAxes()
	for a := range rank {
		used := pads[a] != 0 || pads[rank+a] != 0
		isChannel := to-from == 1 && a == from && mode == network.PadConstant
		if used && a != y && a != x && !isChannel {
			return value{}, errNoLayer
		}
	}
	out := value{layer: v.layer, order: v.order}
	for a, d := range v.dims {
		out.dims = append(out.dims, d+pads[a]+pads[rank+a])
	}
	var err error
	if to-from == 1 && pads[from]+pads[rank+from] > 0 {
		if out.layer, err = b.padChannels(v.layer, pads[from], pads[rank+from], fill); err != nil {
			return value{}, err
		}
	}
	op := network.Pad{Top: pads[y], Left: pads[x], Bottom: pads[rank+y], Right: pads[rank+x], Mode: mode, Value: fill}
	if op.Top+op.Left+op.Bottom+op.Right > 0 {
		out.layer, err = b.add("pad", op, out.layer)
	}
	return out, err
}

func ifNot(ok bool, err error) error {
	if ok {
		return nil
	}
	return err
}

func allZero(v []int) bool {
	for _, x := range v {
		if x != 0 {
			return false
		}
	}
	return true
}

// padding reads pads and value: attributes before opset 11, inputs since; axes
// since 18.
func (b *builder) padding(n *onnx.Node, in []value) (pads []int, fill float32, ok bool) {
	pads, fill = n.Ints("pads"), n.Float("value", 0)
	if pads == nil {
		pads = n.Ints("paddings") // opset 1
	}
	if len(in) > 1 {
		if !in[1].isConst() {
			return nil, 0, false
		}
		var err error
		if pads, err = in[1].constant.Ints(); err != nil {
			return nil, 0, false
		}
	}
	if len(in) > 2 && !in[2].isAbsent() {
		if fill, ok = in[2].scalar(); !ok {
			return nil, 0, false
		}
	}
	if len(in) > 3 && !in[3].isAbsent() {
		return b.padAxes(pads, fill, in)
	}
	return pads, fill, true
}

// padAxes spreads pads that are given for some axes over all of them.
func (b *builder) padAxes(pads []int, fill float32, in []value) ([]int, float32, bool) {
	rank := len(in[0].dims)
	axes, ok := axesOf(&onnx.Node{}, []value{in[0], in[3]}, rank)
	if !ok || len(pads) != 2*len(axes) {
		return nil, 0, false
	}
	all := make([]int, 2*rank)
	for i, a := range axes {
		all[a], all[rank+a] = pads[i], pads[len(axes)+i]
	}
	return all, fill, true
}

func (b *builder) padChannels(l *network.Layer, before, after int, fill float32) (*network.Layer, error) {
	s := l.Shape
	var layers []*network.Layer
	add := func(n int) error {
		if n == 0 {
			return nil
		}
		data := make([]float32, s.Cells()*n)
		for i := range data {
			data[i] = fill
		}
		c, err := b.add("padding", network.Const{Value: dense(data, s.H, s.W, n)})
		layers = append(layers, c)
		return err
	}
	if err := add(before); err != nil {
		return nil, err
	}
	layers = append(layers, l)
	if err := add(after); err != nil {
		return nil, err
	}
	return b.add("concat", network.Concat{}, layers...)
}
