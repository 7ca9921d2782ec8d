package imageio

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Resize says how an image comes to a model's size.
type Resize int

const (
	// Squash stretches each axis for itself.
	Squash Resize = iota
	// Crop keeps the proportions: the image is scaled until it just covers the
	// size, and the middle is taken. For square sizes this is torchvision's
	// Resize(size) followed by CenterCrop(size).
	Crop
	// Letterbox keeps the proportions: the image is scaled until it just fits
	// into the size, and stands in the middle of black.
	Letterbox
)

var resizeNames = []string{Squash: "squash", Crop: "crop", Letterbox: "letterbox"}

func (r Resize) String() string { return nameOf(resizeNames, int(r)) }

// ResizeNames lists what ParseResize knows.
func ResizeNames() []string { return slices.Clone(resizeNames) }

// ParseResize knows "squash", "crop" and "letterbox".
func ParseResize(s string) (Resize, error) {
	i, err := indexOf(resizeNames, s)
	return Resize(i), err
}

// Channels says what a model's input channels are.
type Channels int

const (
	RGB Channels = iota
	BGR
	Gray
)

var channelNames = []string{RGB: "rgb", BGR: "bgr", Gray: "gray"}

func (c Channels) String() string { return nameOf(channelNames, int(c)) }

// Count is the number of channels, 3 or 1.
func (c Channels) Count() int {
	if c == Gray {
		return 1
	}
	return 3
}

// ParseChannels knows "rgb", "bgr" and "gray".
func ParseChannels(s string) (Channels, error) {
	i, err := indexOf(channelNames, s)
	return Channels(i), err
}

func nameOf(names []string, i int) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("unknown (%d)", i)
	}
	return names[i]
}

func indexOf(names []string, s string) (int, error) {
	for i, name := range names {
		if strings.EqualFold(s, name) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("%q is not one of %s", s, strings.Join(names, ", "))
}

// Spec is a model's preprocessing: from a picture of any size to numbers
//
//	x = (pixel*Scale - Mean) / Std
//
// in the model's own size and channel order.
type Spec struct {
	Width, Height int
	Resize        Resize
	Channels      Channels
	// Window is how measurements in DICOM files become pixels; Read takes it, and
	// nothing in this package but Read.
	Window Window
	// Scale brings 0..255 to what Mean and Std are measured in, mostly 0..1.
	Scale float32
	// Mean and Std have one value for all channels or one for each, in the
	// model's channel order: for BGR the first belongs to blue. None at all
	// stands for a mean of 0 and a deviation of 1.
	Mean, Std []float32
}

// DefaultSpec is what is done for a model of which nothing else is known: RGB,
// pixels divided by 255, squashed to the size.
func DefaultSpec(width, height int) Spec {
	return Spec{Width: width, Height: height, Scale: 1.0 / 255}
}

// Validate tells what is wrong with the options; all other methods expect it to
// have passed.
func (s Spec) Validate() error {
	if s.Width <= 0 || s.Height <= 0 || s.Width > MaxSide || s.Height > MaxSide || s.Width > MaxPixels/s.Height {
		return fmt.Errorf("size %d x %d is impossible; sides go from 1 to %d, with %d million pixels at most",
			s.Width, s.Height, MaxSide, MaxPixels/1_000_000)
	}
	if s.Resize < Squash || s.Resize > Letterbox {
		return fmt.Errorf("resize is %v", s.Resize)
	}
	if s.Channels < RGB || s.Channels > Gray {
		return fmt.Errorf("channels is %v", s.Channels)
	}
	if err := s.Window.Validate(); err != nil {
		return err
	}
	if s.Scale == 0 || !finite(s.Scale) {
		return fmt.Errorf("scale is %v; it must be a number other than 0", s.Scale)
	}
	if err := s.validateList("mean", s.Mean); err != nil {
		return err
	}
	if err := s.validateList("std", s.Std); err != nil {
		return err
	}
	for _, v := range s.Std {
		if v <= 0 {
			return fmt.Errorf("std is %v; it must be above 0", s.Std)
		}
	}
	// What is finite for itself can still overflow together.
	affine := s.affine()
	for c := range s.Channels.Count() {
		for _, pixel := range []float32{0, 255} {
			if !finite(affine[c].apply(pixel)) {
				return errors.New("scale, mean and std take pixels beyond the range of float32")
			}
		}
	}
	return nil
}

func (s Spec) validateList(name string, values []float32) error {
	n := s.Channels.Count()
	if len(values) > 1 && len(values) != n {
		return fmt.Errorf("%s has %d values for %d channels (%v)", name, len(values), n, s.Channels)
	}
	for _, v := range values {
		if !finite(v) {
			return fmt.Errorf("%s is %v; it must be finite", name, values)
		}
	}
	return nil
}

// Doubt tells of a mean or std that belongs to pixels of another scale, "" if all may be
// meant: of means from 0 to 255 where pixels become 0 to 1, and of deviations below 1
// where they stay 0 to 255.
func (s Spec) Doubt() string {
	low, high := min(0, 255*s.Scale), max(0, 255*s.Scale)
	for c, a := range s.affine() {
		switch {
		case c >= s.Channels.Count():
		case a.mean < 1.01*low || a.mean > 1.01*high:
			return fmt.Sprintf("mean = %v is beyond all pixels, which scale = %.6g makes %.4g to %.4g; for a mean of pixels from 0 to 255 say scale = 1",
				a.mean, s.Scale, low, high)
		case s.Scale == 1 && a.std < 1:
			return fmt.Sprintf("std = %v belongs to pixels from 0 to 1, scale = 1 leaves them 0 to 255; without scale they are 0 to 1", a.std)
		}
	}
	return ""
}

func finite(v float32) bool {
	return !math.IsNaN(float64(v)) && !math.IsInf(float64(v), 0)
}

// affine is one channel's normalisation.
type affine struct{ scale, mean, std float32 }

// apply rounds after every step, so that compilers which join a product and a
// sum into one instruction cannot change the result.
func (a affine) apply(pixel float32) float32 {
	return (float32(pixel*a.scale) - a.mean) / a.std
}

func (s Spec) affine() [3]affine {
	of := func(values []float32, c int, without float32) float32 {
		switch len(values) {
		case 0:
			return without
		case 1:
			return values[0]
		}
		return values[c]
	}
	var out [3]affine
	for c := range s.Channels.Count() {
		out[c] = affine{scale: s.Scale, mean: of(s.Mean, c, 0), std: of(s.Std, c, 1)}
	}
	return out
}

// Normalize turns pixels in display order, as Fit gives them, into the model's
// numbers in the model's channel order: blue comes first for BGR. Both slices
// hold whole pixels, channels innermost, and have the same length; they may be
// the same slice. Each pixel is treated for itself, so normalising any run of
// pixels, such as the rows of a patch, gives what normalising the whole image
// would.
func (s Spec) Normalize(dst, pixels []float32) {
	a := s.affine()
	if s.Channels == Gray {
		for i, v := range pixels {
			dst[i] = a[0].apply(v)
		}
		return
	}
	first, last := 0, 2 // where the model's first and last channel are found
	if s.Channels == BGR {
		first, last = 2, 0
	}
	for i := 0; i+3 <= len(pixels); i += 3 {
		x, y, z := pixels[i+first], pixels[i+1], pixels[i+last]
		dst[i], dst[i+1], dst[i+2] = a[0].apply(x), a[1].apply(y), a[2].apply(z)
	}
}
