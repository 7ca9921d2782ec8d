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
	weights, err := matrix(in[1].constant, stored, n.Float("alpha", 1))
	if err != nil {
		return value{}, err
	}
	var bias []float32
	if len(in) > 2 && !in[2].isAbsent() {
		if bias, err = gemmBias(in[2], outputs, n.Float("beta", 1)); err != nil {
			return value{}, err
		}
	}
	f, err := b.vector(in[0])
	if err != nil {
		return value{}, err
	}
	op := network.Dense{Weights: dense(weights, outputs, inputs), Bias: bias}
	l, err := b.add("fully connected", op, f.layer)
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
	weights, err := matrix(in[1].constant, false, 1)
	if err != nil {
		return value{}, err
	}
	out := value{dims: append(append([]int{}, v.dims[:rank-1]...), outputs), order: flat}
	rows := product(v.dims[:rank-1])
	if v.order == hwc && rank == 4 && rows > 1 {
		out.order = hwc
		out.layer, err = b.add("linear", pointwiseConv(weights, outputs, inputs), v.layer)
		return out, err
	}
	if v, err = b.vector(v); err != nil {
		return value{}, err
	}
	if rows == 1 {
		out.layer, err = b.add("fully connected", network.Dense{Weights: dense(weights, outputs, inputs)}, v.layer)
		return out, err
	}
	l, err := b.add("rows", network.Reshaped{To: network.Shape{H: rows, W: 1, C: inputs}}, v.layer)
	if err != nil {
		return value{}, err
	}
	if l, err = b.add("linear", pointwiseConv(weights, outputs, inputs), l); err != nil {
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

// matrix reads a (inputs, outputs) matrix as (outputs, inputs), scaled; stored
// tells that it is stored that way. What need not change is not copied: nobody
// writes to weights.
func matrix(t *onnx.Tensor, stored bool, scale float32) ([]float32, error) {
	data, err := t.Float32s()
	if err != nil {
		return nil, err
	}
	if !stored {
		data = transposed(data, 1, t.Dims[0], t.Dims[1])
	}
	if scale != 1 {
		scaled := make([]float32, len(data))
		for i, x := range data {
			scaled[i] = scale * x
		}
		data = scaled
	}
	return data, nil
}

// transposed turns n blocks of (rows, cols) values into (cols, rows). A large
// matrix is walked in squares that stay in the cache: VGG's have 100 million
// values.
func transposed(data []float32, n, rows, cols int) []float32 {
	if rows <= 1 || cols <= 1 {
		return data
	}
	const side = 32
	out := make([]float32, len(data))
	for b := range n {
		from, to := data[b*rows*cols:(b+1)*rows*cols], out[b*rows*cols:]
		for r := 0; r < rows; r += side {
			for c := 0; c < cols; c += side {
				for i := r; i < min(r+side, rows); i++ {
					for j := c; j < min(c+side, cols); j++ {
						to[j*rows+i] = from[i*cols+j]
					}
				}
			}
		}
	}
	return out
}
