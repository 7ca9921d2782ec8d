package heatmap

import (
	"errors"
	"fmt"
	"image"
	"io"

	"occlude/internal/typeset"
)

var errNoMaps = errors.New("a figure without heat maps has nothing to show")

// Render draws f. The same figure gives the same pixels every time. It fails
// when a map's slices do not fit its grid or lie outside the image, when the
// image is no (H, W), (H, W, 1) or (H, W, 3) float32, when the colour map is
// unknown, and when there are too many panels for a picture.
func Render(f Figure) (*image.RGBA, error) {
	s, err := f.sheet()
	if err != nil {
		return nil, err
	}
	return s.paint()
}

// Size is the size of the picture that Render draws, found without drawing it.
func (f *Figure) Size() (image.Point, error) {
	s, err := f.sheet()
	if err != nil {
		return image.Point{}, err
	}
	p, err := newPainter(s)
	if err != nil {
		return image.Point{}, err
	}
	a, err := p.arrange()
	if err != nil {
		return image.Point{}, err
	}
	return a.size, nil
}

// EncodePNG draws f as Render does and writes it to w as a PNG.
func EncodePNG(w io.Writer, f Figure) error {
	s, err := f.sheet()
	if err != nil {
		return err
	}
	return s.encodePNG(w)
}

// sheet lays a figure out in panels.
func (f *Figure) sheet() (*sheet, error) {
	colours, err := findColormap(f.Colormap)
	if err != nil {
		return nil, err
	}
	photo, err := newPhoto(f.Image)
	if err != nil {
		return nil, err
	}
	if len(f.Maps) == 0 {
		return nil, errNoMaps
	}
	s := &sheet{title: f.Title, caption: f.Caption, width: photo.width, height: photo.height}
	if f.Original {
		s.original = photo
	}
	for i := range f.Maps {
		m := &f.Maps[i]
		if err := m.checkWithin(photo.width, photo.height); err != nil {
			return nil, fmt.Errorf("heat map of class %q: %w", m.Class, err)
		}
		s.panels = append(s.panels, panel{m: m, colours: colours, scale: colours.scale(m), photo: photo, name: m.Class, note: m.note()})
	}
	return s, nil
}

// note tells what stands beside a map's class.
func (m *Map) note() string {
	note := "p₀ = " + typeset.Number(float64(m.P0))
	if m.evaluated() == 0 {
		note += ", not evaluated"
	}
	return note
}

// checkWithin is check for a map over an image of the given size.
func (m *Map) checkWithin(width, height int) error {
	if err := m.check(); err != nil {
		return err
	}
	if x := m.X[m.Cols-1]; x >= width {
		return fmt.Errorf("a position lies at x %d, outside an image %d pixels wide", x, width)
	}
	if y := m.Y[m.Rows-1]; y >= height {
		return fmt.Errorf("a position lies at y %d, outside an image %d pixels high", y, height)
	}
	return nil
}
