package queries

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"occlude/internal/cause"
	"occlude/internal/imageio"
)

// Input is how a model sees pictures.
type Input struct {
	Table string // of its heat maps; "" where there is none
	Model string
	Shape Shape
}

// Shape is the size of an input, and how a picture becomes so large.
type Shape struct {
	Width, Height int
	Resize        string // as imageio.Resize prints it
}

func (s Shape) String() string { return fmt.Sprintf("%dx%d (%s)", s.Width, s.Height, s.Resize) }

// geometry is what the statement that runs knows of inputs.
type geometry struct {
	near []Input // of the tables that it reads
	all  []Input // of every table, and of the last result
}

// mask is a picture read as a region. It is read again when the file has changed.
type mask struct {
	*imageio.Mask
	size     int64
	modified time.Time
}

// maxMasks is how many masks are kept at most.
const maxMasks = 256

type maskKey struct {
	path  string
	shape Shape
}

// inside is inside(x, y, 'mask.png') and inside(x, y, w, h, 'mask.png'), each with
// a model behind where the maps do not tell: whether the point, or the middle of the
// patch, lies on a pixel of the mask that is not black.
func (s *Session) inside(arguments []driver.Value) (driver.Value, error) {
	n := len(arguments)
	if n < 3 || n > 6 {
		return nil, fmt.Errorf("it takes x, y and a mask, or x, y, w, h and a mask, or a mask alone for the columns x, y, w, h, and then a model if need be; here are %d arguments", n)
	}
	points := 2 + 2*((n-3)/2)
	a, null, err := numbers(arguments[:points], []string{"x", "y", "w", "h"}[:points]...)
	if err != nil {
		return nil, err
	}
	path, ok := arguments[points].(string)
	if !ok {
		return nil, fmt.Errorf("the mask is %s, not a file's name", shown(arguments[points]))
	}
	model := driver.Value("")
	if n > points+1 {
		if model = arguments[points+1]; model == nil {
			return nil, nil
		}
	}
	of, ok := model.(string)
	if !ok {
		return nil, fmt.Errorf("the model is %s, not a name", shown(model))
	}
	if null {
		return nil, nil
	}
	m, err := s.mask(path, of)
	if err != nil {
		return nil, err
	}
	x, y := pixel(a[0]), pixel(a[1])
	if points == 4 {
		x, y = x+pixel(a[2])/2, y+pixel(a[3])/2
	}
	if m.On(x, y) {
		return int64(1), nil
	}
	return int64(0), nil
}

// mask finds the mask of a file for a model, or for that of all maps. During a
// statement it is looked up once, unless there are very many.
func (s *Session) mask(path, model string) (*imageio.Mask, error) {
	if m := s.used[[2]string{path, model}]; m != nil {
		return m, nil
	}
	shape, err := s.shape(model)
	if err != nil {
		return nil, err
	}
	file, _ := imageio.SplitFrame(path)
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("mask %q: %w", path, cause.Of(err))
	}
	key := maskKey{path, shape}
	m := s.masks[key]
	if m.Mask == nil || m.size != info.Size() || !m.modified.Equal(info.ModTime()) {
		resize, err := imageio.ParseResize(shape.Resize)
		if err != nil {
			return nil, err
		}
		spec := imageio.DefaultSpec(shape.Width, shape.Height)
		spec.Resize = resize
		read, err := imageio.FitMask(s.running, path, spec)
		if err != nil {
			return nil, err
		}
		if len(s.masks) >= maxMasks || len(s.used) >= maxMasks { // of images one by one: an old one is not asked for again
			clear(s.masks)
			clear(s.used)
		}
		m = mask{read, info.Size(), info.ModTime()}
		s.masks[key] = m
	}
	s.used[[2]string{path, model}] = m.Mask
	return m.Mask, nil
}

// shape is that of a model's input, or, for "", of the one input that all maps have.
func (s *Session) shape(model string) (Shape, error) {
	is := func(i Input) bool { return model == "" || i.Model == model }
	for _, known := range [][]Input{s.geometry.near, s.geometry.all, s.env.Inputs()} {
		shapes := shapesOf(known, is)
		switch {
		case len(shapes) == 1:
			return shapes[0], nil
		case len(shapes) > 1 && model == "":
			return Shape{}, fmt.Errorf("the heat maps have inputs of %s: say which with inside(x, y, 'mask.png', model)", listed(shapes))
		case len(shapes) > 1:
			return Shape{}, fmt.Errorf("the heat maps of the model %q have inputs of %s", model, listed(shapes))
		}
	}
	if model == "" {
		return Shape{}, errors.New("no heat map and no model says how large the input is")
	}
	return Shape{}, fmt.Errorf("there is neither a heat map nor a model %q that says how large its input is", model)
}

func shapesOf(inputs []Input, is func(Input) bool) (shapes []Shape) {
	for _, i := range inputs {
		if is(i) && !slices.Contains(shapes, i.Shape) {
			shapes = append(shapes, i.Shape)
		}
	}
	return shapes
}

func listed(shapes []Shape) string {
	texts := make([]string, len(shapes))
	for i, s := range shapes {
		texts[i] = s.String()
	}
	slices.Sort(texts)
	return strings.Join(texts[:len(texts)-1], ", ") + " and " + texts[len(texts)-1]
}

// lookAround finds out what the statement that is about to run knows of inputs.
func (s *Session) lookAround(ctx context.Context, reads map[string]bool) error {
	s.geometry = geometry{}
	s.used = map[[2]string]*imageio.Mask{}
	if s.last != nil {
		s.geometry.all = append(s.geometry.all, s.last.Inputs...)
		if reads["last"] {
			s.geometry.near = append(s.geometry.near, s.last.Inputs...)
		}
	}
	if !s.stored {
		return nil
	}
	defer s.asOurselves()()
	rows, err := s.conn.QueryContext(ctx, "SELECT DISTINCT lower(tbl), model, width, height, resize FROM main.occlude_map")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i Input
		if err := rows.Scan(&i.Table, &i.Model, &i.Shape.Width, &i.Shape.Height, &i.Shape.Resize); err != nil {
			return err
		}
		s.geometry.all = append(s.geometry.all, i)
		if reads[i.Table] {
			s.geometry.near = append(s.geometry.near, i)
		}
	}
	return rows.Err()
}
