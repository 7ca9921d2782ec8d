package dicomfile

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// unpack expands a frame that is compressed by runs (PS3.5 annex G). A header of
// 64 bytes tells how many segments there are and where each begins. Each holds one
// byte of a sample for all pixels, the highest first, and one sample after the
// other; unpacked, the samples of a pixel stand together, the lowest byte first.
func (f *File) unpack(stream []byte) ([]byte, error) {
	const header, most = 64, 128 // bytes; bytes that two can stand for
	size := f.Bits / 8
	pixels, segments := f.Rows*f.Columns, f.Samples*size
	if len(stream) < header || binary.LittleEndian.Uint32(stream) != uint32(segments) {
		return nil, fmt.Errorf("it is malformed: a frame that has not %d segments", segments)
	}
	if pixels*segments/(most/2) > len(stream) { // before there is room made for them
		return nil, errShortRuns
	}
	out := make([]byte, pixels*segments)
	for i := range segments {
		from, to := int64(binary.LittleEndian.Uint32(stream[4+4*i:])), int64(len(stream))
		if i+1 < segments {
			to = int64(binary.LittleEndian.Uint32(stream[8+4*i:]))
		}
		if from < header || from > to || to > int64(len(stream)) {
			return nil, fmt.Errorf("it is malformed: segment %d goes from byte %d to %d of %d", i+1, from, to, len(stream))
		}
		sample, significance := i/size, size-1-i%size
		if err := unpackRuns(out[sample*size+significance:], segments, pixels, stream[from:to]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

var errShortRuns = errors.New("the file is cut short or damaged: a frame has fewer pixels than it should")

// unpackRuns writes n bytes, step apart. A byte c below 128 is followed by c+1 bytes
// to take as they are, one above by a byte that comes 257-c times.
func unpackRuns(to []byte, step, n int, from []byte) error {
	for i := 0; i < n; {
		if len(from) < 2 {
			return errShortRuns
		}
		c := int(from[0])
		from = from[1:]
		switch {
		case c < 128:
			if len(from) < c+1 {
				return errShortRuns
			}
			for _, b := range from[:min(c+1, n-i)] {
				to[i*step] = b
				i++
			}
			from = from[c+1:]
		case c > 128:
			for range min(257-c, n-i) {
				to[i*step] = from[0]
				i++
			}
			from = from[1:]
		}
	}
	return nil
}
