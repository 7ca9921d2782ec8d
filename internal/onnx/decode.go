package onnx

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"

	"github.com/gomlx/compute-onnx/support/protos"
	"google.golang.org/protobuf/proto"
)

// The versions of the default operator set that Decode accepts. Which operators
// and which of their versions can be run is not decided here. Versions 22 to 24
// bring element types and new operators, but give no operator of ours another
// meaning.
const (
	MinOpset = 1
	MaxOpset = 24
)

// maxFile is what a protobuf message can hold at most; larger models keep their
// weights in external files.
const maxFile = 2 << 30

// Read reads the .onnx file at path; external weights are looked for in its
// folder. Errors name the file and, where it is not ONNX, what it seems to be.
func Read(path string) (*Model, error) {
	p := &protos.ModelProto{}
	if err := readMessage(path, p, "an ONNX model"); err != nil {
		return nil, fmt.Errorf("model %q: %w", path, err)
	}
	m, err := fromProto(p, filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", path, err)
	}
	return m, nil
}

// Decode decodes the content of an .onnx file. External weights are looked for
// in the folder dir and nowhere else; with dir "" they are refused. What is
// sound ONNX but left out of the engine is an *UnsupportedError.
func Decode(data []byte, dir string) (*Model, error) {
	p := &protos.ModelProto{}
	if err := unmarshal(data, p, "an ONNX model"); err != nil {
		return nil, err
	}
	return fromProto(p, dir)
}

// ReadTensor reads a TensorProto file (.pb).
func ReadTensor(path string) (*Tensor, error) {
	p := &protos.TensorProto{}
	if err := readMessage(path, p, "an ONNX tensor"); err != nil {
		return nil, fmt.Errorf("tensor file %q: %w", path, err)
	}
	t, err := tensorFromProto(p)
	if err != nil {
		return nil, fmt.Errorf("tensor file %q: %w", path, err)
	}
	return t, nil
}

// DecodeTensor decodes the content of a TensorProto file (.pb).
func DecodeTensor(data []byte) (*Tensor, error) {
	p := &protos.TensorProto{}
	if err := unmarshal(data, p, "an ONNX tensor"); err != nil {
		return nil, err
	}
	return tensorFromProto(p)
}

func tensorFromProto(p *protos.TensorProto) (*Tensor, error) {
	d := &decoder{}
	return d.tensor(p)
}

// readMessage reads a file into a protobuf message. The file's bytes are
// garbage when it returns.
func readMessage(path string, into proto.Message, what string) error {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return bare(err)
	case info.IsDir():
		return errors.New("it is a folder, not a file")
	case !info.Mode().IsRegular():
		return errors.New("it is not a regular file")
	case info.Size() > maxFile:
		return fmt.Errorf("%d bytes are more than the 2 GiB that %s can have", info.Size(), what)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return bare(err)
	}
	if err := unmarshal(data, into, what); err != nil {
		return err
	}
	if len(data) > 64<<20 {
		// The weights are about to be converted, one more copy: let go of the
		// file first, or the peak is three times its size.
		data = nil
		runtime.GC()
	}
	return nil
}

