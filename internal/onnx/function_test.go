package onnx_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// describe prints the nodes of a graph, one per line.
func describe(g *onnx.Graph) string {
	var b strings.Builder
	for _, n := range g.Nodes {
		fmt.Fprintf(&b, "%s %s -> %s", n.Op, strings.Join(n.Inputs, " "), strings.Join(n.Outputs, " "))
		if n.Has("alpha") {
			fmt.Fprintf(&b, " alpha=%v", n.Attrs["alpha"].Value)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestInline(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(m *onnxtest.Model)
		want  string
	}{
		{"inner values are renamed apart", func(m *onnxtest.Model) {
			m.Function("local", "Block", "a", "b", nil, func(f *onnxtest.Model) {
				f.Node("Relu", "a", "t", nil).Node("Neg", "t", "b", nil)
			})
			m.Node("local::Block", "x", "t", nil).Node("local::Block", "t", "y", nil)
		}, "Relu x -> Block/1/t\nNeg Block/1/t -> t\nRelu t -> Block/2/t\nNeg Block/2/t -> y\n"},
		{"attributes", func(m *onnxtest.Model) {
			m.Function("local", "Leak", "a", "b", []string{"slope"}, func(f *onnxtest.Model) {
				f.Node("LeakyRelu", "a", "b", onnxtest.Attrs{"alpha": onnxtest.Ref("slope")})
			})
			m.Node("local::Leak", "x", "t", onnxtest.Attrs{"slope": 0.5}).Node("local::Leak", "t", "y", nil)
		}, "LeakyRelu x -> t alpha=0.5\nLeakyRelu t -> y\n"},
		{"nested", func(m *onnxtest.Model) {
			m.Function("local", "Outer", "a", "b", []string{"s"}, func(f *onnxtest.Model) {
				f.Node("local::Inner", "a", "m", onnxtest.Attrs{"slope": onnxtest.Ref("s")}).Node("Neg", "m", "b", nil)
			})
			m.Function("local", "Inner", "a", "b", []string{"slope"}, func(f *onnxtest.Model) {
				f.Node("LeakyRelu", "a", "b", onnxtest.Attrs{"alpha": onnxtest.Ref("slope")})
			})
			m.Node("local::Outer", "x", "y", onnxtest.Attrs{"s": 0.25})
		}, "LeakyRelu x -> Outer/1/m alpha=0.25\nNeg Outer/1/m -> y\n"},
		{"absent inputs and outputs", func(m *onnxtest.Model) {
			m.Function("local", "Two", "a b c", "d e", nil, func(f *onnxtest.Model) {
				f.Node("Sum", "a b c", "d", nil).Node("Neg", "a", "e", nil)
			})
			m.Node("local::Two", "x -", "- y", nil)
		}, "Sum x   -> Two/1/d\nNeg x -> y\n"},
		{"an output that is an input", func(m *onnxtest.Model) {
			m.Function("local", "Same", "a", "a", nil, func(*onnxtest.Model) {})
			m.Node("local::Same", "x", "y", nil)
		}, "Identity x -> y\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := onnxtest.New(13).Input("x", onnx.Float32, 1).Output("y", onnx.Float32, 1)
			c.build(m)
			if got := describe(m.Model(t).Graph); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// Tensors inside a body are decoded once, however often it is called.
func TestInlineSharesTensors(t *testing.T) {
	m := onnxtest.New(13).Input("x", onnx.Float32, 1).Output("y", onnx.Float32, 1)
	m.Function("local", "Const", "", "b", nil, func(f *onnxtest.Model) {
		f.Node("Constant", "", "b", onnxtest.Attrs{"value": onnx.New([]int{2}, []float32{1, 2})})
	})
	m.Node("local::Const", "", "u", nil).Node("local::Const", "", "y", nil)
	nodes := m.Model(t).Graph.Nodes
	a, b := nodes[0].Tensor("value"), nodes[1].Tensor("value")
	if a != b || !reflect.DeepEqual(a.Data, []float32{1, 2}) {
		t.Errorf("the body's constant is %v and %v", a, b)
	}
}

func TestBadFunctions(t *testing.T) {
	for _, c := range []struct {
		name  string
		build func(m *onnxtest.Model)
		want  string
	}{
		{"recursion", func(m *onnxtest.Model) {
			m.Function("local", "A", "a", "b", nil, func(f *onnxtest.Model) { f.Node("local::B", "a", "b", nil) })
			m.Function("local", "B", "a", "b", nil, func(f *onnxtest.Model) { f.Node("local::A", "a", "b", nil) })
			m.Node("local::A", "x", "y", nil)
		}, "function local::A calls itself"},
		{"too many inputs", func(m *onnxtest.Model) {
			m.Function("local", "A", "a", "b", nil, func(f *onnxtest.Model) { f.Node("Relu", "a", "b", nil) })
			m.Node("local::A", "x x", "y", nil)
		}, "2 inputs and 1 outputs, its function 1 and 1"},
		{"defined twice", func(m *onnxtest.Model) {
			m.Function("local", "A", "a", "a", nil, func(*onnxtest.Model) {})
			m.Function("local", "A", "a", "a", nil, func(*onnxtest.Model) {})
		}, "function local::A is defined twice"},
		{"doubling", func(m *onnxtest.Model) { // 2^40 nodes from a few bytes
			m.Function("local", "F0", "a", "b", nil, func(f *onnxtest.Model) { f.Node("Relu", "a", "b", nil) })
			for i := 1; i <= 40; i++ {
				inner := fmt.Sprintf("local::F%d", i-1)
				m.Function("local", fmt.Sprintf("F%d", i), "a", "b", nil, func(f *onnxtest.Model) {
					f.Node(inner, "a", "t", nil).Node(inner, "t", "b", nil)
				})
			}
			m.Node("local::F40", "x", "y", nil)
		}, "too many calls"},
		{"inner value undefined", func(m *onnxtest.Model) {
			m.Function("local", "A", "a", "b", nil, func(f *onnxtest.Model) { f.Node("Add", "a x", "b", nil) })
			m.Node("local::A", "x", "y", nil)
		}, `uses "A/1/x", which nothing defines`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := onnxtest.New(13).Input("x", onnx.Float32, 1).Output("y", onnx.Float32, 1)
			c.build(m)
			if _, err := onnx.Decode(m.Bytes(), ""); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, want one with %q", err, c.want)
			}
		})
	}
}

// A function may be called by functions that call it, and so stand for more than memory
// holds.
func TestManyCalls(t *testing.T) {
	const inputs, depth = 2000, 17
	formal := make([]string, inputs)
	for i := range formal {
		formal[i] = fmt.Sprint("a", i)
	}
	for name, body := range map[string]func(m *onnxtest.Model){
		"of many inputs": func(m *onnxtest.Model) { m.Node("Relu", "a0", "b", nil) },
		"of a node of many": func(m *onnxtest.Model) {
			m.Node("Concat", strings.Join(formal, " "), "c", nil).Node("Relu", "a0", "b", nil)
		},
	} {
		m := onnxtest.New(13).Input("x", onnx.Float32, 1, 3, 4, 4)
		m.Function("f", "f0", strings.Join(formal, " "), "b", nil, body)
		for i := 1; i <= depth; i++ {
			m.Function("f", fmt.Sprint("f", i), "a", "b", nil, func(m *onnxtest.Model) {
				m.Node(fmt.Sprint("f::f", i-1), "a", "t", nil).Node(fmt.Sprint("f::f", i-1), "t", "b", nil)
			})
		}
		m.Node(fmt.Sprint("f::f", depth), "x", "y", nil).Output("y", onnx.Float32)
		if _, err := onnx.Decode(m.Bytes(), ""); err == nil || !strings.Contains(err.Error(), "too many names in calls of functions") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
