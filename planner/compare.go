package planner

import (
	"context"
	"slices"

	"occlude/lang"
)

// Compare sets two heat maps of the same positions side by side.
type Compare struct {
	text
	First, Second *Occlude
}

// Formats implements Formatted: three maps are rows, an array and a picture.
func (p *Compare) Formats() []string { return []string{WritePNG, WriteNPY, WriteCSV, WriteJSON} }

func (b *binder) compare(ctx context.Context, s *lang.Compare) (Plan, error) {
	p := &Compare{text: b.text}
	for _, side := range []struct {
		query *lang.Occlude
		plan  **Occlude
	}{{s.First, &p.First}, {s.Second, &p.Second}} {
		if err := unwritten(side.query, "COMPARE"); err != nil {
			return nil, err
		}
		q, err := b.inner(ctx, side.query)
		if err != nil {
			return nil, err
		}
		if n := len(q.Images); n > 1 {
			return nil, lang.Errorf(side.query.Image.Span(), "COMPARE takes one image, not the %d that fit %s", n, side.query.Image).
				WithHint("a COMPARE for each")
		}
		*side.plan = q
	}
	if err := sameGrid(s.Second, p.First.Grid, p.Second.Grid); err != nil {
		return nil, err
	}
	if n, m := p.First.Target.Count(), p.Second.Target.Count(); n != m {
		at := beginning(s.Second)
		if s.Second.Target != nil {
			at = s.Second.Target.Span()
		}
		return nil, lang.Errorf(at, "the second map is of %s, the first of %s", Counted(m, "class"), Counted(n, "class")).
			WithHint("the same FOR TOP n in both: classes are compared in the order of their rank")
	}
	if c := s.Second.Colormap; c != nil && p.Second.Colormap != p.First.Colormap {
		return nil, lang.Errorf(c.Span(), "both maps are drawn on one scale of colours, that of the first query").
			WithHint("COLORMAP belongs to the first")
	}
	return p, nil
}

// sameGrid is an error at what makes the second query's positions others than the
// first's.
func sameGrid(second *lang.Occlude, a, b Grid) error {
	at := beginning(second)
	const hint = "COMPARE needs the same PATCH, STRIDE, edge and WHERE or AT in both"
	switch {
	case a.Width != b.Width || a.Height != b.Height:
		return lang.Errorf(second.Model.Span(), "the second model's input has %dx%d pixels, the first's %dx%d, so their positions are not the same",
			b.Width, b.Height, a.Width, a.Height).WithHint("CREATE MODEL ... WITH (size = ...) may change an input's size")
	case a.PatchW != b.PatchW || a.PatchH != b.PatchH:
		if second.Patch != nil {
			at = second.Patch.Span()
		}
		return lang.Errorf(at, "the second map has a patch of %dx%d, the first one of %dx%d", b.PatchW, b.PatchH, a.PatchW, a.PatchH).WithHint(hint)
	case !a.Listed && !b.Listed && (!slices.Equal(a.X, b.X) || !slices.Equal(a.Y, b.Y)):
		if second.Stride != nil {
			at = second.Stride.Span()
		}
		return lang.Errorf(at, "the second map has %d x %d positions, the first %d x %d", b.Rows(), b.Cols(), a.Rows(), a.Cols()).WithHint(hint)
	case a.Listed != b.Listed || !slices.Equal(a.Positions, b.Positions):
		switch {
		case second.Where != nil:
			at = second.Where.Span()
		case len(second.At) > 0:
			at = second.At[0].Span()
		}
		if n, m := len(a.Positions), len(b.Positions); n != m {
			return lang.Errorf(at, "the second map has %s, the first %d", Counted(m, "position"), n).WithHint(hint)
		}
		return lang.Errorf(at, "the second map has other positions than the first").WithHint(hint)
	}
	return nil
}

// beginning is where a statement begins.
func beginning(s lang.Statement) lang.Span {
	at := s.Span()
	at.To = lang.Pos{}
	return at
}
