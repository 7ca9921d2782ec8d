package importer

import (
	"strings"
	"testing"

	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
)

// small is a model of a convolution and a head; the input is declared by dims.
func small(opset int, dims ...int) *graph {
	g, x := newGraph(opset, dims...)
	h := g.op("GlobalAveragePool", nil, g.op("Relu", nil, g.conv(x, 3, 4)))
	g.Output(g.op("Gemm", nil, g.reshape(h, -1, 4), g.weights(4, 4, 5), g.random(5)), onnx.Float32)
	return g
}

func TestInputShapes(t *testing.T) {
	const open = onnxtest.Open
	for name, c := range map[string]struct {
		dims     []int
		opts     Options
		want     network.Shape
		inferred bool
	}{
		"fixed":                 {[]int{1, 3, 9, 8}, Options{}, network.Shape{H: 9, W: 8, C: 3}, false},
		"open batch":            {[]int{open, 3, 9, 8}, Options{}, network.Shape{H: 9, W: 8, C: 3}, false},
		"batch of four":         {[]int{4, 3, 9, 8}, Options{}, network.Shape{H: 9, W: 8, C: 3}, false},
		"open size":             {[]int{1, 3, open, open}, Options{}, network.Shape{H: 224, W: 224, C: 3}, true},
		"open size, given":      {[]int{open, 3, open, open}, Options{Height: 12, Width: 7}, network.Shape{H: 12, W: 7, C: 3}, false},
		"size given as it is":   {[]int{1, 3, 9, 8}, Options{Height: 9, Width: 8}, network.Shape{H: 9, W: 8, C: 3}, false},
		"open height":           {[]int{1, 3, open, 8}, Options{Height: 6}, network.Shape{H: 6, W: 8, C: 3}, false},
		"all open":              {[]int{open, open, open, open}, Options{Height: 6, Width: 6}, network.Shape{H: 6, W: 6, C: 3}, false},
		"layout said":           {[]int{1, 3, 9, 3}, Options{Layout: "nchw"}, network.Shape{H: 9, W: 3, C: 3}, false},
		"three of each is NCHW": {[]int{1, 3, 3, 3}, Options{}, network.Shape{H: 3, W: 3, C: 3}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c1 := check(t, small(13, c.dims...).Model, c.opts)
			if got := c1.Net.Input().Shape; got != c.want {
				t.Errorf("input is %s, want %s", got, c.want)
			}
			if c1.Inferred != c.inferred {
				t.Errorf("Inferred is %v", c1.Inferred)
			}
		})
	}
}

func TestChannelsLastInput(t *testing.T) {
	for name, c := range map[string]struct {
		dims []int
		opts Options
	}{
		"declared":  {[]int{1, 9, 8, 3}, Options{}},
		"said":      {[]int{1, 3, 8, 3}, Options{Layout: "nhwc"}},
		"open size": {[]int{-1, -1, -1, 3}, Options{Height: 9, Width: 8}},
		"all open":  {[]int{-1, -1, -1, -1}, Options{Height: 9, Width: 8, Layout: "nhwc"}},
	} {
		t.Run(name, func(t *testing.T) {
			g, x := newGraph(13, c.dims...)
			h := g.op("GlobalAveragePool", nil, g.conv(g.transpose(x, 0, 3, 1, 2), 3, 4))
			g.flat(h)
			if s := check(t, g.Model, c.opts).Net.Input().Shape; s.C != 3 || s.W != 8 {
				t.Errorf("input is %s", s)
			}
		})
	}
}

