package importer

import (
	"fmt"
	"testing"
)

func TestConvolutions(t *testing.T) {
	conv := func(in, out, group int, kernel []int, a attrs) func(*graph, string) {
		return func(g *graph, x string) {
			all := attrs{"group": group}
			for k, v := range a {
				all[k] = v
			}
			fan := in / group * kernel[0] * kernel[1]
			w := g.Weights(fan, out, in/group, kernel[0], kernel[1])
			g.Flat(g.Op("Conv", all, x, w, g.Normal(out)))
		}
	}
	image := []int{1, 3, 11, 9}
	table := []form{
		{name: "plain", dims: image, build: conv(3, 5, 1, []int{3, 3}, nil)},
		{name: "kernel shape given", dims: image, build: conv(3, 5, 1, []int{3, 2}, attrs{"kernel_shape": []int{3, 2}})},
		{name: "stride", dims: image, build: conv(3, 4, 1, []int{3, 3}, attrs{"strides": []int{2, 3}})},
		{name: "stride above the kernel", dims: image, build: conv(3, 4, 1, []int{1, 2}, attrs{"strides": []int{3, 4}})},
		{name: "pads on all sides", dims: image, build: conv(3, 4, 1, []int{3, 3}, attrs{"pads": []int{1, 0, 2, 3}})},
		{name: "pads beyond the kernel", dims: image, build: conv(3, 4, 1, []int{2, 2}, attrs{"pads": []int{3, 0, 0, 4}})},
		{name: "dilation", dims: image, build: conv(3, 4, 1, []int{3, 3}, attrs{"dilations": []int{2, 3}, "pads": []int{2, 3, 2, 3}})},
		{name: "groups", dims: image, build: conv(3, 6, 3, []int{3, 3}, nil)},
		{name: "one row", dims: image, build: conv(3, 4, 1, []int{1, 7}, attrs{"pads": []int{0, 3, 0, 3}})},
		{name: "gray image", dims: []int{1, 1, 8, 8}, build: conv(1, 4, 1, []int{3, 3}, nil)},
		{name: "whole map", dims: image, build: conv(3, 4, 1, []int{11, 9}, nil)},
		{name: "without bias", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Conv", nil, x, g.Weights(27, 4, 3, 3, 3)))
		}},
		{name: "bias left out by name", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Conv", nil, x, g.Weights(27, 4, 3, 3, 3), "-"))
		}},
		{name: "depthwise with a multiplier", dims: image, build: conv(3, 6, 3, []int{3, 3}, attrs{"pads": []int{1, 1, 1, 1}})},
		{name: "weights made by the image", dims: image, calls: "Conv", build: func(g *graph, x string) {
			w := g.Reshape(g.Slice(x, []int{0, 0}, []int{2, 2}, []int{2, 3}), 1, 3, 2, 2)
			g.Flat(g.Op("Conv", nil, g.Op("Relu", nil, x), w))
		}},
	}
	for _, auto := range []string{"SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"} {
		for _, stride := range []int{1, 2, 3} {
			table = append(table, form{
				name: fmt.Sprintf("%s stride %d", auto, stride), dims: []int{1, 3, 10, 7},
				build: conv(3, 4, 1, []int{3, 2}, attrs{"auto_pad": auto, "strides": []int{stride, stride}}),
			})
		}
	}
	forms(t, table, 7, 11, 21)
}

func TestPools(t *testing.T) {
	pool := func(op string, a attrs) func(*graph, string) {
		return func(g *graph, x string) { g.Flat(g.Op(op, a, x)) }
	}
	image := []int{1, 3, 11, 10}
	var table []form
	for _, op := range []string{"MaxPool", "AveragePool"} {
		for name, a := range map[string]attrs{
			"plain":         {"kernel_shape": []int{2, 3}},
			"stride":        {"kernel_shape": []int{3, 3}, "strides": []int{2, 2}},
			"pads":          {"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "pads": []int{1, 0, 2, 1}},
			"same upper":    {"kernel_shape": []int{3, 2}, "strides": []int{2, 2}, "auto_pad": "SAME_UPPER"},
			"same lower":    {"kernel_shape": []int{3, 2}, "strides": []int{3, 2}, "auto_pad": "SAME_LOWER"},
			"valid":         {"kernel_shape": []int{3, 3}, "auto_pad": "VALID"},
			"whole map":     {"kernel_shape": []int{11, 10}},
			"strides apart": {"kernel_shape": []int{2, 2}, "strides": []int{4, 3}},
		} {
			table = append(table, form{name: op + " " + name, dims: image, build: pool(op, a)})
		}
		ceil := attrs{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "ceil_mode": 1, "pads": []int{1, 1, 0, 0}}
		table = append(table, form{name: op + " ceil", since: 10, dims: image, build: pool(op, ceil)})
	}
	table = append(table,
		form{name: "MaxPool dilation", since: 10, dims: image,
			build: pool("MaxPool", attrs{"kernel_shape": []int{3, 2}, "dilations": []int{2, 3}})},
		form{name: "AveragePool dilation", since: 19, dims: image,
			build: pool("AveragePool", attrs{"kernel_shape": []int{3, 2}, "dilations": []int{2, 3}})},
		form{name: "AveragePool counts the padding", dims: image,
			build: pool("AveragePool", attrs{"kernel_shape": []int{3, 3}, "pads": []int{1, 1, 2, 0}, "count_include_pad": 1})},
		form{name: "AveragePool counts the padding, ceil", since: 10, dims: image,
			build: pool("AveragePool", attrs{"kernel_shape": []int{3, 3}, "strides": []int{2, 2}, "pads": []int{1, 1, 1, 1}, "count_include_pad": 1, "ceil_mode": 1})},
		form{name: "MaxPool with indices that nobody reads", since: 8, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Ops(2, "MaxPool", attrs{"kernel_shape": []int{2, 2}}, x)[0])
		}},
		form{name: "LpPool", dims: image, calls: "LpPool", build: pool("LpPool", attrs{"kernel_shape": []int{2, 2}})},
	)
	forms(t, table, 7, 11, 21)
}

