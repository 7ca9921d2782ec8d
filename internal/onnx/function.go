package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gomlx/compute-onnx/support/protos"
)

// Model-local functions are inlined: a node that calls one is replaced by the
// nodes of its body, with the formal names of inputs and outputs replaced by
// the caller's, all other values renamed apart, and attribute references
// replaced by the caller's attributes. A function may call others but not
// itself. Its own opset_import is not consulted: ONNX demands that the
// operators of a body mean the same in the model's version.

// functionKey identifies a function as a node calls it.
type functionKey struct{ domain, name, overload string }

func (k functionKey) String() string {
	s := k.name
	if k.domain != "" {
		s = k.domain + "::" + s
	}
	if k.overload != "" {
		s += ":" + k.overload
	}
	return s
}

// maxCalls bounds the nesting of functions and, squared, their number.
const maxCalls = 1 << 9

// maxInlined bounds what the names of inlined nodes take in memory, in bytes: a body
// that is called a thousand times stands for a thousand copies of it.
const maxInlined = 1 << 28

// inlines counts names that are bound or copied for a call.
func (d *decoder) inlines(names []string) error {
	for _, name := range names {
		d.inlined += 64 + len(name)
	}
	if d.inlined > maxInlined {
		return errors.New("too many names in calls of functions")
	}
	return nil
}

// scope binds the names of a function's body for one call. The nil scope is
// that of the main graph, where names mean themselves.
type scope struct {
	call   *Node
	prefix string
	names  map[string]string // formal inputs and outputs
	attrs  map[string]*protos.AttributeProto
}

func (s *scope) value(name string) string {
	if s == nil || name == "" {
		return name
	}
	if actual, ok := s.names[name]; ok {
		return actual
	}
	return s.prefix + name
}

func (s *scope) values(names []string) []string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = s.value(name)
	}
	return out
}

func (d *decoder) declareFunctions(list []*protos.FunctionProto) error {
	d.functions = make(map[functionKey]*protos.FunctionProto, len(list))
	for _, f := range list {
		k := functionKey{canonicalDomain(f.GetDomain()), f.GetName(), f.GetOverload()}
		if _, ok := d.functions[k]; ok {
			return fmt.Errorf("function %s is defined twice", k)
		}
		d.functions[k] = f
	}
	return nil
}

// inline appends the body of f for the call, which stands in the scope outer.
func (d *decoder) inline(call *Node, p *protos.NodeProto, f *protos.FunctionProto, outer *scope) error {
	k := functionKey{call.Domain, call.Op, p.GetOverload()}
	switch {
	case slices.Contains(d.active, k):
		return fmt.Errorf("function %s calls itself", k)
	case len(d.active) >= maxCalls || d.calls >= maxCalls*maxCalls:
		return fmt.Errorf("function %s: too many calls of functions", k)
	case len(call.Inputs) > len(f.Input) || len(call.Outputs) > len(f.Output):
		return fmt.Errorf("%s has %d inputs and %d outputs, its function %d and %d",
			call, len(call.Inputs), len(call.Outputs), len(f.Input), len(f.Output))
	}
	d.calls++
	if err := d.inlines(append(f.Input[:len(f.Input):len(f.Input)], f.Output...)); err != nil {
		return fmt.Errorf("function %s: %w", k, err)
	}
	s := &scope{
		call:   call,
		prefix: strings.Join([]string{k.name, strconv.Itoa(d.calls), ""}, "/"),
		names:  make(map[string]string, len(f.Input)+len(f.Output)),
		attrs:  make(map[string]*protos.AttributeProto, len(p.Attribute)),
	}
	for i, formal := range f.Input {
		s.names[formal] = ""
		if i < len(call.Inputs) {
			s.names[formal] = call.Inputs[i]
		}
	}
	for i, formal := range f.Output {
		if i >= len(call.Outputs) || call.Outputs[i] == "" {
			continue // nobody wants it: an inner value like any other
		}
		if in, ok := s.names[formal]; ok {
			// The output is an input (or another output) of the function.
			d.nodes = append(d.nodes, &Node{
				Index: call.Index, Name: s.prefix + formal, Op: "Identity",
				Inputs: []string{in}, Outputs: []string{call.Outputs[i]},
			})
			continue
		}
		s.names[formal] = call.Outputs[i]
	}
	for _, a := range f.AttributeProto {
		s.attrs[a.GetName()] = a
	}
	for _, a := range p.Attribute {
		name := a.GetName()
		if ref := a.GetRefAttrName(); ref != "" {
			if outer == nil {
				return fmt.Errorf("%s: attribute %q refers to %q, which only a function's body may", call, name, ref)
			}
			if a = outer.attrs[ref]; a == nil {
				continue
			}
		}
		s.attrs[name] = a
	}
	d.active = append(d.active, k)
	defer func() { d.active = d.active[:len(d.active)-1] }()
	return d.appendNodes(f.Node, s)
}
