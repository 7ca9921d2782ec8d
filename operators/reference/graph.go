package reference

import (
	"context"
	"fmt"

	"occlude/internal/onnx"
)

// MaxLive bounds the elements of all values at one time in RunGraph, weights
// included: 2^30, several times what the largest classifiers need.
const MaxLive = 1 << 30

// RunGraph evaluates a model on inputs by name and gives all its outputs by
// name. Inputs may replace initializers, which old models also list as inputs.
//
// Only nodes that an output depends on are evaluated, each as late as its first
// reader allows, and a value is dropped after its last reader, so that models
// whose weights are made by nodes need little more memory than their largest
// layers. Errors are Eval's.
func RunGraph(ctx context.Context, m *onnx.Model, inputs map[string]*onnx.Tensor) (map[string]*onnx.Tensor, error) {
	g := m.Graph
	for _, in := range g.Inputs {
		t := inputs[in.Name]
		if t == nil {
			return nil, fmt.Errorf("graph input %q is missing", in.Name)
		}
		if in.DType != onnx.Undefined && t.DType != in.DType {
			return nil, fmt.Errorf("graph input %q is %s, declared as %s", in.Name, t.DType, in.DType)
		}
	}
	values := make(map[string]*onnx.Tensor, len(g.Initializers)+len(inputs))
	for name, t := range g.Initializers {
		values[name] = t
	}
	for name, t := range inputs {
		if t != nil {
			values[name] = t
		}
	}
	order := demandOrder(g, values)
	readers := map[string]int{}
	for _, n := range order {
		for _, name := range n.Inputs {
			readers[name]++
		}
	}
	for _, o := range g.Outputs {
		readers[o.Name]++
	}
	live := 0
	for _, t := range values {
		live += t.Len()
	}
	for _, n := range order {
		change, err := evalInto(ctx, n, m.Opset, values, readers)
		if err != nil {
			return nil, err
		}
		if live += change; live > MaxLive {
			return nil, fmt.Errorf("%s: its result is too large beside the others that are still needed (limit %d elements)", n, MaxLive)
		}
	}
	out := make(map[string]*onnx.Tensor, len(g.Outputs))
	for _, o := range g.Outputs {
		t := values[o.Name]
		if t == nil {
			return nil, fmt.Errorf("nothing makes graph output %q", o.Name)
		}
		out[o.Name] = t
	}
	return out, nil
}

// evalInto evaluates a node on the values at hand, keeps those of its outputs
// that have readers, and forgets the inputs that it was the last to read. The
// result is by how many elements the values have grown.
func evalInto(ctx context.Context, n *onnx.Node, opset int, values map[string]*onnx.Tensor, readers map[string]int) (grown int, err error) {
	in := make([]*onnx.Tensor, len(n.Inputs))
	for i, name := range n.Inputs {
		if name == "" {
			continue
		}
		if in[i] = values[name]; in[i] == nil {
			return 0, fmt.Errorf("%s: nothing makes its input %q", n, name)
		}
	}
	out, err := Eval(ctx, n, opset, in)
	if err != nil {
		return 0, err
	}
	for i, name := range n.Inputs {
		if readers[name]--; readers[name] == 0 && in[i] != nil {
			grown -= in[i].Len()
			delete(values, name)
		}
	}
	for i, name := range n.Outputs {
		if name == "" || readers[name] == 0 {
			continue
		}
		if i >= len(out) || out[i] == nil {
			return 0, fmt.Errorf("%s: it has no output %d", n, i)
		}
		values[name] = out[i]
		grown += out[i].Len()
	}
	return grown, nil
}

// demandOrder lists the nodes that the graph's outputs need, each after the
// nodes it reads from and no earlier than something asks for it.
func demandOrder(g *onnx.Graph, given map[string]*onnx.Tensor) []*onnx.Node {
	maker := map[string]*onnx.Node{}
	for _, n := range g.Nodes {
		for _, name := range n.Outputs {
			if name != "" && given[name] == nil {
				maker[name] = n
			}
		}
	}
	// A node is on the stack from when it is first asked for until its inputs
	// have been: a depth-first walk without recursion, since files choose the
	// depth.
	type visit struct {
		node *onnx.Node
		next int // input to look at
	}
	var (
		order []*onnx.Node
		stack []visit
		seen  = map[*onnx.Node]bool{}
	)
	ask := func(name string) {
		if n := maker[name]; n != nil && !seen[n] {
			seen[n] = true
			stack = append(stack, visit{node: n})
		}
	}
	for _, o := range g.Outputs {
		ask(o.Name)
		for len(stack) > 0 {
			top := &stack[len(stack)-1]
			if top.next < len(top.node.Inputs) {
				top.next++
				ask(top.node.Inputs[top.next-1])
				continue
			}
			order = append(order, top.node)
			stack = stack[:len(stack)-1]
		}
	}
	return order
}
