package gpu

import (
	"errors"
	"fmt"

	"occlude/operators"
)

// maxPositions is how many positions a batch has at most: blocks along y.
const maxPositions = 65535

// check tells whether an update fits the network, and what a GPU does; alike, whether it has
// a patch of its own like the others.
func (p *Program) check(views *operators.Views, u *operators.Update, alike bool) error {
	switch {
	case len(u.Estimates) > 0:
		return errors.New("a GPU makes no estimates")
	case !alike:
		return errors.New("some patches are cut from a cover, others are not")
	case !u.Patch.Empty() && u.Patch.Data == nil && (views == nil || views.Cover == nil):
		return errors.New("a patch without pixels, and no cover to cut it from")
	}
	return u.Check(p.net, views.Patch(u))
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
