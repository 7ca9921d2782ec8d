package onnx_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// tiny is a small sound model.
func tiny() *onnxtest.Model {
	return onnxtest.New(13).
		Input("x", onnx.Float32, onnxtest.Open, 3, 8, 8).
		Init("w", onnx.New([]int{2, 3, 1, 1}, []float32{1, 2, 3, 4, 5, 6})).
		Node("Conv", "x w -", "y", onnxtest.Attrs{"pads": []int{0, 1, 0, 1}, "auto_pad": "NOTSET"}).
		Node("LeakyRelu", "y", "z", onnxtest.Attrs{"alpha": 0.25}).
		Output("z", onnx.Float32, onnxtest.Open, 2, 8, 10)
}

func TestDecode(t *testing.T) {
	m := tiny().Model(t)
	if m.Opset != 13 || m.IRVersion != 8 || m.Producer != "onnxtest" {
		t.Errorf("opset %d, IR %d, producer %q", m.Opset, m.IRVersion, m.Producer)
	}
	g := m.Graph
	open := onnx.Dim{Size: -1, Param: "x_0"}
	want := []onnx.ValueInfo{{Name: "x", DType: onnx.Float32, HasShape: true, Dims: []onnx.Dim{open, {Size: 3}, {Size: 8}, {Size: 8}}}}
	if !reflect.DeepEqual(g.Inputs, want) {
		t.Errorf("inputs %+v, want %+v", g.Inputs, want)
	}
	if len(g.Outputs) != 1 || g.Outputs[0].Name != "z" {
		t.Errorf("outputs %+v", g.Outputs)
	}
	if len(g.Nodes) != 2 {
		t.Fatalf("%d nodes, want 2", len(g.Nodes))
	}
	conv, relu := g.Nodes[0], g.Nodes[1]
	if !reflect.DeepEqual(conv.Inputs, []string{"x", "w", ""}) || !reflect.DeepEqual(conv.Outputs, []string{"y"}) {
		t.Errorf("Conv from %q to %q", conv.Inputs, conv.Outputs)
	}
	if got := conv.Ints("pads"); !reflect.DeepEqual(got, []int{0, 1, 0, 1}) {
		t.Errorf("pads %v", got)
	}
	if got := conv.Str("auto_pad", ""); got != "NOTSET" {
		t.Errorf("auto_pad %q", got)
	}
	if got := relu.Float("alpha", 0); got != 0.25 {
		t.Errorf("alpha %v", got)
	}
}

