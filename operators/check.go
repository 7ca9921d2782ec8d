package operators

import (
	"fmt"

	"occlude/internal/network"
)

// Check tells whether an update fits a network; patch is the pixels that it changes, its
// own or those of a cover (Views.Patch).
func (u *Update) Check(net *network.Network, patch Tile) error {
	in, out := net.Input().Shape, net.Output.Shape
	switch {
	case len(u.Rects) != len(net.Layers):
		return fmt.Errorf("%d rectangles for %d layers", len(u.Rects), len(net.Layers))
	case u.Reads != nil && len(u.Reads) != len(net.Layers):
		return fmt.Errorf("%d rectangles that are read for %d layers", len(u.Reads), len(net.Layers))
	case len(u.Out) != out.Len():
		return fmt.Errorf("room for %d values, but the network gives %d", len(u.Out), out.Len())
	case !patch.Empty() && (patch.C != in.C || !in.Whole().Contains(patch.Rect)):
		return fmt.Errorf("a patch of %d channels, %s, does not lie in an image of %s", patch.C, patch.Rect, in)
	case !patch.Empty() && len(patch.Data) < (patch.Rect.H()-1)*patch.Stride+patch.Rect.W()*patch.C:
		return fmt.Errorf("a patch of %s with %d values", patch.Rect, len(patch.Data))
	}
	for i, l := range net.Layers {
		if !l.Shape.Whole().Contains(u.Rects[i]) {
			return fmt.Errorf("a rectangle of %s for %s of %s", u.Rects[i], l, l.Shape)
		}
	}
	return nil
}
