package reference

import (
	"context"
	"errors"
	"strings"
	"testing"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

func TestRunGraph(t *testing.T) {
	b := onnxtest.New(13)
	b.Input("x", onnx.Float32, 2)
	b.Init("one", f32([]int{}, 1))
	b.Node("Add", "x one", "a", nil)
	b.Node("Mul", "a a", "b", nil)
	b.Node("Loop", "b", "dead", nil) // nobody asks for it
	b.Node("Sub", "b a", "c", nil)
	b.Output("c", onnx.Float32, 2)
	b.Output("a", onnx.Float32, 2)
	m := b.Model(t)
	out, err := RunGraph(context.Background(), m, map[string]*onnx.Tensor{"x": f32(nil, 1, 2)})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 2 {
		t.Errorf("%d outputs", len(out))
	}
	same(t, out["a"], f32(nil, 2, 3), 0)
	same(t, out["c"], f32(nil, 2, 6), 0)

	// An input may replace an initializer.
	out, err = RunGraph(context.Background(), m, map[string]*onnx.Tensor{"x": f32(nil, 1, 2), "one": f32([]int{}, 2)})
	if err != nil {
		t.Fatal(err)
	}
	same(t, out["a"], f32(nil, 3, 4), 0)
}

func TestRunGraphErrors(t *testing.T) {
	b := onnxtest.New(13)
	b.Input("x", onnx.Float32, 2)
	b.Node("Loop", "x", "y", nil)
	b.Output("y", onnx.Float32, 2)
	loop := b.Model(t)

	chain := &onnx.Model{Opset: 13, Graph: &onnx.Graph{
		Outputs: []onnx.ValueInfo{{Name: "y"}},
		Nodes: []*onnx.Node{
			{Op: "Relu", Inputs: []string{"y"}, Outputs: []string{"z"}},
			{Op: "Relu", Inputs: []string{"z"}, Outputs: []string{"y"}},
		},
	}}
	orphan := &onnx.Model{Opset: 13, Graph: &onnx.Graph{Outputs: []onnx.ValueInfo{{Name: "y"}}}}
	greedy := &onnx.Model{Opset: 13, Graph: &onnx.Graph{
		Outputs:      []onnx.ValueInfo{{Name: "y"}},
		Initializers: map[string]*onnx.Tensor{"x": f32(nil, 1)},
		Nodes:        []*onnx.Node{{Op: "Relu", Inputs: []string{"x"}, Outputs: []string{"", "y"}}},
	}}
	for _, c := range []struct {
		name string
		m    *onnx.Model
		in   map[string]*onnx.Tensor
		want string
	}{
		{"no input", loop, nil, `graph input "x" is missing`},
		{"wrong type", loop, map[string]*onnx.Tensor{"x": i64(nil, 1, 2)}, "declared as float32"},
		{"unsupported", loop, map[string]*onnx.Tensor{"x": f32(nil, 1, 2)}, "operator Loop is not supported"},
		{"cycle", chain, nil, `nothing makes its input "y"`},
		{"no maker", orphan, nil, `nothing makes graph output "y"`},
		{"no such output", greedy, nil, "no output 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := RunGraph(context.Background(), c.m, c.in)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, want an error about %q", err, c.want)
			}
			var u *UnsupportedError
			if errors.As(err, &u) != (c.name == "unsupported") {
				t.Errorf("%v: UnsupportedError or not", err)
			}
		})
	}
}

// TestDemandOrder has a model as the zoo's light ones are: all weights are made
// first. Each is made only when its layer comes.
func TestDemandOrder(t *testing.T) {
	g := &onnx.Graph{Outputs: []onnx.ValueInfo{{Name: "c2"}}, Nodes: []*onnx.Node{
		{Op: "ConstantOfShape", Inputs: []string{"s1"}, Outputs: []string{"w1"}},
		{Op: "ConstantOfShape", Inputs: []string{"s2"}, Outputs: []string{"w2"}},
		{Op: "Conv", Inputs: []string{"x", "w1"}, Outputs: []string{"c1"}},
		{Op: "Conv", Inputs: []string{"c1", "w2"}, Outputs: []string{"c2"}},
	}}
	var order []string
	for _, n := range demandOrder(g, nil) {
		order = append(order, n.Outputs[0])
	}
	if got := strings.Join(order, " "); got != "w1 c1 w2 c2" {
		t.Errorf("order %s", got)
	}
}
