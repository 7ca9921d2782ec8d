package reference

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"occlude/internal/onnx"
)

// reducer is a function of a list of numbers in each of the three arithmetics;
// nil where the operator does not take such numbers. empty says what an empty
// list gives: the type's lowest value (-1) or highest (+1), else (0) whatever
// the function says.
type reducer struct {
	float    func([]float64) float64
	signed   func([]int64) int64
	unsigned func([]uint64) uint64
	empty    int
}

var (
	sumOf = reducer{
		float:    total,
		signed:   func(v []int64) int64 { return fold(v, 0, add.signed) },
		unsigned: func(v []uint64) uint64 { return fold(v, 0, add.unsigned) },
	}
	meanOf = reducer{
		float:    func(v []float64) float64 { return total(v) / float64(len(v)) },
		signed:   func(v []int64) int64 { return fold(v, 0, add.signed) / max(int64(len(v)), 1) },
		unsigned: func(v []uint64) uint64 { return fold(v, 0, add.unsigned) / max(uint64(len(v)), 1) },
	}
	productOf = reducer{
		float:    func(v []float64) float64 { return fold(v, 1, mul.float) },
		signed:   func(v []int64) int64 { return fold(v, 1, mul.signed) },
		unsigned: func(v []uint64) uint64 { return fold(v, 1, mul.unsigned) },
	}
	maxOf = reducer{
		float:    func(v []float64) float64 { return fold(v, v[0], larger.float) },
		signed:   func(v []int64) int64 { return slices.Max(v) },
		unsigned: func(v []uint64) uint64 { return slices.Max(v) },
		empty:    -1,
	}
	minOf = reducer{
		float:    func(v []float64) float64 { return fold(v, v[0], smaller.float) },
		signed:   func(v []int64) int64 { return slices.Min(v) },
		unsigned: func(v []uint64) uint64 { return slices.Min(v) },
		empty:    1,
	}
	squaresOf = reducer{
		float:    squares,
		signed:   func(v []int64) int64 { return fold(v, 0, func(s, x int64) int64 { return s + x*x }) },
		unsigned: func(v []uint64) uint64 { return fold(v, 0, func(s, x uint64) uint64 { return s + x*x }) },
	}
	absoluteSumOf = reducer{
		float:    func(v []float64) float64 { return fold(v, 0, func(s, x float64) float64 { return s + math.Abs(x) }) },
		signed:   func(v []int64) int64 { return fold(v, 0, func(s, x int64) int64 { return s + max(x, -x) }) },
		unsigned: func(v []uint64) uint64 { return fold(v, 0, add.unsigned) },
	}
	normOf      = viaFloat(func(v []float64) float64 { return math.Sqrt(squares(v)) })
	logSumOf    = viaFloat(func(v []float64) float64 { return math.Log(total(v)) })
	logSumExpOf = viaFloat(func(v []float64) float64 {
		if len(v) == 0 {
			return math.Inf(-1)
		}
		top := slices.Max(v)
		if math.IsInf(top, 0) || math.IsNaN(top) {
			return top
		}
		return top + math.Log(fold(v, 0, func(s, x float64) float64 { return s + math.Exp(x-top) }))
	})
)

func fold[T any](v []T, start T, f func(T, T) T) T {
	for _, x := range v {
		start = f(start, x)
	}
	return start
}

func total(v []float64) float64 { return fold(v, 0, add.float) }

func squares(v []float64) float64 {
	return fold(v, 0, func(s, x float64) float64 { return s + x*x })
}

// viaFloat lets integers take part in a function of real numbers; the result
// is cut off to an integer.
func viaFloat(f func([]float64) float64) reducer {
	return reducer{
		float:  f,
		signed: func(v []int64) int64 { return truncate(f(each(v, func(x int64) float64 { return float64(x) }))) },
		unsigned: func(v []uint64) uint64 {
			return uint64(truncate(f(each(v, func(x uint64) float64 { return float64(x) }))))
		},
	}
}

// reduction makes the kernel of an operator that reduces the named axes, or all
// if none are named, to one number. The axes are an attribute before version
// since and an input from then on.
func reduction(since int, r reducer) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		x := c.in[0]
		axes, err := c.intsFrom("axes", since, 1)
		if err != nil {
			return nil, err
		}
		if len(axes) == 0 && (c.opset < since || c.Int("noop_with_empty_axes", 0) == 0) {
			axes = steps(x.Rank(), 1)
		}
		reduced, err := axisSet(axes, x.Rank())
		if err != nil {
			return nil, err
		}
		return c.reduce(x, reduced, c.Int("keepdims", 1) != 0, r)
	}
}

