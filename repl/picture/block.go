package picture

import (
	"fmt"
	"image"
	"strings"
)

// Block is a picture as it stands among the lines of a terminal.
type Block struct {
	Lines  []string // none of them wider than the terminal, each leaving its own colours behind
	Images []Image
}

// Image lies over lines of a block.
type Image struct {
	At   image.Rectangle // columns and lines of the block
	Data string          // draws it with the cursor at At.Min
}

// String is what shows the block, from the beginning of a line to that of the line
// below it.
func (b *Block) String() string {
	var s strings.Builder
	for _, line := range b.Lines {
		s.WriteString(line + "\n")
	}
	for _, i := range b.Images {
		s.WriteString(save + Up(len(b.Lines)-i.At.Min.Y) + Right(i.At.Min.X) + i.Data + restore)
	}
	return s.String()
}

// The cursor's place is kept (DECSC) and gone back to (DECRC).
const (
	save    = "\x1b7"
	restore = "\x1b8"
)

// Up moves the cursor up by n lines, Down down and Right to the right.
func Up(n int) string    { return move(n, 'A') }
func Down(n int) string  { return move(n, 'B') }
func Right(n int) string { return move(n, 'C') }

func move(n int, direction byte) string {
	if n <= 0 {
		return "" // where the terminal would take 0 for 1
	}
	return fmt.Sprintf("\x1b[%d%c", n, direction)
}
