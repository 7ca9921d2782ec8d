package imageio

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"occlude/internal/npy"
)

// decodeArray reads a .npy file as an image. Its values are pixels as they
// are, 0 black and 255 white. An axis of 1 or 3 is the channels if it is the
// last one, or else the first: (3, 3, 3) is (H, W, 3).
func decodeArray(_ context.Context, file []byte, _ view) (raster, error) {
	r := bytes.NewReader(file)
	header, err := npy.ReadHeader(r)
	if err != nil {
		return raster{}, err
	}
	m, planar, err := layout(header.Shape)
	if err != nil {
		return raster{}, err
	}
	if err := checkSize(m.w, m.h); err != nil {
		return raster{}, err
	}
	t, err := npy.ReadData(r, header)
	if err != nil {
		return raster{}, err
	}
	m.pix = t.Data().([]float32)
	for i, v := range m.pix {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return raster{}, fmt.Errorf("value %d of the array is %v; pixels are finite numbers", i, v)
		}
	}
	m.depth = 32
	if header.DType == "u1" || header.DType == "b1" {
		m.depth = 8
	}
	if planar {
		m.pix = interleave(m.pix, m.c)
	}
	return m, nil
}

// layout finds the meaning of a shape's axes; planar tells that the channels
// come first.
func layout(shape []int) (m raster, planar bool, err error) {
	channels := func(n int) bool { return n == 1 || n == 3 }
	switch {
	case len(shape) == 2:
		return raster{h: shape[0], w: shape[1], c: 1}, false, nil
	case len(shape) == 3 && channels(shape[2]):
		return raster{h: shape[0], w: shape[1], c: shape[2]}, false, nil
	case len(shape) == 3 && channels(shape[0]):
		return raster{h: shape[1], w: shape[2], c: shape[0]}, true, nil
	}
	return raster{}, false, fmt.Errorf("an array of shape %v is not an image; (H, W), (H, W, 1), (H, W, 3), (1, H, W) and (3, H, W) are", shape)
}

// interleave brings c planes into one.
func interleave(planes []float32, c int) []float32 {
	out := make([]float32, len(planes))
	size := len(planes) / c
	for i := range size {
		for k := range c {
			out[i*c+k] = planes[k*size+i]
		}
	}
	return out
}
