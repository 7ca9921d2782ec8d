package reference

import (
	"context"

	"occlude/internal/onnx"
)

// elements is a tensor's data without regard to its type, for the operators
// that move values and never look at them. Every argument that holds elements
// must be of the receiver's type.
type elements interface {
	dtype() onnx.DType
	length() int

	// pick builds a tensor of shape dims: the element at index (i, j, ...) is
	// the one at offset offsets[0][i] + offsets[1][j] + ... . A negative entry
	// stands for a place outside the source, which gets fill's only element
	// (the zero value if fill is nil).
	pick(ctx context.Context, dims []int, offsets [][]int, fill elements) (any, error)

	// take gives the elements at the listed offsets.
	take(offsets []int) any

	// join lays tensors side by side: in each of outer rounds, run[i] elements
	// of each part in turn.
	join(outer int, parts []elements, runs []int) any

	// choose takes from the receiver where cond holds and from other elsewhere;
	// the loop's operands are the result, cond, the receiver and other.
	choose(ctx context.Context, n int, l loop, cond []bool, other elements) (any, error)

	// repeat gives n copies of the first element.
	repeat(n int) any
}

type slice[T onnx.Element] []T

// elementsOf wraps a tensor's data, nil if it is of no known type.
func elementsOf(t *onnx.Tensor) elements {
	switch v := t.Data.(type) {
	case []float32:
		return slice[float32](v)
	case []float64:
		return slice[float64](v)
	case []int8:
		return slice[int8](v)
	case []int16:
		return slice[int16](v)
	case []int32:
		return slice[int32](v)
	case []int64:
		return slice[int64](v)
	case []uint8:
		return slice[uint8](v)
	case []uint16:
		return slice[uint16](v)
	case []uint32:
		return slice[uint32](v)
	case []uint64:
		return slice[uint64](v)
	case []bool:
		return slice[bool](v)
	case []string:
		return slice[string](v)
	}
	return nil
}

func (s slice[T]) dtype() onnx.DType { return onnx.Scalar(*new(T)).DType }
func (s slice[T]) length() int       { return len(s) }

func (s slice[T]) pick(ctx context.Context, dims []int, offsets [][]int, fill elements) (any, error) {
	out := make([]T, product(dims))
	if len(out) == 0 {
		return out, nil
	}
	var outside T
	if f, ok := fill.(slice[T]); ok && len(f) > 0 {
		outside = f[0]
	}
	if len(dims) == 0 {
		out[0] = s[0]
		return out, nil
	}
	inner := offsets[len(offsets)-1]
	outer := offsets[:len(offsets)-1]
	index := make([]int, len(outer))
	for start := 0; start < len(out); start += len(inner) {
		base, inside := 0, true
		for axis, i := range index {
			o := outer[axis][i]
			base += o
			inside = inside && o >= 0
		}
		row := out[start : start+len(inner)]
		for lo := 0; lo < len(row); lo += longRow {
			hi := min(lo+longRow, len(row))
			for i, o := range inner[lo:hi] {
				if inside && o >= 0 {
					row[lo+i] = s[base+o]
				} else {
					row[lo+i] = outside
				}
			}
			if (start+lo)/longRow != (start+hi)/longRow {
				if err := ctx.Err(); err != nil {
					return nil, err
				}
			}
		}
		for axis := len(index) - 1; axis >= 0; axis-- {
			if index[axis]++; index[axis] < dims[axis] {
				break
			}
			index[axis] = 0
		}
	}
	return out, nil
}

func (s slice[T]) take(offsets []int) any {
	out := make([]T, len(offsets))
	for i, o := range offsets {
		out[i] = s[o]
	}
	return out
}

func (s slice[T]) join(outer int, parts []elements, runs []int) any {
	total := 0
	for _, r := range runs {
		total += r
	}
	out := make([]T, 0, outer*total)
	for o := range outer {
		for i, p := range parts {
			out = append(out, p.(slice[T])[o*runs[i]:(o+1)*runs[i]]...)
		}
	}
	return out
}

func (s slice[T]) choose(ctx context.Context, n int, l loop, cond []bool, other elements) (any, error) {
	out, no := make([]T, n), other.(slice[T])
	sc, ss, sn := l.step(1), l.step(2), l.step(3)
	err := l.run(ctx, func(n int, at []int) {
		for i := range n {
			if cond[at[1]+i*sc] {
				out[at[0]+i] = s[at[2]+i*ss]
			} else {
				out[at[0]+i] = no[at[3]+i*sn]
			}
		}
	})
	return out, err
}

func (s slice[T]) repeat(n int) any {
	out := make([]T, n)
	for i := range out {
		out[i] = s[0]
	}
	return out
}