// Attributes keep their kind; one that is absent or of another kind reads as
// the default.
func TestAttributes(t *testing.T) {
	x := onnx.New([]int{2}, []int64{7, 8})
	m := onnxtest.New(13).Node("Anything", "-", "y", onnxtest.Attrs{
		"i": 3, "f": 0.5, "s": "text", "ints": []int{1, 2}, "floats": []float32{0.5, 1}, "strings": []string{"a", "b"}, "t": x,
	}).Output("y", onnx.Float32).Model(t)
	n := m.Graph.Nodes[0]
	for name, want := range map[string]any{
		"i": int64(3), "f": float32(0.5), "s": "text", "ints": []int64{1, 2}, "floats": []float32{0.5, 1},
		"strings": []string{"a", "b"}, "t": x,
	} {
		if got := n.Attrs[name].Value; !reflect.DeepEqual(got, want) {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if n.Int("i", 0) != 3 || n.Int("none", 9) != 9 || n.Int("f", 9) != 9 || n.Tensor("i") != nil || n.Ints("none") != nil {
		t.Error("an attribute is read wrongly")
	}
}

// The first IR versions do not name an attribute's kind.
func TestAttributeWithoutKind(t *testing.T) {
	m := onnxtest.New(13).Node("Anything", "-", "y", onnxtest.Attrs{
		"i": 3, "f": 0.5, "s": "text", "ints": []int{1, 2}, "floats": []float32{0.5}, "strings": []string{"a"}, "t": onnx.Scalar[int64](1),
	}).Output("y", onnx.Float32)
	want := m.Model(t).Graph.Nodes[0].Attrs
	for _, a := range m.Proto.Graph.Node[0].Attribute {
		a.Type = protos.AttributeProto_UNDEFINED
	}
	if got := m.Model(t).Graph.Nodes[0].Attrs; !reflect.DeepEqual(got, want) {
		t.Errorf("attributes are %v, want %v", got, want)
	}
}

func TestConstant(t *testing.T) {
	for name, want := range map[string]struct {
		value any
		t     *onnx.Tensor
	}{
		"value":         {onnx.New([]int{1, 2}, []float64{1, 2}), onnx.New([]int{1, 2}, []float64{1, 2})},
		"value_float":   {0.5, onnx.Scalar[float32](0.5)},
		"value_int":     {5, onnx.Scalar[int64](5)},
		"value_string":  {"a", onnx.Scalar("a")},
		"value_floats":  {[]float32{1, 2}, onnx.New([]int{2}, []float32{1, 2})},
		"value_ints":    {[]int{}, onnx.New([]int{0}, []int64{})},
		"value_strings": {[]string{"a"}, onnx.New([]int{1}, []string{"a"})},
	} {
		m := onnxtest.New(13).Node("Constant", "", "y", onnxtest.Attrs{name: want.value}).Output("y", onnx.Float32).Model(t)
		got, err := m.Graph.Nodes[0].Constant()
		if err != nil || !reflect.DeepEqual(got, want.t) {
			t.Errorf("%s: %v, %v, want %v", name, got, err, want.t)
		}
	}
	for _, attrs := range []onnxtest.Attrs{nil, {"value_float": 1}, {"value_int": 1, "value_float": 0.5}, {"other": 1}} {
		m := onnxtest.New(13).Node("Constant", "", "y", attrs).Output("y", onnx.Float32).Model(t)
		if got, err := m.Graph.Nodes[0].Constant(); err == nil {
			t.Errorf("%v: %v is taken for the value", attrs, got)
		}
	}
}

// Models of the first IR versions list their weights among the inputs.
func TestInitializersAreNotInputs(t *testing.T) {
	m := tiny().Input("w", onnx.Float32, 2, 3, 1, 1)
	m.Proto.IrVersion = 3
	if in := m.Model(t).Graph.Inputs; len(in) != 1 || in[0].Name != "x" {
		t.Errorf("inputs are %+v, want x alone", in)
	}
}

func TestOpsets(t *testing.T) {
	opset := func(domain string, v int64) *protos.OperatorSetIdProto {
		return &protos.OperatorSetIdProto{Domain: domain, Version: v}
	}
	for _, c := range []struct {
		name string
		ir   int64
		list []*protos.OperatorSetIdProto
		want int
		err  string
	}{
		{"plain", 8, []*protos.OperatorSetIdProto{opset("", 13)}, 13, ""},
		{"long name", 8, []*protos.OperatorSetIdProto{opset("ai.onnx", 24)}, 24, ""},
		{"both names", 8, []*protos.OperatorSetIdProto{opset("", 9), opset("ai.onnx", 9)}, 9, ""},
		{"other domains", 8, []*protos.OperatorSetIdProto{opset("ai.onnx.ml", 3), opset("", 7)}, 7, ""},
		{"before opsets", 1, nil, 1, ""},
		{"none", 8, nil, 0, "does not say which version"},
		{"only others", 8, []*protos.OperatorSetIdProto{opset("ai.onnx.ml", 3)}, 0, "does not say which version"},
		{"two versions", 8, []*protos.OperatorSetIdProto{opset("", 9), opset("", 10)}, 0, "two versions, 9 and 10"},
		{"newer", 8, []*protos.OperatorSetIdProto{opset("", 25)}, 0, "opset 25 is not supported (versions up to 24 are)"},
		{"zero", 8, []*protos.OperatorSetIdProto{opset("", 0)}, 0, "version 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := tiny()
			b.Proto.OpsetImport, b.Proto.IrVersion = c.list, c.ir
			m, err := onnx.Decode(b.Bytes(), "")
			switch {
			case c.err != "":
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("the error is %v, want one with %q", err, c.err)
				}
			case err != nil:
				t.Error(err)
			case m.Opset != c.want || m.Domains[""] != c.want:
				t.Errorf("opset %d, domains %v, want %d", m.Opset, m.Domains, c.want)
			}
		})
	}
}