func TestGlobalPoolsAndReductions(t *testing.T) {
	image := []int{1, 3, 7, 6}
	var table []form
	for _, op := range []string{"GlobalAveragePool", "GlobalMaxPool"} {
		table = append(table, form{name: op, dims: image, build: func(g *graph, x string) { g.Flat(g.Op(op, nil, x)) }})
	}
	for _, op := range []string{"ReduceMean", "ReduceSum", "ReduceMax"} {
		for _, keep := range []int{0, 1} {
			reduce := func(axes ...int) func(*graph, string) {
				return func(g *graph, x string) { g.Flat(g.Reduce(op, g.Conv(x, 3, 4), keep, axes...)) }
			}
			last := func(axes ...int) func(*graph, string) { // on channels last
				return func(g *graph, x string) {
					g.Flat(g.Reduce(op, g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1), keep, axes...))
				}
			}
			name := func(what string) string { return fmt.Sprintf("%s %s, keepdims %d", op, what, keep) }
			line := ""
			if op == "ReduceSum" {
				line = op
			}
			table = append(table,
				form{name: name("places"), dims: image, build: reduce(2, 3)},
				form{name: name("places from the end"), since: 11, dims: image, build: reduce(-1, -2)},
				form{name: name("channels"), dims: image, build: reduce(1)},
				form{name: name("columns"), dims: image, build: reduce(2), calls: line},
				form{name: name("rows"), dims: image, build: reduce(3), calls: line},
				form{name: name("channels and rows"), dims: image, build: reduce(1, 3), calls: op},
				form{name: name("places, channels last"), dims: image, build: last(1, 2)},
				form{name: name("channels, channels last"), dims: image, build: last(3)},
				form{name: name("rows, channels last"), dims: image, build: last(2), calls: line},
			)
		}
		table = append(table,
			form{name: op + " of all", dims: image, calls: op, build: func(g *graph, x string) {
				g.Flat(g.Reshape(g.Op(op, nil, x), 1, 1))
			}},
			form{name: op + " of the rows, then the columns", dims: image, build: func(g *graph, x string) {
				if op == "ReduceSum" {
					x, op := g.Op("Relu", nil, x), "ReduceMax" // sums along one axis have no layer
					g.Flat(g.Reduce(op, g.Reduce(op, x, 1, 3), 1, 2))
					return
				}
				g.Flat(g.Reduce(op, g.Reduce(op, x, 1, 3), 1, 2))
			}},
			form{name: op + " of no axes changes nothing", since: 18, dims: image, calls: op, build: func(g *graph, x string) {
				g.Flat(g.Op(op, attrs{"noop_with_empty_axes": 1}, x))
			}},
		)
	}
	table = append(table,
		form{name: "ReduceMin", dims: image, calls: "ReduceMin", build: func(g *graph, x string) { g.Flat(g.Reduce("ReduceMin", x, 1, 2, 3)) }},
		form{name: "spatial attention", dims: image, build: func(g *graph, x string) {
			// CBAM: a map of the channels' mean and largest gates all channels.
			h := g.Conv(x, 3, 6)
			both := g.Op("Concat", attrs{"axis": 1}, g.Reduce("ReduceMean", h, 1, 1), g.Reduce("ReduceMax", h, 1, 1))
			g.Flat(g.Op("Mul", nil, h, g.Op("Sigmoid", nil, g.Conv(both, 2, 1))))
		}},
		form{name: "a local layer after a global one", dims: image, build: func(g *graph, x string) {
			h := g.Conv(x, 3, 4)
			g.Flat(g.Conv(g.Op("Sub", nil, h, g.Op("GlobalAveragePool", nil, h)), 4, 2))
		}},
	)
	forms(t, table)
}
