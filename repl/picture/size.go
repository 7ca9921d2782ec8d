package picture

import (
	"image"
	"os"

	"golang.org/x/term"
)

// Size is a terminal's.
type Size struct {
	Columns, Lines int
	Cell           image.Point // pixels of a character, as far as the terminal tells, else usualCell
	Guessed        bool        // the terminal does not tell
}

// usualCell is the VT340's, which terminals that scale their pictures keep to.
var usualCell = image.Pt(10, 20)

// usual is the size where nothing can be found out.
var usual = Size{Columns: 80, Lines: 24, Cell: usualCell, Guessed: true}

// SizeOf asks a terminal for its size now.
func SizeOf(f *os.File) Size {
	s := usual
	if columns, lines, err := term.GetSize(int(f.Fd())); err == nil && columns > 0 && lines > 0 {
		s.Columns, s.Lines = columns, lines
	}
	// A cell that is no cell is of a terminal that does not know.
	if width, height := pixels(f); width >= 4*s.Columns && height >= 6*s.Lines {
		s.Cell, s.Guessed = image.Pt(width/s.Columns, height/s.Lines), false
	}
	return s
}
