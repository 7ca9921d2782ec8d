package onnx

import "fmt"

// Model is a decoded ONNX file.
type Model struct {
	IRVersion int
	Producer  string
	Opset     int            // version of the default operator set ("" or "ai.onnx"), 0 if no node uses it
	Domains   map[string]int // version of every operator set, the default one under ""
	Graph     *Graph
}

// Graph is the computation: nodes in an order that respects their inputs.
type Graph struct {
	Name         string
	Inputs       []ValueInfo // declared inputs that are not initializers
	Outputs      []ValueInfo
	Initializers map[string]*Tensor
	Nodes        []*Node
}

// ValueInfo declares a graph input or output. The DType of what is not a tensor
// of one of our types is Undefined; Type then names it ("sequence",
// "complex64"), unless the file gives no type at all.
type ValueInfo struct {
	Name     string
	DType    DType
	Type     string
	HasShape bool
	Dims     []Dim
}

// Dim is one declared dimension: a size, or unknown (Size -1), maybe with the
// name that the exporter gave it.
type Dim struct {
	Size  int
	Param string
}

// Node is one operator application. An empty input name is an absent optional
// input; an empty output name an output nobody wants.
type Node struct {
	Index   int // place in the file, for messages about nodes without a name
	Name    string
	Op      string
	Domain  string
	Inputs  []string
	Outputs []string
	Attrs   map[string]Attr
}

// String names the node for people: its operator and its name, first output or
// place.
func (n *Node) String() string {
	switch {
	case n.Name != "":
		return fmt.Sprintf("%s node %q", n.Op, n.Name)
	case len(n.Outputs) > 0 && n.Outputs[0] != "":
		return fmt.Sprintf("%s node that makes %q", n.Op, n.Outputs[0])
	}
	return fmt.Sprintf("%s node number %d", n.Op, n.Index)
}

// Attr is an attribute's value: int64, float32, string, *Tensor, *Graph,
// []int64, []float32 or []string.
type Attr struct{ Value any }

// Has tells whether the node carries the attribute.
func (n *Node) Has(name string) bool { _, ok := n.Attrs[name]; return ok }

// Int reads an integer attribute, def where it is absent or of another kind.
func (n *Node) Int(name string, def int) int { return int(attr(n, name, int64(def))) }

// Float reads a float attribute.
func (n *Node) Float(name string, def float32) float32 { return attr(n, name, def) }

// Str reads a string attribute.
func (n *Node) Str(name, def string) string { return attr(n, name, def) }

// Tensor reads a tensor attribute, nil where it is absent.
func (n *Node) Tensor(name string) *Tensor { return attr[*Tensor](n, name, nil) }

// Ints reads a list of integers, nil where it is absent.
func (n *Node) Ints(name string) []int {
	v := attr[[]int64](n, name, nil)
	if v == nil {
		return nil
	}
	out := make([]int, len(v))
	for i, x := range v {
		out[i] = int(x)
	}
	return out
}

// Floats reads a list of floats, nil where it is absent.
func (n *Node) Floats(name string) []float32 { return attr[[]float32](n, name, nil) }

func attr[T any](n *Node, name string, def T) T {
	if a, ok := n.Attrs[name]; ok {
		if v, ok := a.Value.(T); ok {
			return v
		}
	}
	return def
}
