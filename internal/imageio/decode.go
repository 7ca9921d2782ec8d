package imageio

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"
	"golang.org/x/image/webp"

	"occlude/internal/dicomfile"
)

const white, black = 255, 0

// view is how a file is looked at.
type view struct {
	background uint8 // shows behind transparent parts
	window     Window
	frame      int // from 1
}

// format is a kind of picture file. The table below is used in place of
// package image's registry, which is global and which any import can change.
type format struct {
	name    string
	matches func(head []byte) bool
	raster  func(ctx context.Context, file []byte, v view) (raster, error) // does all, or nil and the others do
	size    func(io.Reader) (image.Config, error)
	decode  func(file *stoppable) (image.Image, error)
	exif    func(file []byte) []byte // the EXIF block, nil if there is none
	video   bool                     // YCbCr in the range of television
}

var formats = []format{
	{name: "PNG", matches: starts("\x89PNG\r\n\x1a\n"), size: png.DecodeConfig, decode: using(png.Decode), exif: pngEXIF},
	{name: "JPEG", matches: starts("\xff\xd8\xff"), size: jpeg.DecodeConfig, decode: decodeJPEG, exif: jpegEXIF},
	{name: "GIF", matches: starts("GIF8"), size: gif.DecodeConfig, decode: using(gif.Decode)},
	{name: "BMP", matches: isBMP, size: bmp.DecodeConfig, decode: using(bmp.Decode)},
	{name: "DICOM", matches: dicomfile.Match, raster: decodeDICOM}, // before TIFF, for its preamble may be one's header
	{name: "TIFF", matches: isTIFF, size: tiff.DecodeConfig, decode: decodeTIFF, exif: func(file []byte) []byte { return file }},
	{name: "WebP", matches: isWebP, size: webp.DecodeConfig, decode: decodeWebP, exif: webpEXIF, video: true},
	{name: "NumPy .npy", matches: starts("\x93NUMPY"), raster: decodeArray},
}

var errUnknown = func() error {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.name
	}
	return fmt.Errorf("its content is none of the formats that are read: %s", strings.Join(names, ", "))
}()

func using(decode func(io.Reader) (image.Image, error)) func(*stoppable) (image.Image, error) {
	return func(file *stoppable) (image.Image, error) { return decode(file) }
}

// stoppable is a file in memory that can no longer be read when the context has ended:
// decoders know no contexts, but they read as they go.
type stoppable struct {
	ctx  context.Context
	data []byte
	*bytes.Reader
}

func newStoppable(ctx context.Context, data []byte) *stoppable {
	return &stoppable{ctx, data, bytes.NewReader(data)}
}

// Read implements io.Reader.
func (s *stoppable) Read(b []byte) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.Reader.Read(b)
}

// ReadAt implements io.ReaderAt.
func (s *stoppable) ReadAt(b []byte, at int64) (int, error) {
	if s.ctx.Err() != nil {
		return 0, context.Cause(s.ctx)
	}
	return s.Reader.ReadAt(b, at)
}

func starts(magic string) func([]byte) bool {
	return func(head []byte) bool { return bytes.HasPrefix(head, []byte(magic)) }
}

// isBMP also looks at the four reserved bytes: BM alone starts many a text.
func isBMP(head []byte) bool {
	return len(head) >= 10 && string(head[:2]) == "BM" && string(head[6:10]) == "\x00\x00\x00\x00"
}

func isTIFF(head []byte) bool {
	return starts("II*\x00")(head) || starts("MM\x00*")(head)
}

func isWebP(head []byte) bool {
	return len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WEBP"
}

func formatOf(head []byte) *format {
	for i := range formats {
		if formats[i].matches(head) {
			return &formats[i]
		}
	}
	return nil
}

// headSize is how much of a file tells its format.
const headSize = dicomfile.HeadSize

// malformed makes an error of a panic. The decoders are other people's, and a malformed
// file may provoke one in them, or where the rows of what they made are read.
func malformed(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("the file is malformed (%v)", p)
	}
}

