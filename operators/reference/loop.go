package reference

import (
	"context"
	"fmt"
	"slices"

	"occlude/internal/onnx"
)

// broadcast is the shape to which all the given shapes stretch by numpy's rule:
// aligned at the last axis, a size of 1 stretches to the other's.
func broadcast(shapes ...[]int) ([]int, error) {
	rank := 0
	for _, s := range shapes {
		rank = max(rank, len(s))
	}
	out := make([]int, rank)
	for i := range out {
		out[i] = 1
	}
	for _, s := range shapes {
		for i, d := range s {
			o := &out[rank-len(s)+i]
			switch {
			case *o == 1:
				*o = d
			case d != 1 && d != *o:
				return nil, fmt.Errorf("shapes %s and %s do not broadcast", onnx.FormatDims(out), onnx.FormatDims(s))
			}
		}
	}
	return out, nil
}

// broadcastStrides are the strides with which a tensor of shape dims is read as
// one of shape out: 0 along the axes that it is stretched over.
func broadcastStrides(dims, out []int) []int {
	strides := make([]int, len(out))
	own := stridesOf(dims)
	for i, d := range dims {
		if d != 1 {
			strides[len(out)-len(dims)+i] = own[i]
		}
	}
	return strides
}

// loop walks the indices of a shape in row-major order, keeping for each of
// several operands the offset of the element that belongs to the index. It is
// the one iterator behind broadcasting, transposition and reduction.
type loop struct {
	dims    []int
	strides [][]int // of each operand, along each axis
}

// newLoop prepares a walk over dims. Axes of size 1 are dropped and neighbours
// that every operand crosses evenly are merged, so that the innermost row is as
// long as possible.
func newLoop(dims []int, strides ...[]int) loop {
	l := loop{strides: make([][]int, len(strides))}
	for axis, d := range dims {
		if d == 1 {
			continue
		}
		last := len(l.dims) - 1
		merge := last >= 0
		for o, s := range strides {
			merge = merge && l.strides[o][last] == s[axis]*d
		}
		if merge {
			l.dims[last] *= d
		} else {
			l.dims = append(l.dims, d)
			last++
		}
		for o, s := range strides {
			l.strides[o] = append(l.strides[o][:last], s[axis])
		}
	}
	if len(l.dims) == 0 {
		l.dims = []int{1}
		for o := range l.strides {
			l.strides[o] = []int{0}
		}
	}
	return l
}

// step is the distance between an operand's neighbours in a row.
func (l loop) step(operand int) int { return l.strides[operand][len(l.dims)-1] }

// longRow is how many elements are handled between two looks at the context:
// well under a millisecond's worth.
const longRow = 1 << 16

// run calls row for every stretch of n indices along the innermost axis, with
// the offset of each operand's first element. Long rows come in pieces. The
// slice is only valid during the call.
func (l loop) run(ctx context.Context, row func(n int, at []int)) error {
	if slices.Contains(l.dims, 0) {
		return nil
	}
	inner := len(l.dims) - 1
	index := make([]int, inner)
	base := make([]int, len(l.strides))
	at := make([]int, len(l.strides))
	work := 0
	for {
		for lo := 0; lo < l.dims[inner]; lo += longRow {
			n := min(longRow, l.dims[inner]-lo)
			for o := range at {
				at[o] = base[o] + lo*l.strides[o][inner]
			}
			row(n, at)
			if work += n + 16; work >= longRow {
				work = 0
				if err := ctx.Err(); err != nil {
					return err
				}
			}
		}
		axis := inner - 1
		for ; axis >= 0; axis-- {
			index[axis]++
			for o := range base {
				base[o] += l.strides[o][axis]
			}
			if index[axis] < l.dims[axis] {
				break
			}
			for o := range base {
				base[o] -= l.strides[o][axis] * l.dims[axis]
			}
			index[axis] = 0
		}
		if axis < 0 {
			return nil
		}
	}
}
