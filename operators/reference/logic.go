package reference

import (
	"cmp"
	"fmt"
	"math"

	"occlude/internal/onnx"
)

// comparison is a test of how two elements stand to each other: order is
// negative, zero or positive; ordered is false when one of them is NaN, which is
// in no order with anything.
type comparison func(order int, ordered bool) bool

var (
	isEqual   comparison = func(order int, ordered bool) bool { return ordered && order == 0 }
	isLess    comparison = func(order int, ordered bool) bool { return ordered && order < 0 }
	isGreater comparison = func(order int, ordered bool) bool { return ordered && order > 0 }
	isAtMost  comparison = func(order int, ordered bool) bool { return ordered && order <= 0 }
	isAtLeast comparison = func(order int, ordered bool) bool { return ordered && order >= 0 }
)

// compare makes the kernel of a comparison.
func compare(test comparison) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		a, b, err := c.operands()
		if err != nil {
			return nil, err
		}
		if a.DType != b.DType {
			return nil, fmt.Errorf("%s and %s together", a.DType, b.DType)
		}
		switch a.Data.(type) {
		case []float32:
			return compared[float32](c, a, b, test)
		case []float64:
			return compared[float64](c, a, b, test)
		case []int8:
			return compared[int8](c, a, b, test)
		case []int16:
			return compared[int16](c, a, b, test)
		case []int32:
			return compared[int32](c, a, b, test)
		case []int64:
			return compared[int64](c, a, b, test)
		case []uint8:
			return compared[uint8](c, a, b, test)
		case []uint16:
			return compared[uint16](c, a, b, test)
		case []uint32:
			return compared[uint32](c, a, b, test)
		case []uint64:
			return compared[uint64](c, a, b, test)
		case []string:
			return compared[string](c, a, b, test)
		case []bool:
			dims, out, err := zip(c, a, b, func(x, y bool) bool { return x == y })
			return truths(dims, out), err
		}
		return nil, c.unsupported(a.DType, "")
	}
}

func compared[T interface {
	onnx.Element
	cmp.Ordered
}](c *call, a, b *onnx.Tensor, test comparison) (*onnx.Tensor, error) {
	dims, out, err := zip(c, a, b, func(x, y T) bool { return test(cmp.Compare(x, y), x == x && y == y) })
	return truths(dims, out), err
}

func truths(dims []int, v []bool) *onnx.Tensor {
	return &onnx.Tensor{DType: onnx.Bool, Dims: dims, Data: v}
}

// logical makes the kernel of a function of two truth values.
func logical(f func(a, b bool) bool) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		a, b, err := c.operands()
		if err != nil {
			return nil, err
		}
		if b.DType != onnx.Bool {
			return nil, fmt.Errorf("%s and %s together", a.DType, b.DType)
		}
		dims, out, err := zip(c, a, b, f)
		return truths(dims, out), err
	}
}

func not(c *call) (*onnx.Tensor, error) {
	v := c.in[0].Data.([]bool)
	return truths(c.in[0].Dims, each(v, func(x bool) bool { return !x })), nil
}

// isNaN and isInf classify real numbers.
func isNaN(c *call) (*onnx.Tensor, error) { return c.classified(math.IsNaN) }

func isInf(c *call) (*onnx.Tensor, error) {
	below, above := c.Int("detect_negative", 1) != 0, c.Int("detect_positive", 1) != 0
	return c.classified(func(x float64) bool { return below && math.IsInf(x, -1) || above && math.IsInf(x, 1) })
}

func (c *call) classified(test func(float64) bool) (*onnx.Tensor, error) {
	v, err := c.in[0].Float64s()
	if err != nil {
		return nil, err
	}
	return truths(c.in[0].Dims, each(v, test)), nil
}
