package executor

import (
	"context"
	"fmt"
	"math"
	"sort"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/model"
	"occlude/operators"
	"occlude/planner"
)

var nan = float32(math.NaN())

// input reads an image and brings it to the model's input: in pixel space, for
// fills and pictures, and normalised.
func input(ctx context.Context, m *model.Model, path string) (pixels, normal *tensor.Dense, err error) {
	f, err := imageio.Load(path)
	if err != nil {
		return nil, nil, err
	}
	return decoded(ctx, m, f)
}

// decoded is input of a file that was read.
func decoded(ctx context.Context, m *model.Model, f *imageio.File) (pixels, normal *tensor.Dense, err error) {
	img, err := f.Decode(ctx, m.Spec.Window)
	if err != nil {
		return nil, nil, err
	}
	if pixels, err = m.Spec.Fit(ctx, img); err != nil {
		return nil, nil, err
	}
	return pixels, normalised(m.Spec, pixels), nil
}

func normalised(s imageio.Spec, pixels *tensor.Dense) *tensor.Dense {
	from := pixels.Data().([]float32)
	to := make([]float32, len(from))
	s.Normalize(to, from)
	return tensor.New(tensor.WithShape(pixels.Shape()...), tensor.WithBacking(to))
}

// scores are the network's outputs on the clean image; an output that is not a
// number is an error, for no map can be drawn of it.
func scores(m *model.Model, views *operators.Views, output int, image string) ([]float32, error) {
	p := views.Output(output)
	for c, v := range p {
		if v != v || math.IsInf(float64(v), 0) {
			return nil, fmt.Errorf("model %q gives %v for class %s on image %q", m.Name, v, m.Label(c), image)
		}
	}
	return p, nil
}

// ranked lists the classes by falling score; equal ones by number.
func ranked(p []float32) []int {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] > p[order[j]] })
	return order
}

// targets are the classes to explain.
func targets(t planner.Target, p []float32) []int {
	if t.Top > 0 {
		return ranked(p)[:t.Top]
	}
	return t.Classes
}