// bare takes the path out of a file error whose caller names it.
func bare(err error) error {
	var pe *os.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

func unmarshal(data []byte, into proto.Message, what string) error {
	if len(data) == 0 {
		return fmt.Errorf("not %s: it is empty", what)
	}
	err := proto.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(data, into)
	if m, ok := into.(*protos.ModelProto); err == nil && ok && m.Graph == nil {
		err = errors.New("it holds no graph")
	}
	if err == nil {
		return nil
	}
	if kind := sniff(data); kind != "" {
		return fmt.Errorf("not %s: it looks like %s", what, kind)
	}
	return fmt.Errorf("not %s, or truncated or damaged (%d bytes): %w", what, len(data), err)
}

// decoder turns one file's messages into plain values.
type decoder struct {
	files     externalFiles
	functions map[functionKey]*protos.FunctionProto
	attrs     map[*protos.AttributeProto]Attr // decoded, for function bodies used twice
	active    []functionKey                   // functions being inlined, outermost first
	calls     int                             // functions inlined so far
	nodes     []*Node
}

func fromProto(p *protos.ModelProto, dir string) (*Model, error) {
	m := &Model{IRVersion: int(p.IrVersion), Producer: p.ProducerName}
	if p.ProducerVersion != "" {
		m.Producer += " " + p.ProducerVersion
	}
	if err := m.opsets(p); err != nil {
		return nil, err
	}
	d := &decoder{files: externalFiles{dir: dir}, attrs: map[*protos.AttributeProto]Attr{}}
	defer d.files.close()
	if err := d.declareFunctions(p.Functions); err != nil {
		return nil, err
	}
	var err error
	m.Graph, err = d.graph(p.Graph)
	if err != nil {
		return nil, err
	}
	for _, n := range m.Graph.Nodes {
		if n.Domain == "" && m.Opset == 0 {
			return nil, fmt.Errorf("the model does not say which version of ONNX's operator set it uses, and has a %s", n)
		}
	}
	return m, nil
}

// opsets records the operator sets of the model.
func (m *Model) opsets(p *protos.ModelProto) error {
	m.Domains = map[string]int{}
	for _, o := range p.OpsetImport {
		domain := canonicalDomain(o.Domain)
		v := int(o.Version)
		if old, ok := m.Domains[domain]; ok && old != v {
			return fmt.Errorf("the model names two versions, %d and %d, of operator set %q", old, v, o.Domain)
		}
		m.Domains[domain] = v
	}
	v, ok := m.Domains[""]
	if !ok && p.IrVersion < 3 {
		v, ok = 1, true // there was only one then
		m.Domains[""] = v
	}
	switch {
	case !ok:
		return nil // no matter, unless a node needs it
	case v < MinOpset:
		return fmt.Errorf("the model claims version %d of ONNX's operator set", v)
	case v > MaxOpset:
		return &UnsupportedError{"opset", strconv.Itoa(v), fmt.Sprintf("versions up to %d are", MaxOpset)}
	}
	m.Opset = v
	return nil
}

// canonicalDomain gives the default domain its short name.
func canonicalDomain(domain string) string {
	if domain == "ai.onnx" {
		return ""
	}
	return domain
}

// graph decodes the main graph and checks the invariants of the package.
func (d *decoder) graph(p *protos.GraphProto) (*Graph, error) {
	g := &Graph{Name: p.Name, Initializers: make(map[string]*Tensor, len(p.Initializer))}
	if len(p.SparseInitializer) > 0 {
		return nil, &UnsupportedError{"type", "sparse tensor", "used for an initializer"}
	}
	for i, t := range p.Initializer {
		if t.GetName() == "" {
			return nil, fmt.Errorf("initializer number %d has no name", i)
		}
		if _, ok := g.Initializers[t.Name]; ok {
			return nil, fmt.Errorf("initializer %q is defined twice", t.Name)
		}
		x, err := d.tensor(t)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", t.Name, err)
		}
		g.Initializers[t.Name] = x
	}
	known := make(map[string]string, len(g.Initializers)+len(p.Input))
	for name := range g.Initializers {
		known[name] = "an initializer"
	}
	for i, v := range p.Input {
		if v.GetName() == "" {
			return nil, fmt.Errorf("input number %d has no name", i)
		}
		switch known[v.Name] {
		case "an initializer": // a default value: before IR 4 every weight was listed so
			continue
		case "an input":
			return nil, fmt.Errorf("input %q is declared twice", v.Name)
		}
		known[v.Name] = "an input"
		info, err := valueInfo(v)
		if err != nil {
			return nil, fmt.Errorf("input %q: %w", v.Name, err)
		}
		g.Inputs = append(g.Inputs, info)
	}
	if err := d.appendNodes(p.Node, nil); err != nil {
		return nil, err
	}
	var err error
	if g.Nodes, err = order(d.nodes, known); err != nil {
		return nil, err
	}
	if len(p.Output) == 0 {
		return nil, errors.New("the graph has no outputs")
	}
	for _, v := range p.Output {
		if known[v.GetName()] == "" { // order added what the nodes define
			return nil, fmt.Errorf("output %q is not computed by any node", v.GetName())
		}
		info, err := valueInfo(v)
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", v.Name, err)
		}
		g.Outputs = append(g.Outputs, info)
	}
	return g, nil
}

// valueInfo decodes a declared input or output.
func valueInfo(p *protos.ValueInfoProto) (ValueInfo, error) {
	v := ValueInfo{Name: p.Name}
	var tensor *protos.TypeProto_Tensor
	switch t := p.GetType().GetValue().(type) {
	case *protos.TypeProto_TensorType:
		tensor = t.TensorType
	case *protos.TypeProto_SequenceType:
		v.Type = "sequence"
	case *protos.TypeProto_MapType:
		v.Type = "map"
	case *protos.TypeProto_OptionalType:
		v.Type = "optional"
	case *protos.TypeProto_SparseTensorType:
		v.Type = "sparse tensor"
	case *protos.TypeProto_OpaqueType:
		v.Type = "opaque"
	}
	if tensor == nil {
		return v, nil
	}
	if code := int(tensor.ElemType); code != 0 {
		d, err := DTypeOf(code)
		if err != nil {
			v.Type = codeName(code)
		}
		v.DType = d
	}
	if tensor.Shape == nil {
		return v, nil
	}
	v.HasShape = true
	v.Dims = make([]Dim, len(tensor.Shape.Dim))
	for i, p := range tensor.Shape.Dim {
		dim := Dim{Size: -1, Param: p.GetDimParam()}
		if _, ok := p.GetValue().(*protos.TensorShapeProto_Dimension_DimValue); ok {
			if p.GetDimValue() > MaxElements {
				return v, fmt.Errorf("dimension %d has size %d", i, p.GetDimValue())
			}
			// Some exporters write -1 for a size that is not known.
			dim.Size = max(-1, int(p.GetDimValue()))
		}
		v.Dims[i] = dim
	}
	return v, nil
}