// A model all of whose nodes are of other domains need not name ONNX's own set.
func TestOtherDomainsOnly(t *testing.T) {
	b := onnxtest.New(1).Input("x", onnx.Float32, 1).Node("com.example::Blend", "x", "y", nil).Output("y", onnx.Float32, 1)
	b.Proto.OpsetImport[0].Domain = "com.example"
	m := b.Model(t)
	if m.Opset != 0 || m.Domains["com.example"] != 1 || m.Graph.Nodes[0].Domain != "com.example" {
		t.Errorf("opset %d, domains %v, node of %q", m.Opset, m.Domains, m.Graph.Nodes[0].Domain)
	}
}

// What the graph's declarations say of values that are no tensors of ours.
func TestValueTypes(t *testing.T) {
	b := tiny()
	add := func(name string, p *protos.TypeProto) {
		b.Proto.Graph.Input = append(b.Proto.Graph.Input, &protos.ValueInfoProto{Name: name, Type: p})
	}
	tensor := func(code int32) *protos.TypeProto {
		return &protos.TypeProto{Value: &protos.TypeProto_TensorType{TensorType: &protos.TypeProto_Tensor{ElemType: code}}}
	}
	add("complex64", tensor(14))
	add("float8e5m2", tensor(19))
	add("sequence", &protos.TypeProto{Value: &protos.TypeProto_SequenceType{}})
	add("optional", &protos.TypeProto{Value: &protos.TypeProto_OptionalType{}})
	add("map", &protos.TypeProto{Value: &protos.TypeProto_MapType{}})
	add("sparse tensor", &protos.TypeProto{Value: &protos.TypeProto_SparseTensorType{}})
	add("", nil)
	b.Proto.Graph.Input[len(b.Proto.Graph.Input)-1].Name = "untyped"
	for _, v := range b.Model(t).Graph.Inputs[1:] {
		want := v.Name
		if want == "untyped" {
			want = ""
		}
		if v.DType != onnx.Undefined || v.Type != want || v.HasShape {
			t.Errorf("input %q is %+v", v.Name, v)
		}
	}
	half := tensor(10)
	half.GetTensorType().Shape = &protos.TensorShapeProto{Dim: []*protos.TensorShapeProto_Dimension{
		{}, {Value: &protos.TensorShapeProto_Dimension_DimValue{DimValue: -1}}, {Value: &protos.TensorShapeProto_Dimension_DimValue{DimValue: 0}},
	}}
	b = tiny()
	add("half", half)
	v := b.Model(t).Graph.Inputs[1]
	if v.DType != onnx.Float16 || !reflect.DeepEqual(v.Dims, []onnx.Dim{{Size: -1}, {Size: -1}, {Size: 0}}) {
		t.Errorf("input %+v", v)
	}
}

