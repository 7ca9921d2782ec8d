package importer

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"occlude/internal/onnx"
)

// chain grows a random model: a value of known shape on which steps are put,
// and earlier values that later steps may join again.
type chain struct {
	*graph
	x       string
	c, h, w int
	last    bool // channels are the last axis
	earlier []stop
}

type stop struct {
	x       string
	c, h, w int
	last    bool
}

func (k *chain) dims(c, h, w int) []int {
	if k.last {
		return []int{1, h, w, c}
	}
	return []int{1, c, h, w}
}

// axis of the channels, rows or columns (0, 1, 2).
func (k *chain) axis(i int) int {
	if k.last {
		return []int{3, 1, 2}[i]
	}
	return i + 1
}

func (k *chain) set(x string, c, h, w int) { k.x, k.c, k.h, k.w = x, c, h, w }

// perChannel is a random constant that is repeated over the places.
func (k *chain) perChannel() string {
	if k.last {
		return k.positive(k.c)
	}
	return k.positive(k.c, 1, 1)
}

// first goes to the convolutions' order and last to the other.
func (k *chain) first() {
	if k.last {
		k.x, k.last = k.transpose(k.x, 0, 3, 1, 2), false
	}
}

// steps are what a chain is made of; each leaves it sound.
var steps = []struct {
	name string
	do   func(k *chain)
}{
	{"conv", func(k *chain) {
		k.first()
		out, a := 1+k.rng.IntN(6), attrs{}
		kh, kw, stride, dilation := 1+k.rng.IntN(3), 1+k.rng.IntN(3), 1+k.rng.IntN(2), 1+k.rng.IntN(2)
		pads := []int{k.rng.IntN(3), k.rng.IntN(3), k.rng.IntN(3), k.rng.IntN(3)}
		size := func(n, kernel, before, after int) int { return (n+before+after-(kernel-1)*dilation-1)/stride + 1 }
		if k.h+pads[0]+pads[2] <= (kh-1)*dilation || k.w+pads[1]+pads[3] <= (kw-1)*dilation {
			return
		}
		a["strides"], a["dilations"], a["pads"] = []int{stride, stride}, []int{dilation, dilation}, pads
		group := 1
		if k.rng.IntN(3) == 0 {
			group, out = k.c, k.c*(1+k.rng.IntN(2))
		}
		a["group"] = group
		in := []string{k.x, k.weights(k.c/group*kh*kw, out, k.c/group, kh, kw)}
		if k.rng.IntN(2) == 0 {
			in = append(in, k.random(out))
		}
		k.set(k.op("Conv", a, in...), out, size(k.h, kh, pads[0], pads[2]), size(k.w, kw, pads[1], pads[3]))
	}},
	{"pool", func(k *chain) {
		k.first()
		if min(k.h, k.w) < 3 {
			return
		}
		op, a := "MaxPool", attrs{"kernel_shape": []int{3, 2}, "strides": []int{2, 1}, "pads": []int{1, 0, 1, 1}}
		if k.rng.IntN(2) == 0 {
			op, a["count_include_pad"] = "AveragePool", k.rng.IntN(2)
		}
		k.set(k.op(op, a, k.x), k.c, (k.h-1)/2+1, k.w)
	}},
	{"same pool", func(k *chain) {
		k.first()
		k.set(k.op("MaxPool", attrs{"kernel_shape": []int{2, 2}, "strides": []int{2, 2}, "auto_pad": "SAME_UPPER"}, k.x), k.c, (k.h+1)/2, (k.w+1)/2)
	}},
	{"activation", func(k *chain) {
		ops := []string{"Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Abs", "Neg", "HardSigmoid", "Softplus"}
		k.x = k.op(ops[k.rng.IntN(len(ops))], nil, k.x)
	}},
	{"clip", func(k *chain) { k.x = k.clip(k.x, -.75, 1.5) }},
	{"hard swish", func(k *chain) {
		gate := k.clip(k.op("Add", nil, k.x, k.num(3)), 0, 6)
		k.x = k.op("Mul", nil, k.x, k.op("Div", nil, gate, k.num(6)))
	}},
	{"swish", func(k *chain) { k.x = k.op("Mul", nil, k.op("Sigmoid", nil, k.x), k.x) }},
	{"batch norm", func(k *chain) { k.first(); k.x = k.batchNorm(k.x, k.c) }},
	{"batch norm in parts", func(k *chain) {
		k.x = k.op("Add", nil, k.op("Mul", nil, k.x, k.perChannel()), k.perChannel())
	}},
	{"constant on the left", func(k *chain) {
		if k.rng.IntN(2) == 0 {
			k.x = k.op("Sub", nil, k.perChannel(), k.x)
			return
		}
		k.x = k.op("Div", nil, k.perChannel(), k.op("Add", nil, k.op("Abs", nil, k.x), k.num(.5)))
	}},
	{"prelu", func(k *chain) { k.x = k.op("PRelu", nil, k.x, k.perChannel()) }},
	{"squeeze and excitation", func(k *chain) {
		v := k.reduce("ReduceMean", k.x, 1, k.axis(1), k.axis(2))
		v = k.op("Mul", nil, v, k.perChannel())
		k.x = k.op("Mul", nil, k.x, k.op("Sigmoid", nil, v))
	}},
	{"spatial attention", func(k *chain) {
		k.x = k.op("Mul", nil, k.op("Sigmoid", nil, k.reduce("ReduceMax", k.x, 1, k.axis(0))), k.x)
	}},
	{"strip pooling", func(k *chain) {
		k.x = k.op("Add", nil, k.x, k.reduce("ReduceMean", k.x, 1, k.axis(1+k.rng.IntN(2))))
	}},
	{"to channels last", func(k *chain) {
		if !k.last {
			k.x, k.last = k.transpose(k.x, 0, 2, 3, 1), true
		}
	}},
	{"to channels first", func(k *chain) { k.first() }},
	{"linear", func(k *chain) {
		if k.last {
			out := 1 + k.rng.IntN(5)
			k.set(k.op("MatMul", nil, k.x, k.weights(k.c, k.c, out)), out, k.h, k.w)
		}
	}},
	{"layer norm", func(k *chain) {
		if k.last && k.opset >= 17 && k.c > 2 {
			k.x = k.op("LayerNormalization", attrs{"epsilon": .1}, k.x, k.positive(k.c), k.random(k.c))
		}
	}},
	{"lrn", func(k *chain) { k.first(); k.x = k.op("LRN", attrs{"size": 3, "alpha": .1}, k.x) }},
	{"instance norm", func(k *chain) {
		k.first()
		if k.h*k.w > 3 {
			k.x = k.op("InstanceNormalization", attrs{"epsilon": .1}, k.x, k.positive(k.c), k.random(k.c))
		}
	}},
	{"softmax of channels", func(k *chain) {
		if k.opset >= 13 || k.last {
			k.x = k.op("Softmax", attrs{"axis": k.axis(0)}, k.x)
		}
	}},
	{"shuffle", func(k *chain) {
		k.first()
		if k.c%2 != 0 {
			return
		}
		x := k.transpose(k.reshape(k.x, 1, 2, k.c/2, k.h, k.w), 0, 2, 1, 3, 4)
		k.x = k.reshape(x, 1, -1, k.h, k.w)
	}},
	{"split and join", func(k *chain) {
		i := k.rng.IntN(3)
		if n := []int{k.c, k.h, k.w}[i]; n >= 2 {
			at := 1 + k.rng.IntN(n-1)
			parts := k.split(k.x, k.axis(i), 2, at, n-at)
			k.x = k.op("Concat", attrs{"axis": k.axis(i)}, k.op("Relu", nil, parts[1]), parts[0])
		}
	}},
	{"crop", func(k *chain) {
		if min(k.h, k.w) >= 4 {
			k.set(k.slice(k.x, []int{1, 0}, []int{1 << 40, -1}, []int{k.axis(1), k.axis(2)}), k.c, k.h-1, k.w-1)
		}
	}},
	{"pad", func(k *chain) {
		mode := []string{"constant", "edge", "reflect"}[k.rng.IntN(3)]
		if min(k.h, k.w) < 3 {
			return
		}
		pads := make([]int, 8)
		for i := range pads {
			if axis := i % 4; axis == k.axis(1) || axis == k.axis(2) {
				pads[i] = k.rng.IntN(3)
			}
		}
		h, w := k.h+pads[k.axis(1)]+pads[4+k.axis(1)], k.w+pads[k.axis(2)]+pads[4+k.axis(2)]
		k.set(k.pad(k.x, mode, .5, pads...), k.c, h, w)
	}},
	{"more channels", func(k *chain) {
		pads := make([]int, 8)
		pads[k.axis(0)], pads[4+k.axis(0)] = k.rng.IntN(2), 1
		k.set(k.pad(k.x, "constant", 0, pads...), k.c+1+pads[k.axis(0)], k.h, k.w)
	}},
	{"pick channels", func(k *chain) {
		if k.c >= 2 {
			k.set(k.op("Gather", attrs{"axis": k.axis(0)}, k.x, k.ints(k.c-1, 0)), 2, k.h, k.w)
		}
	}},
	{"through a vector", func(k *chain) {
		x := k.op("Relu", nil, k.op("Flatten", attrs{"axis": 1}, k.x))
		k.x = k.reshape(x, k.dims(k.c, k.h, k.w)...)
	}},
	{"without the batch axis", func(k *chain) {
		k.x = k.unsqueeze(k.op("Tanh", nil, k.squeeze(k.x, 0)), 0)
	}},
	{"remember", func(k *chain) { k.earlier = append(k.earlier, stop{k.x, k.c, k.h, k.w, k.last}) }},
	{"join again", func(k *chain) {
		for _, s := range k.earlier {
			if s.last != k.last || s.h != k.h || s.w != k.w {
				continue
			}
			if s.c == k.c && k.rng.IntN(2) == 0 {
				ops := []string{"Add", "Mul", "Sub", "Max", "Min", "Sum", "Mean"}
				k.x = k.op(ops[k.rng.IntN(len(ops))], nil, k.x, s.x)
				return
			}
			k.set(k.op("Concat", attrs{"axis": k.axis(0)}, s.x, k.x), k.c+s.c, k.h, k.w)
			return
		}
	}},
	{"function", func(k *chain) {
		k.x = k.op("LpNormalization", attrs{"axis": k.axis(2)}, k.op("Add", nil, k.x, k.num(3)))
	}},
}

