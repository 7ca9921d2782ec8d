package importer

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	_ "go4.org/unsafe/assume-no-moving-gc"
	"gorgonia.org/tensor"

	"occlude/internal/network"
	"occlude/internal/onnx"
	"occlude/internal/onnx/onnxtest"
	"occlude/operators"
	"occlude/operators/cpu"
	"occlude/operators/reference"
	"occlude/operators/region"
	"occlude/planner/rewrite"
)

// attrs is short for the attributes of a node.
type attrs = onnxtest.Attrs

// graph is short for what models are written with.
type graph = onnxtest.Graph

// checked is what a model is compared with.
type checked struct {
	*Result
	rng   *rand.Rand
	model *onnx.Model
	out   string // name of the output
}

// check imports a model and compares it, as imported and as rewritten, on the
// whole image and on occluded ones, with the reference operators.
func check(t *testing.T, m *onnxtest.Model, opts Options) *checked {
	t.Helper()
	r, err := Import(t.Context(), m.Model(t), opts)
	if err != nil {
		t.Fatal(err)
	}
	model := m.Model(t) // another one: Import uses up its own
	c := &checked{Result: r, rng: rand.New(rand.NewPCG(3, 4)), model: model, out: opts.Output}
	if c.out == "" {
		c.out = model.Graph.Outputs[0].Name
	}
	image := c.image()
	want := c.reference(t, image, opts)
	fast, _, err := rewrite.Optimize(r.Net, nil)
	if err != nil {
		t.Fatal(err)
	}
	for what, net := range map[string]*network.Network{"imported": r.Net, "rewritten": fast} {
		p, err := cpu.New(context.Background(), net, cpu.Options{})
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		views := base(t, p, image)
		same(t, what, views.Output(net.Output.Index), want)
		c.occlude(t, what, net, p, image, views)
	}
	return c
}

func (c *checked) image() *tensor.Dense {
	s := c.Net.Input().Shape
	data := make([]float32, s.Len())
	for i := range data {
		data[i] = float32(c.rng.NormFloat64())
	}
	return dense(data, s.H, s.W, s.C)
}

// reference runs the model itself on the image, repeated where the file wants a
// batch, and gives the first image's share of the output.
func (c *checked) reference(t *testing.T, image *tensor.Dense, opts Options) []float32 {
	t.Helper()
	s := c.Net.Input().Shape
	in := c.model.Graph.Inputs[0]
	for _, i := range c.model.Graph.Inputs {
		if i.Name == c.Net.Input().Name {
			in = i
		}
	}
	one, dims := image.Float32s(), []int{1, s.H, s.W, s.C}
	if opts.Layout != "nhwc" && !(in.HasShape && in.Dims[3].Size == s.C && in.Dims[1].Size != s.C) {
		dims = []int{1, s.C, s.H, s.W}
		chw := make([]float32, len(one))
		for i, v := range one {
			chw[i%s.C*s.Cells()+i/s.C] = v
		}
		one = chw
	}
	if in.HasShape && in.Dims[0].Size > 1 {
		dims[0] = in.Dims[0].Size
	}
	var data []float32
	for range dims[0] {
		data = append(data, one...)
	}
	x := onnx.New(dims, data)
	if in.DType != onnx.Undefined && in.DType != onnx.Float32 {
		var err error
		n := &onnx.Node{Op: "Cast", Outputs: []string{"y"}, Attrs: map[string]onnx.Attr{"to": {Value: int64(in.DType.Code())}}}
		cast, err := reference.Eval(t.Context(), n, 13, []*onnx.Tensor{x})
		if err != nil {
			t.Fatal(err)
		}
		x = cast[0]
	}
	inputs := map[string]*onnx.Tensor{in.Name: x}
	// Only the output in question: another head may be beyond the reference.
	m := *c.model
	g := *m.Graph
	g.Inputs = []onnx.ValueInfo{in}
	for _, o := range g.Outputs {
		if o.Name == c.out {
			g.Outputs = []onnx.ValueInfo{o}
		}
	}
	m.Graph = &g
	out, err := reference.RunGraph(t.Context(), &m, inputs)
	if err != nil {
		t.Fatalf("the reference refuses the model: %v", err)
	}
	v, err := out[c.out].Float32s()
	if err != nil {
		t.Fatal(err)
	}
	return v[:len(v)/dims[0]]
}

