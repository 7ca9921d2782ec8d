package importer

import (
	"occlude/internal/network"
	"occlude/internal/onnx"
)

var binaryFns = map[string]string{
	"Add": network.Add, "Sub": network.Sub, "Mul": network.Mul, "Div": network.Div,
	"Sum": network.Add, "Mean": network.Add, "Max": network.Max, "Min": network.Min,
}

func (b *builder) binary(n *onnx.Node, in []value) (value, error) {
	if b.oldBroadcast(n) {
		return value{}, errNoLayer
	}
	return b.combine(binaryFns[n.Op], in[0], in[1])
}

// oldBroadcast tells whether the node broadcasts along a given axis, as
// operators did before opset 7.
func (b *builder) oldBroadcast(n *onnx.Node) bool { return b.opset < 7 && n.Int("broadcast", 0) != 0 }

// variadic is a chain of binary operations; Mean divides at the end.
func (b *builder) variadic(n *onnx.Node, in []value) (value, error) {
	v := in[0]
	var err error
	for _, x := range in[1:] {
		if v, err = b.combine(binaryFns[n.Op], v, x); err != nil {
			return value{}, err
		}
	}
	if n.Op == "Mean" && len(in) > 1 {
		scale := onnx.Scalar(1 / float32(len(in)))
		return b.combine(network.Mul, v, constValue(scale))
	}
	if len(in) == 1 {
		return b.identity(n, in)
	}
	return v, nil
}

// combine lowers a broadcasting operation of two values. Both are brought into
// a common order; a constant takes the order of the other side.
func (b *builder) combine(fn string, x, y value) (value, error) {
	switch {
	case x.isAbsent() || y.isAbsent():
		return value{}, errNoLayer
	case x.isConst() && y.isConst():
		return b.combineConsts(fn, x, y)
	}
	rank := max(len(x.dims), len(y.dims))
	dx, dy := align(x.dims, rank), align(y.dims, rank)
	out := make([]int, rank)
	for i := range out {
		switch {
		case dx[i] == dy[i], dy[i] == 1:
			out[i] = dx[i]
		case dx[i] == 1:
			out[i] = dy[i]
		default:
			return value{}, errNoLayer // the reference operator says what is wrong
		}
	}
	if product(out) == 0 || (rank > 0 && out[0] != 1) {
		return value{}, errNoLayer
	}
	o, ok := commonOrder(x, y, dx, dy, out)
	if !ok {
		return value{}, errNoLayer
	}
	lx, err := b.operand(x, dx, o)
	if err != nil {
		return value{}, err
	}
	ly, err := b.operand(y, dy, o)
	if err != nil {
		return value{}, err
	}
	l, err := b.add(fn, network.Binary{Fn: fn}, lx, ly)
	return value{layer: l, dims: out, order: o}, err
}

// combineConsts happens inside of variadic operations.
func (b *builder) combineConsts(fn string, x, y value) (value, error) {
	for op, f := range binaryFns {
		if f == fn && op != "Sum" && op != "Mean" {
			out, err := b.fold(&onnx.Node{Op: op}, []value{x, y})
			if err != nil {
				return value{}, err
			}
			b.folded--
			return out[0], nil
		}
	}
	return value{}, errNoLayer
}

// commonOrder finds an order in which both sides are maps (or vectors) whose
// axes broadcast one by one.
func commonOrder(x, y value, dx, dy, out []int) (order, bool) {
	fits := func(o order) bool {
		for _, s := range []struct {
			v    value
			dims []int
		}{{x, dx}, {y, dy}} {
			if !canSee(s.v, s.dims, o) || !channelsBroadcast(s.dims, out, o) {
				return false
			}
		}
		return true
	}
	for _, v := range []value{x, y} {
		if !v.isConst() && v.order != flat && len(v.dims) == len(out) && fits(v.order) {
			return v.order, true
		}
	}
	// As vectors: where nothing is repeated, or single values are.
	if (equalDims(dx, out) || product(dx) == 1) && (equalDims(dy, out) || product(dy) == 1) &&
		canSee(x, dx, flat) && canSee(y, dy, flat) {
		return flat, true
	}
	if len(out) >= 4 && fits(chw) {
		return chw, true
	}
	return flat, false
}

// expand repeats a value along axes of size one: a product with ones that have
// the other shape. Squeeze-and-excitation's expand_as is exported so.
func (b *builder) expand(_ *onnx.Node, in []value) (value, error) {
	v := in[0]
	if !in[1].isConst() {
		return value{}, errNoLayer
	}
	to, err := in[1].constant.Ints()
	if err != nil {
		return value{}, err
	}
	if len(to) == len(v.dims) && b.batch > 1 && to[0] == b.batch {
		to[0] = 1
	}
	rank := max(len(to), len(v.dims))
	ones, from := align(to, rank), align(v.dims, rank)
	repeated := len(to) > len(v.dims)
	for i, d := range ones {
		switch {
		case d < 1:
			return value{}, errNoLayer
		case from[i] == 1 && d > 1:
			repeated = true
		default:
			ones[i] = 1 // no need to hold ones where v has its own elements
		}
	}
	if !repeated {
		return v, nil
	}
	n, err := onnx.Count(ones)
	if err != nil || n > b.limits.values {
		return value{}, errNoLayer
	}
	if err := b.charge(n); err != nil { // before they are made
		return value{}, err
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = 1
	}
	return b.combine(network.Mul, v, constValue(onnx.New(ones, data)))
}

// channelsBroadcast tells whether a side's channel factors are either all the
// output's or all one: a layer broadcasts channels as a single axis.
func channelsBroadcast(dims, out []int, o order) bool {
	v := value{dims: out, order: o}
	from, to := v.channelAxes()
	if from > to || to > len(dims) {
		return false
	}
	return equalDims(dims[from:to], out[from:to]) || product(dims[from:to]) == 1
}

// canSee tells whether a value aligned to dims can be had in an order without
// changing its meaning: constants always, layers in their own order, vectors
// and maps of rank four through a conversion.
func canSee(v value, dims []int, o order) bool {
	if v.isConst() || v.order == o || o == flat {
		return true
	}
	if len(dims) < 4 {
		return false
	}
	if _, single := singleAxis(v.dims); single {
		return true
	}
	return o == chw && len(dims) == 4
}

// operand gives the layer of one side in the given order.
func (b *builder) operand(v value, dims []int, o order) (*network.Layer, error) {
	if v.isConst() {
		return b.constMap(v.constant, dims, o)
	}
	if v.order == o && len(v.dims) == len(dims) {
		return v.layer, nil
	}
	f, err := b.vector(v)
	if err != nil || o == flat {
		return f.layer, err
	}
	seen := value{dims: dims, order: o}
	y, x := seen.spatialAxes()
	to := network.Shape{H: dims[y], W: dims[x], C: product(dims) / (dims[y] * dims[x])}
	if to.IsVector() {
		return f.layer, nil
	}
	if o == chw {
		return b.add("unflatten", network.Unflatten{To: to}, f.layer)
	}
	return b.add("reshape", network.Reshaped{To: to}, f.layer)
}
