package reference

import (
	"math"
	"testing"

	"occlude/internal/onnx"
)

func TestUnary(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, c := range []struct {
		op    string
		opset int
		a     attrs
		x, y  []float32
	}{
		{"Abs", 13, nil, []float32{-2, 3, -inf}, []float32{2, 3, inf}},
		{"Neg", 13, nil, []float32{-2, 3}, []float32{2, -3}},
		{"Sign", 13, nil, []float32{-2, 3, 0}, []float32{-1, 1, 0}},
		{"Relu", 14, nil, []float32{-2, 3, nan}, []float32{0, 3, nan}},
		{"LeakyRelu", 16, nil, []float32{-2, 3}, []float32{-0.02, 3}},
		{"LeakyRelu", 16, attrs{"alpha": 0.5}, []float32{-2, 3}, []float32{-1, 3}},
		{"ThresholdedRelu", 10, nil, []float32{-2, 1, 3}, []float32{0, 0, 3}},
		{"Elu", 6, attrs{"alpha": 2.0}, []float32{-1, 3}, []float32{-1.2642411, 3}},
		{"Selu", 6, nil, []float32{-1, 1}, []float32{-1.1113307, 1.050701}},
		{"Selu", 1, nil, []float32{1}, []float32{1.0507}},
		{"Celu", 12, attrs{"alpha": 2.0}, []float32{-1, 3}, []float32{-0.7869387, 3}},
		{"Gelu", 20, nil, []float32{-1, 0, 2}, []float32{-0.15865526, 0, 1.9544997}},
		{"Gelu", 20, attrs{"approximate": "tanh"}, []float32{-1, 0, 2}, []float32{-0.15880801, 0, 1.9545977}},
		{"Sigmoid", 13, nil, []float32{0, 2, -200}, []float32{0.5, 0.8807971, 0}},
		{"HardSigmoid", 6, nil, []float32{-9, 1, 9}, []float32{0, 0.7, 1}},
		{"HardSigmoid", 6, attrs{"alpha": 0.5, "beta": 0.6}, []float32{-1, 1}, []float32{0.1, 1}},
		{"HardSwish", 14, nil, []float32{-4, 1, 4}, []float32{0, 2. / 3, 4}},
		{"Mish", 18, nil, []float32{1}, []float32{0.8650984}},
		{"Swish", 24, attrs{"alpha": 2.0}, []float32{1}, []float32{0.8807971}},
		{"Tanh", 13, nil, []float32{1}, []float32{0.7615942}},
		{"Softplus", 1, nil, []float32{0, 100, -100}, []float32{0.6931472, 100, 0}},
		{"Softsign", 1, nil, []float32{-3, 1}, []float32{-0.75, 0.5}},
		{"Shrink", 9, attrs{"lambd": 1.5, "bias": 1.0}, []float32{-2, 1, 2}, []float32{-1, 0, 1}},
		{"Exp", 13, nil, []float32{1}, []float32{math.E}},
		{"Log", 13, nil, []float32{math.E, 0}, []float32{1, -inf}},
		{"Sqrt", 13, nil, []float32{9, -1}, []float32{3, nan}},
		{"Erf", 13, nil, []float32{0.5}, []float32{0.5204999}},
		{"Reciprocal", 13, nil, []float32{4, 0}, []float32{0.25, inf}},
		{"Floor", 13, nil, []float32{-1.5, 1.5}, []float32{-2, 1}},
		{"Ceil", 13, nil, []float32{-1.5, 1.5}, []float32{-1, 2}},
		{"Round", 11, nil, []float32{0.5, 1.5, 2.5, -0.5}, []float32{0, 2, 2, 0}},
		{"Cos", 7, nil, []float32{0}, []float32{1}},
		{"Atanh", 9, nil, []float32{0.5}, []float32{0.54930615}},
	} {
		t.Run(c.op, func(t *testing.T) { same(t, eval(t, c.op, c.opset, c.a, f32(nil, c.x...)), f32(nil, c.y...), 1e-6) })
	}
}

