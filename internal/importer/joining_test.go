package importer

import (
	"fmt"
	"testing"

	"occlude/internal/onnx"
)

func TestConcats(t *testing.T) {
	image := []int{1, 3, 4, 6}
	concat := func(axis int) func(*graph, string) {
		return func(g *graph, x string) {
			h := g.Op("Concat", attrs{"axis": axis}, x, g.Op("Relu", nil, x), g.Op("Neg", nil, x))
			g.Flat(g.Op("Tanh", nil, h))
		}
	}
	forms(t, []form{
		{name: "channels", dims: image, build: concat(1)},
		{name: "rows", dims: image, build: concat(2)},
		{name: "columns", dims: image, build: concat(3)},
		{name: "channels from the end", since: 11, dims: image, build: concat(-3)},
		{name: "one", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("Concat", attrs{"axis": 1}, x)) }},
		{name: "with constants", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Op("Concat", attrs{"axis": 1}, g.Normal(1, 2, 4, 6), x, g.Normal(1, 1, 4, 6)), 6, 2))
		}},
		{name: "rows with a constant", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Op("Concat", attrs{"axis": 2}, g.Normal(1, 3, 2, 6), x), 3, 2))
		}},
		{name: "channels last", dims: image, build: func(g *graph, x string) {
			h := g.Transpose(x, 0, 2, 3, 1)
			g.Flat(g.Op("Concat", attrs{"axis": 3}, h, g.Op("Relu", nil, h)))
		}},
		{name: "rows, channels last", dims: image, build: func(g *graph, x string) {
			h := g.Transpose(x, 0, 2, 3, 1)
			g.Flat(g.Op("Concat", attrs{"axis": 1}, h, g.Op("Relu", nil, h)))
		}},
		{name: "both orders", dims: image, build: func(g *graph, x string) {
			h := g.Op("Relu", nil, g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1))
			g.Flat(g.Op("Concat", attrs{"axis": 1}, g.Transpose(h, 0, 3, 1, 2), x))
		}},
		{name: "vectors", dims: image, build: func(g *graph, x string) {
			a, b := g.Op("Flatten", nil, g.Op("GlobalMaxPool", nil, x)), g.Op("Flatten", nil, x)
			g.Output(g.Op("Concat", attrs{"axis": 1}, a, b), onnx.Float32)
		}},
		{name: "vectors as maps", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Concat", attrs{"axis": 1}, g.Op("GlobalMaxPool", nil, x), g.Op("GlobalAveragePool", nil, x)))
		}},
		{name: "pyramid of pools", dims: image, build: func(g *graph, x string) {
			h := g.Op("Flatten", nil, g.Op("MaxPool", attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}}, x))
			g.Output(g.Op("Concat", attrs{"axis": 1}, h, g.Op("Flatten", nil, x)), onnx.Float32)
		}},
		{name: "tokens", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			h := g.Transpose(g.Reshape(x, 1, 3, 24), 0, 2, 1)
			g.Flat(g.Op("Concat", attrs{"axis": 1}, g.Normal(1, 1, 3), h))
		}},
	})
}

func TestSplits(t *testing.T) {
	halves := func(axis, n int, sizes ...int) func(*graph, string) {
		return func(g *graph, x string) {
			out := g.Split(x, axis, n, sizes...)
			g.Flat(g.Op("Concat", attrs{"axis": axis}, g.Op("Relu", nil, out[n-1]), out[0]))
		}
	}
	var table []form
	for axis := 1; axis <= 3; axis++ {
		table = append(table,
			form{name: fmt.Sprintf("equal, axis %d", axis), dims: []int{1, 3, 4, 6}, build: func(g *graph, x string) {
				halves(axis, 2)(g, g.Conv(x, 3, 6))
			}},
			form{name: fmt.Sprintf("uneven, axis %d", axis), dims: []int{1, 3, 4, 6}, build: func(g *graph, x string) {
				sizes := []int{1, 2, []int{3, 1, 3}[axis-1]}
				halves(axis, 3, sizes...)(g, g.Conv(x, 3, 6))
			}})
	}
	table = append(table,
		form{name: "num_outputs that do not divide", since: 18, dims: []int{1, 3, 4, 7}, build: halves(3, 3)},
		form{name: "a part that nobody reads", dims: []int{1, 3, 4, 6}, build: func(g *graph, x string) {
			g.Flat(g.Split(x, 1, 3)[1])
		}},
		form{name: "a vector", dims: []int{1, 3, 4, 6}, build: func(g *graph, x string) {
			out := g.Split(g.Op("Flatten", nil, x), 1, 2)
			g.Flat(g.Op("Mul", nil, out[0], out[1]))
		}},
		form{name: "channels last", dims: []int{1, 3, 4, 6}, build: func(g *graph, x string) {
			halves(3, 2)(g, g.Transpose(g.Conv(x, 3, 6), 0, 2, 3, 1))
		}},
		form{name: "tokens", dims: []int{1, 3, 4, 6}, calls: "Transpose Split Split", build: func(g *graph, x string) {
			out := g.Split(g.Transpose(g.Reshape(x, 1, 3, 24), 0, 2, 1), 1, 2)
			g.Flat(g.Op("Mul", nil, out[0], out[1]))
		}},
	)
	forms(t, table)
}

