package cpu

import (
	"testing"

	"pgregory.net/rapid"
)

// TestArena takes and gives buffers in random order. Live buffers never share a
// value, and in the end all memory is free in one piece a slab.
func TestArena(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var a arena
		var live []block
		mark := func(b block, v float32) {
			for _, i := range []int{0, len(b.data) / 2, len(b.data) - 1} {
				b.data[i] = v
			}
		}
		next := float32(1)
		marks := map[*float32]float32{}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if len(live) > 0 && rapid.Bool().Draw(t, "give") {
				i := rapid.IntRange(0, len(live)-1).Draw(t, "which")
				b := live[i]
				for _, j := range []int{0, len(b.data) / 2, len(b.data) - 1} {
					if b.data[j] != marks[&b.data[0]] {
						t.Fatalf("another buffer wrote into one of %d values", len(b.data))
					}
				}
				a.give(b)
				live = append(live[:i], live[i+1:]...)
				continue
			}
			n := rapid.OneOf(rapid.IntRange(1, 50), rapid.IntRange(1, minSlab/3), rapid.IntRange(minSlab, minSlab+99)).Draw(t, "n")
			b := a.take(n)
			if len(b.data) != n {
				t.Fatalf("asked for %d values, got %d", n, len(b.data))
			}
			for _, o := range live {
				if o.slab == b.slab && b.lo < o.hi && o.lo < b.hi {
					t.Fatalf("buffers [%d, %d) and [%d, %d) overlap", o.lo, o.hi, b.lo, b.hi)
				}
			}
			mark(b, next)
			marks[&b.data[0]] = next
			next++
			live = append(live, b)
		}
		for _, b := range live {
			a.give(b)
		}
		var held int64
		for _, s := range a.slabs {
			held += int64(len(s.data)) * 4
			if s.data != nil && !s.free.IsFree(len(s.data)) {
				t.Fatalf("free ranges %v in a slab of %d", s.free, len(s.data))
			}
		}
		if held != a.held || a.peak < held {
			t.Fatalf("holds %d bytes, counted %d, at most %d", held, a.held, a.peak)
		}
	})
}

// TestArenaSettles checks that repeating the same takes needs no new memory.
func TestArenaSettles(t *testing.T) {
	var a arena
	round := func() {
		x := a.take(minSlab)
		y := a.take(3 * minSlab)
		a.give(x)
		z := a.take(minSlab / 2)
		a.give(y)
		a.give(a.take(5 * minSlab))
		a.give(z)
	}
	round()
	round()
	if n := testing.AllocsPerRun(10, round); n != 0 {
		t.Errorf("%g allocations a round", n)
	}
}
