package importer

import (
	"testing"

	"occlude/internal/onnx"
)

func TestReshapes(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "to a vector", dims: image, build: func(g *graph, x string) { g.Flat(g.Reshape(x, 1, -1)) }},
		{name: "zeros keep the axis", dims: image, build: func(g *graph, x string) { g.Flat(g.Reshape(x, 0, 0, -1)) }},
		{name: "channel factors", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Reshape(g.Reshape(g.Conv(x, 3, 4), 1, 2, 2, 4, 6), 1, 4, 4, 6), 4, 2))
		}},
		{name: "rows into channels", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Reshape(x, 1, 6, 2, 6), 6, 2))
		}},
		{name: "allowzero", since: 14, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Reshape", attrs{"allowzero": 1}, x, g.Ints(1, 72)))
		}},
		{name: "flatten axes", dims: image, build: func(g *graph, x string) {
			x = g.Op("Flatten", attrs{"axis": 2}, x) // 3x24
			x = g.Op("Flatten", attrs{"axis": 0}, x) // 1x72
			g.Output(g.Op("Flatten", attrs{"axis": 1}, x), onnx.Float32)
		}},
		{name: "flatten default axis", dims: image, build: func(g *graph, x string) { g.Output(g.Op("Flatten", nil, x), onnx.Float32) }},
		{name: "flatten axis from the end", since: 11, dims: image, build: func(g *graph, x string) {
			g.Output(g.Op("Flatten", attrs{"axis": -3}, x), onnx.Float32)
		}},
		{name: "as PyTorch's view(x.size(0), -1)", dims: image, build: func(g *graph, x string) {
			n := g.Unsqueeze(g.Op("Gather", attrs{"axis": 0}, g.Op("Shape", nil, x), g.Index(0)), 0)
			g.Flat(g.Op("Reshape", nil, x, g.Op("Concat", attrs{"axis": 0}, n, g.Ints(-1))))
		}},
		{name: "as PyTorch's channel shuffle", dims: image, build: func(g *graph, x string) {
			h := g.Conv(x, 3, 8)
			s := g.Op("Shape", nil, h)
			dim := func(i int) string { return g.Op("Gather", nil, s, g.Index(i)) }
			list := func(v ...string) string {
				for i := range v {
					v[i] = g.Unsqueeze(v[i], 0)
				}
				return g.Op("Concat", attrs{"axis": 0}, v...)
			}
			half := g.Op("Div", nil, dim(1), g.Index(2))
			h = g.Op("Reshape", nil, h, list(dim(0), g.Index(2), half, dim(2), dim(3)))
			h = g.Transpose(h, 0, 2, 1, 3, 4)
			h = g.Op("Reshape", nil, h, list(dim(0), g.Index(-1), dim(2), dim(3)))
			g.Flat(g.Conv(h, 8, 2))
		}},
		{name: "size", dims: image, build: func(g *graph, x string) {
			h := g.Op("Mul", nil, x, g.Op("Cast", attrs{"to": 1}, g.Op("Size", nil, x)))
			g.Flat(h)
		}},
		{name: "part of a shape", since: 15, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Reshape", nil, x, g.Op("Concat", attrs{"axis": 0}, g.Op("Shape", attrs{"end": 1}, x), g.Ints(-1))))
		}},
		{name: "shape by a slice and a product", dims: image, build: func(g *graph, x string) {
			s := g.Op("Shape", nil, x)
			n := g.Slice(s, []int{0}, []int{1}, []int{0})
			rest := g.Op("ReduceProd", attrs{"keepdims": 1}, g.Slice(s, []int{1}, []int{1 << 40}, []int{0}))
			g.Flat(g.Op("Reshape", nil, x, g.Op("Concat", attrs{"axis": 0}, n, rest)))
		}},
		{name: "a shape made by ConstantOfShape", since: 9, dims: image, build: func(g *graph, x string) {
			ones := g.Op("ConstantOfShape", attrs{"value": onnx.New([]int{1}, []int64{1})}, g.Ints(3))
			g.Flat(g.Op("Reshape", nil, x, g.Op("Concat", attrs{"axis": 0}, ones, g.Ints(-1))))
		}},
	})
}

func TestSqueezes(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "the places", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Squeeze(g.Op("GlobalAveragePool", nil, x), 2, 3))
		}},
		{name: "all", dims: image, build: func(g *graph, x string) {
			g.Output(g.Squeeze(g.Op("GlobalAveragePool", nil, x)), onnx.Float32)
		}},
		{name: "the batch axis and back", dims: image, build: func(g *graph, x string) {
			h := g.Op("Relu", nil, g.Squeeze(g.Conv(x, 3, 4), 0))
			g.Flat(g.Conv(g.Unsqueeze(h, 0), 4, 2))
		}},
		{name: "from the end", since: 11, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Squeeze(g.Op("GlobalMaxPool", nil, x), -1, -2))
		}},
		{name: "one channel", dims: image, build: func(g *graph, x string) {
			h := g.Squeeze(g.Conv(x, 3, 1), 1)
			g.Flat(g.Conv(g.Unsqueeze(g.Op("Relu", nil, h), 1), 1, 2))
		}},
		{name: "a factor between", dims: image, build: func(g *graph, x string) {
			h := g.Unsqueeze(g.Conv(x, 3, 4), 1, 3)
			g.Flat(g.Conv(g.Squeeze(g.Op("Tanh", nil, h), 1, 3), 4, 2))
		}},
	})
}

