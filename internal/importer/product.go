package importer

import (
	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/operators/region"
)

// gemm is alpha * A * B + beta * C with a constant B: a fully-connected layer.
// What does not fit together is left to the reference operator to complain of.
func (b *builder) gemm(n *onnx.Node, in []value) (value, error) {
	if !in[1].isConst() || n.Int("transA", 0) != 0 ||
		len(in[0].dims) != 2 || in[0].dims[0] != 1 || len(in[1].dims) != 2 {
		return value{}, errNoLayer
	}
	inputs, outputs, stored := in[1].dims[0], in[1].dims[1], false
	if n.Int("transB", 0) != 0 {
		inputs, outputs, stored = outputs, inputs, true
	}
	if inputs != in[0].dims[1] || inputs*outputs == 0 {
		return value{}, errNoLayer
	}
	var bias []float32
	if len(in) > 2 && !in[2].isAbsent() {
		var err error
		if bias, err = gemmBias(in[2], outputs, n.Float("beta", 1)); err != nil {
			return value{}, err
		}
	}
	w, err := b.weights(in[1])
	if err != nil {
		return value{}, err
	}
	if !stored {
		if w, err = w.transposed(b.ctx, 1, inputs, outputs); err != nil {
			return value{}, err
		}
	}
	l, err := b.fullyConnected(w.scaled(n.Float("alpha", 1)), bias, outputs, in[0])
	return value{layer: l, dims: []int{1, outputs}, order: flat}, err
}

// gemmBias reads C, which broadcasts to a row of outputs.
func gemmBias(v value, outputs int, beta float32) ([]float32, error) {
	dims := align(v.dims, 2)
	if !v.isConst() || dims == nil || dims[0] != 1 || (dims[1] != 1 && dims[1] != outputs) {
		return nil, errNoLayer
	}
	c, err := v.constant.Float32s()
	if err != nil {
		return nil, err
	}
	bias := make([]float32, outputs)
	for i := range bias {
		bias[i] = beta * c[i%len(c)]
	}
	return bias, nil
}

// matMul with a constant matrix is a fully-connected layer for one row and a
// 1x1 convolution for many: over a map with its channels last, cell by cell, or
// over rows that have no place (tokens).
func (b *builder) matMul(_ *onnx.Node, in []value) (value, error) {
	v, rank := in[0], len(in[0].dims)
	if !in[1].isConst() || rank < 1 || len(in[1].dims) != 2 {
		return value{}, errNoLayer
	}
	inputs, outputs := in[1].dims[0], in[1].dims[1]
	if v.dims[rank-1] != inputs || inputs*outputs == 0 {
		return value{}, errNoLayer
	}
	w, err := b.weights(in[1])
	if err != nil {
		return value{}, err
	}
	if w, err = w.transposed(b.ctx, 1, inputs, outputs); err != nil {
		return value{}, err
	}
	out := value{dims: append(append([]int{}, v.dims[:rank-1]...), outputs), order: flat}
	rows := product(v.dims[:rank-1])
	if v.order == hwc && rank == 4 && rows > 1 {
		out.order = hwc
		out.layer, err = b.add("linear", pointwiseConv(w.data, outputs, inputs), v.layer)
		return out, err
	}
	if rows == 1 {
		out.layer, err = b.fullyConnected(w, nil, outputs, v)
		return out, err
	}
	if v, err = b.vector(v); err != nil {
		return value{}, err
	}
	l, err := b.add("rows", network.Reshaped{To: network.Shape{H: rows, W: 1, C: inputs}}, v.layer)
	if err != nil {
		return value{}, err
	}
	if l, err = b.add("linear", pointwiseConv(w.data, outputs, inputs), l); err != nil {
		return value{}, err
	}
	out.layer, err = b.add("vector", network.Reshaped{To: network.Vector(rows * outputs)}, l)
	return out, err
}

// pointwiseConv multiplies every cell with a matrix.
func pointwiseConv(weights []float32, outputs, inputs int) network.Conv {
	one := region.Window{Kernel: 1, Stride: 1, Dilation: 1}
	return network.Conv{Window: network.Window{Y: one, X: one}, Groups: 1, Weights: dense(weights, outputs, 1, 1, inputs)}
}