func TestSlices(t *testing.T) {
	image := []int{1, 3, 7, 6}
	slice := func(starts, ends, axes []int) func(*graph, string) {
		return func(g *graph, x string) { g.Flat(g.Op("Relu", nil, g.Slice(x, starts, ends, axes))) }
	}
	steps := func(starts, ends, axes, steps []int) func(*graph, string) {
		return func(g *graph, x string) {
			g.Flat(g.Op("Slice", nil, x, g.Ints(starts...), g.Ints(ends...), g.Ints(axes...), g.Ints(steps...)))
		}
	}
	const end = 1<<63 - 1
	forms(t, []form{
		{name: "channels", dims: image, build: slice([]int{1}, []int{3}, []int{1})},
		{name: "rows and columns", dims: image, build: slice([]int{1, 2}, []int{6, 5}, []int{2, 3})},
		{name: "to the end", dims: image, build: slice([]int{1, -3}, []int{end, end}, []int{2, 3})},
		{name: "negative ends", dims: image, build: slice([]int{0, 1}, []int{-1, -2}, []int{2, 3})},
		{name: "the batch", dims: image, build: slice([]int{0}, []int{1}, []int{0})},
		{name: "axes left out", since: 10, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Slice", nil, x, g.Ints(0, 1, 2, 3), g.Ints(1, 3, 6, 6)))
		}},
		{name: "steps", since: 10, dims: image, build: steps([]int{1, 0}, []int{7, 6}, []int{2, 3}, []int{2, 3})},
		{name: "focus: every second", since: 10, dims: image, build: func(g *graph, x string) {
			part := func(y, x0 int) string {
				return g.Op("Slice", nil, x, g.Ints(y, x0), g.Ints(end, end), g.Ints(2, 3), g.Ints(2, 2))
			}
			g.Flat(g.Conv(g.Op("Concat", attrs{"axis": 1}, g.Slice(part(0, 0), []int{0}, []int{3}, []int{2}), part(1, 0), part(1, 1)), 9, 2))
		}},
		{name: "channels backwards", since: 10, dims: image, build: steps([]int{-1}, []int{-end}, []int{1}, []int{-1})},
		{name: "rows backwards", since: 10, dims: image, calls: "Slice", build: steps([]int{-1}, []int{-end}, []int{2}, []int{-1})},
		{name: "one factor", dims: image, build: func(g *graph, x string) {
			h := g.Reshape(g.Conv(x, 3, 6), 1, 2, 3, 7, 6)
			g.Flat(g.Slice(h, []int{1}, []int{3}, []int{2}))
		}},
		{name: "the outer factor", dims: image, build: func(g *graph, x string) {
			h := g.Reshape(g.Conv(x, 3, 6), 1, 3, 2, 7, 6)
			g.Flat(g.Slice(h, []int{1}, []int{3}, []int{1}))
		}},
		{name: "a vector", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Slice(g.Op("Flatten", nil, x), []int{5}, []int{50}, []int{1}))
		}},
	})
}

