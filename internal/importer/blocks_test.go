package importer

import (
	"fmt"
	"testing"

	"occlude/internal/onnx"
)

func TestNormalizations(t *testing.T) {
	image := []int{1, 3, 5, 6}
	moments := func(g *graph, x string, axes ...int) string { // layer norm as older exporters write it
		d := g.op("Sub", nil, x, g.reduce("ReduceMean", x, 1, axes...))
		v := g.reduce("ReduceMean", g.op("Pow", nil, d, g.num(2)), 1, axes...)
		return g.op("Div", nil, d, g.op("Sqrt", nil, g.op("Add", nil, v, g.num(1e-3))))
	}
	forms(t, []form{
		{name: "batch norm", dims: image, build: func(g *graph, x string) { g.flat(g.batchNorm(x, 3)) }},
		{name: "batch norm with epsilon", dims: image, build: func(g *graph, x string) {
			g.flat(g.op("BatchNormalization", attrs{"epsilon": .1, "momentum": .5}, x, g.random(3), g.random(3), g.random(3), g.positive(3)))
		}},
		{name: "batch norm of a vector", dims: image, build: func(g *graph, x string) { g.flat(g.batchNorm(g.op("Flatten", nil, x), 90)) }},
		{name: "batch norm of factors", dims: image, calls: "BatchNormalization", build: func(g *graph, x string) {
			g.flat(g.batchNorm(g.reshape(g.conv(x, 3, 6), 1, 3, 2, 5, 6), 3))
		}},
		{name: "batch norm before and after a convolution", dims: image, build: func(g *graph, x string) {
			g.flat(g.batchNorm(g.conv(g.batchNorm(x, 3), 3, 4), 4))
		}},
		{name: "batch norm made by the image", dims: image, calls: "BatchNormalization", build: func(g *graph, x string) {
			g.flat(g.op("BatchNormalization", nil, x, g.positive(3), g.squeeze(g.op("GlobalMaxPool", nil, x)), g.random(3), g.positive(3)))
		}},
		{name: "batch norm in parts, channels last", dims: image, build: func(g *graph, x string) {
			h := g.transpose(g.conv(x, 3, 4), 0, 2, 3, 1)
			g.flat(g.op("Add", nil, g.op("Mul", nil, h, g.random(4)), g.random(4)))
		}},
		{name: "instance norm", dims: image, build: func(g *graph, x string) {
			g.flat(g.op("InstanceNormalization", attrs{"epsilon": 1e-2}, g.conv(x, 3, 4), g.random(4), g.random(4)))
		}},
		{name: "instance norm of rank 3", dims: image, calls: "InstanceNormalization", build: func(g *graph, x string) {
			h := g.op("InstanceNormalization", nil, g.reshape(g.conv(x, 3, 4), 1, 2, 60), g.random(2), g.random(2))
			g.flat(g.conv(g.reshape(h, 1, 4, 5, 6), 4, 2))
		}},
		{name: "group norm", since: 21, dims: image, calls: "GroupNormalization", build: func(g *graph, x string) {
			g.flat(g.conv(g.op("GroupNormalization", attrs{"num_groups": 2}, g.conv(x, 3, 4), g.random(4), g.random(4)), 4, 2))
		}},
		{name: "lrn", dims: image, build: func(g *graph, x string) { g.flat(g.op("LRN", attrs{"size": 3}, g.conv(x, 3, 7))) }},
		{name: "lrn with numbers, even size", dims: image, build: func(g *graph, x string) {
			g.flat(g.op("LRN", attrs{"size": 4, "alpha": .5, "beta": .6, "bias": 2.}, g.conv(x, 3, 7)))
		}},
		{name: "layer norm over channels last", since: 17, dims: image, build: func(g *graph, x string) {
			h := g.op("LayerNormalization", attrs{"epsilon": 1e-3}, g.transpose(g.conv(x, 3, 8), 0, 2, 3, 1), g.random(8), g.random(8))
			g.flat(g.transpose(h, 0, 3, 1, 2))
		}},
		{name: "layer norm of a vector, without a shift", since: 17, dims: image, build: func(g *graph, x string) {
			g.flat(g.op("LayerNormalization", attrs{"axis": 1}, g.op("Flatten", nil, x), g.random(90)))
		}},
		{name: "layer norm over the map", since: 17, dims: image, calls: "LayerNormalization", build: func(g *graph, x string) {
			g.flat(g.op("LayerNormalization", attrs{"axis": 1}, x, g.random(3, 5, 6), g.random(3, 5, 6)))
		}},
		{name: "layer norm over rows", since: 17, dims: image, calls: "LayerNormalization", build: func(g *graph, x string) {
			g.flat(g.op("LayerNormalization", nil, x, g.random(6), g.random(6)))
		}},
		{name: "layer norm in parts, channels last", dims: image, build: func(g *graph, x string) {
			h := moments(g, g.transpose(g.conv(x, 3, 8), 0, 2, 3, 1), -1+4)
			h = g.op("Add", nil, g.op("Mul", nil, h, g.random(8)), g.random(8))
			g.flat(g.transpose(h, 0, 3, 1, 2))
		}},
		{name: "layer norm in parts, channels first", dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Mul", nil, moments(g, g.conv(x, 3, 8), 1), g.random(8, 1, 1)))
		}},
		{name: "mean variance norm", since: 9, dims: image, calls: "MeanVarianceNormalization", build: func(g *graph, x string) {
			g.flat(g.op("MeanVarianceNormalization", nil, x))
		}},
	})
}

