package importer

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

func TestActivations(t *testing.T) {
	var table []form
	add := func(op string, since int, a attrs) {
		name := op
		if a != nil {
			name = fmt.Sprintf("%s %v", op, a)
		}
		table = append(table, form{name: name, since: since, dims: []int{1, 3, 5, 4}, build: func(g *graph, x string) {
			switch op {
			case "Log", "Sqrt", "Reciprocal":
				x = g.Op("Add", nil, g.Op("Abs", nil, x), g.Num(.25))
			}
			g.Flat(g.Op(op, a, x))
		}})
	}
	for op, since := range map[string]int{
		"Relu": 1, "Sigmoid": 1, "Tanh": 1, "Softplus": 1, "Softsign": 1, "Mish": 18, "Exp": 1, "Log": 1, "Sqrt": 1,
		"Reciprocal": 1, "Abs": 1, "Neg": 1, "Erf": 9, "Floor": 1, "Ceil": 1, "Round": 11, "Sign": 9,
		"LeakyRelu": 1, "Elu": 1, "Celu": 12, "Selu": 1, "HardSigmoid": 1, "HardSwish": 14, "Gelu": 20,
	} {
		add(op, since, nil)
	}
	add("LeakyRelu", 1, attrs{"alpha": .3})
	add("Elu", 1, attrs{"alpha": .7})
	add("Celu", 12, attrs{"alpha": 2.})
	add("ThresholdedRelu", 10, attrs{"alpha": .5})
	add("Selu", 1, attrs{"alpha": 1.5, "gamma": .9})
	add("HardSigmoid", 1, attrs{"alpha": .3, "beta": .1})
	add("Gelu", 20, attrs{"approximate": "tanh"})
	forms(t, table, 7, 13, 21)
	for op := range activations {
		tried := slices.ContainsFunc(table, func(f form) bool { return strings.HasPrefix(f.name, op) })
		// Swish is newer than the operator sets that the reference has.
		if !tried && op != "Swish" {
			t.Errorf("%s is not tried", op)
		}
	}
}

