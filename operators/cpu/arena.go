package cpu

import (
	"sort"

	"occlude/operators/cpu/simd"
)

// arena hands out float32 buffers that live for a few layers, first fit from
// slabs that it keeps, so that a batch allocates nothing once the first one
// has run.
type arena struct {
	slabs []slab
	held  int64 // bytes of slabs
	peak  int64 // most bytes of slabs ever held
}

// slab is one allocation with its free ranges, sorted and never adjacent.
type slab struct {
	data []float32
	free []span
}

type span struct{ lo, hi int }

// block is a buffer of the arena and where it came from.
type block struct {
	data   []float32
	slab   int
	lo, hi int
}

// alignment of buffers in floats: a cache line.
const alignment = 16

// minSlab is the least that a slab holds, in floats: 4 MiB.
const minSlab = 1 << 20

// take gives a buffer of n values with unspecified contents.
func (a *arena) take(n int) block {
	size := aligned(max(n, 1))
	for i := range a.slabs {
		s := &a.slabs[i]
		for j := range s.free {
			f := &s.free[j]
			if f.hi-f.lo < size {
				continue
			}
			lo := f.lo
			if f.lo += size; f.lo == f.hi {
				s.free = append(s.free[:j], s.free[j+1:]...)
			}
			return block{s.data[lo : lo+n : lo+size], i, lo, lo + size}
		}
	}
	i := a.grow(size)
	s := &a.slabs[i]
	if s.free = s.free[:0]; size < len(s.data) {
		s.free = append(s.free, span{size, len(s.data)})
	}
	return block{s.data[:n:size], i, 0, size}
}

// grow adds a slab of at least size values and tells its place. Slabs that
// nothing uses and that proved too small make room for it. It grows by half at
// least, so that few slabs are thrown away before a worker is warm.
func (a *arena) grow(size int) int {
	size = max(size, int(a.held/4/2), minSlab)
	at := len(a.slabs)
	for i := range a.slabs {
		s := &a.slabs[i]
		if len(s.free) == 1 && s.free[0] == (span{0, len(s.data)}) {
			a.held -= int64(len(s.data)) * 4
			*s = slab{}
		}
		if s.data == nil {
			at = i
		}
	}
	s := slab{data: simd.Aligned(size)}
	a.held += int64(len(s.data)) * 4
	a.peak = max(a.peak, a.held)
	if at < len(a.slabs) {
		a.slabs[at] = s
	} else {
		a.slabs = append(a.slabs, s)
	}
	return at
}

// give returns a buffer. The zero block is ignored.
func (a *arena) give(b block) {
	if b.hi == b.lo {
		return
	}
	s := &a.slabs[b.slab]
	i := sort.Search(len(s.free), func(i int) bool { return s.free[i].lo >= b.hi })
	touchesNext := i < len(s.free) && s.free[i].lo == b.hi
	touchesPrev := i > 0 && s.free[i-1].hi == b.lo
	switch {
	case touchesPrev && touchesNext:
		s.free[i-1].hi = s.free[i].hi
		s.free = append(s.free[:i], s.free[i+1:]...)
	case touchesPrev:
		s.free[i-1].hi = b.hi
	case touchesNext:
		s.free[i].lo = b.lo
	default:
		s.free = append(s.free, span{})
		copy(s.free[i+1:], s.free[i:])
		s.free[i] = span{b.lo, b.hi}
	}
}

// aligned rounds a number of values up to whole cache lines.
func aligned(n int) int { return (n + alignment - 1) / alignment * alignment }
