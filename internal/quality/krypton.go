package quality

import (
	"fmt"

	"occlude/internal/heatmap"
)

// Picture says how ssim_krypton draws a map: where the positions lie on the
// model's input and the class's probability on the whole image, by which the
// colours are scaled.
type Picture struct {
	X, Y           []int // left and top edges of the patches, strictly ascending
	PatchW, PatchH int
	Width, Height  int // of the model's input
	P0             float32
}

// ssim is the structural similarity of both maps' pictures. Positions that lack
// a value in one map are left out of both.
func (p *Picture) ssim(exact, approximate Map) (float64, error) {
	e, a := p.figure(exact), p.figure(approximate)
	for i := range e.P {
		if isNaN(e.P[i]) || isNaN(a.P[i]) {
			// Adding makes both NaN, in copies of the callers' maps.
			e.P[i] += a.P[i]
			a.P[i] = e.P[i]
		}
	}
	drawnExact, err := p.draw(e)
	if err != nil {
		return 0, err
	}
	drawn, err := p.draw(a)
	if err != nil {
		return 0, err
	}
	var sum float64
	for c := range drawn {
		sum += meanSSIM(drawnExact[c], drawn[c], 255)
	}
	return sum / float64(len(drawn)), nil
}

func (p *Picture) figure(m Map) heatmap.Map {
	return heatmap.Map{
		Rows: m.H, Cols: m.W, X: p.X, Y: p.Y, PatchW: p.PatchW, PatchH: p.PatchH,
		P: append([]float32(nil), m.P...), P0: p.P0,
	}
}

// draw is a map's picture, channel by channel.
func (p *Picture) draw(m heatmap.Map) ([3]*plane, error) {
	picture, err := heatmap.Bare(m, "jet_r", p.Width, p.Height)
	if err != nil {
		return [3]*plane{}, fmt.Errorf("drawing a map to compare it: %w", err)
	}
	var channels [3]*plane
	for c := range channels {
		channels[c] = newPlane(p.Width, p.Height)
	}
	for i := range p.Width * p.Height {
		if pixel := picture.Pix[4*i : 4*i+4]; pixel[3] > 0 {
			for c := range channels {
				channels[c].set(i, float64(pixel[c]))
			}
		}
	}
	return channels, nil
}
