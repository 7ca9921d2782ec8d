package imageio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"gorgonia.org/tensor"

	"occlude/internal/cause"
)

// Limits on what is read, looked at before any pixel is decoded. They keep a
// few hostile bytes from filling the memory: the largest picture that passes
// takes 0.8 GB when it is decoded, arrays and DICOM files 1.2 GB as float32; one that
// lies on its side is held twice while it is turned.
const (
	MaxPixels = 100_000_000 // width times height
	MaxSide   = 65_500      // width or height
	MaxFile   = 1 << 30     // bytes
)

// Image is a decoded picture, gray or red, green and blue; 0 is black and 255 white.
// Picture files stay within these bounds, the values of .npy files are whatever they
// are. Its pixels become float32 row by row, when Fit asks for them.
type Image struct {
	Width, Height int
	// Depth is the number of bits of a sample: 8 if every value is a whole
	// number from 0 to 255, 16 for deep pictures, scaled down to 0..255, and 32
	// for arrays of floats or wide integers.
	Depth int
	Path  string // the name that it was read by

	source source
}

// Channels is 1 for gray and 3 for colour.
func (m *Image) Channels() int { return m.source.c }

// Read reads an image: PNG, JPEG, GIF (the first frame), BMP, DICOM, TIFF, WebP
// or a NumPy array, told apart by their content. The name is a path, of which
// SplitFrame takes off a frame. The window is for DICOM. Transparent parts show
// white. The picture is turned upright as its EXIF orientation says.
//
// Errors name the image.
func Read(ctx context.Context, name string, w Window) (*Image, error) {
	f, err := Load(name)
	if err != nil {
		return nil, err
	}
	return f.Decode(ctx, w)
}

// File is an image file that was read but not decoded.
type File struct {
	Path string // the name that it was read by, with the frame if that was named
	Data []byte

	frame int
}

// Load reads an image's file if it starts like an image. Errors name the image.
func Load(name string) (*File, error) {
	path, frame := SplitFrame(name)
	data, err := load(path)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", name, err)
	}
	return &File{name, data, frame}, nil
}

// Frame is the number of the frame that the name asks for, from 1.
func (f *File) Frame() int { return f.frame }

// Decode makes of the file what Read does.
func (f *File) Decode(ctx context.Context, w Window) (*Image, error) {
	m, err := f.over(ctx, white, w)
	if err != nil {
		return nil, err
	}
	return &Image{Width: m.w, Height: m.h, Depth: m.depth, Path: f.Path, source: m}, nil
}

// over decodes with a choice of what shows behind transparent parts.
func (f *File) over(ctx context.Context, background uint8, w Window) (source, error) {
	m, err := decode(ctx, f.Data, view{background, w, f.frame})
	if err != nil {
		return source{}, fmt.Errorf("image %q: %w", f.Path, err)
	}
	return m, nil
}

// load reads the whole file if it starts like an image.
func load(path string) ([]byte, error) {
	info, err := os.Stat(path) // before opening: a pipe would block
	switch {
	case err != nil:
		return nil, cause.Of(err)
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file")
	case info.Size() > MaxFile:
		return nil, fmt.Errorf("the file has %d bytes, more than %d", info.Size(), MaxFile)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cause.Of(err)
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	if n == 0 {
		return nil, errors.New("the file is empty")
	}
	if formatOf(head[:n]) == nil {
		return nil, errUnknown
	}
	var data bytes.Buffer
	data.Grow(int(min(info.Size(), MaxFile) + bytes.MinRead))
	data.Write(head[:n])
	if _, err := data.ReadFrom(io.LimitReader(f, MaxFile)); err != nil {
		return nil, err
	}
	if data.Len() > MaxFile {
		return nil, fmt.Errorf("the file has more than %d bytes", MaxFile)
	}
	return data.Bytes(), nil
}

// raster is pixels as the plain slice that the package's loops
// run over: pixel (x, y) starts at (y*w + x)*c.
type raster struct {
	pix     []float32
	w, h, c int
	depth   int
}

func newRaster(w, h, c, depth int) raster {
	return raster{pix: make([]float32, w*h*c), w: w, h: h, c: c, depth: depth}
}

func (m raster) dense() *tensor.Dense {
	return tensor.New(tensor.WithShape(m.h, m.w, m.c), tensor.WithBacking(m.pix))
}

// rasterOf looks into a tensor of shape (H, W, C) that this package made or
// that is laid out like it.
func rasterOf(t *tensor.Dense) (raster, error) {
	pix, ok := t.Data().([]float32)
	s := t.Shape()
	if !ok || len(s) != 3 || len(pix) != s.TotalSize() || t.RequiresIterator() || t.DataOrder().IsColMajor() {
		return raster{}, fmt.Errorf("pixels of type %v and shape %v are not float32 in rows, (H, W, C)", t.Dtype(), s)
	}
	return raster{pix: pix, w: s[1], h: s[0], c: s[2]}, nil
}
