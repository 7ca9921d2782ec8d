package conformance

import (
	"math"
	"testing"

	"occlude/internal/onnx"
)

func TestCompareFloats(t *testing.T) {
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct {
		name      string
		got, want []float32
		ok        bool
	}{
		{"equal", []float32{1, 2}, []float32{1, 2}, true},
		{"relative tolerance", []float32{1.0009}, []float32{1}, true},
		{"beyond it", []float32{1.0012}, []float32{1}, false},
		{"absolute tolerance", []float32{5e-8}, []float32{0}, true},
		{"beyond it too", []float32{2e-7}, []float32{0}, false},
		{"rounding of a large sum", []float32{4e-4, 1000}, []float32{0, 1000}, true},
		{"more than rounding", []float32{2e-3, 1000}, []float32{0, 1000}, false},
		{"an infinity is no magnitude", []float32{1, inf}, []float32{0, inf}, false},
		{"NaN", []float32{nan}, []float32{nan}, true},
		{"NaN for a number", []float32{nan}, []float32{1}, false},
		{"number for NaN", []float32{1}, []float32{nan}, false},
		{"infinities", []float32{inf, -inf}, []float32{inf, -inf}, true},
		{"the other infinity", []float32{inf}, []float32{-inf}, false},
		{"infinity for a number", []float32{inf}, []float32{3e38}, false},
		{"number for infinity", []float32{3e38}, []float32{inf}, false},
		{"negative zero", []float32{float32(math.Copysign(0, -1))}, []float32{0}, true},
		{"empty", []float32{}, []float32{}, true},
	} {
		if _, err := compare(vector(c.got...), vector(c.want...)); (err == nil) != c.ok {
			t.Errorf("%s: %v for %v gives the error %v", c.name, c.got, c.want, err)
		}
	}
}

// The slack follows the precision of the type.
func TestCompareSlack(t *testing.T) {
	for d, off := range map[onnx.DType]float64{onnx.Float32: 1e-4, onnx.Float16: 0.5, onnx.BFloat16: 4} {
		x := func(v float64) *onnx.Tensor {
			return &onnx.Tensor{DType: d, Dims: []int{2}, Data: []float32{float32(v), 1000}}
		}
		if _, err := compare(x(off), x(0)); err != nil {
			t.Errorf("%s: %v beside 1000: %v", d, off, err)
		}
		if _, err := compare(x(10*off), x(0)); err == nil {
			t.Errorf("%s: %v beside 1000 passes", d, 10*off)
		}
	}
	double := func(v float64) *onnx.Tensor { return onnx.New([]int{2}, []float64{v, 1000}) }
	if _, err := compare(double(1e-4), double(0)); err == nil {
		t.Error("double: 1e-4 beside 1000 passes")
	}
}

func TestCompareExact(t *testing.T) {
	for _, c := range []struct {
		got, want *onnx.Tensor
		ok        bool
	}{
		{onnx.Scalar[int64](1<<62 + 1), onnx.Scalar[int64](1 << 62), false}, // equal as float64
		{onnx.Scalar[uint64](1<<63 + 1), onnx.Scalar[uint64](1 << 63), false},
		{onnx.Scalar[int64](7), onnx.Scalar[int64](7), true},
		{onnx.Scalar[int32](10001), onnx.Scalar[int32](10000), false},
		{onnx.Scalar[uint8](3), onnx.Scalar[uint8](3), true},
		{onnx.Scalar(true), onnx.Scalar(true), true},
		{onnx.Scalar(true), onnx.Scalar(false), false},
		{onnx.Scalar("a"), onnx.Scalar("a"), true},
		{onnx.Scalar("a"), onnx.Scalar("b"), false},
		{onnx.Scalar[int32](1), onnx.Scalar[int64](1), false},
		{onnx.Scalar[int32](1), onnx.New([]int{1}, []int32{1}), false},
		{nil, onnx.Scalar[int32](1), false},
	} {
		if _, err := compare(c.got, c.want); (err == nil) != c.ok {
			t.Errorf("%v for %v gives the error %v", c.got, c.want, err)
		}
	}
}

func TestIndexOf(t *testing.T) {
	got := indexOf(23, []int{2, 3, 4})
	if len(got) != 3 || got[0] != 1 || got[1] != 2 || got[2] != 3 {
		t.Errorf("indexOf(23) in 2x3x4 is %v, want [1 2 3]", got)
	}
}
