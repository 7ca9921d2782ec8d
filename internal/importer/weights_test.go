package importer

import (
	"context"
	"errors"
	"testing"

	"occlude/internal/network"
	"occlude/internal/onnx/onnxtest"
)

// TestWeightsAreInMemoryOnce: what one layer reads becomes its weights where it
// is, in another order or not.
func TestWeightsAreInMemoryOnce(t *testing.T) {
	g, x := onnxtest.NewGraph(13, 1, 3, 6, 5)
	kernel, first, second := g.Weights(27, 4, 3, 3, 3), g.Weights(48, 5, 48), g.Weights(5, 2, 5)
	h := g.Op("Flatten", nil, g.Op("Conv", nil, x, kernel))
	h = g.Op("Relu", nil, g.Op("Gemm", attrs{"transB": 1, "alpha": .5}, h, first))
	g.Flat(g.Op("Gemm", attrs{"transB": 1}, h, second))
	check(t, g.Model, Options{})

	m := g.Model.Model(t)
	file := map[*float32]string{}
	for name, c := range m.Graph.Initializers {
		file[&c.Data.([]float32)[0]] = name
	}
	r, err := Import(t.Context(), m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, l := range r.Net.Layers {
		switch op := l.Op.(type) {
		case network.Conv:
			got = append(got, file[&op.Weights.Float32s()[0]])
		case network.Dense:
			got = append(got, file[&op.Weights.Float32s()[0]])
		case network.Flatten:
			t.Error("the map is still flattened")
		}
	}
	if len(got) != 3 || got[0] != kernel || got[1] != first || got[2] != second {
		t.Errorf("the layers' weights are those of the file called %q, want %q, %q and %q", got, kernel, first, second)
	}
}

// TestSharedWeights: weights that somebody else reads, too, stay as they are
// for them.
func TestSharedWeights(t *testing.T) {
	image := []int{1, 3, 5, 5}
	forms(t, []form{
		{name: "two convolutions", dims: image, build: func(g *graph, x string) {
			w := g.Weights(27, 3, 3, 3, 3)
			g.Flat(g.Op("Conv", nil, g.Op("Conv", nil, x, w), w))
		}},
		{name: "two fully-connected layers", dims: image, build: func(g *graph, x string) {
			h, w := g.Op("Flatten", nil, x), g.Weights(75, 75, 75)
			h = g.Op("Gemm", attrs{"transB": 1}, h, w)
			g.Flat(g.Op("Gemm", attrs{"transB": 1}, h, w))
		}},
		{name: "a fully-connected layer and its transpose", dims: image, build: func(g *graph, x string) {
			h, w := g.Op("Flatten", nil, x), g.Weights(75, 75, 75)
			h = g.Op("Gemm", attrs{"transB": 1, "alpha": .25}, h, w)
			g.Flat(g.Op("Gemm", nil, h, w))
		}},
		{name: "two heads on one map, one through a function", dims: image, calls: "Gemm", build: func(g *graph, x string) {
			h, w := g.Op("Flatten", nil, x), g.Weights(75, 75, 75)
			column := g.Reshape(g.Op("Gemm", attrs{"transB": 1}, h, w), 75, 1)
			g.Flat(g.Reshape(g.Op("Gemm", attrs{"transA": 1}, column, w), 1, 75))
		}},
		{name: "a layer and arithmetic", dims: image, build: func(g *graph, x string) {
			w := g.Weights(75, 4, 75)
			h := g.Op("Gemm", attrs{"transB": 1}, g.Op("Flatten", nil, x), w)
			g.Flat(g.Op("MatMul", nil, h, g.Op("Mul", nil, w, g.Positive(75))))
		}},
		{name: "weights under another name", dims: image, build: func(g *graph, x string) {
			w := g.Op("Identity", nil, g.Weights(27, 3, 3, 3, 3))
			g.Flat(g.Op("Conv", nil, g.Op("Conv", nil, x, w), w))
		}},
		{name: "a convolution that only the reference computes", dims: image, calls: "ReduceMax Conv", build: func(g *graph, x string) {
			bias := g.Reshape(g.Reduce("ReduceMax", x, 0, 0, 2, 3), 3)
			g.Flat(g.Op("Conv", nil, x, g.Weights(27, 3, 3, 3, 3), bias))
		}},
	}, 13)
}

// TestFlattenedForSeveral: who reads the flattened map in its own order still
// finds it.
func TestFlattenedForSeveral(t *testing.T) {
	g, x := onnxtest.NewGraph(13, 1, 3, 4, 5)
	h := g.Op("Flatten", nil, g.Op("Relu", nil, x))
	a := g.Op("Gemm", attrs{"transB": 1}, h, g.Weights(60, 7, 60), g.Normal(7))
	b := g.Op("MatMul", nil, h, g.Weights(60, 60, 7))
	c := g.Op("Gemm", nil, g.Op("Softmax", nil, h), g.Weights(60, 60, 7))
	g.Flat(g.Op("Sum", nil, a, b, c))
	check(t, g.Model, Options{})
}

func TestTransposedStopsWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	for _, mine := range []bool{false, true} {
		w := weights{make([]float32, 24), mine}
		if _, err := w.transposed(ctx, 2, 3, 4); !errors.Is(err, why) {
			t.Errorf("the error is %v", err)
		}
	}
}

// TestTransposed over sizes around the squares that it walks in.
func TestTransposed(t *testing.T) {
	for _, n := range []int{1, 3} {
		for _, rows := range []int{1, 2, 31, 32, 33, 65} {
			for _, cols := range []int{1, 5, 32, 40} {
				for _, mine := range []bool{false, true} {
					data := make([]float32, n*rows*cols)
					for i := range data {
						data[i] = float32(i)
					}
					w, err := weights{data, mine}.transposed(t.Context(), n, rows, cols)
					if err != nil {
						t.Fatal(err)
					}
					for i, v := range w.data {
						b, c, r := i/(rows*cols), i/rows%cols, i%rows
						if want := float32((b*rows+r)*cols + c); v != want {
							t.Fatalf("%d blocks of %dx%d, mine: %v: value %d is %g, want %g", n, rows, cols, mine, i, v, want)
						}
					}
					for i, v := range data {
						if !mine && v != float32(i) {
							t.Fatalf("%d blocks of %dx%d: somebody else's value %d became %g", n, rows, cols, i, v)
						}
					}
				}
			}
		}
	}
}

func TestScaled(t *testing.T) {
	for _, mine := range []bool{false, true} {
		data := []float32{1, -2, 3}
		w := weights{data, mine}.scaled(2)
		if w.data[0] != 2 || w.data[1] != -4 || w.data[2] != 6 || !mine && data[1] != -2 {
			t.Errorf("mine: %v: twice 1, -2, 3 is %v; read from %v", mine, w.data, data)
		}
		if same := (&weights{data, mine}.scaled(1).data[0] == &data[0]); !same {
			t.Error("scaling by one copies")
		}
	}
}
