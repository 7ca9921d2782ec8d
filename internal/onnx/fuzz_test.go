package onnx_test

import (
	"reflect"
	"testing"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// Whatever the bytes, Decode returns; and what it accepts keeps the invariants
// of the package.
func FuzzDecode(f *testing.F) {
	f.Add(tiny().Bytes())
	f.Add(onnxtest.New(7).Typed().Init("h", half(1, 2)).Init("s", onnx.Scalar("a")).Output("h", onnx.Float16, 2).Bytes())
	f.Add(onnxtest.New(9).Node("Constant", "", "c", onnxtest.Attrs{"value": onnx.New([]int{0, 2}, []int64{})}).Output("c", onnx.Int64, 0, 2).Bytes())
	f.Add(onnxtest.New(21).
		Function("f", "F", "a", "b", []string{"s"}, func(body *onnxtest.Model) {
			body.Node("LeakyRelu", "a", "t", onnxtest.Attrs{"alpha": onnxtest.Ref("s")}).Node("Neg", "t", "b", nil)
		}).
		Input("x", onnx.Float32, onnxtest.Open).
		Node("f::F", "y", "z", onnxtest.Attrs{"s": 0.5}).Node("f::F", "x", "y", nil).
		Output("z", onnx.Float32).Bytes())
	f.Add(onnxtest.New(13).External("../w").Init("w", onnx.Scalar[float32](1)).Output("w", onnx.Float32).Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := onnx.Decode(data, "")
		if err != nil {
			return
		}
		if m.Opset < 0 || m.Opset > onnx.MaxOpset {
			t.Errorf("opset %d", m.Opset)
		}
		if err := wellOrdered(m.Graph); err != nil {
			t.Error(err)
		}
		for name, x := range m.Graph.Initializers {
			checkTensor(t, name, x)
		}
		made := map[string]bool{}
		for _, n := range m.Graph.Nodes {
			for _, out := range n.Outputs {
				if out != "" && made[out] {
					t.Errorf("value %q is made twice", out)
				}
				made[out] = true
			}
			for name, a := range n.Attrs {
				if x, ok := a.Value.(*onnx.Tensor); ok {
					checkTensor(t, name, x)
				}
			}
		}
	})
}

func half(v ...float32) *onnx.Tensor {
	x := onnx.New([]int{len(v)}, v)
	x.DType = onnx.Float16
	x.Round()
	return x
}

func checkTensor(t *testing.T, name string, x *onnx.Tensor) {
	n, err := onnx.Count(x.Dims)
	if err != nil || reflect.ValueOf(x.Data).Len() != n {
		t.Errorf("tensor %q of shape %v has %d elements (%v)", name, x.Dims, reflect.ValueOf(x.Data).Len(), err)
	}
}