// occlude changes rectangles of the image and compares the incremental answer
// with the full one.
func (c *checked) occlude(t *testing.T, what string, net *network.Network, p operators.Program, image *tensor.Dense, views *operators.Views) {
	t.Helper()
	s := net.Input().Shape
	w := p.NewWorker()
	for range 2 {
		pw, ph := 1+c.rng.IntN((s.W+1)/2), 1+c.rng.IntN((s.H+1)/2)
		r := region.Of(c.rng.IntN(s.W-pw+1), c.rng.IntN(s.H-ph+1), pw, ph)
		changed := image.Clone().(*tensor.Dense)
		whole, patch := operators.WholeTile(s, changed.Float32s()), operators.NewTile(r, s.C, make([]float32, r.Area()*s.C))
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			row := patch.Row(y, r.X.Lo, r.X.Hi)
			for i := range row {
				row[i] = float32(c.rng.NormFloat64())
			}
			copy(whole.Row(y, r.X.Lo, r.X.Hi), row)
		}
		u := operators.Update{Patch: patch, Rects: net.Trace(r, nil), Out: make([]float32, net.Output.Shape.Len())}
		if err := w.Run(t.Context(), views, []operators.Update{u}); err != nil {
			t.Fatal(err)
		}
		same(t, fmt.Sprintf("%s, patch %s", what, r), u.Out, base(t, p, changed).Output(net.Output.Index))
	}
}

func base(t *testing.T, p operators.Program, image *tensor.Dense) *operators.Views {
	t.Helper()
	v, err := p.Base(t.Context(), image, 1)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// same compares with a tolerance of 1e-5 of the largest value.
func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	largest := 0.
	for _, v := range want {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			t.Fatalf("%s: the reference gives %g, which compares with nothing", what, v)
		}
		largest = max(largest, math.Abs(float64(v)))
	}
	for i := range got {
		if d := math.Abs(float64(got[i]) - float64(want[i])); !(d <= 1e-5*max(largest, 1)) {
			t.Fatalf("%s: value %d is %g, want %g", what, i, got[i], want[i])
		}
	}
}

// functions counts the layers that only the reference operators can compute.
func functions(net *network.Network) (names []string) {
	for _, l := range net.Layers {
		if f, ok := l.Op.(network.Function); ok {
			names = append(names, f.Name)
		}
	}
	return names
}

// form is one way of writing something. The graph built must become layers with
// kernels, but for the operators that are named in calls.
type form struct {
	name  string
	since int // operator set in which it can first be written
	until int // and last, 0 for all later ones
	dims  []int
	build func(g *graph, x string) // ends in an Output
	calls string                   // Functions that are left, separated by spaces
}

// forms checks each form in all operator sets that have it, or in the given
// ones where the form is the same in all.
func forms(t *testing.T, table []form, sets ...int) {
	t.Helper()
	if sets == nil {
		sets = onnxtest.Opsets
	}
	for _, f := range table {
		t.Run(f.name, func(t *testing.T) {
			ran := 0
			for _, opset := range sets {
				if opset < f.since || (f.until > 0 && opset > f.until) {
					continue
				}
				ran++
				t.Run(fmt.Sprint(opset), func(t *testing.T) {
					g, x := onnxtest.NewGraph(opset, f.dims...)
					f.build(g, x)
					c := check(t, g.Model, Options{})
					if got := strings.Join(functions(c.Net), " "); got != f.calls {
						t.Errorf("is computed by calls of %q, want %q", got, f.calls)
					}
				})
			}
			if ran == 0 {
				t.Error("was never tried")
			}
		})
	}
}
