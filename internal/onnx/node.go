package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/gomlx/compute-onnx/support/protos"
)

// appendNodes decodes a list of nodes, of the main graph (s nil) or of the body
// of a function that is inlined with the bindings s.
func (d *decoder) appendNodes(list []*protos.NodeProto, s *scope) error {
	for i, p := range list {
		n := &Node{
			Index: i, Name: p.GetName(), Op: p.GetOpType(), Domain: canonicalDomain(p.GetDomain()),
			Inputs: s.values(p.GetInput()), Outputs: s.values(p.GetOutput()),
		}
		if s != nil {
			if err := d.inlines(append(n.Inputs[:len(n.Inputs):len(n.Inputs)], n.Outputs...)); err != nil {
				return err
			}
			d.inlined += 64 * len(p.GetAttribute())
			n.Index = s.call.Index
			if n.Name != "" {
				n.Name = s.prefix + n.Name
			}
		}
		if n.Op == "" {
			return fmt.Errorf("node number %d has no operator", i)
		}
		if err := checkNames(append(append([]string{n.Op, n.Domain, n.Name}, n.Inputs...), n.Outputs...)...); err != nil {
			return fmt.Errorf("node number %d: %w", i, err)
		}
		if strings.ContainsFunc(n.Op, func(r rune) bool { return !unicode.IsPrint(r) }) {
			return fmt.Errorf("node number %d: %q is no operator's name", i, n.Op)
		}
		if f, ok := d.functions[functionKey{n.Domain, n.Op, p.GetOverload()}]; ok {
			if err := d.inline(n, p, f, s); err != nil {
				return err
			}
			continue
		}
		if err := d.attributes(n, p.GetAttribute(), s); err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		d.nodes = append(d.nodes, n)
		if len(d.nodes) > maxNodes {
			return fmt.Errorf("the model has more than %d nodes", maxNodes)
		}
	}
	return nil
}

// maxName bounds names in bytes: messages show them. Exporters write where in a
// program a node comes from, which takes hundreds.
const maxName = 1 << 12

func checkNames(names ...string) error {
	for _, name := range names {
		if len(name) > maxName {
			return fmt.Errorf("a name of %d bytes is longer than the limit of %d", len(name), maxName)
		}
	}
	return nil
}

// maxNodes bounds what inlined functions can blow a small file up to.
const maxNodes = 1 << 18

func (d *decoder) attributes(n *Node, list []*protos.AttributeProto, s *scope) error {
	if len(list) == 0 {
		return nil
	}
	n.Attrs = make(map[string]Attr, len(list))
	for _, p := range list {
		name := p.GetName()
		if n.Has(name) {
			return fmt.Errorf("attribute %q is given twice", name)
		}
		if p.GetRefAttrName() != "" {
			if s == nil {
				return fmt.Errorf("attribute %q refers to %q, which only a function's body may", name, p.RefAttrName)
			}
			if p = s.attrs[p.RefAttrName]; p == nil {
				continue // the call leaves it out, so the operator's default holds
			}
		}
		if err := checkKind(n, name, p); err != nil {
			return fmt.Errorf("attribute %q: %w", name, err)
		}
		a, ok := d.attrs[p]
		if !ok {
			var err error
			if a, err = d.attribute(n, p); err != nil {
				return fmt.Errorf("attribute %q: %w", name, err)
			}
			d.attrs[p] = a
		}
		n.Attrs[name] = a
	}
	return nil
}

// kinds are those of the attributes that operators of the default domain have and
// whose value decides a result. What reads a node takes an attribute of another kind
// for one that is absent, so such a file would be taken for another model.
var kinds = func() map[string][]protos.AttributeProto_AttributeType {
	m := map[string][]protos.AttributeProto_AttributeType{
		"p":     {protos.AttributeProto_INT, protos.AttributeProto_FLOAT}, // LpPool had a float at first
		"to":    {protos.AttributeProto_INT, protos.AttributeProto_STRING},
		"value": {protos.AttributeProto_TENSOR, protos.AttributeProto_FLOAT}, // of Constant, and of Pad
	}
	for kind, names := range map[protos.AttributeProto_AttributeType]string{
		protos.AttributeProto_INT:    "allowzero axis batch_dims blocksize broadcast ceil_mode count_include_pad dtype end fmod group k keepdims noop_with_empty_axes num_groups num_outputs select_last_index size spatial start storage_order training_mode transA transB",
		protos.AttributeProto_INTS:   "axes dilations ends kernel_shape paddings pads perm shape split starts strides",
		protos.AttributeProto_FLOAT:  "alpha beta bias epsilon gamma lambd max min",
		protos.AttributeProto_STRING: "approximate auto_pad mode",
	} {
		for name := range strings.FieldsSeq(names) {
			m[name] = []protos.AttributeProto_AttributeType{kind}
		}
	}
	return m
}()

