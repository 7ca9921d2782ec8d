package reference

import (
	"errors"
	"fmt"
	"math"

	"occlude/internal/onnx"
)

// arith makes the kernel of a binary operator.
func arith(f binary) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		a, b, err := c.operands()
		if err != nil {
			return nil, err
		}
		return c.combine(a, b, f)
	}
}

var (
	add = binary{
		float:    func(a, b float64) float64 { return a + b },
		signed:   func(a, b int64) int64 { return a + b },
		unsigned: func(a, b uint64) uint64 { return a + b },
	}
	sub = binary{
		float:    func(a, b float64) float64 { return a - b },
		signed:   func(a, b int64) int64 { return a - b },
		unsigned: func(a, b uint64) uint64 { return a - b },
	}
	mul = binary{
		float:    func(a, b float64) float64 { return a * b },
		signed:   func(a, b int64) int64 { return a * b },
		unsigned: func(a, b uint64) uint64 { return a * b },
	}
	// Integers are divided with truncation toward zero.
	quotient = binary{
		float:    func(a, b float64) float64 { return a / b },
		signed:   func(a, b int64) int64 { return a / b },
		unsigned: func(a, b uint64) uint64 { return a / b },
	}
	// math.Max and math.Min give NaN where either side is NaN, as ONNX wants.
	larger = binary{
		float:    math.Max,
		signed:   func(a, b int64) int64 { return max(a, b) },
		unsigned: func(a, b uint64) uint64 { return max(a, b) },
	}
	smaller = binary{
		float:    math.Min,
		signed:   func(a, b int64) int64 { return min(a, b) },
		unsigned: func(a, b uint64) uint64 { return min(a, b) },
	}
	// Python's remainder has the divisor's sign, C's the dividend's.
	pythonMod = binary{
		float: func(a, b float64) float64 {
			r := math.Mod(a, b)
			if r != 0 && (r < 0) != (b < 0) {
				r += b
			}
			return r
		},
		signed: func(a, b int64) int64 {
			r := a % b
			if r != 0 && (r < 0) != (b < 0) {
				r += b
			}
			return r
		},
		unsigned: func(a, b uint64) uint64 { return a % b },
	}
	cMod = binary{
		float:    math.Mod,
		signed:   func(a, b int64) int64 { return a % b },
		unsigned: func(a, b uint64) uint64 { return a % b },
	}
)

func div(c *call) (*onnx.Tensor, error) {
	if err := nonZero(c.in[1]); err != nil {
		return nil, err
	}
	return arith(quotient)(c)
}

func mod(c *call) (*onnx.Tensor, error) {
	if err := nonZero(c.in[1]); err != nil {
		return nil, err
	}
	if c.Int("fmod", 0) != 0 {
		return arith(cMod)(c)
	}
	return arith(pythonMod)(c)
}

// nonZero refuses integer divisors of 0.
func nonZero(t *onnx.Tensor) error {
	if !(signed | unsigned).has(t.DType) {
		return nil
	}
	v, err := t.Int64s()
	if err != nil {
		return err
	}
	for _, x := range v {
		if x == 0 {
			return errors.New("integer division by zero")
		}
	}
	return nil
}

// variadic makes the kernel of an operator that joins any number of inputs.
func variadic(f binary) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) {
		y := c.in[0]
		for i, x := range c.in[1:] {
			if x == nil {
				return nil, fmt.Errorf("input %d is missing", i+1)
			}
			var err error
			if y, err = c.combine(y, x, f); err != nil {
				return nil, err
			}
		}
		return reshaped(y, y.Dims), nil
	}
}

// mean is the average of all inputs, summed in double precision.
func mean(c *call) (*onnx.Tensor, error) {
	wide := *c
	wide.in = make([]*onnx.Tensor, len(c.in))
	for i, x := range c.in {
		if x == nil || x.DType != c.in[0].DType {
			return nil, fmt.Errorf("input %d is missing or of another type", i)
		}
		var err error
		if wide.in[i], err = convert(x, onnx.Float64); err != nil {
			return nil, err
		}
	}
	sum, err := variadic(add)(&wide)
	if err != nil {
		return nil, err
	}
	n := float64(len(c.in))
	avg, err := c.apply(sum, unary{float: func(x float64) float64 { return x / n }})
	if err != nil {
		return nil, err
	}
	return convert(avg, c.in[0].DType)
}

