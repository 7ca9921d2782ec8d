package main

import (
	"bytes"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/internal/network"
	"occlude/internal/network/networktest"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// side is the width and height of the images of the networks below.
const side = 12

// builder adds layers with random weights.
type builder struct {
	*onnxtest.Model
	rng *rand.Rand
}

func newBuilder() builder {
	b := builder{onnxtest.New(13), rand.New(rand.NewPCG(7, 11))}
	b.Input("x", onnx.Float32, 1, 3, side, side)
	return b
}

func (b builder) weights(name string, dims ...int) string {
	n := 1
	for _, d := range dims {
		n *= d
	}
	b.Init(name, onnx.New(dims, networktest.Values(b.rng, n, 0.5)))
	return name
}

func (b builder) conv(in, out string, group int, dims ...int) {
	inputs := in + " " + b.weights(out+".w", dims...) + " " + b.weights(out+".b", dims[0])
	b.Node("Conv", inputs, out, onnxtest.Attrs{"group": group, "pads": []int{dims[2] / 2, dims[3] / 2, dims[2] / 2, dims[3] / 2}})
}

func (b builder) dense(in, out string, dims ...int) {
	b.Node("Gemm", in+" "+b.weights(out+".w", dims...)+" "+b.weights(out+".b", dims[0]), out, onnxtest.Attrs{"transB": 1})
}

// networks hold what the widener knows, each under what it is there for.
var networks = map[string]func(b builder){
	"a residual block with normalisation": func(b builder) {
		b.conv("x", "a", 1, 4, 3, 3, 3)
		b.Init("var", onnx.New([]int{4}, []float32{1, 2, .5, 1.5}))
		b.Node("BatchNormalization", "a "+b.weights("s", 4)+" "+b.weights("t", 4)+" "+b.weights("mean", 4)+" var", "n", nil)
		b.Node("Relu", "n", "r", nil)
		b.conv("r", "c", 1, 4, 4, 3, 3)
		b.Node("Add", "c r", "d", nil)
		b.Node("GlobalAveragePool", "d", "g", nil)
		b.Node("Flatten", "g", "f", nil)
		b.dense("f", "y", 5, 4)
	},
	"depthwise and grouped convolutions": func(b builder) {
		b.conv("x", "a", 1, 6, 3, 1, 1)
		b.conv("a", "d", 6, 6, 1, 3, 3)
		b.Node("Clip", "d", "c", nil)
		b.conv("c", "e", 6, 12, 1, 3, 3)
		b.conv("e", "g", 2, 4, 6, 3, 3)
		b.Node("ReduceMean", "g", "m", onnxtest.Attrs{"axes": []int{-1, -2}, "keepdims": 0})
		b.dense("m", "h", 7, 4)
		b.Node("PRelu", "h "+b.weights("slope", 7), "p", nil)
		b.dense("p", "y", 3, 7)
	},
	"concatenation and a flattened map": func(b builder) {
		b.conv("x", "a", 1, 2, 3, 3, 3)
		b.conv("x", "b", 1, 3, 3, 1, 1)
		b.Node("Concat", "b a", "c", onnxtest.Attrs{"axis": 1})
		b.Node("MaxPool", "c", "p", onnxtest.Attrs{"kernel_shape": []int{3, 3}, "strides": []int{3, 3}})
		b.Init("shape", onnx.New([]int{2}, []int64{1, 5 * 16}))
		b.Node("Reshape", "p shape", "f", nil)
		b.Node("Sub", "f "+b.weights("shift", 80), "s", nil)
		b.Node("MatMul", "s "+b.weights("m", 80, 6), "q", nil)
		b.Node("Add", "q "+b.weights("bias", 6), "h", nil)
		b.Node("Relu", "h", "r", nil)
		b.dense("r", "y", 4, 6)
	},
	"constants for channels, and a gate": func(b builder) {
		b.Node("Mul", "x "+b.weights("scale", 3, 1, 1), "z", nil)
		b.conv("z", "a", 1, 4, 3, 3, 3)
		b.Node("Mul", b.weights("each", 1, 4, 1, 1)+" a", "e", nil)
		b.Node("Add", "e "+b.weights("one", 1), "o", nil)
		b.Node("GlobalMaxPool", "o", "g", nil)
		b.conv("g", "h", 1, 4, 4, 1, 1)
		b.Node("Sigmoid", "h", "gate", nil)
		b.Node("Mul", "o gate", "m", nil)
		b.Node("ReduceMax", "m", "max", onnxtest.Attrs{"axes": []int{2, 3}})
		b.Node("Squeeze", "max "+b.places(), "f", nil)
		b.dense("f", "y", 3, 4)
	},
	"an output without a fully-connected layer": func(b builder) {
		b.conv("x", "a", 1, 4, 3, 3, 3)
		b.Node("Relu", "a", "r", nil)
		b.conv("r", "c", 1, 3, 4, 1, 1)
		b.conv("c", "d", 1, 3, 3, 1, 1)
		b.Node("Add", "c d", "s", nil)
		b.Node("GlobalAveragePool", "s", "g", nil)
		b.Node("Flatten", "g", "y", nil)
	},
	"weights that two layers share": func(b builder) {
		b.conv("x", "a", 1, 4, 3, 3, 3)
		b.weights("w", 4, 4, 1, 1)
		b.Node("Conv", "a w", "c", nil)
		b.Node("Conv", "c w", "d", nil)
		b.Node("GlobalMaxPool", "d", "g", nil)
		b.Node("Flatten", "g", "f", nil)
		b.dense("f", "y", 3, 4)
	},
}

// places are the axes of width and height.
func (b builder) places() string {
	b.Init("places", onnx.New([]int{2}, []int64{2, 3}))
	return "places"
}

func load(t *testing.T, file []byte) *network.Network {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.onnx")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := model.Load(t.Context(), "m", path, model.Options{
		Output: model.OutputRaw, Spec: imageio.Spec{Scale: 1, Mean: []float32{0}, Std: []float32{1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return m.Net
}

// output is what a network says of an image, in float64.
func output(t *testing.T, n *network.Network, image []float32) []float64 {
	t.Helper()
	out, err := networktest.Output(n, image)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// same tells whether two files hold one function.
func same(t *testing.T, one, other []byte) {
	t.Helper()
	a, b := load(t, one), load(t, other)
	image := networktest.Values(rand.New(rand.NewPCG(1, 2)), a.Input().Shape.Len(), 1)
	want, got := output(t, a, image), output(t, b, image)
	if len(want) != len(got) {
		t.Fatalf("%d scores became %d", len(want), len(got))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= 1e-5*max(1, math.Abs(want[i]))) {
			t.Errorf("score %d became %g, was %g", i, got[i], want[i])
		}
	}
}

// TestSameFunction: whatever the factor, a wide network says the same.
func TestSameFunction(t *testing.T) {
	for name, build := range networks {
		t.Run(name, func(t *testing.T) {
			b := newBuilder()
			build(b)
			b.Output("y", onnx.Float32)
			for _, factor := range []int{1, 2, 3} {
				wide, err := widen(b.Bytes(), factor)
				if err != nil {
					t.Fatal(err)
				}
				same(t, b.Bytes(), wide)
			}
		})
	}
}

// TestFullCost: the example's network costs factor times factor as much, but for
// its first and its last layer.
func TestFullCost(t *testing.T) {
	file, err := os.ReadFile("../../models/chest.onnx")
	if err != nil {
		t.Fatal(err)
	}
	const factor = 4
	wide, err := widen(file, factor)
	if err != nil {
		t.Fatal(err)
	}
	before, after := load(t, file), load(t, wide)
	for _, n := range []*network.Network{before, after} {
		if s := n.Input().Shape; s.W != 224 {
			t.Fatalf("the input is %v", s)
		}
	}
	var mixing int
	for i, l := range before.Layers {
		m := work(l)
		if m == 0 {
			continue
		}
		mixing++
		want := int64(factor * factor)
		if l.In[0] == before.Input() || l.Shape.Len() == 5 {
			want = factor
		}
		if got := work(after.Layers[i]); got != want*m {
			t.Errorf("%s: %d multiply-adds became %d, not %d times as many", l, m, got, want)
		}
	}
	if mixing < 7 {
		t.Errorf("%d layers were looked at", mixing)
	}
}

// work are the multiply-adds of a whole layer.
func work(l *network.Layer) int64 { return l.Work(l.Shape.Whole()).MACs }

// TestRefusals: what cannot be widened is not written.
func TestRefusals(t *testing.T) {
	for want, build := range map[string]func(b builder){
		"how to widen this operator is not known": func(b builder) {
			b.conv("x", "a", 1, 4, 3, 1, 1)
			b.Node("LRN", "a", "n", onnxtest.Attrs{"size": 3})
			b.conv("n", "y", 1, 2, 4, 1, 1)
		},
		"was not widened": func(b builder) {
			b.conv("x", "a", 1, 4, 3, 1, 1)
			b.Node("Concat", "a x", "c", onnxtest.Attrs{"axis": 1})
			b.conv("c", "y", 1, 2, 7, 1, 1)
		},
		"channels": func(b builder) { // a map of places, for all channels
			b.conv("x", "a", 1, 4, 3, 1, 1)
			b.conv("a", "s", 1, 1, 4, 1, 1)
			b.Node("Mul", "a s", "m", nil)
			b.conv("m", "y", 1, 2, 4, 1, 1)
		},
		"not those of width and height": func(b builder) {
			b.conv("x", "a", 1, 4, 3, 1, 1)
			b.Node("ReduceMax", "a", "m", onnxtest.Attrs{"axes": []int{1}})
			b.conv("m", "y", 1, 2, 1, 1, 1)
		},
		"not constant": func(b builder) {
			b.conv("x", "a", 1, 4, 3, 1, 1)
			b.Node("MatMul", "a a", "y", nil)
		},
	} {
		b := newBuilder()
		build(b)
		b.Output("y", onnx.Float32)
		if _, err := widen(b.Bytes(), 2); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, should say %q", err, want)
		}
	}
	for _, file := range [][]byte{nil, []byte("no model"), {0x0a, 0xff}} {
		if _, err := widen(file, 2); err == nil {
			t.Errorf("%q: no error", file)
		}
	}
}

func TestRun(t *testing.T) {
	from, to := "../../models/chest.onnx", filepath.Join(t.TempDir(), "wide.onnx")
	if err := run([]string{"-factor", "2", from, to}, &bytes.Buffer{}, &bytes.Buffer{}); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"", "-factor 0 " + from + " " + to, "no-such.onnx " + to, "-what", from} {
		if err := run(strings.Fields(args), &bytes.Buffer{}, &bytes.Buffer{}); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
