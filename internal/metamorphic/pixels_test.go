package metamorphic

import (
	"context"
	"fmt"
	"image"
	"math"
	"math/rand/v2"
	"os"
	"slices"

	"occlude/executor"
	"occlude/internal/onnx"
	"occlude/operators"
	"occlude/operators/reference"
)

// unchanged fills with the image itself, which changes nothing: to the bit, unless tiles of
// Winograd's algorithms lie otherwise in an update than in the whole map.
func unchanged(k *trial, _ *rand.Rand, q query) error {
	q = q.exact()
	if !k.squash { // as fills are, whatever becomes of the image
		q = q.on(k.pictures[2])
	}
	h, err := k.answer(q.with("FILL", "image('"+q.image+"')").text())
	if err != nil {
		return err
	}
	limit := 0.
	if slices.ContainsFunc(h.Plan.Chosen().Algorithms, func(a operators.Algorithm) bool { return a.Tile() > 1 }) {
		limit = k.tolerance(h)
		k.measured.near++
	} else {
		k.measured.bits++
	}
	for _, m := range h.Classes {
		for i, p := range m.P {
			if pos := h.Plan.Grid.Positions[i]; !(math.Abs(float64(p)-float64(m.P0)) <= limit) {
				return differ("p of class %s at (%d, %d) is %v, p0 %v, though nothing changed (plan %s)", m.Label, pos.X, pos.Y, p, m.P0, h.Plan.Chosen().Name)
			}
		}
	}
	return nil
}

// covered hides all of the image, so it cannot matter which image, or where.
func covered(k *trial, _ *rand.Rand, q query) error {
	q = q.exact().without("WHERE").with("PATCH", fmt.Sprintf("%dx%d", k.model.W, k.model.H)).
		with("AT", "(0, 0), (0, 0), (0, 0)").with("FILL", "rgb(20, 200, 90.5)").with("FOR", "CLASS 0")
	var first *executor.HeatMap
	for _, image := range k.pictures {
		h, err := k.answer(q.on(image).text())
		if err != nil {
			return err
		}
		if first == nil {
			first = h
		}
		for _, p := range h.Classes[0].P {
			if p != h.Classes[0].P[0] {
				return differ("p of what is wholly hidden is %v and %v", h.Classes[0].P[0], p)
			}
			if err := k.near("p of what is wholly hidden", first, first.Classes[0].P[0], p); err != nil {
				return err
			}
		}
		k.measured.bits++
		k.measured.near++
	}
	return nil
}

// byReference classifies by other means: nothing of planner, executor, importer
// or kernels has a part in it.
func byReference(k *trial, h *executor.HeatMap, pixels func(x, y, c int) float64) ([]float64, error) {
	m, s := k.model, h.Plan.Grid
	data := make([]float32, m.C*s.Width*s.Height)
	for y := range s.Height {
		for x := range s.Width {
			for c := range m.C {
				from := c
				if k.bgr {
					from = m.C - 1 - c
				}
				at := (c*s.Height+y)*s.Width + x
				if m.Last {
					at = (y*s.Width+x)*m.C + c
				}
				data[at] = (float32(pixels(x, y, from))*k.scale - k.mean) / k.std
			}
		}
	}
	dims := []int{1, m.C, s.Height, s.Width}
	if m.Last {
		dims = []int{1, s.Height, s.Width, m.C}
	}
	out, err := reference.RunGraph(context.Background(), m.Graph.Model.Model(k), map[string]*onnx.Tensor{"x": onnx.New(dims, data)})
	if err != nil {
		return nil, err
	}
	var values []float64
	for _, o := range out {
		if values, err = o.Float64s(); err != nil {
			return nil, err
		}
	}
	return k.finish(values), nil
}

// finish makes of the network's output what CREATE MODEL was told to.
func (k *trial) finish(v []float64) []float64 {
	output := k.output
	if output == "auto" && k.model.End == "" {
		if output = "softmax"; len(v) == 1 {
			output = "sigmoid"
		}
	}
	p, sum := make([]float64, len(v)), 0.
	for i := range v {
		switch output {
		case "softmax":
			p[i] = math.Exp(v[i])
			sum += p[i]
		case "sigmoid":
			p[i] = 1 / (1 + math.Exp(-v[i]))
		default:
			p[i] = v[i]
		}
	}
	if output == "softmax" {
		for i := range p {
			p[i] /= sum
		}
	}
	return p
}

// referred asks the reference for the clean image and for some positions.
func referred(k *trial, rng *rand.Rand, q query) error {
	color := []float64{20, 200.5, 90}
	q = q.exact().without("FILL", "FOR").on(k.pictures[2]).with("FILL", "rgb(20, 200.5, 90)").with("FOR", fmt.Sprintf("TOP %d", k.model.Classes))
	if k.model.C == 1 {
		color = []float64{77}
		q = q.with("FILL", "rgb(77, 77, 77)")
	}
	h, err := k.answer(q.text())
	if err != nil {
		return err
	}
	f, err := os.Open(k.pictures[2])
	if err != nil {
		return err
	}
	defer f.Close()
	picture, _, err := image.Decode(f)
	if err != nil {
		return err
	}
	clean := func(x, y, c int) float64 {
		r, g, b, _ := picture.At(x, y).RGBA()
		return float64([]uint32{r, g, b}[c] >> 8)
	}
	k.measured.near++
	p0, err := byReference(k, h, clean)
	if err != nil {
		return err
	}
	for _, m := range h.Classes {
		if err := k.near("p0 of class "+m.Label+", here and by the reference,", h, m.P0, float32(p0[m.ID])); err != nil {
			return err
		}
	}
	for range 3 {
		i := rng.IntN(len(h.Plan.Grid.Positions))
		r := h.Plan.Grid.Rect(h.Plan.Grid.Positions[i])
		p, err := byReference(k, h, func(x, y, c int) float64 {
			if x >= r.X.Lo && x < r.X.Hi && y >= r.Y.Lo && y < r.Y.Hi {
				return color[c]
			}
			return clean(x, y, c)
		})
		if err != nil {
			return err
		}
		for _, m := range h.Classes {
			what := fmt.Sprintf("p of class %s with the patch on %s, here and by the reference,", m.Label, r)
			if err := k.near(what, h, m.P[i], float32(p[m.ID])); err != nil {
				return err
			}
		}
	}
	return nil
}
