package typeset

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// The fonts are parsed once; faces, which are not safe for concurrent use, are
// made for each picture.
var (
	regular = sync.OnceValues(func() (*sfnt.Font, error) { return opentype.Parse(goregular.TTF) })
	medium  = sync.OnceValues(func() (*sfnt.Font, error) { return opentype.Parse(gomedium.TTF) })
)

// Faces are the styles of type in a picture. Characters that the Go fonts
// lack (they have Latin, Greek, Cyrillic and common symbols) are drawn as a box.
type Faces struct {
	Title, Heading, Body, Small font.Face
}

// NewFaces sizes the fonts, which are parsed once. Nobody shares what it returns.
func NewFaces() (*Faces, error) {
	var t Faces
	for _, style := range []struct {
		face *font.Face
		font func() (*sfnt.Font, error)
		size float64 // pixels per em
	}{
		{&t.Title, medium, 21},
		{&t.Heading, medium, 16},
		{&t.Body, regular, 14},
		{&t.Small, regular, 12},
	} {
		parsed, err := style.font()
		if err != nil {
			return nil, fmt.Errorf("parsing the built-in font: %w", err)
		}
		// At 72 dots per inch a point is a pixel.
		*style.face, err = opentype.NewFace(parsed, &opentype.FaceOptions{Size: style.size, DPI: 72})
		if err != nil {
			return nil, fmt.Errorf("sizing the built-in font: %w", err)
		}
	}
	return &t, nil
}

// Width is the room that s takes, in whole pixels.
func Width(face font.Face, s string) int { return font.MeasureString(face, s).Ceil() }

// Draw sets s with its baseline's left end at (x, y).
func Draw(dst draw.Image, face font.Face, c color.Color, x, y int, s string) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: face, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// DrawRising sets s to be read from bottom to top, centred on (x, y).
func DrawRising(dst draw.Image, face font.Face, c color.Color, x, y int, s string) {
	metrics := face.Metrics()
	ascent, height := metrics.Ascent.Ceil(), metrics.Ascent.Ceil()+metrics.Descent.Ceil()
	flat := image.NewAlpha(image.Rect(0, 0, Width(face, s), height))
	Draw(flat, face, color.Opaque, 0, ascent, s)
	risen := image.NewAlpha(image.Rect(0, 0, flat.Rect.Dy(), flat.Rect.Dx()))
	for v := range flat.Rect.Dy() {
		for u := range flat.Rect.Dx() {
			risen.SetAlpha(v, flat.Rect.Dx()-1-u, flat.AlphaAt(u, v))
		}
	}
	at := risen.Rect.Add(image.Pt(x-risen.Rect.Dx()/2, y-risen.Rect.Dy()/2))
	draw.DrawMask(dst, at, image.NewUniform(c), image.Point{}, risen, image.Point{}, draw.Over)
}

const ellipsis = "…"

// Shorten takes characters out of the middle of s, where a name usually says
// least, until it is at most width wide by measure. It keeps nothing but the
// ellipsis when even that is too much.
func Shorten(s string, width int, measure func(string) int) string {
	if len(s) > 4096 { // hostile, and slow to measure again and again
		s = strings.ToValidUTF8(s[:2048]+ellipsis+s[len(s)-2048:], "")
	}
	if measure(s) <= width {
		return s
	}
	runes := []rune(s)
	cut := func(keep int) string {
		head := (keep + 1) / 2
		return strings.TrimRight(string(runes[:head]), " ") + ellipsis +
			strings.TrimLeft(string(runes[len(runes)-(keep-head):]), " ")
	}
	low, high := 0, len(runes)-1 // cut(low) fits or is the least there is; cut(high+1) does not fit
	for low < high {
		middle := (low + high + 1) / 2
		if measure(cut(middle)) <= width {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return cut(low)
}

// Wrap breaks s at spaces into at most lines lines no wider than width; what does
// not fit is shortened.
func Wrap(s string, width, lines int, measure func(string) int) []string {
	var list []string
	words := strings.Fields(s)
	for len(words) > 0 {
		n := 1
		for n < len(words) && measure(strings.Join(words[:n+1], " ")) <= width {
			n++
		}
		if len(list) == lines-1 {
			n = len(words)
		}
		list = append(list, Shorten(strings.Join(words[:n], " "), width, measure))
		words = words[n:]
	}
	return list
}

// Plain makes one line of s that holds nothing but characters to see: labels
// come out of files, and a terminal obeys control characters.
func Plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r) || r == unicode.ReplacementChar || unicode.Is(unicode.Bidi_Control, r):
			return '□'
		}
		return r
	}, s)
}