func checkKind(n *Node, name string, p *protos.AttributeProto) error {
	want, kind := kinds[name], kindOf(p)
	if n.Domain != "" || want == nil || kind == protos.AttributeProto_UNDEFINED || slices.Contains(want, kind) {
		return nil
	}
	return fmt.Errorf("it is of the kind %s, not %s", kind, want[0])
}

// attribute decodes one attribute of node n.
func (d *decoder) attribute(n *Node, p *protos.AttributeProto) (Attr, error) {
	kind := kindOf(p)
	switch kind {
	case protos.AttributeProto_INT:
		return Attr{p.I}, nil
	case protos.AttributeProto_FLOAT:
		return Attr{p.F}, nil
	case protos.AttributeProto_STRING:
		return Attr{string(p.S)}, nil
	case protos.AttributeProto_INTS:
		return Attr{append([]int64{}, p.Ints...)}, nil
	case protos.AttributeProto_FLOATS:
		return Attr{append([]float32{}, p.Floats...)}, nil
	case protos.AttributeProto_STRINGS:
		v := make([]string, len(p.Strings))
		for i, s := range p.Strings {
			v[i] = string(s)
		}
		return Attr{v}, nil
	case protos.AttributeProto_TENSOR:
		if p.T == nil {
			return Attr{}, errors.New("it should hold a tensor and does not")
		}
		t, err := d.tensor(p.T)
		return Attr{t}, err
	case protos.AttributeProto_SPARSE_TENSOR, protos.AttributeProto_SPARSE_TENSORS:
		return Attr{}, &UnsupportedError{"type", "sparse tensor", ""}
	case protos.AttributeProto_GRAPH, protos.AttributeProto_GRAPHS:
		return Attr{}, &UnsupportedError{"operator", n.Op, "it runs a graph inside the graph"}
	case protos.AttributeProto_TYPE_PROTO, protos.AttributeProto_TYPE_PROTOS, protos.AttributeProto_TENSORS:
		return Attr{}, &UnsupportedError{"operator", n.Op, "its attribute is a " + kind.String()}
	}
	return Attr{}, errors.New("it does not say what kind of value it holds")
}

// kindOf tells the kind of an attribute, from the field that is set where the file
// does not name it, as those of the first IR versions.
func kindOf(p *protos.AttributeProto) protos.AttributeProto_AttributeType {
	switch {
	case p.Type != protos.AttributeProto_UNDEFINED:
		return p.Type
	case p.T != nil:
		return protos.AttributeProto_TENSOR
	case p.G != nil:
		return protos.AttributeProto_GRAPH
	case len(p.Ints) > 0:
		return protos.AttributeProto_INTS
	case len(p.Floats) > 0:
		return protos.AttributeProto_FLOATS
	case len(p.Strings) > 0:
		return protos.AttributeProto_STRINGS
	case p.S != nil:
		return protos.AttributeProto_STRING
	case p.F != 0:
		return protos.AttributeProto_FLOAT
	case p.I != 0:
		return protos.AttributeProto_INT
	}
	return protos.AttributeProto_UNDEFINED
}

// Constant gives the value of a Constant node, in whichever of its forms it is
// written.
func (n *Node) Constant() (*Tensor, error) {
	var out *Tensor
	for name, a := range n.Attrs {
		var t *Tensor
		switch v := a.Value.(type) {
		case *Tensor:
			if name == "value" {
				t = v
			}
		case float32:
			if name == "value_float" {
				t = Scalar(v)
			}
		case int64:
			if name == "value_int" {
				t = Scalar(v)
			}
		case string:
			if name == "value_string" {
				t = Scalar(v)
			}
		case []float32:
			if name == "value_floats" {
				t = New([]int{len(v)}, v)
			}
		case []int64:
			if name == "value_ints" {
				t = New([]int{len(v)}, v)
			}
		case []string:
			if name == "value_strings" {
				t = New([]int{len(v)}, v)
			}
		}
		if t == nil {
			return nil, fmt.Errorf("%s: attribute %q is no constant's value", n, name)
		}
		if out != nil {
			return nil, fmt.Errorf("%s has more than one value", n)
		}
		out = t
	}
	if out == nil {
		return nil, fmt.Errorf("%s has no value", n)
	}
	return out, nil
}
