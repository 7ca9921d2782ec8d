package gpu

import (
	"occlude/operators"
	"occlude/operators/region"
)

// stretch is neighbouring positions of a batch that compute the same rectangles, of which only
// one has to be looked at: planners hand in positions by kind, and full inference has no other.
type stretch struct {
	*operators.Update // the first one
	positions         int
}

// stretches are those of a batch: positions that share their slices.
func stretches(batch []operators.Update) []stretch {
	all := make([]stretch, 0, min(len(batch), 64))
	for b := range batch {
		u := &batch[b]
		if n := len(all); n > 0 && alike(all[n-1].Update, u) {
			all[n-1].positions++
		} else {
			all = append(all, stretch{u, 1})
		}
	}
	return all
}

// alike tells whether two updates compute the same by the same slices.
func alike(a, b *operators.Update) bool {
	shared := func(a, b []region.Rect) bool {
		return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
	}
	return a.Patch.Rect == b.Patch.Rect && (a.Patch.Data == nil) == (b.Patch.Data == nil) && shared(a.Rects, b.Rects) && shared(a.Reads, b.Reads)
}

// between is what lies of stretches between two positions, from lo up to hi.
func between(all []stretch, lo, hi int) []stretch {
	var part []stretch
	at := 0
	for _, s := range all {
		from, to := max(lo, at), min(hi, at+s.positions)
		if from < to {
			part = append(part, stretch{s.Update, to - from})
		}
		at += s.positions
	}
	return part
}
