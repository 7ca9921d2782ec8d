package importer

import (
	"testing"

	"occlude/internal/onnx"
)

func TestReshapes(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "to a vector", dims: image, build: func(g *graph, x string) { g.flat(g.reshape(x, 1, -1)) }},
		{name: "zeros keep the axis", dims: image, build: func(g *graph, x string) { g.flat(g.reshape(x, 0, 0, -1)) }},
		{name: "channel factors", dims: image, build: func(g *graph, x string) {
			g.flat(g.conv(g.reshape(g.reshape(g.conv(x, 3, 4), 1, 2, 2, 4, 6), 1, 4, 4, 6), 4, 2))
		}},
		{name: "rows into channels", dims: image, build: func(g *graph, x string) {
			g.flat(g.conv(g.reshape(x, 1, 6, 2, 6), 6, 2))
		}},
		{name: "allowzero", since: 14, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Reshape", attrs{"allowzero": 1}, x, g.ints(1, 72)))
		}},
		{name: "flatten axes", dims: image, build: func(g *graph, x string) {
			x = g.op("Flatten", attrs{"axis": 2}, x) // 3x24
			x = g.op("Flatten", attrs{"axis": 0}, x) // 1x72
			g.Output(g.op("Flatten", attrs{"axis": 1}, x), onnx.Float32)
		}},
		{name: "flatten default axis", dims: image, build: func(g *graph, x string) { g.Output(g.op("Flatten", nil, x), onnx.Float32) }},
		{name: "flatten axis from the end", since: 11, dims: image, build: func(g *graph, x string) {
			g.Output(g.op("Flatten", attrs{"axis": -3}, x), onnx.Float32)
		}},
		{name: "as PyTorch's view(x.size(0), -1)", dims: image, build: func(g *graph, x string) {
			n := g.unsqueeze(g.op("Gather", attrs{"axis": 0}, g.op("Shape", nil, x), g.index(0)), 0)
			g.flat(g.op("Reshape", nil, x, g.op("Concat", attrs{"axis": 0}, n, g.ints(-1))))
		}},
		{name: "as PyTorch's channel shuffle", dims: image, build: func(g *graph, x string) {
			h := g.conv(x, 3, 8)
			s := g.op("Shape", nil, h)
			dim := func(i int) string { return g.op("Gather", nil, s, g.index(i)) }
			list := func(v ...string) string {
				for i := range v {
					v[i] = g.unsqueeze(v[i], 0)
				}
				return g.op("Concat", attrs{"axis": 0}, v...)
			}
			half := g.op("Div", nil, dim(1), g.index(2))
			h = g.op("Reshape", nil, h, list(dim(0), g.index(2), half, dim(2), dim(3)))
			h = g.transpose(h, 0, 2, 1, 3, 4)
			h = g.op("Reshape", nil, h, list(dim(0), g.index(-1), dim(2), dim(3)))
			g.flat(g.conv(h, 8, 2))
		}},
		{name: "size", dims: image, build: func(g *graph, x string) {
			h := g.op("Mul", nil, x, g.op("Cast", attrs{"to": 1}, g.op("Size", nil, x)))
			g.flat(h)
		}},
		{name: "part of a shape", since: 15, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Reshape", nil, x, g.op("Concat", attrs{"axis": 0}, g.op("Shape", attrs{"end": 1}, x), g.ints(-1))))
		}},
		{name: "shape by a slice and a product", dims: image, build: func(g *graph, x string) {
			s := g.op("Shape", nil, x)
			n := g.slice(s, []int{0}, []int{1}, []int{0})
			rest := g.op("ReduceProd", attrs{"keepdims": 1}, g.slice(s, []int{1}, []int{1 << 40}, []int{0}))
			g.flat(g.op("Reshape", nil, x, g.op("Concat", attrs{"axis": 0}, n, rest)))
		}},
		{name: "a shape made by ConstantOfShape", since: 9, dims: image, build: func(g *graph, x string) {
			ones := g.op("ConstantOfShape", attrs{"value": onnx.New([]int{1}, []int64{1})}, g.ints(3))
			g.flat(g.op("Reshape", nil, x, g.op("Concat", attrs{"axis": 0}, ones, g.ints(-1))))
		}},
	})
}

func TestSqueezes(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "the places", dims: image, build: func(g *graph, x string) {
			g.flat(g.squeeze(g.op("GlobalAveragePool", nil, x), 2, 3))
		}},
		{name: "all", dims: image, build: func(g *graph, x string) {
			g.Output(g.squeeze(g.op("GlobalAveragePool", nil, x)), onnx.Float32)
		}},
		{name: "the batch axis and back", dims: image, build: func(g *graph, x string) {
			h := g.op("Relu", nil, g.squeeze(g.conv(x, 3, 4), 0))
			g.flat(g.conv(g.unsqueeze(h, 0), 4, 2))
		}},
		{name: "from the end", since: 11, dims: image, build: func(g *graph, x string) {
			g.flat(g.squeeze(g.op("GlobalMaxPool", nil, x), -1, -2))
		}},
		{name: "one channel", dims: image, build: func(g *graph, x string) {
			h := g.squeeze(g.conv(x, 3, 1), 1)
			g.flat(g.conv(g.unsqueeze(g.op("Relu", nil, h), 1), 1, 2))
		}},
		{name: "a factor between", dims: image, build: func(g *graph, x string) {
			h := g.unsqueeze(g.conv(x, 3, 4), 1, 3)
			g.flat(g.conv(g.squeeze(g.op("Tanh", nil, h), 1, 3), 4, 2))
		}},
	})
}

