package freelist

import "slices"

// List is the free spans of a piece of memory, sorted and never adjacent. The zero
// value is memory all of which is taken.
type List struct{ free []span }

type span struct{ lo, hi int }

// New is a piece of memory of which everything is free.
func New(size int) List { return List{[]span{{0, size}}} }

// Take takes the first free span that is large enough, from lo up to lo+size; size
// is above 0. It tells whether there is one.
func (l *List) Take(size int) (lo int, ok bool) {
	for i := range l.free {
		f := &l.free[i]
		if f.hi-f.lo < size {
			continue
		}
		lo = f.lo
		if f.lo += size; f.lo == f.hi {
			l.free = slices.Delete(l.free, i, i+1)
		}
		return lo, true
	}
	return 0, false
}

// Give gives back what was taken.
func (l *List) Give(lo, hi int) {
	i, _ := slices.BinarySearchFunc(l.free, hi, func(f span, hi int) int { return f.lo - hi })
	touchesNext := i < len(l.free) && l.free[i].lo == hi
	touchesPrev := i > 0 && l.free[i-1].hi == lo
	switch {
	case touchesPrev && touchesNext:
		l.free[i-1].hi = l.free[i].hi
		l.free = slices.Delete(l.free, i, i+1)
	case touchesPrev:
		l.free[i-1].hi = hi
	case touchesNext:
		l.free[i].lo = lo
	default:
		l.free = slices.Insert(l.free, i, span{lo, hi})
	}
}

// IsFree tells whether all of it is free, of which there is so much.
func (l *List) IsFree(size int) bool { return len(l.free) == 1 && l.free[0] == (span{0, size}) }
