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
	g, x := onnxtest.NewGraph(opset, dims...)
	h := g.Op("GlobalAveragePool", nil, g.Op("Relu", nil, g.Conv(x, 3, 4)))
	g.Output(g.Op("Gemm", nil, g.Reshape(h, -1, 4), g.Weights(4, 4, 5), g.Normal(5)), onnx.Float32)
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
			g, x := onnxtest.NewGraph(13, c.dims...)
			h := g.Op("GlobalAveragePool", nil, g.Conv(g.Transpose(x, 0, 3, 1, 2), 3, 4))
			g.Flat(h)
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
		g, x := onnxtest.NewGraph(13, -1, -1, -1, -1)
		g.Flat(g.Op("GlobalMaxPool", nil, g.Conv(x, channels, 4)))
		c := check(t, g.Model, Options{Height: 6, Width: 6})
		if got := c.Net.Input().Shape.C; got != channels {
			t.Errorf("%d channels, want %d", got, channels)
		}
	}
	g, x := onnxtest.NewGraph(13)
	g.Proto.Graph.Input[0].Type.GetTensorType().Shape = nil
	g.Flat(g.Op("GlobalMaxPool", nil, g.Conv(x, 1, 4)))
	if got := check(t, g.Model, Options{Height: 6, Width: 6}).Net.Input().Shape; got != (network.Shape{H: 6, W: 6, C: 1}) {
		t.Errorf("input of no shape is %s", got)
	}
}

// TestFixedBatch: shapes that the exporter froze hold its batch size.
func TestFixedBatch(t *testing.T) {
	for name, build := range map[string]func(g *graph, x string) string{
		"flatten": func(g *graph, x string) string { return g.Reshape(x, 4, 60) },
		"rest":    func(g *graph, x string) string { return g.Reshape(x, 4, -1) },
		"shuffle": func(g *graph, x string) string {
			h := g.Transpose(g.Reshape(g.Conv(x, 3, 4), 4, 2, 2, 4, 5), 0, 2, 1, 3, 4)
			return g.Reshape(g.Reshape(h, 4, 4, 4, 5), 4, -1)
		},
		"expand": func(g *graph, x string) string {
			v := g.Op("Expand", nil, g.Op("GlobalMaxPool", nil, x), g.Ints(4, 3, 4, 5))
			return g.Reshape(g.Op("Mul", nil, v, x), 4, 60)
		},
		"channels as many as images": func(g *graph, x string) string {
			return g.Reshape(g.Squeeze(g.Op("GlobalMaxPool", nil, g.Conv(x, 3, 4)), 2, 3), 4, 4)
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, x := onnxtest.NewGraph(13, 4, 3, 4, 5)
			g.Output(build(g, x), onnx.Float32)
			check(t, g.Model, Options{})
		})
	}
}

func TestFloatTypes(t *testing.T) {
	for _, d := range []onnx.DType{onnx.Float64, onnx.Float32} {
		m := onnxtest.New(13)
		m.Input("x", d, 1, 3, 6, 5)
		g := &graph{Model: m, Opset: 13, Rand: newRand(1)}
		to := func(name string) string { return g.Op("Cast", attrs{"to": d.Code()}, name) }
		h := g.Op("Conv", nil, "x", to(g.Weights(27, 4, 3, 3, 3)), to(g.Normal(4)))
		g.Output(g.Op("Flatten", nil, g.Op("Relu", nil, h)), d)
		check(t, m, Options{})
	}
	// Half weights that are cast up, as compressed models have them.
	g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
	w := &onnx.Tensor{DType: onnx.Float16, Dims: []int{2, 3, 1, 1}, Data: []float32{.5, -1, 2, .25, 1, -.75}}
	g.Flat(g.Op("Conv", nil, x, g.Op("Cast", attrs{"to": 1}, g.Constant(w))))
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
	g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
	h := g.Op("Relu", nil, g.Conv(x, 3, 4))
	g.Node("GlobalAveragePool", h, "main", nil).Output("main", onnx.Float32)
	g.Node("GlobalMaxPool", h, "aux", nil).Output("aux", onnx.Float32)
	g.Node("ArgMax", "main", "label", attrs{"axis": 1}).Output("label", onnx.Int64)
	g.Node("ConvTranspose", h+" "+g.Normal(4, 2, 2, 2), "picture", nil).Output("picture", onnx.Float32)
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
		"Softmax":    func(g *graph, v string) string { return g.Op("Softmax", attrs{"axis": 1}, g.Op("Flatten", nil, v)) },
		"LogSoftmax": func(g *graph, v string) string { return g.Reshape(g.Op("LogSoftmax", attrs{"axis": 1}, v), 1, -1) },
		"Sigmoid": func(g *graph, v string) string {
			return g.Squeeze(g.Op("Identity", nil, g.Op("Cast", attrs{"to": 1}, g.Op("Sigmoid", nil, v))))
		},
		"Gemm": func(g *graph, v string) string {
			return g.Op("Dropout", nil, g.Op("Gemm", nil, g.Op("Flatten", nil, v), g.Normal(3, 2)))
		},
		"GlobalMaxPool": func(g *graph, v string) string { return g.Transpose(g.Unsqueeze(v, 0), 0, 1, 2, 3, 4) },
	} {
		t.Run(want, func(t *testing.T) {
			g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
			g.Output(build(g, g.Op("GlobalMaxPool", nil, x)), onnx.Float32)
			if got := check(t, g.Model, Options{}).Last; got != want {
				t.Errorf("the last operator is %q", got)
			}
		})
	}
}

func TestFolding(t *testing.T) {
	g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
	w := g.Op("ConstantOfShape", attrs{"value": onnx.New([]int{1}, []float32{.5})}, g.Ints(2, 3, 1, 1))
	g.Flat(g.Op("Conv", nil, x, g.Op("Mul", nil, w, g.Num(3))))
	c := check(t, g.Model, Options{})
	if c.Folded != 2 {
		t.Errorf("%d nodes were folded, want 2", c.Folded)
	}
	if n := len(c.Net.Layers); n != 3 {
		t.Errorf("%d layers, want input, conv and flatten", n)
	}
}

func TestLayerNames(t *testing.T) {
	g, x := onnxtest.NewGraph(17, 1, 3, 6, 5)
	g.Node("Transpose", x, "t", attrs{"perm": []int{0, 2, 3, 1}})
	g.Node("LayerNormalization", "t "+g.Normal(3), "normed", nil)
	g.Flat("normed")
	g.Proto.Graph.Node[1].Name = "norm"
	var names []string
	for _, l := range check(t, g.Model, Options{}).Net.Layers[1:7] {
		names = append(names, l.Name)
	}
	if got, want := strings.Join(names, ", "), "norm, norm (centre), norm (square), norm (variance), norm (deviation), norm (normalize)"; got != want {
		t.Errorf("layers are named %s, want %s", got, want)
	}
}
