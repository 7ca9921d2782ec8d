package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image/png"

	"occlude/internal/heatmap"
	"occlude/internal/npy"
)

const (
	// thumbnailSide is how large a heat map in a table is, in pixels.
	thumbnailSide = 120
	// largestThumbnail is the longest side of an array that is drawn.
	largestThumbnail = 1024
)

// thumbnail shows a value of a table that is a picture or a heat map, as
// heatmap('png') and heatmap() make them; "" is any other. Its text is told where the
// mouse rests.
func thumbnail(v any, text string) string {
	data, ok := v.([]byte)
	if !ok {
		return ""
	}
	size := "max-width:24em"
	if !isPNG(data) {
		if data = drawn(data); data == nil {
			return ""
		}
		size = fmt.Sprintf("max-width:%dpx", thumbnailSide)
	}
	return fmt.Sprintf(`<img src="data:image/png;base64,%s" style="%s" title="%s" alt="%[3]s"/>`,
		base64.StdEncoding.EncodeToString(data), size, html.EscapeString(text))
}

func isPNG(data []byte) bool { return bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")) }

// drawn draws an array of two axes as a map of falls of p, nil of anything else: warm
// above 0, cold below, nothing where it is not a number.
func drawn(array []byte) []byte {
	h, err := npy.ReadHeader(bytes.NewReader(array))
	if err != nil || len(h.Shape) != 2 || min(h.Shape[0], h.Shape[1]) < 1 || max(h.Shape[0], h.Shape[1]) > largestThumbnail {
		return nil
	}
	t, _, err := npy.Read(bytes.NewReader(array))
	if err != nil {
		return nil
	}
	values := t.Data().([]float32)
	m := heatmap.Map{Rows: h.Shape[0], Cols: h.Shape[1], P: make([]float32, len(values))}
	side := max(1, thumbnailSide/max(m.Rows, m.Cols)) // of a value
	m.PatchW, m.PatchH = side, side
	for i := range m.Cols {
		m.X = append(m.X, i*side)
	}
	for i := range m.Rows {
		m.Y = append(m.Y, i*side)
	}
	for i, v := range values {
		m.P[i] = -v
	}
	picture, err := heatmap.Bare(m, "", m.Cols*side, m.Rows*side)
	if err != nil {
		return nil
	}
	var b bytes.Buffer
	if png.Encode(&b, picture) != nil {
		return nil
	}
	return b.Bytes()
}
