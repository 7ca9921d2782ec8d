package importer

import (
	"fmt"
	"testing"

	"occlude/internal/onnx"
)

func TestNormalizations(t *testing.T) {
	image := []int{1, 3, 5, 6}
	moments := func(g *graph, x string, axes ...int) string { // layer norm as older exporters write it
		d := g.Op("Sub", nil, x, g.Reduce("ReduceMean", x, 1, axes...))
		v := g.Reduce("ReduceMean", g.Op("Pow", nil, d, g.Num(2)), 1, axes...)
		return g.Op("Div", nil, d, g.Op("Sqrt", nil, g.Op("Add", nil, v, g.Num(1e-3))))
	}
	forms(t, []form{
		{name: "batch norm", dims: image, build: func(g *graph, x string) { g.Flat(g.BatchNorm(x, 3)) }},
		{name: "batch norm with epsilon", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("BatchNormalization", attrs{"epsilon": .1, "momentum": .5}, x, g.Normal(3), g.Normal(3), g.Normal(3), g.Positive(3)))
		}},
		{name: "batch norm of a vector", dims: image, build: func(g *graph, x string) { g.Flat(g.BatchNorm(g.Op("Flatten", nil, x), 90)) }},
		{name: "batch norm of factors", dims: image, calls: "BatchNormalization", build: func(g *graph, x string) {
			g.Flat(g.BatchNorm(g.Reshape(g.Conv(x, 3, 6), 1, 3, 2, 5, 6), 3))
		}},
		{name: "batch norm before and after a convolution", dims: image, build: func(g *graph, x string) {
			g.Flat(g.BatchNorm(g.Conv(g.BatchNorm(x, 3), 3, 4), 4))
		}},
		{name: "batch norm made by the image", dims: image, calls: "BatchNormalization", build: func(g *graph, x string) {
			g.Flat(g.Op("BatchNormalization", nil, x, g.Positive(3), g.Squeeze(g.Op("GlobalMaxPool", nil, x)), g.Normal(3), g.Positive(3)))
		}},
		{name: "batch norm in parts, channels last", dims: image, build: func(g *graph, x string) {
			h := g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1)
			g.Flat(g.Op("Add", nil, g.Op("Mul", nil, h, g.Normal(4)), g.Normal(4)))
		}},
		{name: "instance norm", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("InstanceNormalization", attrs{"epsilon": 1e-2}, g.Conv(x, 3, 4), g.Normal(4), g.Normal(4)))
		}},
		{name: "instance norm of rank 3", dims: image, calls: "InstanceNormalization", build: func(g *graph, x string) {
			h := g.Op("InstanceNormalization", nil, g.Reshape(g.Conv(x, 3, 4), 1, 2, 60), g.Normal(2), g.Normal(2))
			g.Flat(g.Conv(g.Reshape(h, 1, 4, 5, 6), 4, 2))
		}},
		{name: "group norm", since: 21, dims: image, calls: "GroupNormalization", build: func(g *graph, x string) {
			g.Flat(g.Conv(g.Op("GroupNormalization", attrs{"num_groups": 2}, g.Conv(x, 3, 4), g.Normal(4), g.Normal(4)), 4, 2))
		}},
		{name: "lrn", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("LRN", attrs{"size": 3}, g.Conv(x, 3, 7))) }},
		{name: "lrn with numbers, even size", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("LRN", attrs{"size": 4, "alpha": .5, "beta": .6, "bias": 2.}, g.Conv(x, 3, 7)))
		}},
		{name: "layer norm over channels last", since: 17, dims: image, build: func(g *graph, x string) {
			h := g.Op("LayerNormalization", attrs{"epsilon": 1e-3}, g.Transpose(g.Conv(x, 3, 8), 0, 2, 3, 1), g.Normal(8), g.Normal(8))
			g.Flat(g.Transpose(h, 0, 3, 1, 2))
		}},
		{name: "layer norm of a vector, without a shift", since: 17, dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("LayerNormalization", attrs{"axis": 1}, g.Op("Flatten", nil, x), g.Normal(90)))
		}},
		{name: "layer norm over the map", since: 17, dims: image, calls: "LayerNormalization", build: func(g *graph, x string) {
			g.Flat(g.Op("LayerNormalization", attrs{"axis": 1}, x, g.Normal(3, 5, 6), g.Normal(3, 5, 6)))
		}},
		{name: "layer norm over rows", since: 17, dims: image, calls: "LayerNormalization", build: func(g *graph, x string) {
			g.Flat(g.Op("LayerNormalization", nil, x, g.Normal(6), g.Normal(6)))
		}},
		{name: "layer norm in parts, channels last", dims: image, build: func(g *graph, x string) {
			h := moments(g, g.Transpose(g.Conv(x, 3, 8), 0, 2, 3, 1), -1+4)
			h = g.Op("Add", nil, g.Op("Mul", nil, h, g.Normal(8)), g.Normal(8))
			g.Flat(g.Transpose(h, 0, 3, 1, 2))
		}},
		{name: "layer norm in parts, channels first", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Mul", nil, moments(g, g.Conv(x, 3, 8), 1), g.Normal(8, 1, 1)))
		}},
		{name: "mean variance norm", since: 9, dims: image, calls: "MeanVarianceNormalization", build: func(g *graph, x string) {
			g.Flat(g.Op("MeanVarianceNormalization", nil, x))
		}},
	})
}