// decode turns a file's bytes into upright pixels.
func decode(ctx context.Context, file []byte, v view) (m source, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil { // whatever the decoder made of that
			err = context.Cause(ctx)
		}
	}()
	defer malformed(&err)
	f := formatOf(file)
	if f == nil {
		return source{}, errUnknown
	}
	if v.frame != 1 && f.name != "DICOM" {
		return source{}, fmt.Errorf("it is %s, of which only the first picture is read; DICOM files have numbered frames", f.name)
	}
	if f.raster != nil {
		pixels, err := f.raster(ctx, file, v)
		return pixels.source(), err
	}
	config, err := f.size(bytes.NewReader(file))
	if err != nil {
		return source{}, explain(err)
	}
	if err := checkSize(config.Width, config.Height); err != nil {
		return source{}, err
	}
	picture, err := f.decode(newStoppable(ctx, file))
	if err != nil {
		return source{}, explain(err)
	}
	// A GIF's frame may cover only a part of the screen that the header tells
	// of; the rest is transparent.
	screen := image.Rect(0, 0, config.Width, config.Height)
	m = flatten(picture, screen, v.background, f.video)
	if f.exif != nil {
		return m.upright(ctx, orientation(f.exif(file)))
	}
	return m, nil
}

func checkSize(w, h int) error {
	switch {
	case w <= 0 || h <= 0:
		return fmt.Errorf("it is %d x %d pixels, there is nothing to see", w, h)
	case w > MaxSide || h > MaxSide:
		return fmt.Errorf("it is %d x %d pixels, a side may have %d", w, h, MaxSide)
	case w > MaxPixels/h:
		return fmt.Errorf("it is %d x %d pixels, more than %d million", w, h, MaxPixels/1_000_000)
	}
	return nil
}

// decodeJPEG bounds the time that a progressive picture takes: each of its
// scans may go over every pixel and be a few bytes long. Real files have about
// ten scans.
func decodeJPEG(file *stoppable) (image.Image, error) {
	const most = 20 * MaxPixels
	config, err := jpeg.DecodeConfig(bytes.NewReader(file.data))
	if err != nil {
		return nil, err
	}
	pixels := config.Width * config.Height
	if scans := bytes.Count(file.data, []byte{0xff, 0xda}); scans > most/pixels {
		return nil, fmt.Errorf("it has %d scans of %d pixels each, more than a picture needs", scans, pixels)
	}
	return jpeg.Decode(file)
}

// decodeTIFF corrects what the decoder makes of fax compression: for it white
// paper is always white. To libtiff, and so to most who write such files, paper
// is the value 0, and the photometric tag says if 0 is black.
func decodeTIFF(file *stoppable) (image.Image, error) {
	picture, err := tiff.Decode(file)
	if err != nil {
		return nil, err
	}
	const compression, group3, group4 = 0x0103, 3, 4
	const photometric, blackIsZero = 0x0106, 1
	if c := tiffTag(file.data, compression); c == group3 || c == group4 {
		if bits, ok := picture.(*image.Gray); ok && tiffTag(file.data, photometric) == blackIsZero {
			for i, v := range bits.Pix {
				bits.Pix[i] = 255 - v
			}
		}
	}
	return picture, nil
}

// decodeWebP says of animations what the decoder only calls invalid.
func decodeWebP(file *stoppable) (image.Image, error) {
	const animation = 1 << 1
	if head := file.data; len(head) > 20 && string(head[12:16]) == "VP8X" && head[20]&animation != 0 {
		return nil, errors.New("animated WebP files are not read")
	}
	return webp.Decode(file)
}

// explain puts the commonest error, which every decoder words in its own way,
// into plain words.
func explain(err error) error {
	text := err.Error()
	for _, sign := range []string{"EOF", "not enough", "short Huffman data"} {
		if strings.Contains(text, sign) {
			return fmt.Errorf("the file is cut short or damaged (%w)", err)
		}
	}
	return err
}
