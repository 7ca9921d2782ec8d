package imageio

import (
	"bytes"
	"compress/flate"
	"encoding/binary"
	"image"
	"image/jpeg"
	"strings"
	"testing"

	"github.com/suyashkumar/dicom/pkg/tag"
	"github.com/suyashkumar/dicom/pkg/uid"

	"occlude/internal/dicomfile/dicomtest"
)

func jpegOf(t *testing.T, w, h int, gray bool) []byte {
	t.Helper()
	var picture image.Image = image.NewGray(image.Rect(0, 0, w, h))
	if !gray {
		picture = image.NewRGBA(image.Rect(0, 0, w, h))
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, picture, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestRefusedDICOM: what is wrong with a file is said in its own terms.
func TestRefusedDICOM(t *testing.T) {
	gray := dicomtest.Image{Columns: 4, Rows: 2, Bits: 16, Stored: 12, High: 11, Frames: [][]uint16{{1, 2, 3, 4, 5, 6, 7, 8}}}
	with := func(change func(m *dicomtest.Image)) []byte {
		m := gray
		m.More = map[tag.Tag]any{}
		change(&m)
		return m.File(t)
	}
	also := func(e tag.Tag, v any) []byte {
		return with(func(m *dicomtest.Image) { m.More[e] = v })
	}
	compressed := func(streams ...[]byte) []byte {
		return with(func(m *dicomtest.Image) {
			m.Syntax, m.Bits, m.Stored, m.High, m.Streams = "1.2.840.10008.1.2.4.50", 8, 8, 7, streams
		})
	}
	runs := func(stream string) []byte {
		return with(func(m *dicomtest.Image) { m.Syntax, m.Streams = "1.2.840.10008.1.2.5", [][]byte{[]byte(stream)} })
	}
	segments := "\x02\x00\x00\x00\x40\x00\x00\x00\x42\x00\x00\x00" + strings.Repeat("\x00", 52)
	whole := gray.File(t)
	head := whole[:bytes.LastIndex(whole, []byte("\xe0\x7f\x10\x00OW"))]
	const pixels = "\xe0\x7f\x10\x00OW\x00\x00"
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"pixels cut", whole[:len(whole)-3], "PixelData (7fe0,0010) should have 16 bytes, 13 are left"},
		{"no pixels", head, "no picture"},
		{"few pixels", append(bytes.Clone(head), pixels+"\x02\x00\x00\x00ab"...), "1 frames of 4 x 2 pixels take 16 bytes, it has 2"},
		{"length of 4 GB", append(bytes.Clone(head), "\x09\x00\x10\x00UN\x00\x00\xfe\xff\xff\xff"...), "should have 4294967294 bytes, 0 are left"},
		{"no end", append(bytes.Clone(head), "\x09\x00\x10\x00SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"...), "cut short"},
		{"no representation", append(bytes.Clone(head), "\x09\x00\x10\x00\x01\x02\x00\x00"...), "no value representation"},
		{"a list for a number", append(bytes.Clone(head), "\x28\x00\x10\x00SQ\x00\x00\x00\x00\x00\x00"...), "Rows (0028,0010) is not the number"},
		{"pixels as fragments", append(bytes.Clone(head), pixels+"\xff\xff\xff\xff\xfe\xff\x00\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"...), "not stored like that"},
		{"frames", also(tag.NumberOfFrames, []string{"2000000000"}), "2000000000 frames of 4 x 2 pixels take 32000000000 bytes"},
		{"no frames", also(tag.NumberOfFrames, []string{"0"}), "NumberOfFrames (0028,0008) is 0"},
		{"huge", with(func(m *dicomtest.Image) {
			m.More[tag.Rows], m.More[tag.Columns] = []int{60000}, []int{50000}
		}), "more than 100 million"},
		{"flat", also(tag.Rows, []int{0}), "Rows (0028,0010) is 0"},
		{"one bit", also(tag.BitsAllocated, []int{1}), "BitsAllocated (0028,0100) is 1"},
		{"twelve bits", also(tag.BitsAllocated, []int{12}), "BitsAllocated (0028,0100) is 12; 8 and 16 are read"},
		{"too many bits", also(tag.BitsStored, []int{17}), "BitsStored (0028,0101) is 17; from 1 to 16"},
		{"high bit", also(tag.HighBit, []int{3}), "HighBit (0028,0102) is 3; from 11 to 15"},
		{"gray in colour", also(tag.SamplesPerPixel, []int{3}), "MONOCHROME2 with 3 samples"},
		{"two samples", also(tag.SamplesPerPixel, []int{2}), "MONOCHROME2 with 2 samples"},
		{"palette", also(tag.PhotometricInterpretation, []string{"PALETTE COLOR"}), "palette is missing"},
		{"ink", also(tag.PhotometricInterpretation, []string{"CMYK"}), `"CMYK", which is not read`},
		{"slope", with(func(m *dicomtest.Image) { m.Slope = "0" }), "RescaleSlope (0028,1053) is 0"},
		{"slope in words", with(func(m *dicomtest.Image) { m.Slope = "steep" }), `RescaleSlope (0028,1053) is "steep"`},
		{"no number", with(func(m *dicomtest.Image) { m.Center, m.Width = "NaN", "5" }), `WindowCenter (0028,1050) is "NaN"`},
		{"beyond floats", with(func(m *dicomtest.Image) { m.Slope, m.Intercept = "1e308", "1e308" }), "beyond all bounds"},
		{"function", with(func(m *dicomtest.Image) { m.Center, m.Width, m.Function = "1", "5", "CUBIC" }), `"CUBIC" is unknown`},
		{"JPEG 2000", with(func(m *dicomtest.Image) { m.Syntax = "1.2.840.10008.1.2.4.91" }), "JPEG 2000 Image Compression (1.2.840.10008.1.2.4.91), which is not read"},
		{"JPEG lossless", with(func(m *dicomtest.Image) { m.Syntax = "1.2.840.10008.1.2.4.70" }), "(1.2.840.10008.1.2.4.70), which is not read"},
		{"unknown syntax", bytes.Replace(whole, []byte("1.2.840.10008.1.2.1\x00"), []byte("9.2.840.10008.1.2.1\x00"), 1), `unknown ("9.2.840.10008.1.2.1")`},
		{"JPEG of another size", compressed(jpegOf(t, 5, 2, true)), "5 x 2 pixels of 8 bits, the file speaks of 4 x 2"},
		{"JPEG in colour", compressed(jpegOf(t, 4, 2, false)), "the file speaks of MONOCHROME2"},
		{"JPEG cut", compressed(jpegOf(t, 4, 2, true)[:300]), "frame 1: the file is cut short"},
		{"no JPEG", compressed([]byte("gibberish!")), "frame 1: "},
		{"no fragments", compressed([][]byte{}...), "in 0 pieces"},
		{"runs of one byte", runs("\x01" + segments[1:] + "\xf9\x01\xf9\x02"), "not 2 segments"},
		{"runs without a header", runs("\x02\x00\x00\x00"), "not 2 segments"},
		{"runs cut", runs(segments + "\xf9\x01\xfa\x02"), "fewer pixels"},
		{"literals cut", runs(segments + "\xf9\x01\x07\x02\x02"), "fewer pixels"},
		{"runs elsewhere", runs(segments[:8] + "\xff\xff\xff\x7f" + segments[12:] + "\xf9\x01\xf9\x02"), "segment 1 goes from byte 64 to 2147483647"},
		{"runs of hugeness", with(func(m *dicomtest.Image) {
			m.Syntax, m.Streams = "1.2.840.10008.1.2.5", [][]byte{[]byte(segments)}
			m.More[tag.Rows], m.More[tag.Columns] = []int{9999}, []int{9999}
		}), "fewer pixels"},
		{"bomb", deflated(t, 65<<20), "inflated it has more than 67108864 bytes"},
		{"nested", nested(1 << 19), "no picture"},
	} {
		path := write(t, "x.dcm", c.file)
		_, err := Read(t.Context(), path, Window{})
		if err == nil {
			t.Errorf("%s: was read", c.name)
		} else if !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "DICOM: ") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
	path := write(t, "x.dcm", whole)
	for frame, want := range map[string]string{"#0": "no frame 0", "#2": "one frame, no frame 2"} {
		if _, err := Read(t.Context(), path+frame, Window{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", frame, err)
		}
	}
	if _, err := Read(t.Context(), "testdata/dicom/frames.dcm#4", Window{}); err == nil || !strings.Contains(err.Error(), "1 to 3") {
		t.Errorf("frame 4 of 3: %v", err)
	}
	if _, err := Read(t.Context(), "testdata/read/frames.gif#2", Window{}); err == nil || !strings.Contains(err.Error(), "GIF") {
		t.Errorf("frame of a GIF: %v", err)
	}
}

// deflated is a deflated file whose first element has n bytes.
func deflated(t *testing.T, n int) []byte {
	t.Helper()
	file := dicomtest.Image{Columns: 1, Rows: 1, Bits: 8, Stored: 8, High: 7, Frames: [][]uint16{{1}}}.File(t)
	file = bytes.Replace(file, []byte(uid.ExplicitVRLittleEndian+"\x00"), []byte(uid.DeflatedExplicitVRLittleEndian), 1)
	file = file[:bytes.Index(file, []byte("\x28\x00"))]
	// The meta information has grown by two bytes, in the syntax and as a whole.
	at := bytes.Index(file, []byte("\x02\x00\x10\x00UI"))
	binary.LittleEndian.PutUint16(file[at+6:], uint16(len(uid.DeflatedExplicitVRLittleEndian)))
	b := bytes.NewBuffer(file)
	w, err := flate.NewWriter(b, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(binary.LittleEndian.AppendUint32([]byte("\x09\x00\x10\x00UN\x00\x00"), uint32(n))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, n)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// nested is a file with lists in lists, as deep as it says.
func nested(depth int) []byte {
	file := append(make([]byte, 128), "DICM"...)
	file = append(file, bytes.Repeat([]byte("\x08\x00\x40\x11SQ\x00\x00\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"), depth)...)
	return append(file, bytes.Repeat([]byte("\xfe\xff\x0d\xe0\x00\x00\x00\x00\xfe\xff\xdd\xe0\x00\x00\x00\x00"), depth)...)
}

// TestCutDICOM: no beginning of a file passes for the whole, but one that lacks
// only what pads or ends it.
func TestCutDICOM(t *testing.T) {
	for _, path := range fixtures(t) {
		if !strings.HasSuffix(path, ".dcm") || strings.Contains(path, "deflated") {
			continue
		}
		file := content(t, path)
		for n := len(file) - 2; n >= 0; n -= 1 + (len(file)-n)/40 {
			if _, err := whole(t, file[:n], plainly); err == nil {
				t.Errorf("%s: the first %d of %d bytes are read", path, n, len(file))
				break
			}
		}
	}
}

// TestSwappedWords: bytes in words of big endian.
func TestSwappedWords(t *testing.T) {
	m := dicomtest.Image{Syntax: uid.ExplicitVRBigEndian, Columns: 2, Rows: 2, Bits: 8, Stored: 8, High: 7, Frames: [][]uint16{{1, 2, 3, 4}}}
	got, err := whole(t, m.File(t), plainly)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float32{2, 1, 4, 3} { // the writer does not swap them
		if got.pix[i] != want {
			t.Errorf("%v", got.pix)
		}
	}
}