// TestOpenChannels: where the file leaves the channels open, the convolution
// that reads the image knows.
func TestOpenChannels(t *testing.T) {
	for _, channels := range []int{1, 3} {
		g, x := newGraph(13, -1, -1, -1, -1)
		g.flat(g.op("GlobalMaxPool", nil, g.conv(x, channels, 4)))
		c := check(t, g.Model, Options{Height: 6, Width: 6})
		if got := c.Net.Input().Shape.C; got != channels {
			t.Errorf("%d channels, want %d", got, channels)
		}
	}
	g, x := newGraph(13)
	g.Proto.Graph.Input[0].Type.GetTensorType().Shape = nil
	g.flat(g.op("GlobalMaxPool", nil, g.conv(x, 1, 4)))
	if got := check(t, g.Model, Options{Height: 6, Width: 6}).Net.Input().Shape; got != (network.Shape{H: 6, W: 6, C: 1}) {
		t.Errorf("input of no shape is %s", got)
	}
}

// TestFixedBatch: shapes that the exporter froze hold its batch size.
func TestFixedBatch(t *testing.T) {
	for name, build := range map[string]func(g *graph, x string) string{
		"flatten": func(g *graph, x string) string { return g.reshape(x, 4, 60) },
		"rest":    func(g *graph, x string) string { return g.reshape(x, 4, -1) },
		"shuffle": func(g *graph, x string) string {
			h := g.transpose(g.reshape(g.conv(x, 3, 4), 4, 2, 2, 4, 5), 0, 2, 1, 3, 4)
			return g.reshape(g.reshape(h, 4, 4, 4, 5), 4, -1)
		},
		"expand": func(g *graph, x string) string {
			v := g.op("Expand", nil, g.op("GlobalMaxPool", nil, x), g.ints(4, 3, 4, 5))
			return g.reshape(g.op("Mul", nil, v, x), 4, 60)
		},
		"channels as many as images": func(g *graph, x string) string {
			return g.reshape(g.squeeze(g.op("GlobalMaxPool", nil, g.conv(x, 3, 4)), 2, 3), 4, 4)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, x := newGraph(13, 4, 3, 4, 5)
			g.Output(build(g, x), onnx.Float32)
			check(t, g.Model, Options{})
		})
	}
}

func TestFloatTypes(t *testing.T) {
	for _, d := range []onnx.DType{onnx.Float64, onnx.Float32} {
		m := onnxtest.New(13)
		m.Input("x", d, 1, 3, 6, 5)
		g := &graph{Model: m, opset: 13, rng: newRand(1)}
		to := func(name string) string { return g.op("Cast", attrs{"to": d.Code()}, name) }
		h := g.op("Conv", nil, "x", to(g.weights(27, 4, 3, 3, 3)), to(g.random(4)))
		g.Output(g.op("Flatten", nil, g.op("Relu", nil, h)), d)
		check(t, m, Options{})
	}
	// Half weights that are cast up, as compressed models have them.
	g, x := newGraph(13, 1, 3, 6, 5)
	w := &onnx.Tensor{DType: onnx.Float16, Dims: []int{2, 3, 1, 1}, Data: []float32{.5, -1, 2, .25, 1, -.75}}
	g.flat(g.op("Conv", nil, x, g.op("Cast", attrs{"to": 1}, g.constant(w))))
	check(t, g.Model, Options{})
	// A model of halves throughout runs in float32: better than it asks for.
	m := onnxtest.New(13)
	m.Input("x", onnx.Float16, 1, 3, 6, 5)
	m.Init("w", w)
	m.Node("Conv", "x w", "y", nil).Node("Flatten", "y", "z", nil).Output("z", onnx.Float16)
	if _, err := Import(t.Context(), m.Model(t), Options{}); err != nil {
		t.Error(err)
	}
}

