package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image"
	"image/jpeg"
	"strings"
	"time"

	"occlude/executor"
	"occlude/internal/heatmap"
)

const (
	// growingSide is the longer side of a growing map, in pixels.
	growingSide = 280
	// mostGrowing is how many classes are shown while they grow.
	mostGrowing = 3
	// share is the part of the time that may go into pictures: one in so many.
	share = 20
)

// growing draws a heat map while it is computed, again and again.
type growing struct {
	of     *executor.Growing // nil without one
	ground *heatmap.Ground   // under it, nil until it is drawn
	page   string            // how it was drawn last, as HTML
	known  int               // computed positions that it was drawn of
	next   time.Time         // it is not drawn before
}

// html is the map as it is known now, "" while nothing is; what was drawn last if it
// has not grown, or if drawing again now would take too much of the time.
func (g *growing) html(now time.Time) string {
	if g.of == nil || now.Before(g.next) {
		return g.page
	}
	start := time.Now()
	h := g.of.Look()
	if h == nil || h.Plan.Grid.Listed {
		return g.page
	}
	// From coarse to fine all is known soon, but most of it by interpolation.
	if known := h.Computed(); known != g.known {
		page, err := g.draw(h)
		if err != nil {
			g.of = nil // the result will tell
			return ""
		}
		g.page, g.known = page, known
	}
	g.next = now.Add(share * time.Since(start))
	return g.page
}

// draw draws the first classes side by side. The pictures are within the page: as
// outputs of their own, consoles would open a window for each.
func (g *growing) draw(h *executor.HeatMap) (string, error) {
	if g.ground == nil {
		ground, err := heatmap.NewGround(h.Pixels)
		if err != nil {
			return "", err
		}
		g.ground = ground
	}
	shape := h.Pixels.Shape()
	scale := float64(growingSide) / float64(max(shape[0], shape[1]))
	size := image.Pt(max(1, int(float64(shape[1])*scale)), max(1, int(float64(shape[0])*scale)))
	var b strings.Builder
	for i, c := range h.Classes[:min(len(h.Classes), mostGrowing)] {
		picture, err := heatmap.Overlay(h.Preview(i), size, heatmap.Options{Colormap: h.Plan.Colormap, Ground: g.ground})
		if err != nil {
			return "", err
		}
		// A notebook far away gets several a second: a fifth of what a PNG takes.
		var data bytes.Buffer
		if err := jpeg.Encode(&data, picture, &jpeg.Options{Quality: 85}); err != nil {
			return "", err
		}
		fmt.Fprintf(&b, `<figure style="display:inline-block;margin:0 1em .5em 0"><img src="data:image/jpeg;base64,%s" width="%d" height="%d" alt="the heat map so far"/><figcaption>%s, p₀ = %.3f</figcaption></figure>`,
			base64.StdEncoding.EncodeToString(data.Bytes()), size.X, size.Y, html.EscapeString(c.Label), c.P0)
	}
	return "<div>" + b.String() + "</div>", nil
}
