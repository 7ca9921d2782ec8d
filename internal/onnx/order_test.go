package onnx_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// wellOrdered tells the first value that is used before it is defined.
func wellOrdered(g *onnx.Graph) error {
	known := map[string]bool{"": true}
	for name := range g.Initializers {
		known[name] = true
	}
	for _, v := range g.Inputs {
		known[v.Name] = true
	}
	for _, n := range g.Nodes {
		for _, in := range n.Inputs {
			if !known[in] {
				return fmt.Errorf("%s uses %q before it is defined", n, in)
			}
		}
		for _, out := range n.Outputs {
			known[out] = true
		}
	}
	for _, v := range g.Outputs {
		if !known[v.Name] {
			return fmt.Errorf("output %q is not defined", v.Name)
		}
	}
	return nil
}

// Nodes of an acyclic graph are sorted whatever order the file has; one that is
// in order already stays as it is.
func TestOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(rt, "nodes")
		type node struct{ in, out string }
		nodes := make([]node, n)
		for i := range nodes {
			in := "x"
			if i > 0 {
				in = fmt.Sprintf("v%d v%d", rapid.IntRange(0, i-1).Draw(rt, "in"), rapid.IntRange(0, i-1).Draw(rt, "in"))
			}
			nodes[i] = node{in, fmt.Sprintf("v%d", i)}
		}
		shuffled := rapid.Permutation(nodes).Draw(rt, "order")
		m := onnxtest.New(13).Input("x", onnx.Float32, 1).Output("v0", onnx.Float32, 1)
		for _, n := range shuffled {
			m.Node("Sum", n.in, n.out, nil)
		}
		got, err := onnx.Decode(m.Bytes(), "")
		if err != nil {
			rt.Fatal(err)
		}
		if err := wellOrdered(got.Graph); err != nil {
			rt.Fatal(err)
		}
		var index []int
		for _, n := range got.Graph.Nodes {
			index = append(index, n.Index)
		}
		if slices.Equal(shuffled, nodes) && !slices.IsSorted(index) {
			rt.Fatalf("nodes in order were moved: %v", index)
		}
		slices.Sort(index)
		for i, j := range index {
			if i != j {
				rt.Fatalf("nodes are lost or doubled: %v", index)
			}
		}
	})
}
