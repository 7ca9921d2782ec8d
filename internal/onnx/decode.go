package onnx

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/gomlx/compute-onnx/support/protos"
)

// The versions of the default operator set that Decode accepts. Which operators
// and which of their versions can be run is not decided here. Versions 22 to 24
// bring element types and new operators, but give no operator of ours another
// meaning.
const (
	MinOpset = 1
	MaxOpset = 24
)

// Read reads the .onnx file at path; external weights are looked for in its
// folder. Errors name the file and, where it is not ONNX, what it seems to be.
func Read(ctx context.Context, path string) (*Model, error) {
	m, err := readFile(path, "an ONNX model", func(f source) (*Model, error) {
		f.ReaderAt = cancellable{ctx, f.ReaderAt}
		return decodeModel(f, filepath.Dir(path))
	})
	if ctx.Err() != nil {
		err = context.Cause(ctx) // whatever the reader made of it
	}
	if err != nil {
		return nil, fmt.Errorf("model %q: %w", path, err)
	}
	return m, nil
}

// Decode decodes the content of an .onnx file. External weights are looked for
// in the folder dir and nowhere else; with dir "" they are refused. What is
// sound ONNX but left out of the engine is an *UnsupportedError.
func Decode(data []byte, dir string) (*Model, error) { return decodeModel(inMemory(data), dir) }

// ReadTensor reads a TensorProto file (.pb).
func ReadTensor(path string) (*Tensor, error) {
	t, err := readFile(path, "an ONNX tensor", decodeTensor)
	if err != nil {
		return nil, fmt.Errorf("tensor file %q: %w", path, err)
	}
	return t, nil
}

// DecodeTensor decodes the content of a TensorProto file (.pb).
func DecodeTensor(data []byte) (*Tensor, error) { return decodeTensor(inMemory(data)) }

func decodeTensor(f source) (*Tensor, error) {
	p := &protos.TensorProto{}
	if err := f.unmarshal(p, "an ONNX tensor"); err != nil {
		return nil, err
	}
	d := &decoder{file: f}
	return d.tensor(p)
}

func decodeModel(f source, dir string) (*Model, error) {
	p := &protos.ModelProto{}
	if err := f.unmarshal(p, "an ONNX model"); err != nil {
		return nil, err
	}
	return fromProto(p, f, dir)
}

// decoder turns one file's messages into plain values.
type decoder struct {
	file      source // where the places in raw_data are
	files     externalFiles
	functions map[functionKey]*protos.FunctionProto
	attrs     map[*protos.AttributeProto]Attr // decoded, for function bodies used twice
	active    []functionKey                   // functions being inlined, outermost first
	calls     int                             // functions inlined so far
	inlined   int                             // bytes of names in their bodies
	nodes     []*Node
}

func fromProto(p *protos.ModelProto, f source, dir string) (*Model, error) {
	m := &Model{IRVersion: int(p.IrVersion), Producer: p.ProducerName}
	if p.ProducerVersion != "" {
		m.Producer += " " + p.ProducerVersion
	}
	if err := m.opsets(p); err != nil {
		return nil, err
	}
	d := &decoder{file: f, files: externalFiles{dir: dir}, attrs: map[*protos.AttributeProto]Attr{}}
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
		if err := checkNames(t.Name); err != nil {
			return nil, fmt.Errorf("initializer number %d: %w", i, err)
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
		if err := checkNames(v.Name); err != nil {
			return nil, fmt.Errorf("input number %d: %w", i, err)
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
		if err := checkNames(v.GetName()); err != nil {
			return nil, fmt.Errorf("an output: %w", err)
		}
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