// reduce applies r to every list of elements that differ only in the marked
// axes, which become 1 or vanish.
func (c *call) reduce(x *onnx.Tensor, marked []bool, keep bool, r reducer) (*onnx.Tensor, error) {
	l := lists{outDims: []int{}}
	for a, s := range stridesOf(x.Dims) {
		d := x.Dims[a]
		switch {
		case !marked[a]:
			l.outDims = append(l.outDims, d)
			l.kept, l.keptStrides = append(l.kept, d), append(l.keptStrides, s)
			continue
		case keep:
			l.outDims = append(l.outDims, 1)
		}
		l.gone, l.goneStrides = append(l.gone, d), append(l.goneStrides, s)
	}
	switch v := x.Data.(type) {
	case []float32:
		return reduced(c, x, v, l, r.float, r.empty)
	case []float64:
		return reduced(c, x, v, l, r.float, r.empty)
	case []int8:
		return reduced(c, x, v, l, r.signed, r.empty)
	case []int16:
		return reduced(c, x, v, l, r.signed, r.empty)
	case []int32:
		return reduced(c, x, v, l, r.signed, r.empty)
	case []int64:
		return reduced(c, x, v, l, r.signed, r.empty)
	case []uint8:
		return reduced(c, x, v, l, r.unsigned, r.empty)
	case []uint16:
		return reduced(c, x, v, l, r.unsigned, r.empty)
	case []uint32:
		return reduced(c, x, v, l, r.unsigned, r.empty)
	case []uint64:
		return reduced(c, x, v, l, r.unsigned, r.empty)
	case []bool: // false < true, as 0 < 1
		bits, err := convert(x, onnx.Uint8)
		if err != nil {
			return nil, err
		}
		y, err := reduced(c, bits, bits.Data.([]uint8), l, r.unsigned, r.empty)
		if err != nil {
			return nil, err
		}
		return convert(y, onnx.Bool)
	}
	return nil, c.unsupported(x.DType, "")
}

// lists says which elements a reduction takes together: those at the places of
// the gone axes, for each place of the kept ones.
type lists struct {
	outDims                              []int
	kept, keptStrides, gone, goneStrides []int
}

func reduced[T, Wide number](c *call, x *onnx.Tensor, v []T, l lists, f func([]Wide) Wide, empty int) (*onnx.Tensor, error) {
	if f == nil {
		return nil, c.unsupported(x.DType, "")
	}
	n, err := c.sized(l.outDims)
	if err != nil {
		return nil, err
	}
	out := make([]T, n)
	if n == 0 {
		return like(x, l.outDims, out), nil
	}
	list := make([]Wide, product(l.gone))
	outer := newLoop(l.kept, stridesOf(l.kept), l.keptStrides)
	inner := newLoop(l.gone, stridesOf(l.gone), l.goneStrides)
	outStep, inStep := outer.step(1), inner.step(1)
	var failed error
	err = outer.run(c.ctx, func(n int, at []int) {
		for i := range n {
			if failed != nil {
				return
			}
			switch {
			case len(list) == 0 && empty < 0:
				out[at[0]+i] = lowest[T]()
				continue
			case len(list) == 0 && empty > 0:
				out[at[0]+i] = highest[T]()
				continue
			}
			start := at[1] + i*outStep
			failed = inner.run(c.ctx, func(n int, at []int) {
				for k := range n {
					list[at[0]+k] = Wide(v[start+at[1]+k*inStep])
				}
			})
			out[at[0]+i] = T(f(list))
		}
	})
	if err == nil {
		err = failed
	}
	return like(x, l.outDims, out), err
}

// argExtreme makes the kernel that finds the place of the largest value along
// an axis (sign 1) or of the smallest (-1); of equal ones the first, or on demand
// the last.
func argExtreme(sign int) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		x := c.in[0]
		axis, err := axisOf(c.Int("axis", 0), x.Rank())
		if err != nil {
			return nil, err
		}
		if x.Dims[axis] == 0 {
			return nil, fmt.Errorf("axis %d is empty", axis)
		}
		wide, last := onnx.Float64, c.Int("select_last_index", 0) != 0
		if !x.DType.IsFloat() {
			wide = onnx.Int64 // exact
		}
		values, err := convert(x, wide)
		if err != nil {
			return nil, err
		}
		marked := make([]bool, x.Rank())
		marked[axis] = true
		y, err := c.reduce(values, marked, c.Int("keepdims", 1) != 0, reducer{
			float:  func(v []float64) float64 { return float64(placeOf(v, sign, last)) },
			signed: func(v []int64) int64 { return int64(placeOf(v, sign, last)) },
		})
		if err != nil {
			return nil, err
		}
		return convert(y, onnx.Int64)
	}
}

// placeOf finds the largest value (sign 1) or the smallest (sign -1).
func placeOf[T cmp.Ordered](v []T, sign int, last bool) int {
	best := 0
	for i, a := range v {
		if order := sign * cmp.Compare(a, v[best]); order > 0 || last && order == 0 {
			best = i
		}
	}
	return best
}

// lowest is what a maximum starts from: minus infinity or the least integer.
func lowest[T number]() (v T) {
	switch p := any(&v).(type) {
	case *float32:
		*p = float32(math.Inf(-1))
	case *float64:
		*p = math.Inf(-1)
	case *int8:
		*p = math.MinInt8
	case *int16:
		*p = math.MinInt16
	case *int32:
		*p = math.MinInt32
	case *int64:
		*p = math.MinInt64
	}
	return v
}

// highest is what a minimum starts from.
func highest[T number]() (v T) {
	switch p := any(&v).(type) {
	case *float32:
		*p = float32(math.Inf(1))
	case *float64:
		*p = math.Inf(1)
	case *int8:
		*p = math.MaxInt8
	case *int16:
		*p = math.MaxInt16
	case *int32:
		*p = math.MaxInt32
	case *int64:
		*p = math.MaxInt64
	default: // unsigned: -1 wraps around
		v--
	}
	return v
}