func TestSoftmaxes(t *testing.T) {
	image := []int{1, 3, 5, 6}
	var table []form
	for _, op := range []string{"Softmax", "LogSoftmax"} {
		table = append(table,
			form{name: op + " of a vector", dims: image, build: func(g *graph, x string) { g.Flat(g.Op(op, attrs{"axis": 1}, g.Op("Flatten", nil, x))) }},
			form{name: op + " of a vector by default", dims: image, build: func(g *graph, x string) { g.Flat(g.Op(op, nil, g.Op("Flatten", nil, x))) }},
			form{name: op + " of a vector from the end", since: 11, dims: image, build: func(g *graph, x string) {
				g.Flat(g.Op(op, attrs{"axis": -1}, g.Op("Flatten", nil, x)))
			}},
			form{name: op + " of classes as a map", dims: image, build: func(g *graph, x string) {
				g.Flat(g.Op(op, attrs{"axis": 1}, g.Op("GlobalAveragePool", nil, g.Conv(x, 3, 5))))
			}},
			form{name: op + " of channels", since: 13, dims: image, build: func(g *graph, x string) { g.Flat(g.Op(op, attrs{"axis": 1}, x)) }},
			form{name: op + " of all channels and places", until: 12, dims: image, calls: op, build: func(g *graph, x string) { g.Flat(g.Op(op, attrs{"axis": 1}, x)) }},
			form{name: op + " of places", until: 12, dims: image, calls: op, build: func(g *graph, x string) { g.Flat(g.Op(op, attrs{"axis": 2}, x)) }},
			form{name: op + " of rows", dims: image, calls: op, build: func(g *graph, x string) { g.Flat(g.Op(op, attrs{"axis": 3}, x)) }},
			form{name: op + " of columns", since: 13, dims: image, calls: op, build: func(g *graph, x string) { g.Flat(g.Op(op, attrs{"axis": 2}, x)) }},
			form{name: op + " of channels last", dims: image, build: func(g *graph, x string) {
				g.Flat(g.Op(op, attrs{"axis": 3}, g.Transpose(g.Conv(x, 3, 5), 0, 2, 3, 1)))
			}},
		)
	}
	forms(t, table)
}

func TestProducts(t *testing.T) {
	image := []int{1, 3, 4, 5}
	gemm := func(a attrs, w []int, c ...[]int) func(*graph, string) {
		return func(g *graph, x string) {
			in := []string{g.Op("Flatten", nil, x), g.Weights(60, w...)}
			for _, d := range c {
				in = append(in, g.Normal(d...))
			}
			g.Flat(g.Op("Gemm", a, in...))
		}
	}
	forms(t, []form{
		{name: "gemm", dims: image, build: gemm(nil, []int{60, 7}, []int{7})},
		{name: "gemm, transposed", dims: image, build: gemm(attrs{"transB": 1}, []int{7, 60}, []int{7})},
		{name: "gemm, alpha and beta", dims: image, build: gemm(attrs{"transB": 1, "alpha": .5, "beta": 2.}, []int{7, 60}, []int{1, 7})},
		{name: "gemm, scalar bias", dims: image, build: gemm(nil, []int{60, 7}, []int{})},
		{name: "gemm, bias of one", dims: image, build: gemm(nil, []int{60, 7}, []int{1})},
		{name: "gemm without bias", since: 11, dims: image, build: gemm(nil, []int{60, 7})},
		{name: "gemm, one class", dims: image, build: gemm(nil, []int{60, 1}, []int{1})},
		{name: "gemm, transposed input", dims: image, calls: "Gemm", build: func(g *graph, x string) {
			h := g.Transpose(g.Op("Flatten", nil, x), 1, 0)
			g.Flat(g.Op("Gemm", attrs{"transA": 1}, h, g.Weights(60, 60, 3), g.Normal(3)))
		}},
		{name: "gemm, bias made by the image", dims: image, calls: "Gemm", build: func(g *graph, x string) {
			h := g.Op("Flatten", nil, x)
			g.Flat(g.Op("Gemm", nil, h, g.Weights(60, 60, 3), g.Slice(h, []int{0}, []int{3}, []int{1})))
		}},
		{name: "matmul and add", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Add", nil, g.Op("MatMul", nil, g.Op("Flatten", nil, x), g.Weights(60, 60, 7)), g.Normal(7)))
		}},
		{name: "matmul of rank 1", dims: image, build: func(g *graph, x string) {
			h := g.Op("MatMul", nil, g.Squeeze(g.Op("GlobalAveragePool", nil, x)), g.Normal(3, 4))
			g.Output(h, onnx.Float32)
		}},
		{name: "matmul per cell, channels last", dims: image, build: func(g *graph, x string) {
			h := g.Op("MatMul", nil, g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1), g.Weights(4, 4, 6))
			g.Flat(g.Transpose(g.Op("Add", nil, h, g.Normal(6)), 0, 3, 1, 2))
		}},
		{name: "matmul of tokens", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			h := g.Transpose(g.Reshape(g.Conv(x, 3, 4), 1, 4, 20), 0, 2, 1)
			g.Flat(g.Op("MatMul", nil, h, g.Weights(4, 4, 3)))
		}},
		{name: "matmul of rows", dims: image, build: func(g *graph, x string) { g.Flat(g.Op("MatMul", nil, x, g.Normal(5, 2))) }},
		{name: "attention", dims: image, calls: "Transpose Transpose MatMul Softmax MatMul", build: func(g *graph, x string) {
			h := g.Transpose(g.Reshape(x, 1, 3, 20), 0, 2, 1)
			a := g.Op("Softmax", attrs{"axis": 2}, g.Op("MatMul", nil, h, g.Transpose(h, 0, 2, 1)))
			g.Flat(g.Op("MatMul", nil, a, h))
		}},
	})
}

