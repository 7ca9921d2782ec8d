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
	if b.opset < 7 && n.Int("broadcast", 0) != 0 {
		return value{}, errNoLayer // the old broadcast along a given axis
	}
	return b.combine(binaryFns[n.Op], in[0], in[1])
}

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
	if x.isConst() && y.isConst() {
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
	if rank > 0 && out[0] != 1 {
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

// gemm is alpha * A * B + beta * C with a constant B: a fully-connected layer.
func (b *builder) gemm(n *onnx.Node, in []value) (value, error) {
	if in[0].isConst() || !in[1].isConst() || n.Int("transA", 0) != 0 ||
		len(in[0].dims) != 2 || in[0].dims[0] != 1 || len(in[1].dims) != 2 {
		return value{}, errNoLayer
	}
	weights, err := matrix(in[1].constant, n.Int("transB", 0) != 0, n.Float("alpha", 1))
	if err != nil {
		return value{}, err
	}
	outputs := len(weights) / max(in[0].dims[1], 1)
	var bias []float32
	if len(in) > 2 && !in[2].isAbsent() {
		if bias, err = b.gemmBias(in[2], outputs, n.Float("beta", 1)); err != nil {
			return value{}, err
		}
	}
	return b.dense(in[0], weights, bias, outputs, []int{1, outputs})
}

func (b *builder) gemmBias(v value, outputs int, beta float32) ([]float32, error) {
	if !v.isConst() {
		return nil, errNoLayer
	}
	c, err := v.constant.Float32s()
	if err != nil {
		return nil, err
	}
	if len(c) != 1 && len(c) != outputs {
		return nil, errNoLayer
	}
	bias := make([]float32, outputs)
	for i := range bias {
		bias[i] = beta * c[i%len(c)]
	}
	return bias, nil
}

// matMul of a vector with a constant matrix is a fully-connected layer, too.
func (b *builder) matMul(_ *onnx.Node, in []value) (value, error) {
	rank := len(in[0].dims)
	if in[0].isConst() || !in[1].isConst() || rank < 2 || len(in[1].dims) != 2 ||
		product(in[0].dims[:rank-1]) != 1 || in[0].dims[rank-1] != in[1].dims[0] {
		return value{}, errNoLayer
	}
	weights, err := matrix(in[1].constant, false, 1)
	if err != nil {
		return value{}, err
	}
	outputs := in[1].dims[1]
	dims := append(append([]int{}, in[0].dims[:rank-1]...), outputs)
	return b.dense(in[0], weights, nil, outputs, dims)
}

func (b *builder) dense(v value, weights, bias []float32, outputs int, dims []int) (value, error) {
	if outputs < 1 || len(weights) == 0 {
		return value{}, errNoLayer
	}
	f, err := b.vector(v)
	if err != nil {
		return value{}, err
	}
	op := network.Dense{Weights: dense(weights, outputs, len(weights)/outputs), Bias: bias}
	l, err := b.add("fully connected", op, f.layer)
	return value{layer: l, dims: dims, order: flat}, err
}

// matrix reads a (inputs, outputs) matrix as (outputs, inputs), scaled; already
// tells that it is stored that way.
func matrix(t *onnx.Tensor, already bool, scale float32) ([]float32, error) {
	data, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	rows, cols := t.Dims[0], t.Dims[1]
	out := make([]float32, len(data))
	for i := range rows {
		for j := range cols {
			x := scale * data[i*cols+j]
			if already {
				out[i*cols+j] = x
			} else {
				out[j*rows+i] = x
			}
		}
	}
	return out, nil
}