func TestUnaryIntegers(t *testing.T) {
	x := tensor(nil, []int8{-128, -2, 3})
	same(t, eval(t, "Abs", 13, nil, x), tensor(nil, []int8{-128, 2, 3}), 0) // as in C
	same(t, eval(t, "Neg", 13, nil, x), tensor(nil, []int8{-128, 2, -3}), 0)
	same(t, eval(t, "Sign", 13, nil, x), tensor(nil, []int8{-1, -1, 1}), 0)
	same(t, eval(t, "Relu", 14, nil, x), tensor(nil, []int8{0, 0, 3}), 0)
	same(t, eval(t, "Sign", 13, nil, tensor(nil, []uint8{0, 200})), tensor(nil, []uint8{0, 1}), 0)
}

func TestBinary(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name, op string
		opset    int
		a        attrs
		x, y     *onnx.Tensor
		want     *onnx.Tensor
	}{
		{"same shape", "Add", 14, nil, f32(nil, 1, 2), f32(nil, 10, 20), f32(nil, 11, 22)},
		{"column and row", "Add", 14, nil, f32([]int{2, 1}, 1, 2), f32(nil, 10, 20, 30), f32([]int{2, 3}, 11, 21, 31, 12, 22, 32)},
		{"middle axis", "Sub", 14, nil, counting(2, 2, 2), f32([]int{2, 1}, 0, 10), f32([]int{2, 2, 2}, 0, 1, -8, -7, 4, 5, -4, -3)},
		{"scalar", "Mul", 14, nil, f32([]int{}, 3), f32(nil, 1, 2), f32(nil, 3, 6)},
		{"scalars", "Mul", 14, nil, f32([]int{}, 3), f32([]int{}, 2), f32([]int{}, 6)},
		{"empty", "Mul", 14, nil, f32([]int{0, 2}), f32(nil, 1, 2), f32([]int{0, 2})},
		{"one against none", "Mul", 14, nil, f32([]int{0, 1}), f32([]int{1, 2}, 1, 2), f32([]int{0, 2})},
		{"wrapping", "Add", 14, nil, tensor(nil, []uint8{200}), tensor(nil, []uint8{100}), tensor(nil, []uint8{44})},
		{"toward zero", "Div", 14, nil, i32(nil, -7, 7), i32(nil, 2, -2), i32(nil, -3, -3)},
		{"least by -1", "Div", 14, nil, i64(nil, math.MinInt64), i64(nil, -1), i64(nil, math.MinInt64)},
		{"by zero", "Div", 14, nil, f32(nil, 1), f32(nil, 0), f32(nil, float32(math.Inf(1)))},
		{"Python's", "Mod", 13, nil, i32(nil, -4, 7, 5), i32(nil, 3, -3, 3), i32(nil, 2, -2, 2)},
		{"C's", "Mod", 13, attrs{"fmod": 1}, i32(nil, -4, 7, 5), i32(nil, 3, -3, 3), i32(nil, -1, 1, 2)},
		{"floats", "Mod", 13, attrs{"fmod": 1}, f32(nil, -4.5), f32(nil, 3), f32(nil, -1.5)},
		{"integers", "Pow", 15, nil, i64(nil, 3, -2, 2, -1), i64(nil, 30, 3, -1, -3), i64(nil, 205891132094649, -8, 0, -1)},
		{"mixed", "Pow", 15, nil, f32(nil, 2, 3), i64(nil, -1, 2), f32(nil, 0.5, 9)},
		{"cut off", "Pow", 15, nil, i32(nil, 2, 10), f32(nil, 0.5, 2), i32(nil, 1, 100)},
		{"old axis", "Add", 6, attrs{"broadcast": 1, "axis": 1}, counting(1, 2, 2), f32(nil, 10, 20), f32([]int{1, 2, 2}, 10, 11, 22, 23)},
		{"old suffix", "Add", 6, attrs{"broadcast": 1}, counting(1, 2, 2), f32(nil, 10, 20), f32([]int{1, 2, 2}, 10, 21, 12, 23)},
		{"NaN", "Max", 13, nil, f32(nil, 1, nan), f32(nil, nan, 1), f32(nil, nan, nan)},
		{"slope", "PRelu", 16, nil, f32([]int{2, 2}, -1, 1, -2, 2), f32([]int{2, 1}, 3, 4), f32([]int{2, 2}, -3, 1, -8, 2)},
		{"old slope per channel", "PRelu", 6, nil, f32([]int{1, 2, 1, 1}, -1, -1), f32(nil, 3, 4), f32([]int{1, 2, 1, 1}, -3, -4)},
		{"equal strings", "Equal", 19, nil, tensor(nil, []string{"a", "b"}), tensor(nil, []string{"a", "c"}), truth(nil, true, false)},
		{"equal truths", "Equal", 13, nil, truth(nil, true, false), truth(nil, false, false), truth(nil, false, true)},
		{"NaN is not equal", "Equal", 13, nil, f32(nil, nan, 1), f32(nil, nan, 1), truth(nil, false, true)},
		{"NaN is not less", "LessOrEqual", 16, nil, f32(nil, nan, 1, 2), f32(nil, 1, 1, 1), truth(nil, false, true, false)},
		{"greater", "Greater", 13, nil, i64(nil, 1<<62+1), i64(nil, 1<<62), truth(nil, true)},
		{"and", "And", 7, nil, truth([]int{2, 1}, true, false), truth(nil, true, false), truth([]int{2, 2}, true, false, false, false)},
		{"xor", "Xor", 7, nil, truth(nil, true, true), truth(nil, true, false), truth(nil, false, true)},
	} {
		t.Run(c.op+" "+c.name, func(t *testing.T) { same(t, eval(t, c.op, c.opset, c.a, c.x, c.y), c.want, 1e-6) })
	}
}

