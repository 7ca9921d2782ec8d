package executor

import (
	"context"
	"fmt"
	"image"

	"gorgonia.org/tensor"

	"occlude/internal/imageio"
	"occlude/internal/network"
	"occlude/operators"
	"occlude/operators/region"
	"occlude/planner"
)

// occluder makes the pixels that cover the image. Fills are defined in pixel
// space and normalised like the image itself.
type occluder struct {
	spec   imageio.Spec
	shape  network.Shape
	pixels *tensor.Dense // clean, in pixel space
	// cover is a whole normalised image to copy the patch from; nil when the
	// fill is a colour of its own at each position.
	cover []float32
}

func newOccluder(ctx context.Context, f planner.Fill, spec imageio.Spec, pixels *tensor.Dense) (*occluder, error) {
	s := pixels.Shape()
	o := &occluder{spec: spec, shape: network.Shape{H: s[0], W: s[1], C: s[2]}, pixels: pixels}
	var full *tensor.Dense
	switch f.Kind {
	case planner.FillColor:
		full = o.uniform(o.colour(f.Color))
	case planner.FillMeanImage:
		full = o.uniform(imageio.MeanOf(pixels))
	case planner.FillMeanPatch:
		return o, nil
	case planner.FillBlur:
		var err error
		if full, err = imageio.Blur(pixels, f.Sigma); err != nil {
			return nil, fmt.Errorf("fill %s: %w", f.Text, err)
		}
	case planner.FillNoise:
		full = imageio.Noise(f.Seed, o.shape.H, o.shape.W, o.shape.C)
	case planner.FillImage:
		img, err := imageio.Read(ctx, f.Image, spec.Window)
		if err != nil {
			return nil, fmt.Errorf("fill: %w", err)
		}
		squash := spec
		squash.Resize = imageio.Squash
		if full, err = squash.Fit(ctx, img); err != nil {
			return nil, fmt.Errorf("fill: %w", err)
		}
	}
	o.cover = normalised(spec, full).Data().([]float32)
	return o, nil
}

// colour is a colour in the model's number of channels; gray models see its
// luma (ITU-R 601-2), as they see colour images.
func (o *occluder) colour(rgb [3]float32) []float32 {
	if o.shape.C == 1 {
		return []float32{.299*rgb[0] + .587*rgb[1] + .114*rgb[2]}
	}
	return rgb[:]
}

func (o *occluder) uniform(pixel []float32) *tensor.Dense {
	data := make([]float32, o.shape.Len())
	for i := range data {
		data[i] = pixel[i%o.shape.C]
	}
	return tensor.New(tensor.WithShape(o.shape.H, o.shape.W, o.shape.C), tensor.WithBacking(data))
}

// whole is the cover as an image, nil where the fill is a colour of its own at each position.
func (o *occluder) whole() *tensor.Dense {
	if o.cover == nil {
		return nil
	}
	return tensor.New(tensor.WithShape(o.shape.H, o.shape.W, o.shape.C), tensor.WithBacking(o.cover))
}

// patch writes the occluded pixels of a rectangle into a tile that covers it.
func (o *occluder) patch(r region.Rect, to operators.Tile) {
	if o.cover != nil {
		from := operators.WholeTile(o.shape, o.cover)
		for y := r.Y.Lo; y < r.Y.Hi; y++ {
			copy(to.Row(y, r.X.Lo, r.X.Hi), from.Row(y, r.X.Lo, r.X.Hi))
		}
		return
	}
	mean := imageio.MeanOfRect(o.pixels, image.Rect(r.X.Lo, r.Y.Lo, r.X.Hi, r.Y.Hi))
	pixel := make([]float32, len(mean))
	o.spec.Normalize(pixel, mean)
	for y := r.Y.Lo; y < r.Y.Hi; y++ {
		row := to.Row(y, r.X.Lo, r.X.Hi)
		for i := range row {
			row[i] = pixel[i%o.shape.C]
		}
	}
}