func TestClips(t *testing.T) {
	image := []int{1, 3, 5, 4}
	forms(t, []form{
		{name: "both", dims: image, build: func(g *graph, x string) { g.Flat(g.Clip(x, -.5, .75)) }},
		{name: "relu6", dims: image, build: func(g *graph, x string) { g.Flat(g.Clip(g.Op("Mul", nil, x, g.Num(6)), 0, 6)) }},
		{name: "attribute min alone", until: 9, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Clip", attrs{"min": .1}, x)) }},
		{name: "attribute max alone", until: 9, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Clip", attrs{"max": .1}, x)) }},
		{name: "none", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Clip", nil, x)) }},
		{name: "input min alone", since: 11, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Clip", nil, x, g.Num(0))) }},
		{name: "input max alone", since: 11, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Clip", nil, x, "-", g.Num(.2))) }},
		{name: "limits the wrong way round", since: 11, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Clip", nil, x, g.Num(.5), g.Num(-.5))) }},
		{name: "limits from Constant nodes", since: 12, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Clip", nil, x, g.Op("Constant", attrs{"value_float": 0.}), g.Op("Constant", attrs{"value": onnx.Scalar(float32(.5))})))
		}},
		{name: "hard swish of hard sigmoid parts", dims: image, build: func(g *graph, x string) {
			x = g.Op("Mul", nil, x, g.Num(3))
			g.Flat(g.Op("Div", nil, g.Op("Mul", nil, x, g.Clip(g.Op("Add", nil, x, g.Num(3)), 0, 6)), g.Num(6)))
		}},
	})
}

// TestBroadcasts tries each operation of two values, with shapes of the second
// that are repeated along every choice of axes, on either side, constant or
// made by the image.
func TestBroadcasts(t *testing.T) {
	image := []int{1, 3, 4, 5}
	second := [][]int{{}, {1}, {5}, {4, 1}, {4, 5}, {3, 1, 1}, {1, 3, 1, 1}, {3, 4, 5}, {1, 3, 4, 5}, {1, 1, 4, 5}, {1, 3, 1, 5}, {1, 1, 1, 1}}
	var table []form
	for _, op := range []string{"Add", "Sub", "Mul", "Div", "Pow", "Max", "Min", "Sum", "Mean"} {
		since := 7
		if op == "Max" || op == "Min" || op == "Sum" || op == "Mean" {
			since = 8 // they did not broadcast before
		}
		for _, dims := range second {
			for _, left := range []bool{false, true} {
				name := fmt.Sprintf("%s with %s", op, onnx.FormatDims(dims))
				if left {
					name = fmt.Sprintf("%s of %s with", op, onnx.FormatDims(dims))
				}
				table = append(table, form{name: name, since: since, dims: image, build: func(g *graph, x string) {
					y := g.Positive(dims...)
					x = g.Op("Add", nil, g.Op("Abs", nil, x), g.Num(.5))
					if left {
						x, y = y, x
					}
					g.Flat(g.Op(op, nil, x, y))
				}})
			}
		}
	}
	layer := func(name string, make func(g *graph, x string) string) {
		for _, op := range []string{"Add", "Sub", "Mul", "Div"} {
			for _, left := range []bool{false, true} {
				table = append(table, form{name: fmt.Sprintf("%s, %s, left %v", op, name, left), dims: image, build: func(g *graph, x string) {
					x = g.Op("Add", nil, g.Op("Abs", nil, x), g.Num(.5))
					y := make(g, x)
					if left {
						x, y = y, x
					}
					g.Flat(g.Op(op, nil, x, y))
				}})
			}
		}
	}
	layer("a map", func(g *graph, x string) string { return g.Op("Exp", nil, x) })
	layer("a vector", func(g *graph, x string) string { return g.Op("GlobalMaxPool", nil, x) })
	layer("one channel", func(g *graph, x string) string { return g.Reduce("ReduceMean", x, 1, 1) })
	layer("one channel without its axis", func(g *graph, x string) string { return g.Reduce("ReduceMean", x, 0, 1) })
	layer("a row", func(g *graph, x string) string { return g.Reduce("ReduceMean", x, 1, 2) })
	layer("a row of one channel", func(g *graph, x string) string {
		return g.Reduce("ReduceMean", g.Reduce("ReduceMean", x, 1, 1), 1, 2)
	})
	layer("a number", func(g *graph, x string) string {
		return g.Reduce("ReduceMean", g.Op("GlobalAveragePool", nil, x), 1, 1)
	})
	forms(t, table, 13)
}

func TestSeveralTerms(t *testing.T) {
	image := []int{1, 3, 4, 5}
	var table []form
	for _, op := range []string{"Sum", "Mean", "Max", "Min"} {
		table = append(table,
			form{name: op + " of one", dims: image, build: func(g *graph, x string) { g.Flat(g.Op(op, nil, x)) }},
			form{name: op + " of four", since: 8, dims: image, build: func(g *graph, x string) {
				g.Flat(g.Op(op, nil, x, g.Normal(3, 1, 1), g.Op("Neg", nil, x), g.Op("GlobalMaxPool", nil, x)))
			}},
			form{name: op + " of constants first", since: 8, dims: image, build: func(g *graph, x string) {
				g.Flat(g.Op(op, nil, g.Normal(1), g.Normal(3, 1, 1), x))
			}},
			form{name: op + " of the same", dims: image, build: func(g *graph, x string) { g.Flat(g.Op(op, nil, x, x)) }},
		)
	}
	forms(t, table, 7, 9, 21)
}

func TestPowers(t *testing.T) {
	image := []int{1, 3, 4, 5}
	power := func(p float64) form {
		return form{name: fmt.Sprintf("to the %g", p), dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Pow", nil, g.Op("Add", nil, g.Op("Abs", nil, x), g.Num(.5)), g.Num(p)))
		}}
	}
	forms(t, []form{
		power(2), power(.5), power(-1), power(3), power(0), power(-.5),
		{name: "square of negatives", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Pow", nil, x, g.Num(2))) }},
		{name: "integer exponent", since: 12, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Pow", nil, x, g.Index(3))) }},
		{name: "exponents of more axes", dims: []int{1, 1, 4, 5}, build: func(g *graph, x string) {
			x = g.Reshape(g.Op("Abs", nil, x), 4, 5)
			g.Flat(g.Reshape(g.Op("Pow", nil, x, g.Positive(1, 1, 1)), 1, 20))
		}},
	})
}

func TestPRelus(t *testing.T) {
	image := []int{1, 3, 4, 5}
	slope := func(dims ...int) func(*graph, string) {
		return func(g *graph, x string) { g.Flat(g.Op("PRelu", nil, x, g.Normal(dims...))) }
	}
	forms(t, []form{
		{name: "one", dims: image, build: slope(1)},
		{name: "scalar", dims: image, build: slope()},
		{name: "per channel", dims: image, build: slope(3, 1, 1)},
		{name: "per channel, rank 4", dims: image, build: slope(1, 3, 1, 1)},
		{name: "per column", dims: image, build: slope(5), calls: "PRelu"},
		{name: "per column, as many as channels", dims: []int{1, 3, 4, 3}, build: slope(3), calls: "PRelu"},
		{name: "per value", dims: image, build: slope(3, 4, 5), calls: "PRelu"},
		{name: "per channel, channels last", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("PRelu", nil, g.Transpose(x, 0, 2, 3, 1), g.Normal(3)))
		}},
		{name: "per class", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("PRelu", nil, g.Op("Flatten", nil, x), g.Normal(60)))
		}},
		{name: "made by the image", dims: image, calls: "PRelu", build: func(g *graph, x string) {
			g.Flat(g.Op("PRelu", nil, x, g.Op("GlobalMaxPool", nil, x)))
		}},
	})
}

// TestOldBroadcast: before opset 7, the second operand was repeated along a
// given axis only when the node said so.
func TestOldBroadcast(t *testing.T) {
	for _, op := range []string{"Add", "Sub", "Mul", "Div", "Pow"} {
		g, x := onnxtest.NewGraph(6, 1, 3, 4, 3)
		x = g.Op("Abs", nil, x)
		g.Flat(g.Op(op, attrs{"broadcast": 1, "axis": 1}, x, g.Positive(3)))
		check(t, g.Model, Options{})
	}
	g, x := onnxtest.NewGraph(6, 1, 3, 4, 3)
	g.Flat(g.Op("PRelu", nil, x, g.Positive(3)))
	check(t, g.Model, Options{})
}
