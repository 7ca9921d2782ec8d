package importer

import (
	"fmt"

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
		return b.concatPlaces(in, first, axis)
	}
	out.order = flat
	l, ok, err := b.joined(in, flat)
	if !ok && err == nil {
		err = errNoLayer
	}
	out.layer = l
	return out, err
}

// concatPlaces joins maps along their rows or columns: each is surrounded by
// zeros up to the size of the result, and they are added up.
func (b *builder) concatPlaces(in []value, first value, axis int) (value, error) {
	y, x := first.spatialAxes()
	if first.order == flat || (axis != y && axis != x) {
		return value{}, errNoLayer
	}
	out := value{dims: append([]int{}, first.dims...), order: first.order}
	out.dims[axis] = 0
	for _, v := range in {
		if !canSee(v, v.dims, first.order) || product(v.dims) == 0 {
			return value{}, errNoLayer
		}
		out.dims[axis] += v.dims[axis]
	}
	before := 0
	for _, v := range in {
		l, err := b.operand(v, v.dims, first.order)
		if err != nil {
			return value{}, err
		}
		after := out.dims[axis] - before - v.dims[axis]
		op := network.Pad{Mode: network.PadConstant}
		if axis == y {
			op.Top, op.Bottom = before, after
		} else {
			op.Left, op.Right = before, after
		}
		if before += v.dims[axis]; op.Top+op.Bottom+op.Left+op.Right > 0 {
			if l, err = b.add("place", op, l); err != nil {
				return value{}, err
			}
		}
		if out.layer == nil {
			out.layer = l
		} else if out.layer, err = b.add("join", network.Binary{Fn: network.Add}, out.layer, l); err != nil {
			return value{}, err
		}
	}
	return out, nil
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

// pad of the rows and columns of a map; zero padding of channels is a Concat
// with constants.
func (b *builder) pad(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	pads, fill, ok := b.padding(n, in)
	if !ok {
		return value{}, errNoLayer
	}
	for _, p := range pads {
		if p > maxSide || p < -maxSide {
			return value{}, fmt.Errorf("has pads of %v, beyond any image", pads)
		}
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
		if p < 0 {
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
		if err := b.limits.surrounded(out.layer.Shape, op.Top+op.Bottom, op.Left+op.Right); err != nil {
			return value{}, err
		}
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
	if err := b.limits.bounded(network.Shape{H: s.H, W: s.W, C: s.C + before + after}); err != nil {
		return nil, err // before the constants are made
	}
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
