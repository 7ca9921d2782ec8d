package chart

import (
	"fmt"
	"image"
	"image/png"
	"io"

	"occlude/internal/typeset"
)

// encode writes a chart as a PNG.
func encode(w io.Writer, picture image.Image) error {
	if err := png.Encode(w, picture); err != nil {
		return fmt.Errorf("writing a chart: %w", err)
	}
	return nil
}

// headHeight is the room above a chart: margin, title and subtitle.
func headHeight(title, subtitle string) int {
	top := margin
	if title != "" {
		top += titleHeight
	}
	if subtitle != "" {
		top += lineHeight + 9
	}
	return top
}

// head sets the title and the subtitle.
func head(canvas *image.RGBA, faces *typeset.Faces, title, subtitle string) {
	room := canvas.Rect.Dx() - 2*margin
	y := margin
	if title != "" {
		title = typeset.Shorten(typeset.Plain(title), room, func(s string) int { return typeset.Width(faces.Title, s) })
		typeset.Draw(canvas, faces.Title, typeset.Ink, margin, y+19, title)
		y += titleHeight
	}
	if subtitle != "" {
		subtitle = typeset.Shorten(typeset.Plain(subtitle), room, func(s string) int { return typeset.Width(faces.Body, s) })
		typeset.Draw(canvas, faces.Body, typeset.Faint, margin, y+9, subtitle)
	}
}
