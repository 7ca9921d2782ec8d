package reference

import (
	"context"
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// matrices is one product of matrices, A (m x k) by B (k x n). Sum is the type
// in which long sums are kept.
type matrices[T, Sum number] struct {
	m, k, n int
	a       []T // row-major

	// panel writes rows k0..k1 and columns j0..j1 of B, row-major, into dst.
	panel func(dst []T, k0, k1, j0, j1 int)

	// store takes a piece of row i of the product, from column j on.
	store func(i, j int, sums []Sum)
}

// A product is cut into tasks of rowBlock x columnBlock results. A task reads B
// in panels of depthBlock rows that stay in the processor's cache; runs of
// exactRun terms are summed in T, the runs' sums in Sum. Hence the result does
// not depend on how tasks are shared among processors.
const (
	rowBlock    = 64
	columnBlock = 128
	depthBlock  = 128
	exactRun    = 32
)

// multiplyAll computes the products 0..n-1, all of one shape, in parallel.
func multiplyAll[T, Sum number](ctx context.Context, n int, product func(p int) matrices[T, Sum]) error {
	if n == 0 {
		return nil
	}
	shape := product(0)
	if err := spend(ctx, n, shape.m, shape.k, shape.n); err != nil {
		return err
	}
	rows, columns := ceilDiv(shape.m, rowBlock), ceilDiv(shape.n, columnBlock)
	return parallel(ctx, n*rows*columns, func(task int) {
		x := product(task / (rows * columns))
		i, j := task/columns%rows*rowBlock, task%columns*columnBlock
		x.block(ctx, i, min(i+rowBlock, x.m), j, min(j+columnBlock, x.n))
	})
}

// block computes rows i0..i1 and columns j0..j1.
func (x *matrices[T, Sum]) block(ctx context.Context, i0, i1, j0, j1 int) {
	width := j1 - j0
	sums := make([]Sum, (i1-i0)*width)
	b := make([]T, min(depthBlock, x.k)*width)
	part := make([]T, width)
	for k0 := 0; k0 < x.k; k0 += depthBlock {
		if ctx.Err() != nil {
			return
		}
		k1 := min(k0+depthBlock, x.k)
		x.panel(b, k0, k1, j0, j1)
		for i := i0; i < i1; i++ {
			row := sums[(i-i0)*width : (i-i0+1)*width]
			for k := k0; k < k1; k += exactRun {
				clear(part)
				addRows(part, x.a[i*x.k+k:i*x.k+min(k+exactRun, k1)], b[(k-k0)*width:])
				for j, v := range part {
					row[j] += Sum(v)
				}
			}
		}
	}
	for i := i0; i < i1; i++ {
		x.store(i, j0, sums[(i-i0)*width:(i-i0+1)*width])
	}
}

// addRows adds to sum the rows of b, each times its weight. Four rows at a time
// spare most of the loads and stores of sum.
func addRows[T number](sum, weights, b []T) {
	n := len(sum)
	for len(weights) >= 4 {
		w0, w1, w2, w3 := weights[0], weights[1], weights[2], weights[3]
		b0, b1, b2, b3 := b[:n], b[n:2*n], b[2*n:3*n], b[3*n:4*n]
		b1, b2, b3 = b1[:len(b0)], b2[:len(b0)], b3[:len(b0)]
		sum := sum[:len(b0)]
		for j, v := range b0 {
			sum[j] += w0*v + w1*b1[j] + (w2*b2[j] + w3*b3[j])
		}
		weights, b = weights[4:], b[4*n:]
	}
	for i, w := range weights {
		for j, v := range b[i*n : (i+1)*n] {
			sum[j] += w * v
		}
	}
}

// rowPanel reads B from a row-major k x n matrix.
func rowPanel[T number](b []T, n int) func(dst []T, k0, k1, j0, j1 int) {
	return func(dst []T, k0, k1, j0, j1 int) {
		for k := k0; k < k1; k++ {
			copy(dst[(k-k0)*(j1-j0):(k-k0+1)*(j1-j0)], b[k*n+j0:k*n+j1])
		}
	}
}

// columnPanel reads B from its transpose, a row-major n x k matrix.
func columnPanel[T number](b []T, depth int) func(dst []T, k0, k1, j0, j1 int) {
	return func(dst []T, k0, k1, j0, j1 int) {
		width := j1 - j0
		for j := j0; j < j1; j++ {
			for i, v := range b[j*depth+k0 : j*depth+k1] {
				dst[i*width+j-j0] = v
			}
		}
	}
}

// matmul multiplies stacks of matrices by numpy's rules: the last two axes are
// the matrices, those before them broadcast, and a vector counts as a row on
// the left and as a column on the right, without an axis in the result.
func matmul(c *call) (*onnx.Tensor, error) {
	if c.in[0].DType != c.in[1].DType {
		return nil, fmt.Errorf("%s and %s together", c.in[0].DType, c.in[1].DType)
	}
	switch c.in[0].Data.(type) {
	case []float32:
		return multiplied[float32, float64](c)
	case []float64:
		return multiplied[float64, float64](c)
	case []int32:
		return multiplied[int32, int32](c)
	case []int64:
		return multiplied[int64, int64](c)
	case []uint32:
		return multiplied[uint32, uint32](c)
	case []uint64:
		return multiplied[uint64, uint64](c)
	}
	return nil, c.unsupported(c.in[0].DType, "")
}

func multiplied[T, Sum number](c *call) (*onnx.Tensor, error) {
	a, b := c.in[0], c.in[1]
	if a.Rank() == 0 || b.Rank() == 0 {
		return nil, fmt.Errorf("shapes %s and %s", onnx.FormatDims(a.Dims), onnx.FormatDims(b.Dims))
	}
	left, right := a.Dims, b.Dims
	if len(left) == 1 {
		left = []int{1, left[0]}
	}
	if len(right) == 1 {
		right = []int{right[0], 1}
	}
	stackA, stackB := left[:len(left)-2], right[:len(right)-2]
	m, k, n := left[len(left)-2], left[len(left)-1], right[len(right)-1]
	stack, err := broadcast(stackA, stackB)
	if err != nil {
		return nil, err
	}
	if right[len(right)-2] != k {
		return nil, fmt.Errorf("shapes %s and %s do not multiply", onnx.FormatDims(a.Dims), onnx.FormatDims(b.Dims))
	}
	dims := slices.Clone(stack)
	if a.Rank() > 1 {
		dims = append(dims, m)
	}
	if b.Rank() > 1 {
		dims = append(dims, n)
	}
	count, err := c.sized(dims)
	if err != nil {
		return nil, err
	}
	out, x, y := make([]T, count), a.Data.([]T), b.Data.([]T)
	if count == 0 {
		return like(a, dims, out), nil
	}
	// The stacks' places in a and b for each product.
	var places [][2]int
	l := newLoop(stack, broadcastStrides(stackA, stack), broadcastStrides(stackB, stack))
	stepA, stepB := l.step(0), l.step(1)
	err = l.run(c.ctx, func(count int, at []int) {
		for i := range count {
			places = append(places, [2]int{(at[0] + i*stepA) * m * k, (at[1] + i*stepB) * k * n})
		}
	})
	if err != nil {
		return nil, err
	}
	err = multiplyAll(c.ctx, len(places), func(p int) matrices[T, Sum] {
		return matrices[T, Sum]{
			m: m, k: k, n: n, a: x[places[p][0]:], panel: rowPanel(y[places[p][1]:], n),
			store: func(i, j int, sums []Sum) {
				for d, v := range sums {
					out[p*m*n+i*n+j+d] = T(v)
				}
			},
		}
	})
	return like(a, dims, out), err
}

// gemm is alpha * A * B + beta * C, A and B transposed on demand, C broadcast.
func gemm(c *call) (*onnx.Tensor, error) {
	for _, t := range c.in[1:] {
		if t != nil && t.DType != c.in[0].DType {
			return nil, fmt.Errorf("%s and %s together", c.in[0].DType, t.DType)
		}
	}
	switch c.in[0].Data.(type) {
	case []float32:
		return generalProduct[float32, float64](c)
	case []float64:
		return generalProduct[float64, float64](c)
	case []int32:
		return generalProduct[int32, int32](c)
	case []int64:
		return generalProduct[int64, int64](c)
	case []uint32:
		return generalProduct[uint32, uint32](c)
	case []uint64:
		return generalProduct[uint64, uint64](c)
	}
	return nil, c.unsupported(c.in[0].DType, "")
}

func generalProduct[T, Sum number](c *call) (*onnx.Tensor, error) {
	a, b, bias := c.in[0], c.in[1], c.input(2)
	if a.Rank() != 2 || b.Rank() != 2 {
		return nil, fmt.Errorf("shapes %s and %s are not matrices", onnx.FormatDims(a.Dims), onnx.FormatDims(b.Dims))
	}
	if c.Int("transA", 0) != 0 {
		var err error
		if a, err = c.permuted(a, []int{1, 0}); err != nil {
			return nil, err
		}
	}
	m, k := a.Dims[0], a.Dims[1]
	depth, n := b.Dims[0], b.Dims[1]
	panel := rowPanel(b.Data.([]T), n)
	if c.Int("transB", 0) != 0 {
		depth, n = n, depth
		panel = columnPanel(b.Data.([]T), depth)
	}
	if depth != k {
		return nil, fmt.Errorf("shapes %s and %s do not multiply", onnx.FormatDims(c.in[0].Dims), onnx.FormatDims(b.Dims))
	}
	dims := []int{m, n}
	count, err := c.sized(dims)
	if err != nil {
		return nil, err
	}
	alpha, beta := c.param("alpha", 1), c.param("beta", 1)
	addend := make([]T, count)
	if bias != nil {
		full, err := c.expanded(bias, dims)
		if err != nil {
			return nil, err
		}
		if !slices.Equal(full.Dims, dims) {
			return nil, fmt.Errorf("shape %s does not stretch to %s", onnx.FormatDims(bias.Dims), onnx.FormatDims(dims))
		}
		addend = full.Data.([]T)
	}
	out := make([]T, count)
	err = multiplyAll(c.ctx, 1, func(int) matrices[T, Sum] {
		return matrices[T, Sum]{
			m: m, k: k, n: n, a: a.Data.([]T), panel: panel,
			store: func(i, j int, sums []Sum) {
				for d, v := range sums {
					at := i*n + j + d
					if alpha == 1 && beta == 1 { // exact for integers too
						out[at] = T(v + Sum(addend[at]))
					} else {
						out[at] = T(alpha*float64(v) + beta*float64(addend[at]))
					}
				}
			},
		}
	})
	return like(c.in[0], dims, out), err
}
