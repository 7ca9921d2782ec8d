package reference

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"occlude/internal/onnx"
)

func TestOps(t *testing.T) {
	ops := Ops()
	if !slices.IsSorted(ops) || len(slices.Compact(slices.Clone(ops))) != len(ops) {
		t.Errorf("not sorted or not unique: %v", ops)
	}
	// The operators that the project promises.
	for _, op := range strings.Fields(`Conv MaxPool AveragePool GlobalAveragePool GlobalMaxPool BatchNormalization LRN
		InstanceNormalization Relu LeakyRelu PRelu Elu Selu Gelu Sigmoid HardSigmoid HardSwish Tanh Softplus Clip Exp Sqrt
		Pow Abs Neg Erf Add Sub Mul Div Sum Mean Max Min Concat Split Slice Pad Gemm MatMul Flatten Reshape Transpose
		Squeeze Unsqueeze ReduceMean ReduceSum ReduceMax Softmax LogSoftmax Dropout Identity Constant ConstantOfShape
		Shape Gather Cast`) {
		if !Supported(op) {
			t.Errorf("%s is missing", op)
		}
	}
	if Supported("NonMaxSuppression") {
		t.Error("Supported says yes to everything")
	}
}

// TestTable checks that the versions of an operator neither overlap nor leave a
// hole.
func TestTable(t *testing.T) {
	for name, versions := range byName {
		for i, o := range versions {
			last := i == len(versions)-1
			if last != (o.until == 0) {
				t.Errorf("%s: only the last version may be open", name)
			}
			if !last && versions[i+1].since != o.until+1 {
				t.Errorf("%s: version %d is followed by %d", name, o.until, versions[i+1].since)
			}
		}
	}
}

func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		name string
		n    *onnx.Node
		in   []*onnx.Tensor
		want UnsupportedError
	}{
		{"operator", node("Loop", 1, nil), nil, UnsupportedError{Op: "Loop"}},
		{"domain", &onnx.Node{Op: "Conv", Domain: "com.example"}, nil, UnsupportedError{Op: "com.example.Conv"}},
		{"too new", node("Gelu", 1, nil), []*onnx.Tensor{f32(nil, 1)}, UnsupportedError{Op: "Gelu", Reason: "not in this version of the operator set"}},
		{"type", node("Sqrt", 1, nil), []*onnx.Tensor{i32(nil, 1)}, UnsupportedError{Op: "Sqrt", Type: onnx.Int32}},
		{"string", node("Cast", 1, attrs{"to": onnx.String.Code()}), []*onnx.Tensor{i32(nil, 1)}, UnsupportedError{Op: "Cast", Type: onnx.String, Reason: "as the type of a cast"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Eval(context.Background(), c.n, 13, c.in)
			var u *UnsupportedError
			if !errors.As(err, &u) {
				t.Fatalf("got %v, want an UnsupportedError", err)
			}
			if *u != c.want {
				t.Errorf("got %+v, want %+v", *u, c.want)
			}
		})
	}
	text := (&UnsupportedError{Op: "Cast", Type: onnx.String, Reason: "why"}).Error()
	if text != "operator Cast of string is not supported: why" {
		t.Errorf("message %q", text)
	}
}

