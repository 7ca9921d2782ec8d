package imageio

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"
	"occlude/internal/npy"
)

// difference is the largest and the mean distance of two rasters' values.
func difference(a, b []float32) (largest, mean float64) {
	for i := range a {
		d := math.Abs(float64(a[i]) - float64(b[i]))
		largest = max(largest, d)
		mean += d / float64(len(a))
	}
	return largest, mean
}

func expected(t *testing.T, path string) (values []float32, shape []int) {
	t.Helper()
	want, _, err := npy.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	shape = want.Shape()
	if len(shape) == 2 {
		shape = []int{shape[0], shape[1], 1}
	}
	return want.Data().([]float32), shape
}

// tolerance is the largest distance from Pillow's pixels that is accepted.
// JPEG and lossy WebP leave decoders some freedom in the last bit of each step,
// which was measured to move a channel by at most 2 of 255, and by 0.05 in the
// mean. Everything else agrees exactly, deep colours to the last bit of float32.
func tolerance(name string) (largest, mean float64) {
	switch {
	case strings.HasSuffix(name, ".jpg"), strings.HasPrefix(name, "lossy"):
		return 2, 0.15
	case strings.Contains(name, "16"):
		return 4e-5, 4e-5
	}
	return 0, 0
}

func TestReadAgreesWithPillow(t *testing.T) {
	files, err := filepath.Glob("testdata/read/*[^y]")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			img, err := Read(t.Context(), path, Window{})
			if err != nil {
				t.Fatal(err)
			}
			want, shape := expected(t, path+".npy")
			if s := pixels(t, img).Shape(); !s.Eq(tensor.Shape(shape)) || img.Height != s[0] || img.Width != s[1] || img.Channels() != s[2] {
				t.Fatalf("shape %v (%d x %d, %d channels), want %v", s, img.Width, img.Height, img.Channels(), shape)
			}
			if deep := strings.Contains(name, "16"); (img.Depth == 16) != deep || (img.Depth == 8) == deep {
				t.Errorf("depth %d", img.Depth)
			}
			largest, mean := difference(pixels(t, img).Data().([]float32), want)
			if l, m := tolerance(name); largest > l || mean > m {
				t.Errorf("largest difference %g, mean %g", largest, mean)
			}
		})
	}
}

func write(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// No image is read on when the context has ended, and the error says why.
func TestReadingStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, path := range fixtures(t) {
		img, err := Read(ctx, path, Window{})
		if err == nil { // of small files it does not matter
			_, err = DefaultSpec(8, 8).Fit(ctx, img)
		}
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// Neither a compressed frame nor a picture that lies on its side is read to its end.
func TestDecodingStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, name := range []string{"dicom/jpeg.dcm", "dicom/jpeg-colour.dcm"} {
		if _, err := Read(ctx, filepath.Join("testdata", name), Window{}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for orientation := 5; orientation <= 8; orientation++ {
		for _, depth := range []int{8, 16} {
			m := newRaster(3, 2, 3, depth).source()
			if _, err := m.upright(ctx, orientation); !errors.Is(err, context.Canceled) {
				t.Errorf("orientation %d, %d bits: %v", orientation, depth, err)
			}
		}
	}
}

// And neither is a mask.
func TestMaskStops(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	const path = "testdata/read/gray.png"
	if _, err := FitMask(ctx, path, DefaultSpec(8, 8)); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), path) {
		t.Error(err)
	}
}
