package imageio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"occlude/internal/dicomfile"
	"occlude/internal/npy"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	return content(t, filepath.Join("testdata/read", name))
}

func content(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fixtures are all picture files of testdata.
func fixtures(t testing.TB) []string {
	t.Helper()
	pictures, err := filepath.Glob("testdata/read/*[^y]")
	if err != nil {
		t.Fatal(err)
	}
	medical, err := filepath.Glob("testdata/dicom/*.dcm")
	if err != nil || len(pictures) < 40 || len(medical) < 15 {
		t.Fatalf("%d and %d files, %v", len(pictures), len(medical), err)
	}
	return append(pictures, medical...)
}

// resizedPNG returns a PNG whose header tells of another size.
func resizedPNG(t *testing.T, w, h uint32) []byte {
	file := readFile(t, "rgb.png")
	binary.BigEndian.PutUint32(file[16:], w)
	binary.BigEndian.PutUint32(file[20:], h)
	binary.BigEndian.PutUint32(file[29:], crc32.ChecksumIEEE(file[12:29]))
	return file
}

func array(t *testing.T, shape []int, values []float32) []byte {
	var file bytes.Buffer
	if err := npy.Write(&file, tensor.New(tensor.WithShape(shape...), tensor.WithBacking(values))); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// plainly is how a file is looked at when nothing is said.
var plainly = view{background: white, frame: 1}

func TestRefusedFiles(t *testing.T) {
	progressive := readFile(t, "progressive.jpg")
	sof := bytes.Index(progressive, []byte{0xff, 0xc2})
	copy(progressive[sof+5:], []byte{0x20, 0, 0x20, 0}) // 8192 x 8192
	progressive = append(progressive, bytes.Repeat([]byte{0xff, 0xda}, 40)...)

	webp := readFile(t, "exif3.webp")
	webp[20] |= 1 << 1

	bare := readFile(t, "cmyk.jpg")
	bare = bytes.Replace(bare, []byte("Adobe"), []byte("Other"), 1)

	cut := func(name string) []byte { b := readFile(t, name); return b[:len(b)*3/4] }
	for _, c := range []struct {
		name    string
		content []byte
		want    string
	}{
		{"empty.png", nil, "empty"},
		{"text.png", []byte("just a text"), "none of the formats that are read: PNG, JPEG, GIF, BMP, DICOM, TIFF, WebP, NumPy .npy"},
		{"BMO.txt", []byte("BMO is a robot, not a bitmap"), "none of the formats"},
		{"short.png", []byte("\x89PNG\r\n\x1a\n"), "cut short"},
		{"cut.png", cut("rgb.png"), "cut short"},
		{"cut.jpg", cut("rgb420.jpg"), "cut short"},
		{"cut.gif", readFile(t, "frames.gif")[:300], "cut short"},
		{"cut.bmp", cut("rgb.bmp"), "cut short"},
		{"cut.tif", cut("raw.tif"), "cut short"},
		{"cut.webp", cut("lossless.webp"), "cut short"},
		{"cut.npy", array(t, []int{2, 2}, make([]float32, 4))[:140], "needs 16 bytes"},
		{"huge.png", resizedPNG(t, 60_000, 60_000), "more than 100 million"},
		{"long.png", resizedPNG(t, 70_000, 1), "a side may have 65500"},
		{"flat.png", resizedPNG(t, 5, 0), ""},
		{"scans.jpg", progressive, "scans"},
		{"animated.webp", webp, "animated"},
		{"bare.jpg", bare, "Adobe"},
		{"vector.npy", array(t, []int{4}, make([]float32, 4)), "shape [4] is not an image"},
		{"four.npy", array(t, []int{2, 2, 4}, make([]float32, 16)), "shape [2 2 4]"},
		{"batch.npy", array(t, []int{1, 3, 2, 2}, make([]float32, 12)), "shape [1 3 2 2]"},
		{"nan.npy", array(t, []int{1, 2}, []float32{1, float32(math.NaN())}), "value 1 of the array is NaN"},
		{"inf.npy", array(t, []int{1, 2}, []float32{float32(math.Inf(-1)), 1}), "-Inf"},
		{"huge.npy", []byte("\x93NUMPY\x01\x00\x50\x00" + fmt.Sprintf("%-80s", "{'descr': '<f4', 'fortran_order': False, 'shape': (50000, 50000)}")), "more than 100 million"},
	} {
		path := write(t, c.name, c.content)
		img, err := Read(t.Context(), path, Window{})
		if err == nil {
			t.Errorf("%s was read: %d x %d", c.name, img.Width, img.Height)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.name) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	for path, want := range map[string]string{"testdata": "folder", "testdata/none.png": "no such file", "": ""} {
		if _, err := Read(t.Context(), path, Window{}); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("%q", path)) {
			t.Errorf("%q: %v", path, err)
		}
	}
}

// TestContentDecides reads files under names of other formats.
func TestContentDecides(t *testing.T) {
	for name, as := range map[string]string{"rgb.png": "a.jpg", "rgb444.jpg": "b.png", "rgb.bmp": "c", "lossless.webp": "d.npy", "raw.tif": "e.gif"} {
		img, err := Read(t.Context(), write(t, as, readFile(t, name)), Window{})
		if err != nil || img.Width != 23 || img.Height != 17 {
			t.Errorf("%s as %s: %v", name, as, err)
		}
	}
}

func TestArrays(t *testing.T) {
	count := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(i) + 0.5
		}
		return v
	}
	for _, c := range []struct {
		shape, want []int
		pixel       []float32 // at x = 1, y = 0
	}{
		{[]int{2, 4}, []int{2, 4, 1}, []float32{1.5}},
		{[]int{2, 4, 1}, []int{2, 4, 1}, []float32{1.5}},
		{[]int{2, 4, 3}, []int{2, 4, 3}, []float32{3.5, 4.5, 5.5}},
		{[]int{1, 2, 4}, []int{2, 4, 1}, []float32{1.5}},
		{[]int{3, 2, 4}, []int{2, 4, 3}, []float32{1.5, 9.5, 17.5}},
		{[]int{3, 3, 3}, []int{3, 3, 3}, []float32{3.5, 4.5, 5.5}},
		{[]int{3, 3}, []int{3, 3, 1}, []float32{1.5}},
		{[]int{3, 4, 1}, []int{3, 4, 1}, []float32{1.5}},
	} {
		n := 1
		for _, d := range c.shape {
			n *= d
		}
		img, err := Read(t.Context(), write(t, "a.npy", array(t, c.shape, count(n))), Window{})
		if err != nil {
			t.Errorf("%v: %v", c.shape, err)
			continue
		}
		channels := c.want[2]
		got := floats(pixels(t, img))[channels : 2*channels]
		if !pixels(t, img).Shape().Eq(tensor.Shape(c.want)) || !slices.Equal(got, c.pixel) || img.Depth != 32 {
			t.Errorf("%v: shape %v, pixel %v, depth %d; want %v, %v", c.shape, pixels(t, img).Shape(), got, img.Depth, c.want, c.pixel)
		}
	}
	bytes8 := tensor.New(tensor.WithShape(1, 2), tensor.WithBacking([]uint8{7, 255}))
	var file bytes.Buffer
	if err := npy.Write(&file, bytes8); err != nil {
		t.Fatal(err)
	}
	img, err := Read(t.Context(), write(t, "u1.npy", file.Bytes()), Window{})
	if err != nil || img.Depth != 8 || !slices.Equal(floats(pixels(t, img)), []float32{7, 255}) {
		t.Errorf("uint8: %+v, %v", img, err)
	}
}