func TestTransposes(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "to channels last and back", dims: image, build: func(g *graph, x string) {
			h := g.Op("Relu", nil, g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1))
			g.Flat(g.Conv(g.Transpose(h, 0, 3, 1, 2), 4, 2))
		}},
		{name: "flat channels last", dims: image, build: func(g *graph, x string) { g.Flat(g.Transpose(x, 0, 2, 3, 1)) }},
		{name: "rows and columns", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Transpose(x, 0, 1, 3, 2), 3, 2))
		}},
		{name: "default", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			g.Flat(g.Reshape(g.Op("Transpose", nil, x), 1, -1))
		}},
		{name: "axes of one", dims: image, build: func(g *graph, x string) {
			g.Output(g.Transpose(g.Op("GlobalAveragePool", nil, x), 2, 1, 0, 3), onnx.Float32)
		}, calls: "Transpose"},
		{name: "a vector", dims: image, build: func(g *graph, x string) {
			h := g.Op("Flatten", nil, x)
			g.Output(g.Transpose(h, 1, 0), onnx.Float32)
		}},
		{name: "a vector seen as a map with its channels last", dims: image, build: func(g *graph, x string) {
			h := g.Reshape(g.Op("Flatten", nil, x), 1, 4, 6, 3)
			g.Flat(g.Conv(g.Transpose(h, 0, 3, 1, 2), 3, 2))
		}},
		{name: "three factors", dims: image, build: func(g *graph, x string) {
			h := g.Reshape(g.Conv(x, 3, 12), 1, 2, 3, 2, 4, 6)
			h = g.Transpose(h, 0, 3, 1, 2, 4, 5)
			g.Flat(g.Conv(g.Reshape(h, 1, 12, 4, 6), 12, 2))
		}},
		{name: "factors to channels last", dims: image, build: func(g *graph, x string) {
			h := g.Transpose(g.Reshape(g.Conv(x, 3, 6), 1, 2, 3, 4, 6), 0, 3, 4, 2, 1)
			g.Flat(g.Conv(g.Transpose(g.Reshape(h, 1, 4, 6, 6), 0, 3, 1, 2), 6, 2))
		}},
		{name: "depth to space, in steps", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			h := g.Transpose(g.Reshape(g.Conv(x, 3, 8), 1, 2, 2, 2, 4, 6), 0, 3, 4, 1, 5, 2)
			g.Flat(g.Conv(g.Reshape(h, 1, 2, 8, 12), 2, 2))
		}},
		{name: "depth to space", dims: image, calls: "DepthToSpace", build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Op("DepthToSpace", attrs{"blocksize": 2}, g.Conv(x, 3, 8)), 2, 2))
		}},
		{name: "space to depth", dims: image, calls: "SpaceToDepth", build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Op("SpaceToDepth", attrs{"blocksize": 2}, x), 12, 2))
		}},
	})
}

func TestPassages(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "identity", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Identity", nil, g.Op("Relu", nil, x))) }},
		{name: "dropout", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Dropout", nil, g.Op("Relu", nil, x))) }},
		{name: "dropout with a ratio", until: 11, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Dropout", attrs{"ratio": .3}, x))
		}},
		{name: "dropout with inputs", since: 12, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Dropout", nil, x, g.Num(.3), g.Constant(onnx.Scalar(false))))
		}},
		{name: "dropout of nothing in training mode", since: 12, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Dropout", nil, x, g.Num(0), g.Constant(onnx.Scalar(true))))
		}},
		{name: "dropout with a mask that nobody reads", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Ops(2, "Dropout", nil, x)[0])
		}},
		{name: "to double and back", dims: image, build: func(g *graph, x string) {
			h := g.Op("Cast", attrs{"to": 11}, x)
			g.Flat(g.Op("Cast", attrs{"to": 1}, g.Op("Relu", nil, h)))
		}},
		{name: "cast like", since: 15, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("CastLike", nil, g.Op("Relu", nil, x), g.Num(1)))
		}},
		{name: "cast like a layer", since: 15, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Mul", nil, x, g.Op("CastLike", nil, g.Index(3), x)))
		}, calls: "CastLike"},
		{name: "where", since: 9, dims: image, calls: "Where", build: func(g *graph, x string) {
			g.Flat(g.Op("Where", nil, g.Constant(onnx.New([]int{6}, []bool{true, false, true, true, false, false})), x, g.Num(0)))
		}},
		{name: "expand", since: 8, dims: image, build: func(g *graph, x string) {
			h := g.Conv(x, 3, 4)
			v := g.Op("Sigmoid", nil, g.Op("GlobalAveragePool", nil, h))
			g.Flat(g.Op("Mul", nil, h, g.Op("Expand", nil, v, g.Op("Shape", nil, h))))
		}},
		{name: "expand to the same", since: 8, dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Expand", nil, x, g.Ints(1, 1, 4, 1))) }},
		{name: "expand with more axes", since: 8, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Expand", nil, g.Op("GlobalMaxPool", nil, x), g.Ints(1, 2, 3, 1, 1)))
		}, calls: "Expand"},
		{name: "tile", dims: image, calls: "Tile", build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Op("Tile", nil, x, g.Ints(1, 1, 2, 1)), 3, 2))
		}},
	})
}
