package picture

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/png"
	"strings"

	"github.com/kenshaw/rasterm"
)

// encode makes what a terminal is sent to draw a picture at the cursor over so many
// cells, columns by lines. Kitty's pictures with a number replace what had it before.
func encode(p Protocol, picture *image.RGBA, cells image.Point, number int) (string, error) {
	switch p {
	case Kitty:
		return encodeKitty(picture, cells, number)
	case ITerm:
		return encodeITerm(picture, cells)
	case Sixel:
		return encodeSixel(picture)
	}
	return "", fmt.Errorf("the terminal's protocol %q draws no pictures", p)
}

// encodeKitty adds to rasterm's command, whose keys may stand in any order, what it has
// no word for: the cells (c, r), that the cursor stays (C), that nothing is answered
// (q), the number (i) and that there is one place for it (p).
func encodeKitty(picture *image.RGBA, cells image.Point, number int) (string, error) {
	const begin = "\x1b_G"
	var b strings.Builder
	if err := (rasterm.KittyEncoder{NoNewline: true}).Encode(&b, picture); err != nil {
		return "", fmt.Errorf("drawing by kitty's protocol: %w", err)
	}
	command, ok := strings.CutPrefix(b.String(), begin)
	if !ok {
		return "", fmt.Errorf("drawing by kitty's protocol: a command begins with %.8q", b.String())
	}
	keys := fmt.Sprintf("c=%d,r=%d,C=1,q=2,", cells.X, cells.Y)
	if number > 0 {
		keys += fmt.Sprintf("i=%d,p=1,", number)
	}
	return begin + keys + command, nil
}

// forgetKitty takes a numbered picture away.
func forgetKitty(number int) string { return fmt.Sprintf("\x1b_Ga=d,d=I,i=%d,q=2\x1b\\", number) }

// encodeITerm is written out since rasterm's sends JPEG, which blurs type and colours,
// and no size.
func encodeITerm(picture *image.RGBA, cells image.Point) (string, error) {
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&b, picture); err != nil {
		return "", fmt.Errorf("drawing by iTerm2's protocol: %w", err)
	}
	return fmt.Sprintf("\x1b]1337;File=inline=1;size=%d;width=%d;height=%d;preserveAspectRatio=0;doNotMoveCursor=1:%s\a",
		b.Len(), cells.X, cells.Y, base64.StdEncoding.EncodeToString(b.Bytes())), nil
}