func TestBadGraphs(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(m *onnxtest.Model)
		want  string
	}{
		{"dangling input", func(m *onnxtest.Model) { m.Node("Relu", "nowhere", "r", nil) }, `Relu node that makes "r" uses "nowhere", which nothing defines`},
		{"dangling output", func(m *onnxtest.Model) { m.Output("nowhere", onnx.Float32) }, `output "nowhere" is not computed`},
		{"nameless output", func(m *onnxtest.Model) { m.Output("", onnx.Float32) }, `output "" is not computed`},
		{"no outputs", func(m *onnxtest.Model) { m.Proto.Graph.Output = nil }, "no outputs"},
		{"two makers", func(m *onnxtest.Model) { m.Node("Relu", "x", "y", nil) }, `value "y" is defined twice: as Conv node that makes "y" and by Relu`},
		{"output twice in a node", func(m *onnxtest.Model) { m.Node("Split", "x", "a a", nil) }, `value "a" is defined twice`},
		{"makes an input", func(m *onnxtest.Model) { m.Node("Relu", "y", "x", nil) }, `value "x" is defined twice: as an input`},
		{"makes an initializer", func(m *onnxtest.Model) { m.Node("Relu", "y", "w", nil) }, `value "w" is defined twice: as an initializer`},
		{"input twice", func(m *onnxtest.Model) { m.Input("x", onnx.Float32, 1) }, `input "x" is declared twice`},
		{"initializer twice", func(m *onnxtest.Model) { m.Init("w", onnx.Scalar[float32](1)) }, `initializer "w" is defined twice`},
		{"nameless input", func(m *onnxtest.Model) { m.Input("", onnx.Float32, 1) }, "input number 1 has no name"},
		{"nameless initializer", func(m *onnxtest.Model) { m.Init("", onnx.Scalar[float32](1)) }, "initializer number 1 has no name"},
		{"no operator", func(m *onnxtest.Model) { m.Node("", "x", "a", nil) }, "node number 2 has no operator"},
		{"cycle", func(m *onnxtest.Model) {
			m.Node("Relu", "y", "ok", nil).Node("Neg", "d", "after", nil)
			m.Node("Add", "x d", "c", nil).Node("Abs", "c", "d", nil)
		}, "cycle: A"},
		{"own output", func(m *onnxtest.Model) { m.Node("Add", "x c", "c", nil) }, `cycle: Add node that makes "c"`},
		{"huge dimension", func(m *onnxtest.Model) { m.Input("v", onnx.Float32, 1<<40) }, `input "v": dimension 0 has size`},
		{"attribute twice", func(m *onnxtest.Model) {
			n := m.Proto.Graph.Node[1]
			n.Attribute = append(n.Attribute, n.Attribute[0])
		}, `attribute "alpha" is given twice`},
		{"attribute without a kind", func(m *onnxtest.Model) {
			n := m.Proto.Graph.Node[1]
			n.Attribute = append(n.Attribute, &protos.AttributeProto{Name: "a"})
		}, `LeakyRelu node that makes "z": attribute "a": it does not say`},
		{"attribute without its tensor", func(m *onnxtest.Model) {
			n := m.Proto.Graph.Node[1]
			n.Attribute = append(n.Attribute, &protos.AttributeProto{Name: "a", Type: protos.AttributeProto_TENSOR})
		}, "should hold a tensor"},
		{"reference outside of a function", func(m *onnxtest.Model) {
			m.Node("Relu", "x", "r", onnxtest.Attrs{"a": onnxtest.Ref("b")})
		}, "only a function's body may"},
		{"attribute of another kind", func(m *onnxtest.Model) {
			m.Node("Conv", "x w", "r", onnxtest.Attrs{"pads": "1 1 1 1"})
		}, `Conv node that makes "r": attribute "pads": it is of the kind STRING, not INTS`},
		{"operator in colour", func(m *onnxtest.Model) { m.Node("\x1b[31mRelu", "x", "r", nil) }, `node number 2: "\x1b[31mRelu" is no operator's name`},
		{"endless operator", func(m *onnxtest.Model) { m.Node(strings.Repeat("R", 5000), "x", "r", nil) }, "node number 2: a name of 5000 bytes is longer than the limit"},
		{"endless value", func(m *onnxtest.Model) { m.Node("Relu", "x", strings.Repeat("r", 1<<20), nil) }, "node number 2: a name of 1048576 bytes"},
		{"endless input", func(m *onnxtest.Model) { m.Input(strings.Repeat("r", 5000), onnx.Float32, 1) }, "input number 1: a name of 5000 bytes"},
		{"endless output", func(m *onnxtest.Model) { m.Output(strings.Repeat("r", 5000), onnx.Float32) }, "an output: a name of 5000 bytes"},
		{"endless initializer", func(m *onnxtest.Model) { m.Init(strings.Repeat("r", 5000), onnx.Scalar[float32](1)) }, "initializer number 1: a name of 5000 bytes"},
		{"bad weights", func(m *onnxtest.Model) { m.Proto.Graph.Initializer[0].Dims[0] = 3 }, `initializer "w": the tensor has 24 bytes where 9 elements`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tiny()
			c.spoil(m)
			_, err := onnx.Decode(m.Bytes(), "")
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
			var u *onnx.UnsupportedError
			if errors.As(err, &u) {
				t.Errorf("a fault of the file is called unsupported: %v", err)
			}
		})
	}
}