func TestVariadic(t *testing.T) {
	a, b, c := f32(nil, 1, 5), f32([]int{2, 1}, 2, 3), f32([]int{}, 4)
	same(t, eval(t, "Sum", 13, nil, a, b, c), f32([]int{2, 2}, 7, 11, 8, 12), 0)
	same(t, eval(t, "Mean", 13, nil, a, b, c), f32([]int{2, 2}, 7./3, 11./3, 8./3, 4), 1e-7)
	same(t, eval(t, "Max", 13, nil, a, b, c), f32([]int{2, 2}, 4, 5, 4, 5), 0)
	same(t, eval(t, "Min", 13, nil, a, b, c), f32([]int{2, 2}, 1, 2, 1, 3), 0)
	same(t, eval(t, "Max", 13, nil, a), a, 0)
	same(t, eval(t, "Min", 13, nil, tensor(nil, []uint64{math.MaxUint64}), tensor(nil, []uint64{7})), tensor(nil, []uint64{7}), 0)
}

func TestClip(t *testing.T) {
	x := f32(nil, -3, 0, 3)
	low, high := f32([]int{}, -1), f32([]int{}, 2)
	same(t, eval(t, "Clip", 13, nil, x, low, high), f32(nil, -1, 0, 2), 0)
	same(t, eval(t, "Clip", 13, nil, x, nil, high), f32(nil, -3, 0, 2), 0)
	same(t, eval(t, "Clip", 13, nil, x, high, low), f32(nil, -1, -1, -1), 0) // the upper bound wins
	same(t, eval(t, "Clip", 13, nil, x), x, 0)
	same(t, eval(t, "Clip", 6, attrs{"min": -1.0, "max": 2.0}, x), f32(nil, -1, 0, 2), 0)
	same(t, eval(t, "Clip", 6, nil, x), x, 0)
	same(t, eval(t, "Clip", 12, nil, i64(nil, -5, 5), i64([]int{}, 0)), i64(nil, 0, 5), 0)
}

func TestHalfPrecisionIsRounded(t *testing.T) {
	x := castTo(t, f32(nil, 1, 2049), onnx.Float16)
	same(t, castTo(t, x, onnx.Float32), f32(nil, 1, 2048), 0) // 2049 is no float16
	y := eval(t, "Add", 14, nil, x, castTo(t, f32(nil, 1./4096, 1), onnx.Float16))
	same(t, castTo(t, y, onnx.Float32), f32(nil, 1, 2048), 0)
	b := eval(t, "Exp", 13, nil, castTo(t, f32(nil, 1), onnx.BFloat16))
	same(t, castTo(t, b, onnx.Float32), f32(nil, 2.71875), 0)
}