func TestSoftmaxes(t *testing.T) {
	image := []int{1, 3, 5, 6}
	var table []form
	for _, op := range []string{"Softmax", "LogSoftmax"} {
		table = append(table,
			form{name: op + " of a vector", dims: image, build: func(g *graph, x string) { g.flat(g.op(op, attrs{"axis": 1}, g.op("Flatten", nil, x))) }},
			form{name: op + " of a vector by default", dims: image, build: func(g *graph, x string) { g.flat(g.op(op, nil, g.op("Flatten", nil, x))) }},
			form{name: op + " of a vector from the end", since: 11, dims: image, build: func(g *graph, x string) {
				g.flat(g.op(op, attrs{"axis": -1}, g.op("Flatten", nil, x)))
			}},
			form{name: op + " of classes as a map", dims: image, build: func(g *graph, x string) {
				g.flat(g.op(op, attrs{"axis": 1}, g.op("GlobalAveragePool", nil, g.conv(x, 3, 5))))
			}},
			form{name: op + " of channels", since: 13, dims: image, build: func(g *graph, x string) { g.flat(g.op(op, attrs{"axis": 1}, x)) }},
			form{name: op + " of all channels and places", until: 12, dims: image, calls: op, build: func(g *graph, x string) { g.flat(g.op(op, attrs{"axis": 1}, x)) }},
			form{name: op + " of places", until: 12, dims: image, calls: op, build: func(g *graph, x string) { g.flat(g.op(op, attrs{"axis": 2}, x)) }},
			form{name: op + " of rows", dims: image, calls: op, build: func(g *graph, x string) { g.flat(g.op(op, attrs{"axis": 3}, x)) }},
			form{name: op + " of columns", since: 13, dims: image, calls: op, build: func(g *graph, x string) { g.flat(g.op(op, attrs{"axis": 2}, x)) }},
			form{name: op + " of channels last", dims: image, build: func(g *graph, x string) {
				g.flat(g.op(op, attrs{"axis": 3}, g.transpose(g.conv(x, 3, 5), 0, 2, 3, 1)))
			}},
		)
	}
	forms(t, table)
}

