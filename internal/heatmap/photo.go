package heatmap

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"

	"golang.org/x/image/draw"
	"gorgonia.org/tensor"
)

// photo is the image under the maps.
type photo struct {
	width, height int
	channels      int
	values        []float32 // (height, width, channels), 0..255
}

// newPhoto reads an image of shape (H, W), (H, W, 1) or (H, W, 3).
func newPhoto(t *tensor.Dense) (*photo, error) {
	if t == nil {
		return nil, errors.New("a figure needs the image that the heat maps are of")
	}
	if t.Dtype() != tensor.Float32 {
		return nil, fmt.Errorf("the image of a figure holds %v, not float32", t.Dtype())
	}
	shape := t.Shape()
	ph := &photo{channels: 1}
	switch {
	case len(shape) == 2:
	case len(shape) == 3 && (shape[2] == 1 || shape[2] == 3):
		ph.channels = shape[2]
	default:
		return nil, fmt.Errorf("the image of a figure has shape %v, not (height, width, 1 or 3 channels)", shape)
	}
	ph.height, ph.width = shape[0], shape[1]
	if t.RequiresIterator() || t.DataOrder().IsColMajor() {
		copied, ok := t.Materialize().(*tensor.Dense)
		if !ok || copied.RequiresIterator() || copied.DataOrder().IsColMajor() {
			return nil, errors.New("the image of a figure is not laid out row by row")
		}
		t = copied
	}
	values, ok := t.Data().([]float32)
	if !ok || len(values) != ph.height*ph.width*ph.channels || len(values) == 0 {
		return nil, fmt.Errorf("the image of a figure has shape %v and no such values", shape)
	}
	ph.values = values
	return ph, nil
}

// Ground is an image that heat maps are drawn over, again and again: it keeps the sizes
// that it was drawn in. It is not for several goroutines at once.
type Ground struct {
	photo *photo
	drawn map[groundKey]*labImage
}

type groundKey struct {
	size  image.Point
	muted bool
}

// NewGround reads an image as that of a Figure.
func NewGround(image *tensor.Dense) (*Ground, error) {
	photo, err := newPhoto(image)
	if err != nil {
		return nil, err
	}
	return photo.ground(), nil
}

// ground is the photo as maps are drawn over it, nil of none.
func (ph *photo) ground() *Ground {
	if ph == nil {
		return nil
	}
	return &Ground{photo: ph, drawn: map[groundKey]*labImage{}}
}

// pixels is the image at a size, nil of none.
func (g *Ground) pixels(size image.Point, muted bool) *labImage {
	if g == nil {
		return nil
	}
	key := groundKey{size, muted}
	if g.drawn[key] == nil {
		const most = 8 // sizes; a window that is pulled goes through many
		if len(g.drawn) >= most {
			clear(g.drawn)
		}
		g.drawn[key] = g.photo.enlarge(size, muted)
	}
	return g.drawn[key]
}

// labImage is a picture in Oklab, of width Rect.Dx() pixels.
type labImage struct {
	width  int
	pixels []lab
}

func (l *labImage) at(x, y int) lab { return l.pixels[y*l.width+x] }

// enlarge resamples the photo to size, smoothly; muted takes away its colour, which would
// be taken for the map's, and brings its black and white closer, so that a map shows on
// both.
func (ph *photo) enlarge(size image.Point, muted bool) *labImage {
	small := image.NewRGBA(image.Rect(0, 0, ph.width, ph.height))
	for i := range ph.width * ph.height {
		v := ph.values[i*ph.channels : (i+1)*ph.channels]
		c := color.RGBA{A: 0xff}
		if ph.channels == 1 {
			c.R, c.G, c.B = toByte(v[0]), toByte(v[0]), toByte(v[0])
		} else {
			c.R, c.G, c.B = toByte(v[0]), toByte(v[1]), toByte(v[2])
		}
		small.SetRGBA(i%ph.width, i/ph.width, c)
	}
	scaled := image.NewRGBA(image.Rectangle{Max: size})
	draw.CatmullRom.Scale(scaled, scaled.Rect, small, small.Rect, draw.Src, nil)

	l := &labImage{width: size.X, pixels: make([]lab, size.X*size.Y)}
	for i := range l.pixels {
		c := labOf(scaled.RGBAAt(i%size.X, i/size.X))
		if muted {
			c = lab{l: lerp(0.18, 0.98, c.l)}
		}
		l.pixels[i] = c
	}
	return l
}

func toByte(v float32) uint8 {
	return uint8(math.Round(255 * clamp01(float64(v)/255)))
}
