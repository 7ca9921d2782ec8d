package imageio

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/uid"
	"gorgonia.org/tensor"

	"occlude/internal/dicomfile/dicomtest"
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
			img, err := Read(t.Context(), image, w)
			if err != nil {
				t.Fatal(err)
			}
			want, shape := expected(t, file)
			if s := pixels(t, img).Shape(); !s.Eq(tensor.Shape(shape)) {
				t.Fatalf("shape %v, want %v", s, shape)
			}
			largest, mean := difference(floats(pixels(t, img)), want)
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

// TestColoursOfJPEG: what the stream says of its colours goes before what the file
// says; where it says nothing, the file is believed.
func TestColoursOfJPEG(t *testing.T) {
	const w, h = 8, 6
	picture := image.NewRGBA(image.Rect(0, 0, w, h))
	paint := color.RGBA{200, 30, 60, 255}
	draw.Draw(picture, picture.Rect, image.NewUniform(paint), image.Point{}, draw.Src)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, &jpeg.Options{Quality: 100}); err != nil {
		t.Fatal(err)
	}
	usual := b.Bytes() // components 1, 2, 3: luma and two differences
	renamed := bytes.Clone(usual)
	frame, scan := bytes.Index(renamed, []byte{0xff, 0xc0}), bytes.Index(renamed, []byte{0xff, 0xda})
	for i := range 3 {
		renamed[frame+10+3*i], renamed[scan+5+2*i] = byte(i), byte(i)
	}
	y, cb, cr := color.RGBToYCbCr(paint.R, paint.G, paint.B)
	painted, raw := [3]uint8{paint.R, paint.G, paint.B}, [3]uint8{y, cb, cr}
	marked := append([]byte("\xff\xd8\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00"), usual[2:]...)
	for _, c := range []struct {
		photometric string
		stream      []byte
		want        [3]uint8
	}{
		{"YBR_FULL_422", usual, painted},
		{"RGB", usual, painted},
		{"YBR_FULL", renamed, painted},
		{"RGB", renamed, raw},
		{"YBR_FULL", marked, raw},
	} {
		m := dicomtest.Image{
			Syntax: "1.2.840.10008.1.2.4.50", Columns: w, Rows: h, Samples: 3, Bits: 8, Stored: 8, High: 7,
			Photometric: c.photometric, Streams: [][]byte{c.stream},
		}
		got, err := whole(t, m.File(t), plainly)
		if err != nil {
			t.Errorf("%s: %v", c.photometric, err)
			continue
		}
		for i, want := range c.want {
			if d := got.pix[i] - float32(want); d < -2 || d > 2 {
				t.Errorf("%s: %v, want %v", c.photometric, got.pix[:3], c.want)
			}
		}
	}
}

// TestImplicitAfterAll: files that say they write representations, and do not.
func TestImplicitAfterAll(t *testing.T) {
	file := content(t, "testdata/dicom/implicit.dcm")
	said := []byte("\x02\x00\x10\x00UI\x12\x00" + uid.ImplicitVRLittleEndian + "\x00")
	wrong := bytes.Replace(file, said, []byte("\x02\x00\x10\x00UI\x14\x00"+uid.ExplicitVRLittleEndian+"\x00"), 1)
	if len(wrong) != len(file)+2 {
		t.Fatal("nothing was replaced")
	}
	want, err := whole(t, file, plainly)
	if err != nil {
		t.Fatal(err)
	}
	got, err := whole(t, wrong, plainly)
	if err != nil || !slices.Equal(got.pix, want.pix) {
		t.Error(err)
	}
}
