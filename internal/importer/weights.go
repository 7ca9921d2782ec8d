package importer

import (
	"context"
	"fmt"

	"occlude/internal/network"
)

// weights are constant numbers on their way into a layer. Those of a large
// network are most of the memory it needs, so what nobody else reads is brought
// into a layer's order where it lies.
type weights struct {
	data []float32
	mine bool // nobody else reads data
}

// weights reads a constant.
func (b *builder) weights(v value) (weights, error) {
	if !v.constant.DType.IsFloat() {
		return weights{}, fmt.Errorf("has weights of %s, images need a floating point type", v.constant.DType)
	}
	data, err := v.constant.Float32s()
	return weights{data, v.sole}, err
}

// scaled multiplies all numbers.
func (w weights) scaled(by float32) weights {
	if by == 1 {
		return w
	}
	out := w
	if !w.mine {
		out = weights{make([]float32, len(w.data)), true}
	}
	for i, x := range w.data {
		out.data[i] = by * x
	}
	return out
}

// transposed turns n blocks of (rows, cols) numbers into (cols, rows): filters
// in ONNX's order into channels last, for one. Blocks of our own change places
// within themselves, by way of a copy of one; where there is only one, that copy
// is the result. VGG's weights take a while, so the context may end it.
func (w weights) transposed(ctx context.Context, n, rows, cols int) (weights, error) {
	if rows <= 1 || cols <= 1 {
		return w, nil
	}
	size := rows * cols
	out := w
	var copied []float32
	if w.mine && n > 1 {
		copied = make([]float32, size)
	} else {
		out = weights{make([]float32, len(w.data)), true}
	}
	for at := 0; at < len(w.data); at += size {
		block := w.data[at : at+size]
		if copied != nil {
			copy(copied, block)
			block = copied
		}
		if err := transpose(ctx, out.data[at:at+size], block, rows, cols); err != nil {
			return weights{}, err
		}
	}
	return out, nil
}

// transpose writes a (rows, cols) matrix as (cols, rows). A large one is walked
// in squares that stay in the cache.
func transpose(ctx context.Context, to, from []float32, rows, cols int) error {
	const side = 32
	for r := 0; r < rows; r += side {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for c := 0; c < cols; c += side {
			for i := r; i < min(r+side, rows); i++ {
				for j := c; j < min(c+side, cols); j++ {
					to[j*rows+i] = from[i*cols+j]
				}
			}
		}
	}
	return nil
}

// fullyConnected adds a layer of weights (outputs, inputs) that reads v, whose
// elements the inputs are in row-major order. A map that was flattened for it is
// read as it is, in HWC, and the weights are brought into that order instead.
func (b *builder) fullyConnected(w weights, bias []float32, outputs int, v value) (*network.Layer, error) {
	f, err := b.vector(v)
	if err != nil {
		return nil, err
	}
	from := f.layer
	if _, ok := from.Op.(network.Flatten); ok {
		from = from.In[0]
		if w, err = w.transposed(b.ctx, outputs, from.Shape.C, from.Shape.Cells()); err != nil {
			return nil, err
		}
	}
	op := network.Dense{Weights: dense(w.data, outputs, from.Shape.Len()), Bias: bias}
	return b.add("fully connected", op, from)
}