// TestBrokenMetadata: a picture is shown even if what is said about it is not.
func TestBrokenMetadata(t *testing.T) {
	file := readFile(t, "exif6.jpg")
	at := bytes.Index(file, []byte("Exif")) + 6
	for name, harm := range map[string]func(block []byte){
		"offset":      func(b []byte) { copy(b[4:], "\xff\xff\xff\xff") },
		"count":       func(b []byte) { copy(b[8:], "\xff\xff") },
		"orientation": func(b []byte) { copy(b[18:], "\x63\x63") },
		"order":       func(b []byte) { b[0] = '?' },
	} {
		harmed := slices.Clone(file)
		harm(harmed[at:])
		if _, err := whole(t, harmed, plainly); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range 30 {
		for _, block := range []string{"II*\x00\x08\x00\x00\x00\xff\xff\x12\x01\x03\x00\x01\x00\x00\x00\x06\x00", "MM\x00*\x00\x00\x00\x08\x00\x01"} {
			if v := orientation([]byte(block[:min(n, len(block))])); v != 1 && v != 6 {
				t.Errorf("orientation %d of %d bytes", v, n)
			}
		}
	}
}

// TestFewFlippedBytes changes bytes all over each fixture: whatever comes of
// it must be an image or an error.
func TestFewFlippedBytes(t *testing.T) {
	for _, path := range fixtures(t) {
		file := content(t, path)
		for at := 0; at < len(file); at += 1 + len(file)/60 {
			harmed := slices.Clone(file)
			harmed[at] ^= 0xff
			check(t, harmed)
			check(t, file[:at])
		}
	}
}

// check decodes and looks at what must hold of any result.
func check(t *testing.T, file []byte) {
	m, err := whole(t, file, plainly)
	if err != nil {
		if m.pix != nil {
			t.Fatalf("pixels beside the error %v", err)
		}
		return
	}
	if checkSize(m.w, m.h) != nil || m.c != 1 && m.c != 3 || len(m.pix) != m.w*m.h*m.c {
		t.Fatalf("%d x %d x %d with %d values", m.w, m.h, m.c, len(m.pix))
	}
	for _, v := range m.pix {
		if !finite(v) || m.depth != 32 && (v < 0 || v > 255) || m.depth == 8 && v != float32(uint8(v)) {
			t.Fatalf("value %v at depth %d", v, m.depth)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, path := range fixtures(f) {
		f.Add(content(f, path))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		// Sizes within the limits are decoded whole, which is too slow to fuzz.
		if kind := formatOf(file); kind != nil && kind.size != nil {
			if config, err := kind.size(bytes.NewReader(file)); err == nil && config.Width*config.Height > 1<<20 {
				return
			}
		}
		if d, err := dicomfile.Parse(file); err == nil && d.Rows*d.Columns > 1<<20 {
			return
		}
		check(t, file)
	})
}
