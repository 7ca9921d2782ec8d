package reference

import (
	"context"
	"fmt"
	"math"

	"occlude/internal/onnx"
)

// tester is the part of *testing.T and *rapid.T that helpers need.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// attrs are a node's attributes in Go's usual types.
type attrs map[string]any

// node makes a node of the default domain; want is how many outputs it has.
func node(op string, want int, a attrs) *onnx.Node {
	n := &onnx.Node{Op: op, Name: "n", Attrs: map[string]onnx.Attr{}}
	for i := range want {
		n.Outputs = append(n.Outputs, fmt.Sprintf("y%d", i))
	}
	for name, v := range a {
		switch x := v.(type) {
		case int:
			v = int64(x)
		case float64:
			v = float32(x)
		case []int:
			list := make([]int64, len(x))
			for i, e := range x {
				list[i] = int64(e)
			}
			v = list
		}
		n.Attrs[name] = onnx.Attr{Value: v}
	}
	return n
}

// eval applies an operator that must succeed and gives its first output.
func eval(t tester, op string, opset int, a attrs, in ...*onnx.Tensor) *onnx.Tensor {
	t.Helper()
	out, err := Eval(context.Background(), node(op, 1, a), opset, in)
	if err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// f32, i64 and the like make small tensors; a shape of nil means a vector.
func f32(shape []int, v ...float32) *onnx.Tensor { return tensor(shape, v) }
func i64(shape []int, v ...int64) *onnx.Tensor   { return tensor(shape, v) }
func i32(shape []int, v ...int32) *onnx.Tensor   { return tensor(shape, v) }
func truth(shape []int, v ...bool) *onnx.Tensor  { return tensor(shape, v) }

func tensor[T onnx.Element](shape []int, v []T) *onnx.Tensor {
	if shape == nil {
		shape = []int{len(v)}
	}
	return onnx.New(shape, v)
}

// counting is the tensor 0, 1, 2, ... of a shape.
func counting(shape ...int) *onnx.Tensor {
	v := make([]float32, product(shape))
	for i := range v {
		v[i] = float32(i)
	}
	return onnx.New(shape, v)
}

// wavy is a tensor of numbers between -1 and 1 without a pattern that a mistake
// in indexing would keep.
func wavy(shape ...int) *onnx.Tensor {
	v := make([]float32, product(shape))
	for i := range v {
		v[i] = float32(math.Sin(float64(i*i%1009) + 0.37*float64(i)))
	}
	return onnx.New(shape, v)
}

// same compares two tensors: type, shape, and values within a relative and
// absolute tolerance (0 for exactly).
func same(t tester, got, want *onnx.Tensor, tolerance float64) {
	t.Helper()
	if got == nil {
		t.Fatal("no tensor")
	}
	if got.DType != want.DType || onnx.FormatDims(got.Dims) != onnx.FormatDims(want.Dims) {
		t.Fatalf("got %s %s, want %s %s", got.DType, onnx.FormatDims(got.Dims), want.DType, onnx.FormatDims(want.Dims))
	}
	if lengthOf(got) != got.Len() {
		t.Fatalf("%d elements of %T for shape %s", lengthOf(got), got.Data, onnx.FormatDims(got.Dims))
	}
	if s, ok := got.Data.([]string); ok {
		if fmt.Sprint(s) != fmt.Sprint(want.Data) {
			t.Fatalf("got %q, want %q", s, want.Data)
		}
		return
	}
	a, err := got.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	b, err := want.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	for i := range a {
		equal := a[i] == b[i] || math.IsNaN(a[i]) && math.IsNaN(b[i])
		if !equal && !(math.Abs(a[i]-b[i]) <= tolerance*(1+math.Abs(b[i]))) {
			t.Fatalf("element %d is %g, want %g\ngot  %v\nwant %v", i, a[i], b[i], head(got), head(want))
		}
	}
}

// head prints a tensor, cut short.
func head(t *onnx.Tensor) string {
	s := fmt.Sprint(t.Data)
	if len(s) > 400 {
		s = s[:400] + " ..."
	}
	return s
}