// pow raises the first input to the second, which may be of another type; the
// result has the type of the first. Powers of integers to integers are exact
// but for wrapping around.
func pow(c *call) (*onnx.Tensor, error) {
	base, exp, err := c.operands()
	if err != nil {
		return nil, err
	}
	if !numbers.has(exp.DType) {
		return nil, c.unsupported(exp.DType, "as an exponent")
	}
	if (signed | unsigned).has(base.DType) && (signed | unsigned).has(exp.DType) {
		b, err := convert(base, onnx.Int64)
		if err != nil {
			return nil, err
		}
		if exp, err = convert(exp, onnx.Int64); err != nil {
			return nil, err
		}
		y, err := c.combine(b, exp, binary{signed: intPow})
		if err != nil {
			return nil, err
		}
		return convert(y, base.DType)
	}
	b, err := convert(base, onnx.Float64)
	if err != nil {
		return nil, err
	}
	if exp, err = convert(exp, onnx.Float64); err != nil {
		return nil, err
	}
	y, err := c.combine(b, exp, binary{float: math.Pow})
	if err != nil {
		return nil, err
	}
	return convert(y, base.DType)
}

// intPow is base to the power exp; negative powers are cut off to an integer.
func intPow(base, exp int64) int64 {
	if exp < 0 {
		switch base {
		case 1:
			return 1
		case -1:
			return 1 - 2*(exp&1)
		}
		return 0
	}
	y := int64(1)
	for ; exp > 0; exp >>= 1 {
		if exp&1 == 1 {
			y *= base
		}
		base *= base
	}
	return y
}

// pointwise makes the kernel of a function of single elements.
func pointwise(f unary) func(*call) (*onnx.Tensor, error) {
	return func(c *call) (*onnx.Tensor, error) { return c.apply(c.in[0], f) }
}

// floatFunc makes the kernel of a function of single real numbers.
func floatFunc(f func(float64) float64) func(*call) (*onnx.Tensor, error) {
	return pointwise(unary{float: f})
}

var (
	absolute = unary{
		float:    math.Abs,
		signed:   func(x int64) int64 { return max(x, -x) },
		unsigned: func(x uint64) uint64 { return x },
	}
	negative = unary{
		float:  func(x float64) float64 { return -x },
		signed: func(x int64) int64 { return -x },
	}
	sign = unary{
		float: func(x float64) float64 {
			switch {
			case x > 0:
				return 1
			case x < 0:
				return -1
			}
			return x
		},
		signed:   func(x int64) int64 { return min(max(x, -1), 1) },
		unsigned: func(x uint64) uint64 { return min(x, 1) },
	}
)

func reciprocal(x float64) float64 { return 1 / x }

// clip bounds values; absent bounds do not bind, and where the lower one is
// above the upper, the upper one wins. They are attributes before version 11.
func clip(c *call) (*onnx.Tensor, error) {
	y := c.in[0]
	bounds := [2]*onnx.Tensor{c.input(1), c.input(2)}
	if c.opset < 11 {
		bounds = [2]*onnx.Tensor{}
		for i, name := range []string{"min", "max"} {
			if c.Has(name) {
				var err error
				if bounds[i], err = convert(onnx.Scalar(c.Float(name, 0)), y.DType); err != nil {
					return nil, err
				}
			}
		}
	}
	for i, f := range []binary{larger, smaller} {
		b := bounds[i]
		if b == nil {
			continue
		}
		if b.Len() != 1 {
			return nil, fmt.Errorf("a bound of shape %s", onnx.FormatDims(b.Dims))
		}
		var err error
		if y, err = c.combine(y, reshaped(b, []int{}), f); err != nil {
			return nil, err
		}
	}
	return reshaped(y, y.Dims), nil
}
