package imageio

import (
	"fmt"
	"image"
	"math/rand/v2"

	"gorgonia.org/tensor"
)

// What a patch is filled with is made here from the fitted image, a float32
// tensor of shape (H, W, C) in pixel space, as Fit gives it.

// maxSigma bounds the time a blur takes; images are flat long before.
const maxSigma = 1000

// Blur returns the image blurred by a Gaussian with a standard deviation of
// sigma pixels, not rounded. The kernel ends at round(4 sigma), and the image
// is mirrored beyond its rims, rim pixels included: SciPy's gaussian_filter
// with its defaults. A sigma of 0 is a copy.
func Blur(pixels *tensor.Dense, sigma float64) (*tensor.Dense, error) {
	if !(sigma >= 0 && sigma <= maxSigma) {
		return nil, fmt.Errorf("blur of sigma %v; it goes from 0 to %d pixels", sigma, maxSigma)
	}
	m, err := rasterOf(pixels)
	if err != nil {
		return nil, fmt.Errorf("blur: %w", err)
	}
	if sigma == 0 {
		return pixels.Clone().(*tensor.Dense), nil
	}
	m = gaussian(m.w, sigma).alongX(m, false)
	return gaussian(m.h, sigma).alongY(m, false).dense(), nil
}

// Noise returns an image of shape (h, w, c), all at least 1, whose values are
// whole numbers from 0 to 255, each as likely. The same seed gives the same
// image on every machine: value i is byte i mod 8, the lowest first, of the
// i/8-th number of a PCG-DXSM generator (math/rand/v2) seeded with the seed and
// a constant.
func Noise(seed uint64, h, w, c int) *tensor.Dense {
	const stream = 0x6f63636c756465 // "occlude"
	source := rand.NewPCG(seed, stream)
	m := newRaster(w, h, c, 8)
	var bits uint64
	for i := range m.pix {
		if i%8 == 0 {
			bits = source.Uint64()
		}
		m.pix[i] = float32(bits & 0xff)
		bits >>= 8
	}
	return m.dense()
}

// MeanOf returns the mean of each channel.
func MeanOf(pixels *tensor.Dense) []float32 {
	return MeanOfRect(pixels, image.Rect(0, 0, MaxSide, MaxSide))
}

// MeanOfRect returns the mean of each channel over the part of the rectangle
// that lies in the image: zeros if there is none, and nil for a tensor that is
// not fitted pixels.
func MeanOfRect(pixels *tensor.Dense, r image.Rectangle) []float32 {
	m, err := rasterOf(pixels)
	if err != nil {
		return nil
	}
	r = r.Intersect(image.Rect(0, 0, m.w, m.h))
	mean := make([]float32, m.c)
	if r.Empty() {
		return mean
	}
	for c := range mean {
		sum := 0.0
		for y := r.Min.Y; y < r.Max.Y; y++ {
			for x := r.Min.X; x < r.Max.X; x++ {
				sum += float64(m.pix[(y*m.w+x)*m.c+c])
			}
		}
		mean[c] = float32(sum / float64(r.Dx()*r.Dy()))
	}
	return mean
}
