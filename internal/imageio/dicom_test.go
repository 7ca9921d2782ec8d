package imageio

import (
	"path/filepath"
	"strings"
	"testing"

	"gorgonia.org/tensor"
)

// TestDICOMAgreesWithPydicom holds each frame of testdata/dicom against what
// pydicom makes of it: testdata/gen_dicom.py has written NAME.FRAME.npy.
func TestDICOMAgreesWithPydicom(t *testing.T) {
	files, err := filepath.Glob("testdata/dicom/*.npy")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	const folder = "testdata/dicom/"
	see := func(image string, w Window, file string) {
		t.Run(strings.TrimPrefix(image, folder)+" "+w.String(), func(t *testing.T) {
			img, err := Read(image, w)
			if err != nil {
				t.Fatal(err)
			}
			want, shape := expected(t, file)
			if s := img.Pixels.Shape(); !s.Eq(tensor.Shape(shape)) {
				t.Fatalf("shape %v, want %v", s, shape)
			}
			largest, mean := difference(floats(img.Pixels), want)
			if most := dicomTolerance(image); largest > most {
				t.Errorf("largest difference %g, mean %g", largest, mean)
			}
			whole := strings.Contains(file, "gray8") || strings.Contains(file, "rgb") // as a PNG of 8 bits would be
			if whole && img.Depth != 8 || strings.Contains(file, "ct") && img.Depth != 16 {
				t.Errorf("depth %d", img.Depth)
			}
		})
	}
	for _, file := range files {
		name, frame, _ := strings.Cut(strings.TrimSuffix(filepath.Base(file), ".npy"), ".")
		switch name {
		case "ct-given":
			see(folder+"ct.dcm", Window{Mode: WindowGiven, Center: 40, Width: 80}, file)
		case "implicit-full":
			see(folder+"implicit.dcm", Window{Mode: WindowFull}, file)
		default:
			see(folder+name+".dcm#"+frame, Window{}, file)
		}
	}
	// Without a number it is the first frame. These are the same pictures, with
	// less around them.
	see(folder+"frames.dcm", Window{Mode: WindowFile}, folder+"frames.1.npy")
	see(folder+"naked.dcm", Window{}, folder+"implicit.1.npy")
	see(folder+"meta-only.dcm", Window{Mode: WindowRange}, folder+"implicit.1.npy")
	see(folder+"deflated.dcm", Window{}, folder+"gray8.1.npy")
}

// dicomTolerance is how far pixels may be from pydicom's: not at all but for the
// rounding of float32, unless decoders or conversions of colour may differ by a
// step of 255, or two, which a window then magnifies.
func dicomTolerance(image string) float64 {
	switch {
	case strings.Contains(image, "jpeg"):
		return 2.2
	case strings.Contains(image, "ybr"):
		return 1
	}
	return 2e-5
}
