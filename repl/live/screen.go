package live

import (
	"slices"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"occlude/repl/picture"
)

// screen is what stands on the terminal from the cursor on.
type screen struct {
	plain  bool // the terminal knows no control sequences
	lines  []string
	images []picture.Image
	size   picture.Size
	sent   int // bytes of the last frame
}

// Control sequences (ECMA-48, and private modes of terminals).
const (
	hide      = "\x1b[?25l"
	reveal    = "\x1b[?25h"
	cut       = "\x1b[?7l" // lines too long for the terminal are, when it has just become narrower
	wrap      = "\x1b[?7h"
	hold      = "\x1b[?2026h" // the screen is drawn again when it is let go
	letGo     = "\x1b[?2026l"
	clearLine = "\x1b[K"
	save      = "\x1b7"
	restore   = "\x1b8"
)

// eraseDown erases from the beginning of the line to the end of the screen. The blank
// comes first since tmux takes it for the whole screen being cleared, and keeps a copy in
// its history, when the cursor is in the upper left corner.
const eraseDown = "\r \x1b[J\r"

func (s *screen) shown() bool { return s.lines != nil }

// draw is what turns the screen into these lines with these images over them, where it
// is not so already.
func (s *screen) draw(lines []string, images []picture.Image, size picture.Size) string {
	var text string
	switch {
	case s.plain:
		text, lines, images = s.overwrite(lines[0]), lines[:1], nil
	case len(lines) != len(s.lines) || size != s.size || !samePlaces(images, s.images):
		text = afresh(lines) + over(images, nil)
	default:
		text = changes(lines, s.lines) + over(images, s.images)
	}
	if text != "" && !s.plain {
		text = hold + hide + cut + text + wrap + reveal + letGo
	}
	s.lines, s.images, s.size, s.sent = lines, images, size, len(text)
	return text
}

// overwrite writes a line over the one that is there.
func (s *screen) overwrite(line string) string {
	was := ""
	if s.shown() {
		was = s.lines[0]
	}
	if line == was {
		return ""
	}
	return "\r" + line + strings.Repeat(" ", max(0, displaywidth.String(was)-displaywidth.String(line)))
}

// afresh erases everything and writes all lines, for which the terminal makes room.
func afresh(lines []string) string {
	return eraseDown + strings.Join(lines, "\r\n") + "\r" + picture.Up(len(lines)-1)
}

// changes rewrites the lines that differ. The cursor goes back to where it was, not up
// again: in a window that has just become lower it did not get all the way down.
func changes(lines, was []string) string {
	var b strings.Builder
	at := 0
	for i, line := range lines {
		if line != was[i] {
			b.WriteString(picture.Down(i-at) + line + clearLine + "\r")
			at = i
		}
	}
	if at > 0 {
		return save + b.String() + restore
	}
	return b.String()
}

// over draws the images that differ.
func over(images, was []picture.Image) string {
	var b strings.Builder
	for i, image := range images {
		if was == nil || image.Data != was[i].Data {
			b.WriteString(save + picture.Down(1+image.At.Min.Y) + picture.Right(image.At.Min.X) + image.Data + restore)
		}
	}
	return b.String()
}

func samePlaces(a, b []picture.Image) bool {
	return slices.EqualFunc(a, b, func(x, y picture.Image) bool { return x.At == y.At })
}

// erase is what takes everything away.
func (s *screen) erase() string {
	if !s.shown() {
		return ""
	}
	text := eraseDown
	if s.plain {
		text = s.overwrite("") + "\r"
	}
	s.forget()
	return text
}

// forget leaves what is on the terminal as it is.
func (s *screen) forget() { s.lines, s.images = nil, nil }
