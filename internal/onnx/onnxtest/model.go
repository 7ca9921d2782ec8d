package onnxtest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"

	"occlude/internal/onnx"
)

// Open is the size of a dimension that the model leaves open.
const Open = -1

// Model is an ONNX file under construction.
type Model struct {
	Proto *protos.ModelProto
	enc   encoding
}

// Attrs are a node's attributes. Values are int, int64, float32, float64,
// string, lists of those, or *onnx.Tensor; int and float64 are written as ONNX's
// int64 and float32.
type Attrs map[string]any

// New starts a model with the given version of the default operator set.
func New(opset int) *Model {
	return &Model{Proto: &protos.ModelProto{
		IrVersion:    8,
		ProducerName: "onnxtest",
		OpsetImport:  []*protos.OperatorSetIdProto{{Version: int64(opset)}},
		Graph:        &protos.GraphProto{Name: "test"},
	}}
}

// Typed writes the tensors that follow into the typed fields (float_data,
// int32_data and so on) instead of raw bytes.
func (m *Model) Typed() *Model {
	m.enc = encoding{typed: true}
	return m
}

// External writes the tensors that follow into a file of the given name beside
// the model; WriteExternal or File writes it.
func (m *Model) External(name string) *Model {
	m.enc = encoding{external: &externalFile{name: name}}
	return m
}

// Input declares a graph input; a dimension may be Open.
func (m *Model) Input(name string, d onnx.DType, dims ...int) *Model {
	m.Proto.Graph.Input = append(m.Proto.Graph.Input, valueInfo(name, d, dims))
	return m
}

// Output declares a graph output.
func (m *Model) Output(name string, d onnx.DType, dims ...int) *Model {
	m.Proto.Graph.Output = append(m.Proto.Graph.Output, valueInfo(name, d, dims))
	return m
}

// Init adds an initializer.
func (m *Model) Init(name string, t *onnx.Tensor) *Model {
	p := m.enc.tensor(t)
	p.Name = name
	m.Proto.Graph.Initializer = append(m.Proto.Graph.Initializer, p)
	return m
}

// Node adds an operator. The names of its inputs and outputs are separated by
// spaces; "-" is an absent one. An operator of another domain is written
// "domain::Op".
func (m *Model) Node(op, inputs, outputs string, attrs Attrs) *Model {
	m.Proto.Graph.Node = append(m.Proto.Graph.Node, m.node(op, inputs, outputs, attrs))
	return m
}

func (m *Model) node(op, inputs, outputs string, attrs Attrs) *protos.NodeProto {
	n := &protos.NodeProto{OpType: op, Input: names(inputs), Output: names(outputs)}
	if domain, op, ok := strings.Cut(op, "::"); ok {
		n.Domain, n.OpType = domain, op
	}
	keys := make([]string, 0, len(attrs))
	for k := range attrs {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		n.Attribute = append(n.Attribute, m.enc.attribute(k, attrs[k]))
	}
	return n
}

// Function adds a model-local function; the body is built with Node on the
// model that build is given. An attribute of a body node refers to an attribute
// of the call when its value is a Ref.
func (m *Model) Function(domain, name, inputs, outputs string, attrs []string, build func(body *Model)) *Model {
	body := New(int(m.Proto.OpsetImport[0].Version))
	build(body)
	m.Proto.Functions = append(m.Proto.Functions, &protos.FunctionProto{
		Domain: domain, Name: name, Input: names(inputs), Output: names(outputs),
		Attribute: attrs, Node: body.Proto.Graph.Node, OpsetImport: m.Proto.OpsetImport,
	})
	return m
}

// Ref is an attribute value taken from the attribute of that name of the
// function's call.
type Ref string

// Bytes is the content of the .onnx file.
func (m *Model) Bytes() []byte { return marshal(m.Proto) }

// Model decodes what was built.
func (m *Model) Model(t testing.TB) *onnx.Model {
	t.Helper()
	dir := t.TempDir()
	m.WriteExternal(t, dir)
	model, err := onnx.Decode(m.Bytes(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

// File writes the model, and its external tensors if it has any, and returns
// the path of the .onnx file.
func (m *Model) File(t testing.TB, dir, name string) string {
	t.Helper()
	m.WriteExternal(t, dir)
	return write(t, dir, name, m.Bytes())
}

// WriteExternal writes the file that External named.
func (m *Model) WriteExternal(t testing.TB, dir string) {
	t.Helper()
	if f := m.enc.external; f != nil {
		write(t, dir, f.name, f.data)
	}
}

// TensorBytes is the content of a TensorProto file (.pb).
func TensorBytes(t *onnx.Tensor) []byte {
	p := encoding{}.tensor(t)
	p.Name = t.Name
	return marshal(p)
}

// TensorFile writes a TensorProto file and returns its path.
func TensorFile(t testing.TB, dir, name string, x *onnx.Tensor) string {
	t.Helper()
	return write(t, dir, name, TensorBytes(x))
}

func write(t testing.TB, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func marshal(m proto.Message) []byte {
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		panic(fmt.Sprintf("onnxtest: %v", err))
	}
	return data
}

func names(list string) []string {
	fields := strings.Fields(list)
	for i := range fields {
		if fields[i] == "-" {
			fields[i] = ""
		}
	}
	return slices.Clip(fields)
}

func valueInfo(name string, d onnx.DType, dims []int) *protos.ValueInfoProto {
	shape := &protos.TensorShapeProto{}
	for i, size := range dims {
		dim := &protos.TensorShapeProto_Dimension{Value: &protos.TensorShapeProto_Dimension_DimValue{DimValue: int64(size)}}
		if size == Open {
			dim.Value = &protos.TensorShapeProto_Dimension_DimParam{DimParam: fmt.Sprintf("%s_%d", name, i)}
		}
		shape.Dim = append(shape.Dim, dim)
	}
	return &protos.ValueInfoProto{Name: name, Type: &protos.TypeProto{Value: &protos.TypeProto_TensorType{
		TensorType: &protos.TypeProto_Tensor{ElemType: int32(d.Code()), Shape: shape},
	}}}
}
