package onnx

import (
	"fmt"
	"math"
	"strings"
)

// DType is the element type of a tensor, a subset of TensorProto.DataType.
type DType int

// The element types. The comment is the Go type of Tensor.Data.
const (
	Undefined DType = iota
	Float32         // []float32
	Float64         // []float64
	Float16         // []float32, rounded to half precision
	BFloat16        // []float32, rounded to bfloat16
	Int8            // []int8
	Int16           // []int16
	Int32           // []int32
	Int64           // []int64
	Uint8           // []uint8
	Uint16          // []uint16
	Uint32          // []uint32
	Uint64          // []uint64
	Bool            // []bool
	String          // []string
)

var dtypeNames = [...]string{
	"undefined", "float32", "double", "float16", "bfloat16", "int8", "int16", "int32", "int64",
	"uint8", "uint16", "uint32", "uint64", "bool", "string",
}

// String gives the type's name as ONNX users write it ("double", not float64).
func (d DType) String() string {
	if d < 0 || int(d) >= len(dtypeNames) {
		return fmt.Sprintf("type %d", int(d))
	}
	return dtypeNames[d]
}

// IsFloat tells whether values of d are floating point numbers.
func (d DType) IsFloat() bool {
	return d == Float32 || d == Float64 || d == Float16 || d == BFloat16
}

// Tensor is a constant or a computed value: row-major elements of one type.
type Tensor struct {
	Name  string
	DType DType
	Dims  []int // empty for a scalar; a zero makes the tensor empty
	Data  any   // slice of the Go type that belongs to DType, prod(Dims) long
}

// Element is a Go type that backs tensors.
type Element interface {
	~float32 | ~float64 | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~bool | ~string
}

// New wraps data as a tensor of the DType that is natural for T (half types are
// made by setting DType and calling Round). It panics when the length does not
// match, which only a bug of the caller can cause.
func New[T Element](dims []int, data []T) *Tensor {
	if n, err := Count(dims); err != nil || n != len(data) {
		panic(fmt.Sprintf("onnx: %d elements for shape %v", len(data), dims))
	}
	return &Tensor{DType: dtypeOf[T](), Dims: append([]int{}, dims...), Data: data}
}

// Scalar wraps one value as a rank-0 tensor.
func Scalar[T Element](v T) *Tensor { return New([]int{}, []T{v}) }

func dtypeOf[T Element]() DType {
	switch any(*new(T)).(type) {
	case float32:
		return Float32
	case float64:
		return Float64
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case bool:
		return Bool
	case string:
		return String
	}
	return Undefined
}

// MaxElements bounds a tensor's size: 2^31-1 elements, which keeps every index
// an int on all platforms and is far above any classifier's weights.
const MaxElements = math.MaxInt32

// Count is the number of elements of a shape: 1 for a scalar, 0 when a
// dimension is 0, an error for negative or absurd dimensions.
func Count(dims []int) (int, error) {
	n, empty := 1, false
	for _, d := range dims {
		if d < 0 {
			return 0, fmt.Errorf("negative dimension in shape %s", FormatDims(dims))
		}
		if d == 0 {
			empty = true
			continue
		}
		if n > MaxElements/d {
			return 0, fmt.Errorf("shape %s has more than %d elements", FormatDims(dims), MaxElements)
		}
		n *= d
	}
	if empty {
		return 0, nil
	}
	return n, nil
}

// FormatDims prints a shape as 1x3x224x224, a scalar as "scalar".
func FormatDims(dims []int) string {
	if len(dims) == 0 {
		return "scalar"
	}
	parts := make([]string, len(dims))
	for i, d := range dims {
		parts[i] = fmt.Sprint(d)
	}
	return strings.Join(parts, "x")
}

// Len is the number of elements.
func (t *Tensor) Len() int {
	n, err := Count(t.Dims)
	if err != nil {
		return 0
	}
	return n
}

// Rank is the number of dimensions.
func (t *Tensor) Rank() int { return len(t.Dims) }

// Float32s gives the values as float32, converting where needed; the slice is
// the tensor's own where it already holds float32.
func (t *Tensor) Float32s() ([]float32, error) {
	if f, ok := t.Data.([]float32); ok {
		return f, nil
	}
	return convert[float32](t)
}

// Float64s gives the values as float64.
func (t *Tensor) Float64s() ([]float64, error) { return convert[float64](t) }

// Int64s gives the values of an integer tensor as int64.
func (t *Tensor) Int64s() ([]int64, error) {
	if t.DType.IsFloat() {
		return nil, fmt.Errorf("tensor %q holds %s where integers are needed", t.Name, t.DType)
	}
	return convert[int64](t)
}

// Ints gives the values of an integer tensor as int.
func (t *Tensor) Ints() ([]int, error) {
	v, err := t.Int64s()
	if err != nil {
		return nil, err
	}
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out, nil
}

func convert[To float32 | float64 | int64](t *Tensor) ([]To, error) {
	switch v := t.Data.(type) {
	case []float32:
		return convertSlice[To](v), nil
	case []float64:
		return convertSlice[To](v), nil
	case []int8:
		return convertSlice[To](v), nil
	case []int16:
		return convertSlice[To](v), nil
	case []int32:
		return convertSlice[To](v), nil
	case []int64:
		return convertSlice[To](v), nil
	case []uint8:
		return convertSlice[To](v), nil
	case []uint16:
		return convertSlice[To](v), nil
	case []uint32:
		return convertSlice[To](v), nil
	case []uint64:
		return convertSlice[To](v), nil
	case []bool:
		out := make([]To, len(v))
		for i, b := range v {
			if b {
				out[i] = 1
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("tensor %q of %s cannot be read as numbers", t.Name, t.DType)
}

type number interface {
	~float32 | ~float64 | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

func convertSlice[To, From number](v []From) []To {
	out := make([]To, len(v))
	for i, x := range v {
		out[i] = To(x)
	}
	return out
}