// Sound files that use what the engine leaves out are told from damaged ones.
func TestUnsupported(t *testing.T) {
	for _, c := range []struct {
		name string
		use  func(m *onnxtest.Model)
		want onnx.UnsupportedError
	}{
		{"subgraph", func(m *onnxtest.Model) {
			m.Node("Loop", "x", "l", onnxtest.Attrs{"body": &protos.GraphProto{}})
		}, onnx.UnsupportedError{Kind: "operator", Name: "Loop"}},
		{"sparse constant", func(m *onnxtest.Model) {
			m.Node("Constant", "", "c", nil)
			m.Proto.Graph.Node[2].Attribute = []*protos.AttributeProto{{Name: "sparse_value", Type: protos.AttributeProto_SPARSE_TENSOR}}
		}, onnx.UnsupportedError{Kind: "type", Name: "sparse tensor"}},
		{"type attribute", func(m *onnxtest.Model) {
			m.Node("Optional", "", "c", nil)
			m.Proto.Graph.Node[2].Attribute = []*protos.AttributeProto{{Name: "type", Type: protos.AttributeProto_TYPE_PROTO}}
		}, onnx.UnsupportedError{Kind: "operator", Name: "Optional"}},
		{"sparse initializer", func(m *onnxtest.Model) {
			m.Proto.Graph.SparseInitializer = []*protos.SparseTensorProto{{}}
		}, onnx.UnsupportedError{Kind: "type", Name: "sparse tensor"}},
		{"complex weights", func(m *onnxtest.Model) {
			m.Proto.Graph.Initializer[0].DataType = 15
		}, onnx.UnsupportedError{Kind: "type", Name: "complex128"}},
		{"opset", func(m *onnxtest.Model) {
			m.Proto.OpsetImport[0].Version = 1 << 40
		}, onnx.UnsupportedError{Kind: "opset", Name: "1099511627776"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := tiny()
			c.use(m)
			_, err := onnx.Decode(m.Bytes(), "")
			var u *onnx.UnsupportedError
			if !errors.As(err, &u) || u.Kind != c.want.Kind || u.Name != c.want.Name {
				t.Errorf("the error is %v, want %s %s unsupported", err, c.want.Kind, c.want.Name)
			}
		})
	}
}

// A file cut anywhere is refused.
func TestTruncated(t *testing.T) {
	data := tiny().Bytes()
	for n := range data {
		if _, err := onnx.Decode(data[:n], ""); err == nil {
			t.Errorf("%d bytes of %d were taken for a model", n, len(data))
		}
	}
}

func TestNotONNX(t *testing.T) {
	dir := t.TempDir()
	for content, want := range map[string]string{
		"":                                   "it is empty",
		"\x89PNG\r\n\x1a\n0000":              "looks like a PNG image",
		"\xff\xd8\xff\xe0..JFIF":             "looks like a JPEG image",
		"PK\x03\x04archive/data.pkl":         "PyTorch",
		"\x89HDF\r\n\x1a\n":                  "HDF5",
		"\x1c\x00\x00\x00TFL3":               "TensorFlow Lite",
		"\x80\x02}q\x00.":                    "pickle",
		"\x02\x00\x00\x00\x00\x00\x00\x00{}": "safetensors",
		"version https://git-lfs.github.com/spec/v1\noid sha256:00\n": "git lfs pull",
		"  <!DOCTYPE html><html></html>":                              "a web page",
		"{\"layers\": []}":                                            "JSON",
		"Grüße, this is no model\n":                                   "looks like text",
		"\x07\x07\x07\x07":                                            "truncated or damaged (4 bytes)",
		"\x08\x08":                                                    "no graph",
	} {
		path := filepath.Join(dir, "model.onnx")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, err := onnx.Read(context.Background(), path)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q gives the error %v, want one with the path and %q", content, err, want)
		}
	}
	for path, want := range map[string]string{dir: "it is a folder", filepath.Join(dir, "none.onnx"): "no such file"} {
		if _, err := onnx.Read(context.Background(), path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives the error %v, want one with %q", path, err, want)
		}
	}
}

// symlink makes a symbolic link and tells whether the system lets us.
func symlink(t *testing.T, to, from string) bool {
	t.Helper()
	if err := os.Symlink(to, from); err != nil {
		t.Log(err)
		return false
	}
	return true
}
