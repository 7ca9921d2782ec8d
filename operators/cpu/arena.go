package cpu

import (
	"occlude/operators/cpu/simd"
	"occlude/operators/freelist"
)

// arena hands out float32 buffers that live for a few layers, first fit from
// slabs that it keeps, so that a batch allocates nothing once the first one
// has run.
type arena struct {
	slabs []slab
	held  int64 // bytes of slabs
	peak  int64 // most bytes of slabs ever held
}

// slab is one allocation and what of it is free.
type slab struct {
	data []float32
	free freelist.List
}

// block is a buffer of the arena and where it came from.
type block struct {
	data   []float32
	slab   int
	lo, hi int
}

// alignment of buffers in floats: a cache line.
const alignment = 16

// minSlab is the least that a slab holds, in floats: 1 MiB.
const minSlab = 1 << 18

// take gives a buffer of n values with unspecified contents.
func (a *arena) take(n int) block {
	size := aligned(max(n, 1))
	for i := range a.slabs {
		s := &a.slabs[i]
		if lo, ok := s.free.Take(size); ok {
			return block{s.data[lo : lo+n : lo+size], i, lo, lo + size}
		}
	}
	i := a.grow(size)
	s := &a.slabs[i]
	lo, _ := s.free.Take(size)
	return block{s.data[lo : lo+n : lo+size], i, lo, lo + size}
}

// grow adds a slab of at least size values and tells its place. Slabs that
// nothing uses and that proved too small make room for it. It grows by an eighth at
// least, so that few slabs are thrown away before a worker is warm, and little is
// taken that nobody needs.
func (a *arena) grow(size int) int {
	size = max(size, int(a.held/4/8), minSlab)
	at := len(a.slabs)
	for i := range a.slabs {
		s := &a.slabs[i]
		if s.data != nil && s.free.IsFree(len(s.data)) {
			a.held -= int64(len(s.data)) * 4
			*s = slab{}
		}
		if s.data == nil {
			at = i
		}
	}
	s := slab{data: simd.Aligned(size), free: freelist.New(size)}
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
	a.slabs[b.slab].free.Give(b.lo, b.hi)
}

// aligned rounds a number of values up to whole cache lines.
func aligned(n int) int { return (n + alignment - 1) / alignment * alignment }