func TestGathers(t *testing.T) {
	image := []int{1, 3, 5, 6}
	gather := func(axis int, index ...int) func(*graph, string) {
		return func(g *graph, x string) {
			g.Flat(g.Op("Relu", nil, g.Op("Gather", attrs{"axis": axis}, x, g.Ints(index...))))
		}
	}
	forms(t, []form{
		{name: "channels to BGR", dims: image, build: gather(1, 2, 1, 0)},
		{name: "channels, some twice", dims: image, build: gather(1, 0, 0, 2)},
		{name: "negative", since: 11, dims: image, build: gather(1, -1, 0)},
		{name: "every second row", dims: image, build: gather(2, 0, 2, 4)},
		{name: "rows in no order", dims: image, calls: "Gather", build: gather(2, 3, 0)},
		{name: "one channel", dims: image, build: func(g *graph, x string) {
			h := g.Op("Gather", attrs{"axis": 1}, x, g.Index(1))
			g.Flat(g.Conv(g.Unsqueeze(g.Op("Neg", nil, h), 1), 1, 2))
		}},
		{name: "a table of indices", dims: image, calls: "Gather", build: func(g *graph, x string) {
			i := g.Constant(onnx.New([]int{2, 1}, []int64{2, 0}))
			g.Flat(g.Op("Gather", attrs{"axis": 1}, x, i))
		}},
		{name: "the batch", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Unsqueeze(g.Op("Gather", attrs{"axis": 0}, x, g.Index(0)), 0))
		}},
		{name: "the class token", dims: image, calls: "Transpose Gather", build: func(g *graph, x string) {
			h := g.Transpose(g.Reshape(x, 1, 3, 30), 0, 2, 1)
			g.Flat(g.Op("Gather", attrs{"axis": 1}, h, g.Index(0)))
		}},
	})
}

func TestPads(t *testing.T) {
	image := []int{1, 3, 5, 6}
	pad := func(mode string, fill float64, pads ...int) func(*graph, string) {
		return func(g *graph, x string) { g.Flat(g.Conv(g.Pad(x, mode, fill, pads...), 3, 2)) }
	}
	forms(t, []form{
		{name: "zeros", dims: image, build: pad("constant", 0, 0, 0, 1, 2, 0, 0, 3, 0)},
		{name: "a number", dims: image, build: pad("constant", 1.5, 0, 0, 1, 2, 0, 0, 3, 0)},
		{name: "edge", dims: image, build: pad("edge", 0, 0, 0, 2, 1, 0, 0, 0, 3)},
		{name: "reflect", dims: image, build: pad("reflect", 0, 0, 0, 2, 1, 0, 0, 0, 3)},
		{name: "wrap", since: 19, dims: image, calls: "Pad", build: pad("wrap", 0, 0, 0, 2, 1, 0, 0, 0, 3)},
		{name: "nothing", dims: image, build: pad("constant", 0, 0, 0, 0, 0, 0, 0, 0, 0)},
		{name: "negative crops", dims: image, calls: "Pad", build: pad("constant", 0, 0, 0, -1, 1, 0, 0, 0, -1)},
		{name: "value left out", since: 11, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Pad", nil, x, g.Ints(0, 0, 1, 1, 0, 0, 1, 1)))
		}},
		{name: "given axes", since: 18, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Pad", nil, x, g.Ints(1, 2, 0, 3), g.Num(.5), g.Ints(3, -2)))
		}},
		{name: "channels", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Pad(x, "constant", .5, 0, 1, 0, 0, 0, 2, 0, 0), 6, 2))
		}},
		{name: "channels and places", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Pad(x, "constant", .5, 0, 1, 2, 0, 0, 0, 0, 1), 4, 2))
		}},
		{name: "channels last", dims: image, build: func(g *graph, x string) {
			h := g.Pad(g.Transpose(x, 0, 2, 3, 1), "constant", 0, 0, 1, 2, 0, 0, 1, 0, 0)
			g.Flat(g.Conv(g.Transpose(h, 0, 3, 1, 2), 3, 2))
		}},
		{name: "a vector seen as a map", dims: image, build: func(g *graph, x string) {
			h := g.Reshape(g.Op("Flatten", nil, x), 1, 3, 6, 5)
			g.Flat(g.Pad(h, "constant", 0, 0, 0, 1, 1, 0, 0, 1, 1))
		}},
		{name: "shortcut of CIFAR's ResNets", dims: []int{1, 3, 8, 8}, since: 10, build: func(g *graph, x string) {
			h := g.Op("Relu", nil, g.Conv(x, 3, 4))
			s := g.Op("Slice", nil, h, g.Ints(0, 0), g.Ints(1<<62, 1<<62), g.Ints(2, 3), g.Ints(2, 2))
			s = g.Pad(s, "constant", 0, 0, 2, 0, 0, 0, 2, 0, 0)
			w := g.Weights(36, 8, 4, 3, 3)
			h = g.Op("Conv", attrs{"pads": []int{1, 1, 1, 1}, "strides": []int{2, 2}}, h, w, g.Normal(8))
			g.Flat(g.Op("Relu", nil, g.Op("Add", nil, h, s)))
		}},
	})
}
