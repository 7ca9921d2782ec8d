package reference

import (
	"context"
	"errors"
	"fmt"
	"math"

	"occlude/internal/onnx"
)

// poolWindows reads a pool's attributes.
func (c *call) poolWindows() ([]axisWindow, []int, error) {
	x := c.in[0]
	if !c.Has("kernel_shape") {
		return nil, nil, errors.New("no kernel_shape")
	}
	ws, err := c.windows(x, c.Ints("kernel_shape"), c.Int("ceil_mode", 0) != 0)
	if err != nil {
		return nil, nil, err
	}
	dims := outDims(x.Dims[0], x.Dims[1], ws)
	_, err = c.sized(dims)
	return ws, dims, err
}

// pool visits all windows of all planes in parallel. For each it calls spans
// once per run of inputs that the window sees, then done. Both are made by
// begin, once per stretch of work, from the plane's number.
func (c *call) pool(ws []axisWindow, planes int, begin func(plane int) (span func(first, n, step int), done func(out int, at []int))) error {
	rest := 1
	for _, w := range ws[1:] {
		rest *= w.out
	}
	if planes == 0 || rest == 0 {
		return nil
	}
	work := []int{planes}
	for _, w := range ws {
		work = append(work, w.out, min(w.kernel, w.size))
	}
	if err := spend(c.ctx, work...); err != nil {
		return err
	}
	return parallel(c.ctx, planes*ws[0].out, func(task int) {
		plane, row := task/ws[0].out, task%ws[0].out
		span, done := begin(plane)
		v := visitor{ctx: c.ctx, ws: ws, at: make([]int, len(ws)), span: span}
		for o := range rest {
			v.at[0] = row
			left := o
			for a := len(ws) - 1; a > 0; a-- {
				v.at[a] = left % ws[a].out
				left /= ws[a].out
			}
			v.visit(0, 0)
			done(row*rest+o, v.at)
			if v.cancelled {
				return
			}
		}
	})
}

// visitor walks the inputs that one window sees.
type visitor struct {
	ctx       context.Context
	ws        []axisWindow
	at        []int // the output index
	span      func(first, n, step int)
	work      int
	cancelled bool
}

func (v *visitor) visit(axis, base int) {
	w := &v.ws[axis]
	lo, hi, _ := w.taps(v.at[axis])
	step := w.dilation * w.inStride
	first := base + (v.at[axis]*w.stride-w.before)*w.inStride + lo*step
	if axis < len(v.ws)-1 {
		for range hi - lo {
			v.visit(axis+1, first)
			first += step
			if v.cancelled {
				return
			}
		}
		return
	}
	if v.work += hi - lo + 1; v.work > longRow {
		v.work = 0
		v.cancelled = v.ctx.Err() != nil
	}
	v.span(first, hi-lo, step)
}

// maxPool takes the largest value in each window and, on demand, its place: an
// offset into the whole input, its spatial axes in reverse order of storage if
// storage_order is 1. The first of equal values counts. A window that sees
// only padding gives the type's lowest value.
func maxPool(c *call) ([]*onnx.Tensor, error) {
	switch c.in[0].Data.(type) {
	case []float32:
		return maxPooled[float32](c)
	case []float64:
		return maxPooled[float64](c)
	case []int8:
		return maxPooled[int8](c)
	case []uint8:
		return maxPooled[uint8](c)
	}
	return nil, c.unsupported(c.in[0].DType, "")
}

