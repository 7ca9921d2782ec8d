package importer

import (
	"strings"

	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/operators/reference"
)

// shortest is how each operator is written that is not a function of its one input
// alone: x is 1x3x6x5. It gives what goes into the node, and its attributes.
var shortest = map[string]func(g *graph, x string) ([]string, attrs){
	"And":                logical,
	"AveragePool":        pooling,
	"BatchNormalization": over(nil, 3, 3, 3, 3),
	"CastLike":           with(1),
	"Cast":               plus(attrs{"to": 1}),
	"Clip":               with(-1, 1),
	"Concat":             twice(attrs{"axis": 1}),
	"Constant":           none(attrs{"value": onnx.New([]int{1, 3}, []float32{1, 2, 3})}),
	"ConstantOfShape":    none(nil, 1, 3, 1, 1),
	"Conv":               func(g *graph, x string) ([]string, attrs) { return []string{x, g.Normal(2, 3, 3, 2), g.Normal(2)}, nil },
	"DepthToSpace":       plus(attrs{"blocksize": 1}),
	"Expand":             ints(nil, 1, 3, 6, 5),
	"EyeLike":            func(g *graph, _ string) ([]string, attrs) { return []string{g.Normal(6, 5)}, attrs{"k": 1} },
	"Gather":             ints(attrs{"axis": 1}, 2, 0),
	"GatherElements": func(g *graph, x string) ([]string, attrs) {
		return []string{x, g.Constant(onnx.New([]int{1, 1, 1, 2}, []int64{0, 4}))}, attrs{"axis": 3}
	},
	"GatherND": func(g *graph, x string) ([]string, attrs) {
		return []string{x, g.Constant(onnx.New([]int{2, 2}, []int64{0, 2, 0, 1}))}, nil
	},
	"Gemm": func(g *graph, x string) ([]string, attrs) {
		return []string{g.Op("Flatten", nil, x), g.Normal(90, 4), g.Normal(4)}, attrs{"alpha": 2.}
	},
	"GroupNormalization":    over(attrs{"num_groups": 3}, 3, 3),
	"InstanceNormalization": over(nil, 3, 3),
	"LRN":                   plus(attrs{"size": 3}),
	"LayerNormalization":    over(nil, 5, 5),
	"LpPool":                pooling,
	"MatMul":                func(g *graph, x string) ([]string, attrs) { return []string{x, g.Normal(5, 4)}, nil },
	"MaxPool":               pooling,
	"Not":                   func(g *graph, x string) ([]string, attrs) { return []string{g.Op("Greater", nil, x, g.Num(0))}, nil },
	"Or":                    logical,
	"PRelu":                 func(g *graph, x string) ([]string, attrs) { return []string{x, g.Positive(3, 1, 1)}, nil },
	"Pad":                   ints(nil, 0, 0, 1, 2, 0, 0, 0, 1),
	"Range":                 func(g *graph, _ string) ([]string, attrs) { return []string{g.Num(0), g.Num(6), g.Num(2)}, nil },
	"Reshape":               ints(nil, 1, 9, 2, 5),
	"Slice": func(g *graph, x string) ([]string, attrs) {
		return []string{x, g.Ints(1, 0), g.Ints(6, -1), g.Ints(2, 3), g.Ints(2, 1)}, nil
	},
	"SpaceToDepth": plus(attrs{"blocksize": 1}),
	"Split":        plus(attrs{"axis": 2}),
	"Squeeze":      ints(nil, 0),
	"Tile":         ints(nil, 1, 1, 2, 1),
	"Transpose":    plus(attrs{"perm": []int{0, 2, 3, 1}}),
	"Unsqueeze":    ints(nil, 1),
	"Where": func(g *graph, x string) ([]string, attrs) {
		return []string{g.Op("Greater", nil, x, g.Num(0)), x, g.Num(1)}, nil
	},
	"Xor": logical,
}

func init() {
	for op := range strings.FieldsSeq("Add Div Equal Greater GreaterOrEqual Less LessOrEqual Max Mean Min Mod Mul Pow Sub Sum") {
		shortest[op] = with(2)
	}
}

func plus(a attrs) func(*graph, string) ([]string, attrs) {
	return func(_ *graph, x string) ([]string, attrs) { return []string{x}, a }
}

func twice(a attrs) func(*graph, string) ([]string, attrs) {
	return func(_ *graph, x string) ([]string, attrs) { return []string{x, x}, a }
}

func with(numbers ...float64) func(*graph, string) ([]string, attrs) {
	return func(g *graph, x string) ([]string, attrs) {
		in := []string{x}
		for _, v := range numbers {
			in = append(in, g.Num(v))
		}
		return in, nil
	}
}

func over(a attrs, sizes ...int) func(*graph, string) ([]string, attrs) {
	return func(g *graph, x string) ([]string, attrs) {
		in := []string{x}
		for _, n := range sizes {
			in = append(in, g.Positive(n))
		}
		return in, a
	}
}

func ints(a attrs, v ...int) func(*graph, string) ([]string, attrs) {
	return func(g *graph, x string) ([]string, attrs) { return []string{x, g.Ints(v...)}, a }
}

func none(a attrs, v ...int) func(*graph, string) ([]string, attrs) {
	return func(g *graph, _ string) ([]string, attrs) {
		if v == nil {
			return nil, a
		}
		return []string{g.Ints(v...)}, a
	}
}

func pooling(_ *graph, x string) ([]string, attrs) {
	return []string{x}, attrs{"kernel_shape": []int{2, 3}, "strides": []int{1, 2}, "pads": []int{1, 0, 0, 1}}
}

func logical(g *graph, x string) ([]string, attrs) {
	y := g.Op("Greater", nil, x, g.Num(0))
	return []string{y, y}, nil
}

// operatorModel applies an operator to the image, or to a constant that is then added
// to the image. What it makes of it goes through a cast, for it may be no number.
func operatorModel(op string, opset int, folded bool) []byte {
	g, image := onnxtest.NewGraph(opset, 1, 3, 6, 5)
	x := image
	if folded {
		x = g.Positive(1, 3, 6, 5)
	}
	build := shortest[op]
	if build == nil {
		build = plus(nil)
	}
	in, a := build(g, x)
	y := g.Op(op, a, in...)
	switch op {
	case "And", "Or", "Xor", "Not", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsNaN", "IsInf", "Shape", "Size", "ArgMax", "ArgMin":
		y = g.Op("Cast", attrs{"to": 1}, y)
	}
	if constant := folded || in == nil || op == "Shape" || op == "Size" || op == "Range" || op == "EyeLike" || op == "ConstantOfShape"; constant {
		y = g.Op("Add", nil, image, g.Op("ReduceSum", attrs{"keepdims": 0}, y))
	}
	g.Output(g.Op("Flatten", nil, y), onnx.Float32)
	return g.Bytes()
}

// operatorModels are small models of every operator that there is.
func operatorModels(opset int) map[string][]byte {
	all := map[string][]byte{}
	for _, op := range reference.Ops() {
		all[op] = operatorModel(op, opset, false)
		all[op+" of constants"] = operatorModel(op, opset, true)
	}
	return all
}
