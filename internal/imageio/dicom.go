package imageio

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"iter"
	"slices"

	"occlude/internal/dicomfile"
)

// decodeDICOM reads a frame of a DICOM file.
func decodeDICOM(ctx context.Context, data []byte, v view) (raster, error) {
	m, err := dicomFrame(ctx, data, v)
	if err != nil {
		return raster{}, fmt.Errorf("DICOM: %w", err)
	}
	return m, nil
}

func dicomFrame(ctx context.Context, data []byte, v view) (raster, error) {
	file, err := dicomfile.Parse(data)
	if err != nil {
		return raster{}, err
	}
	if err := checkSize(file.Columns, file.Rows); err != nil {
		return raster{}, err
	}
	if err := checkSamples(file); err != nil {
		return raster{}, err
	}
	frame, err := file.Frame(v.frame)
	if err != nil {
		return raster{}, err
	}
	if file.JPEG {
		picture, err := decodeFrame(ctx, file, frame)
		if err != nil {
			return raster{}, fmt.Errorf("the JPEG stream of frame %d: %w", v.frame, explain(err))
		}
		if file.Samples == 3 {
			return flatten(picture, image.Rect(0, 0, file.Columns, file.Rows), v.background, false).raster(), nil
		}
		frame = picture.(*image.Gray).Pix
	}
	switch file.Photometric {
	case monochrome1, monochrome2:
		return grays(file, frame, v)
	case paletteColor:
		return fromPalette(file, frame)
	}
	return colours(file, frame)
}

// The photometric interpretations that are read (PS3.3 C.7.6.3.1.2).
const (
	monochrome1  = "MONOCHROME1" // the least value is white
	monochrome2  = "MONOCHROME2"
	paletteColor = "PALETTE COLOR"
	rgbColor     = "RGB"
	ybrFull      = "YBR_FULL"
	ybrFull422   = "YBR_FULL_422"
)

// checkSamples refuses what is not read, and samples in another number than they
// come in.
func checkSamples(file *dicomfile.File) error {
	samples := 1
	switch file.Photometric {
	case monochrome1, monochrome2, paletteColor:
	case rgbColor, ybrFull:
		samples = 3
	case ybrFull422:
		samples = 3
		if !file.JPEG { // two pixels share their colour, in an order of its own
			return errors.New("its colours are uncompressed YBR_FULL_422, which is not read")
		}
	default:
		return fmt.Errorf("its photometric interpretation is %q, which is not read", file.Photometric)
	}
	if file.Samples != samples {
		return fmt.Errorf("it is malformed: %s with %d samples per pixel", file.Photometric, file.Samples)
	}
	return nil
}

// grays takes samples through the window, which is computed once for each value
// that a sample can have.
func grays(file *dicomfile.File, frame []byte, v view) (raster, error) {
	s, err := file.Scaling(v.frame)
	if err != nil {
		return raster{}, err
	}
	table, err := v.window.grays(file, s, frame)
	if err != nil {
		return raster{}, err
	}
	m := newRaster(file.Columns, file.Rows, 1, 16)
	if allWhole(table) {
		m.depth = 8
	}
	i := 0
	for sample := range samples(file, frame) {
		m.pix[i] = table[sample]
		i++
	}
	return m, nil
}

// samples goes over the samples of a frame as they are stored.
func samples(file *dicomfile.File, frame []byte) iter.Seq[uint16] {
	return func(yield func(uint16) bool) {
		switch {
		case file.Bits == 8:
			for _, b := range frame {
				if !yield(uint16(b)) {
					return
				}
			}
		case file.Order == binary.BigEndian:
			for ; len(frame) >= 2; frame = frame[2:] {
				if !yield(binary.BigEndian.Uint16(frame)) {
					return
				}
			}
		default:
			for ; len(frame) >= 2; frame = frame[2:] {
				if !yield(binary.LittleEndian.Uint16(frame)) {
					return
				}
			}
		}
	}
}

func allWhole(table []float32) bool {
	for _, v := range table {
		if v != float32(uint8(v)) {
			return false
		}
	}
	return true
}

