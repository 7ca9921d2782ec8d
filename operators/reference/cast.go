package reference

import (
	"fmt"
	"math"

	"occlude/internal/onnx"
)

// number is a Go type that one computes with.
type number interface {
	~float32 | ~float64 | ~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64
}

// wireNames are the element types as Cast named them before version 6.
var wireNames = map[string]onnx.DType{
	"FLOAT": onnx.Float32, "UINT8": onnx.Uint8, "INT8": onnx.Int8, "UINT16": onnx.Uint16, "INT16": onnx.Int16,
	"INT32": onnx.Int32, "INT64": onnx.Int64, "STRING": onnx.String, "BOOL": onnx.Bool, "FLOAT16": onnx.Float16,
	"DOUBLE": onnx.Float64, "UINT32": onnx.Uint32, "UINT64": onnx.Uint64,
}

// typeAttr reads an attribute that names an element type.
func (c *call) typeAttr(name string) (onnx.DType, error) {
	if !c.Has(name) {
		return onnx.Undefined, fmt.Errorf("no attribute %q", name)
	}
	if t, ok := wireNames[c.Str(name, "")]; ok {
		return t, nil
	}
	t, err := onnx.DTypeOf(c.Int(name, 0))
	if err != nil {
		return onnx.Undefined, c.unsupported(onnx.Undefined, err.Error())
	}
	return t, nil
}

// cast converts to the type in the attribute "to".
func cast(c *call) (*onnx.Tensor, error) {
	to, err := c.typeAttr("to")
	if err != nil {
		return nil, err
	}
	return c.converted(c.in[0], to)
}

// castLike converts to the type of the second input.
func castLike(c *call) (*onnx.Tensor, error) { return c.converted(c.in[0], c.in[1].DType) }

func (c *call) converted(x *onnx.Tensor, to onnx.DType) (*onnx.Tensor, error) {
	if !(numbers | bools).has(to) {
		return nil, c.unsupported(to, "as the type of a cast")
	}
	return convert(x, to)
}

// convert brings numbers or truth values to another type. Fractions are cut
// off; integers too large for the type wrap around; a float beyond all int64 is
// taken as the nearest of them and NaN as 0. Anything but 0 is true.
func convert(x *onnx.Tensor, to onnx.DType) (*onnx.Tensor, error) {
	if x.DType == to {
		return x, nil
	}
	var (
		data any
		ok   bool
	)
	switch v := x.Data.(type) {
	case []float32:
		data, ok = fromFloats(v, to)
	case []float64:
		data, ok = fromFloats(v, to)
	case []int8:
		data, ok = fromIntegers(v, to)
	case []int16:
		data, ok = fromIntegers(v, to)
	case []int32:
		data, ok = fromIntegers(v, to)
	case []int64:
		data, ok = fromIntegers(v, to)
	case []uint8:
		data, ok = fromIntegers(v, to)
	case []uint16:
		data, ok = fromIntegers(v, to)
	case []uint32:
		data, ok = fromIntegers(v, to)
	case []uint64:
		data, ok = fromIntegers(v, to)
	case []bool:
		bits := make([]uint8, len(v))
		for i, b := range v {
			if b {
				bits[i] = 1
			}
		}
		data, ok = fromIntegers(bits, to)
	}
	if !ok {
		return nil, fmt.Errorf("%s cannot become %s", x.DType, to)
	}
	y := &onnx.Tensor{Name: x.Name, DType: to, Dims: append([]int{}, x.Dims...), Data: data}
	if f, shared := x.Data.([]float32); shared && to != onnx.Float32 && (to == onnx.Float16 || to == onnx.BFloat16) {
		y.Data = append([]float32{}, f...) // it will be rounded
	}
	y.Round()
	return y, nil
}

func fromFloats[T float32 | float64](v []T, to onnx.DType) (any, bool) {
	switch to {
	case onnx.Float32, onnx.Float16, onnx.BFloat16:
		return each(v, func(x T) float32 { return float32(x) }), true
	case onnx.Float64:
		return each(v, func(x T) float64 { return float64(x) }), true
	case onnx.Uint64:
		return each(v, func(x T) uint64 {
			if x >= 1<<63 {
				return uint64(min(float64(x), 0xfffffffffffff800))
			}
			return uint64(truncate(float64(x)))
		}), true
	case onnx.Bool:
		return each(v, func(x T) bool { return x != 0 }), true
	}
	return fromIntegers(each(v, func(x T) int64 { return truncate(float64(x)) }), to)
}

// truncate cuts off the fraction; what no int64 can hold becomes the nearest.
func truncate(x float64) int64 {
	switch {
	case math.IsNaN(x):
		return 0
	case x >= 1<<63:
		return math.MaxInt64
	case x < -1<<63:
		return math.MinInt64
	}
	return int64(x)
}

func fromIntegers[T number](v []T, to onnx.DType) (any, bool) {
	switch to {
	case onnx.Float32, onnx.Float16, onnx.BFloat16:
		return each(v, func(x T) float32 { return float32(x) }), true
	case onnx.Float64:
		return each(v, func(x T) float64 { return float64(x) }), true
	case onnx.Int8:
		return each(v, func(x T) int8 { return int8(x) }), true
	case onnx.Int16:
		return each(v, func(x T) int16 { return int16(x) }), true
	case onnx.Int32:
		return each(v, func(x T) int32 { return int32(x) }), true
	case onnx.Int64:
		return each(v, func(x T) int64 { return int64(x) }), true
	case onnx.Uint8:
		return each(v, func(x T) uint8 { return uint8(x) }), true
	case onnx.Uint16:
		return each(v, func(x T) uint16 { return uint16(x) }), true
	case onnx.Uint32:
		return each(v, func(x T) uint32 { return uint32(x) }), true
	case onnx.Uint64:
		return each(v, func(x T) uint64 { return uint64(x) }), true
	case onnx.Bool:
		return each(v, func(x T) bool { return x != 0 }), true
	}
	return nil, false
}

// each applies f to every element.
func each[A, B onnx.Element](v []A, f func(A) B) []B {
	out := make([]B, len(v))
	for i, x := range v {
		out[i] = f(x)
	}
	return out
}
