package imageio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"image"
	"regexp"
	"slices"
	"testing"

	"occlude/internal/memory/memorytest"
)

// FuzzDeclared: pictures whose headers tell of other sizes than their content has. What
// comes of it is an image or an error, in memory that is in proportion to the size told.
func FuzzDeclared(f *testing.F) {
	for i, path := range fixtures(f) {
		f.Add(content(f, path), uint16(1+i%7), uint16(900))
		f.Add(content(f, path), uint16(1023), uint16(1024))
	}
	f.Fuzz(func(t *testing.T, file []byte, w, h uint16) {
		w, h = w%1024, h%1024 // more is too slow to fuzz
		declared(t, file, int(w), int(h))
	})
}

// TestDeclared has every fixture tell of sizes up to the largest that is read.
func TestDeclared(t *testing.T) {
	sizes := [][2]int{{0, 0}, {1, 1}, {1, 65_500}, {65_500, 1}, {1000, 900}, {65_535, 65_535}, {10_001, 10_001}}
	if !testing.Short() {
		sizes = append(sizes, [2]int{10_000, 1000})
	}
	changed := map[string]int{}
	for _, path := range fixtures(t) {
		file := content(t, path)
		for _, s := range sizes {
			if declared(t, file, s[0], s[1]) {
				changed[formatOf(file).name]++
			}
		}
	}
	for _, f := range formats {
		if f.name != "NumPy .npy" && changed[f.name] == 0 {
			t.Errorf("the size of no %s was changed", f.name)
		}
	}
	declared(t, array(t, []int{2, 2}, make([]float32, 4)), 10_000, 9999)
}

// declared tells whether the size that the file tells of could be changed.
func declared(t *testing.T, file []byte, w, h int) bool {
	t.Helper()
	told := declare(slices.Clone(file), w, h)
	if c, _, err := image.DecodeConfig(bytes.NewReader(told)); err == nil && c.Width*c.Height > w*h {
		w, h = c.Width, c.Height // told in another place than declare knows
	}
	before := memorytest.Allocated()
	check(t, told)
	// 16 bytes a pixel in the decoder and 12 as floats, twice where it is turned; what is
	// compressed in the file itself may be of any size that the file allows.
	if n, most := memorytest.Allocated()-before, uint64(64*min(w*h, MaxPixels)+1100*len(file)+8<<20); n > most {
		t.Errorf("%d bytes of memory for %d x %d pixels in a file of %d, more than %d", n, w, h, len(file), most)
	}
	return !bytes.Equal(told, file)
}

var (
	shapeOfArray = regexp.MustCompile(`'shape': \([^)]*\)`)
	// Explicit value representations, little endian: Rows and Columns.
	rowsOfDICOM    = []byte("\x28\x00\x10\x00US\x02\x00")
	columnsOfDICOM = []byte("\x28\x00\x11\x00US\x02\x00")
)

// declare writes a size where the formats have it, and leaves the rest as it is.
func declare(b []byte, w, h int) []byte {
	kind := formatOf(b)
	if kind == nil {
		return b
	}
	put16 := func(at, v int) {
		if at >= 0 && at+2 <= len(b) {
			binary.LittleEndian.PutUint16(b[at:], uint16(v))
		}
	}
	switch kind.name {
	case "PNG":
		if len(b) >= 33 {
			binary.BigEndian.PutUint32(b[16:], uint32(w))
			binary.BigEndian.PutUint32(b[20:], uint32(h))
			binary.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		}
	case "JPEG":
		for at := 2; at+9 <= len(b) && b[at] == 0xff; at += 2 + int(binary.BigEndian.Uint16(b[at+2:])) {
			if b[at+1] >= 0xc0 && b[at+1] <= 0xc2 {
				binary.BigEndian.PutUint16(b[at+5:], uint16(h))
				binary.BigEndian.PutUint16(b[at+7:], uint16(w))
			}
		}
	case "GIF":
		put16(6, w)
		put16(8, h)
		if at := bytes.IndexByte(b[min(len(b), 13):], ',') + 13; at > 13 {
			put16(at+5, w)
			put16(at+7, h)
		}
	case "BMP":
		if len(b) >= 26 {
			binary.LittleEndian.PutUint32(b[18:], uint32(w))
			binary.LittleEndian.PutUint32(b[22:], uint32(h))
		}
	case "TIFF":
		var order binary.ByteOrder = binary.LittleEndian
		if b[0] == 'M' {
			order = binary.BigEndian
		}
		if len(b) < 8 || int64(order.Uint32(b[4:]))+2 > int64(len(b)) {
			return b
		}
		for at := int(order.Uint32(b[4:])) + 2; at+12 <= len(b); at += 12 {
			size := map[uint16]int{0x100: w, 0x101: h, 0x116: h}[order.Uint16(b[at:])] // and rows per strip
			switch kind := order.Uint16(b[at+2:]); {
			case order.Uint16(b[at:]) > 0x116:
				return b
			case size > 0 && kind == 3:
				order.PutUint16(b[at+8:], uint16(size))
			case size > 0 && kind == 4:
				order.PutUint32(b[at+8:], uint32(size))
			}
		}
	case "WebP":
		if len(b) < 30 {
			return b
		}
		switch string(b[12:16]) {
		case "VP8 ":
			put16(26, w&0x3fff)
			put16(28, h&0x3fff)
		case "VP8L":
			bits := binary.LittleEndian.Uint32(b[21:])&^(1<<28-1) | uint32(w-1)&0x3fff | uint32(h-1)&0x3fff<<14
			binary.LittleEndian.PutUint32(b[21:], bits)
		case "VP8X":
			put16(24, w-1)
			put16(27, h-1)
		}
	case "DICOM":
		for _, e := range []struct {
			tag  []byte
			size int
		}{{rowsOfDICOM, h}, {columnsOfDICOM, w}} {
			if at := bytes.Index(b, e.tag); at >= 0 {
				put16(at+len(e.tag), e.size)
			}
		}
	case "NumPy .npy":
		shape := fmt.Sprintf("'shape': (%d, %d)", h, w)
		if at := shapeOfArray.FindIndex(b); at != nil && at[0]+len(shape) < len(b) {
			copy(b[at[0]:], shape+"} ")
		}
	}
	return b
}