// colours reads samples of 8 bits for red, green and blue, or for luma and two
// differences of colour.
func colours(file *dicomfile.File, frame []byte) (raster, error) {
	luma := file.Photometric == ybrFull
	if file.Bits != 8 || file.Stored != 8 || file.Signed {
		return raster{}, fmt.Errorf("its colours have %d of %d bits; 8 of 8 are read", file.Stored, file.Bits)
	}
	m := newRaster(file.Columns, file.Rows, 3, 8)
	pixels := m.w * m.h
	step, next := 3, 1 // from pixel to pixel, and from sample to sample
	if file.Planar {
		step, next = 1, pixels
	}
	for i := range pixels {
		at := i * step
		r, g, b := frame[at], frame[at+next], frame[at+2*next]
		if luma {
			r, g, b = fromJFIF(r, g, b)
		}
		m.pix[3*i], m.pix[3*i+1], m.pix[3*i+2] = float32(r), float32(g), float32(b)
	}
	return m, nil
}

// fromPalette looks colours up.
func fromPalette(file *dicomfile.File, frame []byte) (raster, error) {
	palette, err := file.Palette()
	if err != nil {
		return raster{}, err
	}
	depth := 8
	var table [3][]float32
	for c, entries := range palette {
		top := float32(int(1)<<entries.Bits - 1)
		table[c] = make([]float32, 1<<file.Bits)
		for i := range table[c] {
			table[c][i] = min(float32(entries.At(file.Value(uint16(i))))/top*255, 255)
		}
		if !allWhole(table[c]) {
			depth = 16
		}
	}
	m := newRaster(file.Columns, file.Rows, 3, depth)
	i := 0
	for sample := range samples(file, frame) {
		m.pix[i], m.pix[i+1], m.pix[i+2] = table[0][sample], table[1][sample], table[2][sample]
		i += 3
	}
	return m, nil
}

// decodeFrame decodes a frame's JPEG stream, which must be what the file says of
// it. Grays come without gaps between their rows.
func decodeFrame(ctx context.Context, file *dicomfile.File, stream []byte) (image.Image, error) {
	config, err := jpeg.DecodeConfig(bytes.NewReader(stream))
	if err != nil {
		return nil, err
	}
	if config.Width != file.Columns || config.Height != file.Rows || file.Bits != 8 {
		return nil, fmt.Errorf("it has %d x %d pixels of 8 bits, the file speaks of %d x %d of %d bits",
			config.Width, config.Height, file.Columns, file.Rows, file.Bits)
	}
	if file.Photometric == rgbColor && untold(stream) {
		const adobe = "\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00\x00" // a marker that tells of no transform
		stream = slices.Concat(stream[:2], []byte(adobe), stream[2:])
	}
	picture, err := decodeJPEG(newStoppable(ctx, stream))
	if err != nil {
		return nil, err
	}
	switch p := picture.(type) {
	case *image.Gray:
		if file.Samples == 1 {
			return &image.Gray{Pix: dense(p), Stride: config.Width, Rect: image.Rect(0, 0, config.Width, config.Height)}, nil
		}
	case *image.YCbCr, *image.RGBA:
		if file.Samples == 3 {
			return p, nil
		}
	}
	return nil, fmt.Errorf("it is %T, the file speaks of %s", picture, file.Photometric)
}

// untold tells that a JPEG stream does not say what its colours are, so that the
// file is to be believed: it has neither an Adobe marker nor components with the
// numbers 1, 2 and 3 of luma and its two differences. Where it does say so, the
// file may be wrong: some programs decompress, note RGB, and compress again.
func untold(stream []byte) bool {
	for marker, segment := range jpegSegments(stream) {
		switch {
		case marker == 0xee && bytes.HasPrefix(segment, []byte("Adobe")) && len(segment) >= 12:
			return false
		case marker == 0xc0 || marker == 0xc1 || marker == 0xc2: // the frame's header
			const first, size = 6, 3
			return len(segment) < first+3*size ||
				segment[first] != 1 || segment[first+size] != 2 || segment[first+2*size] != 3
		}
	}
	return false
}

// dense are the rows of a picture without what the decoder keeps beside them.
func dense(p *image.Gray) []byte {
	w, h := p.Rect.Dx(), p.Rect.Dy()
	pix := make([]byte, 0, w*h)
	for y := range h {
		pix = append(pix, p.Pix[y*p.Stride:y*p.Stride+w]...)
	}
	return pix
}