// TestOutputs: heads are chosen by name, and what only others need is not
// looked at.
func TestOutputs(t *testing.T) {
	g, x := newGraph(13, 1, 3, 6, 5)
	h := g.op("Relu", nil, g.conv(x, 3, 4))
	g.Node("GlobalAveragePool", h, "main", nil).Output("main", onnx.Float32)
	g.Node("GlobalMaxPool", h, "aux", nil).Output("aux", onnx.Float32)
	g.Node("ArgMax", "main", "label", attrs{"axis": 1}).Output("label", onnx.Int64)
	g.Node("ConvTranspose", h+" "+g.random(4, 2, 2, 2), "picture", nil).Output("picture", onnx.Float32)
	for want, name := range map[string]string{"main": "", "aux": "aux"} {
		c := check(t, g.Model, Options{Output: name})
		if len(c.Outputs) != 4 {
			t.Errorf("%s: outputs are %q", want, c.Outputs)
		}
		if len(c.Net.Layers) != 4 {
			t.Errorf("%s: %d layers, want the input and three", want, len(c.Net.Layers))
		}
	}
	refused(t, g.Model, Options{Output: "label"}, `ArgMax node that makes "label"`, "int64")
	refused(t, g.Model, Options{Output: "picture"}, `ConvTranspose`, "not supported")
	refused(t, g.Model, Options{Output: "nothing"}, `no output "nothing"`, `"main" "aux"`)
}

func TestUnusedInputs(t *testing.T) {
	g := small(13, 1, 3, 6, 5)
	g.Input("learning_phase", onnx.Bool)
	g.Node("Not", "learning_phase", "phase", nil).Output("phase", onnx.Bool)
	check(t, g.Model, Options{})
}

// TestLast: what makes the scores is seen through changes of shape.
func TestLast(t *testing.T) {
	for want, build := range map[string]func(g *graph, v string) string{
		"Softmax":    func(g *graph, v string) string { return g.op("Softmax", attrs{"axis": 1}, g.op("Flatten", nil, v)) },
		"LogSoftmax": func(g *graph, v string) string { return g.reshape(g.op("LogSoftmax", attrs{"axis": 1}, v), 1, -1) },
		"Sigmoid": func(g *graph, v string) string {
			return g.squeeze(g.op("Identity", nil, g.op("Cast", attrs{"to": 1}, g.op("Sigmoid", nil, v))))
		},
		"Gemm": func(g *graph, v string) string {
			return g.op("Dropout", nil, g.op("Gemm", nil, g.op("Flatten", nil, v), g.random(3, 2)))
		},
		"GlobalMaxPool": func(g *graph, v string) string { return g.transpose(g.unsqueeze(v, 0), 0, 1, 2, 3, 4) },
	} {
		t.Run(want, func(t *testing.T) {
			g, x := newGraph(13, 1, 3, 6, 5)
			g.Output(build(g, g.op("GlobalMaxPool", nil, x)), onnx.Float32)
			if got := check(t, g.Model, Options{}).Last; got != want {
				t.Errorf("the last operator is %q", got)
			}
		})
	}
}

func TestFolding(t *testing.T) {
	g, x := newGraph(13, 1, 3, 6, 5)
	w := g.op("ConstantOfShape", attrs{"value": onnx.New([]int{1}, []float32{.5})}, g.ints(2, 3, 1, 1))
	g.flat(g.op("Conv", nil, x, g.op("Mul", nil, w, g.num(3))))
	c := check(t, g.Model, Options{})
	if c.Folded != 2 {
		t.Errorf("%d nodes were folded, want 2", c.Folded)
	}
	if n := len(c.Net.Layers); n != 3 {
		t.Errorf("%d layers, want input, conv and flatten", n)
	}
}

func TestLayerNames(t *testing.T) {
	g, x := newGraph(17, 1, 3, 6, 5)
	g.Node("Transpose", x, "t", attrs{"perm": []int{0, 2, 3, 1}})
	g.Node("LayerNormalization", "t "+g.random(3), "normed", nil)
	g.flat("normed")
	g.Proto.Graph.Node[1].Name = "norm"
	var names []string
	for _, l := range check(t, g.Model, Options{}).Net.Layers[1:7] {
		names = append(names, l.Name)
	}
	if got, want := strings.Join(names, ", "), "norm, norm (centre), norm (square), norm (variance), norm (deviation), norm (normalize)"; got != want {
		t.Errorf("layers are named %s, want %s", got, want)
	}
}