func maxPooled[T number](c *call) ([]*onnx.Tensor, error) {
	x := c.in[0]
	ws, dims, err := c.poolWindows()
	if err != nil {
		return nil, err
	}
	in, planes, perPlane := x.Data.([]T), dims[0]*dims[1], product(x.Dims[2:])
	positions := product(dims[2:])
	out := make([]T, planes*positions)
	var indices []int64
	if c.wants(1) {
		indices = make([]int64, len(out))
	}
	columnMajor := c.Int("storage_order", 0) == 1
	err = c.pool(ws, planes, func(plane int) (func(first, n, step int), func(out int, at []int)) {
		values := in[plane*perPlane : (plane+1)*perPlane]
		best, place, empty := lowest[T](), 0, true
		span := func(first, n, step int) {
			for i := range n {
				at := first + i*step
				if v := values[at]; empty || v > best || v != v {
					best, place, empty = v, at, false
				}
			}
		}
		done := func(o int, _ []int) {
			out[plane*positions+o] = best
			if indices != nil {
				if columnMajor {
					place = reversed(place, ws)
				}
				indices[plane*positions+o] = int64(plane*perPlane + place)
			}
			best, place, empty = lowest[T](), 0, true
		}
		return span, done
	})
	result := []*onnx.Tensor{like(x, dims, out)}
	if indices != nil {
		result = append(result, onnx.New(dims, indices))
	}
	return result, err
}

// reversed turns an offset into a plane stored row by row into one into the
// same plane stored column by column.
func reversed(offset int, ws []axisWindow) int {
	y, stride := 0, 1
	for _, w := range ws {
		y += offset / w.inStride % w.size * stride
		stride *= w.size
	}
	return y
}

// averagePool averages each window. The divisor counts the places on the input,
// with count_include_pad those on the padding too; what ceil_mode lets hang
// over the padding is never counted. A window without a place to count gives 0.
func averagePool(c *call) (*onnx.Tensor, error) {
	withPadding := c.Int("count_include_pad", 0) != 0
	return c.pooled(func(sum float64, seen, padded int) float64 {
		n := seen
		if withPadding {
			n = padded
		}
		if n == 0 {
			return 0
		}
		return sum / float64(n)
	}, func(x float64) float64 { return x })
}

// lpPool takes the p-norm of each window; padding counts as zeros.
func lpPool(c *call) (*onnx.Tensor, error) {
	p := float64(c.Int("p", 2))
	if c.opset < 2 {
		p = c.param("p", 2)
	}
	return c.pooled(func(sum float64, _, _ int) float64 { return math.Pow(sum, 1/p) },
		func(x float64) float64 { return math.Pow(math.Abs(x), p) })
}

// pooled sums term(x) over each window and hands over the sum, the number of
// places on the input, and that on the padded input.
func (c *call) pooled(finish func(sum float64, seen, padded int) float64, term func(x float64) float64) (*onnx.Tensor, error) {
	x := c.in[0]
	ws, dims, err := c.poolWindows()
	if err != nil {
		return nil, err
	}
	in, err := x.Float64s()
	if err != nil {
		return nil, err
	}
	planes, perPlane, positions := dims[0]*dims[1], product(x.Dims[2:]), product(dims[2:])
	out := make([]float64, planes*positions)
	err = c.pool(ws, planes, func(plane int) (func(first, n, step int), func(out int, at []int)) {
		values := in[plane*perPlane : (plane+1)*perPlane]
		sum, seen := 0.0, 0
		span := func(first, n, step int) {
			for i := range n {
				sum += term(values[first+i*step])
			}
			seen += n
		}
		done := func(o int, at []int) {
			padded := 1
			for a := range ws {
				_, _, n := ws[a].taps(at[a])
				padded *= n
			}
			out[plane*positions+o] = finish(sum, seen, padded)
			sum, seen = 0, 0
		}
		return span, done
	})
	if err != nil {
		return nil, err
	}
	return convert(onnx.New(dims, out), x.DType)
}

// global makes the kernel of a pool over all spatial axes.
func global(r reducer) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		x := c.in[0]
		if x.Rank() < 3 {
			return nil, fmt.Errorf("shape %s has no spatial axes", onnx.FormatDims(x.Dims))
		}
		reduced := make([]bool, x.Rank())
		for a := 2; a < len(reduced); a++ {
			reduced[a] = true
		}
		return c.reduce(x, reduced, true, r)
	}
}