// randomModel grows a chain and ends it in a head.
func randomModel(rng *rand.Rand) (*graph, string) {
	opset := opsets[rng.IntN(len(opsets))]
	k := &chain{c: 1 + 2*rng.IntN(2), h: 5 + rng.IntN(6), w: 5 + rng.IntN(6), last: rng.IntN(3) == 0}
	k.graph, k.x = newGraph(opset, k.dims(k.c, k.h, k.w)...)
	k.rng = rng
	story := fmt.Sprintf("opset %d, %dx%dx%d, channels last %v", opset, k.h, k.w, k.c, k.last)
	for range 3 + rng.IntN(10) {
		s := steps[rng.IntN(len(steps))]
		before := k.x
		s.do(k)
		if k.x != before || s.name == "remember" {
			story += ", " + s.name
		}
		if k.c*k.h*k.w > 4000 { // keep it quick
			break
		}
	}
	switch rng.IntN(3) {
	case 0:
		k.x = k.reduce("ReduceMean", k.x, 0, k.axis(1), k.axis(2))
		k.x = k.op("Gemm", nil, k.x, k.weights(k.c, k.c, 4), k.random(4))
	case 1:
		k.first()
		k.x = k.squeeze(k.op("GlobalMaxPool", nil, k.x), 2, 3)
	default:
		n := k.c * k.h * k.w
		k.x = k.op("Add", nil, k.op("MatMul", nil, k.reshape(k.x, -1, n), k.weights(n, n, 4)), k.random(4))
	}
	k.Output(k.x, onnx.Float32)
	return k.graph, story
}

// TestRandomModels compares random chains of all that classifiers are made of
// with the reference, in full and incrementally.
func TestRandomModels(t *testing.T) {
	for seed := range uint64(250) {
		g, story := randomModel(rand.New(rand.NewPCG(seed, 5)))
		opts := Options{}
		if in := g.Proto.Graph.Input[0].Type.GetTensorType().Shape.Dim; in[3].GetDimValue() <= 3 {
			opts.Layout = "nhwc"
		}
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { check(t, g.Model, opts) }) {
			t.Log(story)
		}
	}
}
