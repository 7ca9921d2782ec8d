package gpu

import (
	"errors"
	"fmt"

	"occlude/operators"
)

// maxPositions is how many positions a batch has at most: blocks along y.
const maxPositions = 65535

// check tells whether an update fits the network; alike, whether it has a patch of its
// own like the others.
func (p *Program) check(views *operators.Views, u *operators.Update, alike bool) error {
	in, out := p.net.Input().Shape, p.net.Output.Shape
	patch := u.Patch
	switch {
	case len(u.Rects) != len(p.net.Layers):
		return fmt.Errorf("%d rectangles for %d layers", len(u.Rects), len(p.net.Layers))
	case u.Reads != nil && len(u.Reads) != len(p.net.Layers):
		return fmt.Errorf("%d rectangles that are read for %d layers", len(u.Reads), len(p.net.Layers))
	case len(u.Out) != out.Len():
		return fmt.Errorf("room for %d values, but the network gives %d", len(u.Out), out.Len())
	case len(u.Estimates) > 0:
		return errors.New("a GPU makes no estimates")
	case !alike:
		return errors.New("some patches are cut from a cover, others are not")
	case patch.Empty():
	case !in.Whole().Contains(patch.Rect) || patch.Data != nil && patch.C != in.C:
		return fmt.Errorf("a patch of %d channels, %s, does not lie in an image of %s", patch.C, patch.Rect, in)
	case patch.Data == nil && (views == nil || views.Cover == nil):
		return errors.New("a patch without pixels, and no cover to cut it from")
	case patch.Data != nil && len(patch.Data) < (patch.Rect.H()-1)*patch.Stride+patch.Rect.W()*patch.C:
		return fmt.Errorf("a patch of %s with %d values", patch.Rect, len(patch.Data))
	}
	for i, l := range p.net.Layers {
		if !l.Shape.Whole().Contains(u.Rects[i]) {
			return fmt.Errorf("a rectangle of %s for %s of %s", u.Rects[i], l, l.Shape)
		}
	}
	return nil
}

// sees tells whether all that layers read of views is there.
func (w *worker) sees(batch []operators.Update, size size) error {
	p := w.program
	if out := p.net.Output; p.view(w.views, out.Index) == 0 && size.cells[out.Index] < int64(len(batch))*int64(out.Shape.Cells()) {
		return fmt.Errorf("what does not change of %s needs its view, which was not kept", out)
	}
	for i, l := range p.net.Layers {
		if i == 0 || size.cells[i] == 0 {
			continue
		}
		for j, in := range l.In {
			if p.view(w.views, in.Index) != 0 {
				continue
			}
			for b := range batch {
				u := &batch[b]
				has := rectOf(u, in.Index)
				if j == 0 && u.Reads != nil {
					has = has.Intersect(u.Reads[i])
				}
				if r := u.Rects[i]; !r.Empty() && !has.Contains(l.Reads(j, r)) {
					return fmt.Errorf("%s: computing %s needs the view of %s, which was not kept", l, r, in)
				}
			}
		}
	}
	return nil
}