// TestInvalid has nodes that break the rules of their operators: errors, but
// not about something unsupported.
func TestInvalid(t *testing.T) {
	x := counting(2, 3)
	for _, c := range []struct {
		op   string
		a    attrs
		in   []*onnx.Tensor
		want string
	}{
		{"Add", nil, []*onnx.Tensor{x}, "input 1 is missing"},
		{"Add", nil, []*onnx.Tensor{x, nil}, "input 1 is missing"},
		{"Add", nil, []*onnx.Tensor{x, counting(2)}, "do not broadcast"},
		{"Add", nil, []*onnx.Tensor{x, i64(nil, 1)}, "float32 and int64"},
		{"Div", nil, []*onnx.Tensor{i64(nil, 1), i64(nil, 0)}, "division by zero"},
		{"Relu", nil, []*onnx.Tensor{{DType: onnx.Float32, Dims: []int{3}, Data: []float32{1}}}, "do not fit"},
		{"Relu", nil, []*onnx.Tensor{{DType: onnx.Int8, Dims: []int{1}, Data: []float32{1}}}, "do not fit"},
		{"Relu", nil, []*onnx.Tensor{{DType: onnx.Float32, Dims: []int{-1}, Data: []float32{1}}}, "negative"},
		{"Concat", nil, []*onnx.Tensor{x}, "no axis"},
		{"Concat", attrs{"axis": 2}, []*onnx.Tensor{x}, "out of range"},
		{"Concat", attrs{"axis": 0}, []*onnx.Tensor{x, counting(2, 2)}, "differ on axis 1"},
		{"Reshape", nil, []*onnx.Tensor{x, i64(nil, 4)}, "does not fit"},
		{"Reshape", nil, []*onnx.Tensor{x, i64(nil, -1, -1)}, "two unknowns"},
		{"Reshape", nil, []*onnx.Tensor{x, i64(nil, -2, 3)}, "negative"},
		{"Reshape", nil, []*onnx.Tensor{x, f32(nil, 6)}, "integers"},
		{"Transpose", attrs{"perm": []int{0, 0}}, []*onnx.Tensor{x}, "twice"},
		{"Squeeze", nil, []*onnx.Tensor{x, i64(nil, 0)}, "not of size 1"},
		{"Unsqueeze", nil, []*onnx.Tensor{x}, "no axes"},
		{"Gather", nil, []*onnx.Tensor{x, i64(nil, 2)}, "out of range"},
		{"Slice", nil, []*onnx.Tensor{x, i64(nil, 0), i64(nil, 1), i64(nil, 0), i64(nil, 0)}, "step of 0"},
		{"Pad", attrs{"mode": "mirror"}, []*onnx.Tensor{x, i64(nil, 1, 0, 0, 0)}, `mode "mirror"`},
		{"Pad", nil, []*onnx.Tensor{x, i64(nil, -3, 0, 0, 0)}, "leave nothing"},
		{"MatMul", nil, []*onnx.Tensor{x, x}, "do not multiply"},
		{"Gemm", nil, []*onnx.Tensor{x, counting(3, 2), counting(3)}, "do not broadcast"},
		{"PRelu", nil, []*onnx.Tensor{counting(3), x}, "stretches"},
		{"ReduceSum", nil, []*onnx.Tensor{x, i64(nil, 1, -1)}, "twice"},
		{"ArgMax", nil, []*onnx.Tensor{counting(0)}, "empty"},
		{"Dropout", nil, []*onnx.Tensor{x, f32([]int{}, 1), truth([]int{}, true)}, "ratio"},
		{"Constant", nil, nil, "no value"},
		{"BatchNormalization", nil, []*onnx.Tensor{x, counting(2), counting(3), counting(3), counting(3)}, "3 values are needed"},
	} {
		t.Run(c.op+" "+c.want, func(t *testing.T) {
			_, err := Eval(context.Background(), node(c.op, 1, c.a), 17, c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error about %q", err, c.want)
			}
			var u *UnsupportedError
			if errors.As(err, &u) {
				t.Errorf("%v: an UnsupportedError", err)
			}
		})
	}
}

// TestInputsStay evaluates all operators of one input and looks at it after.
func TestInputsStay(t *testing.T) {
	for _, op := range Ops() {
		for _, dtype := range []onnx.DType{onnx.Float32, onnx.Float16} {
			x := castTo(t, wavy(2, 3, 4, 4), dtype)
			before := like(x, x.Dims, slices.Clone(x.Data.([]float32)))
			other := castTo(t, wavy(3), dtype)
			a := attrs{"kernel_shape": []int{2, 2}, "size": 3, "axis": 1, "blocksize": 1, "num_groups": 3, "to": 1, "value_float": 1.0}
			for _, in := range [][]*onnx.Tensor{{x}, {x, x}, {x, other, other, other, other}} {
				// Most operators take one of these; what the others say is no matter here.
				_, _ = Eval(context.Background(), node(op, 1, a), 21, in)
				same(t, x, before, 0)
			}
		}
	}
}
