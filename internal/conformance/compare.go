package conformance

import (
	"fmt"
	"math"
	"slices"

	"occlude/internal/onnx"
)

// ONNX's tolerance.
const (
	relative = 1e-3
	absolute = 1e-7
)

// rounding is, for each floating point type, the slack in units of the largest
// expected magnitude: four units in the last place of float32 and double, one
// of the short types, where one is a lot already.
var rounding = map[onnx.DType]float64{
	onnx.Float32:  4 * 0x1p-23,
	onnx.Float64:  4 * 0x1p-52,
	onnx.Float16:  0x1p-10,
	onnx.BFloat16: 0x1p-7,
}

// deviation is how far values lie apart: the largest |got-want|, and the largest
// |got-want|/|want| among elements whose want is not zero.
type deviation struct{ abs, rel float64 }

func (d deviation) max(e deviation) deviation {
	return deviation{math.Max(d.abs, e.abs), math.Max(d.rel, e.rel)}
}

// compare checks got against want; the error says in what they differ beyond
// the tolerance.
func compare(got, want *onnx.Tensor) (deviation, error) {
	if got == nil {
		return deviation{}, fmt.Errorf("it was not computed")
	}
	if got.DType != want.DType {
		return deviation{}, fmt.Errorf("it is %s and should be %s", got.DType, want.DType)
	}
	if !slices.Equal(got.Dims, want.Dims) {
		return deviation{}, fmt.Errorf("its shape is %s and should be %s", onnx.FormatDims(got.Dims), onnx.FormatDims(want.Dims))
	}
	switch g := got.Data.(type) {
	case []string:
		return equal(g, want.Data.([]string), want.Dims)
	case []bool:
		return equal(g, want.Data.([]bool), want.Dims)
	case []uint64: // these two do not fit into float64
		return equal(g, want.Data.([]uint64), want.Dims)
	case []int64:
		return equal(g, want.Data.([]int64), want.Dims)
	}
	g, err := got.Float64s()
	if err != nil {
		return deviation{}, err
	}
	w, err := want.Float64s()
	if err != nil {
		return deviation{}, err
	}
	if !want.DType.IsFloat() {
		return equal(g, w, want.Dims)
	}
	return near(g, w, want.Dims, rounding[want.DType])
}

// equal compares elements that have no tolerance.
func equal[T comparable](got, want []T, dims []int) (deviation, error) {
	wrong, first := 0, 0
	for i := range want {
		if got[i] != want[i] {
			if wrong == 0 {
				first = i
			}
			wrong++
		}
	}
	if wrong == 0 {
		return deviation{}, nil
	}
	return deviation{}, fmt.Errorf("%d of %d elements differ, the first at %v: got %v, want %v",
		wrong, len(want), indexOf(first, dims), got[first], want[first])
}

// near compares floating point numbers; ulps is the slack in units of the
// largest expected magnitude.
func near(got, want []float64, dims []int, ulps float64) (deviation, error) {
	largest := 0.0
	for _, w := range want {
		if a := math.Abs(w); a > largest && !math.IsInf(a, 0) {
			largest = a
		}
	}
	slack := ulps * largest
	var d deviation
	wrong, worst, excess := 0, 0, 0.0
	for i, w := range want {
		g := got[i]
		if g == w || math.IsNaN(g) && math.IsNaN(w) {
			continue
		}
		diff := math.Abs(g - w)
		over := diff - (absolute + relative*math.Abs(w) + slack)
		if math.IsNaN(diff) || math.IsInf(w, 0) { // one is NaN, or an infinity not met
			diff, over = math.Inf(1), math.Inf(1)
		}
		d.abs = math.Max(d.abs, diff)
		if w != 0 && !math.IsNaN(w) && !math.IsInf(w, 0) {
			d.rel = math.Max(d.rel, diff/math.Abs(w))
		}
		if over > 0 {
			wrong++
			if over > excess {
				worst, excess = i, over
			}
		}
	}
	if wrong == 0 {
		return d, nil
	}
	return d, fmt.Errorf("%d of %d elements are off, most at %v: got %.8g, want %.8g",
		wrong, len(want), indexOf(worst, dims), got[worst], want[worst])
}

// indexOf is the index of the element at the row-major offset i.
func indexOf(i int, dims []int) []int {
	index := make([]int, len(dims))
	for axis := len(dims) - 1; axis >= 0; axis-- {
		index[axis] = i % dims[axis]
		i /= dims[axis]
	}
	return index
}
