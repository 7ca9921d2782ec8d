package imageio

import (
	"bytes"
	"context"
	"encoding/binary"
	"iter"
	"slices"
)

// EXIF stores which way up a camera was held, in a small TIFF file of its own
// inside the picture file. Only that one number is looked for.

// jpegEXIF looks through the segments before the picture's data.
func jpegEXIF(file []byte) []byte {
	const app1 = 0xe1
	for marker, segment := range jpegSegments(file) {
		if block, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == app1 {
			return block
		}
	}
	return nil
}

// jpegSegments goes over the segments before the picture's data: marker and
// content.
func jpegSegments(file []byte) iter.Seq2[byte, []byte] {
	return func(yield func(byte, []byte) bool) {
		const startOfScan = 0xda
		for rest := file[min(2, len(file)):]; len(rest) >= 4 && rest[0] == 0xff; {
			marker := rest[1]
			if marker == 0xff { // a fill byte
				rest = rest[1:]
				continue
			}
			length := int(binary.BigEndian.Uint16(rest[2:])) + 2
			if marker == startOfScan || length < 4 || length > len(rest) || !yield(marker, rest[4:length]) {
				return
			}
			rest = rest[length:]
		}
	}
}

// pngEXIF walks over the chunks: length, name, content, checksum.
func pngEXIF(file []byte) []byte {
	for rest := file[8:]; len(rest) >= 12; {
		length := uint64(binary.BigEndian.Uint32(rest))
		if length+12 > uint64(len(rest)) {
			break
		}
		if string(rest[4:8]) == "eXIf" {
			return rest[8 : 8+length]
		}
		rest = rest[length+12:]
	}
	return nil
}

// webpEXIF walks over the chunks: name, length, content, padded to be even.
func webpEXIF(file []byte) []byte {
	for rest := file[12:]; len(rest) >= 8; {
		length := uint64(binary.LittleEndian.Uint32(rest[4:]))
		if length+8 > uint64(len(rest)) {
			break
		}
		if string(rest[:4]) == "EXIF" {
			return bytes.TrimPrefix(rest[8:8+length], []byte("Exif\x00\x00"))
		}
		rest = rest[min(length+8+length%2, uint64(len(rest))):]
	}
	return nil
}

// orientation is what an EXIF block says, 1 (upright) if it says nothing. A
// picture is never refused for its metadata.
func orientation(block []byte) int {
	const tag = 0x0112
	if v := tiffTag(block, tag); v >= 1 && v <= 8 {
		return v
	}
	return 1
}

// tiffTag looks up a 16-bit number in the first directory of a TIFF file. It is
// -1 where the tag or anything on the way to it is missing or malformed.
func tiffTag(file []byte, tag uint16) int {
	const short, entrySize = 3, 12
	if len(file) < 8 {
		return -1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if file[0] == 'M' {
		order = binary.BigEndian
	}
	start := uint64(order.Uint32(file[4:]))
	if start+2 > uint64(len(file)) {
		return -1
	}
	count := int(order.Uint16(file[start:]))
	for entries := file[start+2:]; count > 0 && len(entries) >= entrySize; count-- {
		if order.Uint16(entries) == tag && order.Uint16(entries[2:]) == short {
			return int(order.Uint16(entries[8:]))
		}
		entries = entries[entrySize:]
	}
	return -1
}

// upright turns and flips the picture to where its orientation says the top is.
// 1 to 4 keep rows and columns, 5 to 8 swap them.
func (s source) upright(ctx context.Context, orientation int) (source, error) {
	swapped := orientation >= 5
	// Where row and column 0 of the file are the last ones, as they are to be seen.
	left := slices.Contains([]int{2, 3, 7, 8}, orientation)
	up := slices.Contains([]int{3, 4, 6, 7}, orientation)
	switch {
	case swapped && s.depth == 8: // whole numbers
		return transposed[uint8](ctx, s, left, up)
	case swapped:
		return transposed[float32](ctx, s, left, up)
	}
	return s.flipped(left, up), nil
}

// flipped gives the rows from the last to the first, if up, and each from right to left,
// if left.
func (s source) flipped(left, up bool) source {
	out := s
	out.row = func(y int, to []float32) {
		if up {
			y = s.h - 1 - y
		}
		s.row(y, to)
		if !left {
			return
		}
		for a, b := 0, (s.w-1)*s.c; a < b; a, b = a+s.c, b-s.c {
			for c := range s.c {
				to[a+c], to[b+c] = to[b+c], to[a+c]
			}
		}
	}
	return out
}

// transposed makes rows of the columns of the flipped picture. Each has a pixel of every
// row, so all pixels have to be there: as T.
func transposed[T uint8 | float32](ctx context.Context, s source, left, up bool) (source, error) {
	from := s.flipped(left, up)
	pix := make([]T, s.w*s.h*s.c)
	line, n := make([]float32, s.w*s.c), s.h*s.c
	for y := range s.h {
		if ctx.Err() != nil {
			return source{}, context.Cause(ctx)
		}
		from.row(y, line)
		for x := range s.w {
			for c, v := range line[x*s.c : (x+1)*s.c] {
				pix[x*n+y*s.c+c] = T(v)
			}
		}
	}
	return source{s.h, s.w, s.c, s.depth, func(y int, to []float32) {
		for i, v := range pix[y*n : (y+1)*n] {
			to[i] = float32(v)
		}
	}}, nil
}
