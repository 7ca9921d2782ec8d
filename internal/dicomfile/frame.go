package dicomfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/suyashkumar/dicom/pkg/tag"
)

// Frame returns the bytes of a frame, counted from 1: its samples, row by row,
// or its JPEG stream. They are a part of the file where that has them in one
// piece.
func (f *File) Frame(n int) ([]byte, error) {
	if n < 1 || n > f.Frames {
		if f.Frames == 1 {
			return nil, fmt.Errorf("it has one frame, no frame %d", n)
		}
		return nil, fmt.Errorf("it has the frames 1 to %d, no frame %d", f.Frames, n)
	}
	if f.JPEG {
		return f.stream(n)
	}
	if f.runs {
		stream, err := f.stream(n)
		if err != nil {
			return nil, err
		}
		return f.unpack(stream)
	}
	size := int64(f.Rows) * int64(f.Columns) * int64(f.Samples) * int64(f.Bits/8)
	value := f.pixels.value
	if int64(len(value))/size < int64(f.Frames) { // for the product may be beyond an int64
		return nil, fmt.Errorf("the file is cut short or damaged: %d frames of %d x %d pixels take %.0f bytes, it has %d",
			f.Frames, f.Columns, f.Rows, float64(f.Frames)*float64(size), len(value))
	}
	from := int64(n-1) * size
	if f.Bits == 8 && f.pixels.vr == "OW" && f.Order == binary.BigEndian {
		value = swapped(value) // bytes went into words of two, the first one high
	}
	return value[from : from+size], nil
}

func swapped(words []byte) []byte {
	out := make([]byte, len(words))
	for i := range len(words) / 2 {
		out[2*i], out[2*i+1] = words[2*i+1], words[2*i]
	}
	return out
}

// stream puts the fragments of a frame together (PS3.5 A.4). Which fragments
// are a frame's is known if there is one frame or one fragment for each, or else
// from the offset table, or else from the marks that begin every JPEG stream.
func (f *File) stream(n int) ([]byte, error) {
	content := f.content
	table, fragments, err := pieces(&content)
	if err != nil {
		return nil, err
	}
	var begins []int // the first fragment of each frame
	switch {
	case f.Frames == 1:
		begins = []int{0}
	case len(fragments) == f.Frames:
		begins = make([]int, f.Frames)
		for i := range begins {
			begins[i] = i
		}
	default:
		if begins = f.byOffset(table, fragments); begins == nil {
			begins = byMark(fragments)
		}
	}
	if len(begins) != f.Frames || len(fragments) == 0 {
		return nil, fmt.Errorf("it should have %d frames, but is in %d pieces that do not tell which frame they belong to", f.Frames, len(fragments))
	}
	begins = append(begins, len(fragments))
	own := fragments[begins[n-1]:begins[n]]
	if len(own) == 1 {
		return own[0], nil
	}
	return bytes.Join(own, nil), nil
}

// maxPieces bounds the memory that the list of fragments takes.
const maxPieces = 1 << 20

// pieces lists the items of compressed pixels: the table of offsets, which may be
// empty, and the fragments.
func pieces(w *walker) (table []byte, fragments [][]byte, err error) {
	for i := 0; ; i++ {
		if i > maxPieces {
			return nil, nil, fmt.Errorf("its pixels are in more than %d pieces", maxPieces)
		}
		if w.done() {
			return nil, nil, errors.New("the file is cut short in its pixels")
		}
		e, err := w.next()
		switch {
		case err != nil:
			return nil, nil, err
		case e.tag == tag.SequenceDelimitationItem:
			return table, fragments, nil
		case e.tag != tag.Item || e.undefined:
			return nil, nil, fmt.Errorf("it is malformed: %s among the pieces of its pixels", name(e.tag))
		case i == 0:
			table = e.value
		default:
			fragments = append(fragments, e.value)
		}
	}
}

// byOffset finds the first fragment of each frame by the offsets of the table,
// which count from the first fragment's header; nil if they are not those of
// fragments.
func (f *File) byOffset(table []byte, fragments [][]byte) []int {
	const header = 8
	var begins []int
	at := uint32(0)
	for i, fragment := range fragments {
		if len(table) >= 4 && f.Order.Uint32(table) == at {
			begins = append(begins, i)
			table = table[4:]
		}
		at += header + uint32(len(fragment))
	}
	if len(table) > 0 || len(begins) == 0 || begins[0] != 0 {
		return nil
	}
	return begins
}

// byMark finds the fragments with which JPEG streams begin.
func byMark(fragments [][]byte) []int {
	var begins []int
	for i, fragment := range fragments {
		if bytes.HasPrefix(fragment, []byte{0xff, 0xd8, 0xff}) {
			begins = append(begins, i)
		}
	}
	if len(begins) == 0 || begins[0] != 0 {
		return nil
	}
	return begins
}