func TestTransposes(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "to channels last and back", dims: image, build: func(g *graph, x string) {
			h := g.op("Relu", nil, g.transpose(g.conv(x, 3, 4), 0, 2, 3, 1))
			g.flat(g.conv(g.transpose(h, 0, 3, 1, 2), 4, 2))
		}},
		{name: "flat channels last", dims: image, build: func(g *graph, x string) { g.flat(g.transpose(x, 0, 2, 3, 1)) }},
		{name: "rows and columns", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			g.flat(g.conv(g.transpose(x, 0, 1, 3, 2), 3, 2))
		}},
		{name: "default", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			g.flat(g.reshape(g.op("Transpose", nil, x), 1, -1))
		}},
		{name: "axes of one", dims: image, build: func(g *graph, x string) {
			g.Output(g.transpose(g.op("GlobalAveragePool", nil, x), 2, 1, 0, 3), onnx.Float32)
		}, calls: "Transpose"},
		{name: "a vector", dims: image, build: func(g *graph, x string) {
			h := g.op("Flatten", nil, x)
			g.Output(g.transpose(h, 1, 0), onnx.Float32)
		}},
		{name: "a vector seen as a map with its channels last", dims: image, build: func(g *graph, x string) {
			h := g.reshape(g.op("Flatten", nil, x), 1, 4, 6, 3)
			g.flat(g.conv(g.transpose(h, 0, 3, 1, 2), 3, 2))
		}},
		{name: "three factors", dims: image, build: func(g *graph, x string) {
			h := g.reshape(g.conv(x, 3, 12), 1, 2, 3, 2, 4, 6)
			h = g.transpose(h, 0, 3, 1, 2, 4, 5)
			g.flat(g.conv(g.reshape(h, 1, 12, 4, 6), 12, 2))
		}},
		{name: "factors to channels last", dims: image, build: func(g *graph, x string) {
			h := g.transpose(g.reshape(g.conv(x, 3, 6), 1, 2, 3, 4, 6), 0, 3, 4, 2, 1)
			g.flat(g.conv(g.transpose(g.reshape(h, 1, 4, 6, 6), 0, 3, 1, 2), 6, 2))
		}},
		{name: "depth to space, in steps", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			h := g.transpose(g.reshape(g.conv(x, 3, 8), 1, 2, 2, 2, 4, 6), 0, 3, 4, 1, 5, 2)
			g.flat(g.conv(g.reshape(h, 1, 2, 8, 12), 2, 2))
		}},
		{name: "depth to space", dims: image, calls: "DepthToSpace", build: func(g *graph, x string) {
			g.flat(g.conv(g.op("DepthToSpace", attrs{"blocksize": 2}, g.conv(x, 3, 8)), 2, 2))
		}},
		{name: "space to depth", dims: image, calls: "SpaceToDepth", build: func(g *graph, x string) {
			g.flat(g.conv(g.op("SpaceToDepth", attrs{"blocksize": 2}, x), 12, 2))
		}},
	})
}

func TestPassages(t *testing.T) {
	image := []int{1, 3, 4, 6}
	forms(t, []form{
		{name: "identity", dims: image, build: func(g *graph, x string) { g.flat(g.op("Identity", nil, g.op("Relu", nil, x))) }},
		{name: "dropout", dims: image, build: func(g *graph, x string) { g.flat(g.op("Dropout", nil, g.op("Relu", nil, x))) }},
		{name: "dropout with a ratio", until: 11, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Dropout", attrs{"ratio": .3}, x))
		}},
		{name: "dropout with inputs", since: 12, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Dropout", nil, x, g.num(.3), g.constant(onnx.Scalar(false))))
		}},
		{name: "dropout of nothing in training mode", since: 12, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Dropout", nil, x, g.num(0), g.constant(onnx.Scalar(true))))
		}},
		{name: "dropout with a mask that nobody reads", dims: image, build: func(g *graph, x string) {
			g.flat(g.ops(2, "Dropout", nil, x)[0])
		}},
		{name: "to double and back", dims: image, build: func(g *graph, x string) {
			h := g.op("Cast", attrs{"to": 11}, x)
			g.flat(g.op("Cast", attrs{"to": 1}, g.op("Relu", nil, h)))
		}},
		{name: "cast like", since: 15, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("CastLike", nil, g.op("Relu", nil, x), g.num(1)))
		}},
		{name: "cast like a layer", since: 15, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Mul", nil, x, g.op("CastLike", nil, g.index(3), x)))
		}, calls: "CastLike"},
		{name: "where", since: 9, dims: image, calls: "Where", build: func(g *graph, x string) {
			g.flat(g.op("Where", nil, g.constant(onnx.New([]int{6}, []bool{true, false, true, true, false, false})), x, g.num(0)))
		}},
		{name: "expand", since: 8, dims: image, build: func(g *graph, x string) {
			h := g.conv(x, 3, 4)
			v := g.op("Sigmoid", nil, g.op("GlobalAveragePool", nil, h))
			g.flat(g.op("Mul", nil, h, g.op("Expand", nil, v, g.op("Shape", nil, h))))
		}},
		{name: "expand to the same", since: 8, dims: image, build: func(g *graph, x string) { g.flat(g.op("Expand", nil, x, g.ints(1, 1, 4, 1))) }},
		{name: "expand with more axes", since: 8, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Expand", nil, g.op("GlobalMaxPool", nil, x), g.ints(1, 2, 3, 1, 1)))
		}, calls: "Expand"},
		{name: "tile", dims: image, calls: "Tile", build: func(g *graph, x string) {
			g.flat(g.conv(g.op("Tile", nil, x, g.ints(1, 1, 2, 1)), 3, 2))
		}},
	})
}