// TestSqueezeAndExcitation: the gate of a block in all its spellings.
func TestSqueezeAndExcitation(t *testing.T) {
	image := []int{1, 3, 6, 5}
	pools := map[string]func(g *graph, h string, keep bool) string{
		"pool": func(g *graph, h string, keep bool) string {
			if h = g.Op("GlobalAveragePool", nil, h); !keep {
				h = g.Op("Flatten", nil, h)
			}
			return h
		},
		"mean": func(g *graph, h string, keep bool) string {
			if keep {
				return g.Reduce("ReduceMean", h, 1, 2, 3)
			}
			return g.Reduce("ReduceMean", h, 0, 2, 3)
		},
	}
	bends := map[string]func(g *graph, v string) string{
		"conv": func(g *graph, v string) string {
			return g.Conv1(g.Op("Relu", nil, g.Conv1(v, 8, 2)), 2, 8)
		},
		"gemm": func(g *graph, v string) string {
			v = g.Op("Relu", nil, g.Op("Gemm", attrs{"transB": 1}, v, g.Weights(8, 2, 8), g.Normal(2)))
			return g.Reshape(g.Op("Gemm", attrs{"transB": 1}, v, g.Weights(2, 8, 2), g.Normal(8)), 1, 8, 1, 1)
		},
		"matmul": func(g *graph, v string) string {
			v = g.Op("Relu", nil, g.Op("MatMul", nil, v, g.Weights(8, 8, 2)))
			return g.Unsqueeze(g.Op("MatMul", nil, v, g.Weights(2, 2, 8)), 2, 3)
		},
	}
	var table []form
	for pool, p := range pools {
		for bend, e := range bends {
			for _, op := range []string{"Sigmoid", "HardSigmoid"} {
				table = append(table, form{name: fmt.Sprintf("%s %s %s", pool, bend, op), dims: image, build: func(g *graph, x string) {
					h := g.Op("Relu", nil, g.Conv(x, 3, 8))
					gate := g.Op(op, nil, e(g, p(g, h, bend == "conv")))
					g.Flat(g.Conv(g.Op("Mul", nil, gate, h), 8, 2))
				}})
			}
		}
	}
	table = append(table, form{name: "channels last", dims: image, build: func(g *graph, x string) {
		// Keras: the mean over [1, 2], a reshape, two dense layers over the map's last axis.
		h := g.Transpose(g.Conv(x, 3, 8), 0, 2, 3, 1)
		v := g.Reshape(g.Reduce("ReduceMean", h, 0, 1, 2), -1, 1, 1, 8)
		v = g.Op("Relu", nil, g.Op("MatMul", nil, v, g.Weights(8, 8, 2)))
		v = g.Op("Sigmoid", nil, g.Op("MatMul", nil, v, g.Weights(2, 2, 8)))
		g.Flat(g.Transpose(g.Op("Mul", nil, h, v), 0, 3, 1, 2))
	}})
	forms(t, table, 7, 11, 13, 18)
}