func TestProducts(t *testing.T) {
	image := []int{1, 3, 4, 5}
	gemm := func(a attrs, w []int, c ...[]int) func(*graph, string) {
		return func(g *graph, x string) {
			in := []string{g.op("Flatten", nil, x), g.weights(60, w...)}
			for _, d := range c {
				in = append(in, g.random(d...))
			}
			g.flat(g.op("Gemm", a, in...))
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
			h := g.transpose(g.op("Flatten", nil, x), 1, 0)
			g.flat(g.op("Gemm", attrs{"transA": 1}, h, g.weights(60, 60, 3), g.random(3)))
		}},
		{name: "gemm, bias made by the image", dims: image, calls: "Gemm", build: func(g *graph, x string) {
			h := g.op("Flatten", nil, x)
			g.flat(g.op("Gemm", nil, h, g.weights(60, 60, 3), g.slice(h, []int{0}, []int{3}, []int{1})))
		}},
		{name: "matmul and add", dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Add", nil, g.op("MatMul", nil, g.op("Flatten", nil, x), g.weights(60, 60, 7)), g.random(7)))
		}},
		{name: "matmul of rank 1", dims: image, build: func(g *graph, x string) {
			h := g.op("MatMul", nil, g.squeeze(g.op("GlobalAveragePool", nil, x)), g.random(3, 4))
			g.Output(h, onnx.Float32)
		}},
		{name: "matmul per cell, channels last", dims: image, build: func(g *graph, x string) {
			h := g.op("MatMul", nil, g.transpose(g.conv(x, 3, 4), 0, 2, 3, 1), g.weights(4, 4, 6))
			g.flat(g.transpose(g.op("Add", nil, h, g.random(6)), 0, 3, 1, 2))
		}},
		{name: "matmul of tokens", dims: image, calls: "Transpose", build: func(g *graph, x string) {
			h := g.transpose(g.reshape(g.conv(x, 3, 4), 1, 4, 20), 0, 2, 1)
			g.flat(g.op("MatMul", nil, h, g.weights(4, 4, 3)))
		}},
		{name: "matmul of rows", dims: image, build: func(g *graph, x string) { g.flat(g.op("MatMul", nil, x, g.random(5, 2))) }},
		{name: "attention", dims: image, calls: "Transpose Transpose MatMul Softmax MatMul", build: func(g *graph, x string) {
			h := g.transpose(g.reshape(x, 1, 3, 20), 0, 2, 1)
			a := g.op("Softmax", attrs{"axis": 2}, g.op("MatMul", nil, h, g.transpose(h, 0, 2, 1)))
			g.flat(g.op("MatMul", nil, a, h))
		}},
	})
}

// TestSqueezeAndExcitation: the gate of a block in all its spellings.
func TestSqueezeAndExcitation(t *testing.T) {
	image := []int{1, 3, 6, 5}
	pools := map[string]func(g *graph, h string, keep bool) string{
		"pool": func(g *graph, h string, keep bool) string {
			if h = g.op("GlobalAveragePool", nil, h); !keep {
				h = g.op("Flatten", nil, h)
			}
			return h
		},
		"mean": func(g *graph, h string, keep bool) string {
			if keep {
				return g.reduce("ReduceMean", h, 1, 2, 3)
			}
			return g.reduce("ReduceMean", h, 0, 2, 3)
		},
	}
	bends := map[string]func(g *graph, v string) string{
		"conv": func(g *graph, v string) string {
			return g.conv1(g.op("Relu", nil, g.conv1(v, 8, 2)), 2, 8)
		},
		"gemm": func(g *graph, v string) string {
			v = g.op("Relu", nil, g.op("Gemm", attrs{"transB": 1}, v, g.weights(8, 2, 8), g.random(2)))
			return g.reshape(g.op("Gemm", attrs{"transB": 1}, v, g.weights(2, 8, 2), g.random(8)), 1, 8, 1, 1)
		},
		"matmul": func(g *graph, v string) string {
			v = g.op("Relu", nil, g.op("MatMul", nil, v, g.weights(8, 8, 2)))
			return g.unsqueeze(g.op("MatMul", nil, v, g.weights(2, 2, 8)), 2, 3)
		},
	}
	var table []form
	for pool, p := range pools {
		for bend, e := range bends {
			for _, op := range []string{"Sigmoid", "HardSigmoid"} {
				table = append(table, form{name: fmt.Sprintf("%s %s %s", pool, bend, op), dims: image, build: func(g *graph, x string) {
					h := g.op("Relu", nil, g.conv(x, 3, 8))
					gate := g.op(op, nil, e(g, p(g, h, bend == "conv")))
					g.flat(g.conv(g.op("Mul", nil, gate, h), 8, 2))
				}})
			}
		}
	}
	table = append(table, form{name: "channels last", dims: image, build: func(g *graph, x string) {
		// Keras: the mean over [1, 2], a reshape, two dense layers over the map's last axis.
		h := g.transpose(g.conv(x, 3, 8), 0, 2, 3, 1)
		v := g.reshape(g.reduce("ReduceMean", h, 0, 1, 2), -1, 1, 1, 8)
		v = g.op("Relu", nil, g.op("MatMul", nil, v, g.weights(8, 8, 2)))
		v = g.op("Sigmoid", nil, g.op("MatMul", nil, v, g.weights(2, 2, 8)))
		g.flat(g.transpose(g.op("Mul", nil, h, v), 0, 3, 1, 2))
	}})
	forms(t, table, 7, 11, 13, 18)
}

