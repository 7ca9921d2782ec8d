package executor

import (
	"bytes"
	"fmt"
	"image/png"
	"strings"

	"occlude/internal/npy"
	"occlude/planner"
)

// blobFormat tells what bytes of a table are: one of the Write constants for an
// array and a picture, as heatmap() makes them, "" for anything else.
func blobFormat(b []byte) string {
	switch {
	case bytes.HasPrefix(b, []byte("\x93NUMPY")):
		return planner.WriteNPY
	case bytes.HasPrefix(b, []byte("\x89PNG\r\n\x1a\n")):
		return planner.WritePNG
	}
	return ""
}

// blobText is what stands for bytes in a table: <array 53x53>, <png 640x480>.
func blobText(b []byte) string {
	switch blobFormat(b) {
	case planner.WriteNPY:
		if h, err := npy.ReadHeader(bytes.NewReader(b)); err == nil {
			return "<array " + strings.Trim(strings.ReplaceAll(fmt.Sprint(h.Shape), " ", "x"), "[]()") + ">"
		}
	case planner.WritePNG:
		if c, err := png.DecodeConfig(bytes.NewReader(b)); err == nil {
			return fmt.Sprintf("<png %dx%d>", c.Width, c.Height)
		}
	}
	if len(b) == 1 {
		return "<1 byte>"
	}
	return fmt.Sprintf("<%d bytes>", len(b))
}