func TestHeads(t *testing.T) {
	image := []int{1, 3, 6, 5}
	class := func(g *graph, v string) { g.Flat(g.Op("Gemm", nil, v, g.Weights(4, 4, 3), g.Normal(3))) }
	forms(t, []form{
		{name: "pool, flatten, gemm", dims: image, build: func(g *graph, x string) {
			class(g, g.Op("Flatten", nil, g.Op("GlobalAveragePool", nil, g.Conv(x, 3, 4))))
		}},
		{name: "mean, gemm", dims: image, build: func(g *graph, x string) { class(g, g.Reduce("ReduceMean", g.Conv(x, 3, 4), 0, 2, 3)) }},
		{name: "mean of channels last", dims: image, build: func(g *graph, x string) {
			class(g, g.Reduce("ReduceMean", g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1), 0, 1, 2))
		}},
		{name: "mean kept, squeezed", dims: image, build: func(g *graph, x string) {
			class(g, g.Squeeze(g.Reduce("ReduceMean", g.Conv(x, 3, 4), 1, 2, 3), 2, 3))
		}},
		{name: "convolution of the pooled", dims: image, build: func(g *graph, x string) {
			g.Output(g.Conv1(g.Op("GlobalAveragePool", nil, g.Conv(x, 3, 4)), 4, 3), onnx.Float32, 1, 3, 1, 1)
		}},
		{name: "pool of a convolution", dims: image, build: func(g *graph, x string) {
			g.Flat(g.Op("Softmax", attrs{"axis": 1}, g.Op("Flatten", nil, g.Op("GlobalAveragePool", nil, g.Conv1(g.Conv(x, 3, 4), 4, 3)))))
		}},
		{name: "average pool over the map", dims: image, build: func(g *graph, x string) {
			class(g, g.Reshape(g.Op("AveragePool", attrs{"kernel_shape": []int{6, 5}}, g.Conv(x, 3, 4)), 1, 4))
		}},
		{name: "flattened map, channels last", dims: image, build: func(g *graph, x string) {
			h := g.Reshape(g.Transpose(g.Conv(x, 3, 4), 0, 2, 3, 1), -1, 120)
			g.Flat(g.Op("Add", nil, g.Op("MatMul", nil, h, g.Weights(120, 120, 3)), g.Normal(3)))
		}},
		{name: "two layers with dropout", dims: image, build: func(g *graph, x string) {
			h := g.Op("Flatten", nil, g.Conv(x, 3, 4))
			h = g.Op("Relu", nil, g.Op("Gemm", nil, h, g.Weights(120, 120, 4), g.Normal(4)))
			class(g, g.Op("Dropout", nil, h))
		}},
	})
}

// TestKeras is a model as tf2onnx writes it: NHWC throughout, with a Transpose
// to the convolutions' order at the front, padding and biases apart.
func TestKeras(t *testing.T) {
	forms(t, []form{{name: "hard swish net", dims: []int{-1, 9, 8, 3}, build: func(g *graph, x string) {
		x = g.Op("Sub", nil, g.Op("Mul", nil, x, g.Num(2)), g.Normal(3)) // preprocessing inside of the model
		h := g.Pad(g.Transpose(x, 0, 3, 1, 2), "constant", 0, 0, 0, 1, 1, 0, 0, 1, 1)
		h = g.Op("Conv", attrs{"strides": []int{2, 2}}, h, g.Weights(27, 6, 3, 3, 3))
		h = g.Op("Add", nil, g.Transpose(h, 0, 2, 3, 1), g.Normal(6))
		h = g.Op("Mul", nil, h, g.Op("Mul", nil, g.Clip(g.Op("Add", nil, h, g.Num(3)), 0, 6), g.Num(1./6)))
		skip := h
		h = g.Op("Conv", attrs{"group": 6, "auto_pad": "SAME_UPPER"}, g.Transpose(h, 0, 3, 1, 2), g.Weights(9, 6, 1, 3, 3))
		h = g.Transpose(h, 0, 2, 3, 1)
		h = g.Op("Add", nil, g.Op("Mul", nil, h, g.Normal(6)), g.Normal(6)) // batch norm in parts
		h = g.Op("Add", nil, skip, g.Op("PRelu", nil, h, g.Normal(1, 1, 6)))
		h = g.Op("Concat", attrs{"axis": 3}, h, g.Op("Relu", nil, h))
		v := g.Reduce("ReduceMean", h, 0, 1, 2)
		v = g.Op("Add", nil, g.Op("MatMul", nil, v, g.Weights(12, 12, 4)), g.Normal(4))
		g.Output(g.Op("Softmax", attrs{"axis": 1}, v), onnx.Float32)
	}}})
}