func TestHeads(t *testing.T) {
	image := []int{1, 3, 6, 5}
	class := func(g *graph, v string) { g.flat(g.op("Gemm", nil, v, g.weights(4, 4, 3), g.random(3))) }
	forms(t, []form{
		{name: "pool, flatten, gemm", dims: image, build: func(g *graph, x string) {
			class(g, g.op("Flatten", nil, g.op("GlobalAveragePool", nil, g.conv(x, 3, 4))))
		}},
		{name: "mean, gemm", dims: image, build: func(g *graph, x string) { class(g, g.reduce("ReduceMean", g.conv(x, 3, 4), 0, 2, 3)) }},
		{name: "mean of channels last", dims: image, build: func(g *graph, x string) {
			class(g, g.reduce("ReduceMean", g.transpose(g.conv(x, 3, 4), 0, 2, 3, 1), 0, 1, 2))
		}},
		{name: "mean kept, squeezed", dims: image, build: func(g *graph, x string) {
			class(g, g.squeeze(g.reduce("ReduceMean", g.conv(x, 3, 4), 1, 2, 3), 2, 3))
		}},
		{name: "convolution of the pooled", dims: image, build: func(g *graph, x string) {
			g.Output(g.conv1(g.op("GlobalAveragePool", nil, g.conv(x, 3, 4)), 4, 3), onnx.Float32, 1, 3, 1, 1)
		}},
		{name: "pool of a convolution", dims: image, build: func(g *graph, x string) {
			g.flat(g.op("Softmax", attrs{"axis": 1}, g.op("Flatten", nil, g.op("GlobalAveragePool", nil, g.conv1(g.conv(x, 3, 4), 4, 3)))))
		}},
		{name: "average pool over the map", dims: image, build: func(g *graph, x string) {
			class(g, g.reshape(g.op("AveragePool", attrs{"kernel_shape": []int{6, 5}}, g.conv(x, 3, 4)), 1, 4))
		}},
		{name: "flattened map, channels last", dims: image, build: func(g *graph, x string) {
			h := g.reshape(g.transpose(g.conv(x, 3, 4), 0, 2, 3, 1), -1, 120)
			g.flat(g.op("Add", nil, g.op("MatMul", nil, h, g.weights(120, 120, 3)), g.random(3)))
		}},
		{name: "two layers with dropout", dims: image, build: func(g *graph, x string) {
			h := g.op("Flatten", nil, g.conv(x, 3, 4))
			h = g.op("Relu", nil, g.op("Gemm", nil, h, g.weights(120, 120, 4), g.random(4)))
			class(g, g.op("Dropout", nil, h))
		}},
	})
}

// TestKeras is a model as tf2onnx writes it: NHWC throughout, with a Transpose
// to the convolutions' order at the front, padding and biases apart.
func TestKeras(t *testing.T) {
	forms(t, []form{{name: "hard swish net", dims: []int{-1, 9, 8, 3}, build: func(g *graph, x string) {
		x = g.op("Sub", nil, g.op("Mul", nil, x, g.num(2)), g.random(3)) // preprocessing inside of the model
		h := g.pad(g.transpose(x, 0, 3, 1, 2), "constant", 0, 0, 0, 1, 1, 0, 0, 1, 1)
		h = g.op("Conv", attrs{"strides": []int{2, 2}}, h, g.weights(27, 6, 3, 3, 3))
		h = g.op("Add", nil, g.transpose(h, 0, 2, 3, 1), g.random(6))
		h = g.op("Mul", nil, h, g.op("Mul", nil, g.clip(g.op("Add", nil, h, g.num(3)), 0, 6), g.num(1./6)))
		skip := h
		h = g.op("Conv", attrs{"group": 6, "auto_pad": "SAME_UPPER"}, g.transpose(h, 0, 3, 1, 2), g.weights(9, 6, 1, 3, 3))
		h = g.transpose(h, 0, 2, 3, 1)
		h = g.op("Add", nil, g.op("Mul", nil, h, g.random(6)), g.random(6)) // batch norm in parts
		h = g.op("Add", nil, skip, g.op("PRelu", nil, h, g.random(1, 1, 6)))
		h = g.op("Concat", attrs{"axis": 3}, h, g.op("Relu", nil, h))
		v := g.reduce("ReduceMean", h, 0, 1, 2)
		v = g.op("Add", nil, g.op("MatMul", nil, v, g.weights(12, 12, 4)), g.random(4))
		g.Output(g.op("Softmax", attrs{"axis": 1}, v), onnx.Float32)
	}}})
}
